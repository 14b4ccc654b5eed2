// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What launches ask of a kernel's manifest, looked up once.

#ifndef FP8GEMM_RUNTIME_SRC_FACTS_H
#define FP8GEMM_RUNTIME_SRC_FACTS_H

#include "KernelFile.h"
#include "fp8gemm/runtime.h"

#include <array>
#include <vector>

namespace fp8gemm::runtime {

/// What the problem asks of an operand, whatever the call.
struct Form {
  const format::OperandRow *row = nullptr; ///< null: the kernel does not have it
  const char *name = "";
  int elementBytes = 1;
  /// Bytes that the pointer and the strides must be multiples of; a power of two.
  int alignment = 1;
  /// Of an operand that has an extent of groups.
  int64_t groups = 1;
  bool hasGroups = false;
  /// Whether the table's rows and columns are exchanged in storage.
  bool isTransposed = false;
  /// Whether the caller tells how far rows are apart; else there is one.
  bool hasRows = true;
  /// The largest stride, in elements: that of a tensor map, or else any.
  int64_t mostStride = INT64_MAX;
};

/// By operand; of those that the kernel lacks, as above.
using Forms = std::array<Form, format::kOperandCount>;

/// The manifest as plain fields: those of a flatbuffer take three dependent loads.
struct Facts {
  struct Param {
    const format::Param *inManifest;
    format::ParamKind kind;
    format::Operand operand;
  };

  Facts() = default;
  explicit Facts(const format::Manifest &manifest);

  const char *entry = nullptr;
  format::Problem problem;
  bool waitsForPrevious = false;
  uint32_t threads = 0, smemBytes = 0;
  uint32_t tileM = 0, tileN = 0, splitK = 0;
  uint32_t cluster = 0;       ///< CTAs of one
  uint32_t clusterRows = 0;   ///< of D, that it computes; 2^31 - 1 are as good as more
  int64_t clusterColumns = 0; ///< clusters beside each other along N, of a quantisation along K
  size_t workspaceBytes = 0;  ///< that every launch is given
  std::vector<Param> params;
  Forms forms;
};

/// Of numbers of 32 bits: longer divisions take several times as long.
inline int64_t ceilDiv(uint32_t a, uint32_t b) { return a / b + (a % b != 0); }

} // namespace fp8gemm::runtime

#endif // FP8GEMM_RUNTIME_SRC_FACTS_H
