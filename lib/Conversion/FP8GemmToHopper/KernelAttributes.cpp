// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What a kernel says of its tiles, its problem and its launch.

#include "Facts.h"

#include "fp8gemm/Dialect/FP8Gemm/IR/Epilogue.h"
#include "fp8gemm/Dialect/FP8Gemm/IR/Problem.h"

using namespace mlir;
using namespace fp8gemm;
using namespace fp8gemm::hopper;
using Form = config::Grouping;

static constexpr int64_t kTensorMapBytes = 128;

static TileKind tileKind(const Facts &facts) {
  switch (facts.problem.grouping) {
  case Form::None:
    break;
  case Form::Batched:
    return TileKind::batched;
  case Form::RowEnd:
  case Form::RowCount:
    return TileKind::rows_by_table;
  case Form::RowIndex:
    return TileKind::rows_by_index;
  case Form::KCount:
    return TileKind::k_by_table;
  }
  return facts.config.getSplitK() > 1 ? TileKind::split_k : TileKind::plain;
}

TileScheduleAttr Facts::tileSchedule() const {
  // The last tile ends where TMA can address its scales.
  int64_t endsAt = !problem.endsTilesWithA() ? 0 : problem.sfaByTma() ? config::kScalesAligned : 1;
  return TileScheduleAttr::get(config.getContext(), tileKind(*this), tileM, tileColumns, product.getColumnsOfD(),
                               isGroupedByK() ? 0 : kBlocks, config.getRasterGroup(),
                               problem.isGrouped() ? problem.groups : 1, config.getClusterM(), config.getClusterN(),
                               config.getSplitK(), endsAt, problem.sharing());
}

ProblemAttr Facts::described() const {
  Builder builder(config.getContext());
  auto layout = [&](ScaleAttr scale) { return builder.getStringAttr(stringifyScaleLayout(scale.getLayout())); };
  NamedAttrList vectors;
  for (const format::OperandRow &row : format::kOperands)
    if (Value vector = isOptionalVector(row) ? vectorOf(product, row) : Value())
      vectors.set(row.name, TypeAttr::get(getElementTypeOrSelf(vector.getType())));
  bool hasEpilogue = product.getEpilogueBody() && !addsBiasAndC(product);
  StringAttr activation; // only of an epilogue that a problem can name
  if (std::optional<format::Activation> known = activationOf(product); known && hasEpilogue)
    activation = builder.getStringAttr(nameOf(format::kActivationWords, *known));
  CUse c = !matrixOf(product) ? CUse::none : product.isInPlace() ? CUse::in_place : CUse::apart;
  return ProblemAttr::get(
      builder.getContext(), builder.getStringAttr(product->getName().stripDialect()), product.getM(), product.getN(),
      product.getK(), product.getAElement(), product.getBElement(), c, product.getDElement(),
      layout(product.getAScale()), layout(product.getBScale()), problem.sfbRows, groups(),
      vectors.empty() ? DictionaryAttr() : vectors.getDictionary(builder.getContext()), product.isGated(), hasEpilogue,
      activation, product.getSfd() ? layout(product.getDScaleAttr()) : StringAttr(), product.getPowerOfTwo());
}

GroupsAttr Facts::groups() const {
  if (!problem.isGrouped())
    return GroupsAttr();
  return GroupsAttr::get(config.getContext(), problem.groups,
                         *hopper::symbolizeGrouping(nameOf(format::kGroupingWords, problem.grouping)),
                         problem.groupAlign, problem.weights);
}

LaunchAttr Facts::launch() const {
  int64_t workspaceBytes = isGroupedByK() ? 2 * problem.groups * kTensorMapBytes : 0;
  return LaunchAttr::get(config.getContext(), kThreadsPerWarpgroup * (1 + config.getConsumers()), tileM, tileColumns,
                         config.getClusterM(), config.getClusterN(), config.getSplitK(), workspaceBytes);
}
