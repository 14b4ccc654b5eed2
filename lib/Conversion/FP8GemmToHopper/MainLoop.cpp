// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// K blocks: their loads, products and promotion.

#include "KernelBuilder.h"

#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace fp8gemm;
using namespace fp8gemm::hopper;
using Predicate = arith::CmpIPredicate;

//===----------------------------------------------------------------------===//
// Producer and helper
//===----------------------------------------------------------------------===//

/// Loads the tile of `map` at (row, column); one that the cluster shares by every CTA's share and multicast.
void MainLoop::loadTile(Value map, Value row, Value column, Value group, Value buffer, Value slot, bool isShared) {
  if (isShared) {
    int64_t rows = cast<MemRefType>(buffer.getType()).getDimSize(0) / facts.cluster;
    Value firstRow = named("share", emit.mul(tiles.rank, rows));
    row = named("row_of_share", emit.add(row, firstRow));
    buffer = emit.rows(buffer, firstRow, rows);
  }
  TmaLoadOp::create(emit.builder, map, row, column, group, buffer, slot, isShared);
}

Value MainLoop::partOfB(Value buffer, int64_t part) {
  if (facts.parts == 1)
    return buffer;
  int64_t rows = cast<MemRefType>(buffer.getType()).getDimSize(0) / facts.parts;
  return named(part == 0 ? "gate" : "up", emit.rows(buffer, emit.builder.getIndexAttr(part * rows), rows));
}

void MainLoop::load(const Tile &tile, LocateOp place) {
  const config::Problem &problem = facts.problem;
  Value a = tiles.mapOf(Operand::a, place), b = tiles.mapOf(Operand::b, place);
  Value matrixOfA = tiles.matrixOf(Operand::a, place), matrixOfB = tiles.matrixOf(Operand::b, place);
  emit.loop(tile.kCount, 1, {}, [&](Value i, ValueRange) -> SmallVector<Value> {
    Value k = tiles.kBlock(tile, i);
    Value column = named("k_column", emit.mul(k, kBlockK));
    auto acquire = RingAcquireOp::create(emit.builder, ring, Filler::tma);
    ValueRange buffers = acquire.getBuffers();
    Value slot = acquire.getSlot();
    loadTile(a, place.getRow(), column, matrixOfA, buffers[0], slot, facts.config.getClusterN() > 1);
    for (int64_t part = 0; part < facts.parts; ++part) {
      Value row = tiles.rowOfB(place, part);
      Value buffer = partOfB(buffers[1], part);
      loadTile(b, row, column, matrixOfB, buffer, slot, facts.config.getClusterM() > 1);
    }
    Value scales = tiles.scaleBlock(tile, k);
    if (problem.sfaByTma()) {
      Value offset = tiles.scaleOffset(tile);
      Value first = named("first_scale", emit.sub(place.getRow(), offset));
      TmaLoadOp::create(emit.builder, signature.map(Operand::sfa), scales, first, matrixOfA, buffers[2], slot);
    }
    if (problem.sfbByTma())
      TmaLoadOp::create(emit.builder, signature.map(Operand::sfb), scales, place.getColumn(), matrixOfB, buffers.back(),
                        slot);
    RingCommitOp::create(emit.builder, slot);
    if (problem.addsInMemory())
      prefetch(tile, place, i);
    return {};
  });
}

/// Brings a box of D, which TMA will add to, to L2 in every other of the last K blocks: all CTAs add at about the same
/// time, and HBM would read D in that time only.
void MainLoop::prefetch(const Tile &tile, LocateOp place, Value i) {
  constexpr int64_t kPace = 2;
  Value map = signature.map(Operand::d);
  ArrayRef<int64_t> box = cast<nvgpu::TensorMapDescriptorType>(map.getType()).getTensor().getShape().take_back(2);
  int64_t across = facts.tileN / box[1], boxes = facts.tileM / box[0] * across;
  Value left = named("left", emit.sub(tile.kCount, i)); // with this one
  Value all = emit.constant(boxes), after = emit.div(left, kPace);
  Value number = named("box", emit.sub(all, after));
  Value isTurn = emit.compare(Predicate::eq, emit.rem(left, kPace), 0);
  Value isLast = emit.compare(Predicate::ule, left, kPace * boxes);
  emit.when(emit.both(isTurn, isLast), [&] {
    Value row = named("row", emit.add(place.getRow(), emit.mul(emit.div(number, across), box[0])));
    Value column = named("column", emit.add(place.getColumn(), emit.mul(emit.rem(number, across), box[1])));
    TmaPrefetchOp::create(emit.builder, map, row, column, tiles.matrixOf(Operand::d, place));
  });
}

