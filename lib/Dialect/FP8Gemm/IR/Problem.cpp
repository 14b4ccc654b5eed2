// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "fp8gemm/Dialect/FP8Gemm/IR/Problem.h"

#include "fp8gemm/Dialect/FP8Gemm/IR/Epilogue.h"

using namespace mlir;
using namespace fp8gemm;

static format::Grouping groupingOf(ProductOpInterface op) {
  if (GroupingAttr grouping = op.getGroupingAttr())
    return format::valueOf<format::Grouping>(format::kGroupingWords, stringifyGroupingKind(grouping.getKind()));
  return isa<GroupedGemmOp>(op) ? format::Grouping::Batched : format::Grouping::None;
}

format::Problem fp8gemm::fieldsOf(ProductOpInterface op) {
  auto extent = [](int64_t extent) { return ShapedType::isDynamic(extent) ? -1 : extent; };
  auto f8 = [](Type type) { return isa<Float8E5M2Type>(type) ? format::Type::E5M2 : format::Type::E4M3; };
  auto layout = [](ScaleAttr scale) {
    return format::valueOf<format::ScaleLayout>(format::kLayoutWords, stringifyScaleLayout(scale.getLayout()));
  };
  format::Problem problem;
  problem.m = extent(op.getM());
  problem.n = op.getN();
  problem.k = extent(op.getK());
  problem.a = f8(op.getAElement());
  problem.b = f8(op.getBElement());
  problem.d = op.getDElement().isF32() ? format::Type::F32 : format::Type::BF16;
  if (matrixOf(op))
    problem.c = op.isInPlace() ? format::CUse::InPlace : format::CUse::Apart;
  if (Value row = rowOf(op))
    problem.bias = getElementTypeOrSelf(row.getType()).isF32() ? format::Bias::F32 : format::Bias::BF16;
  problem.gated = op.isGated();
  problem.sfbRows = op.getBScale().getRows();
  problem.sfa = layout(op.getAScale());
  problem.sfb = layout(op.getBScale());
  problem.grouping = groupingOf(op);
  problem.groups = op.getGroupCount();
  if (GroupingAttr grouping = op.getGroupingAttr())
    problem.align = grouping.getAlign();
  problem.flat = problem.grouping == format::Grouping::KCount && cast<ShapedType>(op.getA().getType()).getRank() == 1;
  return problem;
}

format::Problem fp8gemm::fieldsForAnyM(ProductOpInterface op) {
  format::Problem problem = fieldsOf(op);
  if (problem.grouping != format::Grouping::KCount)
    problem.m = -1;
  return problem;
}
