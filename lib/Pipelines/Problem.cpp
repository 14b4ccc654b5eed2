// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "Problem.h"

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

} // namespace

OwningOpRef<ModuleOp> buildModule(MLIRContext &context, const GemmProblem &problem) {
  Location loc = FileLineColLoc::get(&context, "<command line>", 1, 1);
  if (failed(checkExtent(loc, "m", problem.m.value_or(0), 0)) || failed(checkExtent(loc, "n", problem.n, 1)) ||
      failed(checkExtent(loc, "k", problem.k, 1)))
    return nullptr;
  context.loadDialect<FP8GemmDialect, func::FuncDialect>();
  OpBuilder builder(&context);
  auto f8 = [&](GemmProblem::F8 type) -> Type {
    return type == GemmProblem::F8::E4M3 ? Type(Float8E4M3FNType::get(&context)) : Float8E5M2Type::get(&context);
  };
  Type f32 = builder.getF32Type(), result = problem.d == GemmProblem::Result::F32 ? f32 : builder.getBF16Type();
  int64_t sfbBlock = problem.recipe == GemmProblem::Recipe::OneD1D ? 1 : kBlock;
  int64_t m = problem.m.value_or(ShapedType::kDynamic), n = problem.n, k = problem.k;
  // Rows of mn_major storage are padded to what TMA can step over.
  int64_t sfaRows = problem.m && problem.sfaMnMajor ? llvm::alignTo(m, kTmaScales) : m;
  SmallVector<Type> types{
      MemRefType::get({m, k}, f8(problem.a)), MemRefType::get(scaleShape(sfaRows, k, problem.sfaMnMajor), f32),
      MemRefType::get({n, k}, f8(problem.b)),
      MemRefType::get(scaleShape(blocks(n, sfbBlock), k, problem.sfbMnMajor), f32), MemRefType::get({m, n}, result)};
  if (problem.c == GemmProblem::C::Apart)
    types.push_back(types.back());

  OwningOpRef<ModuleOp> module = ModuleOp::create(loc);
  builder.setInsertionPointToEnd(module->getBody());
  auto func = func::FuncOp::create(builder, loc, "gemm", builder.getFunctionType(types, {}));
  Block *body = func.addEntryBlock();
  builder.setInsertionPointToEnd(body);
  auto layout = [](bool mnMajor) { return mnMajor ? ScaleLayout::mn_major : ScaleLayout::k_major; };
  Value c = problem.c == GemmProblem::C::None ? Value() : body->getArgument(4), d = body->getArguments().back();
  GemmOp::create(builder, loc, TypeRange(), body->getArgument(0), body->getArgument(1), body->getArgument(2),
                 body->getArgument(3), c, d, ScaleAttr::get(&context, 1, kBlock, layout(problem.sfaMnMajor)),
                 ScaleAttr::get(&context, sfbBlock, kBlock, layout(problem.sfbMnMajor)), ConfigAttr(), SymbolRefAttr());
  func::ReturnOp::create(builder, loc);
  if (failed(verify(*module)))
    return nullptr;
  return module;
}

} // namespace fp8gemm
