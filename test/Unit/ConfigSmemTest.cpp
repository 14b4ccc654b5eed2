// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Config knows no MLIR, so it computes a kernel's shared memory by itself: it must
// agree with the layout of the ring that the kernel has.

#include "fp8gemm/Config/Config.h"
#include "fp8gemm/Dialect/Hopper/IR/Hopper.h"

#include "mlir/IR/Builders.h"
#include "mlir/IR/MLIRContext.h"

#include <gtest/gtest.h>

using namespace mlir;
using namespace fp8gemm;

namespace {

/// Staging of D, the ring of C where it is loaded, then the ring of A, B and their scales.
int64_t layoutBytes(MLIRContext *context, const config::Problem &problem, const config::Config &config) {
  Builder builder(context);
  auto buffer = [&](ArrayRef<int64_t> shape, Type element) {
    return MemRefType::get(shape, element, MemRefLayoutAttrInterface(), builder.getI64IntegerAttr(3));
  };
  auto aligned = [](int64_t bytes) { return (bytes + 1023) / 1024 * 1024; };
  Type f8 = Float8E4M3FNType::get(context), f32 = builder.getF32Type();
  SmallVector<MemRefType> tma = {buffer({config.tileM, config::kBlockK}, f8),
                                 buffer({config.tileN, config::kBlockK}, f8)};
  SmallVector<MemRefType> warps;
  (problem.sfaByTma() ? tma : warps).push_back(buffer({config::scalesOfA(problem, config.tileM)}, f32));
  (problem.sfbByTma() ? tma : warps)
      .push_back(buffer({config.tileN / config::scaleColumnsPerBlock(problem, config)}, f32));
  int64_t elements = config.tileM * config.tileN;
  int64_t bytes = aligned(elements / config::storingRanks(problem, config) * problem.dBytes);
  if (config.splitK > 1)
    bytes += aligned(4 * elements);
  if (problem.loadsC()) {
    int64_t width = config::panelColumns(problem, config.tileN);
    MemRefType c =
        buffer({config.tileN / width, config.tileM, width}, problem.dBytes == 4 ? f32 : builder.getBF16Type());
    bytes +=
        aligned(hopper::RingType::get(context, 1, c, {}, builder.getStringAttr("c"), config.consumers, /*cluster=*/1)
                    .getSmemBytes());
  }
  if (problem.grouping == config::Grouping::RowEnd || problem.grouping == config::Grouping::RowCount)
    bytes += aligned((problem.groups + 1) * 4 * 4);
  SmallVector<StringAttr> names;
  for (StringRef name : {"a", "b", "x", "y"})
    names.push_back(builder.getStringAttr(name));
  return bytes + hopper::RingType::get(context, config.stages, tma, warps, names, config.consumers, /*cluster=*/1)
                     .getSmemBytes();
}

TEST(ConfigSmem, EqualsTheLayoutOfTheRingsAndTheTableOfGroups) {
  using config::Grouping;
  MLIRContext context;
  context.loadDialect<hopper::HopperDialect>();
  config::Problem problem;
  problem.n = 7168, problem.k = 2048, problem.groups = 100, problem.groupAlign = 128;
  for (int64_t align : {1, 128})
    for (Grouping grouping : {Grouping::RowIndex, Grouping::RowEnd, Grouping::RowCount, Grouping::Batched}) {
      problem.grouping = grouping, problem.groupAlign = grouping == Grouping::RowIndex ? 128 : align;
      std::vector<config::Candidate> candidates = config::enumerate(problem, config::knownGpus()[0], 100);
      EXPECT_FALSE(candidates.empty());
      for (const config::Candidate &candidate : candidates)
        EXPECT_EQ(config::smemBytes(problem, candidate.config), layoutBytes(&context, problem, candidate.config))
            << config::describe(candidate.config);
    }
}

TEST(ConfigSmem, EqualsTheLayoutOfTheRings) {
  using config::CUse;
  using config::ScaleLayout;
  MLIRContext context;
  context.loadDialect<hopper::HopperDialect>();
  config::Problem problem;
  problem.m = 4096, problem.n = 7168, problem.k = 2048;
  for (ScaleLayout sfa : {ScaleLayout::MnMajor, ScaleLayout::KMajor})
    for (ScaleLayout sfb : {ScaleLayout::MnMajor, ScaleLayout::KMajor})
      for (int64_t sfbRows : {1, 128})
        for (int64_t dBytes : {2, 4})
          for (CUse c : {CUse::None, CUse::Apart, CUse::InPlace}) {
            problem.sfa = sfa, problem.sfb = sfb, problem.sfbRows = sfbRows, problem.dBytes = dBytes, problem.c = c;
            std::vector<config::Candidate> candidates = config::enumerate(problem, config::knownGpus()[0], 4096);
            EXPECT_FALSE(candidates.empty());
            for (const config::Candidate &candidate : candidates)
              EXPECT_EQ(config::smemBytes(problem, candidate.config), layoutBytes(&context, problem, candidate.config))
                  << config::describe(candidate.config);
          }
}

} // namespace
