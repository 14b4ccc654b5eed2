// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "KernelBuilder.h"
#include "Quantize.h"

#include "fp8gemm/Dialect/FP8Gemm/IR/Epilogue.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/IR/IRMapping.h"

using namespace mlir;
using namespace fp8gemm;
using namespace fp8gemm::hopper;
using Predicate = arith::CmpIPredicate;

void Epilogue::load(LocateOp place) {
  if (!ringOfC)
    return;
  auto acquire = RingAcquireOp::create(emit.builder, *ringOfC, Filler::tma, Value(), Value());
  TmaLoadOp::create(emit.builder, signature.map(Operand::c), place.getRow(), place.getColumn(),
                    facts.problem.hasGroupsOfD() ? place.getGroup() : Value(), acquire.getBuffers()[0],
                    acquire.getSlot());
  RingCommitOp::create(emit.builder, acquire.getSlot());
}

void Epilogue::finish(LocateOp place, const Warpgroup &warpgroup, SmallVector<Value> sums) {
  if (facts.config.getSplitK() > 1)
    return reduceAndStore(place, warpgroup, sums);
  SmallVector<Value> results = apply(place, place.getRow(), place.getColumn(), warpgroup, sums);
  store(place, place.getRow(), place.getColumn(), warpgroup, results);
}

/// The function of scalars, of the elements of fragments.
static Value mapEpilogue(ImplicitLocOpBuilder &builder, Block *body, Type type, ValueRange inputs) {
  return MapOp::create(builder, type, inputs, /*maxOfRows=*/false, [&](ValueRange elements) {
    IRMapping mapping;
    mapping.map(body->getArguments(), elements);
    for (Operation &op : body->without_terminator())
      builder.clone(op, mapping);
    return mapping.lookup(body->getTerminator()->getOperand(0));
  });
}

/// The largest magnitudes of rows, of all ranks' columns.
void Epilogue::exchangeLargest(const Warpgroup &warpgroup, ArrayRef<Value> results, MutableArrayRef<Value> largest) {
  ImplicitLocOpBuilder &b = emit.builder;
  OpFoldResult zero = b.getIndexAttr(0);
  SmallVector<Value> places;
  for (auto [i, ofRows] : llvm::enumerate(largest)) {
    Value fragment = warpgroup.fragment(emit, i), inputs[] = {results[i], ofRows};
    Value spread = MapOp::create(b, results[i].getType(), inputs, /*maxOfRows=*/false, [](ValueRange x) { return x[1]; });
    places.push_back(emit.view(signature.largest(), {named("fragment", fragment), zero, zero, zero},
                               {facts.storedColumns / 8, kThreadsPerWarpgroup, 4}));
    PutFragmentOp::create(b, spread, places.back());
  }
  ClusterBarrierOp::create(b);
  for (auto [i, ofRows] : llvm::enumerate(largest)) {
    Value all = ReduceFragmentsOp::create(b, results[i].getType(), places[i], facts.config.getSplitK(), /*max=*/true);
    ofRows = MapOp::create(b, ofRows.getType(), all, /*maxOfRows=*/true, [](ValueRange x) { return x.front(); });
  }
}

/// Replaces elements of D by what they are in units of their row's scale, and returns the scales.
SmallVector<Value> Epilogue::quantize(const Warpgroup &warpgroup, SmallVector<Value> &results) {
  ImplicitLocOpBuilder &b = emit.builder;
  Type type = ScalesType::get(b.getContext(), kFragmentRows, Axis::rows, /*block=*/1);
  SmallVector<Value> largest, scales;
  for (Value elements : results)
    largest.push_back(MapOp::create(b, type, elements, /*maxOfRows=*/true,
                          [&](ValueRange x) -> Value { return math::AbsFOp::create(b, x.front()); }));
  if (facts.config.getSplitK() > 1)
    exchangeLargest(warpgroup, results, largest);
  for (auto [elements, amax] : llvm::zip_equal(results, largest)) {
    Value scale = MapOp::create(b, type, amax, /*maxOfRows=*/false, [&](ValueRange x) {
      return scaleOf(b, x.front(), facts.product.getDElement(), facts.product.getPowerOfTwo());
    });
    Value reciprocal = MapOp::create(b, type, scale, /*maxOfRows=*/false, [&](ValueRange x) -> Value {
      Value one = arith::ConstantOp::create(b, b.getF32FloatAttr(1));
      return arith::DivFOp::create(b, one, x.front());
    });
    Value factors[] = {elements, reciprocal};
    elements = MapOp::create(b, elements.getType(), factors, /*maxOfRows=*/false,
                   [&](ValueRange x) -> Value { return arith::MulFOp::create(b, x[0], x[1]); });
    scales.push_back(scale);
  }
  return scales;
}

