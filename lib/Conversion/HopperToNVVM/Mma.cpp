// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The tensor core: wgmma and its waits.

#include "Lowering.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"

using namespace mlir;
using namespace fp8gemm::hopper;

/// K elements of one wgmma of f8 operands, and K elements of a K block.
static constexpr int64_t kMmaK = 32, kBlockK = 128;

/// The f32 registers of a fragment as the struct that wgmma takes and returns.
static LLVM::LLVMStructType registersType(FragmentType type) {
  SmallVector<Type> registers(type.getRegisters(), Float32Type::get(type.getContext()));
  return LLVM::LLVMStructType::getLiteral(type.getContext(), registers);
}

static SmallVector<Value> unpack(OpBuilder &builder, Location loc, Value registers, int64_t count) {
  SmallVector<Value> values;
  for (int64_t i = 0; i < count; ++i)
    values.push_back(LLVM::ExtractValueOp::create(builder, loc, registers, i));
  return values;
}

/// `offset` of a sum of bytes / 16; null if that is not known to be whole.
static Value sixteenth(Emitter emit, llvm::PointerUnion<IntegerAttr, Value> offset) {
  if (auto constant = dyn_cast<IntegerAttr>(offset))
    return constant.getInt() % 16 == 0 ? emit.i32(constant.getInt() / 16) : Value();
  auto product = cast<Value>(offset).getDefiningOp<arith::MulIOp>();
  std::optional<int64_t> stride = product ? getConstantIntValue(product.getRhs()) : std::nullopt;
  return stride && *stride % 16 == 0 ? emit.mul(product.getLhs(), *stride / 16) : Value();
}

/// Low word of the matrix descriptor of a K-major tile with rows of 128 bytes in the
/// 128-byte swizzle (PTX ISA, "Matrix Descriptor Format"): address / 16 in bits 0-13.
/// Bits 16-29 (leading dimension) are not used in this layout.
/// The offset from the base is divided part by part, the outermost first: the stage comes
/// last, so that all else is ready before the main loop, and the first wgmma waits for one addition.
static Value descriptorAddress(Emitter emit, Value address) {
  SmallVector<Value> parts;
  while (auto sum = address.getDefiningOp<LLVM::GEPOp>()) {
    Value part = sum.getElemType().isInteger(8) ? sixteenth(emit, sum.getIndices()[0]) : Value();
    if (!part)
      break;
    parts.push_back(part);
    address = sum.getBase();
  }
  Value bits = LLVM::PtrToIntOp::create(emit.builder, emit.loc, emit.builder.getI32Type(), address);
  Value result = arith::ShRUIOp::create(emit.builder, emit.loc, bits, emit.i32(4));
  for (Value part : parts)
    result = emit.add(result, part);
  return result;
}

/// The descriptor of what lies `bytes` further: in the swizzled row a step of 32
/// bytes is a step of the address. High word: 1024 / 16 between groups of 8 rows in
/// bits 32-45, swizzle mode 1 in bits 62-63. Put together from two words, since 64-bit
/// arithmetic here would delay the first wgmma.
static Value matrixDescriptor(Emitter emit, Value address, int64_t bytes) {
  auto words = VectorType::get({2}, emit.builder.getI32Type());
  Value low = emit.add(address, bytes / 16), high = emit.i32((1024 / 16) | (1 << 30));
  Value pair = LLVM::PoisonOp::create(emit.builder, emit.loc, words);
  pair = LLVM::InsertElementOp::create(emit.builder, emit.loc, pair, low, emit.i32(0));
  pair = LLVM::InsertElementOp::create(emit.builder, emit.loc, pair, high, emit.i32(1));
  return LLVM::BitcastOp::create(emit.builder, emit.loc, emit.builder.getI64Type(), pair);
}

