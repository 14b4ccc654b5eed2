// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Tensor maps of groups along K, in the workspace.

#include "Lowering.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/SCF/IR/SCF.h"

using namespace mlir;
using namespace fp8gemm::hopper;

/// A row of the table of groups: chunks before, begin, end, 0. A tensor map consists of eight parts of that size.
static constexpr int64_t kRowBytes = 16, kMapBytes = 128;

static VectorType rowType(OpBuilder &builder) { return VectorType::get({4}, builder.getI32Type()); }

namespace {

/// The place of a group's map in the CTA's part of the workspace.
Value mapAddress(Emitter emit, Value workspace, Value group, int64_t groups, int64_t slot, int64_t slots) {
  Value cta = NVVM::BlockIdXOp::create(emit.builder, emit.loc, emit.builder.getI32Type());
  Value before = emit.mul(cta, slots * groups), own = emit.add(group, slot * groups);
  Value index = emit.add(before, own);
  return emit.offset(workspace, emit.mul(index, kMapBytes));
}

/// make_group_maps -> each thread copies the map for its groups, and replaces what differs.
struct LowerMakeGroupMaps : OpConversionPattern<MakeGroupMapsOp> {
  using OpConversionPattern::OpConversionPattern;
  LogicalResult matchAndRewrite(MakeGroupMapsOp op, OneToNOpAdaptor adaptor,
                                ConversionPatternRewriter &rewriter) const override {
    Emitter emit{rewriter, op.getLoc()};
    int64_t groups = cast<MemRefType>(op.getTable().getType()).getDimSize(0) - 1;
    Value threads = NVVM::BlockDimXOp::create(rewriter, op.getLoc(), rewriter.getI32Type());
    Value first = emit.thread(), end = emit.i32(groups);
    auto loop = scf::ForOp::create(rewriter, op.getLoc(), first, end, threads);
    {
      OpBuilder::InsertionGuard guard(rewriter);
      rewriter.setInsertionPointToStart(loop.getBody());
      writeMap(emit, op, adaptor, loop.getInductionVar(), groups);
    }
    rewriter.eraseOp(op);
    return success();
  }

  static void writeMap(Emitter emit, MakeGroupMapsOp op, OneToNOpAdaptor adaptor, Value group, int64_t groups) {
    OpBuilder &builder = emit.builder;
    Value target = mapAddress(emit, adaptor.getWorkspace().front(), group, groups, op.getSlot(), op.getSlots());
    VectorType chunk = rowType(builder);
    for (int64_t byte = 0; byte < kMapBytes; byte += kRowBytes) {
      Value part =
          LLVM::LoadOp::create(builder, emit.loc, chunk, emit.offset(adaptor.getMap().front(), byte), kRowBytes);
      LLVM::StoreOp::create(builder, emit.loc, part, emit.offset(target, byte), kRowBytes);
    }
    Value row = LLVM::LoadOp::create(builder, emit.loc, chunk,
                                     emit.offset(adaptor.getTable().front(), emit.mul(group, kRowBytes)), kRowBytes);
    auto entry = [&](int64_t i) { return LLVM::ExtractElementOp::create(builder, emit.loc, row, emit.i32(i)); };
    Value begin = entry(1), length = emit.sub(entry(2), begin), first = emit.toI64(begin);
    bool flat = cast<MemRefType>(op.getSource().getType()).getRank() == 1;
    if (flat)
      first = emit.mul(first, emit.toI64(adaptor.getRows().front()));
    Value source = emit.offset(adaptor.getSource().front(), first);
    // The map of an empty group is never used, but a map cannot have an empty extent.
    Value columns = arith::MaxUIOp::create(builder, emit.loc, length, emit.i32(1));
    replace(emit, "global_address.global.b1024.b64 [$0], $1;", target,
            LLVM::PtrToIntOp::create(builder, emit.loc, builder.getI64Type(), source));
    replace(emit, "global_dim.global.b1024.b32 [$0], 0, $1;", target, columns);
    if (flat) {
      replace(emit, "global_dim.global.b1024.b32 [$0], 1, $1;", target, emit.toI32(adaptor.getRows().front()));
      replace(emit, "global_stride.global.b1024.b64 [$0], 0, $1;", target,
              emit.toI64(arith::MaxUIOp::create(builder, emit.loc, length, emit.i32(kRowBytes))));
    }
    NVVM::FenceProxyReleaseOp::create(builder, emit.loc, NVVM::MemScopeKind::GPU);
  }

  /// NVVM has no operation for it.
  static void replace(Emitter emit, StringRef field, Value map, Value value) {
    StringRef constraints = value.getType().isInteger(64) ? "l,l" : "l,r";
    auto none = LLVM::LLVMVoidType::get(emit.builder.getContext());
    LLVM::InlineAsmOp::create(emit.builder, emit.loc, none, ValueRange{map, value},
                              ("tensormap.replace.tile." + field).str(), constraints, /*has_side_effects=*/true,
                              /*is_align_stack=*/false, LLVM::TailCallKind::None, LLVM::AsmDialectAttr(), ArrayAttr());
  }
};

/// group_map -> its address, acquired from the proxy of tensor maps.
struct LowerGroupMap : OpConversionPattern<GroupMapOp> {
  using OpConversionPattern::OpConversionPattern;
  LogicalResult matchAndRewrite(GroupMapOp op, OneToNOpAdaptor adaptor,
                                ConversionPatternRewriter &rewriter) const override {
    Emitter emit{rewriter, op.getLoc()};
    Value address = mapAddress(emit, adaptor.getWorkspace().front(), emit.toI32(adaptor.getGroup().front()),
                               op.getGroups(), op.getSlot(), op.getSlots());
    address =
        LLVM::AddrSpaceCastOp::create(rewriter, op.getLoc(), LLVM::LLVMPointerType::get(op.getContext()), address);
    NVVM::FenceProxyAcquireOp::create(rewriter, op.getLoc(), NVVM::MemScopeKind::GPU, address, emit.i32(kMapBytes));
    rewriter.replaceOp(op, address);
    return success();
  }
};

} // namespace

void fp8gemm::hopper::populateGroupMapPatterns(NVVMTypeConverter &converter, RewritePatternSet &patterns) {
  patterns.add<LowerMakeGroupMaps, LowerGroupMap>(converter, patterns.getContext());
}
