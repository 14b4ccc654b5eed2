// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "ChildProcess.h"

#include "fp8gemm/Support/Files.h"
#include "llvm/ADT/Twine.h"

#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstring>
#include <fcntl.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>

using namespace llvm;

namespace fp8gemm::target {

namespace {

/// The child's numbers of its files; the parent's are from kFirstOwn on, so that none is in another's way.
constexpr int kFirstOfChild = 3, kFirstOwn = 64;

/// Bytes that a child may print whose time is limited.
constexpr off_t kMostTalk = 1 << 20;

Error systemError(const Twine &what, int code) { return createStringError(what + ": " + std::strerror(code)); }

} // namespace

MemoryFile::~MemoryFile() {
  if (descriptor >= 0)
    close(descriptor);
}

Expected<MemoryFile> MemoryFile::create(StringRef bytes) {
  int made = memfd_create("fp8gemm", MFD_CLOEXEC);
  MemoryFile file(made < 0 ? -1 : fcntl(made, F_DUPFD_CLOEXEC, kFirstOwn));
  int code = errno;
  if (made >= 0)
    close(made);
  if (file.descriptor < 0)
    return systemError("cannot make a file in memory", code);
  FileSizeSignal guard;
  while (!bytes.empty()) {
    ssize_t written = write(file.descriptor, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR)
      continue;
    if (written <= 0)
      return systemError("cannot write a file in memory", errno);
    bytes = bytes.drop_front(size_t(written));
  }
  return file;
}

Expected<std::string> MemoryFile::read() const {
  struct stat status;
  if (fstat(descriptor, &status) != 0)
    return systemError("cannot read a file in memory", errno);
  std::string bytes(size_t(status.st_size), '\0');
  size_t done = 0;
  while (done < bytes.size()) {
    ssize_t count = pread(descriptor, bytes.data() + done, bytes.size() - done, off_t(done));
    if (count < 0 && errno == EINTR)
      continue;
    if (count <= 0)
      return systemError("cannot read a file in memory", count < 0 ? errno : EIO);
    done += size_t(count);
  }
  return bytes;
}

std::string Child::pathOf(unsigned file) { return "/proc/self/fd/" + std::to_string(kFirstOfChild + int(file)); }

Expected<int> Child::waitFor(int pid, const MemoryFile &log) const {
  using Clock = std::chrono::steady_clock;
  const auto end = Clock::now() + std::chrono::seconds(secondsAtMost);
  while (true) {
    int status = 0;
    pid_t ended = waitpid(pid, &status, secondsAtMost ? WNOHANG : 0);
    if (ended == pid)
      return status;
    if (ended < 0 && errno != EINTR)
      return systemError("cannot wait for '" + program + "'", errno);
    struct stat written {};
    bool talks = ended == 0 && fstat(log.descriptor, &written) == 0 && written.st_size > kMostTalk;
    if (ended == 0 && (talks || Clock::now() >= end)) {
      kill(-pid, SIGKILL); // and its own children
      while (waitpid(pid, &status, 0) < 0 && errno == EINTR) {
      }
      return createStringError("expected '" + program + "' to end within " + Twine(secondsAtMost) + " s" +
                               (talks ? ", got output without end" : ""));
    }
    if (ended == 0)
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
}

Error Child::run() {
  Expected<MemoryFile> log = MemoryFile::create();
  if (!log)
    return log.takeError();
  std::vector<char *> argv{program.data()};
  for (std::string &argument : arguments)
    argv.push_back(argument.data());
  argv.push_back(nullptr);

  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  int failed = posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  for (int to : {STDOUT_FILENO, STDERR_FILENO})
    failed |= posix_spawn_file_actions_adddup2(&actions, log->descriptor, to);
  for (size_t i = 0; i < files.size(); ++i)
    failed |= posix_spawn_file_actions_adddup2(&actions, files[i]->descriptor, kFirstOfChild + int(i));
  // Signals that the calling thread blocks are not the child's business.
  posix_spawnattr_t attributes;
  posix_spawnattr_init(&attributes);
  sigset_t none;
  sigemptyset(&none);
  failed |= posix_spawnattr_setsigmask(&attributes, &none);
  failed |= posix_spawnattr_setflags(&attributes,
                                     short(POSIX_SPAWN_SETSIGMASK | (secondsAtMost ? POSIX_SPAWN_SETPGROUP : 0)));
  pid_t pid = -1;
  int code = failed ? ENOMEM : posix_spawn(&pid, program.c_str(), &actions, &attributes, argv.data(), environ);
  posix_spawnattr_destroy(&attributes);
  posix_spawn_file_actions_destroy(&actions);
  if (code)
    return systemError("cannot run '" + program + "'", code);

  Expected<int> status = waitFor(pid, *log);
  if (!status)
    return status.takeError();
  if (!WIFEXITED(*status))
    return createStringError("cannot run '" + program + "': it was killed by signal " + Twine(WTERMSIG(*status)) +
                             " (" + strsignal(WTERMSIG(*status)) + ")");
  exitCode = WEXITSTATUS(*status);
  Expected<std::string> text = log->read();
  if (!text)
    return text.takeError();
  output = std::move(*text);
  return Error::success();
}

} // namespace fp8gemm::target
