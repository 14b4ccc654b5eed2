// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A pack as a constant of a program, for those who open it by fp8gemm_pack_open_memory.

#ifndef FP8GEMM_PACK_EMBED_H
#define FP8GEMM_PACK_EMBED_H

#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Error.h"

#include <string>

namespace fp8gemm {

/// A name that C accepts, made of a file's: "model-1.fp8pack" is model_1.
std::string symbolOf(llvm::StringRef path);

/// An object file for this machine with the read-only constants `symbol`, whose bytes are those of the pack, and
/// `symbol`_size.
llvm::Expected<std::string> embedObject(llvm::StringRef pack, llvm::StringRef symbol);

/// A C header that declares them.
std::string embedHeader(llvm::StringRef symbol);

} // namespace fp8gemm

#endif // FP8GEMM_PACK_EMBED_H
