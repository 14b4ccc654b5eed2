// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The data of a compiled program: files and problems as constants.

#ifndef FP8GEMM_LIB_CONVERSION_FP8GEMMTORUNTIME_CONSTANTS_H
#define FP8GEMM_LIB_CONVERSION_FP8GEMMTORUNTIME_CONSTANTS_H

#include "PackFile.h"
#include "Program.h"
#include "fp8gemm/Dialect/FP8Gemm/IR/FP8Gemm.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/ImplicitLocOpBuilder.h"
#include "mlir/IR/SymbolTable.h"

namespace fp8gemm::runtime_conversion {

/// Adds globals at the start of a module, one after the other, with unused names.
class Constants {
public:
  explicit Constants(mlir::ModuleOp module) : builder(module.getLoc(), module.getContext()), symbols(module) {
    builder.setInsertionPointToStart(module.getBody());
  }

  /// fp8gemm_program_file, of a kernel file or a pack in memory, or of a pack at a path.
  mlir::LLVM::GlobalOp addFile(llvm::StringRef name, llvm::StringRef bytes, bool isPack);
  mlir::LLVM::GlobalOp addPackPath(llvm::StringRef name, llvm::StringRef path);

  /// fp8gemm_problem.
  mlir::LLVM::GlobalOp addProblem(llvm::StringRef name, const format::Problem &problem);

private:
  mlir::LLVM::GlobalOp add(llvm::StringRef name, mlir::Type type, bool isConstant, mlir::Attribute value,
                           unsigned alignment);
  mlir::LLVM::GlobalOp addFile(llvm::StringRef name, mlir::LLVM::GlobalOp bytes, uint64_t size,
                               mlir::LLVM::GlobalOp path, bool isPack);

  mlir::ImplicitLocOpBuilder builder;
  mlir::SymbolTable symbols;
  mlir::LLVM::GlobalOp last; ///< that was added
};

} // namespace fp8gemm::runtime_conversion

#endif // FP8GEMM_LIB_CONVERSION_FP8GEMMTORUNTIME_CONSTANTS_H
