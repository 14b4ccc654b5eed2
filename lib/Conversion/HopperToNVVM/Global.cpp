// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Kernels without roles: threads that load, compute and store by themselves, in operations of upstream's dialects.

#include "Lowering.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/GPU/IR/GPUDialect.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/IR/TypeUtilities.h"

using namespace mlir;
using namespace fp8gemm::hopper;

/// Rows of matrices start at multiples of this many bytes.
static constexpr int64_t kRowAlignment = 16;

/// The address of element (row, column) of a matrix in global memory, one of whose strides is 1: 64 bits for the
/// dimension that the caller's stride belongs to, 32 for the other; or of an element of a vector in shared memory. Null for
/// other memrefs.
static Value addressOf(Emitter emit, MemRefType type, ValueRange matrix, ArrayRef<ValueRange> indices) {
  if (isShared(type))
    return type.getRank() == 1 && matrix.size() == 1
               ? emit.element(matrix[0], type.getElementType(), emit.toI32(indices[0].front()))
               : Value();
  SmallVector<int64_t> strides;
  int64_t offset;
  if (indices.size() != 2 || matrix.size() != 2 || failed(type.getStridesAndOffset(strides, offset)) || offset != 0 ||
      !llvm::is_contained(strides, 1))
    return nullptr;
  ValueRange row = indices[0], column = indices[1];
  if (strides[1] != 1)
    std::swap(row, column);
  // LLVM knows sizes, but not all element types.
  Type element = emit.builder.getIntegerType(type.getElementTypeBitWidth());
  Value outer = emit.element(matrix[0], element, emit.mul(emit.toI64(row.front()), matrix[1]));
  return emit.element(outer, element, emit.toI32(column.front()));
}

static constexpr llvm::StringLiteral kNoMatrix =
    "expected a matrix with a stride of 1 in global memory, or a vector in shared memory";

/// Of what is loaded or stored at once: an element, or a vector of elements of a row.
static int64_t alignmentOf(Type type) {
  auto vector = dyn_cast<VectorType>(type);
  int64_t count = vector ? vector.getNumElements() : 1;
  return std::min(kRowAlignment, count * getElementTypeOrSelf(type).getIntOrFloatBitWidth() / 8);
}

