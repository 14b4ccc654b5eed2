// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "fp8gemm/Pipelines/Compiler.h"

#include "fp8gemm/Dialect/FP8Gemm/IR/FP8Gemm.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/Builders.h"
#include "mlir/IR/Verifier.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;

namespace fp8gemm {

namespace {

constexpr int64_t kBlock = 128;   ///< rows of B and elements of K that share a scale
constexpr int64_t kTmaScales = 4; ///< f32 in the 16 bytes that TMA counts in

/// ceil(extent / block); dynamic stays dynamic.
int64_t blocks(int64_t extent, int64_t block) {
  return ShapedType::isDynamic(extent) ? extent : llvm::divideCeil(extent, block);
}

/// Storage of scales of a matrix whose `outer` extent counts in scales.
SmallVector<int64_t> scaleShape(int64_t outer, int64_t k, bool mnMajor) {
  if (mnMajor)
    return {blocks(k, kBlock), outer};
  return {outer, blocks(k, kBlock)};
}

LogicalResult checkExtent(Location loc, StringRef name, int64_t value, int64_t least) {
  if (value >= least && value <= std::numeric_limits<int32_t>::max())
    return success();
  return emitError(loc) << "expected " << name << " between " << least << " and " << std::numeric_limits<int32_t>::max()
                        << ", got " << value;
}

using config::Grouping;

/// How the op says it; null for equal groups and for one product.
GroupingAttr groupingAttr(MLIRContext *context, const GemmProblem &problem, Location loc) {
  auto get = [&](GroupingKind kind) {
    return GroupingAttr::getChecked([&] { return emitError(loc); }, context, kind, problem.align);
  };
  switch (problem.grouping) {
  case Grouping::RowIndex:
    return get(GroupingKind::row_index);
  case Grouping::RowEnd:
    return get(GroupingKind::row_end);
  case Grouping::RowCount:
    return get(GroupingKind::row_count);
  case Grouping::KCount:
    return get(GroupingKind::k_count);
  case Grouping::None:
  case Grouping::Batched:
    break;
  }
  return nullptr;
}

/// Types of the operands of a problem, packed.
struct OperandTypes {
  MemRefType a, sfa, b, sfb, groups, d;