/// What an operand has for fragment `i` of the tile at (row, column).
Value Epilogue::loadOperand(Value operand, Value parameter, LocateOp place, Value row, Value column,
                            const Warpgroup &warpgroup, int64_t i, Type type) {
  Broadcast broadcast = broadcastOf(operand);
  Value first = emit.add(facts.swap ? column : row, warpgroup.firstRows[i]);
  return LoadFragmentOp::create(emit.builder, type, parameter, facts.swap ? row : first, facts.swap ? first : column,
                                broadcast.groups ? place.getGroup() : Value(),
                                broadcast.rows ? signature.extentM() : Value(), /*transposed=*/facts.swap);
}

SmallVector<Value> Epilogue::apply(LocateOp place, Value row, Value column, const Warpgroup &warpgroup,
                                   ValueRange sums) {
  ProductOpInterface product = facts.product;
  Block *body = product.getEpilogueBody();
  RingWaitOp wait;
  if (ringOfC)
    wait = RingWaitOp::create(emit.builder, *ringOfC, Value(), Value());
  OpFoldResult zero = emit.builder.getIndexAttr(0);
  Value loadedLikeC = addsBiasAndC(product) ? matrixOf(product) : Value();
  auto type = FragmentType::get(emit.builder.getContext(), kFragmentRows, facts.storedColumns);
  SmallVector<Value> results;
  for (int64_t i = 0; i < facts.results; ++i) {
    const size_t perResult = sums.size() / facts.results; // with gate and up in one, or apart
    SmallVector<Value> inputs(sums.slice(i * perResult, perResult));
    Value &sum = inputs.front();
    Value c;
    if (wait) {
      Value rows =
          emit.view(wait.getBuffers()[0], {zero, warpgroup.firstRows[i], zero}, facts.panels(kFragmentRows).getShape());
      c = LoadFragmentOp::create(emit.builder, type, rows);
      if (i + 1 == facts.results)
        RingReleaseOp::create(emit.builder, wait.getSlot());
    }
    if (product.getC() && c)
      sum = arith::AddFOp::create(emit.builder, c, sum);
    if (!body) {
      results.push_back(sum);
      continue;
    }
    // Loaded after C, whose registers they may have then.
    for (auto [k, operand] : llvm::enumerate(product.getEpilogueOperands()))
      inputs.push_back(operand == loadedLikeC ? c
                                              : loadOperand(operand, signature.epilogueOperand(k), place, row, column,
                                                            warpgroup, i, type));
    results.push_back(mapEpilogue(emit.builder, body, type, inputs));
  }
  return results;
}

/// Each rank leaves its accumulators in shared memory, and stores the sums of all ranks, of a part of the columns.
void Epilogue::reduceAndStore(LocateOp place, const Warpgroup &warpgroup, ValueRange sums) {
  ImplicitLocOpBuilder &builder = emit.builder;
  Value exchange = signature.exchange(), rank = tiles.rank;
  auto part = [&](int64_t i, OpFoldResult firstOctet, int64_t columns) {
    OpFoldResult zero = builder.getIndexAttr(0);
    Value fragment = emit.add(emit.mul(warpgroup.number, facts.fragments), i);
    return emit.view(exchange, {named("fragment", fragment), firstOctet, zero, zero},
                     {columns / 8, kThreadsPerWarpgroup, 4});
  };
  for (auto [i, sum] : llvm::enumerate(sums)) {
    Value all = part(i, builder.getIndexAttr(0), facts.columns);
    PutFragmentOp::create(builder, sum, all);
  }
  ClusterBarrierOp::create(builder);
  int64_t ranks = facts.config.getSplitK(),
          storing = (facts.swap ? facts.tileM : facts.tileColumns) / facts.storedColumns;
  auto storePart = [&] {
    Value firstOctet = emit.mul(rank, facts.storedColumns / 8);
    auto type = FragmentType::get(builder.getContext(), kFragmentRows, facts.storedColumns);
    SmallVector<Value> all;
    for (int64_t i = 0; i < facts.results * facts.parts; ++i) {
      // Gate and up are two accumulators, or the halves of one.
      bool isHalf = facts.sums < facts.parts;
      Value octet = isHalf ? emit.add(firstOctet, i % facts.parts * facts.tileColumns / 8) : firstOctet;
      Value parts = part(isHalf ? i / facts.parts : i, octet, facts.storedColumns);
      all.push_back(ReduceFragmentsOp::create(builder, type, parts, ranks));
    }
    Value first = emit.mul(rank, facts.storedColumns), row = place.getRow(), column = place.getColumn();
    (facts.swap ? row : column) = emit.add(facts.swap ? row : column, first);
    store(place, row, column, warpgroup, apply(place, row, column, warpgroup, all));
  };
  if (storing == ranks)
    return storePart();
  Value stores = emit.compare(Predicate::ult, rank, storing);
  emit.when(stores, storePart);
}

