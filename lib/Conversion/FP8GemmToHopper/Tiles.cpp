// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "KernelBuilder.h"

using namespace mlir;
using namespace fp8gemm;
using namespace fp8gemm::hopper;
using Form = config::Grouping;

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

void Tiles::tabulate(const Facts &facts, const Signature &signature, KernelEmitter emit) {
  ImplicitLocOpBuilder &builder = emit.builder;
  Value groups = signature.memory(Operand::groups), table = signature.table();
  if (!facts.isGroupedByK()) {
    auto by = facts.problem.grouping == Form::RowEnd ? hopper::Grouping::row_end : hopper::Grouping::row_count;
    ScanGroupsOp::create(builder, groups, by, signature.extentM(), facts.tileM * facts.config.getClusterM(),
                         facts.problem.groupAlign, facts.problem.sharing(), table);
    return;
  }
  ScanGroupsOp::create(builder, groups, hopper::Grouping::k_count, signature.extentK(), kBlockK, /*align=*/1, /*sharing=*/1, table);
  gpu::BarrierOp::create(builder);
  auto makeMaps = [&](Operand of, Value rows, int64_t slot) {
    MakeGroupMapsOp::create(builder, signature.map(of), signature.memory(of), rows, table,
                            signature.memory(Operand::workspace), slot, /*slots=*/2);
  };
  makeMaps(Operand::a, signature.extentM(), 0);
  makeMaps(Operand::b, emit.constant(facts.product.getN()), 1);
}

Tiles::Tiles(const Facts &facts, const Signature &signature, KernelEmitter emit)
    : facts(facts), signature(signature), emit(emit) {
  const config::Problem &problem = facts.problem;
  ConfigAttr config = facts.config;
  // The last tile ends where TMA can address its scales.
  int64_t endsAt = !problem.endsTilesWithA() ? 0 : problem.sfaByTma() ? config::kScalesAligned : 1;
  auto schedule = TileScheduleAttr::get(config.getContext(), tileKind(facts), facts.tileM, facts.tileColumns,
                                        facts.product.getColumnsOfD(), facts.isGroupedByK() ? 0 : facts.kBlocks,
                                        config.getRasterGroup(), problem.isGrouped() ? problem.groups : 1,
                                        config.getClusterM(), config.getClusterN(), config.getSplitK(), endsAt,
                                        problem.sharing());
  Value rows = problem.m ? emit.constant(*problem.m) : signature.extentM();
  Value groups = problem.isTabulated()       ? signature.table()
                 : facts.product.getGroups() ? signature.memory(Operand::groups)
                                             : Value();
  work = TilesOp::create(emit.builder, rows, schedule, groups);
  rank = facts.cluster == 1 ? emit.constant(0)
                            : named("rank", gpu::ClusterBlockIdOp::create(emit.builder, gpu::Dimension::x));
}

void Tiles::forEach(function_ref<void(const Tile &)> body, function_ref<void(const Tile &)> empty) {
  ImplicitLocOpBuilder &builder = emit.builder;
  OpBuilder::InsertionGuard guard(builder);
  auto loop = ForTilesOp::create(builder, work);
  auto build = [&](Region &region, function_ref<void(const Tile &)> fill) {
    Type index = builder.getIndexType(), types[] = {TileType::get(builder.getContext()), index, index, index};
    Block *block = builder.createBlock(&region, {}, types, SmallVector<Location>(4, builder.getLoc()));
    fill({block->getArgument(0), block->getArgument(1), block->getArgument(2), block->getArgument(3)});
    builder.setInsertionPointToEnd(block);
    YieldOp::create(builder);
  };
  if (empty)
    build(loop.getEmpty(), empty);
  build(loop.getBody(), body);
}

Value Tiles::mapOf(Operand operand, int64_t slot, LocateOp place) {
  Value map = signature.map(operand);
  if (!facts.isGroupedByK())
    return map;
  return GroupMapOp::create(emit.builder, map.getType(), place.getGroup(), signature.memory(Operand::workspace),
                            facts.problem.groups, slot, /*slots=*/2);
}

Value Tiles::matrixOfB(LocateOp place) {
  if (!facts.problem.hasGroupsOfB())
    return Value();
  return facts.problem.weights ? named("weights", emit.rem(place.getGroup(), facts.problem.weights)) : place.getGroup();
}

Value Tiles::rowOfB(LocateOp place, int64_t part) {
  return part == 0 ? place.getColumn() : named("up_row", emit.add(place.getColumn(), facts.product.getColumnsOfD()));
}

Value Tiles::kBlock(const Tile &tile, Value i) {
  return named("k", facts.config.getSplitK() > 1 ? emit.add(tile.kBegin, i) : i);
}

Value Tiles::scaleBlock(const Tile &tile, Value k) {
  return facts.isGroupedByK() ? named("scale_block", emit.add(tile.begin, k)) : k;
}

Value Tiles::scaleOffset(const Tile &tile) {
  // Tiles have multiples of 8 rows, so the group's begin says it.
  return facts.problem.shiftsScales() ? named("offset", emit.rem(tile.begin, config::kScalesAligned))
                                      : emit.constant(0);
}

Value Tiles::restFrom(Value rows, Value first) {
  Value atLeast = named("at_least", emit.max(rows, first));
  return named("rows", emit.sub(atLeast, first));
}

Value Tiles::rowsOfGroup(LocateOp place, Value row) {
  if (facts.problem.grouping != Form::RowIndex)
    return restFrom(place.getEnd(), row); // none, if the group ends before this CTA's tile
  Value group = arith::IndexCastUIOp::create(emit.builder, emit.builder.getI32Type(), place.getGroup());
  return CountRowsOp::create(emit.builder, signature.memory(Operand::groups), row, group, signature.extentM(),
                             facts.tileM);
}
