// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "fp8gemm/Dialect/Hopper/IR/Hopper.h"

#include "Panels.h"
#include "UniformValues.h"
#include "mlir/Dialect/GPU/IR/GPUDialect.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/IR/Matchers.h"

using namespace mlir;
using namespace fp8gemm::hopper;

/// A result's name in printed IR.
using SetName = function_ref<void(Value, StringRef)>;

#define GET_OP_CLASSES
#include "fp8gemm/Dialect/Hopper/IR/HopperOps.cpp.inc"

//===----------------------------------------------------------------------===//
// warp_specialize
//===----------------------------------------------------------------------===//

/// Registers of an SM, and what setmaxnreg accepts (PTX ISA, "setmaxnreg").
static constexpr int64_t kSmRegisters = 65536;
static constexpr int64_t kThreadsPerWarpgroup = 128;
/// Iterations that become one.
static constexpr int64_t kMostUnrolled = 64;

/// `(` count `)`.
static ParseResult parseCount(OpAsmParser &parser, IntegerAttr &count) {
  int32_t value = 0;
  if (parser.parseLParen() || parser.parseInteger(value) || parser.parseRParen())
    return failure();
  count = parser.getBuilder().getI32IntegerAttr(value);
  return success();
}

/// `word` `(` count `)`.
static ParseResult parseCount(OpAsmParser &parser, StringRef word, IntegerAttr &count) {
  return failure(parser.parseKeyword(word) || parseCount(parser, count));
}

ParseResult WarpSpecializeOp::parse(OpAsmParser &parser, OperationState &result) {
  // Before they are read, so that on failure they live as long as the uses of their values.
  Region *producer = result.addRegion(), *helper = result.addRegion(), *consumer = result.addRegion();
  auto &properties = result.getOrAddProperties<Properties>();
  if (parser.parseKeyword("producer") || parseCount(parser, "registers", properties.producer_registers) ||
      parser.parseRegion(*producer))
    return failure();
  bool hasHelper = succeeded(parser.parseOptionalKeyword("helper"));
  if (hasHelper && parser.parseRegion(*helper))
    return failure();
  OpAsmParser::Argument warpgroup;
  warpgroup.type = parser.getBuilder().getIndexType();
  if (parseCount(parser, "consumers", properties.consumers) ||
      parseCount(parser, "registers", properties.consumer_registers))
    return failure();
  if (succeeded(parser.parseOptionalKeyword("unroll")) && parseCount(parser, properties.unroll))
    return failure();
  if (parser.parseVerticalBar() || parser.parseArgument(warpgroup) || parser.parseVerticalBar() ||
      parser.parseRegion(*consumer, {warpgroup}))
    return failure();
  for (Region *region : {producer, helper, consumer})
    if (region != helper || hasHelper)
      ensureTerminator(*region, parser.getBuilder(), result.location);
  return parser.parseOptionalAttrDict(result.attributes);
}

void WarpSpecializeOp::print(OpAsmPrinter &printer) {
  printer << " producer registers(" << getProducerRegisters() << ") ";
  auto print = [&](Region &region) {
    printer.printRegion(region, /*printEntryBlockArgs=*/false, /*printBlockTerminators=*/false);
  };
  print(getProducer());
  if (!getHelper().empty()) {
    printer << " helper ";
    print(getHelper());
  }
  printer << " consumers(" << getConsumers() << ") registers(" << getConsumerRegisters() << ") ";
  if (getUnroll() != 1)
    printer << "unroll(" << getUnroll() << ") ";
  printer << "|";
  if (!getConsumer().empty() && getConsumer().getNumArguments() == 1)
    printer.printRegionArgument(getConsumer().getArgument(0), {}, /*omitType=*/true);
  printer << "| ";
  print(getConsumer());
  printer.printOptionalAttrDict((*this)->getAttrs(), {getProducerRegistersAttrName(), getConsumersAttrName(),
                                                      getConsumerRegistersAttrName(), getUnrollAttrName()});
}

