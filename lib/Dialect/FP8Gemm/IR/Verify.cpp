// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "Verify.h"

#include "mlir/IR/TypeUtilities.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace fp8gemm;
using namespace fp8gemm::verification;

static NamedOperand named(StringRef name, Value value) {
  return {name.str(), value ? cast<ShapedType>(value.getType()) : ShapedType()};
}

NamedOperands::NamedOperands(ProductOpInterface op)
    : a(named("a", op.getA())), sfa(named("sfa", op.getSfa())), b(named("b", op.getB())),
      sfb(named("sfb", op.getSfb())), groups(named("groups", op.getGroups())), c(named("c", op.getC())),
      d(named("d", op.getD())), sfd(named("sfd", op.getSfd())) {
  for (auto [i, operand] : llvm::enumerate(op.getEpilogueOperands()))
    epilogue.push_back(named(("epilogue operand " + Twine(i)).str(), operand));
}

SmallVector<NamedOperand> NamedOperands::all() const {
  SmallVector<NamedOperand> operands{a, sfa, b, sfb, groups, c, d, sfd};
  operands.append(epilogue);
  llvm::erase_if(operands, [](const NamedOperand &operand) { return !operand; });
  return operands;
}

std::string verification::extent(int64_t size) { return ShapedType::isDynamic(size) ? "?" : std::to_string(size); }

bool verification::mayAgree(int64_t size, int64_t other) {
  return ShapedType::isDynamic(size) || ShapedType::isDynamic(other) || size == other;
}

//===----------------------------------------------------------------------===//
// Kinds, ranks, elements
//===----------------------------------------------------------------------===//

LogicalResult verification::verifyKinds(Operation *op, ArrayRef<NamedOperand> operands) {
  // One that nothing reads is misspelt. Those with two underscores are analyses' notes of upstream.
  for (NamedAttribute attribute : op->getDiscardableAttrs())
    if (StringRef name = attribute.getName(); !name.contains('.') && !name.starts_with("__"))
      return op->emitOpError("expected the ")
             << (isa<ProductOpInterface>(op) ? "attributes 'config' and 'kernel'" : "attribute 'kernel'")
             << ", and those of other dialects, got " << attribute.getName();
  bool memrefs = isa<MemRefType>(operands.front().type);
  for (const NamedOperand &operand : operands)
    if (isa<MemRefType>(operand.type) != memrefs)
      return op->emitOpError("expected operands to be all tensors or all memrefs, got '")
             << operands.front().name << "' " << operands.front().type << " and '" << operand.name << "' "
             << operand.type;
  return success();
}

LogicalResult verification::verifyRanks(Operation *op, ArrayRef<NamedOperand> operands, int64_t rank) {
  for (const NamedOperand &operand : operands)
    if (operand && operand.rank() != rank)
      return op->emitOpError("expected '") << operand.name << "' to have rank " << rank << ", got " << operand.rank();
  return success();
}

/// The types that other libraries use here are named as not built, so that nobody looks for a typo.
LogicalResult verification::verifyElement(Operation *op, NamedOperand operand, ArrayRef<Type> expected,
                                          StringRef notBuilt) {
  Type element = operand.type.getElementType();
  if (llvm::is_contained(expected, element))
    return success();
  InFlightDiagnostic error = op->emitOpError("expected '") << operand.name << "' elements to be ";
  llvm::interleave(expected, error, " or ");
  error << ", got " << element;
  if (!notBuilt.empty())
    error << " (" << notBuilt << " not built yet)";
  return error;
}

LogicalResult verification::verifyElements(Operation *op, const NamedOperands &operands) {
  MLIRContext *context = op->getContext();
  for (NamedOperand operand : {operands.a, operands.b})
    if (failed(verifyElement(op, operand, {Float8E4M3FNType::get(context), Float8E5M2Type::get(context)}, "")))
      return failure();
  for (NamedOperand operand : {operands.sfa, operands.sfb}) {
    StringRef notBuilt = isa<Float8E8M0FNUType>(operand.type.getElementType()) ? "power-of-two scales are" : "";
    if (failed(verifyElement(op, operand, {Float32Type::get(context)}, notBuilt)))
      return failure();
  }
  Type f8 = Float8E4M3FNType::get(context);
  if (operands.sfd)
    return failure(failed(verifyElement(op, operands.sfd, {Float32Type::get(context)})) ||
                   failed(verifyElement(op, operands.d, {f8})));
  if (operands.d.type.getElementType() == f8)
    return op->emitOpError("expected 'sfd', the scales of a 'd' of f8E4M3FN, got none");
  StringRef notBuilt = isa<FloatType>(operands.d.type.getElementType()) ? "other types of D are" : "";
  return verifyElement(op, operands.d, {BFloat16Type::get(context), Float32Type::get(context)}, notBuilt);
}

//===----------------------------------------------------------------------===//
// Extents
//===----------------------------------------------------------------------===//

LogicalResult verification::verifyStatic(Operation *op, NamedOperand operand, unsigned dim, StringRef what) {
  if (operand.isStatic(dim))
    return success();
  return op->emitOpError("expected ") << what << " ('" << operand.name << "' dimension " << dim
                                      << ") to be static, got ?";
}

LogicalResult verification::verifySize(Operation *op, StringRef what, int64_t size) {
  constexpr int64_t kMost = std::numeric_limits<int32_t>::max();
  if (size <= kMost)
    return success();
  return op->emitOpError("expected ") << what << " to be at most " << kMost << ", got " << size;
}

