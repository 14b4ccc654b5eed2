// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "fp8gemm/Dialect/Hopper/IR/Hopper.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace fp8gemm::hopper;

using SetName = OpAsmSetValueNameFn;

//===----------------------------------------------------------------------===//
// The schedule
//===----------------------------------------------------------------------===//

LogicalResult TileScheduleAttr::verify(function_ref<InFlightDiagnostic()> emitError, TileKind kind, int64_t tileM,
                                       int64_t tileN, int64_t n, int64_t kBlocks, int64_t raster, int64_t groups,
                                       int64_t clusterM, int64_t clusterN, int64_t splitK, int64_t endsAt,
                                       int64_t sharing) {
  constexpr int64_t kMostTile = 256, kMost = int64_t(1) << 31, kMostRasterSquare = int64_t(1) << 31;
  auto check = [&](StringRef name, int64_t value, int64_t least, int64_t most) -> LogicalResult {
    if (value >= least && value <= most)
      return success();
    return emitError() << "expected '" << name << "' to be in [" << least << ", " << most << "], got " << value;
  };
  if (failed(check("tile_m", tileM, 1, kMostTile)) || failed(check("tile_n", tileN, 1, kMostTile)) ||
      failed(check("n", n, 1, kMost)) ||
      failed(check("k_blocks", kBlocks, kind == TileKind::k_by_table ? 0 : 1, kMost)) ||
      failed(check("raster", raster, 1, kMost)) || failed(check("groups", groups, 1, kMost)) ||
      failed(check("cluster_m", clusterM, 1, 8)) || failed(check("cluster_n", clusterN, 1, 8)) ||
      failed(check("split_k", splitK, 1, 8)) || failed(check("ends_at", endsAt, 0, kMostTile)) ||
      failed(check("sharing", sharing, 1, groups)))
    return failure();
  if ((splitK > 1) != (kind == TileKind::split_k))
    return emitError() << "expected 'split_k' larger than 1 for the kind split_k only, got " << splitK << " for "
                       << stringifyTileKind(kind);
  if (splitK > 1 && clusterM * clusterN > 1)
    return emitError() << "expected clusters of one tile where K is split, got " << clusterM << " x " << clusterN;
  if (groups > 1 && (kind == TileKind::plain || kind == TileKind::split_k))
    return emitError() << "expected no groups for the kind " << stringifyTileKind(kind) << ", got " << groups;
  if (sharing > 1 && kind != TileKind::batched && kind != TileKind::rows_by_table)
    return emitError() << "expected 'sharing' of 1 for the kind " << stringifyTileKind(kind) << ", got " << sharing;
  if (groups % sharing != 0)
    return emitError() << "expected 'sharing' to divide the " << groups << " groups, got " << sharing;
  if (kBlocks > 0 && kind == TileKind::k_by_table)
    return emitError() << "expected no 'k_blocks' for the kind k_by_table, whose table has those of each group, got "
                       << kBlocks;
  int64_t tileColumns = llvm::divideCeil(uint64_t(n), uint64_t(tileN * clusterN));
  if (raster > 1 && raster * raster > kMostRasterSquare / tileColumns)
    return emitError() << "expected 'raster' squared times the columns of tiles to be at most " << kMostRasterSquare
                       << ", got " << raster << " and " << tileColumns << " columns of tiles";
  return success();
}

//===----------------------------------------------------------------------===//
// hopper.tiles
//===----------------------------------------------------------------------===//

void TilesOp::getAsmResultNames(SetName setName) { setName(getWork(), "work"); }

LogicalResult TilesOp::verify() {
  if (std::optional<int64_t> rows = getConstantIntValue(getRows()); rows && *rows < 0)
    return emitOpError() << "expected 'rows' not to be negative, got " << *rows;
  TileScheduleAttr schedule = getSchedule();
  bool needsIndex = schedule.getKind() == TileKind::rows_by_index;
  if (!schedule.hasTable() && !needsIndex) {
    if (getGroups())
      return emitOpError() << "expected no description of groups for the kind " << stringifyTileKind(schedule.getKind())
                           << ", got " << getGroups().getType();
    return success();
  }
  MemRefType type = getGroups() ? cast<MemRefType>(getGroups().getType()) : MemRefType();
  auto space = type ? dyn_cast_or_null<IntegerAttr>(type.getMemorySpace()) : IntegerAttr();
  bool isShared = space && space.getInt() == 3;
  if (needsIndex ? type && type.getRank() == 1 && !type.getMemorySpace()
                 : type && type.getShape() == ArrayRef<int64_t>{schedule.getGroups() + 1, 4} && isShared)
    return success();
  InFlightDiagnostic error = emitOpError();
  if (needsIndex)
    error << "expected the index of each row, of rank 1 in global memory, got ";
  else
    error << "expected a table of [" << schedule.getGroups() + 1 << ", 4] i32 in shared memory, got ";
  if (type)
    return error << type;
  return error << "none";
}

