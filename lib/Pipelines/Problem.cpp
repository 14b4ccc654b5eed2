// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "fp8gemm/Pipelines/Compiler.h"

#include "fp8gemm/Dialect/FP8Gemm/IR/FP8Gemm.h"
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

bool isMnMajor(format::ScaleLayout layout) { return layout == format::ScaleLayout::MnMajor; }

/// That of a type, of a problem that has -1 for any.
int64_t extent(int64_t extent) { return extent == -1 ? ShapedType::kDynamic : extent; }

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

using format::Grouping;

/// How the op says it; null for equal groups and for one product.
GroupingAttr groupingAttr(MLIRContext *context, const format::Problem &problem, Location loc) {
  if (!factsOf(problem.grouping).isDescribed)
    return nullptr;
  std::optional<GroupingKind> kind = symbolizeGroupingKind(nameOf(format::kGroupingWords, problem.grouping));
  return GroupingAttr::getChecked([&] { return emitError(loc); }, context, *kind, int64_t(problem.align));
}

/// Types of the operands of a problem, packed.
struct OperandTypes {
  MemRefType a, sfa, b, sfb, groups, bias, d;

  OperandTypes(MLIRContext *context, const format::Problem &problem);
};

OperandTypes::OperandTypes(MLIRContext *context, const format::Problem &problem) {
  auto f8 = [&](format::Type type) -> Type {
    return type == format::Type::E4M3 ? Type(Float8E4M3FNType::get(context)) : Float8E5M2Type::get(context);
  };
  Type f32 = Float32Type::get(context), i32 = IntegerType::get(context, 32);
  Type result = problem.d == format::Type::F32 ? f32 : BFloat16Type::get(context);
  const format::GroupingFacts &facts = factsOf(problem.grouping);
  /// `shape` for each group, or once.
  auto type = [&](bool grouped, SmallVector<int64_t> shape, Type element) {
    if (grouped)
      shape.insert(shape.begin(), problem.groups);
    return MemRefType::get(shape, element);
  };
  constexpr int64_t any = ShapedType::kDynamic;
  int64_t m = extent(problem.m), n = problem.n, k = extent(problem.k);
  // Rows of mn_major storage are padded to what TMA can step over.
  int64_t sfaRows = problem.m != -1 && isMnMajor(problem.sfa) ? llvm::alignTo(m, kTmaScales) : m;
  // Each group's blocks start anew: how many there are depends on their lengths.
  int64_t scaledK = problem.grouping == Grouping::KCount ? any : k;
  auto matrix = [&](bool grouped, int64_t rows, format::Type element) {
    if (problem.flat)
      return type(false, {problem.k == -1 ? any : rows * k}, f8(element));
    return type(grouped, {rows, k}, f8(element));
  };
  a = matrix(facts.ofA, m, problem.a);
  sfa = type(facts.ofA, scaleShape(sfaRows, scaledK, isMnMajor(problem.sfa)), f32);
  b = matrix(facts.ofB, n, problem.b);
  sfb = type(facts.ofB, scaleShape(blocks(n, problem.sfbRows), scaledK, isMnMajor(problem.sfb)), f32);
  if (facts.isDescribed)
    groups = type(false, {problem.grouping == Grouping::RowIndex ? m : int64_t(problem.groups)}, i32);
  if (problem.bias != format::Bias::None)
    bias = MemRefType::get(columnsOfD(problem), problem.bias == format::Bias::F32 ? f32 : BFloat16Type::get(context));
  d = type(facts.ofD, {m, columnsOfD(problem)}, result);
}

/// The checks that come before types can be made; rules of the operation are its verifier's.
LogicalResult checkExtents(Location loc, const format::Problem &problem) {
  if (failed(checkExtent(loc, "m", problem.m == -1 ? 0 : problem.m, 0)) ||
      (!isQuantisation(problem) && failed(checkExtent(loc, "n", problem.n, 1))) ||
      failed(checkExtent(loc, "groups", problem.groups, 1)))
    return failure();
  return problem.k == -1 ? success() : checkExtent(loc, "k", problem.k, 1);
}

