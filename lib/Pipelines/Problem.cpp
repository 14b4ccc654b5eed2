// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "fp8gemm/Pipelines/Compiler.h"

#include "fp8gemm/Dialect/FP8Gemm/IR/Epilogue.h"
#include "fp8gemm/Dialect/FP8Gemm/IR/Problem.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/Builders.h"
#include "mlir/IR/Verifier.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;

namespace fp8gemm {

namespace {

constexpr int64_t kBlock = 128;   ///< rows of B and elements of K that share a scale
constexpr int64_t kTmaScales = 4; ///< f32 in the 16 bytes that TMA counts in

/// That of a type, of a problem that has -1 for any.
int64_t extent(int64_t extent) { return extent == -1 ? ShapedType::kDynamic : extent; }

/// ceil(extent / block); dynamic stays dynamic.
int64_t blocks(int64_t extent, int64_t block) {
  return ShapedType::isDynamic(extent) ? extent : llvm::divideCeil(extent, block);
}

LogicalResult checkExtent(Location loc, StringRef name, int64_t value, int64_t least) {
  if (value >= least && value <= std::numeric_limits<int32_t>::max())
    return success();
  return emitError(loc) << "expected " << name << " between " << least << " and " << std::numeric_limits<int32_t>::max()
                        << ", got " << value;
}

using format::Grouping;

/// How the op says it; null for equal groups and for one product.
GroupingAttr groupingAttr(MLIRContext *context, const format::Problem &problem, Location loc) {
  if (!factsOf(problem.grouping).isDescribed)
    return nullptr;
  std::optional<GroupingKind> kind = symbolizeGroupingKind(nameOf(format::kGroupingWords, problem.grouping));
  return GroupingAttr::getChecked([&] { return emitError(loc); }, context, *kind, int64_t(problem.align));
}

/// The type of an operand, packed.
MemRefType typeOf(MLIRContext *context, const format::Problem &problem, const format::OperandRow &row) {
  auto extentOf = [&](format::Extent counted) -> int64_t {
    switch (counted) {
    case format::Extent::One:
      return 1;
    case format::Extent::ScaledRowsOfA:
      if (scaledRowsOfA(problem) != 1)
        return blocks(extent(problem.m), scaledRowsOfA(problem));
      [[fallthrough]];
    case format::Extent::M: // rows of mn_major storage are padded to what TMA can step over
      return problem.m != -1 && isTransposed(problem, row) ? llvm::alignTo(problem.m, kTmaScales) : extent(problem.m);
    case format::Extent::N:
      return problem.n;
    case format::Extent::ColumnsOfD:
      return columnsOfD(problem);
    case format::Extent::BlocksOfD:
      return blocks(columnsOfD(problem), kBlock);
    case format::Extent::ColumnsOfX:
      return columnsOfX(problem);
    case format::Extent::K:
      return extent(problem.k);
    case format::Extent::KBlocks: // each group's blocks start anew: how many there are depends on their lengths
      return problem.grouping == Grouping::KCount ? ShapedType::kDynamic : blocks(extent(problem.k), kBlock);
    case format::Extent::ScaledRows:
      return blocks(problem.n, problem.sfbRows);
    case format::Extent::Entries:
      return problem.grouping == Grouping::RowIndex ? extent(problem.m) : int64_t(problem.groups);
    case format::Extent::Bytes:
      break;
    }
    return ShapedType::kDynamic;
  };
  int64_t rows = extentOf(row.rows), columns = extentOf(row.columns);
  SmallVector<int64_t> shape{columns};
  if (isFlat(problem, row))
    shape = {ShapedType::isDynamic(columns) ? columns : rows * columns};
  else if (row.rows != format::Extent::One)
    shape = isTransposed(problem, row) ? SmallVector<int64_t>{columns, rows} : SmallVector<int64_t>{rows, columns};
  if (hasGroups(problem, row))
    shape.insert(shape.begin(), groupsOf(problem, row));
  return MemRefType::get(shape, elementNamed(context, elementOf(problem, row)));
}

/// The operands of an operation for `problem`, D last, or before its scales; C that is D itself is not one of its own.
SmallVector<const format::OperandRow *> operandsOf(const format::Problem &problem) {
  SmallVector<const format::OperandRow *> rows;
  for (const format::OperandRow &row : format::kOperands)
    if (has(problem, row) && row.operand != format::Operand::Workspace &&
        !(row.operand == format::Operand::C && problem.c == format::CUse::InPlace))
      rows.push_back(&row);
  std::stable_partition(rows.begin(), rows.end(),
                        [](const format::OperandRow *row) { return !(row->writtenBy & format::kAll); });
  return rows;
}

/// The checks that come before types can be made; rules of the operation are its verifier's.
LogicalResult checkExtents(Location loc, const format::Problem &problem) {
  if (failed(checkExtent(loc, "m", problem.m == -1 ? 0 : problem.m, 0)) ||
      (!isQuantisation(problem) && failed(checkExtent(loc, "n", problem.n, 1))) ||
      failed(checkExtent(loc, "groups", problem.groups, 1)))
    return failure();
  if (std::string conflict = conflictOf(problem); !conflict.empty())
    return emitError(loc) << conflict;
  return problem.k == -1 ? success() : checkExtent(loc, "k", problem.k, 1);
}

/// A function with the quantisation, as the last of `module`.
void addQuantisation(ModuleOp module, const format::Problem &problem) {
  MLIRContext *context = module.getContext();
  auto builder = OpBuilder::atBlockEnd(module.getBody());
  Location loc = module.getLoc();
  SmallVector<Type> types;
  for (format::Operand operand : {format::Operand::X, format::Operand::A, format::Operand::ScaleA})
    types.push_back(typeOf(context, problem, *format::rowOf(operand)));
  auto func = func::FuncOp::create(builder, loc, factsOf(problem).op, builder.getFunctionType(types, {}));
  Block *body = func.addEntryBlock();
  builder.setInsertionPointToEnd(body);
  auto layout = *symbolizeScaleLayout(nameOf(format::kLayoutWords, problem.sfa));
  auto op = QuantizeOp::create(builder, loc, TypeRange(), body->getArgument(0), body->getArgument(1),
                               body->getArgument(2), ScaleAttr::get(context, problem.sfbRows, kBlock, layout),
                               problem.powerOfTwo != 0, problem.gated != 0, SymbolRefAttr());
  if (problem.gated || problem.activation != format::Activation::None)
    buildProblemPrologue(builder, op, problem.activation);
  func::ReturnOp::create(builder, loc);
}

} // namespace

OwningOpRef<ModuleOp> buildModule(MLIRContext &context, const format::Problem &problem, StringRef origin) {
  Location loc = FileLineColLoc::get(&context, origin, 1, 1);
  if (failed(checkExtents(loc, problem)))
    return nullptr;
  context.loadDialect<FP8GemmDialect, arith::ArithDialect, func::FuncDialect>();
  if (isQuantisation(problem)) {
    OwningOpRef<ModuleOp> module = ModuleOp::create(loc);
    addQuantisation(*module, problem);
    return succeeded(verify(*module)) ? std::move(module) : nullptr;
  }
  OpBuilder builder(&context);
  GroupingAttr grouping = groupingAttr(&context, problem, loc);
  if (factsOf(problem.grouping).isDescribed && !grouping)
    return nullptr;
  SmallVector<const format::OperandRow *> rows = operandsOf(problem);
  SmallVector<Type> inputs;
  for (const format::OperandRow *row : rows)
    inputs.push_back(typeOf(&context, problem, *row));

  OwningOpRef<ModuleOp> module = ModuleOp::create(loc);
  builder.setInsertionPointToEnd(module->getBody());
  auto func = func::FuncOp::create(builder, loc, factsOf(problem.grouping).op, builder.getFunctionType(inputs, {}));
  Block *body = func.addEntryBlock();
  builder.setInsertionPointToEnd(body);
  Value values[format::kOperandCount];
  SmallVector<Value> vectors;
  for (auto [row, argument] : llvm::zip_equal(rows, body->getArguments())) {
    values[size_t(row->operand)] = argument;
    if (isOptionalVector(*row))
      vectors.push_back(argument);
  }
  auto valueOf = [&](format::Operand operand) { return values[size_t(operand)]; };
  Value a = valueOf(format::Operand::A), sfa = valueOf(format::Operand::ScaleA), b = valueOf(format::Operand::B),
        sfb = valueOf(format::Operand::ScaleB), groups = valueOf(format::Operand::Groups),
        d = valueOf(format::Operand::D), sfd = valueOf(format::Operand::ScaleD),
        c = problem.c == format::CUse::InPlace ? d : valueOf(format::Operand::C);
  auto layout = [](format::ScaleLayout layout) { return *symbolizeScaleLayout(nameOf(format::kLayoutWords, layout)); };
  auto aScale = ScaleAttr::get(&context, 1, kBlock, layout(problem.sfa));
  auto bScale = ScaleAttr::get(&context, problem.sfbRows, kBlock, layout(problem.sfb));
  ScaleAttr dScale;
  if (sfd)
    dScale = ScaleAttr::get(&context, 1, kBlock, *symbolizeScaleLayout(nameOf(format::kScaleOfDWords, problem.sfd)));
  if (problem.grouping == Grouping::None)
    GemmOp::create(builder, loc, TypeRange(), a, sfa, b, sfb, c, vectors, d, sfd, aScale, bScale, dScale,
                   problem.powerOfTwo != 0, problem.gated != 0, ConfigAttr(), SymbolRefAttr());
  else if (problem.grouping == Grouping::KCount)
    KGroupedGemmOp::create(builder, loc, TypeRange(), a, sfa, b, sfb, groups, c, d, aScale, bScale, grouping,
                           ConfigAttr(), SymbolRefAttr());
  else
    GroupedGemmOp::create(builder, loc, TypeRange(), a, sfa, b, sfb, groups, c, vectors, d, sfd, aScale, bScale, dScale,
                          problem.powerOfTwo != 0, grouping, problem.gated != 0, ConfigAttr(), SymbolRefAttr());
  if (!vectors.empty() || problem.gated || problem.activation != format::Activation::None)
    buildProblemEpilogue(builder, cast<ProductOpInterface>(body->back()), problem.activation);
  func::ReturnOp::create(builder, loc);
  if (failed(verify(*module)))
    return nullptr;
  return module;
}

} // namespace fp8gemm
