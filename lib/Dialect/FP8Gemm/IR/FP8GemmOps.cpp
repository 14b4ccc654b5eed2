// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "fp8gemm/Dialect/FP8Gemm/IR/FP8Gemm.h"

#include "Verify.h"

#include "mlir/IR/OpImplementation.h"

using namespace mlir;
using namespace fp8gemm;
using namespace fp8gemm::verification;

//===----------------------------------------------------------------------===//
// Syntax
//===----------------------------------------------------------------------===//

/// The types of all operands, in their order. The last but one may be missing: C, or the groups.
template <typename... T> static ParseResult parseOperandTypes(OpAsmParser &parser, T &...types) {
  SmallVector<Type> parsed;
  SMLoc loc = parser.getCurrentLocation();
  if (parser.parseTypeList(parsed))
    return failure();
  SmallVector<Type *> all{&types...};
  if (parsed.size() + 1 == all.size())
    parsed.insert(parsed.end() - 1, Type());
  if (parsed.size() != all.size())
    return parser.emitError(loc, "expected the types of ")
           << all.size() - 1 << " or " << all.size() << " operands, got " << parsed.size() << " types";
  for (auto [type, destination] : llvm::zip_equal(parsed, all))
    *destination = type;
  return success();
}

template <typename... T> static void printOperandTypes(OpAsmPrinter &printer, Operation *, T... types) {
  SmallVector<Type> present{types...};
  llvm::erase(present, Type());
  llvm::interleaveComma(present, printer);
}

/// Those of groups of rows: the groups and C are each there or not, as operands say.
static ParseResult parseGroupedOperandTypes(OpAsmParser &parser,
                                            const std::optional<OpAsmParser::UnresolvedOperand> &groups,
                                            const std::optional<OpAsmParser::UnresolvedOperand> &c, Type &a, Type &sfa,
                                            Type &b, Type &sfb, Type &groupsType, Type &cType, Type &d) {
  SmallVector<Type *> all{&a, &sfa, &b, &sfb};
  if (groups)
    all.push_back(&groupsType);
  if (c)
    all.push_back(&cType);
  all.push_back(&d);
  SmallVector<Type> parsed;
  SMLoc loc = parser.getCurrentLocation();
  if (parser.parseTypeList(parsed))
    return failure();
  if (parsed.size() != all.size())
    return parser.emitError(loc, "expected the types of ")
           << all.size() << " operands, got " << parsed.size() << " types";
  for (auto [type, destination] : llvm::zip_equal(parsed, all))
    *destination = type;
  return success();
}

template <typename... T>
static void printGroupedOperandTypes(OpAsmPrinter &printer, Operation *op, Value, Value, T... types) {
  printOperandTypes(printer, op, types...);
}

/// epilogue(%row : memref<...>, ...) { ^bb0(%sum: f32, %element: f32, ...): ... }; nothing if there is none.
static ParseResult parseEpilogue(OpAsmParser &parser, SmallVectorImpl<OpAsmParser::UnresolvedOperand> &operands,
                                 SmallVectorImpl<Type> &types, Region &region) {
  if (failed(parser.parseOptionalKeyword("epilogue")))
    return success();
  auto parseOperand = [&]() -> ParseResult {
    return failure(parser.parseOperand(operands.emplace_back()) || parser.parseColonType(types.emplace_back()));
  };
  if (succeeded(parser.parseOptionalLParen()))
    if (parser.parseCommaSeparatedList(parseOperand) || parser.parseRParen())
      return failure();
  return parser.parseRegion(region);
}

static void printEpilogue(OpAsmPrinter &printer, Operation *, OperandRange operands, TypeRange, Region &region) {
  if (region.empty() && operands.empty())
    return;
  printer << "epilogue";
  if (!operands.empty()) {
    printer << '(';
    llvm::interleaveComma(operands, printer, [&](Value operand) { printer << operand << " : " << operand.getType(); });
    printer << ')';
  }
  printer << ' ';
  printer.printRegion(region);
}

/// prologue { ^bb0(%x: f32): ... }; nothing if there is none.
static ParseResult parsePrologue(OpAsmParser &parser, Region &region) {
  return failed(parser.parseOptionalKeyword("prologue")) ? ParseResult(success()) : parser.parseRegion(region);
}

