// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "fp8gemm/Dialect/FP8Gemm/IR/FP8Gemm.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/DialectImplementation.h"
#include "mlir/Transforms/InliningUtils.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;

/// Rows that a group may be aligned to: those of the largest tile.
static constexpr int64_t kMaxGroupAlign = 256;

/// `1x128`
static ParseResult parseBlockShape(AsmParser &parser, int64_t &rows, int64_t &columns) {
  SmallVector<int64_t> shape;
  SMLoc loc = parser.getCurrentLocation();
  if (parser.parseDimensionList(shape, /*allowDynamic=*/false, /*withTrailingX=*/false))
    return failure();
  if (shape.size() != 2)
    return parser.emitError(loc, "expected a block shape such as 1x128, got ") << shape.size() << " dimensions";
  rows = shape[0];
  columns = shape[1];
  return success();
}

static void printBlockShape(AsmPrinter &printer, int64_t rows, int64_t columns) { printer << rows << 'x' << columns; }

#include "fp8gemm/Dialect/FP8Gemm/IR/FP8GemmEnums.cpp.inc"
#define GET_ATTRDEF_CLASSES
#include "fp8gemm/Dialect/FP8Gemm/IR/FP8GemmAttrs.cpp.inc"

#include "fp8gemm/Dialect/FP8Gemm/IR/FP8GemmDialect.cpp.inc"

LogicalResult fp8gemm::ConfigAttr::verify(function_ref<InFlightDiagnostic()> emitError, int64_t tileM, int64_t tileN,
                                          int64_t stages, int64_t consumers, int64_t producerRegisters,
                                          int64_t consumerRegisters, int64_t rasterGroup, int64_t clusterM,
                                          int64_t clusterN, int64_t splitK, int64_t partials, int64_t swapAb) {
  const std::pair<StringRef, int64_t> fields[] = {{"tile_m", tileM},
                                                  {"tile_n", tileN},
                                                  {"stages", stages},
                                                  {"consumers", consumers},
                                                  {"producer_registers", producerRegisters},
                                                  {"consumer_registers", consumerRegisters},
                                                  {"raster_group", rasterGroup},
                                                  {"cluster_m", clusterM},
                                                  {"cluster_n", clusterN},
                                                  {"split_k", splitK},
                                                  {"partials", partials}};
  // More than any of them can be, and little enough for products of three.
  constexpr int64_t kMost = 65536;
  for (auto [name, value] : fields) {
    if (value <= 0)
      return emitError() << "expected '" << name << "' to be positive, got " << value;
    if (value > kMost)
      return emitError() << "expected '" << name << "' to be at most " << kMost << ", got " << value;
  }
  int64_t cluster = std::max({clusterM, clusterN, splitK});
  if (cluster > 8 || (clusterM > 1) + (clusterN > 1) + (splitK > 1) > 1)
    return emitError()
           << "expected one of 'cluster_m', 'cluster_n' and 'split_k' to be at most 8 and the others 1, got "
           << clusterM << ", " << clusterN << " and " << splitK;
  if (tileM % (8 * clusterN) != 0 || tileN % (8 * clusterM) != 0)
    return emitError() << "expected CTAs of a cluster to load a multiple of 8 rows of a tile each, got "
                       << (clusterN > 1 ? tileM : tileN) << " rows for " << cluster;
  if (swapAb != 0 && swapAb != 1)
    return emitError() << "expected 'swap_ab' to be 0 or 1, got " << swapAb;
  auto [rowsName, rows] = swapAb ? std::pair("tile_n", tileN) : std::pair("tile_m", tileM);
  auto [columnsName, columns] = swapAb ? std::pair("tile_m", tileM) : std::pair("tile_n", tileN);
  if (rows % (64 * consumers) != 0)
    return emitError() << "expected '" << rowsName << "' to be a multiple of 64 rows for each of " << consumers
                       << " consumers, got " << rows;
  if (columns % 8 != 0 || columns > 256)
    return emitError() << "expected '" << columnsName << "' to be a multiple of 8, at most 256, got " << columns;
  return success();
}

LogicalResult fp8gemm::GroupingAttr::verify(function_ref<InFlightDiagnostic()> emitError, GroupingKind kind,
                                            int64_t align) {
  StringRef name = stringifyGroupingKind(kind);
  if (kind == GroupingKind::row_count || kind == GroupingKind::k_count) {
    if (align == 1)
      return success();
    return emitError() << "expected " << name << " to have no 'align', got " << align;
  }
  // A tile reads the index of one row, and has a multiple of 8 rows.
  int64_t least = kind == GroupingKind::row_index ? 8 : 1;
  if (align >= least && align <= kMaxGroupAlign && llvm::isPowerOf2_64(align))
    return success();
  return emitError() << "expected 'align' of " << name << " to be a power of two from " << least << " to "
                     << kMaxGroupAlign << ", got " << align;
}

/// The dialect has attributes of its operations only.
static LogicalResult refuse(Operation *op, NamedAttribute attribute) {
  return op->emitOpError() << "expected no attribute with the prefix of the fp8gemm dialect, whose operations have "
                              "'config' and 'kernel', got "
                           << attribute.getName();
}

LogicalResult fp8gemm::FP8GemmDialect::verifyOperationAttribute(Operation *op, NamedAttribute attribute) {
  return refuse(op, attribute);
}

LogicalResult fp8gemm::FP8GemmDialect::verifyRegionArgAttribute(Operation *op, unsigned, unsigned,
                                                                NamedAttribute attribute) {
  return refuse(op, attribute);
}

LogicalResult fp8gemm::FP8GemmDialect::verifyRegionResultAttribute(Operation *op, unsigned, unsigned,
                                                                   NamedAttribute attribute) {
  return refuse(op, attribute);
}

namespace {
/// Products may be inlined anywhere: they refer to nothing but their operands and a symbol of the module.
struct InlineProducts : DialectInlinerInterface {
  using DialectInlinerInterface::DialectInlinerInterface;

  bool isLegalToInline(Operation *, Region *, bool, IRMapping &) const override { return true; }
};
} // namespace

void fp8gemm::FP8GemmDialect::initialize() {
  addInterfaces<InlineProducts>();
  addAttributes<
#define GET_ATTRDEF_LIST
#include "fp8gemm/Dialect/FP8Gemm/IR/FP8GemmAttrs.cpp.inc"
      >();
  addOperations<
#define GET_OP_LIST
#include "fp8gemm/Dialect/FP8Gemm/IR/FP8GemmOps.cpp.inc"
      >();
}
