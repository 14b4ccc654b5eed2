// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "fp8gemm/Dialect/FP8Gemm/IR/FP8Gemm.h"

#include "Verify.h"

using namespace mlir;
using namespace fp8gemm;
using namespace fp8gemm::verification;

int64_t KGroupedGemmOp::getM() { return sizeOf(getD(), 1); }
int64_t KGroupedGemmOp::getN() { return sizeOf(getD(), 2); }
int64_t KGroupedGemmOp::getGroupCount() { return sizeOf(getD(), 0); }
bool KGroupedGemmOp::isFlattened() { return cast<ShapedType>(getA().getType()).getRank() == 1; }

/// Ksum of A or B with `rows` rows.
static int64_t ksumOf(Value matrix, int64_t rows) {
  int64_t size = sizeOf(matrix, -1);
  bool flattened = cast<ShapedType>(matrix.getType()).getRank() == 1;
  return flattened && !ShapedType::isDynamic(size) ? size / rows : size;
}

int64_t KGroupedGemmOp::getK() {
  int64_t ksum = ksumOf(getA(), getM());
  return ShapedType::isDynamic(ksum) ? ksumOf(getB(), getN()) : ksum;
}

/// (K4)
static LogicalResult verifyExtents(KGroupedGemmOp op, const NamedOperands &operands) {
  for (const NamedOperand &operand : {operands.d, operands.c})
    for (auto [dim, name] : {std::pair(0, "G"), std::pair(1, "M"), std::pair(2, "N")})
      if (operand && failed(verifyStatic(op, operand, dim, name)))
        return failure();
  for (auto [name, value] : {std::pair("G", op.getGroupCount()), std::pair("M", op.getM())})
    if (value <= 0)
      return op.emitOpError("expected ") << name << " to be positive, got " << value;
  return failure(failed(verifyN(op, op.getN())) || failed(verifySize(op, "G", op.getGroupCount())) ||
                 failed(verifySize(op, "M", op.getM())) || failed(verifySize(op, "N", op.getN())));
}

/// (K5)
static LogicalResult verifyReduction(KGroupedGemmOp op, const NamedOperands &operands) {
  for (auto [matrix, name, rows] : {std::tuple(operands.a, "M", op.getM()), std::tuple(operands.b, "N", op.getN())}) {
    int64_t size = matrix.size(0);
    if (!op.isFlattened() && failed(verifyStatic(op, matrix, 0, name)))
      return failure();
    if (!op.isFlattened() && size != rows)
      return op.emitOpError("expected '")
             << matrix.name << "' dimension 0 to be " << name << " = " << rows << ", as in 'd', got " << size;
    if (op.isFlattened() && !ShapedType::isDynamic(size) && size % rows != 0)
      return op.emitOpError("expected '") << matrix.name << "' to have a multiple of " << name << " = " << rows
                                          << " elements (flattened), got " << size;
  }
  int64_t aK = ksumOf(op.getA(), op.getM()), bK = ksumOf(op.getB(), op.getN());
  if (!mayAgree(aK, bK))
    return op.emitOpError("expected 'a' and 'b' to agree on K, got ") << aK << " and " << bK;
  if (ShapedType::isDynamic(op.getK()))
    return success();
  return failure(failed(verifyK(op, op.getK())) || failed(verifySize(op, "K", op.getK())));
}

/// (K6), (K7)
static LogicalResult verifyGroupedScales(KGroupedGemmOp op, const NamedOperands &operands) {
  constexpr int64_t any = ShapedType::kDynamic;
  if (failed(verifyBlock(op, "a_scale", op.getAScale(), {1})) ||
      failed(verifyBlock(op, "b_scale", op.getBScale(), {1})) ||
      failed(verifyStorage(op, operands.sfa, "M", op.getM(), any, op.getAScale())) ||
      failed(verifyStorage(op, operands.sfb, "N", op.getN(), any, op.getBScale())))
    return failure();
  auto blocks = [](NamedOperand scales, ScaleAttr attr) {
    return scales.size(attr.getLayout() == ScaleLayout::k_major ? 1 : 0);
  };
  int64_t aBlocks = blocks(operands.sfa, op.getAScale()), bBlocks = blocks(operands.sfb, op.getBScale());
  if (mayAgree(aBlocks, bBlocks))
    return success();
  return op.emitOpError("expected 'sfa' and 'sfb' to agree on K blocks, got ") << aBlocks << " and " << bBlocks;
}

LogicalResult KGroupedGemmOp::verify() {
  NamedOperands operands(*this);
  auto [a, sfa, b, sfb, groups, c, d, sfd, epilogue] = operands;
  // (K2)
  if (getGrouping().getKind() != GroupingKind::k_count)
    return emitOpError("expected the grouping to be k_count, got ") << stringifyGroupingKind(getGrouping().getKind());
  if (failed(verifyKinds(*this, operands.all())))
    return failure();
  if (a.rank() != b.rank() || (a.rank() != 2 && a.rank() != 1))
    return emitOpError("expected 'a' and 'b' to have rank 2, or rank 1 (flattened), got ")
           << a.rank() << " and " << b.rank();
  return failure(failed(verifyRanks(*this, {sfa, sfb}, 2)) || failed(verifyRanks(*this, groups, 1)) ||
                 failed(verifyRanks(*this, {c, d}, 3)) || failed(verifyElements(*this, operands)) ||
                 failed(verifyExtents(*this, operands)) || failed(verifyC(*this, operands)) ||
                 failed(verifyReduction(*this, operands)) ||
                 failed(verifyGroups(*this, groups, getGroupCount(), "groups")) ||
                 failed(verifyGroupedScales(*this, operands)) || failed(verifyMemory(*this, operands)) ||
                 failed(verifyResults(*this)));
}
