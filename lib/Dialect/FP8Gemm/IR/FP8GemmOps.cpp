// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "fp8gemm/Dialect/FP8Gemm/IR/FP8Gemm.h"

#include "mlir/IR/TypeUtilities.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace fp8gemm;

/// The types of `operands`, in their order; `c` has one only where it is given.
static ParseResult parseOperandTypes(OpAsmParser &parser, Type &a, Type &sfa, Type &b, Type &sfb, Type &c, Type &d) {
  SmallVector<Type> types;
  SMLoc loc = parser.getCurrentLocation();
  if (parser.parseTypeList(types))
    return failure();
  if (types.size() != 5 && types.size() != 6)
    return parser.emitError(loc, "expected the types of a, sfa, b, sfb, c (if there is one) and d, got ")
           << types.size() << " types";
  a = types[0], sfa = types[1], b = types[2], sfb = types[3], d = types.back();
  if (types.size() == 6)
    c = types[4];
  return success();
}

static void printOperandTypes(OpAsmPrinter &printer, Operation *op, Type, Type, Type, Type, Type, Type) {
  llvm::interleaveComma(op->getOperandTypes(), printer);
}

#define GET_OP_CLASSES
#include "fp8gemm/Dialect/FP8Gemm/IR/FP8GemmOps.cpp.inc"

/// What cuTensorMapEncodeTiled asks of the address and the strides of a tensor
/// in global memory.
static constexpr int64_t kTmaAlignmentBytes = 16;

void GemmOp::getEffects(SmallVectorImpl<SideEffects::EffectInstance<MemoryEffects::Effect>> &effects) {
  for (OpOperand &operand : getOperation()->getOpOperands()) {
    if (!isa<MemRefType>(operand.get().getType()))
      continue;
    if (isDpsInit(&operand))
      effects.emplace_back(MemoryEffects::Write::get(), &operand);
    else
      effects.emplace_back(MemoryEffects::Read::get(), &operand);
  }
}

//===----------------------------------------------------------------------===//
// Verifier: one function per group of constraints, labelled as in the .td
//===----------------------------------------------------------------------===//

namespace {
struct NamedOperand {
  StringRef name;
  ShapedType type;
};
} // namespace

static std::string extent(int64_t size) { return ShapedType::isDynamic(size) ? "?" : std::to_string(size); }

/// (C1)
static LogicalResult verifyKinds(GemmOp op, ArrayRef<NamedOperand> operands) {
  bool memrefs = isa<MemRefType>(operands.front().type);
  for (const NamedOperand &operand : operands) {
    if (isa<MemRefType>(operand.type) != memrefs)
      return op.emitOpError("expected operands to be all tensors or all memrefs, got '")
             << operands.front().name << "' " << operands.front().type << " and '" << operand.name << "' "
             << operand.type;
    if (operand.type.getRank() != 2)
      return op.emitOpError("expected '") << operand.name << "' to have rank 2, got " << operand.type.getRank();
  }
  return success();
}

/// (C2), (C3), (C4): one element type of one operand. The types that other
/// libraries use here are named as not built, so that nobody looks for a typo.
static LogicalResult verifyElement(GemmOp op, NamedOperand operand, ArrayRef<Type> expected, StringRef notBuilt) {
  Type element = operand.type.getElementType();
  if (llvm::is_contained(expected, element))
    return success();
  InFlightDiagnostic error = op.emitOpError("expected '") << operand.name << "' elements to be ";
  llvm::interleave(expected, error, " or ");
  error << ", got " << element;
  if (!notBuilt.empty())
    error << " (" << notBuilt << " not built yet)";
  return error;
}

static LogicalResult verifyElements(GemmOp op, NamedOperand a, NamedOperand sfa, NamedOperand b, NamedOperand sfb,
                                    NamedOperand d) {
  MLIRContext *context = op.getContext();
  for (NamedOperand operand : {a, b})
    if (failed(verifyElement(op, operand, {Float8E4M3FNType::get(context), Float8E5M2Type::get(context)}, "")))
      return failure();
  for (NamedOperand operand : {sfa, sfb}) {
    StringRef notBuilt = isa<Float8E8M0FNUType>(operand.type.getElementType()) ? "power-of-two scales are" : "";
    if (failed(verifyElement(op, operand, {Float32Type::get(context)}, notBuilt)))
      return failure();
  }
  StringRef notBuilt = isa<FloatType>(d.type.getElementType()) ? "other types of D are" : "";
  return verifyElement(op, d, {BFloat16Type::get(context), Float32Type::get(context)}, notBuilt);
}

