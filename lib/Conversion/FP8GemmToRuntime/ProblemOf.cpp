// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "Constants.h"

using namespace mlir;
using namespace fp8gemm;

// Enumerators of runtime.h, which the compiler doesn't include.
namespace {
enum Type : uint32_t { kE4M3 = 0, kE5M2 = 1, kBF16 = 2, kF32 = 3 };
enum CUse : uint32_t { kNoC = 0, kApart = 1, kInPlace = 2 };
enum Layout : uint32_t { kKMajor = 0, kMnMajor = 1 };
enum Groups : uint32_t { kNone = 0, kRowIndex = 1, kRowEnd = 2, kRowCount = 3, kBatched = 4, kKCount = 5 };
} // namespace

static uint32_t groupingOf(ProductOpInterface op) {
  GroupingAttr grouping = op.getGroupingAttr();
  if (!grouping)
    return isa<GroupedGemmOp>(op) ? kBatched : kNone;
  switch (grouping.getKind()) {
  case GroupingKind::row_index:
    return kRowIndex;
  case GroupingKind::row_end:
    return kRowEnd;
  case GroupingKind::row_count:
    return kRowCount;
  case GroupingKind::k_count:
    return kKCount;
  }
  return kNone;
}

format::ProgramProblem runtime_conversion::problemOf(ProductOpInterface op, bool batchInvariant) {
  auto f8 = [](mlir::Type type) { return isa<Float8E5M2Type>(type) ? kE5M2 : kE4M3; };
  auto layout = [](ScaleAttr scale) { return scale.getLayout() == ScaleLayout::mn_major ? kMnMajor : kKMajor; };
  format::ProgramProblem problem;
  problem.n = op.getN();
  problem.k = ShapedType::isDynamic(op.getK()) ? -1 : op.getK();
  problem.aType = f8(op.getAElement());
  problem.bType = f8(op.getBElement());
  problem.dType = op.getDElement().isF32() ? kF32 : kBF16;
  problem.cUse = !op.getC() ? kNoC : op.isInPlace() ? kInPlace : kApart;
  problem.sfbBlockRows = op.getBScale().getRows();
  problem.sfaLayout = layout(op.getAScale());
  problem.sfbLayout = layout(op.getBScale());
  problem.grouping = groupingOf(op);
  problem.groups = op.getGroupCount();
  if (GroupingAttr grouping = op.getGroupingAttr())
    problem.groupAlign = grouping.getAlign();
  if (auto alongK = dyn_cast<KGroupedGemmOp>(op.getOperation())) {
    problem.m = alongK.getM();
    problem.flat = alongK.isFlattened();
  }
  problem.batchInvariant = batchInvariant;
  return problem;
}

format::ProblemKey runtime_conversion::keyOf(const format::ProgramProblem &problem) {
  auto type = [](uint32_t type) {
    switch (type) {
    case kE4M3:
      return int64_t(format::ElementType::F8E4M3FN);
    case kE5M2:
      return int64_t(format::ElementType::F8E5M2);
    case kBF16:
      return int64_t(format::ElementType::BF16);
    default:
      return int64_t(format::ElementType::F32);
    }
  };
  // The other enumerators are the manifest's.
  return {problem.n,           problem.k,           problem.grouping == kKCount ? problem.m : -1,
          problem.grouping,    problem.groups,      problem.groupAlign,
          problem.flat,        type(problem.aType), type(problem.bType),
          type(problem.dType), problem.cUse,        problem.sfbBlockRows,
          problem.sfaLayout,   problem.sfbLayout};
}
