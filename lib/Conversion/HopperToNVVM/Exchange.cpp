// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Split K: accumulators meet in distributed shared memory.

#include "Lowering.h"

#include "mlir/Dialect/Arith/IR/Arith.h"

using namespace mlir;
using namespace fp8gemm::hopper;

/// Bytes that a thread puts for 8 columns: registers 4j .. 4j + 3, one vector.
static constexpr int64_t kVectorBytes = 16;
/// From the registers of 8 columns to those of the next 8.
static constexpr int64_t kColumnsBytes = kThreadsPerWarpgroup * kVectorBytes;

static Value ownVector(Emitter emit, Value exchange) {
  return emit.offset(exchange, emit.mul(emit.threadInWarpgroup(), kVectorBytes));
}

namespace {

/// put_fragment -> one vector store for each 8 columns, without bank conflicts.
struct LowerPutFragment : OpConversionPattern<PutFragmentOp> {
  using OpConversionPattern::OpConversionPattern;
  LogicalResult matchAndRewrite(PutFragmentOp op, OneToNOpAdaptor adaptor,
                                ConversionPatternRewriter &rewriter) const override {
    Emitter emit{rewriter, op.getLoc()};
    auto f32x4 = VectorType::get({4}, rewriter.getF32Type());
    Value own = ownVector(emit, adaptor.getExchange().front());
    ValueRange registers = adaptor.getFragment();
    for (size_t j = 0; j < registers.size() / 4; ++j) {
      Value vector = LLVM::PoisonOp::create(rewriter, op.getLoc(), f32x4);
      for (int64_t i = 0; i < 4; ++i)
        vector = LLVM::InsertElementOp::create(rewriter, op.getLoc(), vector, registers[4 * j + i], emit.i32(i));
      LLVM::StoreOp::create(rewriter, op.getLoc(), vector, emit.offset(own, int64_t(j) * kColumnsBytes),
                            /*alignment=*/kVectorBytes);
    }
    rewriter.eraseOp(op);
    return success();
  }
};

/// reduce_fragments -> vector loads from each rank in turn, and their sums or largest elements.
struct LowerReduceFragments : OpConversionPattern<ReduceFragmentsOp> {
  using OpConversionPattern::OpConversionPattern;
  LogicalResult matchAndRewrite(ReduceFragmentsOp op, OneToNOpAdaptor adaptor,
                                ConversionPatternRewriter &rewriter) const override {
    Emitter emit{rewriter, op.getLoc()};
    Location loc = op.getLoc();
    auto f32x4 = VectorType::get({4}, rewriter.getF32Type());
    auto cluster = LLVM::LLVMPointerType::get(op.getContext(), kSharedCluster);
    Value own = ownVector(emit, adaptor.getExchange().front());
    SmallVector<Value> sums;
    for (int64_t rank = 0; rank < int64_t(op.getRanks()); ++rank) {
      Value remote = NVVM::MapaOp::create(rewriter, loc, cluster, own, emit.i32(rank));
      for (int64_t j = 0; j < op.getResult().getType().getColumns() / 8; ++j) {
        Value vector = LLVM::LoadOp::create(rewriter, loc, f32x4, emit.offset(remote, j * kColumnsBytes),
                                            /*alignment=*/kVectorBytes);
        for (int64_t i = 0; i < 4; ++i) {
          Value element = LLVM::ExtractElementOp::create(rewriter, loc, vector, emit.i32(i));
          if (rank == 0)
            sums.push_back(element);
          else
            sums[4 * j + i] = combine(rewriter, op, sums[4 * j + i], element);
        }
      }
    }
    rewriter.replaceOpWithMultiple(op, {sums});
    return success();
  }

private:
  static Value combine(OpBuilder &builder, ReduceFragmentsOp op, Value x, Value y) {
    if (op.getMax())
      return arith::MaximumFOp::create(builder, op.getLoc(), x, y);
    return arith::AddFOp::create(builder, op.getLoc(), x, y);
  }
};

} // namespace

void fp8gemm::hopper::populateExchangePatterns(NVVMTypeConverter &converter, RewritePatternSet &patterns) {
  patterns.add<LowerPutFragment, LowerReduceFragments>(converter, patterns.getContext());
}