/// The scales of a K block are fetched one block ahead, so that their latency passes while the warp waits for an
/// empty stage.
void MainLoop::fetchScales(const Tile &tile, LocateOp place) {
  const config::Problem &problem = facts.problem;
  Value matrixOfA = tiles.matrixOf(Operand::a, place), matrixOfB = tiles.matrixOf(Operand::b, place);
  auto fetch = [&](Value i) {
    Value k = tiles.kBlock(tile, i);
    Value block = tiles.scaleBlock(tile, k);
    SmallVector<Value> values;
    auto add = [&](Value source, Value row, Value matrix, Value limit, int64_t count, int64_t step, int64_t per) {
      auto type = VectorType::get(llvm::divideCeil(count, kThreadsPerWarp), emit.builder.getF32Type());
      values.push_back(FetchScalesOp::create(emit.builder, type, source, row, block, matrix, limit, count, step, per));
    };
    if (!problem.sfaByTma())
      add(signature.memory(Operand::sfa), place.getRow(), matrixOfA, signature.extentM(), facts.tileM, 1, 1);
    for (int64_t part = 0; part < facts.parts && !problem.sfbByTma(); ++part) {
      Value row = tiles.rowOfB(place, part);
      Value limit = emit.constant(facts.product.getN());
      add(signature.memory(Operand::sfb), row, matrixOfB, limit, facts.tileColumns / facts.columnsPerScale,
          facts.columnsPerScale, problem.sfbRows);
    }
    return values;
  };
  SmallVector<Value> first = fetch(emit.constant(0));
  emit.loop(tile.kCount, 1, first, [&](Value i, ValueRange fetched) {
    named("i", i);
    for (Value values : fetched)
      named("scales", values);
    Value next = named("after", emit.add(i, 1)), last = named("last", emit.sub(tile.kCount, 1));
    SmallVector<Value> ahead = fetch(named("next", emit.min(next, last)));
    auto acquire = RingAcquireOp::create(emit.builder, ring, Filler::warps);
    SmallVector<Value> buffers(acquire.getBuffers());
    if (facts.parts > 1) { // of sfb, the last
      Value sfb = buffers.pop_back_val();
      for (int64_t part = 0; part < facts.parts; ++part)
        buffers.push_back(partOfB(sfb, part));
    }
    for (auto [values, buffer] : llvm::zip_equal(fetched, buffers))
      PutScalesOp::create(emit.builder, values, buffer);
    RingCommitOp::create(emit.builder, acquire.getSlot());
    return ahead;
  });
}

//===----------------------------------------------------------------------===//
// Consumers
//===----------------------------------------------------------------------===//

Value Warpgroup::fragment(KernelEmitter emit, int64_t i) const {
  Value first = emit.mul(number, firstRows.size());
  return named("fragment", emit.add(first, i));
}

MainLoop::Stage MainLoop::wait() {
  auto wait = RingWaitOp::create(emit.builder, ring);
  auto buffer = [&](StringRef name) {
    ArrayRef<StringAttr> names = wait.getRing().getType().getNames();
    return wait.getBuffers()[llvm::find(names, emit.builder.getStringAttr(name)) - names.begin()];
  };
  Value sfa = buffer("sfa");
  if (cast<MemRefType>(sfa.getType()).getRank() > 1) // came in several boxes
    sfa =
        named("scales", memref::CollapseShapeOp::create(emit.builder, sfa, ArrayRef<ReassociationIndices>{{0, 1, 2}}));
  return {wait.getSlot(), buffer("a"), buffer("b"), sfa, buffer("sfb")};
}

