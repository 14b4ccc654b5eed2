// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "KernelBuilder.h"
#include "Quantize.h"

#include "fp8gemm/Dialect/FP8Gemm/IR/Epilogue.h"

using namespace mlir;
using namespace fp8gemm;
using namespace fp8gemm::hopper;
using Predicate = arith::CmpIPredicate;

void Epilogue::load(LocateOp place) {
  if (!ringOfC)
    return;
  auto acquire = RingAcquireOp::create(emit.builder, *ringOfC, Filler::tma);
  TmaLoadOp::create(emit.builder, signature.map(Operand::c), place.getRow(), place.getColumn(),
                    tiles.matrixOf(Operand::c, place), acquire.getBuffers()[0], acquire.getSlot());
  RingCommitOp::create(emit.builder, acquire.getSlot());
}

void Epilogue::finish(LocateOp place, const Warpgroup &warpgroup, SmallVector<Value> sums) {
  if (facts.config.getSplitK() > 1)
    return reduceAndStore(place, warpgroup, sums);
  Part part{place, warpgroup, place.getRow(), place.getColumn()};
  store(part, apply(part, sums));
}

std::pair<Value, Value> Epilogue::start(const Part &part, int64_t i) {
  Value first = part.warpgroup.firstRows[i];
  if (facts.swap)
    return {part.row, named("column", emit.add(part.column, first))};
  return {named("row", emit.add(part.row, first)), part.column};
}

Value Epilogue::loadOperand(const Part &part, int64_t i, Value operand, Value parameter) {
  Broadcast broadcast = broadcastOf(operand);
  auto [row, column] = start(part, i);
  return LoadFragmentOp::create(emit.builder, facts.result(), parameter, row, column,
                                broadcast.groups ? part.place.getGroup() : Value(),
                                broadcast.rows ? signature.extentM() : Value(), /*transposed=*/facts.swap);
}

SmallVector<Value> Epilogue::apply(const Part &part, ValueRange sums) {
  ProductOpInterface product = facts.product;
  Block *body = product.getEpilogueBody();
  RingWaitOp wait;
  if (ringOfC)
    wait = RingWaitOp::create(emit.builder, *ringOfC);
  OpFoldResult zero = emit.builder.getIndexAttr(0);
  Value loadedLikeC = addsBiasAndC(product) ? matrixOf(product) : Value();
  SmallVector<Value> results;
  for (int64_t i = 0; i < facts.results; ++i) {
    const size_t perResult = sums.size() / facts.results; // with gate and up in one, or apart
    SmallVector<Value> inputs(sums.slice(i * perResult, perResult));
    Value c;
    if (wait) {
      Value panels = emit.view(wait.getBuffers()[0], {zero, part.warpgroup.firstRows[i], zero},
                               facts.panels(kFragmentRows).getShape());
      c = LoadFragmentOp::create(emit.builder, facts.result(), panels);
      if (i + 1 == facts.results)
        RingReleaseOp::create(emit.builder, wait.getSlot());
    }
    if (product.getC() && c)
      inputs.front() = arith::AddFOp::create(emit.builder, c, inputs.front());
    if (body) { // Other operands are loaded after C, whose registers they may have then.
      for (auto [k, operand] : llvm::enumerate(product.getEpilogueOperands()))
        inputs.push_back(operand == loadedLikeC ? c : loadOperand(part, i, operand, signature.epilogueOperand(k)));
      inputs = {MapOp::create(emit.builder, facts.result(), inputs, *body)};
    }
    results.push_back(inputs.front());
  }
  return results;
}

Value Epilogue::exchanged(Value buffer, Value number, OpFoldResult octet, int64_t columns) {
  OpFoldResult zero = emit.builder.getIndexAttr(0);
  return emit.view(buffer, {named("fragment", number), octet, zero, zero}, {columns / 8, kThreadsPerWarpgroup, 4});
}

/// Each rank leaves its accumulators in shared memory, and stores the sums of all ranks, of a part of the columns.
void Epilogue::reduceAndStore(LocateOp place, const Warpgroup &warpgroup, ValueRange sums) {
  ImplicitLocOpBuilder &builder = emit.builder;
  auto accumulator = [&](int64_t i, OpFoldResult octet, int64_t columns) {
    Value number = emit.add(emit.mul(warpgroup.number, facts.fragments), i);
    return exchanged(signature.exchange(), number, octet, columns);
  };
  for (auto [i, sum] : llvm::enumerate(sums)) {
    Value all = accumulator(i, builder.getIndexAttr(0), facts.columns);
    PutFragmentOp::create(builder, sum, all);
  }
  ClusterBarrierOp::create(builder);
  int64_t ranks = facts.config.getSplitK(), columns = facts.storedColumns;
  auto storePart = [&] {
    Value firstOctet = emit.mul(tiles.rank, columns / 8);
    SmallVector<Value> all;
    for (int64_t i = 0; i < facts.results * facts.parts; ++i) {
      // Gate and up are two accumulators, or the halves of one.
      bool isHalf = facts.sums < facts.parts;
      Value octet = isHalf ? emit.add(firstOctet, i % facts.parts * facts.tileColumns / 8) : firstOctet;
      Value ofRanks = accumulator(isHalf ? i / facts.parts : i, octet, columns);
      all.push_back(ReduceFragmentsOp::create(builder, facts.result(), ofRanks, ranks));
    }
    Part part{place, warpgroup, place.getRow(), place.getColumn()};
    Value first = emit.mul(tiles.rank, columns), &start = facts.swap ? part.row : part.column;
    start = emit.add(start, first);
    store(part, apply(part, all));
  };
  int64_t storing = (facts.swap ? facts.tileM : facts.tileColumns) / columns;
  if (storing == ranks)
    return storePart();
  Value stores = emit.compare(Predicate::ult, tiles.rank, storing);
  emit.when(stores, storePart);
}

