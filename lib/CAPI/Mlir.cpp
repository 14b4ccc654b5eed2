// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "fp8gemm-c/Mlir.h"

#include "Result.h"
#include "fp8gemm/Dialect/FP8Gemm/IR/FP8Gemm.h"
#include "fp8gemm/Dialect/Hopper/IR/Hopper.h"
#include "fp8gemm/InitAll.h"
#include "fp8gemm/Pipelines/Compiler.h"
#include "mlir/CAPI/IR.h"
#include "mlir/CAPI/Registration.h"
#include "mlir/IR/Diagnostics.h"

using namespace mlir;
using namespace fp8gemm;

MLIR_DEFINE_CAPI_DIALECT_REGISTRATION(FP8Gemm, fp8gemm, FP8GemmDialect)
MLIR_DEFINE_CAPI_DIALECT_REGISTRATION(Hopper, hopper, hopper::HopperDialect)

void fp8gemmRegisterAllDialects(MlirDialectRegistry registry) { registerAllDialects(*unwrap(registry)); }

void fp8gemmRegisterAllPasses(void) { registerAllPasses(); }

Fp8GemmResult *fp8gemmCompileModule(MlirModule module, const Fp8GemmCompileOptions *options) {
  if (mlirModuleIsNull(module))
    return fp8gemm::failure(Fp8GemmInvalidArgument, "expected a module, got null");
  Fp8GemmCompileOptions usual = {};
  if (Fp8GemmResult *wrong = checkOptions(options, usual))
    return wrong;
  if (options->cache || options->jobs)
    return fp8gemm::failure(Fp8GemmInvalidArgument,
                            "expected options of a module, got 'cache' or 'jobs', which are for packs");
  PipelineOptions pipeline;
  if (options->gpu)
    pipeline.gpu = options->gpu;
  pipeline.ptxas = orEmpty(options->ptxas).str();
  pipeline.allowSpills = options->allowSpills;

  // Without ptxas all work would be wasted.
  if (llvm::Expected<std::string> ptxas = target::ptxasVersion(pipeline.ptxas); !ptxas)
    return fp8gemm::failure(Fp8GemmNoPtxas, llvm::toString(ptxas.takeError()));

  std::string errors;
  ScopedDiagnosticHandler collect(unwrap(module).getContext(), [&](Diagnostic &diagnostic) {
    if (diagnostic.getSeverity() == DiagnosticSeverity::Error)
      errors += (errors.empty() ? "" : "\n") + diagnostic.str();
    return mlir::failure(); // pass it on to the other handlers
  });
  FailureOr<std::vector<target::Kernel>> kernels = compile(unwrap(module), pipeline);
  if (failed(kernels))
    return fp8gemm::failure(Fp8GemmCompileError, errors);
  return resultOf(llvm::map_to_vector(*kernels, [](const target::Kernel &kernel) { return StringRef(kernel.file); }));
}
