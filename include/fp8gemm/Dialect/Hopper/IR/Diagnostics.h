// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Diagnostics of operations that hold many others.

#ifndef FP8GEMM_DIALECT_HOPPER_IR_DIAGNOSTICS_H
#define FP8GEMM_DIALECT_HOPPER_IR_DIAGNOSTICS_H

#include "mlir/IR/Diagnostics.h"
#include "mlir/IR/Operation.h"

namespace fp8gemm::hopper {

/// Like `op->emitOpError()`, for operations that contain many others, such as kernels: if a tool prints the operation
/// with the diagnostic, it is printed without its regions.
inline mlir::InFlightDiagnostic
emitWithoutRegions(mlir::Operation *op, mlir::DiagnosticSeverity severity = mlir::DiagnosticSeverity::Error) {
  mlir::MLIRContext *context = op->getContext();
  mlir::InFlightDiagnostic diagnostic = context->getDiagEngine().emit(op->getLoc(), severity);
  diagnostic << "'" << op->getName() << "' op ";
  if (context->shouldPrintOpOnDiagnostic()) {
    std::string text;
    llvm::raw_string_ostream os(text);
    op->print(os, mlir::OpPrintingFlags().skipRegions().useLocalScope().elideLargeElementsAttrs());
    diagnostic.attachNote(op->getLoc()) << "see current operation: " << text;
  }
  return diagnostic;
}

} // namespace fp8gemm::hopper

#endif // FP8GEMM_DIALECT_HOPPER_IR_DIAGNOSTICS_H
