// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Lists of problems from files, and from MLIR: all products of a module.

#include "PackFiles.h"

#include "Json.h"
#include "fp8gemm/Dialect/FP8Gemm/IR/Epilogue.h"
#include "fp8gemm/Dialect/FP8Gemm/IR/Problem.h"
#include "fp8gemm/Pack/Product.h"
#include "fp8gemm/Pipelines/Compiler.h"
#include "fp8gemm/Support/Files.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/Parser/Parser.h"
#include "llvm/Support/SourceMgr.h"

using namespace llvm;

namespace fp8gemm {

using Kind = PackError::Kind;

namespace {

std::string placeOf(ProductOpInterface op) {
  auto location = op->getLoc()->findInstanceOf<mlir::FileLineColLoc>();
  return location ? "line " + std::to_string(location.getLine()) : "an operation without a line";
}

} // namespace

Expected<PackProblems> readModuleProblems(StringRef text, const PackProblems &usual, int64_t maxM,
                                          bool batchInvariant) {
  mlir::MLIRContext context(allInputDialects(), mlir::MLIRContext::Threading::DISABLED);
  std::string errors;
  raw_string_ostream os(errors);
  SourceMgr sources;
  mlir::SourceMgrDiagnosticHandler diagnostics(sources, &context, os);
  sources.AddNewSourceBuffer(MemoryBuffer::getMemBufferCopy(text, usual.name), SMLoc());
  auto module = mlir::parseSourceFile<mlir::ModuleOp>(sources, &context);
  if (!module)
    return make_error<PackError>(Kind::Problem, StringRef(errors).rtrim().str());
  PackProblems pack = usual;
  DistinctProblems distinct(pack);
  Error wrong = Error::success();
  bool isFull = false;
  module->walk([&](ProductOpInterface op) {
    if (isFull)
      return;
    PackProblem entry{placeOf(op), fieldsForAnyM(op), maxM};
    entry.problem.batchInvariant = batchInvariant;
    if (!activationOf(op)) {
      wrong = joinErrors(std::move(wrong), pack.error(Kind::Problem, entry,
                                                      "expected an epilogue that adds a row to the sum and nothing "
                                                      "else, as a problem can have it, got another one"));
      return;
    }
    if (op.getConfigAttr() || op.getKernelAttr()) {
      wrong = joinErrors(std::move(wrong), pack.error(Kind::Problem, entry,
                                                      "expected a product without a schedule, as packs are planned, "
                                                      "got one that has it"));
      return;
    }
    const size_t before = pack.problems.size();
    if (Error error = distinct.add(entry)) {
      isFull = true;
      wrong = joinErrors(std::move(wrong),
                         make_error<PackError>(Kind::Problem, pack.name + ": " + toString(std::move(error))));
      return;
    }
    if (pack.problems.size() == before)
      return;
    PipelineOptions options;
    if (Product product(entry, options); !product.isValid())
      wrong = joinErrors(std::move(wrong), pack.error(Kind::Problem, entry, product.takeErrors()));
  });
  if (wrong)
    return wrong;
  if (pack.problems.empty())
    return make_error<PackError>(Kind::Problem, pack.name + ": expected at least one product of fp8gemm, got none");
  return pack;
}

Expected<PackProblems> readProblemFile(StringRef path, StringRef gpu, int64_t maxM, bool batchInvariant) {
  Expected<std::unique_ptr<MemoryBuffer>> buffer = readText(path);
  if (!buffer)
    return buffer.takeError();
  StringRef text = (*buffer)->getBuffer();
  if (path.ends_with(".mlir"))
    return readModuleProblems(text, {path.str(), gpu.str(), {}}, maxM, batchInvariant);
  if (!path.ends_with(".yaml") && !path.ends_with(".yml"))
    return readPackProblems(text, path, gpu);
  Expected<json::Value> value = parseYaml(text, path);
  return value ? readPackProblems(*value, path, gpu) : value.takeError();
}

} // namespace fp8gemm
