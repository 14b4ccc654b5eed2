// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "fp8gemm/Conversion/Passes.h"
#include "fp8gemm/Dialect/FP8Gemm/IR/FP8Gemm.h"
#include "fp8gemm/Dialect/FP8Gemm/Transforms/Passes.h"
#include "fp8gemm/Dialect/Hopper/IR/Hopper.h"
#include "fp8gemm/Dialect/Hopper/Transforms/Passes.h"
#include "fp8gemm/Execution/CpuPipeline.h"
#include "fp8gemm/Target/Passes.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/GPU/IR/GPUDialect.h"
#include "mlir/Dialect/LLVMIR/NVVMDialect.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Tools/mlir-opt/MlirOptMain.h"
#include "mlir/Transforms/Passes.h"

int main(int argc, char **argv) {
  mlir::DialectRegistry registry;
  registry.insert<fp8gemm::FP8GemmDialect, fp8gemm::hopper::HopperDialect, mlir::arith::ArithDialect,
                  mlir::func::FuncDialect, mlir::gpu::GPUDialect, mlir::NVVM::NVVMDialect,
                  mlir::memref::MemRefDialect, mlir::nvgpu::NVGPUDialect, mlir::scf::SCFDialect>();
  fp8gemm::execution::registerCpuDialects(registry);
  fp8gemm::execution::registerCpuPipeline();
  mlir::registerTransformsPasses();
  fp8gemm::registerConvertFP8GemmToHopperPass();
  fp8gemm::registerConvertHopperToNVVMPass();
  fp8gemm::hopper::registerHopperPasses();
  fp8gemm::registerFP8GemmPasses();
  fp8gemm::registerFP8GemmTargetPasses();
  return mlir::asMainReturnCode(mlir::MlirOptMain(argc, argv, "fp8gemm optimizer\n", registry));
}
