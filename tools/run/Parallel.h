// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef FP8GEMM_TOOLS_RUN_PARALLEL_H
#define FP8GEMM_TOOLS_RUN_PARALLEL_H

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <thread>
#include <vector>

namespace fp8gemm::run {

/// Calls body(i) for each i in [0, count), on all cores, in no particular order.
template <typename Body> void parallelFor(int64_t count, Body body) {
  std::atomic<int64_t> next{0};
  auto work = [&] {
    for (int64_t i; (i = next++) < count;)
      body(i);
  };
  std::vector<std::thread> threads;
  for (int64_t i = 1; i < std::min<int64_t>(count, std::thread::hardware_concurrency()); ++i)
    threads.emplace_back(work);
  work();
  for (std::thread &thread : threads)
    thread.join();
}

} // namespace fp8gemm::run

#endif // FP8GEMM_TOOLS_RUN_PARALLEL_H
