// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "Json.h"

#include "fp8gemm/Support/Files.h"
#include "llvm/ADT/SmallVector.h"
#include "llvm/ADT/StringSet.h"
#include "llvm/ADT/Twine.h"

using namespace llvm;

namespace fp8gemm {

namespace {

constexpr StringLiteral kSpace = " \t\r\n";

/// Finds what LLVM's parser accepts in silence, doesn't survive, or doesn't say well; anything else is left to it.
class Scan {
public:
  explicit Scan(StringRef text) : text(text) {}

  Error run() {
    for (; at < text.size(); ++at)
      if (Error error = step(text[at]))
        return error;
    return Error::success();
  }

private:
  Error error(size_t place, const Twine &message) const {
    StringRef before = text.take_front(place);
    size_t line = before.count('\n') + 1, column = before.size() - (before.rfind('\n') + 1) + 1;
    return createStringError("line " + Twine(line) + ", column " + Twine(column) + ": " + message);
  }

  Error step(char letter) {
    switch (letter) {
    case '{':
    case '[':
      if (keys.size() == kMaxNesting)
        return error(at, "expected JSON with at most " + Twine(kMaxNesting) + " levels of nesting, got more");
      keys.emplace_back();
      return Error::success();
    case '}':
    case ']':
      if (!keys.empty())
        keys.pop_back();
      return Error::success();
    case ',': {
      StringRef rest = text.drop_front(at + 1).ltrim(kSpace);
      bool ends = rest.starts_with("]") || rest.starts_with("}");
      return ends ? error(at, "expected JSON, which has no comma after the last element; remove it")
                  : Error::success();
    }
    case '/':
    case '#':
      return error(at, "expected JSON, which has no comments; remove this one");
    case '"':
      return string();
    default:
      return Error::success();
    }
  }

  /// A key, where a colon follows.
  Error string() {
    size_t begin = at++;
    for (; at < text.size() && text[at] != '"'; ++at)
      if (text[at] == '\\')
        ++at;
    StringRef word = text.slice(begin + 1, at);
    bool isKey = text.drop_front(std::min(at + 1, text.size())).ltrim(kSpace).starts_with(":");
    if (isKey && !keys.empty() && !keys.back().insert(word).second)
      return error(begin, "expected each key of an object once, got '" + word + "' twice");
    return Error::success();
  }

  StringRef text;
  size_t at = 0;
  SmallVector<StringSet<>, 8> keys; ///< of each object and list that we are in
};

/// "[2:7, byte=30]: Expected ..." as the other messages are written. LLVM counts columns from 0.
std::string reword(StringRef message) {
  auto [place, what] = message.split("]: ");
  auto [line, column] = place.drop_front().split(',').first.split(':');
  unsigned number = 0;
  if (!place.starts_with("[") || column.getAsInteger(10, number))
    return "expected JSON: " + message.str();
  return ("line " + line + ", column " + Twine(number + 1) + ": expected JSON, got something else: " + what).str();
}

} // namespace

Expected<json::Value> parseJson(StringRef text) {
  text = withoutByteOrderMark(text);
  if (Error error = Scan(text).run())
    return error;
  Expected<json::Value> value = json::parse(text);
  return value ? std::move(value) : createStringError(reword(toString(value.takeError())));
}

} // namespace fp8gemm
