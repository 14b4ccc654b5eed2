// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A quantisation of the result of a product becomes that of its D: the same operations in the same order, so no bits change.

#include "Fusing.h"
#include "Raising.h"

using namespace mlir;
using namespace fp8gemm;
using namespace fp8gemm::raising;

/// The product with a quantised D, which makes the bits of fp8gemm.quantize of the product in f32.
static void fuseQuantization(QuantizeOp quantize) {
  auto product = quantize.getX().getDefiningOp<GemmOp>();
  if (!product || product.getSfd() || product.getConfigAttr() || product.getKernelAttr())
    return;
  auto refuse = [&](const Twine &reason) { quantize->emitRemark("not fused into fp8gemm.gemm: ") << reason; };
  if (quantize.getPrologueBody())
    return refuse("expected a quantisation of the product as it is, got one with a prologue");
  if (product->getBlock() != quantize->getBlock())
    return refuse("expected it in the block of the product");
  for (Operation *user : product->getResult(0).getUsers())
    if (user != quantize)
      return refuse("expected the product to have no other use, got " + nameOf(user));
  OpBuilder builder(quantize);
  auto made = GemmOp::create(builder, product.getLoc(), {product.getA(), product.getSfa(), product.getAScale()},
                             {product.getB(), product.getSfb(), product.getBScale()},
                             {quantize.getQ(), quantize.getScales(), quantize.getScale()});
  made.setPowerOfTwo(quantize.getPowerOfTwo());
  made.setGated(product.getGated());
  SmallVector<Value> operands(product.getEpilogueOperands());
  if (product.getC())
    operands.insert(operands.begin(), product.getC());
  made.getEpilogueOperandsMutable().assign(operands);
  unsigned sums = product.isGated() ? 2 : 1;
  if (product.getC() || product.getEpilogueBody() || !product.getDElement().isF32()) {
    Block *body = &made.getEpilogue().emplaceBlock();
    for (size_t i = 0; i < sums + operands.size(); ++i)
      body->addArgument(builder.getF32Type(), product.getLoc());
    OpBuilder inside = OpBuilder::atBlockEnd(body);
    Value c = product.getC() ? body->getArgument(sums) : Value();
    Value value = inlineEpilogue(inside, product, body, c, sums + (c ? 1 : 0));
    value = widened(inside, product.getLoc(), rounded(inside, product.getLoc(), value, product.getDElement()));
    EpilogueYieldOp::create(inside, product.getLoc(), value);
  }
  if (std::optional<std::string> reason = invalidity(made)) {
    made.erase();
    return refuse(*reason);
  }
  made->emitRemark("fused into fp8gemm.gemm: the quantisation of its result");
  quantize->replaceAllUsesWith(made->getResults());
  quantize->erase();
  product->erase();
}

void raising::fuseQuantizations(Operation *root) {
  SmallVector<QuantizeOp> quantizations;
  root->walk([&](QuantizeOp quantize) {
    if (quantize->getNumResults() == 2 && !quantize.getKernelAttr())
      quantizations.push_back(quantize);
  });
  for (QuantizeOp quantize : quantizations)
    fuseQuantization(quantize);
}