namespace {

/// mma -> one wgmma.mma_async for each 32 of K, the first from zero; one group, and bar.warp.sync if it is isolated.
struct LowerMma : OpConversionPattern<MmaOp> {
  using OpConversionPattern::OpConversionPattern;
  LogicalResult matchAndRewrite(MmaOp op, OneToNOpAdaptor adaptor, ConversionPatternRewriter &rewriter) const override {
    Emitter emit{rewriter, op.getLoc()};
    MLIRContext *context = op.getContext();
    FragmentType type = op.getPartial().getType();
    Value a = descriptorAddress(emit, adaptor.getA().front()), b = descriptorAddress(emit, adaptor.getB().front());
    auto shape = NVVM::MMAShapeAttr::get(context, 64, type.getColumns(), kMmaK);
    Value registers = LLVM::UndefOp::create(rewriter, op.getLoc(), registersType(type));
    for (auto [i, value] : llvm::enumerate(adaptor.getReused()))
      registers = LLVM::InsertValueOp::create(rewriter, op.getLoc(), registers, value, i);
    auto elementOf = [](Value operand) {
      Type element = cast<MemRefType>(operand.getType()).getElementType();
      return isa<Float8E4M3FNType>(element) ? NVVM::WGMMATypes::e4m3 : NVVM::WGMMATypes::e5m2;
    };
    for (int64_t k = 0; k < kBlockK; k += kMmaK) {
      Value blockOfA = matrixDescriptor(emit, a, k), blockOfB = matrixDescriptor(emit, b, k);
      registers = NVVM::WgmmaMmaAsyncOp::create(
          rewriter, op.getLoc(), registers.getType(), registers, blockOfA, blockOfB, shape, elementOf(op.getA()),
          elementOf(op.getB()), NVVM::WGMMATypes::f32, k == 0 ? NVVM::WGMMAScaleOut::zero : NVVM::WGMMAScaleOut::one,
          NVVM::WGMMAScaleIn::one, NVVM::WGMMAScaleIn::one, NVVM::MMALayout::row, NVVM::MMALayout::col,
          NVVM::MMAIntOverflowAttr());
    }
    NVVM::WgmmaGroupSyncAlignedOp::create(rewriter, op.getLoc());
    if (op.getIsolated())
      NVVM::SyncWarpOp::create(rewriter, op.getLoc(), emit.i32(-1));
    rewriter.replaceOpWithMultiple(op, {unpack(rewriter, op.getLoc(), registers, type.getRegisters())});
    return success();
  }
};

/// mma.wait -> wgmma.wait_group, as inline assembly that takes and returns the
/// registers: a wait without operands would not keep LLVM from moving their uses.
struct LowerMmaWait : OpConversionPattern<MmaWaitOp> {
  using OpConversionPattern::OpConversionPattern;
  LogicalResult matchAndRewrite(MmaWaitOp op, OneToNOpAdaptor adaptor,
                                ConversionPatternRewriter &rewriter) const override {
    FragmentType type = op.getPartial().getType();
    std::string assembly = "wgmma.wait_group.sync.aligned " + std::to_string(op.getPending()) + ";";
    std::string outputs, inputs;
    for (int64_t i = 0; i < type.getRegisters(); ++i) {
      outputs += i == 0 ? "=f" : ",=f";
      inputs += "," + std::to_string(i);
    }
    auto dialect = LLVM::AsmDialectAttr::get(op.getContext(), LLVM::AsmDialect::AD_ATT);
    auto wait = LLVM::InlineAsmOp::create(rewriter, op.getLoc(), registersType(type), adaptor.getPartial(), assembly,
                                          outputs + inputs, /*has_side_effects=*/true, /*is_align_stack=*/false,
                                          LLVM::TailCallKind::None, dialect, ArrayAttr());
    rewriter.replaceOpWithMultiple(op, {unpack(rewriter, op.getLoc(), wait.getRes(), type.getRegisters())});
    return success();
  }
};

} // namespace

void fp8gemm::hopper::populateMmaPatterns(NVVMTypeConverter &converter, RewritePatternSet &patterns) {
  patterns.add<LowerMma, LowerMmaWait>(converter, patterns.getContext());
}
