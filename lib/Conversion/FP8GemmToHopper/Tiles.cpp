// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "KernelBuilder.h"

using namespace mlir;
using namespace fp8gemm;
using namespace fp8gemm::hopper;

/// Among the operands of which each group has a tensor map.
static int64_t slotOf(Operand of) { return of == Operand::b; }
static constexpr int64_t kSlots = 2;

void Tiles::tabulate(const Facts &facts, const Signature &signature, KernelEmitter emit) {
  const config::Problem &problem = facts.problem;
  ImplicitLocOpBuilder &builder = emit.builder;
  Value groups = signature.memory(Operand::groups), table = signature.table();
  if (!facts.isGroupedByK()) {
    auto by = problem.grouping == config::Grouping::RowEnd ? hopper::Grouping::row_end : hopper::Grouping::row_count;
    ScanGroupsOp::create(builder, groups, by, signature.extentM(), facts.tileM * facts.config.getClusterM(),
                         problem.groupAlign, problem.sharing(), table);
    return;
  }
  ScanGroupsOp::create(builder, groups, hopper::Grouping::k_count, signature.extentK(), kBlockK, /*align=*/1,
                       /*sharing=*/1, table);
  gpu::BarrierOp::create(builder);
  auto makeMaps = [&](Operand of, Value rows) {
    MakeGroupMapsOp::create(builder, signature.map(of), signature.memory(of), rows, table,
                            signature.memory(Operand::workspace), slotOf(of), kSlots);
  };
  makeMaps(Operand::a, signature.extentM());
  makeMaps(Operand::b, emit.constant(facts.product.getN()));
}

Tiles::Tiles(const Facts &facts, const Signature &signature, KernelEmitter emit)
    : facts(facts), signature(signature), emit(emit) {
  const config::Problem &problem = facts.problem;
  Value rows = problem.m ? emit.constant(*problem.m) : signature.extentM();
  Value groups = problem.isTabulated()       ? signature.table()
                 : facts.product.getGroups() ? signature.memory(Operand::groups)
                                             : Value();
  work = TilesOp::create(emit.builder, rows, facts.tileSchedule(), groups);
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

Value Tiles::mapOf(Operand of, LocateOp place) {
  Value map = signature.map(of);
  if (!facts.isGroupedByK())
    return map;
  return GroupMapOp::create(emit.builder, map.getType(), place.getGroup(), signature.memory(Operand::workspace),
                            facts.problem.groups, slotOf(of), kSlots);
}

Value Tiles::matrixOf(Operand of, LocateOp place) {
  if (!facts.hasGroups(of))
    return Value();
  bool isShared = of == Operand::b && facts.problem.weights;
  return isShared ? named("weights", emit.rem(place.getGroup(), facts.problem.weights)) : place.getGroup();
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
  if (facts.problem.grouping != config::Grouping::RowIndex)
    return restFrom(place.getEnd(), row); // none, if the group ends before this CTA's tile
  Value group = arith::IndexCastUIOp::create(emit.builder, emit.builder.getI32Type(), place.getGroup());
  return CountRowsOp::create(emit.builder, signature.memory(Operand::groups), row, group, signature.extentM(),
                             facts.tileM);
}
