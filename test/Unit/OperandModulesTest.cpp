// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The compiler knows each operand of the table: problems become operations with it, these become the same problems, and
// kernels say that they take it.

#include "fp8gemm/Dialect/FP8Gemm/IR/Epilogue.h"
#include "fp8gemm/Dialect/FP8Gemm/IR/Problem.h"
#include "fp8gemm/Dialect/Hopper/IR/Hopper.h"
#include "fp8gemm/InitAll.h"
#include "fp8gemm/Pipelines/Compiler.h"
#include "mlir/Pass/PassManager.h"

#include <gtest/gtest.h>

using namespace fp8gemm;
using format::OperandRow;

namespace {

/// The problem, as an operation and as a kernel.
void check(mlir::MLIRContext &context, const format::Problem &problem) {
  SCOPED_TRACE(print(problem));
  mlir::OwningOpRef<mlir::ModuleOp> module = buildModule(context, problem);
  ASSERT_TRUE(module);
  module->walk([&](ProductOpInterface op) {
    EXPECT_EQ(print(fieldsOf(op)), print(problem));
    EXPECT_EQ(activationOf(op), problem.activation);
    for (const OperandRow &row : format::kOperands)
      if (row.operand != format::Operand::Workspace) {
        EXPECT_EQ(bool(operandOf(op, row)), has(problem, row)) << row.name;
      }
  });
  mlir::PassManager manager(&context);
  buildConfigPipeline(manager, PipelineOptions());
  buildHopperPipeline(manager, PipelineOptions());
  ASSERT_TRUE(succeeded(manager.run(*module)));
  module->walk([&](hopper::KernelOp kernel) {
    int64_t vectors = 0, taken = llvm::count_if(kernel.getParameters(), [&](mlir::BlockArgument argument) {
      hopper::Operand operand = kernel.getOperandOf(argument);
      return operand == hopper::Operand::bias || operand >= hopper::Operand::epilogue_0;
    });
    for (const OperandRow &row : format::kOperands)
      if (isOptionalVector(row)) {
        vectors += has(problem, row);
        mlir::Type element = kernel.getProblemAttr().getVector(row.name);
        ASSERT_EQ(bool(element), has(problem, row)) << row.name;
        EXPECT_EQ(element ? elementName(element) : "none", elementOf(problem, row));
      }
    EXPECT_EQ(taken, vectors);
  });
}

TEST(OperandModules, HaveTheVectorsOfProblems) {
  mlir::DialectRegistry registry;
  registerAllDialects(registry);
  mlir::MLIRContext context(registry);
  for (const format::Word &word : format::kGroupingWords) {
    format::Problem problem = format::usualProblem(format::Grouping(word.value));
    problem.n = 256, problem.k = 256;
    problem.groups = problem.grouping == format::Grouping::None ? 1 : 2;
    problem.m = problem.grouping == format::Grouping::KCount ? 64 : -1;
    problem.align = problem.grouping == format::Grouping::RowIndex ? 128 : 1;
    check(context, problem);
    for (const OperandRow &row : format::kOperands)
      for (const format::Word &type : row.elementField ? row.elementField->words : format::Words())
        if (isOptionalVector(row) && (row.presence->mayHave & setOf(problem)) && type.value != 0) {
          format::Problem with = problem;
          set(with, *row.presence, type.value);
          check(context, with);
        }
  }
}

/// `problem` with each activation, gated and not.
void checkActivations(format::Problem problem,
                      llvm::function_ref<void(mlir::MLIRContext &, const format::Problem &)> check) {
  mlir::DialectRegistry registry;
  registerAllDialects(registry);
  mlir::MLIRContext context(registry);
  for (const format::Word &word : format::kActivationWords)
    for (uint32_t gated : {0, 1}) {
      problem.activation = format::Activation(word.value), problem.gated = gated;
      check(context, problem);
    }
}

TEST(OperandModules, HaveTheActivationsOfProblems) {
  format::Problem problem = format::usualProblem(format::Grouping::None);
  problem.n = 256, problem.k = 256;
  checkActivations(problem, check);
}

TEST(OperandModules, QuantisationsHaveTheActivationsOfProblems) {
  format::Problem usual = format::usualQuantisation();
  usual.k = 256;
  checkActivations(usual, [](mlir::MLIRContext &context, const format::Problem &problem) {
    SCOPED_TRACE(print(problem));
    mlir::OwningOpRef<mlir::ModuleOp> module = buildModule(context, problem);
    ASSERT_TRUE(module);
    llvm::SmallVector<QuantizeOp> ops;
    module->walk([&](QuantizeOp op) { ops.push_back(op); });
    ASSERT_EQ(ops.size(), 1u);
    EXPECT_EQ(activationOf(ops.front()), problem.activation);
    EXPECT_EQ(ops.front().getGated(), problem.gated != 0);
    EXPECT_EQ(llvm::cast<mlir::ShapedType>(ops.front().getX().getType()).getDimSize(1), columnsOfX(problem));
  });
}

TEST(OperandModules, NamesAreThoseOfKernels) {
  for (const OperandRow &row : format::kOperands)
    if (!isOptionalVector(row)) // of which an epilogue's are told apart by their order
      EXPECT_TRUE(hopper::symbolizeOperand(row.name)) << row.name;
}

} // namespace
