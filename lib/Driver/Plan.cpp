// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "Plan.h"

#include "fp8gemm/Dialect/FP8Gemm/Transforms/SelectConfig.h"
#include "mlir/IR/SymbolTable.h"
#include "mlir/Interfaces/FunctionInterfaces.h"
#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/JSON.h"

using namespace llvm;

namespace fp8gemm {

/// One function with one product for each config, in the place of the function of `op`.
static void cloneForEach(ProductOpInterface op, ArrayRef<config::Config> configs) {
  auto function = op->getParentOfType<mlir::FunctionOpInterface>();
  mlir::SymbolTable symbols(function->getParentOp());
  mlir::Operation *last = function;
  for (const config::Config &config : configs) {
    mlir::Operation *clone = function->clone();
    clone->walk([&](ProductOpInterface cloned) { cloned.setConfigAttr(attrOf(op->getContext(), config)); });
    symbols.insert(clone, ++mlir::Block::iterator(last));
    last = clone;
  }
  symbols.erase(function);
}

mlir::FailureOr<PlannedProduct> planProduct(mlir::ModuleOp module, const PipelineOptions &options, int64_t maxM) {
  std::vector<Question> questions = openQuestions(module, options);
  if (questions.size() != 1)
    return module.emitError() << "expected an input with one product to plan whose schedule is not chosen yet, got "
                              << questions.size();
  ProductOpInterface op = questions.front().op;
  PlannedProduct product{questions.front(), options.gpu, maxM, {}, {}, {}};
  const config::Problem &problem = product.question.problem;
  if (problem.m)
    return op->emitOpError("expected a dynamic M to plan, got ") << *problem.m;
  const config::Gpu *gpu = config::findGpu(options.gpu);
  if (!gpu)
    return op->emitOpError(config::unknownGpu(options.gpu));
  if (maxM < 1)
    return op->emitOpError("expected --max-m to be positive, got ") << maxM;
  product.plan = config::plan(problem, *gpu, maxM);
  if (product.plan.intervals.empty())
    return op->emitOpError("expected at least one legal config on ") << gpu->name << ", got none";
  for (const config::Interval &interval : product.plan.intervals)
    if (!is_contained(product.kernels, interval.config))
      product.kernels.push_back(interval.config);
  product.question.op = nullptr;
  cloneForEach(op, product.kernels);
  return product;
}

void nameKernels(mlir::ModuleOp module, PlannedProduct &product) {
  module.walk([&](ProductOpInterface op) { product.names.push_back(op.getKernelAttr().getLeafReference().str()); });
}

static size_t kernelOf(const PlannedProduct &product, const config::Interval &interval) {
  return find(product.kernels, interval.config) - product.kernels.begin();
}

static std::string printTable(const PlannedProduct &product) {
  const config::Plan &plan = product.plan;
  std::string text;
  raw_string_ostream os(text);
  const config::Problem &problem = product.question.problem;
  std::string groups = problem.isGrouped() ? formatv(" rows of each of {0} groups", problem.groups).str() : "";
  os << formatv("{0}: N = {1}, K = {2} on {3}: {4} kernels for any M{5}, modelled up to M = {6}\n",
                product.question.location, problem.n, problem.k, product.gpu, product.kernels.size(), groups,
                product.maxM);
  os << "  M from      to   modelled us  loss %  kernel\n";
  for (const config::Interval &interval : plan.intervals)
    os << llvm::format("%8lld", static_cast<long long>(interval.first))
       << formatv("{0,8}", interval.last ? std::to_string(*interval.last) : "any")
       << llvm::format("%7.1f..%-6.1f", interval.firstMicroseconds, interval.lastMicroseconds)
       << llvm::format("%6.1f", 100 * interval.loss) << formatv("{0,8}\n", kernelOf(product, interval) + 1);
  os << "kernel";
  ConfigColumns columns(product.kernels);
  columns.printHead(os);
  os << "  name\n";
  for (auto [index, config] : enumerate(product.kernels)) {
    os << formatv("{0,6}", index + 1);
    columns.print(os, config);
    os << "  " << product.names[index] << '\n';
  }
  if (const auto &cliff = plan.cliff)
    os << formatv("cliff: {0:f1} us for M = {1}, but {2:f1} us for M = {3}\n", cliff->microseconds, cliff->m,
                  cliff->moreMicroseconds, cliff->moreM);
  return text;
}

static std::string printJson(const PlannedProduct &product) {
  const config::Plan &plan = product.plan;
  std::string text;
  raw_string_ostream os(text);
  json::OStream json(os, /*IndentSize=*/1);
  json.object([&] {
    json.attribute("n", product.question.problem.n);
    json.attribute("k", product.question.problem.k);
    json.attribute("gpu", product.gpu);
    json.attribute("max_m", product.maxM);
    json.attributeArray("intervals", [&] {
      for (const config::Interval &interval : plan.intervals)
        json.object([&] {
          json.attribute("first", interval.first);
          json.attribute("last", interval.last ? json::Value(*interval.last) : json::Value(nullptr));
          json.attribute("kernel", product.names[kernelOf(product, interval)]);
          json.attribute("modelled_us_of_first", interval.firstMicroseconds);
          json.attribute("modelled_us_of_last", interval.lastMicroseconds);
          json.attribute("loss", interval.loss);
          printConfig(json, interval.config);
        });
    });
    if (const auto &cliff = plan.cliff)
      json.attributeObject("cliff", [&] {
        json.attribute("m", cliff->m);
        json.attribute("modelled_us", cliff->microseconds);
        json.attribute("more_m", cliff->moreM);
        json.attribute("modelled_us_of_more", cliff->moreMicroseconds);
      });
  });
  os << '\n';
  return text;
}

std::string print(const PlannedProduct &product, Answer form) {
  return form == Answer::Json ? printJson(product) : printTable(product);
}

} // namespace fp8gemm
