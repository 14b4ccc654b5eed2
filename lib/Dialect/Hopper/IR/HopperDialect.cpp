// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "fp8gemm/Dialect/Hopper/IR/Hopper.h"

#include "mlir/IR/DialectImplementation.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace fp8gemm::hopper;

/// An identifier, kept as a string attribute.
static ParseResult parseKeyword(AsmParser &parser, StringAttr &keyword) {
  StringRef text;
  if (parser.parseKeyword(&text))
    return failure();
  keyword = parser.getBuilder().getStringAttr(text);
  return success();
}

static void printKeyword(AsmPrinter &printer, StringAttr keyword) { printer << keyword.getValue(); }

/// An extent, `?` where it is dynamic.
static ParseResult parseExtent(AsmParser &parser, int64_t &extent) {
  if (succeeded(parser.parseOptionalQuestion())) {
    extent = ShapedType::kDynamic;
    return success();
  }
  return parser.parseInteger(extent);
}

static void printExtent(AsmPrinter &printer, int64_t extent) {
  if (ShapedType::isDynamic(extent))
    printer << '?';
  else
    printer << extent;
}

/// The types of vectors, and that of D: bias = f32, d = bf16.
static ParseResult parseVectorsAndD(AsmParser &parser, DictionaryAttr &vectors, Type &d) {
  NamedAttrList types;
  while (true) {
    StringRef name;
    Type type;
    SMLoc loc = parser.getCurrentLocation();
    if (parser.parseKeyword(&name) || parser.parseEqual() || parser.parseType(type))
      return failure();
    if (name == "d") {
      d = type;
      vectors = types.empty() ? DictionaryAttr() : types.getDictionary(parser.getContext());
      return success();
    }
    if (types.get(name))
      return parser.emitError(loc) << "expected the element types of vectors, one of each, and then of d, got '" << name
                                   << "'";
    types.append(name, TypeAttr::get(type));
    if (parser.parseComma())
      return failure();
  }
}

static void printVectorsAndD(AsmPrinter &printer, DictionaryAttr vectors, Type d) {
  if (vectors)
    for (NamedAttribute vector : vectors)
      printer << vector.getName().getValue() << " = " << cast<TypeAttr>(vector.getValue()).getValue() << ", ";
  printer << "d = " << d;
}

#include "fp8gemm/Dialect/Hopper/IR/HopperEnums.cpp.inc"
#include "fp8gemm/Dialect/Hopper/IR/HopperInterfaces.cpp.inc"
#define GET_ATTRDEF_CLASSES
#include "fp8gemm/Dialect/Hopper/IR/HopperAttrs.cpp.inc"

#include "fp8gemm/Dialect/Hopper/IR/HopperDialect.cpp.inc"

namespace {
/// `!ring`, `!map_128x64`, `!tile_128x64`, `!scales_128` ... for the types that are long and written often. Boxes of
/// one row or one matrix occur only within maps.
struct TypeAliases : OpAsmDialectInterface {
  using OpAsmDialectInterface::OpAsmDialectInterface;

  AliasResult getAlias(Type type, raw_ostream &os) const override {
    if (auto buffer = dyn_cast<MemRefType>(type))
      return getAlias(buffer, os);
    if (isa<RingType>(type))
      os << "ring";
    else if (auto map = dyn_cast<nvgpu::TensorMapDescriptorType>(type))
      llvm::interleave(map.getTensor().getShape(), os << "map_", "x");
    else
      return AliasResult::NoAlias;
    return AliasResult::FinalAlias;
  }

  static AliasResult getAlias(MemRefType buffer, raw_ostream &os) {
    auto space = dyn_cast_or_null<IntegerAttr>(buffer.getMemorySpace());
    if (!space || space.getInt() != 3 || !buffer.hasStaticShape() || buffer.getRank() == 0)
      return AliasResult::NoAlias;
    bool isBox = buffer.getRank() > 1 && buffer.getRank() < 4 && buffer.getDimSize(0) == 1;
    if (isBox && buffer.getLayout().isIdentity())
      return AliasResult::NoAlias;
    Type element = buffer.getElementType();
    os << (!buffer.getLayout().isIdentity()                 ? "view_"
           : isa<Float8E4M3FNType, Float8E5M2Type>(element) ? "tile_"
           : element.isF32() && buffer.getRank() == 1       ? "scales_"
           : element.isInteger(32)                          ? "table_"
                                                            : "smem_");
    llvm::interleave(buffer.getShape(), os, "x");
    if (isa<Float8E5M2Type>(element)) // a product may have both
      os << "_e5m2";
    return AliasResult::FinalAlias;
  }
};
} // namespace

void HopperDialect::initialize() {
  addInterfaces<TypeAliases>();
  addAttributes<
#define GET_ATTRDEF_LIST
#include "fp8gemm/Dialect/Hopper/IR/HopperAttrs.cpp.inc"
      >();
  registerTypes();
  addOperations<
#define GET_OP_LIST
#include "fp8gemm/Dialect/Hopper/IR/HopperOps.cpp.inc"
      >();
}

LogicalResult ParamAttr::verify(function_ref<InFlightDiagnostic()> emitError, ParamKind kind, Operand,
                                nvgpu::TensorMapDescriptorType map) {
  if (bool(map) != (kind == ParamKind::tensor_map))
    return emitError() << "expected the type of a tensor map for a tensor map and no other parameter, got "
                       << (map ? "one" : "none") << " for the kind " << stringifyParamKind(kind);
  if (map && !map.getTensor().hasStaticShape())
    return emitError() << "expected a tensor map with a box of static shape, got " << map;
  return success();
}
