// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Lists of problems from MLIR: all products of a module.

#include "PackFiles.h"

#include "Product.h"
#include "fp8gemm/Dialect/FP8Gemm/Transforms/SelectConfig.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/Parser/Parser.h"
#include "llvm/Support/SourceMgr.h"

using namespace llvm;

namespace fp8gemm {

using Kind = PackError::Kind;

namespace {

/// The problem of an operation, for any M: a plan serves them all.
GemmProblem anyM(ProductOpInterface op) {
  GemmProblem problem;
  problem.n = op.getN();
  if (!mlir::ShapedType::isDynamic(op.getK()))
    problem.k = op.getK();
  problem.sfaMnMajor = op.getAScale().getLayout() == ScaleLayout::mn_major;
  problem.sfbMnMajor = op.getBScale().getLayout() == ScaleLayout::mn_major;
  problem.recipe = op.isBScaledByRows() ? GemmProblem::Recipe::OneD1D : GemmProblem::Recipe::OneD2D;
  auto f8 = [](mlir::Type type) {
    return isa<mlir::Float8E5M2Type>(type) ? GemmProblem::F8::E5M2 : GemmProblem::F8::E4M3;
  };
  problem.a = f8(op.getAElement());
  problem.b = f8(op.getBElement());
  problem.d = op.getDElement().isF32() ? GemmProblem::Result::F32 : GemmProblem::Result::BF16;
  if (op.getC())
    problem.c = op.isInPlace() ? GemmProblem::C::InPlace : GemmProblem::C::Apart;
  problem.grouping = groupingOf(op);
  problem.groups = op.getGroupCount();
  if (GroupingAttr grouping = op.getGroupingAttr())
    problem.align = grouping.getAlign();
  if (problem.grouping == config::Grouping::KCount) {
    problem.m = op.getM();
    problem.flattened = cast<mlir::ShapedType>(op.getA().getType()).getRank() == 1;
  }
  return problem;
}

std::string placeOf(ProductOpInterface op) {
  auto location = op->getLoc()->findInstanceOf<mlir::FileLineColLoc>();
  return location ? "line " + std::to_string(location.getLine()) : "an operation without a line";
}

} // namespace

Expected<PackProblems> readModuleProblems(StringRef text, const PackProblems &usual, int64_t maxM,
                                          bool batchInvariant) {
  mlir::MLIRContext context(allInputDialects(), mlir::MLIRContext::Threading::DISABLED);
  std::string errors;
  raw_string_ostream os(errors);
  SourceMgr sources;
  mlir::SourceMgrDiagnosticHandler diagnostics(sources, &context, os);
  sources.AddNewSourceBuffer(MemoryBuffer::getMemBufferCopy(text, usual.name), SMLoc());
  auto module = mlir::parseSourceFile<mlir::ModuleOp>(sources, &context);
  if (!module)
    return make_error<PackError>(Kind::Problem, StringRef(errors).rtrim().str());
  PackProblems pack = usual;
  DistinctProblems distinct(pack);
  Error wrong = Error::success();
  bool isFull = false;
  module->walk([&](ProductOpInterface op) {
    if (isFull)
      return;
    PackProblem entry{placeOf(op), anyM(op), maxM, batchInvariant};
    if (op.getConfigAttr() || op.getKernelAttr()) {
      wrong = joinErrors(std::move(wrong), pack.error(Kind::Problem, entry,
                                                      "expected a product without a schedule, as packs are planned, "
                                                      "got one that has it"));
      return;
    }
    const size_t before = pack.problems.size();
    if (Error error = distinct.add(entry)) {
      isFull = true;
      wrong = joinErrors(std::move(wrong),
                         make_error<PackError>(Kind::Problem, pack.name + ": " + toString(std::move(error))));
      return;
    }
    if (pack.problems.size() == before)
      return;
    PipelineOptions options;
    if (Product product(entry, options); !product.isValid())
      wrong = joinErrors(std::move(wrong), pack.error(Kind::Problem, entry, product.takeErrors()));
  });
  if (wrong)
    return wrong;
  if (pack.problems.empty())
    return make_error<PackError>(Kind::Problem, pack.name + ": expected at least one product of fp8gemm, got none");
  return pack;
}

} // namespace fp8gemm