  OperandTypes(MLIRContext *context, const GemmProblem &problem);
};

OperandTypes::OperandTypes(MLIRContext *context, const GemmProblem &problem) {
  auto f8 = [&](GemmProblem::F8 type) -> Type {
    return type == GemmProblem::F8::E4M3 ? Type(Float8E4M3FNType::get(context)) : Float8E5M2Type::get(context);
  };
  Type f32 = Float32Type::get(context), i32 = IntegerType::get(context, 32);
  Type result = problem.d == GemmProblem::Result::F32 ? f32 : BFloat16Type::get(context);
  Grouping grouping = problem.grouping;
  bool alongK = grouping == Grouping::KCount;
  bool eachHasRows = grouping == Grouping::RowCount || grouping == Grouping::Batched;
  /// `shape` for each group, or once.
  auto type = [&](bool grouped, SmallVector<int64_t> shape, Type element) {
    if (grouped)
      shape.insert(shape.begin(), problem.groups);
    return MemRefType::get(shape, element);
  };
  constexpr int64_t any = ShapedType::kDynamic;
  int64_t m = problem.m.value_or(any), n = problem.n, k = problem.k.value_or(any);
  int64_t sfbBlock = problem.recipe == GemmProblem::Recipe::OneD1D ? 1 : kBlock;
  // Rows of mn_major storage are padded to what TMA can step over.
  int64_t sfaRows = problem.m && problem.sfaMnMajor ? llvm::alignTo(m, kTmaScales) : m;
  // Each group's blocks start anew: how many there are depends on their lengths.
  int64_t scaledK = alongK ? any : k;
  auto matrix = [&](bool grouped, int64_t rows, GemmProblem::F8 element) {
    if (problem.flattened)
      return type(false, {problem.k ? rows * k : any}, f8(element));
    return type(grouped, {rows, k}, f8(element));
  };
  a = matrix(eachHasRows, m, problem.a);
  sfa = type(eachHasRows, scaleShape(sfaRows, scaledK, problem.sfaMnMajor), f32);
  bool hasB = eachHasRows || grouping == Grouping::RowIndex || grouping == Grouping::RowEnd;
  b = matrix(hasB, n, problem.b);
  sfb = type(hasB, scaleShape(blocks(n, sfbBlock), scaledK, problem.sfbMnMajor), f32);
  if (grouping != Grouping::None && grouping != Grouping::Batched)
    groups = type(false, {grouping == Grouping::RowIndex ? m : problem.groups}, i32);
  d = type(eachHasRows || alongK, {m, n}, result);
}

/// The checks that come before types can be made; rules of the operation are its verifier's.
LogicalResult checkExtents(Location loc, const GemmProblem &problem) {
  if (failed(checkExtent(loc, "m", problem.m.value_or(0), 0)) || failed(checkExtent(loc, "n", problem.n, 1)) ||
      failed(checkExtent(loc, "groups", problem.groups, 1)))
    return failure();
  return problem.k ? checkExtent(loc, "k", *problem.k, 1) : success();
}

} // namespace

OwningOpRef<ModuleOp> buildModule(MLIRContext &context, const GemmProblem &problem, StringRef origin) {
  Location loc = FileLineColLoc::get(&context, origin, 1, 1);
  if (failed(checkExtents(loc, problem)))
    return nullptr;
  context.loadDialect<FP8GemmDialect, func::FuncDialect>();
  OpBuilder builder(&context);
  OperandTypes types(&context, problem);
  GroupingAttr grouping = groupingAttr(&context, problem, loc);
  if (types.groups && !grouping)
    return nullptr;
  SmallVector<Type> inputs{types.a, types.sfa, types.b, types.sfb};
  if (types.groups)
    inputs.push_back(types.groups);
  if (problem.c == GemmProblem::C::Apart)
    inputs.push_back(types.d);
  inputs.push_back(types.d);

  OwningOpRef<ModuleOp> module = ModuleOp::create(loc);
  builder.setInsertionPointToEnd(module->getBody());
  StringRef name = problem.grouping == Grouping::None     ? "gemm"
                   : problem.grouping == Grouping::KCount ? "k_grouped_gemm"
                                                          : "grouped_gemm";
  auto func = func::FuncOp::create(builder, loc, name, builder.getFunctionType(inputs, {}));
  Block *body = func.addEntryBlock();
  builder.setInsertionPointToEnd(body);
  auto arguments = body->getArguments();
  Value a = arguments[0], sfa = arguments[1], b = arguments[2], sfb = arguments[3], d = arguments.back();
  Value groups = types.groups ? arguments[4] : Value(), c;
  if (problem.c != GemmProblem::C::None)
    c = problem.c == GemmProblem::C::InPlace ? d : arguments[arguments.size() - 2];
  auto layout = [](bool mnMajor) { return mnMajor ? ScaleLayout::mn_major : ScaleLayout::k_major; };
  int64_t sfbBlock = problem.recipe == GemmProblem::Recipe::OneD1D ? 1 : kBlock;
  auto aScale = ScaleAttr::get(&context, 1, kBlock, layout(problem.sfaMnMajor));
  auto bScale = ScaleAttr::get(&context, sfbBlock, kBlock, layout(problem.sfbMnMajor));
  if (problem.grouping == Grouping::None)
    GemmOp::create(builder, loc, TypeRange(), a, sfa, b, sfb, c, d, aScale, bScale, ConfigAttr(), SymbolRefAttr());
  else if (problem.grouping == Grouping::KCount)
    KGroupedGemmOp::create(builder, loc, TypeRange(), a, sfa, b, sfb, groups, c, d, aScale, bScale, grouping,
                           ConfigAttr(), SymbolRefAttr());
  else
    GroupedGemmOp::create(builder, loc, TypeRange(), a, sfa, b, sfb, groups, d, aScale, bScale, grouping, ConfigAttr(),
                          SymbolRefAttr());
  func::ReturnOp::create(builder, loc);
  if (failed(verify(*module)))
    return nullptr;
  return module;
}

} // namespace fp8gemm
