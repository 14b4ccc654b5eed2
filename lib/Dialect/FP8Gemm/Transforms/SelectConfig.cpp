// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Problem of an operation -> config attribute. The choice itself is lib/Config's.

#include "fp8gemm/Dialect/FP8Gemm/Transforms/SelectConfig.h"

#include "fp8gemm/Dialect/FP8Gemm/IR/Epilogue.h"
#include "fp8gemm/Dialect/FP8Gemm/IR/Problem.h"
#include "fp8gemm/Dialect/FP8Gemm/Transforms/Passes.h"

#include "mlir/IR/Diagnostics.h"
#include "llvm/Support/FormatVariadic.h"

namespace fp8gemm {
#define GEN_PASS_DEF_SELECTCONFIGPASS
#include "fp8gemm/Dialect/FP8Gemm/Transforms/Passes.h.inc"
} // namespace fp8gemm

using namespace mlir;
using namespace fp8gemm;

/// Candidates that --explain shows beside the chosen one.
static constexpr size_t kOthersExplained = 4;

config::Problem fp8gemm::problemOf(ProductOpInterface op) {
  const format::Problem fields = fieldsOf(op);
  config::Problem problem;
  if (fields.m != -1)
    problem.m = fields.m;
  problem.n = fields.n;
  problem.k = fields.k == -1 ? fields.groups * kExpectedGroupK : fields.k;
  problem.sfa = fields.sfa;
  problem.sfb = fields.sfb;
  problem.sfbRows = fields.sfbRows;
  problem.dBytes = bytesOf(fields.d);
  problem.c = fields.c;
  problem.hasEpilogue = op.getEpilogueBody();
  problem.gated = fields.gated != 0;
  problem.isMapped = problem.hasEpilogue && !addsBiasAndC(op);
  if (problem.isMapped)
    for (Value operand : op.getEpilogueOperands()) {
      Broadcast broadcast = broadcastOf(operand);
      problem.epilogueMatrices += broadcast.rows && broadcast.columns;
      problem.epilogueRows += !broadcast.rows && broadcast.columns;
      problem.epilogueColumns += broadcast.rows && !broadcast.columns;
    }
  problem.grouping = fields.grouping;
  problem.groups = fields.groups;
  problem.weights = fields.weights;
  problem.groupAlign = fields.align;
  return problem;
}

template <size_t... I>
static ConfigAttr makeAttr(MLIRContext *context, const config::Config &config, std::index_sequence<I...>) {
  return ConfigAttr::get(context, config.*config::kFields[I].member...);
}

ConfigAttr fp8gemm::attrOf(MLIRContext *context, const config::Config &config) {
  return makeAttr(context, config, std::make_index_sequence<std::size(config::kFields)>());
}

config::Config fp8gemm::configOf(ConfigAttr attr) {
  const int64_t values[] = {attr.getTileM(),
                            attr.getTileN(),
                            attr.getStages(),
                            attr.getConsumers(),
                            attr.getProducerRegisters(),
                            attr.getConsumerRegisters(),
                            attr.getRasterGroup(),
                            attr.getClusterM(),
                            attr.getClusterN(),
                            attr.getSplitK(),
                            attr.getPartials(),
                            attr.getSwapAb()};
  static_assert(std::size(values) == std::size(config::kFields));
  config::Config config;
  for (auto [field, value] : llvm::zip(config::kFields, values))
    config.*field.member = value;
  return config;
}

std::string Selection::set(StringRef gpuName, int64_t rows, StringRef config, bool isBatchInvariant) {
  gpu = config::findGpu(gpuName.str());
  expectedM = rows;
  given = {};
  batchInvariant = isBatchInvariant;
  if (!gpu)
    return config::unknownGpu(gpuName.str());
  if (expectedM <= 0)
    return "expected 'expected-m' to be a positive number of rows, got " + std::to_string(expectedM);
  if (expectedM > std::numeric_limits<int32_t>::max())
    return "expected 'expected-m' to be at most " + std::to_string(std::numeric_limits<int32_t>::max()) +
           " rows, got " + std::to_string(expectedM);
  return config.empty() ? "" : config::parse(config.str(), given);
}

FailureOr<config::Choice> Selection::select(ProductOpInterface op) const {
  if (failed(checkEpilogueIsBuilt(op)))
    return failure();
  config::Problem problem = problemOf(op);
  problem.batchInvariant = batchInvariant;
  config::Choice choice = config::choose(problem, *gpu, expectedM, given);
  if (!choice.error.empty())
    return op->emitOpError(choice.error);
  op.setConfigAttr(attrOf(op->getContext(), choice.chosen.config));
  return choice;
}

static std::string describe(const config::Candidate &candidate) {
  return llvm::formatv("{0}: {1:f1} us, {2}", config::describe(candidate.config), candidate.microseconds,
                       candidate.reason);
}

namespace {

struct SelectConfigPass : fp8gemm::impl::SelectConfigPassBase<SelectConfigPass> {
  using SelectConfigPassBase::SelectConfigPassBase;

  /// Reads the options, which hold for every operation.
  LogicalResult initialize(MLIRContext *context) override {
    std::string error = selection.set(gpu, expectedM, config, batchInvariant);
    return error.empty() ? success() : LogicalResult(mlir::emitError(UnknownLoc::get(context)) << error);
  }

  void runOnOperation() override {
    WalkResult result = getOperation()->walk([&](ProductOpInterface op) {
      if (op.getConfigAttr() || op.getKernelAttr())
        return WalkResult::advance();
      FailureOr<config::Choice> choice = selection.select(op);
      if (failed(choice))
        return WalkResult::interrupt();
      if (explain)
        explainChoice(op, *choice);
      return WalkResult::advance();
    });
    if (result.wasInterrupted())
      signalPassFailure();
  }

  /// A remark with the choice, and a note for each of the next best.
  void explainChoice(ProductOpInterface op, const config::Choice &choice) {
    // Not op->emitRemark: it would print the operation after each remark.
    InFlightDiagnostic remark =
        mlir::emitRemark(op->getLoc(), selection.given != config::Config() ? "given " : "chose ")
        << describe(choice.chosen);
    remark.attachNote() << "modelled on " << gpu << " for "
                        << (ShapedType::isDynamic(op.getM()) ? expectedM : op.getM()) << " rows of A; "
                        << choice.candidates.size() << " tiles are legal";
    size_t shown = 0;
    for (const config::Candidate &candidate : choice.candidates) {
      if (shown == kOthersExplained)
        break;
      if (candidate.config == choice.chosen.config)
        continue;
      remark.attachNote() << "next best: " << describe(candidate);
      ++shown;
    }
  }

  Selection selection;
};

} // namespace