static void printPrologue(OpAsmPrinter &printer, Operation *, Region &region) {
  if (region.empty())
    return;
  printer << "prologue ";
  printer.printRegion(region);
}

/// An attribute that is optional, but not where it is written: `<row_end>`.
static ParseResult parseGrouping(OpAsmParser &parser, GroupingAttr &grouping) {
  return parser.parseCustomAttributeWithFallback(grouping);
}

static void printGrouping(OpAsmPrinter &printer, Operation *, GroupingAttr grouping) {
  if (grouping)
    printer.printStrippedAttrOrType(grouping);
}

static ParseResult parseScaleOfD(OpAsmParser &parser, ScaleAttr &scale) {
  return parser.parseCustomAttributeWithFallback(scale);
}

static void printScaleOfD(OpAsmPrinter &printer, Operation *, ScaleAttr scale) {
  if (scale)
    printer.printStrippedAttrOrType(scale);
}

#include "fp8gemm/Dialect/FP8Gemm/IR/FP8GemmInterfaces.cpp.inc"
#define GET_OP_CLASSES
#include "fp8gemm/Dialect/FP8Gemm/IR/FP8GemmOps.cpp.inc"

//===----------------------------------------------------------------------===//
// Builders
//===----------------------------------------------------------------------===//

/// Of tensors, what D and its scales become; of memrefs none.
static SmallVector<Type> resultsOf(const ScaledMatrix &d) {
  SmallVector<Type> results;
  for (Value output : {d.elements, d.scales})
    if (output && isa<TensorType>(output.getType()))
      results.push_back(output.getType());
  return results;
}

void GemmOp::build(OpBuilder &builder, OperationState &state, const ScaledMatrix &a, const ScaledMatrix &b,
                   const ScaledMatrix &d, Value c) {
  build(builder, state, resultsOf(d), a.elements, a.scales, b.elements, b.scales, c, /*epilogue_operands=*/{},
        d.elements, d.scales, a.layout, b.layout, d.layout, /*power_of_two=*/false, /*gated=*/false, /*config=*/{},
        /*kernel=*/{});
}

void GroupedGemmOp::build(OpBuilder &builder, OperationState &state, const ScaledMatrix &a, const ScaledMatrix &b,
                          const ScaledMatrix &d, Value groups, GroupingAttr grouping, Value c) {
  build(builder, state, resultsOf(d), a.elements, a.scales, b.elements, b.scales, groups, c, /*epilogue_operands=*/{},
        d.elements, d.scales, a.layout, b.layout, d.layout, /*power_of_two=*/false, grouping, /*gated=*/false,
        /*config=*/{}, /*kernel=*/{});
}

void KGroupedGemmOp::build(OpBuilder &builder, OperationState &state, const ScaledMatrix &a, const ScaledMatrix &b,
                           Value d, Value groups, Value c) {
  auto grouping = GroupingAttr::get(builder.getContext(), GroupingKind::k_count, /*align=*/1);
  build(builder, state, resultsOf(d), a.elements, a.scales, b.elements, b.scales, groups, c, d, a.layout, b.layout,
        grouping, /*config=*/{}, /*kernel=*/{});
}

//===----------------------------------------------------------------------===//
// Effects
//===----------------------------------------------------------------------===//

using Effects = SmallVectorImpl<SideEffects::EffectInstance<MemoryEffects::Effect>>;

static void effectsOf(DestinationStyleOpInterface op, Effects &effects) {
  for (OpOperand &operand : op->getOpOperands()) {
    if (!isa<MemRefType>(operand.get().getType()))
      continue;
    if (op.isDpsInit(&operand))
      effects.emplace_back(MemoryEffects::Write::get(), &operand);
    else
      effects.emplace_back(MemoryEffects::Read::get(), &operand);
  }
}

void GemmOp::getEffects(Effects &effects) { effectsOf(*this, effects); }
void GroupedGemmOp::getEffects(Effects &effects) { effectsOf(*this, effects); }
void KGroupedGemmOp::getEffects(Effects &effects) { effectsOf(*this, effects); }

