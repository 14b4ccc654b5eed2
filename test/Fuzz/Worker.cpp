// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "Worker.h"

#include <algorithm>
#include <atomic>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <execinfo.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

// Faults come to our own handler, so that the stack is written in one way in every build. Arrays and vectors of
// libMLIR, which isn't instrumented, would be reported falsely.
extern "C" const char *__asan_default_options() {
  return "handle_segv=0:handle_sigbus=0:handle_abort=0:handle_sigill=0:handle_sigfpe=0:handle_sigtrap=0:"
         "abort_on_error=1:symbolize=0:detect_leaks=0:allow_user_poisoning=0:detect_container_overflow=0:"
         "detect_odr_violation=0:allocator_may_return_null=0:max_allocation_size_mb=4096";
}
extern "C" const char *__ubsan_default_options() { return "abort_on_error=1:print_stacktrace=0:symbolize=0"; }

namespace fp8gemm::fuzz {

struct Worker::Shared {
  std::atomic<uint32_t> current; ///< index of the case that runs
  Progress progress;
  uint8_t reached[kMaxCases];
  uint8_t coveredMore[kMaxCases];
  char refusals[kMaxCases][sizeof(Progress::refusal)];
  std::atomic<uint32_t> frames;
  uintptr_t stack[128];
  char texts[kMaxCases][kMaxText]; ///< the pages that are written to are there only
};

/// What the signal handler writes to.
static std::atomic<uint32_t> *stackFrames;
static uintptr_t *stackBuffer;
static constexpr size_t kStackSize = 128;
static constexpr int kFaults[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGABRT};

extern "C" void fp8gemmFuzzFault(int signal) {
  std::signal(signal, SIG_DFL);
  void *frames[kStackSize + 2];
  int count = backtrace(frames, std::size(frames));
  // Without this function and the signal's own frame.
  for (int i = 2; i < count; ++i)
    stackBuffer[i - 2] = reinterpret_cast<uintptr_t>(frames[i]);
  *stackFrames = count > 2 ? count - 2 : 0;
  raise(signal);
}

/// With a stack of their own: a case may use up that of the process.
static void catchFaults() {
  static char space[1 << 16];
  stack_t stack{};
  stack.ss_sp = space;
  stack.ss_size = sizeof(space);
  sigaltstack(&stack, nullptr);
  struct sigaction action {};
  action.sa_handler = fp8gemmFuzzFault;
  action.sa_flags = SA_ONSTACK;
  for (int fault : kFaults)
    sigaction(fault, &action, nullptr);
  void *load[1];
  backtrace(load, 1); // loads libgcc, which a handler must not
}

template <typename T> static T *share(size_t bytes) {
  void *memory = mmap(nullptr, std::max<size_t>(bytes, 1), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) {
    std::perror("mmap");
    std::exit(2);
  }
  return static_cast<T *>(memory);
}

Worker::Worker(Limits limits)
    : limits(limits), shared(share<Shared>(sizeof(Shared))), seen(share<uint8_t>(coverageSize())) {
  char path[] = "/tmp/fp8gemm-fuzz-XXXXXX";
  log = mkstemp(path);
  if (log < 0) {
    std::perror("mkstemp");
    std::exit(2);
  }
  unlink(path);
}

Worker::~Worker() {
  munmap(shared, sizeof(Shared));
  munmap(seen, std::max<size_t>(coverageSize(), 1));
  close(log);
}

uint8_t Worker::reached(size_t index) const { return shared->reached[index]; }
std::string Worker::text(size_t index) const { return shared->texts[index]; }
uint64_t Worker::refusedChanges() const { return shared->progress.refusedChanges; }
std::string Worker::refusal(size_t index) const { return shared->refusals[index]; }
bool Worker::coveredMore(size_t index) const { return shared->coveredMore[index]; }
size_t Worker::covered() const { return std::count(seen, seen + coverageSize(), 1); }

void Worker::child(const std::vector<Case> &cases, size_t first) {
  dup2(log, STDERR_FILENO);
  catchFaults();
  for (size_t i = first; i < cases.size(); ++i) {
    shared->current = i;
    clearCoverage();
    shared->progress.reached = 0;
    shared->progress.refusal[0] = '\0';
    shared->progress.text = shared->texts[i];
    shared->texts[i][0] = '\0';
    runCase(cases[i], shared->progress);
    shared->reached[i] = shared->progress.reached;
    shared->coveredMore[i] = addCoverage(seen) > 0;
    std::copy(std::begin(shared->progress.refusal), std::end(shared->progress.refusal), shared->refusals[i]);
  }
  _exit(0);
}

static double seconds(clockid_t clock) {
  timespec now{};
  return clock_gettime(clock, &now) ? 0 : now.tv_sec + 1e-9 * now.tv_nsec;
}

static size_t residentMegabytes(int pid) {
  char path[64];
  std::snprintf(path, sizeof(path), "/proc/%d/statm", pid);
  size_t total = 0, resident = 0;
  if (FILE *file = std::fopen(path, "r")) {
    if (std::fscanf(file, "%zu %zu", &total, &resident) != 2)
      resident = 0;
    std::fclose(file);
  }
  return resident * sysconf(_SC_PAGESIZE) >> 20;
}

/// Until the child has ended.
void Worker::watch(int pid, Failure &failure) {
  clockid_t cpu;
  if (clock_getcpuclockid(pid, &cpu))
    cpu = CLOCK_MONOTONIC;
  uint32_t current = shared->current;
  double cpuStart = seconds(cpu), wallStart = seconds(CLOCK_MONOTONIC), killed = 0;
  useconds_t pause = 500;
  for (int status;; usleep(pause)) {
    if (waitpid(pid, &status, WNOHANG) == pid) {
      bool found = WIFEXITED(status) && WEXITSTATUS(status) == kFoundStatus;
      failure.signal = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
      if (failure.ending == Ending::Passed && (!WIFEXITED(status) || WEXITSTATUS(status) != 0))
        failure.ending = found ? Ending::Found : Ending::Crashed;
      return;
    }
    pause = std::min<useconds_t>(pause * 2, 20000);
    double wall = seconds(CLOCK_MONOTONIC);
    if (current != shared->current) {
      current = shared->current;
      cpuStart = seconds(cpu);
      wallStart = wall;
    }
    // First let it write where it is.
    if (killed > 0 && wall > killed + 3)
      kill(pid, SIGKILL);
    if (killed > 0)
      continue;
    if (seconds(cpu) > cpuStart + limits.seconds || wall > wallStart + 10 * limits.seconds)
      failure.ending = Ending::TooSlow;
    else if (residentMegabytes(pid) > limits.megabytes)
      failure.ending = Ending::TooLarge;
    if (failure.ending != Ending::Passed) {
      killed = wall;
      kill(pid, SIGABRT);
    }
  }
}

std::vector<std::string> inChild(const std::function<std::vector<std::string>()> &make) {
  FILE *file = std::tmpfile();
  std::fflush(nullptr);
  int pid = file ? fork() : -1;
  if (pid == 0) {
    for (const std::string &text : make()) {
      size_t size = text.size();
      std::fwrite(&size, sizeof(size), 1, file);
      std::fwrite(text.data(), 1, size, file);
    }
    std::fflush(file);
    _exit(0);
  }
  std::vector<std::string> texts;
  int status = 1;
  if (pid > 0 && waitpid(pid, &status, 0) == pid && status == 0) {
    std::rewind(file);
    for (size_t size; std::fread(&size, sizeof(size), 1, file) == 1;) {
      texts.emplace_back(size, '\0');
      if (std::fread(texts.back().data(), 1, size, file) != size)
        break;
    }
  }
  if (file)
    std::fclose(file);
  return texts;
}

size_t Worker::run(const std::vector<Case> &cases, size_t first, Failure &failure) {
  failure = {};
  if (first == cases.size())
    return first;
  stackFrames = &shared->frames;
  stackBuffer = shared->stack;
  shared->frames = 0;
  shared->current = first;
  shared->progress.finding[0] = '\0';
  if (ftruncate(log, 0))
    std::perror("ftruncate");
  lseek(log, 0, SEEK_SET);
  std::fflush(nullptr);
  int pid = fork();
  if (pid < 0) {
    std::perror("fork");
    std::exit(2);
  }
  if (pid == 0)
    child(cases, first);
  watch(pid, failure);
  if (failure.ending == Ending::Passed)
    return cases.size();
  failure.step = shared->progress.step;
  failure.stack.assign(shared->stack, shared->stack + shared->frames);
  char text[4096];
  ssize_t size = pread(log, text, sizeof(text), 0);
  failure.log = failure.ending == Ending::Found ? shared->progress.finding : std::string(text, size > 0 ? size : 0);
  return shared->current;
}

} // namespace fp8gemm::fuzz
