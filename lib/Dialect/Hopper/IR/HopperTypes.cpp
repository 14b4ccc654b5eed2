// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Types: rings, fragments and scales.

#include "fp8gemm/Dialect/Hopper/IR/Hopper.h"

#include "mlir/IR/DialectImplementation.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace fp8gemm::hopper;

/// `64x128xf32`
static ParseResult parseFragmentShape(AsmParser &parser, SmallVector<int64_t> &shape) {
  SMLoc loc = parser.getCurrentLocation();
  if (parser.parseDimensionList(shape, /*allowDynamic=*/false) || parser.parseKeyword("f32"))
    return failure();
  if (shape.size() != 2)
    return parser.emitError(loc, "expected a fragment such as 64x128xf32, got ") << shape.size() << " dimensions";
  return success();
}

static void printFragmentShape(AsmPrinter &printer, ArrayRef<int64_t> shape) {
  printer << shape[0] << 'x' << shape[1] << "xf32";
}

#define GET_TYPEDEF_CLASSES
#include "fp8gemm/Dialect/Hopper/IR/HopperTypes.cpp.inc"

void HopperDialect::registerTypes() {
  addTypes<
#define GET_TYPEDEF_LIST
#include "fp8gemm/Dialect/Hopper/IR/HopperTypes.cpp.inc"
      >();
}

//===----------------------------------------------------------------------===//
// Rings
//===----------------------------------------------------------------------===//

static int64_t getBytes(MemRefType type) { return type.getNumElements() * type.getElementTypeBitWidth() / 8; }

int64_t RingType::getExpectedBytes() {
  int64_t bytes = 0;
  for (MemRefType buffer : getTma())
    bytes += getBytes(buffer);
  return bytes;
}

int64_t RingType::getFullArrivals() {
  constexpr int64_t kHelperLanes = 32;
  return (getTma().empty() ? 0 : 1) + (getWarps().empty() ? 0 : kHelperLanes);
}

SmallVector<MemRefType> RingType::getBuffers() {
  SmallVector<MemRefType> buffers(getTma());
  llvm::append_range(buffers, getWarps());
  return buffers;
}

int64_t RingType::getBufferStride(unsigned buffer) {
  int64_t bytes = getBytes(getBuffers()[buffer]);
  return llvm::alignTo(bytes, bytes >= 1024 ? 1024 : 128);
}

int64_t RingType::getBufferOffset(unsigned buffer) {
  int64_t offset = 0;
  SmallVector<MemRefType> buffers = getBuffers();
  for (unsigned i = 0; i <= buffer && i < buffers.size(); ++i) {
    offset = llvm::alignTo(offset, getBytes(buffers[i]) >= 1024 ? 1024 : 128);
    if (i < buffer)
      offset += getStages() * getBufferStride(i);
  }
  return buffer < buffers.size() ? offset : llvm::alignTo(offset, 8);
}

/// `(` (name `:` memref),+ `)`.
static ParseResult parseBuffers(AsmParser &parser, SmallVectorImpl<MemRefType> &buffers,
                                SmallVectorImpl<StringAttr> &names) {
  return parser.parseCommaSeparatedList(AsmParser::Delimiter::Paren, [&] {
    StringRef name;
    MemRefType type;
    if (parser.parseKeyword(&name) || parser.parseColonType(type))
      return failure();
    names.push_back(parser.getBuilder().getStringAttr(name));
    buffers.push_back(type);
    return success();
  });
}

/// `=` value.
static ParseResult parseNumber(AsmParser &parser, int64_t &value) {
  return failure(parser.parseEqual() || parser.parseInteger(value));
}

Type RingType::parse(AsmParser &parser) {
  SMLoc loc = parser.getCurrentLocation();
  int64_t stages = 0, readers = 0, cluster = 1;
  SmallVector<MemRefType> tma, warps;
  SmallVector<StringAttr> names;
  if (parser.parseLess() || parser.parseKeyword("stages") || parseNumber(parser, stages) || parser.parseComma())
    return {};
  if (succeeded(parser.parseOptionalKeyword("tma")) && (parseBuffers(parser, tma, names) || parser.parseComma()))
    return {};
  if (succeeded(parser.parseOptionalKeyword("warps")) && (parseBuffers(parser, warps, names) || parser.parseComma()))
    return {};
  if (parser.parseKeyword("readers") || parseNumber(parser, readers))
    return {};
  if (succeeded(parser.parseOptionalComma()) && (parser.parseKeyword("cluster") || parseNumber(parser, cluster)))
    return {};
  if (parser.parseGreater())
    return {};
  return parser.getChecked<RingType>(loc, parser.getContext(), stages, tma, warps, names, readers, cluster);
}

void RingType::print(AsmPrinter &printer) const {
  printer << "<stages = " << getStages();
  auto print = [&](StringRef filler, ArrayRef<MemRefType> buffers, ArrayRef<StringAttr> names) {
    if (buffers.empty())
      return;
    printer << ", " << filler << '(';
    llvm::interleaveComma(llvm::zip_equal(names, buffers), printer, [&](auto buffer) {
      printer << std::get<0>(buffer).getValue() << ": " << std::get<1>(buffer);
    });
    printer << ')';
  };
  print("tma", getTma(), getNames().take_front(getTma().size()));
  print("warps", getWarps(), getNames().drop_front(getTma().size()));
  printer << ", readers = " << getReaders();
  if (getCluster() != 1)
    printer << ", cluster = " << getCluster();
  printer << '>';
}