LogicalResult verification::verifyN(Operation *op, int64_t n) {
  if (n > 0 && n % 8 == 0)
    return success();
  return op->emitOpError("expected N to be a positive multiple of 8, got ") << n;
}

LogicalResult verification::verifyK(Operation *op, int64_t k) {
  if (k > 0 && k % 16 == 0)
    return success();
  return op->emitOpError("expected K to be a positive multiple of 16, got ") << k;
}

LogicalResult verification::verifyGroups(Operation *op, NamedOperand groups, int64_t entries, StringRef what) {
  if (failed(verifyElement(op, groups, {IntegerType::get(op->getContext(), 32)}, "")))
    return failure();
  if (mayAgree(groups.size(0), entries))
    return success();
  return op->emitOpError("expected 'groups' to have an entry for each of ")
         << entries << ' ' << what << ", got " << groups.size(0);
}

LogicalResult verification::verifyC(Operation *op, const NamedOperands &operands) {
  const NamedOperand &c = operands.c, &d = operands.d;
  // On tensors a result replaces D in memory, so their types are the same.
  if (!c || (succeeded(verifyCompatibleShape(c.type, d.type)) && c.type.getElementType() == d.type.getElementType()))
    return success();
  return op->emitOpError("expected 'c' to have the shape and element type of 'd', ") << d.type << ", got " << c.type;
}

//===----------------------------------------------------------------------===//
// Scales
//===----------------------------------------------------------------------===//

LogicalResult verification::verifyBlock(Operation *op, StringRef name, ScaleAttr scale, ArrayRef<int64_t> rows) {
  if (llvm::is_contained(rows, scale.getRows()) && scale.getColumns() == 128)
    return success();
  InFlightDiagnostic error = op->emitOpError("expected '") << name << "' to have ";
  llvm::interleave(
      rows, [&](int64_t count) { error << count << "x128"; }, [&] { error << " or "; });
  return error << " blocks, got " << scale.getRows() << 'x' << scale.getColumns()
               << " (other blocks are not built yet)";
}

LogicalResult verification::verifyStorage(Operation *op, NamedOperand operand, StringRef rowsName, int64_t rows,
                                          int64_t k, ScaleAttr scale) {
  StringRef layout = stringifyScaleLayout(scale.getLayout());
  bool kMajor = scale.getLayout() == ScaleLayout::k_major;
  unsigned first = operand.rank() - 2, kDim = first + kMajor, rowDim = first + !kMajor;
  if (!ShapedType::isDynamic(k)) {
    int64_t kBlocks = llvm::divideCeil(k, scale.getColumns());
    if (operand.size(kDim) != kBlocks)
      return op->emitOpError("expected '") << operand.name << "' dimension " << kDim << " to be " << kBlocks
                                           << " (K blocks, " << layout << "), got " << extent(operand.size(kDim));
  }

  int64_t stored = operand.size(rowDim);
  if (ShapedType::isDynamic(rows) || ShapedType::isDynamic(stored))
    return success();
  int64_t rowBlocks = llvm::divideCeil(rows, scale.getRows());
  if (kMajor ? stored == rowBlocks : stored >= rowBlocks)
    return success();
  return op->emitOpError("expected '") << operand.name << "' dimension " << rowDim << " to be "
                                       << (kMajor ? "" : "at least ") << rowBlocks << " (" << rowsName << " blocks, "
                                       << layout << "), got " << stored;
}

//===----------------------------------------------------------------------===//
// Results
//===----------------------------------------------------------------------===//

LogicalResult verification::verifyQuantised(ProductOpInterface op, const NamedOperands &operands) {
  constexpr int64_t kScaleColumns = 128;
  if (!operands.sfd && op.getDScaleAttr())
    return op->emitOpError("expected 'd_scale' with 'sfd' only, got no 'sfd'");
  if (!operands.sfd)
    return op.getPowerOfTwo() ? LogicalResult(op->emitOpError("expected 'power_of_two' with 'sfd' only, got no 'sfd'"))
                              : success();
  ScaleAttr scale = op.getDScaleAttr();
  if (!scale)
    return op->emitOpError("expected 'd_scale' with 'sfd', got none");
  int64_t columns = op.getColumnsOfD();
  if (operands.c)
    return op->emitOpError("expected a quantised product without 'c', got one; make it an operand of the epilogue");
  if (columns % kScaleColumns != 0)
    return op->emitOpError("expected a quantised 'd' to have a multiple of 128 columns, got ") << columns;
  return failure(failed(verifyBlock(op, "d_scale", scale, {1})) ||
                 failed(verifyStorage(op, operands.sfd, "M", op.getM(), columns, scale)) ||
                 failed(verifyScaleMemory(op, operands.sfd, scale)));
}

LogicalResult verification::verifyResults(ProductOpInterface op) {
  SmallVector<Type, 2> expected;
  for (Value init : {op.getD(), op.getSfd()})
    if (init && !isa<MemRefType>(init.getType()))
      expected.push_back(init.getType());
  if (op->getNumResults() != expected.size()) {
    bool isOne = expected.size() == 1;
    return op->emitOpError("expected ") << (isOne              ? "1 result on tensors"
                                            : expected.empty() ? "no result on memrefs"
                                                               : "2 results on tensors")
                                        << ", got " << op->getNumResults();
  }
  for (auto [i, type] : llvm::enumerate(expected))
    if (Type result = op->getResult(i).getType(); result != type)
      return op->emitOpError("expected the result to have the type of '")
             << (i == 0 ? "d" : "sfd") << "', " << type << ", got " << result;
  return success();
}