//===----------------------------------------------------------------------===//
// gemm
//===----------------------------------------------------------------------===//

int64_t GemmOp::getM() { return sizeOf(getA(), 0); }
int64_t GemmOp::getN() { return sizeOf(getB(), 0); }
int64_t GemmOp::getK() { return sizeOf(getB(), 1); }
int64_t GemmOp::getGroupCount() { return 1; }

/// (C9), (C10), (C11) of the products that take both recipes.
static LogicalResult verifyScales(ProductOpInterface op, const NamedOperands &operands) {
  return failure(failed(verifyBlock(op, "a_scale", op.getAScale(), {1})) ||
                 failed(verifyBlock(op, "b_scale", op.getBScale(), {128, 1})) ||
                 failed(verifyStorage(op, operands.sfa, "M", op.getM(), op.getK(), op.getAScale())) ||
                 failed(verifyStorage(op, operands.sfb, "N", op.getN(), op.getK(), op.getBScale())));
}

/// (C5), (C6), (G5), (C7), (C8): of the last two dimensions.
static LogicalResult verifyShape(ProductOpInterface op, const NamedOperands &operands) {
  const NamedOperand &a = operands.a, &b = operands.b, &d = operands.d;
  unsigned aK = a.rank() - 1, bK = b.rank() - 1, dN = d.rank() - 1;
  if (failed(verifyStatic(op, b, bK - 1, "N")) || failed(verifyStatic(op, d, dN, "N")) ||
      failed(verifyStatic(op, b, bK, "K")) || failed(verifyStatic(op, a, aK, "K")))
    return failure();
  int64_t m = op.getM(), n = op.getN(), k = op.getK(), columns = op.getColumnsOfD();
  if (a.size(aK) != k)
    return op->emitOpError("expected 'a' and 'b' to agree on K, got ") << a.size(aK) << " and " << k;
  if (!mayAgree(m, d.size(dN - 1)) || d.size(dN) != columns)
    return op->emitOpError("expected 'd' to be [rows of 'a', ")
           << (op.isGated() ? "half the " : "") << "rows of 'b'] = [" << extent(m) << ", " << columns << "], got ["
           << extent(d.size(dN - 1)) << ", " << d.size(dN) << "]";
  return failure(failed(verifyN(op, n)) || failed(verifyK(op, k)) || failed(verifySize(op, "M", m)) ||
                 failed(verifySize(op, "N", n)) || failed(verifySize(op, "K", k)));
}

/// In the generic form the sizes of segments are an attribute, which may leave out an operand.
template <typename Op> static LogicalResult verifyRequired(Op op) {
  constexpr unsigned kSegmentOfD = std::is_same_v<Op, GroupedGemmOp> ? 7 : 6; // after the groups, C and the epilogue's
  constexpr std::pair<unsigned, StringLiteral> kRequired[] = {
      {0, "a"}, {1, "sfa"}, {2, "b"}, {3, "sfb"}, {kSegmentOfD, "d"}};
  for (auto [segment, name] : kRequired)
    if (unsigned got = op.getODSOperandIndexAndLength(segment).second; got != 1)
      return op.emitOpError("expected one operand '") << name << "', got " << got;
  return success();
}

LogicalResult GemmOp::verify() {
  if (failed(verifyRequired(*this)))
    return failure();
  NamedOperands operands(*this);
  auto [a, sfa, b, sfb, groups, c, d, sfd, epilogue] = operands;
  return failure(failed(verifyKinds(*this, operands.all())) ||
                 failed(verifyRanks(*this, {a, sfa, b, sfb, c, d, sfd}, 2)) ||
                 failed(verifyElements(*this, operands)) || failed(verifyShape(*this, operands)) ||
                 failed(verifyC(*this, operands)) || failed(verifyScales(*this, operands)) ||
                 failed(verifyQuantised(*this, operands)) || failed(verifyMemory(*this, operands)) ||
                 failed(verifyEpilogue(*this, operands)) || failed(verifyResults(*this)));
}

//===----------------------------------------------------------------------===//
// grouped_gemm
//===----------------------------------------------------------------------===//

