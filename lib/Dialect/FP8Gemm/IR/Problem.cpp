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

/// Types of elements and their names in problems.
static SmallVector<std::pair<const char *, Type>> elements(MLIRContext *context) {
  Builder builder(context);
  return {{"e4m3", Float8E4M3FNType::get(context)},
          {"e5m2", Float8E5M2Type::get(context)},
          {"bf16", builder.getBF16Type()},
          {"f16", builder.getF16Type()},
          {"f32", builder.getF32Type()},
          {"i32", builder.getI32Type()}};
}

const char *fp8gemm::elementName(Type type) {
  for (auto [name, known] : elements(type.getContext()))
    if (known == type)
      return name;
  return "";
}

Type fp8gemm::elementNamed(MLIRContext *context, StringRef name) {
  for (auto [known, type] : elements(context))
    if (known == name)
      return type;
  return nullptr;
}

Value fp8gemm::operandOf(ProductOpInterface op, const format::OperandRow &row) {
  switch (row.operand) {
  case format::Operand::A:
    return op.getA();
  case format::Operand::ScaleA:
    return op.getSfa();
  case format::Operand::B:
    return op.getB();
  case format::Operand::ScaleB:
    return op.getSfb();
  case format::Operand::Groups:
    return op.getGroups();
  case format::Operand::C:
    return op.isInPlace() ? Value() : matrixOf(op);
  case format::Operand::D:
    return op.getD();
  case format::Operand::ScaleD:
    return op.getSfd();
  default:
    return isOptionalVector(row) ? vectorOf(op, row) : Value();
  }
}

format::Problem fp8gemm::fieldsOf(ProductOpInterface op) {
  auto extent = [](int64_t extent) { return ShapedType::isDynamic(extent) ? -1 : extent; };
  auto layout = [](ScaleAttr scale) {
    return format::valueOf<format::ScaleLayout>(format::kLayoutWords, stringifyScaleLayout(scale.getLayout()));
  };
  format::Problem problem;
  problem.m = extent(op.getM());
  problem.n = op.getN();
  problem.k = extent(op.getK());
  if (matrixOf(op))
    problem.c = op.isInPlace() ? format::CUse::InPlace : format::CUse::Apart;
  problem.gated = op.isGated();
  problem.activation = activationOf(op).value_or(format::Activation::None);
  for (const format::OperandRow &row : format::kOperands)
    if (Value operand = operandOf(op, row); operand && row.elementField)
      set(problem, *row.elementField,
          valueOfElement(*row.elementField, elementName(getElementTypeOrSelf(operand.getType()))));
  if (ScaleAttr scale = op.getDScaleAttr(); scale && op.getSfd())
    problem.sfd = format::valueOf<format::ScaleOfD>(format::kScaleOfDWords, stringifyScaleLayout(scale.getLayout()));
  problem.powerOfTwo = op.getPowerOfTwo();
  problem.sfbRows = op.getBScale().getRows();
  problem.sfa = layout(op.getAScale());
  problem.sfb = layout(op.getBScale());
  problem.grouping = groupingOf(op);
  problem.groups = op.getGroupCount();
  if (int64_t weights = factsOf(problem.grouping).ofB ? cast<ShapedType>(op.getB().getType()).getDimSize(0) : problem.groups;
      weights != problem.groups)
    problem.weights = weights;
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