MainLoop::Product MainLoop::multiply(const Stage &stage, const Reader &reader, int64_t i, Value reused) {
  int64_t part = i % facts.sums, result = i / facts.sums;
  Value b = stage.b, sfb = stage.sfb;
  if (facts.sums > 1)
    b = partOfB(b, part), sfb = partOfB(sfb, part);
  // What is on wgmma's M side, and what on its N side.
  Value rowTile = stage.a, rowScales = stage.sfa, columnTile = b, columnScales = sfb;
  if (facts.swap) {
    std::swap(rowTile, columnTile);
    std::swap(rowScales, columnScales);
  }
  int64_t rowsPerScale = facts.rowScales().getBlock();
  Value row = reader.warpgroup.firstRows[result];
  Value ownRows = named("own_rows", emit.rows(rowTile, row, kFragmentRows));
  if (facts.swap && facts.problem.shiftsScales())
    columnScales = emit.rows(columnScales, reader.offset, facts.columns);
  else if (!facts.swap)
    row = named("first_scale", emit.add(row, reader.offset));
  Value firstScale = rowsPerScale == 1 ? row : reader.warpgroup.fragment(emit, result);
  Value ownScales = named("own_scales", emit.rows(rowScales, firstScale, kFragmentRows / rowsPerScale));
  Product product;
  product.slot = stage.slot;
  auto loadScales = [&] {
    product.rows = LoadScalesOp::create(emit.builder, facts.rowScales(), ownScales);
    product.columns = LoadScalesOp::create(emit.builder, facts.columnScales(), columnScales);
  };
  // Before the product: after it, ptxas puts the loads and the scales' products between the wgmmas, which then wait for
  // them. Two fragments, and one with many scales of columns, gain more if they are loaded while the product of an
  // isolated group runs (docs/performance-log.md, entries 2, 29 and 35).
  constexpr int64_t kFewColumnsPerScale = 32;
  bool isolated = facts.isLate && (facts.fragments > 1 || facts.columnsPerScale <= kFewColumnsPerScale);
  if (!isolated)
    loadScales();
  FenceOp::create(emit.builder, FenceKind::wgmma);
  product.partial = MmaOp::create(emit.builder, facts.accumulator(), ownRows, columnTile, reused, isolated);
  if (isolated)
    loadScales();
  return product;
}

SmallVector<Value> MainLoop::accumulate(const Reader &reader, int64_t stages, ValueRange before) {
  SmallVector<Value> sums(before), done;
  SmallVector<Product> products;
  int64_t count = stages * facts.fragments, partials = facts.config.getPartials();
  Stage stage;
  for (int64_t next = 0, finished = 0; finished < count; ++finished) {
    for (; next < std::min(count, finished + partials); ++next) {
      int64_t i = next % facts.fragments;
      if (i == 0)
        stage = wait();
      products.push_back(multiply(stage, reader, i, next < partials ? Value() : done[next - partials]));
    }
    const Product &product = products[finished];
    done.push_back(MmaWaitOp::create(emit.builder, product.partial, next - finished - 1));
    int64_t i = finished % facts.fragments;
    if (i + 1 == facts.fragments) // no other product reads the stage
      RingReleaseOp::create(emit.builder, product.slot);
    sums[i] = PromoteOp::create(emit.builder, done.back(), product.rows, product.columns, sums[i]);
  }
  return sums;
}

SmallVector<Value> MainLoop::accumulateLate(const Reader &reader, ValueRange carried) {
  Value done = carried[facts.fragments];
  SmallVector<Value> sums = promoteCarried(carried);
  Stage stage = wait();
  Product product;
  for (int64_t i = 0; i < facts.fragments; ++i) {
    if (i > 0)
      sums[i - 1] = PromoteOp::create(emit.builder, done, product.rows, product.columns, sums[i - 1]);
    product = multiply(stage, reader, i, done);
    done = MmaWaitOp::create(emit.builder, product.partial, /*pending=*/0);
  }
  RingReleaseOp::create(emit.builder, stage.slot);
  sums.append({done, product.rows, product.columns});
  return sums;
}

SmallVector<Value> MainLoop::promoteCarried(ValueRange carried) {
  int64_t last = facts.fragments;
  SmallVector<Value> sums(carried.take_front(last));
  sums.back() = PromoteOp::create(emit.builder, carried[last], carried[last + 1], carried[last + 2], sums.back());
  return sums;
}

SmallVector<Value> MainLoop::accumulate(const Tile &tile, const Warpgroup &warpgroup, SmallVector<Value> sums) {
  Reader reader{warpgroup, tiles.scaleOffset(tile)};
  static constexpr StringLiteral kCarried[] = {"partial", "rows", "columns"};
  SmallVector<Value> carried = std::move(sums);
  if (facts.isLate) { // Before the first K block nothing is left to promote.
    carried.push_back(emit.zero(facts.accumulator()));
    carried.push_back(emit.zero(facts.rowScales()));
    carried.push_back(emit.zero(facts.columnScales()));
  }
  int64_t rest = facts.kCount.value_or(0) % facts.step;
  Value end = rest == 0 ? tile.kCount : emit.constant(*facts.kCount - rest);
  carried = emit.loop(end, facts.step, carried, [&](Value i, ValueRange before) {
    named("i", i);
    for (Value value : before.take_front(facts.fragments))
      named("sum", value);
    for (auto [value, name] : llvm::zip(before.drop_front(facts.fragments), kCarried))
      named(name, value);
    return facts.isLate ? accumulateLate(reader, before) : accumulate(reader, facts.step, before);
  });
  if (facts.isLate)
    return promoteCarried(carried);
  return rest == 0 ? carried : accumulate(reader, rest, carried);
}
