// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What clang's instrumentation of the project's own code counts; nothing in a build without it.

#include "Subject.h"

#include <cstring>

namespace {

struct Counters {
  uint8_t *first, *last;
};

std::vector<Counters> &allCounters() {
  static std::vector<Counters> all;
  return all;
}

} // namespace

/// Called before main for each file that is instrumented.
extern "C" void __sanitizer_cov_8bit_counters_init(uint8_t *first, uint8_t *last) {
  std::vector<Counters> &all = allCounters();
  if (first != last && (all.empty() || all.back().first != first))
    all.push_back({first, last});
}

namespace fp8gemm::fuzz {

size_t coverageSize() {
  size_t size = 0;
  for (const Counters &counters : allCounters())
    size += counters.last - counters.first;
  return size;
}

void clearCoverage() {
  for (const Counters &counters : allCounters())
    std::memset(counters.first, 0, counters.last - counters.first);
}

size_t addCoverage(uint8_t *seen) {
  size_t added = 0;
  for (const Counters &counters : allCounters())
    for (uint8_t *counter = counters.first; counter != counters.last; ++counter, ++seen)
      if (*counter && !*seen) {
        *seen = 1;
        ++added;
      }
  return added;
}

} // namespace fp8gemm::fuzz