SmallVector<Value> Epilogue::quantize(const Warpgroup &warpgroup, SmallVector<Value> &results) {
  SmallVector<Value> largest, scales;
  for (Value elements : results)
    largest.push_back(largestOfRows(emit.builder, elements));
  if (facts.config.getSplitK() > 1)
    exchangeLargest(warpgroup, results, largest);
  for (auto [elements, ofRows] : llvm::zip_equal(results, largest)) {
    scales.push_back(scalesOfRows(emit.builder, ofRows, facts.product.getDElement(), facts.product.getPowerOfTwo()));
    elements = inUnitsOf(emit.builder, elements, scales.back());
  }
  return scales;
}

/// Replaces the largest magnitudes of rows by those of all ranks' columns.
void Epilogue::exchangeLargest(const Warpgroup &warpgroup, ArrayRef<Value> results, MutableArrayRef<Value> largest) {
  ImplicitLocOpBuilder &b = emit.builder;
  SmallVector<Value> places;
  for (auto [i, ofRows] : llvm::enumerate(largest)) {
    Value number = warpgroup.fragment(emit, i), inputs[] = {results[i], ofRows};
    Value spread = MapOp::create(b, facts.result(), inputs, [&](ValueRange x) { return x[1]; });
    places.push_back(exchanged(signature.largest(), number, b.getIndexAttr(0), facts.storedColumns));
    PutFragmentOp::create(b, spread, places.back());
  }
  ClusterBarrierOp::create(b);
  for (auto [place, ofRows] : llvm::zip_equal(places, largest)) {
    Value all = ReduceFragmentsOp::create(b, facts.result(), place, facts.config.getSplitK(), /*max=*/true);
    ofRows = MapOp::create(b, ofRows.getType(), all, [&](ValueRange x) { return x.front(); });
  }
}

void Epilogue::store(const Part &part, SmallVector<Value> results) {
  ImplicitLocOpBuilder &builder = emit.builder;
  // Named barrier 0 is gpu.barrier's.
  Value barrier = named("barrier", emit.add(part.warpgroup.number, 1)), staging = signature.staging();
  auto synchronize = [&] { NamedBarrierOp::create(builder, barrier, kThreadsPerWarpgroup); };
  OpFoldResult zero = builder.getIndexAttr(0);
  SmallVector<Value> panels;
  for (int64_t i = 0; i < facts.results; ++i) {
    Value fragment = part.warpgroup.fragment(emit, i);
    ArrayRef<int64_t> shape = cast<MemRefType>(staging.getType()).getShape().drop_front();
    panels.push_back(named("panels", emit.view(staging, {fragment, zero, zero, zero}, shape)));
  }
  // The previous tile's store must have read the staging; with split K there is none.
  if (facts.config.getSplitK() == 1) {
    TmaStoreWaitOp::create(builder, 0, /*read=*/true);
    synchronize();
  }
  SmallVector<Value> scales;
  if (facts.problem.isQuantised())
    scales = quantize(part.warpgroup, results);
  for (auto [result, panel] : llvm::zip_equal(results, panels))
    StoreFragmentOp::create(builder, result, panel, /*transposed=*/facts.swap);
  FenceOp::create(builder, FenceKind::async_shared);
  synchronize();

  Value matrix = tiles.matrixOf(Operand::d, part.place), ofGroup;
  if (facts.problem.storesParts())
    ofGroup = tiles.rowsOfGroup(part.place, part.row);
  for (auto [i, panel, firstRow] : llvm::enumerate(panels, part.warpgroup.firstRows)) {
    auto [row, column] = start(part, i);
    Value rows; // of the group or of D, from this one on
    if (ofGroup)
      rows = facts.swap ? ofGroup : tiles.restFrom(ofGroup, firstRow);
    else if (!scales.empty())
      rows = tiles.restFrom(signature.extentM(), row);
    if (!scales.empty())
      storeScales(rows, scales[i], row, column, matrix);
    if (ofGroup)
      storeRows(rows, panel, row, column, matrix);
    else
      TmaStoreOp::create(builder, panel, signature.map(Operand::d), row, column, matrix,
                         /*add=*/facts.problem.addsInMemory());
  }
}

/// Stores scales of the first `rows` rows of a fragment. Where K is split, all ranks have them.
void Epilogue::storeScales(Value rows, Value scales, Value row, Value column, Value group) {
  auto put = [&] {
    PutScalesOp::create(emit.builder, scales, signature.memory(Operand::sfd), row, emit.div(column, kBlockK), group,
                        rows);
  };
  if (facts.config.getSplitK() == 1)
    return put();
  emit.when(emit.compare(Predicate::eq, tiles.rank, 0), put);
}

/// Stores the first `rows` rows of a panel: rows of a group are followed by others in memory, which TMA would
/// overwrite.
void Epilogue::storeRows(Value rows, Value panel, Value row, Value column, Value group) {
  int64_t all = cast<MemRefType>(panel.getType()).getDimSize(1);
  Value isWhole = named("is_whole", emit.compare(Predicate::uge, rows, all));
  auto whole = [&] {
    TmaStoreOp::create(emit.builder, panel, signature.map(Operand::d), row, column, group, /*add=*/false);
  };
  emit.when(isWhole, whole,
            [&] { StoreRowsOp::create(emit.builder, rows, panel, signature.memory(Operand::d), row, column, group); });
}
