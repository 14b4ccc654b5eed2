// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Lists of problems in files: what is not JSON is turned into it, or into problems.

#include "PackFiles.h"

#include "Product.h"
#include "fp8gemm/Dialect/FP8Gemm/Transforms/SelectConfig.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/Parser/Parser.h"
#include "llvm/Support/JSON.h"
#include "llvm/Support/SourceMgr.h"
#include "llvm/Support/YAMLParser.h"

using namespace llvm;

namespace fp8gemm {

using Kind = PackError::Kind;

//===----------------------------------------------------------------------===//
// YAML
//===----------------------------------------------------------------------===//

namespace {

/// The part of YAML that JSON has a word for, as such; keeps the first complaint.
class YamlToJson {
public:
  YamlToJson(StringRef text, StringRef name) : stream(MemoryBufferRef(text, name), sources) {
    sources.setDiagHandler(
        [](const SMDiagnostic &diagnostic, void *self) {
          std::string message;
          raw_string_ostream os(message);
          diagnostic.print(/*ProgName=*/nullptr, os, /*ShowColors=*/false);
          static_cast<YamlToJson *>(self)->complain(StringRef(message).rtrim());
        },
        this);
  }

  Expected<json::Value> run() {
    auto document = stream.begin();
    yaml::Node *root = document == stream.end() ? nullptr : document->getRoot();
    json::Value value = root ? convert(*root) : json::Value(nullptr);
    if (complaint.empty() && ++document != stream.end())
      stream.printError(document->getRoot(), "expected one document, got another one");
    if (stream.failed() && complaint.empty())
      complain("expected YAML, got something else");
    if (!complaint.empty())
      return make_error<PackError>(Kind::Problem, complaint);
    return value;
  }

private:
  void complain(StringRef message) {
    if (complaint.empty())
      complaint = message.str();
  }
  json::Value error(yaml::Node &node, const Twine &message) {
    stream.printError(&node, message);
    return nullptr;
  }

  json::Value convert(yaml::Node &node) {
    if (auto *scalar = dyn_cast<yaml::ScalarNode>(&node))
      return convertScalar(*scalar);
    if (auto *sequence = dyn_cast<yaml::SequenceNode>(&node)) {
      json::Array array;
      for (yaml::Node &element : *sequence)
        array.push_back(convert(element));
      return array;
    }
    if (auto *mapping = dyn_cast<yaml::MappingNode>(&node))
      return convertMapping(*mapping);
    return isa<yaml::NullNode>(node) ? nullptr : error(node, "expected no anchors, aliases or blocks of text, got one");
  }

  json::Value convertMapping(yaml::MappingNode &mapping) {
    json::Object object;
    for (yaml::KeyValueNode &entry : mapping) {
      auto *key = dyn_cast_or_null<yaml::ScalarNode>(entry.getKey());
      if (!key)
        return error(mapping, "expected keys that are words, got another one");
      SmallString<16> storage;
      std::string name = key->getValue(storage).str();
      yaml::Node *value = entry.getValue();
      json::Value converted = value ? convert(*value) : json::Value(nullptr);
      if (!object.try_emplace(name, std::move(converted)).second)
        return error(*key, "expected each key once, got '" + name + "' twice");
    }
    return object;
  }

  /// Without quotes a number, true, false and null are that.
  static json::Value convertScalar(yaml::ScalarNode &scalar) {
    SmallString<16> storage;
    StringRef text = scalar.getValue(storage), raw = scalar.getRawValue();
    bool isPlain = !raw.starts_with("\"") && !raw.starts_with("'");
    if (isPlain && (text == "true" || text == "false"))
      return text == "true";
    if (isPlain && text == "null")
      return nullptr;
    int64_t integer;
    if (isPlain && !text.getAsInteger(10, integer))
      return integer;
    double number;
    if (isPlain && !text.getAsDouble(number))
      return number;
    return text.str();
  }