//===----------------------------------------------------------------------===//
// hopper.for_tiles
//===----------------------------------------------------------------------===//

static constexpr StringLiteral kArguments[] = {"tile", "begin", "k_begin", "k_count"};

/// `|` %tile `,` %begin `,` %k_begin `,` %k_count `|` region.
static ParseResult parseBody(OpAsmParser &parser, Region &region) {
  SmallVector<OpAsmParser::Argument> arguments(std::size(kArguments));
  if (parser.parseVerticalBar())
    return failure();
  for (auto [i, argument] : llvm::enumerate(arguments)) {
    if ((i > 0 && parser.parseComma()) || parser.parseArgument(argument))
      return failure();
    MLIRContext *context = parser.getContext();
    argument.type = i == 0 ? Type(TileType::get(context)) : Type(IndexType::get(context));
  }
  if (parser.parseVerticalBar() || parser.parseRegion(region, arguments))
    return failure();
  ForTilesOp::ensureTerminator(region, parser.getBuilder(), parser.getEncodedSourceLoc(parser.getNameLoc()));
  return success();
}

static void printBody(OpAsmPrinter &printer, Region &region) {
  printer << " |";
  llvm::interleaveComma(region.getArguments(), printer,
                        [&](BlockArgument argument) { printer.printRegionArgument(argument, {}, /*omitType=*/true); });
  printer << "| ";
  printer.printRegion(region, /*printEntryBlockArgs=*/false, /*printBlockTerminators=*/false);
}

ParseResult ForTilesOp::parse(OpAsmParser &parser, OperationState &result) {
  // Regions belong to the operation before they are parsed: a failed parse then drops references to their values.
  Region *body = result.addRegion(), *empty = result.addRegion();
  OpAsmParser::UnresolvedOperand work;
  if (parser.parseOperand(work) || parser.resolveOperand(work, WorkType::get(parser.getContext()), result.operands) ||
      parseBody(parser, *body))
    return failure();
  if (succeeded(parser.parseOptionalKeyword("empty")) && parseBody(parser, *empty))
    return failure();
  return parser.parseOptionalAttrDict(result.attributes);
}

void ForTilesOp::print(OpAsmPrinter &printer) {
  printer << " " << getWork();
  printBody(printer, getBody());
  if (!getEmpty().empty()) {
    printer << " empty";
    printBody(printer, getEmpty());
  }
  printer.printOptionalAttrDict((*this)->getAttrs());
}

void ForTilesOp::getAsmBlockArgumentNames(Region &region, OpAsmSetValueNameFn setName) {
  for (auto [argument, name] : llvm::zip(region.getArguments(), kArguments))
    setName(argument, name);
}

std::optional<int64_t> ForTilesOp::getStaticCount() {
  auto tiles = getWork().getDefiningOp<TilesOp>();
  if (!tiles)
    return std::nullopt;
  TileScheduleAttr schedule = tiles.getSchedule();
  if (schedule.getKind() == TileKind::k_by_table || schedule.getKBlocks() % schedule.getSplitK() != 0)
    return std::nullopt;
  return schedule.getKBlocks() / schedule.getSplitK();
}

LogicalResult ForTilesOp::verifyRegions() {
  auto tiles = getWork().getDefiningOp<TilesOp>();
  if (!tiles)
    return emitOpError() << "expected the tiles to be those of a hopper.tiles, got another value";
  if (!getEmpty().empty() && tiles.getSchedule().getKind() != TileKind::k_by_table)
    return emitOpError() << "expected tiles without K blocks only of the kind k_by_table, got "
                         << stringifyTileKind(tiles.getSchedule().getKind());
  for (Region *region : getRegions()) {
    if (region->empty())
      continue;
    TypeRange types = region->getArgumentTypes();
    if (types.size() != std::size(kArguments) || !isa<TileType>(types.front()) ||
        !llvm::all_of(types.drop_front(), [](Type type) { return type.isIndex(); }))
      return emitOpError() << "expected a tile and three arguments of type index";
  }
  return success();
}

//===----------------------------------------------------------------------===//
// hopper.locate
//===----------------------------------------------------------------------===//

void LocateOp::getAsmResultNames(SetName setName) {
  setName(getRow(), "row");
  setName(getColumn(), "column");
  setName(getGroup(), "group");
  setName(getEnd(), "end");
}

LogicalResult LocateOp::verify() {
  auto argument = dyn_cast<BlockArgument>(getTile());
  if (!argument || !isa_and_nonnull<ForTilesOp>(argument.getOwner()->getParentOp()))
    return emitOpError() << "expected a tile that a hopper.for_tiles gives, got another value";
  return success();
}
