// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "fp8gemm/Simulator/Library.h"

#include "fp8gemm/Dialect/Hopper/IR/Hopper.h"
#include "fp8gemm/Dialect/Hopper/Transforms/Passes.h"
#include "fp8gemm/Pipelines/Pipelines.h"
#include "fp8gemm/Simulator/Trial.h"
#include "fp8gemm/Support/Files.h"
#include "mlir/Dialect/GPU/IR/GPUDialect.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/OwningOpRef.h"
#include "mlir/Parser/Parser.h"
#include "mlir/Pass/PassManager.h"
#include "llvm/Support/SourceMgr.h"

using namespace mlir;
using namespace fp8gemm;

enum Status { kSound = 0, kObjects = 1, kNothing = 2, kTimeout = 3 };

namespace {
/// The diagnostics during its lifetime, with their locations.
struct Messages {
  explicit Messages(MLIRContext &context)
      : handler(&context, [this](Diagnostic &diagnostic) {
          add(diagnostic, "");
          for (Diagnostic &note : diagnostic.getNotes())
            add(note, "  note: ");
          return success();
        }) {}

  void add(Diagnostic &diagnostic, const char *prefix) {
    llvm::raw_string_ostream os(text);
    os << (text.empty() ? "" : "\n") << prefix;
    if (auto place = diagnostic.getLocation()->findInstanceOf<FileLineColLoc>())
      os << place.getFilename().getValue() << ":" << place.getLine() << ":" << place.getColumn() << ": ";
    os << diagnostic;
  }

  std::string text;
  ScopedDiagnosticHandler handler;
};
} // namespace

static Status simulate(const fp8gemm_sim_args &args, fp8gemm_sim_result &result, std::string &message) {
  llvm::Expected<std::unique_ptr<llvm::MemoryBuffer>> file = readText(args.path);
  if (!file) {
    message = llvm::toString(file.takeError());
    return kNothing;
  }
  if ((*file)->getBuffer().starts_with("\177ELF")) {
    message =
        std::string("expected a kernel at the hopper level (fp8gemm-compile --emit=hopper), got the kernel file '") +
        args.path + "'";
    return kNothing;
  }
  DialectRegistry registry;
  registerDialects(registry);
  MLIRContext context(registry, MLIRContext::Threading::DISABLED);
  context.printOpOnDiagnostic(false);
  Messages messages(context);
  llvm::SourceMgr sources;
  sources.AddNewSourceBuffer(std::move(*file), llvm::SMLoc());
  OwningOpRef<ModuleOp> module = parseSourceFile<ModuleOp>(sources, &context);
  if (!module) {
    message = std::move(messages.text);
    return kNothing;
  }
  SmallVector<hopper::KernelOp> kernels;
  module->walk([&](hopper::KernelOp func) { kernels.push_back(func); });
  auto problem = kernels.size() == 1 ? kernels.front().getProblemAttr() : nullptr;
  if (!problem) {
    message = std::string("expected one kernel at the hopper level in '") + args.path + "', got " +
              (kernels.size() == 1 ? "one without a 'problem'" : std::to_string(kernels.size()));
    return kNothing;
  }
  bool isDynamic = ShapedType::isDynamic(problem.getM());
  if (isDynamic ? args.m < 0 : args.m >= 0 && args.m != problem.getM()) {
    message = isDynamic ? "expected --m=N: the kernel serves any M"
                        : "expected --m=" + std::to_string(problem.getM()) + ", the kernel's only one, got " +
                              std::to_string(args.m);
    return kNothing;
  }
  PassManager passes(&context);
  hopper::buildCompleteSchedulePipeline(passes.nest<gpu::GPUModuleOp>().nest<hopper::KernelOp>());
  simulator::TrialOptions options;
  simulator::Watchdog watchdog(args.watchdog);
  options.m = args.m, options.padBytes = args.pad, options.seed = args.seed, options.watchdog = &watchdog;
  snprintf(result.kernel, sizeof(result.kernel), "%s", kernels.front().getName().str().c_str());
  result.n = problem.getN();
  LogicalResult assigned = passes.run(*module);
  FailureOr<simulator::TrialResult> trial = simulator::TrialResult();
  if (succeeded(assigned))
    trial = simulator::runTrial(kernels.front(), options);
  if (failed(assigned) || failed(trial)) {
    message = std::move(messages.text);
    return watchdog.wasOver() ? kTimeout : kObjects;
  }
  result.m = trial->m, result.k = trial->k, result.clusters = trial->clusters;
  result.elements = trial->elements, result.untouched = trial->untouched;
  result.worst_error_over_bound = trial->worst;
  return kSound;
}

extern "C" int fp8gemm_simulate(const fp8gemm_sim_args *args, fp8gemm_sim_result *result, char *message,
                                size_t messageSize) {
  std::string text;
  fp8gemm_sim_result ignored{};
  Status status = kNothing;
  if (args && args->path)
    status = simulate(*args, result ? *result : ignored, text);
  else
    text = "expected arguments with a path, got null";
  if (message && messageSize)
    snprintf(message, messageSize, "%s", text.c_str());
  return status;
}
