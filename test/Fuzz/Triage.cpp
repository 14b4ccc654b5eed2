// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "Triage.h"

#include "Tokens.h"

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <cxxabi.h>
#include <dlfcn.h>

extern "C" char __executable_start, etext;

namespace fp8gemm::fuzz {

/// Failures of MLIR 22.1 itself that the rule of Triage::judge doesn't tell from ours: part of a key, and why.
struct Known {
  const char *key, *why;
};
static const std::vector<Known> kKnown = {};

/// Passes of MLIR itself: what they make is not ours.
static constexpr const char *kUpstreamPasses[] = {"canonicalize",
                                                  "cse",
                                                  "convert-scf-to-cf",
                                                  "reconcile-unrealized-casts",
                                                  "one-shot-bufferize",
                                                  "convert-bufferization-to-memref",
                                                  "convert-linalg-to-loops",
                                                  "arith-expand",
                                                  "expand-strided-metadata",
                                                  "lower-affine",
                                                  "convert-math-to-llvm",
                                                  "convert-arith-to-llvm",
                                                  "convert-index-to-llvm",
                                                  "finalize-memref-to-llvm",
                                                  "convert-func-to-llvm",
                                                  "convert-cf-to-llvm",
                                                  "ownership-based-buffer-deallocation",
                                                  "buffer-deallocation-simplification",
                                                  "bufferization-lower-deallocations",
                                                  "expand-realloc"};

static bool startsWith(const std::string &text, const char *prefix) { return text.rfind(prefix, 0) == 0; }

static bool isSanitizer(const std::string &function) {
  for (const char *prefix : {"__asan", "__sanitizer", "__ubsan", "__interceptor", "___interceptor", "__lsan",
                             "operator new", "operator delete", "malloc", "calloc", "realloc", "memcpy", "memmove"})
    if (startsWith(function, prefix))
      return true;
  return false;
}

static bool isFuzzer(const std::string &function) {
  return function.find("fp8gemm::fuzz::") != std::string::npos || function == "main";
}

static std::string demangled(const char *name) {
  int status = 0;
  char *text = abi::__cxa_demangle(name, nullptr, nullptr, &status);
  std::string result = status == 0 ? text : name;
  std::free(text);
  return result;
}

void Triage::symbolize(const std::vector<uintptr_t> &addresses) {
  std::string command;
  std::vector<uintptr_t> own;
  for (uintptr_t address : addresses) {
    if (frames.count(address))
      continue;
    Frame &frame = frames[address];
    frame.program =
        address >= reinterpret_cast<uintptr_t>(&__executable_start) && address < reinterpret_cast<uintptr_t>(&etext);
    Dl_info info{};
    if (dladdr(reinterpret_cast<void *>(address), &info) && info.dli_sname)
      frame.function = demangled(info.dli_sname);
    if (!frame.program)
      continue;
    char offset[32];
    // Of the call, not of what follows it.
    std::snprintf(offset, sizeof(offset), " 0x%zx",
                  size_t(address - reinterpret_cast<uintptr_t>(&__executable_start) - 1));
    command += offset;
    own.push_back(address);
  }
  if (own.empty())
    return;
  char program[4096];
  ssize_t size = readlink("/proc/self/exe", program, sizeof(program) - 1);
  if (size < 0)
    return;
  program[size] = '\0';
  command = symbolizer + " --no-inlines --functions=linkage --demangle --output-style=GNU -f --obj='" + program + "'" +
            command + " 2>/dev/null";
  FILE *pipe = popen(command.c_str(), "r");
  if (!pipe)
    return;
  char line[8192];
  for (uintptr_t address : own) {
    if (!std::fgets(line, sizeof(line), pipe))
      break;
    line[std::strcspn(line, "\n")] = '\0';
    std::string name = line;
    if (std::fgets(line, sizeof(line), pipe)) {
      line[std::strcspn(line, "\n")] = '\0';
      const char *file = std::strrchr(line, '/');
      if (name != "??")
        frames[address].function = demangled(name.c_str()) + (file ? std::string(" ") + (file + 1) : "");
    }
  }
  pclose(pipe);
}

const Triage::Frame &Triage::frame(uintptr_t address) { return frames[address]; }

static const char *name(Ending ending) {
  switch (ending) {
  case Ending::Passed:
    return "passed";
  case Ending::Crashed:
    return "crash";
  case Ending::Found:
    return "broken promise";
  case Ending::TooSlow:
    return "too slow";
  case Ending::TooLarge:
    return "too much memory";
  }
  return "";
}

/// The line of a sanitizer's report that says what is wrong.
static std::string summary(const std::string &log) {
  for (const char *wanted : {"runtime error:", "ERROR: AddressSanitizer:"}) {
    size_t at = log.find(wanted);
    if (at != std::string::npos)
      return log.substr(at, std::min(log.find('\n', at), log.size()) - at);
  }
  return log.substr(0, log.find('\n'));
}

Verdict Triage::judge(const Failure &failure) {
  symbolize(failure.stack);
  Verdict verdict;
  verdict.key = std::string(name(failure.ending)) + " in " + failure.step;
  verdict.report = verdict.key;
  if (failure.signal)
    verdict.report += ", " + std::string(strsignal(failure.signal));
  if (!failure.log.empty())
    verdict.report += ": " + (failure.ending == Ending::Found ? failure.log : summary(failure.log));
  if (failure.ending == Ending::Found) {
    verdict.key += ": " + failure.log.substr(0, failure.log.find(':'));
    for (const char *pass : kUpstreamPasses)
      if (failure.step == pass)
        verdict.upstream = "a pass of MLIR";
  } else {
    std::string innermost;
    bool ours = failure.stack.empty();
    for (uintptr_t address : failure.stack) {
      const Frame &at = frame(address);
      if (isSanitizer(at.function))
        continue;
      if (at.program && isFuzzer(at.function))
        break;
      if (innermost.empty() || (at.program && !ours))
        innermost = at.function.substr(0, at.function.find('('));
      ours |= at.program;
    }
    if (failure.ending == Ending::Crashed)
      verdict.key += ": " + innermost;
    if (!ours)
      verdict.upstream = "no function of the compiler on the stack";
  }
  for (const Known &known : kKnown)
    if (verdict.report.find(known.key) != std::string::npos || verdict.key.find(known.key) != std::string::npos)
      verdict.upstream = known.why;
  size_t shown = 0;
  for (uintptr_t address : failure.stack) {
    const Frame &at = frame(address);
    if (isSanitizer(at.function) || shown++ > 24)
      continue;
    verdict.report += "\n  " + at.function.substr(0, 160);
    if (at.program && isFuzzer(at.function))
      break;
  }
  return verdict;
}

namespace {

struct Shrinker {
  const std::string &key;
  Worker &worker;
  Triage &triage;
  std::chrono::steady_clock::time_point end;
  Case best;

