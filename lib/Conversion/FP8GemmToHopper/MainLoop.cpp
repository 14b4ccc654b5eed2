// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The consumers' main loop: products of K blocks and their promotion.

#include "KernelBuilder.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"

using namespace mlir;
using namespace fp8gemm;
using namespace fp8gemm::hopper;

std::pair<ScalesType, ScalesType> KernelBuilder::scaleTypes() {
  MLIRContext *context = builder.getContext();
  return {ScalesType::get(context, kFragmentRows, Axis::rows, swap ? columnsPerScale : 1),
          ScalesType::get(context, columns, Axis::columns, swap ? 1 : columnsPerScale)};
}

KernelBuilder::Product KernelBuilder::multiply(Stage stage, Value group, int64_t i, Value reused) {
  MLIRContext *context = builder.getContext();
  // What is on wgmma's M side, and what on its N side.
  auto [rowTile, columnTile] = swap ? std::pair(stage.b, stage.a) : std::pair(stage.a, stage.b);
  auto [rowScales, columnScales] = swap ? std::pair(stage.sfb, stage.sfa) : std::pair(stage.sfa, stage.sfb);
  auto [rowsType, columnsType] = scaleTypes();
  int64_t rowsPerScale = rowsType.getBlock();
  Value row = firstRows[i];
  Value block = cut(rowTile, {row, builder.getIndexAttr(0)}, {kFragmentRows, kBlockK});
  if (shift && swap)
    columnScales = cut(columnScales, {shift}, {columns});
  else if (shift)
    row = arith::AddIOp::create(builder, row, shift);
  Value blockScales =
      cut(rowScales, {rowsPerScale == 1 ? row : fragmentIndex(group, i)}, {kFragmentRows / rowsPerScale});
  // Before the product: after it, ptxas puts the loads and the scales' products
  // between the wgmmas, which then wait for them (docs/performance-log.md).
  Value rows = LoadScalesOp::create(builder, rowsType, blockScales);
  Value scales = LoadScalesOp::create(builder, columnsType, columnScales);
  WgmmaFenceOp::create(builder);
  auto fragment = FragmentType::get(context, kFragmentRows, columns);
  Value partial = MmaOp::create(builder, fragment, block, columnTile, reused);
  return {partial, rows, scales, i + 1 == blocks ? stage.slot : Value()};
}

SmallVector<Value> KernelBuilder::mainLoop(Value group, SmallVector<Value> sums) {
  std::optional<int64_t> count = getConstantIntValue(blockCount);
  // With two partials an iteration has K blocks enough to keep both in flight most of the time:
  // across iterations ptxas would wait for each product at once.
  constexpr int64_t kOverlappedBlocks = 4, kUnrolledProducts = 4;
  int64_t step = config.getPartials() > 1 && count ? std::min(kOverlappedBlocks, *count) : 1;
  // With 5 to 7 K blocks there would be one iteration and a remainder: without a loop, ptxas mixes all of
  // them, and spills.
  if (step < count.value_or(0) && *count < 2 * step)
    step = 2;
  SmallVector<Value> carried(sums);
  if (late) { // Before the first K block nothing is left to promote.
    auto [rowsType, columnsType] = scaleTypes();
    for (Type type : {sums.back().getType(), Type(rowsType), Type(columnsType)})
      carried.push_back(ZeroOp::create(builder, type));
  }
  Value end = count ? index(*count / step * step) : blockCount;
  auto loop = scf::ForOp::create(builder, index(0), end, index(step), carried);
  // At least two iterations stay: without a loop ptxas mixes all K blocks, and spills.
  int64_t unroll = kUnrolledProducts / (step * blocks);
  if (count)
    unroll = std::min(unroll, *count / (2 * step));
  if (unroll > 1)
    loop->getParentOfType<WarpSpecializeOp>().setUnroll(unroll);
  {
    OpBuilder::InsertionGuard guard(builder);
    builder.setInsertionPointToStart(loop.getBody());
    ValueRange before = loop.getRegionIterArgs();
    scf::YieldOp::create(builder, late ? accumulateLate(group, before) : accumulate(step, group, before));
  }
  carried = loop.getResults();
  if (late)
    return promoteCarried(carried);
  return count && *count % step ? accumulate(*count % step, group, carried) : carried;
}

SmallVector<Value> KernelBuilder::accumulateLate(Value group, ValueRange carried) {
  Value done = carried[blocks];
  SmallVector<Value> sums = promoteCarried(carried);
  Stage stage = wait();
  Product product;
  for (int64_t i = 0; i < blocks; ++i) {
    if (i > 0)
      sums[i - 1] = PromoteOp::create(builder, done, product.rows, product.columns, sums[i - 1]);
    product = multiply(stage, group, i, done);
    done = MmaWaitOp::create(builder, product.partial, /*pending=*/0);
  }
  RingReleaseOp::create(builder, product.lastOf);
  sums.append({done, product.rows, product.columns});
  return sums;
}

SmallVector<Value> KernelBuilder::promoteCarried(ValueRange carried) {
  SmallVector<Value> sums(carried.take_front(blocks));
  sums.back() = PromoteOp::create(builder, carried[blocks], carried[blocks + 1], carried[blocks + 2], sums.back());
  return sums;
}

SmallVector<Value> KernelBuilder::accumulate(int64_t stages, Value group, ValueRange accumulators) {
  SmallVector<Value> sums(accumulators), done;
  SmallVector<Product> products;
  int64_t count = stages * blocks, partials = config.getPartials();
  Stage stage;
  for (int64_t next = 0, finished = 0; finished < count; ++finished) {
    for (; next < std::min(count, finished + partials); ++next) {
      if (next % blocks == 0)
        stage = wait();
      products.push_back(multiply(stage, group, next % blocks, next < partials ? Value() : done[next - partials]));
    }
    Product &product = products[finished];
    done.push_back(MmaWaitOp::create(builder, product.partial, next - finished - 1));
    if (product.lastOf)
      RingReleaseOp::create(builder, product.lastOf);
    Value &sum = sums[finished % blocks];
    sum = PromoteOp::create(builder, done.back(), product.rows, product.columns, sum);
  }
  return sums;
}
