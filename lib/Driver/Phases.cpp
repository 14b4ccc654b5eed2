// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "Phases.h"

#include "llvm/Support/Format.h"
#include "llvm/Support/Process.h"
#include "llvm/Support/raw_ostream.h"

using namespace llvm;

namespace fp8gemm {

Phases::Phases() : start(Clock::now()) {
  sys::TimePoint<> now;
  std::chrono::nanoseconds user, system;
  sys::Process::GetTimeUsage(now, user, system);
  loadSeconds = std::chrono::duration<double>(user + system).count();
  add("load the tool", loadSeconds);
}

void Phases::add(StringRef name, double seconds) {
  for (auto &[known, sum] : phases)
    if (known == name) {
      sum += seconds;
      return;
    }
  phases.emplace_back(name.str(), seconds);
}

void Phases::print(raw_ostream &os) const {
  for (const auto &[name, seconds] : phases)
    os << format("%8.3f s  ", seconds) << name << '\n';
  os << format("%8.3f s  total\n", total());
}

} // namespace fp8gemm
