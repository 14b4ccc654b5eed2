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

/// Staging of D, then a ring of A, B and their scales, brought by TMA or by warps.
int64_t layoutBytes(MLIRContext *context, const config::Config &config, bool scalesOfAByTma) {
  Builder builder(context);
  auto buffer = [&](ArrayRef<int64_t> shape, Type element) {
    return MemRefType::get(shape, element, MemRefLayoutAttrInterface(), builder.getI64IntegerAttr(3));
  };
  Type f8 = Float8E4M3FNType::get(context), f32 = builder.getF32Type();
  SmallVector<MemRefType> tma = {buffer({config.tileM, config::kBlockK}, f8),
                                 buffer({config.tileN, config::kBlockK}, f8)};
  SmallVector<MemRefType> warps;
  (scalesOfAByTma ? tma : warps).push_back(buffer({config.tileM}, f32));
  warps.push_back(buffer({config.tileN / config::scaleColumnsPerBlock(config.tileN)}, f32));
  int64_t staging = (config.tileM * config.tileN * 2 + 1023) / 1024 * 1024;
  return staging + hopper::RingType::get(context, config.stages, tma, warps, config.consumers).getSmemBytes();
}

TEST(ConfigSmem, EqualsTheLayoutOfTheRing) {
  MLIRContext context;
  context.loadDialect<hopper::HopperDialect>();
  config::Problem problem;
  problem.m = 4096, problem.n = 7168, problem.k = 2048;
  for (bool byTma : {true, false}) {
    problem.sfa = byTma ? config::ScaleLayout::MnMajor : config::ScaleLayout::KMajor;
    for (const config::Candidate &candidate : config::enumerate(problem, config::knownGpus()[0], 4096))
      EXPECT_EQ(config::smemBytes(problem, candidate.config), layoutBytes(&context, candidate.config, byTma))
          << candidate.config.tileM << 'x' << candidate.config.tileN;
  }
}

} // namespace
