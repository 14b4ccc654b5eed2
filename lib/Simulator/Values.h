// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The values of a kernel during its simulation.

#ifndef FP8GEMM_LIB_SIMULATOR_VALUES_H
#define FP8GEMM_LIB_SIMULATOR_VALUES_H

#include "TensorMap.h"

#include <memory>
#include <vector>

namespace fp8gemm::simulator {

struct RingState;

/// Registers of all threads of a role: a fragment's, scales', or a vector's of each lane.
struct Registers {
  Registers(int64_t threads, int64_t perThread) : perThread(perThread), values(threads * perThread) {}
  float *of(int64_t thread) { return values.data() + thread * perThread; }

  int64_t perThread;
  std::vector<float> values;
  bool inFlight = false; ///< the tensor core may still write them
  uint32_t product = 0;  ///< whose they are, of the task's products
};

/// Row and column, in a fragment of 64 rows, of a thread's register (see !hopper.fragment).
inline int64_t fragmentRow(int64_t thread, int64_t index) {
  return thread / 32 * 16 + thread % 32 / 4 + (index / 2 % 2) * 8;
}
inline int64_t fragmentColumn(int64_t thread, int64_t index) { return index / 4 * 8 + thread % 4 * 2 + index % 2; }

/// One value. Which member counts follows from its type:
/// - index, i1, i32: `number`; an index has 32 bits, as in kernels
/// - memref in shared memory: `number`, bytes from the start of shared memory; in global memory: `operand`
/// - ring: `ring`; slot: `ring` and its stage in `number`
/// - fragment, scales, vector: `registers`
/// - tensor map: `map`
struct Cell {
  int64_t number = 0;
  std::shared_ptr<Registers> registers;
  RingState *ring = nullptr;
  const Matrix *operand = nullptr;
  std::shared_ptr<const TensorMap> map;
};

} // namespace fp8gemm::simulator

#endif // FP8GEMM_LIB_SIMULATOR_VALUES_H
