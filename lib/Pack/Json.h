// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef FP8GEMM_PACK_JSON_H
#define FP8GEMM_PACK_JSON_H

#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Error.h"
#include "llvm/Support/JSON.h"

namespace fp8gemm {

/// JSON as people and programs write it: UTF-8, with or without a byte order mark, and each key of an object once. What
/// is nested deeper than kMaxNesting is refused, as LLVM's parser would use up the stack. Errors say the line and the
/// column: "line 2, column 7: expected JSON, which has no comments".
llvm::Expected<llvm::json::Value> parseJson(llvm::StringRef text);

/// The same in the part of YAML that JSON has a word for. Errors start with the name, the line and the column.
llvm::Expected<llvm::json::Value> parseYaml(llvm::StringRef text, llvm::StringRef name);

constexpr unsigned kMaxNesting = 32;

} // namespace fp8gemm

#endif // FP8GEMM_PACK_JSON_H