LogicalResult WarpSpecializeOp::verify() {
  auto checkRegisters = [&](StringRef role, int64_t registers) -> LogicalResult {
    if (registers % 8 == 0 && registers >= 24 && registers <= 256)
      return success();
    return emitOpError() << "expected " << role << " registers to be a multiple of 8 in [24, 256], got " << registers;
  };
  int64_t producer = getProducerRegisters(), consumer = getConsumerRegisters(), consumers = getConsumers();
  if (failed(checkRegisters("producer", producer)) || failed(checkRegisters("consumer", consumer)))
    return failure();
  if (consumers < 1)
    return emitOpError() << "expected at least 1 consumer warpgroup, got " << consumers;
  if (int32_t unroll = getUnroll(); unroll < 1 || unroll > kMostUnrolled)
    return emitOpError() << "expected 'unroll' to be in [1, " << kMostUnrolled << "], got " << unroll;
  int64_t total = kThreadsPerWarpgroup * (producer + consumers * consumer);
  if (total > kSmRegisters)
    return emitOpError() << "expected the roles to need at most " << kSmRegisters << " registers, got " << total;
  return success();
}

void WarpSpecializeOp::getAsmBlockArgumentNames(Region &region, OpAsmSetValueNameFn setName) {
  if (&region == &getConsumer() && region.getNumArguments() == 1)
    setName(region.getArgument(0), "warpgroup");
}

LogicalResult WarpSpecializeOp::verifyRegions() {
  if (getProducer().getNumArguments() != 0 || getHelper().getNumArguments() != 0)
    return emitOpError() << "expected the producer and helper regions to have no arguments";
  if (getConsumer().getNumArguments() != 1 || !getConsumer().getArgument(0).getType().isIndex())
    return emitOpError() << "expected the consumer region to have one index argument, the warpgroup's number";
  UniformValues uniform;
  for (Region *region : {&getProducer(), &getHelper(), &getConsumer()}) {
    WalkResult result = region->walk([&](Operation *op) {
      for (Value operand : op->getOperands()) {
        if (region->isAncestor(operand.getParentRegion()))
          continue;
        if (Value differing = uniform.findDiffering(operand)) {
          InFlightDiagnostic error = op->emitOpError() << "captures a value that may differ between threads";
          if (differing != operand)
            error.attachNote(differing.getLoc()) << "as it is computed from this one";
          return WalkResult::interrupt();
        }
      }
      return WalkResult::advance();
    });
    if (result.wasInterrupted())
      return failure();
  }
  return success();
}

//===----------------------------------------------------------------------===//
// Rings
//===----------------------------------------------------------------------===//

static void appendSlotTypes(MLIRContext *context, ArrayRef<MemRefType> buffers, SmallVectorImpl<Type> &types) {
  types.push_back(SlotType::get(context));
  llvm::append_range(types, buffers);
}

LogicalResult RingAcquireOp::inferReturnTypes(MLIRContext *context, std::optional<Location> location,
                                              ValueRange operands, DictionaryAttr attributes,
                                              OpaqueProperties properties, RegionRange regions,
                                              SmallVectorImpl<Type> &types) {
  Adaptor adaptor(operands, attributes, properties, regions);
  auto ring = dyn_cast<RingType>(adaptor.getRing().getType());
  if (!ring)
    return emitOptionalError(location, "expected a ring, got ", adaptor.getRing().getType());
  appendSlotTypes(context, adaptor.getFiller() == Filler::tma ? ring.getTma() : ring.getWarps(), types);
  return success();
}

LogicalResult RingWaitOp::inferReturnTypes(MLIRContext *context, std::optional<Location> location, ValueRange operands,
                                           DictionaryAttr attributes, OpaqueProperties properties, RegionRange regions,
                                           SmallVectorImpl<Type> &types) {
  Adaptor adaptor(operands, attributes, properties, regions);
  auto ring = dyn_cast<RingType>(adaptor.getRing().getType());
  if (!ring)
    return emitOptionalError(location, "expected a ring, got ", adaptor.getRing().getType());
  appendSlotTypes(context, ring.getBuffers(), types);
  return success();
}

/// `%slot, %a, %b, ...`: as the ring names its buffers.
static void nameSlot(Value slot, ValueRange buffers, ArrayRef<StringAttr> names, SetName setName) {
  setName(slot, "slot");
  for (auto [buffer, name] : llvm::zip(buffers, names))
    setName(buffer, name);
}

