// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The result type of all functions of the C API.

#ifndef FP8GEMM_LIB_CAPI_RESULT_H
#define FP8GEMM_LIB_CAPI_RESULT_H

#include "fp8gemm-c/Compile.h"
#include "llvm/ADT/StringRef.h"
#include "llvm/ADT/Twine.h"
#include "llvm/Support/Error.h"
#include "llvm/Support/MemoryBuffer.h"

#include <memory>
#include <string>
#include <vector>

struct Fp8GemmResult {
  Fp8GemmStatus status = Fp8GemmSuccess;
  std::string message;
  std::vector<std::unique_ptr<llvm::MemoryBuffer>> files; ///< the first is the data
};

namespace fp8gemm {

Fp8GemmResult *failure(Fp8GemmStatus status, const llvm::Twine &message);

/// One file, or the first error's status and all messages.
Fp8GemmResult *resultOf(llvm::Expected<std::string> bytes);

Fp8GemmResult *resultOf(llvm::ArrayRef<llvm::StringRef> files);

/// Null, or what is wrong with the options. Null options become `usual`.
Fp8GemmResult *checkOptions(const Fp8GemmCompileOptions *&options, Fp8GemmCompileOptions &usual);

inline llvm::StringRef orEmpty(const char *text) { return text ? text : ""; }

} // namespace fp8gemm

#endif // FP8GEMM_LIB_CAPI_RESULT_H
