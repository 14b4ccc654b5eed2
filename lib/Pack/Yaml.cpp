// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "Json.h"

#include "llvm/ADT/ScopeExit.h"
#include "llvm/ADT/SmallString.h"
#include "llvm/Support/SourceMgr.h"
#include "llvm/Support/YAMLParser.h"

using namespace llvm;

namespace fp8gemm {

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
      return createStringError(complaint);
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
    if (isa<yaml::SequenceNode, yaml::MappingNode>(node) && depth == kMaxNesting)
      return error(node, "expected at most " + Twine(kMaxNesting) + " levels of nesting, got more");
    ++depth;
    scope_exit leaving([&] { --depth; });
    if (auto *sequence = dyn_cast<yaml::SequenceNode>(&node))
      return convertSequence(*sequence);
    if (auto *mapping = dyn_cast<yaml::MappingNode>(&node))
      return convertMapping(*mapping);
    return isa<yaml::NullNode>(node) ? nullptr : error(node, "expected no anchors, aliases or blocks of text, got one");
  }

  // After an error the rest is not read: skipping deeply nested values would exhaust the stack in LLVM's parser.
  json::Value convertSequence(yaml::SequenceNode &sequence) {
    json::Array array;
    for (yaml::Node &element : sequence) {
      array.push_back(convert(element));
      if (!complaint.empty())
        return nullptr;
    }
    return array;
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
      if (!complaint.empty())
        return nullptr;
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
  unsigned depth = 0;
};

} // namespace

Expected<json::Value> parseYaml(StringRef text, StringRef name) { return YamlToJson(text, name).run(); }

} // namespace fp8gemm