void RingAcquireOp::getAsmResultNames(SetName setName) {
  RingType ring = getRing().getType();
  ArrayRef<StringAttr> names = ring.getNames();
  bool byTma = getFiller() == Filler::tma;
  nameSlot(getSlot(), getBuffers(), byTma ? names : names.drop_front(ring.getTma().size()), setName);
}
void RingWaitOp::getAsmResultNames(SetName setName) {
  nameSlot(getSlot(), getBuffers(), getRing().getType().getNames(), setName);
}
void RingCreateOp::getAsmResultNames(SetName setName) { setName(getRing(), "ring"); }
void FetchScalesOp::getAsmResultNames(SetName setName) { setName(getValues(), "fetched"); }
void RingAdvanceOp::getAsmResultNames(SetName setName) {
  setName(getNextStage(), "stage");
  setName(getNextPhase(), "phase");
}

template <typename Op> static LogicalResult verifyPosition(Op op) {
  if (!op.getStage() != !op.getPhase())
    return op.emitOpError() << "expected both a stage and a phase, or neither";
  return success();
}

LogicalResult RingAcquireOp::verify() {
  if (getBuffers().empty())
    return emitOpError() << "expected a ring with buffers filled by " << stringifyFiller(getFiller()) << ", got none";
  return verifyPosition(*this);
}

LogicalResult RingWaitOp::verify() { return verifyPosition(*this); }

//===----------------------------------------------------------------------===//
// Filling a stage
//===----------------------------------------------------------------------===//

/// Elements of a box along one side: a bound of ours; TMA's own is less (CUDA Driver API, cuTensorMapEncodeTiled).
static constexpr int64_t kMostBoxExtent = 1024;

/// Scales that one operation moves, 32 a lane.
static constexpr int64_t kMostScales = 1024;

/// The swizzle whose period is `bytes`, what TMA calls a row of that length.
static nvgpu::TensorMapSwizzleKind swizzleOfRow(int64_t bytes) {
  switch (bytes) {
  case 128:
    return nvgpu::TensorMapSwizzleKind::SWIZZLE_128B;
  case 64:
    return nvgpu::TensorMapSwizzleKind::SWIZZLE_64B;
  case 32:
    return nvgpu::TensorMapSwizzleKind::SWIZZLE_32B;
  default:
    return nvgpu::TensorMapSwizzleKind::SWIZZLE_NONE;
  }
}

/// A box is where other types are compared with it: so that nothing overflows there.
static LogicalResult verifyBox(Operation *op, MemRefType box) {
  bool holds = box.getRank() >= 1 && box.hasStaticShape() && box.getElementType().isIntOrFloat();
  for (int64_t extent : box.getShape())
    holds &= extent >= 1 && extent <= kMostBoxExtent;
  if (holds)
    return success();
  return op->emitOpError() << "expected the map's box to have extents in [1, " << kMostBoxExtent
                           << "] of integers or floats, got " << box;
}

/// The map's box of rank 2; of a tensor with groups without the leading 1, empty where it has none.
static ArrayRef<int64_t> boxOf(nvgpu::TensorMapDescriptorType map, bool grouped) {
  ArrayRef<int64_t> box = map.getTensor().getShape();
  if (!grouped)
    return box;
  return box.size() == 3 && box.front() == 1 ? box.drop_front() : ArrayRef<int64_t>();
}

LogicalResult TmaLoadOp::verify() {
  MemRefType box = getMap().getType().getTensor();
  auto buffer = cast<MemRefType>(getBuffer().getType());
  if (failed(verifyBox(*this, box)))
    return failure();
  ArrayRef<int64_t> shape = boxOf(getMap().getType(), bool(getGroup()));
  bool row = buffer.getRank() == 1 && shape.size() == 2 && shape.front() == 1, panels = buffer.getRank() == 3;
  if (box.getElementType() != buffer.getElementType() ||
      (row ? shape.drop_front() : shape) != (panels ? buffer.getShape().drop_front() : buffer.getShape()))
    return emitOpError() << "expected 'buffer' to have the shape and element type of the map's box, " << box << ", got "
                         << buffer;
  if (!isDirect(buffer))
    return emitOpError() << "expected the elements of 'buffer' to follow each other directly, got " << buffer;
  bool isF8 = box.getElementTypeBitWidth() == 8;
  if (isF8 && box.getShape().back() != 128)
    return emitOpError() << "expected a box of f8 elements to have rows of 128 bytes, got " << box.getShape().back();
  int64_t rowBytes = box.getShape().back() * box.getElementTypeBitWidth() / 8;
  auto expected = isF8 || panels ? swizzleOfRow(rowBytes) : nvgpu::TensorMapSwizzleKind::SWIZZLE_NONE;
  if (getMap().getType().getSwizzle() != expected)
    return emitOpError() << "expected the map to have " << nvgpu::stringifyTensorMapSwizzleKind(expected) << ", got "
                         << nvgpu::stringifyTensorMapSwizzleKind(getMap().getType().getSwizzle());
  return success();
}