/// (C5), (C6), (C7), (C8)
static LogicalResult verifyShape(GemmOp op, NamedOperand a, NamedOperand b, NamedOperand d) {
  auto isStatic = [&](NamedOperand operand, unsigned dim, StringRef what) -> LogicalResult {
    if (!operand.type.isDynamicDim(dim))
      return success();
    return op.emitOpError("expected ") << what << " ('" << operand.name << "' dimension " << dim
                                       << ") to be static, got ?";
  };
  if (failed(isStatic(b, 0, "N")) || failed(isStatic(d, 1, "N")) || failed(isStatic(b, 1, "K")) ||
      failed(isStatic(a, 1, "K")))
    return failure();

  int64_t m = op.getM(), n = op.getN(), k = op.getK();
  if (a.type.getDimSize(1) != k)
    return op.emitOpError("expected 'a' and 'b' to agree on K, got ") << a.type.getDimSize(1) << " and " << k;
  int64_t rows = d.type.getDimSize(0);
  bool rowsAgree = ShapedType::isDynamic(m) || ShapedType::isDynamic(rows) || m == rows;
  if (!rowsAgree || d.type.getDimSize(1) != n)
    return op.emitOpError("expected 'd' to be [rows of 'a', rows of 'b'] = [")
           << extent(m) << ", " << n << "], got [" << extent(rows) << ", " << d.type.getDimSize(1) << "]";
  if (n <= 0 || n % 8 != 0)
    return op.emitOpError("expected N to be a positive multiple of 8, got ") << n;
  if (k <= 0 || k % 16 != 0)
    return op.emitOpError("expected K to be a positive multiple of 16, got ") << k;
  return success();
}

/// (C9): blocks of 128 columns, and of one of these numbers of rows.
static LogicalResult verifyBlock(GemmOp op, StringRef name, ScaleAttr scale, ArrayRef<int64_t> rows) {
  if (llvm::is_contained(rows, scale.getRows()) && scale.getColumns() == 128)
    return success();
  InFlightDiagnostic error = op.emitOpError("expected '") << name << "' to have ";
  llvm::interleave(
      rows, [&](int64_t count) { error << count << "x128"; }, [&] { error << " or "; });
  return error << " blocks, got " << scale.getRows() << 'x' << scale.getColumns()
               << " (other blocks are not built yet)";
}

/// (C10), (C11): `operand` is the storage of the scales of a [rows, k] matrix.
static LogicalResult verifyStorage(GemmOp op, NamedOperand operand, StringRef rowsName, int64_t rows, int64_t k,
                                   ScaleAttr scale) {
  StringRef layout = stringifyScaleLayout(scale.getLayout());
  bool kMajor = scale.getLayout() == ScaleLayout::k_major;
  unsigned kDim = kMajor ? 1 : 0;
  int64_t kBlocks = llvm::divideCeil(k, scale.getColumns());
  if (operand.type.getDimSize(kDim) != kBlocks)
    return op.emitOpError("expected '") << operand.name << "' dimension " << kDim << " to be " << kBlocks
                                        << " (K blocks, " << layout << "), got "
                                        << extent(operand.type.getDimSize(kDim));

  unsigned rowDim = 1 - kDim;
  int64_t stored = operand.type.getDimSize(rowDim);
  if (ShapedType::isDynamic(rows) || ShapedType::isDynamic(stored))
    return success();
  int64_t rowBlocks = llvm::divideCeil(rows, scale.getRows());
  if (kMajor ? stored == rowBlocks : stored >= rowBlocks)
    return success();
  return op.emitOpError("expected '") << operand.name << "' dimension " << rowDim << " to be "
                                      << (kMajor ? "" : "at least ") << rowBlocks << " (" << rowsName << " blocks, "
                                      << layout << "), got " << stored;
}

