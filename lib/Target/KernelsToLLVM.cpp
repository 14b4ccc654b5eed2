// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "fp8gemm/Dialect/Hopper/Transforms/OnEach.h"
#include "fp8gemm/Target/Passes.h"

#include "mlir/Conversion/ArithToLLVM/ArithToLLVM.h"
#include "mlir/Conversion/ControlFlowToLLVM/ControlFlowToLLVM.h"
#include "mlir/Conversion/IndexToLLVM/IndexToLLVM.h"
#include "mlir/Conversion/LLVMCommon/ConversionTarget.h"
#include "mlir/Conversion/LLVMCommon/LoweringOptions.h"
#include "mlir/Conversion/LLVMCommon/TypeConverter.h"
#include "mlir/Conversion/MathToLLVM/MathToLLVM.h"
#include "mlir/Conversion/NVVMToLLVM/NVVMToLLVM.h"
#include "mlir/Conversion/VectorToLLVM/ConvertVectorToLLVM.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/ControlFlow/IR/ControlFlow.h"
#include "mlir/Dialect/Index/IR/IndexDialect.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/LLVMIR/NVVMDialect.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/Transforms/DialectConversion.h"

using namespace mlir;

namespace fp8gemm {

#define GEN_PASS_DEF_CONVERTKERNELSTOLLVMPASS
#include "fp8gemm/Target/Passes.h.inc"

namespace {

/// Coordinates, offsets and extents of a kernel fit 32 bits; 64-bit arithmetic
/// would take two registers and several instructions each.
constexpr unsigned kIndexBits = 32;

struct ConvertKernelsToLLVMPass
    : hopper::OnEach<gpu::GPUModuleOp, impl::ConvertKernelsToLLVMPassBase<ConvertKernelsToLLVMPass>> {
  using OnEach::OnEach;

  LogicalResult runOn(gpu::GPUModuleOp module) override {
    LowerToLLVMOptions options(&getContext());
    options.overrideIndexBitwidth(kIndexBits);
    LLVMTypeConverter converter(&getContext(), options);
    RewritePatternSet patterns(&getContext());
    arith::populateArithToLLVMConversionPatterns(converter, patterns);
    cf::populateControlFlowToLLVMConversionPatterns(converter, patterns);
    index::populateIndexToLLVMConversionPatterns(converter, patterns);
    populateMathToLLVMConversionPatterns(converter, patterns);
    populateVectorToLLVMConversionPatterns(converter, patterns);
    populateNVVMToLLVMConversionPatterns(patterns);

    // nvvm is neither legal nor illegal: the operations with an intrinsic stay, those
    // that stand for inline PTX are rewritten.
    LLVMConversionTarget target(getContext());
    target.addIllegalDialect<arith::ArithDialect, cf::ControlFlowDialect, index::IndexDialect, math::MathDialect,
                             scf::SCFDialect, vector::VectorDialect>();
    return applyPartialConversion(module, target, std::move(patterns));
  }
};

} // namespace
} // namespace fp8gemm