namespace {

/// vector.load, memref.load -> llvm.load.
template <typename Load> struct LowerLoad : OpConversionPattern<Load> {
  using OpConversionPattern<Load>::OpConversionPattern;
  LogicalResult matchAndRewrite(Load op, typename OpConversionPattern<Load>::OneToNOpAdaptor adaptor,
                                ConversionPatternRewriter &rewriter) const override {
    ValueRange memory = adaptor.getOperands().front();
    Value address = addressOf({rewriter, op.getLoc()}, op.getMemRefType(), memory, adaptor.getIndices());
    if (!address)
      return rewriter.notifyMatchFailure(op, kNoMatrix);
    Type type = op->getResult(0).getType();
    rewriter.replaceOpWithNewOp<LLVM::LoadOp>(op, this->getTypeConverter()->convertType(type), address,
                                              alignmentOf(type));
    return success();
  }
};

/// vector.store, memref.store -> llvm.store.
template <typename Store> struct LowerStore : OpConversionPattern<Store> {
  using OpConversionPattern<Store>::OpConversionPattern;
  LogicalResult matchAndRewrite(Store op, typename OpConversionPattern<Store>::OneToNOpAdaptor adaptor,
                                ConversionPatternRewriter &rewriter) const override {
    ValueRange stored = adaptor.getOperands()[0], memory = adaptor.getOperands()[1];
    Value address = addressOf({rewriter, op.getLoc()}, op.getMemRefType(), memory, adaptor.getIndices());
    if (!address)
      return rewriter.notifyMatchFailure(op, kNoMatrix);
    rewriter.replaceOpWithNewOp<LLVM::StoreOp>(op, stored.front(), address, alignmentOf(op->getOperand(0).getType()));
    return success();
  }
};

/// gpu.thread_id x -> special register.
struct LowerThreadId : OpConversionPattern<gpu::ThreadIdOp> {
  using OpConversionPattern::OpConversionPattern;
  LogicalResult matchAndRewrite(gpu::ThreadIdOp op, OneToNOpAdaptor,
                                ConversionPatternRewriter &rewriter) const override {
    if (op.getDimension() != gpu::Dimension::x)
      return rewriter.notifyMatchFailure(op, "CTAs are 1-D");
    Value thread = Emitter{rewriter, op.getLoc()}.thread();
    rewriter.replaceOpWithNewOp<arith::IndexCastUIOp>(op, rewriter.getIndexType(), thread);
    return success();
  }
};

/// gpu.shuffle xor of a whole warp -> nvvm.shfl.sync.
struct LowerShuffle : OpConversionPattern<gpu::ShuffleOp> {
  using OpConversionPattern::OpConversionPattern;
  LogicalResult matchAndRewrite(gpu::ShuffleOp op, OneToNOpAdaptor adaptor,
                                ConversionPatternRewriter &rewriter) const override {
    Emitter emit{rewriter, op.getLoc()};
    auto width = op.getWidth().getDefiningOp<arith::ConstantIntOp>();
    if (op.getMode() != gpu::ShuffleMode::XOR || !width || width.value() != kThreadsPerWarp ||
        !op.getValid().use_empty())
      return rewriter.notifyMatchFailure(op, "not xor of a warp");
    Type type = op.getShuffleResult().getType();
    Value all = emit.i32(-1), clamp = emit.i32(kThreadsPerWarp - 1);
    Value other = NVVM::ShflOp::create(rewriter, op.getLoc(), type, all, adaptor.getValue().front(),
                                       adaptor.getOffset().front(), clamp, NVVM::ShflKind::bfly, UnitAttr());
    Value valid = arith::ConstantIntOp::create(rewriter, op.getLoc(), 1, 1);
    rewriter.replaceOp(op, {other, valid});
    return success();
  }
};

/// arith.truncf of f32 to FP8 -> cvt.rn.satfinite of pairs, packed into words. PTX has no conversion that does not
/// saturate, so this is for values that are not too large, or NaN.
struct LowerNarrow : OpConversionPattern<arith::TruncFOp> {
  using OpConversionPattern::OpConversionPattern;
  LogicalResult matchAndRewrite(arith::TruncFOp op, OneToNOpAdaptor adaptor,
                                ConversionPatternRewriter &rewriter) const override {
    auto narrow = dyn_cast<VectorType>(op.getType());
    auto words = dyn_cast_or_null<VectorType>(narrow ? typeConverter->convertType(narrow) : Type());
    if (!words || words == narrow || !getElementTypeOrSelf(op.getIn()).isF32())
      return rewriter.notifyMatchFailure(op, "not a vector of f32 to words of FP8");
    Location loc = op.getLoc();
    Emitter emit{rewriter, loc};
    auto pairs = VectorType::get(narrow.getNumElements() / 2, rewriter.getI16Type());
    Value packed = LLVM::PoisonOp::create(rewriter, loc, pairs);
    for (int64_t pair = 0; pair < pairs.getNumElements(); ++pair) {
      auto element = [&](int64_t i) -> Value {
        return LLVM::ExtractElementOp::create(rewriter, loc, adaptor.getIn().front(), emit.i32(i));
      };
      Value low = element(2 * pair), high = element(2 * pair + 1);
      // The first operand is the upper byte.
      Value both = NVVM::ConvertF32x2ToF8x2Op::create(
          rewriter, loc, rewriter.getI16Type(), high, low, NVVM::FPRoundingMode::RN, NVVM::SaturationMode::SATFINITE,
          /*relu=*/false, narrow.getElementType());
      packed = LLVM::InsertElementOp::create(rewriter, loc, packed, both, emit.i32(pair));
    }
    rewriter.replaceOpWithNewOp<LLVM::BitcastOp>(op, words, packed);
    return success();
  }
};

} // namespace

void fp8gemm::hopper::populateGlobalPatterns(NVVMTypeConverter &converter, RewritePatternSet &patterns) {
  // FP8 in registers, which LLVM has no type for.
  converter.addConversion([](VectorType type) -> std::optional<Type> {
    if (!isa<Float8E4M3FNType, Float8E5M2Type>(type.getElementType()) || type.getNumElements() % 4 != 0)
      return std::nullopt;
    return VectorType::get(type.getNumElements() / 4, IntegerType::get(type.getContext(), 32));
  });
  patterns.add<LowerLoad<vector::LoadOp>, LowerLoad<memref::LoadOp>, LowerStore<vector::StoreOp>,
               LowerStore<memref::StoreOp>, LowerThreadId, LowerShuffle, LowerNarrow>(converter, patterns.getContext());
}

void fp8gemm::hopper::configureGlobal(ConversionTarget &target) {
  target.addIllegalOp<vector::LoadOp, vector::StoreOp>();
  target.addDynamicallyLegalOp<arith::TruncFOp>(
      [](arith::TruncFOp op) { return !isa<Float8E4M3FNType, Float8E5M2Type>(getElementTypeOrSelf(op.getType())); });
}