  SourceMgr sources;
  yaml::Stream stream;
  std::string complaint;
};

//===----------------------------------------------------------------------===//
// MLIR
//===----------------------------------------------------------------------===//

/// The problem of an operation, for any M: a plan serves them all.
GemmProblem anyM(ProductOpInterface op) {
  GemmProblem problem;
  problem.n = op.getN();
  if (!mlir::ShapedType::isDynamic(op.getK()))
    problem.k = op.getK();
  problem.sfaMnMajor = op.getAScale().getLayout() == ScaleLayout::mn_major;
  problem.sfbMnMajor = op.getBScale().getLayout() == ScaleLayout::mn_major;
  problem.recipe = op.isBScaledByRows() ? GemmProblem::Recipe::OneD1D : GemmProblem::Recipe::OneD2D;
  auto f8 = [](mlir::Type type) {
    return isa<mlir::Float8E5M2Type>(type) ? GemmProblem::F8::E5M2 : GemmProblem::F8::E4M3;
  };
  problem.a = f8(op.getAElement());
  problem.b = f8(op.getBElement());
  problem.d = op.getDElement().isF32() ? GemmProblem::Result::F32 : GemmProblem::Result::BF16;
  if (op.getC())
    problem.c = op.isInPlace() ? GemmProblem::C::InPlace : GemmProblem::C::Apart;
  problem.grouping = groupingOf(op);
  problem.groups = op.getGroupCount();
  if (GroupingAttr grouping = op.getGroupingAttr())
    problem.align = grouping.getAlign();
  if (problem.grouping == config::Grouping::KCount) {
    problem.m = op.getM();
    problem.flattened = cast<mlir::ShapedType>(op.getA().getType()).getRank() == 1;
  }
  return problem;
}

std::string placeOf(ProductOpInterface op) {
  auto location = op->getLoc()->findInstanceOf<mlir::FileLineColLoc>();
  return location ? "line " + std::to_string(location.getLine()) : "an operation without a line";
}

} // namespace

Expected<PackProblems> readYamlProblems(StringRef text, StringRef name, StringRef gpu) {
  Expected<json::Value> value = YamlToJson(text, name).run();
  return value ? readPackProblems(*value, name, gpu) : value.takeError();
}

Expected<PackProblems> readModuleProblems(StringRef text, const PackProblems &usual, int64_t maxM,
                                          bool batchInvariant) {
  mlir::MLIRContext context(allDialects(), mlir::MLIRContext::Threading::DISABLED);
  std::string errors;
  raw_string_ostream os(errors);
  SourceMgr sources;
  mlir::SourceMgrDiagnosticHandler diagnostics(sources, &context, os);
  sources.AddNewSourceBuffer(MemoryBuffer::getMemBufferCopy(text, usual.name), SMLoc());
  auto module = mlir::parseSourceFile<mlir::ModuleOp>(sources, &context);
  if (!module)
    return make_error<PackError>(Kind::Problem, StringRef(errors).rtrim().str());
  PackProblems pack = usual;
  SmallVector<std::string> sourcesSeen;
  Error wrong = Error::success();
  module->walk([&](ProductOpInterface op) {
    PackProblem entry{placeOf(op), anyM(op), maxM, batchInvariant};
    if (op.getConfigAttr() || op.getKernelAttr()) {
      wrong = joinErrors(std::move(wrong), pack.error(Kind::Problem, entry,
                                                      "expected a product without a schedule, as packs are planned, "
                                                      "got one that has it"));
      return;
    }
    // The same product in many layers is one problem.
    PipelineOptions options;
    Product product(entry, options);
    if (!product.isValid()) {
      wrong = joinErrors(std::move(wrong), pack.error(Kind::Problem, entry, product.takeErrors()));
      return;
    }
    std::string source = product.source();
    if (is_contained(sourcesSeen, source))
      return;
    sourcesSeen.push_back(std::move(source));
    pack.problems.push_back(std::move(entry));
  });
  if (wrong)
    return wrong;
  if (pack.problems.empty())
    return make_error<PackError>(Kind::Problem, pack.name + ": expected at least one product of fp8gemm, got none");
  return pack;
}

} // namespace fp8gemm
