// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A problem from fields that somebody names: an entry of a list, or the options of a command line.

#ifndef FP8GEMM_PACK_READPROBLEM_H
#define FP8GEMM_PACK_READPROBLEM_H

#include "fp8gemm/Problem.h"
#include "llvm/ADT/ArrayRef.h"
#include "llvm/Support/Error.h"
#include "llvm/Support/JSON.h"

namespace fp8gemm {

/// Where fields come from. Messages name them as they are written there ('k' with op gemm, --k with --op=gemm), and
/// options can ask for one M of any product.
enum class FieldSource { List, Options };

/// Reads "op" and the fields of Problem.h: those that the op needs, and no other keys but `others`, which the caller
/// reads. Rules of the operation are its verifier's.
llvm::Expected<format::Problem> readProblem(const llvm::json::Object &object, FieldSource source,
                                            llvm::ArrayRef<llvm::StringRef> others = {});

/// The count that `object` has under `key`, from 1 on; `orElse` where there is none.
llvm::Expected<int64_t> readCount(const llvm::json::Object &object, llvm::StringRef key, int64_t orElse);

} // namespace fp8gemm

#endif // FP8GEMM_PACK_READPROBLEM_H