/// Stores the tile at (row, column), of the place's group.
void Epilogue::store(LocateOp place, Value row, Value column, const Warpgroup &warpgroup, SmallVector<Value> sums) {
  ImplicitLocOpBuilder &builder = emit.builder;
  // Named barrier 0 is gpu.barrier's.
  Value barrier = named("barrier", emit.add(warpgroup.number, 1)), staging = signature.staging();
  auto synchronize = [&] { NamedBarrierOp::create(builder, barrier, kThreadsPerWarpgroup); };
  OpFoldResult zero = builder.getIndexAttr(0);
  SmallVector<Value> panels;
  for (int64_t i = 0; i < facts.results; ++i) {
    Value fragment = warpgroup.fragment(emit, i);
    panels.push_back(
        emit.view(staging, {fragment, zero, zero, zero}, cast<MemRefType>(staging.getType()).getShape().drop_front()));
  }

  // The previous tile's store must have read the staging; with split K there is none.
  if (facts.config.getSplitK() == 1) {
    TmaStoreWaitOp::create(builder, 0, /*read=*/true);
    synchronize();
  }
  SmallVector<Value> scales;
  if (facts.problem.isQuantised())
    scales = quantize(warpgroup, sums);
  for (auto [sum, panel] : llvm::zip_equal(sums, panels))
    StoreFragmentOp::create(builder, sum, panel, /*transposed=*/facts.swap);
  FenceOp::create(builder, FenceKind::async_shared);
  synchronize();
  Value group = facts.problem.hasGroupsOfD() ? place.getGroup() : Value();
  std::optional<Value> ofGroup;
  if (facts.problem.storesParts())
    ofGroup = tiles.rowsOfGroup(place, row);
  for (auto [i, panel, firstRow] : llvm::enumerate(panels, warpgroup.firstRows)) {
    Value first = named(facts.swap ? "column" : "row", emit.add(facts.swap ? column : row, firstRow));
    Value ownRow = facts.swap ? row : first, ownColumn = facts.swap ? first : column;
    if (!scales.empty()) {
      Value rows = ofGroup ? tiles.restFrom(*ofGroup, firstRow) : tiles.restFrom(signature.extentM(), ownRow);
      auto put = [&, i = i] {
        PutScalesOp::create(builder, scales[i], signature.memory(Operand::sfd), ownRow, emit.div(ownColumn, kBlockK), group,
                            rows);
      };
      if (facts.config.getSplitK() == 1)
        put();
      else // all ranks have them
        emit.when(emit.compare(Predicate::eq, tiles.rank, 0), put);
    }
    if (ofGroup)
      storeRows(facts.swap ? *ofGroup : tiles.restFrom(*ofGroup, firstRow), panel, ownRow, ownColumn, group);
    else
      TmaStoreOp::create(builder, panel, signature.map(Operand::d), ownRow, ownColumn, group,
                         /*add=*/facts.problem.addsInMemory());
  }
}

/// Stores the first `rows` rows of a panel: rows of a group are followed by others in memory, which TMA would
/// overwrite.
void Epilogue::storeRows(Value rows, Value panel, Value row, Value column, Value group) {
  int64_t all = cast<MemRefType>(panel.getType()).getDimSize(1);
  Value isWhole = emit.compare(Predicate::uge, rows, all);
  auto whole = [&] {
    TmaStoreOp::create(emit.builder, panel, signature.map(Operand::d), row, column, group, /*add=*/false);
  };
  emit.when(isWhole, whole,
            [&] { StoreRowsOp::create(emit.builder, rows, panel, signature.memory(Operand::d), row, column, group); });
}
