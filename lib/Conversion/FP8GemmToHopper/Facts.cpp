// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "Facts.h"

#include "fp8gemm/Dialect/FP8Gemm/IR/Problem.h"
#include "fp8gemm/Dialect/FP8Gemm/Transforms/SelectConfig.h"
#include "fp8gemm/Dialect/Hopper/IR/Emitter.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace fp8gemm;
using namespace fp8gemm::hopper;

/// With two partials an iteration has K blocks enough to keep both in flight most of the time: across iterations
/// ptxas would wait for each product at once.
static int64_t stepOf(const Facts &facts) {
  constexpr int64_t kOverlappedBlocks = 4;
  int64_t count = facts.kCount.value_or(0), step = std::min(kOverlappedBlocks, count);
  if (facts.config.getPartials() == 1 || count == 0)
    return 1;
  // With 5 to 7 K blocks there would be one iteration and a remainder: without a loop, ptxas mixes all of them, and
  // spills.
  return step < count && count < 2 * step ? 2 : step;
}

static int64_t unrollOf(const Facts &facts) {
  constexpr int64_t kUnrolledProducts = 4;
  int64_t unroll = kUnrolledProducts / (facts.step * facts.fragments);
  // At least two iterations stay: without a loop ptxas mixes all K blocks, and spills.
  if (facts.kCount)
    unroll = std::min(unroll, *facts.kCount / (2 * facts.step));
  return std::max<int64_t>(unroll, 1);
}

Facts::Facts(ProductOpInterface product, ConfigAttr config)
    : product(product), config(config), problem(problemOf(product)), tileM(config.getTileM()), tileN(config.getTileN()),
      parts(problem.parts()), tileColumns(tileN / parts), kBlocks(llvm::divideCeil(problem.k, kBlockK)),
      swap(config.getSwapAb()), columns(config::accumulatorColumns(problem, configOf(config))),
      fragments(config::accumulators(problem, configOf(config))),
      results((swap ? tileColumns : tileM) / (kFragmentRows * config.getConsumers())), sums(fragments / results),
      columnsPerScale(config::scaleColumnsPerBlock(problem, configOf(config))),
      cluster(config.getClusterM() * config.getClusterN() * config.getSplitK()),
      storedColumns(config::resultColumns(problem, configOf(config)) / config::storingRanks(problem, configOf(config))),
      panelWidth(swap ? kFragmentRows : config::panelColumns(problem, storedColumns)),
      isLate(config::promotesLate(problem, configOf(config))) {
  if (!isGroupedByK() && kBlocks % config.getSplitK() == 0)
    kCount = kBlocks / config.getSplitK();
  step = stepOf(*this);
  unroll = unrollOf(*this);
}

bool Facts::isFlat() const { return cast<ShapedType>(product.getA().getType()).getRank() == 1; }

bool Facts::hasGroups(Operand of) const {
  switch (of) {
  case Operand::a:
  case Operand::sfa:
    return problem.hasGroupsOfA();
  case Operand::b:
  case Operand::sfb:
    return problem.hasGroupsOfB();
  default:
    return problem.hasGroupsOfD();
  }
}

RingType Facts::ring() const {
  Builder builder(config.getContext());
  Type f32 = builder.getF32Type();
  int64_t boxes = config::boxesOfScales(problem, tileM), scales = config::scalesOfA(problem, tileM);
  MemRefType sfa = boxes == 1 ? sharedMemory({scales}, f32) : sharedMemory({boxes, 1, scales / boxes}, f32);
  SmallVector<MemRefType> tma, warps;
  SmallVector<StringAttr> names, namesOfWarps;
  auto add = [&](StringRef name, MemRefType type, bool byTma) {
    (byTma ? tma : warps).push_back(type);
    (byTma ? names : namesOfWarps).push_back(builder.getStringAttr(name));
  };
  add("a", sharedMemory({tileM, kBlockK}, product.getAElement()), /*byTma=*/true);
  add("b", sharedMemory({tileN, kBlockK}, product.getBElement()), /*byTma=*/true);
  add("sfa", sfa, problem.sfaByTma());
  add("sfb", sharedMemory({tileN / columnsPerScale}, f32), problem.sfbByTma());
  llvm::append_range(names, namesOfWarps);
  return RingType::get(config.getContext(), config.getStages(), tma, warps, names, config.getConsumers(),
                       config.getClusterM() * config.getClusterN());
}

RingType Facts::ringOfC() const {
  auto name = StringAttr::get(config.getContext(), "c");
  return RingType::get(config.getContext(), /*stages=*/1, panels(tileM), /*warps=*/{}, name, config.getConsumers(),
                       /*cluster=*/1);
}

MemRefType Facts::panels(int64_t rows) const {
  return sharedMemory({storedColumns / panelWidth, rows, panelWidth}, product.getDElement());
}

FragmentType Facts::accumulator() const { return FragmentType::get(config.getContext(), kFragmentRows, columns); }

FragmentType Facts::result() const { return FragmentType::get(config.getContext(), kFragmentRows, storedColumns); }

ScalesType Facts::rowScales() const {
  return ScalesType::get(config.getContext(), kFragmentRows, Axis::rows, swap ? columnsPerScale : 1);
}

ScalesType Facts::columnScales() const {
  return ScalesType::get(config.getContext(), columns, Axis::columns, swap ? 1 : columnsPerScale);
}
