// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Products that another program builds of their matrices and scales: they verify, and have the results of their
// outputs.

#include "fp8gemm/Dialect/FP8Gemm/IR/FP8Gemm.h"
#include "fp8gemm/InitAll.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/ImplicitLocOpBuilder.h"
#include "mlir/IR/Verifier.h"

#include <gtest/gtest.h>

using namespace fp8gemm;
using mlir::Type;
using mlir::Value;

namespace {

/// A module, and values of any type to build products of.
struct ProductBuilders : testing::Test {
  ProductBuilders() {
    registerAllDialects(registry);
    context.appendDialectRegistry(registry);
    context.loadDialect<FP8GemmDialect>();
    b.setInsertionPointToStart(module->getBody());
  }

  Value value(Type type) { return mlir::UnrealizedConversionCastOp::create(b, type, mlir::ValueRange()).getResult(0); }
  Value tensor(llvm::ArrayRef<int64_t> shape, Type element) {
    return value(mlir::RankedTensorType::get(shape, element));
  }
  Value memref(llvm::ArrayRef<int64_t> shape, Type element) { return value(mlir::MemRefType::get(shape, element)); }
  ScaleAttr rows(ScaleLayout layout) { return ScaleAttr::get(&context, 1, 128, layout); }
  ScaleAttr blocks() { return ScaleAttr::get(&context, 128, 128, ScaleLayout::k_major); }

  mlir::DialectRegistry registry;
  mlir::MLIRContext context;
  mlir::ImplicitLocOpBuilder b{mlir::UnknownLoc::get(&context), &context};
  mlir::OwningOpRef<mlir::ModuleOp> module = mlir::ModuleOp::create(b.getLoc());
  Type f8 = b.getType<mlir::Float8E4M3FNType>(), f32 = b.getF32Type(), bf16 = b.getBF16Type();
};

TEST_F(ProductBuilders, TensorsHaveResults) {
  ScaledMatrix x(tensor({64, 256}, f8), tensor({2, 64}, f32), rows(ScaleLayout::mn_major));
  ScaledMatrix weight(tensor({512, 256}, f8), tensor({4, 2}, f32), blocks());
  auto product = GemmOp::create(b, x, weight, tensor({64, 512}, bf16), tensor({64, 512}, bf16));
  ASSERT_EQ(product->getNumResults(), 1u);
  EXPECT_EQ(product->getResult(0).getType(), product.getD().getType());
  EXPECT_TRUE(product.getC());

  ScaledMatrix d(tensor({64, 512}, f8), tensor({4, 64}, f32), rows(ScaleLayout::mn_major));
  auto quantised = GemmOp::create(b, x, weight, d);
  ASSERT_EQ(quantised->getNumResults(), 2u);
  EXPECT_EQ(quantised->getResult(1).getType(), d.scales.getType());
  EXPECT_TRUE(succeeded(verify(*module)));
}

TEST_F(ProductBuilders, MemrefsOfGroupsHaveNone) {
  ScaledMatrix x(memref({64, 256}, f8), memref({2, 64}, f32), rows(ScaleLayout::mn_major));
  ScaledMatrix experts(memref({3, 512, 256}, f8), memref({3, 4, 2}, f32), blocks());
  Value ends = memref({3}, b.getI32Type()), d = memref({64, 512}, bf16);
  auto packed = GroupedGemmOp::create(b, x, experts, d, ends, GroupingAttr::get(&context, GroupingKind::row_end, 1));
  EXPECT_EQ(packed->getNumResults(), 0u);
  ScaledMatrix ofGroups(memref({3, 64, 256}, f8), memref({3, 2, 64}, f32), rows(ScaleLayout::mn_major));
  auto batched = GroupedGemmOp::create(b, ofGroups, experts, memref({3, 64, 512}, bf16));
  EXPECT_FALSE(batched.getGroups());

  ScaledMatrix gradient(memref({64, 1024}, f8), memref({8, 64}, f32), rows(ScaleLayout::mn_major));
  ScaledMatrix tokens(memref({512, 1024}, f8), memref({8, 512}, f32), rows(ScaleLayout::mn_major));
  Value sums = memref({3, 64, 512}, f32);
  auto alongK = KGroupedGemmOp::create(b, gradient, tokens, sums, /*groups=*/ends, /*c=*/sums);
  EXPECT_EQ(alongK.getGrouping().getKind(), GroupingKind::k_count);
  EXPECT_TRUE(alongK.isInPlace());
  EXPECT_TRUE(succeeded(verify(*module)));
}

} // namespace
