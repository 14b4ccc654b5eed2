// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Lists of problems, wherever they come from.

#ifndef FP8GEMM_PACK_PACKFILES_H
#define FP8GEMM_PACK_PACKFILES_H

#include "fp8gemm/Pack/PackBuilder.h"

#include <map>

namespace fp8gemm {

/// Fills a list with each problem once: the same product in many layers is one. Linear in what is added, but for a
/// logarithm.
class DistinctProblems {
public:
  explicit DistinctProblems(PackProblems &pack) : pack(pack) {}

  /// An error where the list is full, or has the problem with another `maxM`.
  llvm::Error add(PackProblem entry);

private:
  PackProblems &pack;
  std::map<format::Problem, size_t> indices;
};

/// The products of an MLIR module, each once; what a list says besides is `usual`'s name and gpu, and the other two.
llvm::Expected<PackProblems> readModuleProblems(llvm::StringRef text, const PackProblems &usual, int64_t maxM,
                                                bool batchInvariant);

} // namespace fp8gemm

#endif // FP8GEMM_PACK_PACKFILES_H