  bool outOfTime() const { return std::chrono::steady_clock::now() > end; }

  bool fails(const std::string &text) {
    std::vector<Case> one{{text, best.options}};
    Failure failure;
    return worker.run(one, 0, failure) == 0 && failure.ending != Ending::Passed && triage.judge(failure).key == key;
  }

  /// Delta debugging over parts of the text: leaves out ever smaller runs of them.
  void leaveOut(std::vector<std::string> parts) {
    for (size_t size = std::max<size_t>(parts.size() / 2, 1);; size = std::max<size_t>(size / 2, 1)) {
      bool smaller = false;
      for (size_t first = 0; first < parts.size() && !outOfTime();) {
        std::vector<std::string> rest(parts.begin(), parts.begin() + first);
        size_t last = std::min(first + size, parts.size());
        rest.insert(rest.end(), parts.begin() + last, parts.end());
        std::string text;
        for (const std::string &part : rest)
          text += part;
        if (fails(text)) {
          parts = std::move(rest);
          best.text = text;
          smaller = true;
        } else {
          first = last;
        }
      }
      if (outOfTime() || (size == 1 && !smaller))
        return;
    }
  }
};

} // namespace

Case shrink(const Case &input, const std::string &key, Worker &worker, Triage &triage, double seconds) {
  auto end = std::chrono::steady_clock::now() + std::chrono::milliseconds(long(seconds * 1000));
  Shrinker shrinker{key, worker, triage, end, input};
  Options plain;
  plain.cpu = input.options.cpu;
  std::swap(shrinker.best.options, plain);
  if (!shrinker.fails(input.text))
    std::swap(shrinker.best.options, plain);
  std::vector<std::string> parts;
  Tokens tokens = tokenize(input.text);
  for (Range line : lines(tokens))
    parts.push_back(toText(Tokens(tokens.begin() + line.first, tokens.begin() + line.last)));
  shrinker.leaveOut(parts);
  parts.clear();
  for (const Token &token : tokenize(shrinker.best.text))
    parts.push_back(token.text);
  if (parts.size() < 2000)
    shrinker.leaveOut(parts);
  return shrinker.best;
}

} // namespace fp8gemm::fuzz