LogicalResult TmaPrefetchOp::verify() {
  MemRefType box = getMap().getType().getTensor();
  if (failed(verifyBox(*this, box)))
    return failure();
  if (boxOf(getMap().getType(), bool(getGroup())).size() == 2)
    return success();
  return emitOpError() << "expected the map's box to have rank " << (getGroup() ? "3 after a leading 1" : "2")
                       << ", got " << box;
}

LogicalResult FetchScalesOp::verify() {
  int64_t count = getCount(), step = getStep(), per = getPer();
  int64_t lanes = cast<VectorType>(getValues().getType()).getNumElements();
  if (count < 1 || step < 1 || per < 1)
    return emitOpError() << "expected 'count', 'step' and 'per' to be positive, got " << count << ", " << step << ", "
                         << per;
  if (count > kMostScales)
    return emitOpError() << "expected at most " << kMostScales << " scales, got " << count;
  if (lanes != int64_t(llvm::divideCeil(count, 32)))
    return emitOpError() << "expected " << llvm::divideCeil(count, 32) << " elements a lane for " << count
                         << " scales, got " << lanes;
  SmallVector<int64_t> strides;
  int64_t offset;
  auto source = cast<MemRefType>(getSource().getType());
  if (source.getRank() != (getGroup() ? 3 : 2))
    return emitOpError() << "expected 'source' to have rank " << (getGroup() ? 3 : 2) << ", got " << source;
  if (failed(source.getStridesAndOffset(strides, offset)) || !llvm::is_contained(ArrayRef(strides).take_back(2), 1))
    return emitOpError() << "expected 'source' to have one unit stride, got " << source;
  return success();
}

/// (C2) of put_scales.
static LogicalResult verifyScalesOfRows(PutScalesOp op, ScalesType scales, MemRefType buffer) {
  SmallVector<int64_t> strides;
  int64_t offset;
  if (scales.getAxis() != Axis::rows || scales.getBlock() != 1)
    return op.emitOpError() << "expected scales of 64 rows by 1, got " << scales;
  if (buffer.getMemorySpace() || buffer.getRank() != (op.getGroup() ? 3 : 2) ||
      failed(buffer.getStridesAndOffset(strides, offset)) || !llvm::is_contained(ArrayRef(strides).take_back(2), 1))
    return op.emitOpError() << "expected 'buffer' to be in global memory, of rank " << (op.getGroup() ? 3 : 2)
                            << " and with one unit stride, got " << buffer;
  return success();
}

LogicalResult PutScalesOp::verify() {
  auto buffer = cast<MemRefType>(getBuffer().getType());
  auto scales = dyn_cast<ScalesType>(getValues().getType());
  bool isWhole = getRow() && getKBlock() && getRows();
  if (bool(scales) != isWhole || (!scales && (getGroup() || getRows())))
    return emitOpError() << "expected 'row', 'k_block' and 'rows' for scales and not for a vector, got "
                         << getValues().getType();
  if (scales)
    return verifyScalesOfRows(*this, scales, buffer);
  int64_t elements = cast<VectorType>(getValues().getType()).getNumElements();
  if (elements > kMostScales / 32)
    return emitOpError() << "expected at most " << kMostScales / 32 << " elements a lane, got " << elements;
  int64_t room = 32 * elements;
  if (buffer.getRank() != 1 || !buffer.getElementType().isF32() || buffer.getDimSize(0) > room || !isDirect(buffer))
    return emitOpError() << "expected 'buffer' to be rank-1 f32 of at most " << room << " elements, got " << buffer;
  return success();
}