/// (C12), (C13). Strides that are only known when the operation runs are the
/// caller's to keep; the runtime checks those that it is given.
static LogicalResult verifyRows(GemmOp op, NamedOperand operand, bool byTma) {
  auto memref = dyn_cast<MemRefType>(operand.type);
  if (!memref)
    return success();
  SmallVector<int64_t> strides;
  int64_t offset;
  if (failed(memref.getStridesAndOffset(strides, offset)))
    return op.emitOpError("expected '") << operand.name << "' to be a strided memref, got " << memref;
  if (!ShapedType::isDynamic(strides[1]) && strides[1] != 1)
    return op.emitOpError("expected '") << operand.name << "' rows to be contiguous (innermost stride 1), got stride "
                                        << strides[1];
  if (!byTma)
    return success();

  int64_t elementBytes = memref.getElementTypeBitWidth() / 8;
  auto isAligned = [&](StringRef what, int64_t elements) -> LogicalResult {
    // Elements are of 1, 2 or 4 bytes. Not multiplied before: a stride may be close to 2^63.
    if (ShapedType::isDynamic(elements) || elements % (kTmaAlignmentBytes / elementBytes) == 0)
      return success();
    return op.emitOpError("expected '") << operand.name << "' " << what << " to be a multiple of " << kTmaAlignmentBytes
                                        << " bytes, got " << int64_t(uint64_t(elements) * elementBytes) << " bytes";
  };
  if (failed(isAligned("row stride", strides[0])) || failed(isAligned("offset", offset)))
    return failure();
  int64_t columns = memref.getDimSize(1);
  if (!ShapedType::isDynamic(strides[0]) && !ShapedType::isDynamic(columns) && strides[0] < columns)
    return op.emitOpError("expected '") << operand.name << "' rows not to overlap (row stride of at least " << columns
                                        << " elements), got a stride of " << strides[0];
  return success();
}

/// (C14)
static LogicalResult verifyTensorScaleRows(GemmOp op, NamedOperand scales) {
  int64_t columns = scales.type.getDimSize(1);
  if (isa<MemRefType>(scales.type) || ShapedType::isDynamic(columns) || columns % 4 == 0)
    return success();
  return op.emitOpError("expected '") << scales.name << "' rows to be a multiple of 4 scales (mn_major), got "
                                      << columns << "; pad them to " << llvm::alignTo(columns, 4);
}

/// (C16)
static LogicalResult verifyC(GemmOp op, NamedOperand c, NamedOperand d) {
  // On tensors a result replaces D in memory, so their types are the same.
  bool compatible = succeeded(verifyCompatibleShape(c.type, d.type));
  if (compatible && c.type.getElementType() == d.type.getElementType())
    return success();
  return op.emitOpError("expected 'c' to have the shape and element type of 'd', ") << d.type << ", got " << c.type;
}

/// (C15)
static LogicalResult verifyResults(GemmOp op) {
  unsigned expected = isa<MemRefType>(op.getD().getType()) ? 0 : 1;
  if (op->getNumResults() != expected)
    return op.emitOpError("expected ") << (expected ? "1 result on tensors" : "no result on memrefs") << ", got "
                                       << op->getNumResults();
  if (expected && op->getResult(0).getType() != op.getD().getType())
    return op.emitOpError("expected the result to have the type of 'd', ")
           << op.getD().getType() << ", got " << op->getResult(0).getType();
  return success();
}

LogicalResult GemmOp::verify() {
  auto named = [](StringRef name, Value value) { return NamedOperand{name, cast<ShapedType>(value.getType())}; };
  NamedOperand a = named("a", getA()), sfa = named("sfa", getSfa());
  NamedOperand b = named("b", getB()), sfb = named("sfb", getSfb());
  NamedOperand d = named("d", getD());
  SmallVector<NamedOperand> operands{a, sfa, b, sfb}, matrices{a, b, d};
  if (getC()) {
    operands.push_back(named("c", getC()));
    matrices.push_back(operands.back());
  }
  operands.push_back(d);
  // Scales of which TMA can bring a tile's: those of 1x128 blocks, one K block after the other.
  auto byTma = [](ScaleAttr scale) { return scale.getRows() == 1 && scale.getLayout() == ScaleLayout::mn_major; };

  if (failed(verifyKinds(*this, operands)) || failed(verifyElements(*this, a, sfa, b, sfb, d)) ||
      failed(verifyShape(*this, a, b, d)) || (getC() && failed(verifyC(*this, matrices.back(), d))) ||
      failed(verifyBlock(*this, "a_scale", getAScale(), {1})) ||
      failed(verifyBlock(*this, "b_scale", getBScale(), {128, 1})) ||
      failed(verifyStorage(*this, sfa, "M", getM(), getK(), getAScale())) ||
      failed(verifyStorage(*this, sfb, "N", getN(), getK(), getBScale())))
    return failure();
  for (NamedOperand matrix : matrices)
    if (failed(verifyRows(*this, matrix, true)))
      return failure();
  for (auto [scales, attr] : {std::pair(sfa, getAScale()), std::pair(sfb, getBScale())})
    if (failed(verifyRows(*this, scales, byTma(attr))) || (byTma(attr) && failed(verifyTensorScaleRows(*this, scales))))
      return failure();
  return verifyResults(*this);
}