int64_t GroupedGemmOp::getM() { return sizeOf(getA(), -2); }
int64_t GroupedGemmOp::getN() { return sizeOf(getB(), 1); }
int64_t GroupedGemmOp::getK() { return sizeOf(getB(), 2); }

int64_t GroupedGemmOp::getGroupCount() {
  GroupingAttr grouping = getGroupingAttr();
  if (!isContiguous())
    return sizeOf(getA(), 0);
  int64_t entries = sizeOf(getGroups(), 0);
  bool isKnown = grouping.getKind() == GroupingKind::row_end && !ShapedType::isDynamic(entries);
  return isKnown ? entries : sizeOf(getB(), 0);
}

bool GroupedGemmOp::isContiguous() {
  GroupingAttr grouping = getGroupingAttr();
  return grouping && grouping.getKind() != GroupingKind::row_count;
}

/// (G2)
static LogicalResult verifyGrouping(GroupedGemmOp op) {
  GroupingAttr grouping = op.getGroupingAttr();
  if (bool(op.getGroups()) != bool(grouping))
    return op.emitOpError("expected 'groups' and 'grouping' both or neither, got only '")
           << (grouping ? "grouping" : "groups") << "'";
  if (grouping && grouping.getKind() == GroupingKind::k_count)
    return op.emitOpError("expected the grouping to be row_index, row_end or row_count, got k_count");
  return success();
}

/// (G4): dimension 0 of operands of rank 3.
static LogicalResult verifyGroupCount(GroupedGemmOp op, const NamedOperands &operands) {
  auto [a, sfa, b, sfb, groups, c, d, sfd, epilogue] = operands;
  for (const NamedOperand &operand : {b, sfb, a, sfa, d, sfd})
    if (operand && operand.rank() == 3 && failed(verifyStatic(op, operand, 0, "G")))
      return failure();
  int64_t count = op.getGroupCount(), weights = b.size(0);
  auto verifyCount = [&](const NamedOperand &operand, StringRef name, int64_t expected, StringRef source) -> LogicalResult {
    if (!operand || operand.rank() != 3 || operand.size(0) == expected)
      return success();
    return op.emitOpError("expected '") << operand.name << "' dimension 0 to be " << name << " = " << expected << ", as in '"
                                        << source << "', got " << operand.size(0);
  };
  for (const NamedOperand &operand : {sfa, d, sfd})
    if (failed(verifyCount(operand, "G", count, "a")))
      return failure();
  if (failed(verifyCount(sfb, "W", weights, "b")))
    return failure();
  if (count <= 0 || weights <= 0)
    return op.emitOpError("expected G to be positive, got ") << std::min(count, weights);
  if (count % weights != 0)
    return op.emitOpError("expected 'b' to have a matrix for each of ")
           << count << " groups, or a number of matrices that divides them, got " << weights;
  return verifySize(op, "G", count);
}

LogicalResult GroupedGemmOp::verify() {
  if (failed(verifyRequired(*this)))
    return failure();
  NamedOperands operands(*this);
  auto [a, sfa, b, sfb, groups, c, d, sfd, epilogue] = operands;
  if (failed(verifyGrouping(*this)) || failed(verifyKinds(*this, operands.all())) ||
      failed(verifyRanks(*this, {b, sfb}, 3)) || failed(verifyRanks(*this, {a, sfa, c, d, sfd}, isContiguous() ? 2 : 3)) ||
      failed(verifyRanks(*this, groups, 1)) || failed(verifyElements(*this, operands)) ||
      failed(verifyGroupCount(*this, operands)) || failed(verifyShape(*this, operands)) ||
      failed(verifyC(*this, operands)))
    return failure();
  if (groups) {
    bool byRow = getGroupingAttr().getKind() == GroupingKind::row_index;
    if (failed(verifyGroups(*this, groups, byRow ? getM() : getGroupCount(), byRow ? "rows" : "groups")))
      return failure();
  }
  return failure(failed(verifyScales(*this, operands)) || failed(verifyQuantised(*this, operands)) ||
                 failed(verifyMemory(*this, operands)) || failed(verifyEpilogue(*this, operands)) ||
                 failed(verifyResults(*this)));
}