//===----------------------------------------------------------------------===//
// Computing
//===----------------------------------------------------------------------===//

void MmaOp::getAsmResultNames(SetName setName) { setName(getPartial(), "partial"); }
void MmaWaitOp::getAsmResultNames(SetName setName) { setName(getResult(), "done"); }
void PromoteOp::getAsmResultNames(SetName setName) { setName(getResult(), "sum"); }
void LoadFragmentOp::getAsmResultNames(SetName setName) { setName(getFragment(), "loaded"); }
void LoadScalesOp::getAsmResultNames(SetName setName) {
  setName(getScales(), stringifyAxis(getScales().getType().getAxis()));
}

LogicalResult MmaOp::verify() {
  auto check = [&](StringRef name, MemRefType type) -> LogicalResult {
    SmallVector<int64_t> strides;
    int64_t offset;
    bool isF8 = isa<Float8E4M3FNType, Float8E5M2Type>(type.getElementType());
    if (type.getRank() == 2 && isF8 && type.getDimSize(1) == 128 &&
        succeeded(type.getStridesAndOffset(strides, offset)) && strides[0] == 128 && strides[1] == 1)
      return success();
    return emitOpError() << "expected '" << name << "' to be rows of 128 f8E4M3FN or f8E5M2, 128 bytes apart, got "
                         << type;
  };
  auto a = cast<MemRefType>(getA().getType()), b = cast<MemRefType>(getB().getType());
  FragmentType partial = getPartial().getType();
  if (failed(check("a", a)) || failed(check("b", b)))
    return failure();
  if (a.getDimSize(0) != 64)
    return emitOpError() << "expected 'a' to have 64 rows, got " << a.getDimSize(0);
  int64_t n = b.getDimSize(0);
  if (n % 8 != 0 || n < 8 || n > 256)
    return emitOpError() << "expected 'b' rows to be a multiple of 8 in [8, 256], got " << n;
  if (partial.getColumns() != n)
    return emitOpError() << "expected a result of 64x" << n << "xf32, got " << partial;
  return success();
}

//===----------------------------------------------------------------------===//
// Storing a tile
//===----------------------------------------------------------------------===//

/// 256 columns of f32 in rows of 32 bytes.
static constexpr int64_t kMostPanels = 32;

/// Panels: [panels, 64, w] with rows of 32, 64 or 128 bytes.
static LogicalResult verifyPanels(Operation *op, StringRef name, MemRefType panels) {
  Type element = panels.getElementType();
  bool isStored = isa<StoreFragmentOp, TmaStoreOp, StoreRowsOp>(op), isF8 = isStored && isa<Float8E4M3FNType>(element);
  if (panels.getRank() != 3 || !(element.isBF16() || element.isF32() || isF8) || !hasSwizzledRows(panels))
    return op->emitOpError() << "expected '" << name << "' to be [panels, rows, w] bf16" << (isStored ? ", f32 or f8E4M3FN" : " or f32")
                             << " with rows of 32, 64 or 128 bytes, got "
                             << panels;
  if (panels.getDimSize(0) > kMostPanels)
    return op->emitOpError() << "expected '" << name << "' to have at most " << kMostPanels << " panels, got "
                             << panels.getDimSize(0);
  if (!hasDirectRows(panels))
    return op->emitOpError() << "expected the rows of a panel of '" << name << "' to follow each other directly, got "
                             << panels;
  return success();
}

static LogicalResult verifyPanels(Operation *op, StringRef name, MemRefType panels, FragmentType fragment) {
  if (failed(verifyPanels(op, name, panels)))
    return failure();
  if (panels.getDimSize(1) != 64)
    return op->emitOpError() << "expected '" << name << "' to hold 64 rows, got " << panels.getDimSize(1);
  int64_t columns = panels.getDimSize(0) * panels.getDimSize(2);
  if (columns != fragment.getColumns())
    return op->emitOpError() << "expected '" << name << "' to hold " << fragment.getColumns() << " columns, got "
                             << columns;
  return success();
}

