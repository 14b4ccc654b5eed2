// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The shared memory of a CTA, which remembers who accessed it.

#ifndef FP8GEMM_LIB_SIMULATOR_SHAREDMEMORY_H
#define FP8GEMM_LIB_SIMULATOR_SHAREDMEMORY_H

#include "Clock.h"
#include "llvm/ADT/SmallVector.h"

#include <optional>

namespace fp8gemm::simulator {

/// Why an access must not happen.
struct Conflict {
  enum class Kind {
    Unwritten,     ///< it reads memory that was never written
    NotArrived,    ///< it reads what a TMA load is still to bring
    UnorderedRead, ///< it reads what was written, but not known to be
    UnorderedOver, ///< it writes over what was written, but not known to be
    StillRead,     ///< it writes over what may still be read
    OutOfBounds,
  };
  Kind kind;
  Access previous;
  int64_t offset; ///< bytes from the start of shared memory
};

class SharedMemory {
public:
  /// Poisoned: NaN as f8E4M3FN, bf16 and f32.
  SharedMemory(int64_t bytes, int agentsPerCta, AgentId firstAsyncAgent);

  /// Notes an access to [offset, offset + bytes), or says why it must not happen.
  std::optional<Conflict> read(int64_t offset, int64_t bytes, const Accessor &by);
  std::optional<Conflict> write(int64_t offset, int64_t bytes, const Accessor &by);

  /// Bytes that TMA will write, and did write.
  void startLoad(int64_t offset, int64_t bytes, mlir::Operation *op) { inFlight.push_back({offset, bytes, op}); }
  void finishLoad(int64_t offset, mlir::Operation *op);
  bool hasLoadsInFlight() const { return !inFlight.empty(); }

  template <typename T> T *at(int64_t offset) { return reinterpret_cast<T *>(memory.data() + offset); }
  int64_t size() const { return int64_t(memory.size()); }

private:
  /// The record of 4 bytes.
  struct Word {
    Access write;
    llvm::SmallVector<Access, 2> reads; ///< since then, the last one of each agent
  };
  struct Load {
    int64_t offset, bytes;
    mlir::Operation *op;
  };

  bool isAsync(AgentId agent) const { return agent % agentsPerCta >= firstAsyncAgent; }

  std::vector<uint8_t> memory;
  std::vector<Word> words;
  std::vector<Load> inFlight;
  int agentsPerCta;
  AgentId firstAsyncAgent;
};

/// Where TMA and wgmma find what is at `offset` of rows of `rowBytes` bytes: 16-byte chunks are XORed with
/// address bits 7 and up (PTX ISA, "Swizzling modes"). `swizzleBytes` is 32, 64 or 128; 16: no swizzle.
inline int64_t swizzled(int64_t offset, int64_t swizzleBytes) {
  return offset ^ (offset >> 3 & (swizzleBytes - 1) & 0x70);
}

} // namespace fp8gemm::simulator

#endif // FP8GEMM_LIB_SIMULATOR_SHAREDMEMORY_H