/// A function with the quantisation, as the last of `module`.
void addQuantisation(ModuleOp module, const format::Problem &problem) {
  MLIRContext *context = module.getContext();
  auto builder = OpBuilder::atBlockEnd(module.getBody());
  Location loc = module.getLoc();
  Type f32 = Float32Type::get(context);
  Type x = problem.x == format::XType::F32   ? f32
           : problem.x == format::XType::F16 ? Type(Float16Type::get(context))
                                             : Type(BFloat16Type::get(context));
  Type q = problem.a == format::Type::E4M3 ? Type(Float8E4M3FNType::get(context)) : Float8E5M2Type::get(context);
  bool mnMajor = isMnMajor(problem.sfa);
  int64_t m = extent(problem.m), rows = problem.m != -1 && mnMajor ? llvm::alignTo(m, kTmaScales) : m;
  SmallVector<Type> types{MemRefType::get({m, problem.k}, x), MemRefType::get({m, problem.k}, q),
                          MemRefType::get(scaleShape(rows, problem.k, mnMajor), f32)};
  auto func = func::FuncOp::create(builder, loc, factsOf(problem).op, builder.getFunctionType(types, {}));
  Block *body = func.addEntryBlock();
  builder.setInsertionPointToEnd(body);
  auto layout = *symbolizeScaleLayout(nameOf(format::kLayoutWords, problem.sfa));
  QuantizeOp::create(builder, loc, TypeRange(), body->getArgument(0), body->getArgument(1), body->getArgument(2),
                     ScaleAttr::get(context, 1, kBlock, layout), problem.powerOfTwo != 0, SymbolRefAttr());
  func::ReturnOp::create(builder, loc);
}

/// The epilogue of `product`: its sum, and then the row.
void addRowLast(OpBuilder &builder, Operation &product) {
  OpBuilder::InsertionGuard guard(builder);
  Type f32 = builder.getF32Type();
  Location loc = product.getLoc();
  Block *body = builder.createBlock(&product.getRegion(0), {}, {f32, f32}, {loc, loc});
  Value biased = arith::AddFOp::create(builder, loc, body->getArgument(0), body->getArgument(1));
  EpilogueYieldOp::create(builder, loc, biased);
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
  OperandTypes types(&context, problem);
  GroupingAttr grouping = groupingAttr(&context, problem, loc);
  if (types.groups && !grouping)
    return nullptr;
  SmallVector<Type> inputs{types.a, types.sfa, types.b, types.sfb};
  if (types.groups)
    inputs.push_back(types.groups);
  if (types.bias)
    inputs.push_back(types.bias);
  if (problem.c == format::CUse::Apart)
    inputs.push_back(types.d);
  inputs.push_back(types.d);

  OwningOpRef<ModuleOp> module = ModuleOp::create(loc);
  builder.setInsertionPointToEnd(module->getBody());
  auto func = func::FuncOp::create(builder, loc, factsOf(problem.grouping).op, builder.getFunctionType(inputs, {}));
  Block *body = func.addEntryBlock();
  builder.setInsertionPointToEnd(body);
  auto arguments = body->getArguments();
  Value a = arguments[0], sfa = arguments[1], b = arguments[2], sfb = arguments[3], d = arguments.back();
  Value groups = types.groups ? arguments[4] : Value(), c;
  ValueRange bias = arguments.slice(types.groups ? 5 : 4, types.bias ? 1 : 0);
  if (problem.c != format::CUse::None)
    c = problem.c == format::CUse::InPlace ? d : arguments[arguments.size() - 2];
  auto layout = [](format::ScaleLayout layout) { return *symbolizeScaleLayout(nameOf(format::kLayoutWords, layout)); };
  auto aScale = ScaleAttr::get(&context, 1, kBlock, layout(problem.sfa));
  auto bScale = ScaleAttr::get(&context, problem.sfbRows, kBlock, layout(problem.sfb));
  if (problem.grouping == Grouping::None)
    GemmOp::create(builder, loc, TypeRange(), a, sfa, b, sfb, c, bias, d, aScale, bScale, problem.gated != 0,
                   ConfigAttr(), SymbolRefAttr());
  else if (problem.grouping == Grouping::KCount)
    KGroupedGemmOp::create(builder, loc, TypeRange(), a, sfa, b, sfb, groups, c, d, aScale, bScale, grouping,
                           ConfigAttr(), SymbolRefAttr());
  else
    GroupedGemmOp::create(builder, loc, TypeRange(), a, sfa, b, sfb, groups, bias, d, aScale, bScale, grouping,
                          problem.gated != 0, ConfigAttr(), SymbolRefAttr());
  if (types.bias)
    addRowLast(builder, body->back());
  func::ReturnOp::create(builder, loc);
  if (failed(verify(*module)))
    return nullptr;
  return module;
}

} // namespace fp8gemm