LogicalResult StoreFragmentOp::verify() {
  auto staging = cast<MemRefType>(getStaging().getType());
  if (!getTransposed())
    return verifyPanels(*this, "staging", staging, getFragment().getType());
  int64_t columns = getFragment().getType().getColumns();
  if (staging.getElementType().isBF16() && staging.getShape() == ArrayRef<int64_t>{1, columns, 64} && isDirect(staging))
    return success();
  return emitOpError() << "expected 'staging' to be 1x" << columns << "x64 bf16, got " << staging;
}

int64_t LoadFragmentOp::getSourceRows() {
  auto source = cast<MemRefType>(getSource().getType());
  return source.getRank() == 1 ? 1 : source.getShape().take_back(2).front();
}

int64_t LoadFragmentOp::getSourceColumns() { return cast<MemRefType>(getSource().getType()).getShape().back(); }

/// (C2)
static LogicalResult verifyGlobalMatrix(LoadFragmentOp op) {
  auto source = cast<MemRefType>(op.getSource().getType());
  SmallVector<int64_t> strides;
  int64_t offset, columns = op.getSourceColumns();
  Type element = source.getElementType();
  if (source.getMemorySpace() || failed(source.getStridesAndOffset(strides, offset)) || strides.back() != 1 ||
      offset != 0 || !(element.isBF16() || element.isF16() || element.isF32()) || ShapedType::isDynamic(columns) ||
      (columns != 1 && columns % 2 != 0) || columns == 0)
    return op.emitOpError() << "expected 'source' to be rows of 1 or an even number of bf16, f16 or f32 in global "
                               "memory, each next to the one before, got "
                            << source;
  if (source.getRank() < (op.getGroup() ? 3 : 1) || source.getRank() > (op.getGroup() ? 3 : 2))
    return op.emitOpError() << "expected 'source' to have rank " << (op.getGroup() ? "3 with" : "1 or 2 without")
                            << " a group, got " << source;
  return success();
}

/// (C3)
LogicalResult LoadFragmentOp::verify() {
  if (!isOfMatrix()) {
    if (getGroup() || getLimit() || getTransposed())
      return emitOpError() << "expected 'row' and 'column' with 'group', 'limit' or 'transposed', got none";
    return verifyPanels(*this, "source", cast<MemRefType>(getSource().getType()), getFragment().getType());
  }
  if (failed(verifyGlobalMatrix(*this)))
    return failure();
  bool hasRows = getSourceRows() != 1;
  if (bool(getLimit()) != hasRows)
    return emitOpError() << "expected " << (hasRows ? "a" : "no") << " 'limit' for a source of "
                         << (hasRows ? "several rows" : "one row") << ", got " << (hasRows ? "none" : "one");
  return success();
}

LogicalResult NamedBarrierOp::verify() {
  if (static_cast<int32_t>(getThreads()) <= 0 || getThreads() % 32 != 0)
    return emitOpError() << "expected 'threads' to be a positive multiple of 32, got " << getThreads();
  APInt id;
  if (matchPattern(getId(), m_ConstantInt(&id)) && (id.slt(1) || id.sgt(15)))
    return emitOpError() << "expected 'id' to be in [1, 15], got " << id.getSExtValue();
  return success();
}

LogicalResult TmaStoreOp::verify() {
  auto staging = cast<MemRefType>(getStaging().getType());
  if (failed(verifyPanels(*this, "staging", staging)))
    return failure();
  if (getAdd() && !staging.getElementType().isF32())
    return emitOpError() << "expected 'add' of f32 elements, got " << staging.getElementType();
  MemRefType box = getMap().getType().getTensor();
  if (failed(verifyBox(*this, box)))
    return failure();
  if (boxOf(getMap().getType(), bool(getGroup())) != staging.getShape().drop_front() ||
      box.getElementType() != staging.getElementType())
    return emitOpError() << "expected the map's box to be a panel of 'staging', " << staging << ", got " << box;
  auto expected = swizzleOfRow(staging.getDimSize(2) * staging.getElementTypeBitWidth() / 8);
  if (getMap().getType().getSwizzle() != expected)
    return emitOpError() << "expected the map to have " << nvgpu::stringifyTensorMapSwizzleKind(expected) << ", got "
                         << nvgpu::stringifyTensorMapSwizzleKind(getMap().getType().getSwizzle());
  return success();
}

void SumFragmentsOp::getAsmResultNames(SetName setName) { setName(getSum(), "sum"); }
