// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "Fusing.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/IR/IRMapping.h"

using namespace mlir;
using namespace fp8gemm;
using namespace fp8gemm::raising;

Value raising::rounded(OpBuilder &builder, Location loc, Value f32, Type element) {
  return element.isF32() ? f32 : arith::TruncFOp::create(builder, loc, element, f32).getResult();
}
Value raising::widened(OpBuilder &builder, Location loc, Value value) {
  Type f32 = builder.getF32Type();
  return value.getType().isF32() ? value : arith::ExtFOp::create(builder, loc, f32, value).getResult();
}

Value raising::inlineEpilogue(OpBuilder &builder, GemmOp product, Block *body, Value c, unsigned firstOperand) {
  Value sum = body->getArgument(0);
  if (c)
    sum = arith::AddFOp::create(builder, product.getLoc(), c, sum);
  Block *old = product.getEpilogueBody();
  if (!old)
    return sum;
  IRMapping map;
  for (auto [i, argument] : llvm::enumerate(old->getArguments())) {
    unsigned sums = product.isGated() ? 2 : 1;
    map.map(argument, i == 0 ? sum : body->getArgument(i < sums ? i : firstOperand + i - sums));
  }
  for (Operation &inner : old->without_terminator())
    builder.clone(inner, map);
  return map.lookupOrDefault(old->getTerminator()->getOperand(0));
}

std::string raising::nameOf(Operation *op) { return "'" + op->getName().getStringRef().str() + "'"; }