static constexpr int64_t kMostStages = 1024;
/// The largest cluster that every GPU of compute capability 9.0 runs (CUDA Programming Guide).
static constexpr int64_t kMostCluster = 8;
/// Warpgroups of a CTA of 1024 threads.
static constexpr int64_t kMostReaders = 8;
static constexpr int64_t kMostRingBits = int64_t(1) << 40;

LogicalResult RingType::verify(function_ref<InFlightDiagnostic()> emitError, int64_t stages, ArrayRef<MemRefType> tma,
                               ArrayRef<MemRefType> warps, ArrayRef<StringAttr> names, int64_t readers,
                               int64_t cluster) {
  if (cluster < 1 || cluster > kMostCluster)
    return emitError() << "expected a cluster of 1 to " << kMostCluster << " CTAs, got " << cluster;
  if (stages < 1 || stages > kMostStages)
    return emitError() << "expected 1 to " << kMostStages << " stages, got " << stages;
  if (readers < 1)
    return emitError() << "expected at least 1 reading warpgroup, got " << readers;
  if (readers > kMostReaders)
    return emitError() << "expected at most " << kMostReaders << " reading warpgroups, got " << readers;
  if (tma.empty() && warps.empty())
    return emitError() << "expected at least 1 buffer, got none";
  if (names.size() != tma.size() + warps.size())
    return emitError() << "expected a name for each of " << tma.size() + warps.size() << " buffers, got "
                       << names.size();
  for (auto [i, name] : llvm::enumerate(names))
    if (llvm::is_contained(names.take_front(i), name))
      return emitError() << "expected the buffers of a ring to have different names, got '" << name.getValue()
                         << "' twice";
  for (ArrayRef<MemRefType> list : {tma, warps})
    for (MemRefType buffer : list) {
      auto space = dyn_cast_or_null<IntegerAttr>(buffer.getMemorySpace());
      if (!space || space.getInt() != 3)
        return emitError() << "expected buffers in shared memory (memory space 3), got " << buffer;
      if (!buffer.hasStaticShape() || !buffer.getLayout().isIdentity())
        return emitError() << "expected buffers of static shape without strides, got " << buffer;
      if (!buffer.getElementType().isIntOrFloat())
        return emitError() << "expected buffers of integers or floats, got " << buffer;
      // Far more than an SM has; below it the layout's sums cannot overflow.
      int64_t bits = buffer.getElementTypeBitWidth() * stages;
      for (int64_t extent : buffer.getShape())
        if (llvm::MulOverflow(bits, extent, bits) || bits > kMostRingBits)
          return emitError() << "expected buffers of at most " << kMostRingBits / 8 << " bytes over all stages, got "
                             << stages << " x " << buffer;
    }
  return success();
}

//===----------------------------------------------------------------------===//
// Fragments and scales
//===----------------------------------------------------------------------===//

LogicalResult FragmentType::verify(function_ref<InFlightDiagnostic()> emitError, ArrayRef<int64_t> shape) {
  if (shape.size() != 2)
    return emitError() << "expected a fragment of 2 dimensions, got " << shape.size();
  int64_t rows = shape[0], columns = shape[1];
  if (rows != 64)
    return emitError() << "expected a fragment of 64 rows, got " << rows;
  if (columns < 8 || columns > 256 || columns % 8 != 0)
    return emitError() << "expected fragment columns to be a multiple of 8 in [8, 256], got " << columns;
  return success();
}

ShapedType FragmentType::cloneWith(std::optional<ArrayRef<int64_t>> shape, Type elementType) const {
  if (elementType == getElementType() && (!shape || *shape == getShape()))
    return *this;
  return VectorType::get(shape.value_or(getShape()), elementType);
}

ArrayRef<int64_t> ScalesType::getShape() const { return ArrayRef<int64_t>(getImpl()->extent); }

ShapedType ScalesType::cloneWith(std::optional<ArrayRef<int64_t>> shape, Type elementType) const {
  if (elementType == getElementType() && (!shape || *shape == getShape()))
    return *this;
  return VectorType::get(shape.value_or(getShape()), elementType);
}

LogicalResult ScalesType::verify(function_ref<InFlightDiagnostic()> emitError, int64_t extent, Axis axis,
                                 int64_t block) {
  if (axis == Axis::rows) {
    if (extent != 64 || (block != 1 && block != 64))
      return emitError() << "expected scales of 64 rows by 1 or by 64, got " << extent << " by " << block;
    return success();
  }
  if (block != 1 && (block < 8 || block % 8 != 0))
    return emitError() << "expected blocks of 1 or a multiple of 8 columns, got " << block;
  if (extent > 256)
    return emitError() << "expected at most 256 columns, got " << extent;
  if (extent <= 0 || extent % std::max<int64_t>(block, 8) != 0)
    return emitError() << "expected columns to be a positive multiple of " << std::max<int64_t>(block, 8) << ", got "
                       << extent;
  return success();
}

int64_t ScalesType::getRegisters() {
  if (getAxis() == Axis::rows)
    return getBlock() == 1 ? 2 : 1;
  return getBlock() == 1 ? getExtent() / 4 : getExtent() / getBlock();
}

int64_t ScalesType::getRegisterOf(int64_t fragmentRegister) {
  // 4j + 2h + c: see !hopper.fragment.
  int64_t j = fragmentRegister / 4, h = fragmentRegister / 2 % 2, c = fragmentRegister % 2;
  if (getAxis() == Axis::rows)
    return getBlock() == 1 ? h : 0;
  return getBlock() == 1 ? 2 * j + c : 8 * j / getBlock();
}
