// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Changes of types: mostly wherever the same one stands, as values are used with the type they are defined with.

#include "Mutator.h"

#include <algorithm>
#include <set>

namespace fp8gemm::fuzz {

static constexpr const char *kElementTypes[] = {"f8E4M3FN", "f8E5M2",    "bf16",     "f32",  "f16",   "f64",
                                                "i32",      "i64",       "i8",       "i1",   "index", "i0",
                                                "i7",       "i16777215", "f4E2M1FN", "tf32", "none",  "vector<4xf32>"};

/// What may follow the elements in a memref.
static constexpr const char *kLayouts[] = {", 3",
                                           ", 1",
                                           ", 0",
                                           ", -1",
                                           ", 3 : i32",
                                           ", #gpu.address_space<workgroup>",
                                           ", \"space\"",
                                           ", strided<[?, 1], offset: ?>",
                                           ", strided<[256, 1]>",
                                           ", strided<[1, 1]>",
                                           ", strided<[-128, 1]>",
                                           ", strided<[9223372036854775807, 1]>",
                                           ", strided<[0, 0], offset: 9223372036854775807>",
                                           ", strided<[128, 2]>",
                                           ", strided<[16384, 128, 1], offset: ?>",
                                           ", strided<[1]>",
                                           ", strided<[]>",
                                           ", affine_map<(d0, d1) -> (d1, d0)>",
                                           ", affine_map<(d0, d1) -> (d0 mod 8, d1)>",
                                           ", strided<[256, 1], offset: 64>, 3"};

static bool isElementType(const Token &token) {
  return token.kind == TokenKind::Word &&
         std::find(std::begin(kElementTypes), std::end(kElementTypes), token.text) != std::end(kElementTypes);
}

size_t typeBracket(const Tokens &tokens, size_t i) {
  static const std::set<std::string> builtin = {"memref", "tensor", "vector"};
  bool named = tokens[i].kind == TokenKind::Alias ? tokens[i].text[0] == '!' : builtin.count(tokens[i].text) > 0;
  return named && i + 1 < tokens.size() && tokens[i + 1].is("<") ? i + 1 : 0;
}

bool Mutator::changeElementType(Tokens &tokens, Random &random) const {
  auto found = where(tokens, [&](size_t i) { return isElementType(tokens[i]); });
  if (found.empty())
    return false;
  size_t at = random.pick(found);
  std::string old = tokens[at].text, by = kElementTypes[random.below(std::size(kElementTypes))];
  bool everywhere = !random.oneIn(4);
  for (size_t i : found)
    if (i == at || (everywhere && tokens[i].text == old))
      tokens[i].text = by;
  return true;
}

/// Drops, repeats or replaces an extent.
static void changeShape(Tokens &type, Random &random) {
  auto crosses = where(type, [&](size_t i) { return type[i].is("x") && i > 0; });
  if (crosses.empty())
    return;
  size_t at = random.pick(crosses);
  Token &extent = type[at - 1];
  switch (random.below(4)) {
  case 0:
    type.erase(type.begin() + at - 1, type.begin() + at + 1);
    break;
  case 1:
    type.insert(type.begin() + at + 1, {{TokenKind::Number, Mutator::number(extent.text, random)}, type[at]});
    break;
  case 2:
    extent = {TokenKind::Number, Mutator::number(extent.text, random)};
    break;
  default:
    extent = extent.is("?") ? Token{TokenKind::Number, "128"} : Token{TokenKind::Punctuation, "?"};
  }
}

/// Replaces what follows the elements, or sets it.
static void changeLayout(Tokens &type, Random &random) {
  size_t end = type.size() - 1;
  while (random.oneIn(2) && end > 1 && !type[end].is(","))
    --end;
  if (end < 2)
    end = type.size() - 1;
  replace(type, end, type.size() - 1, tokenize(kLayouts[random.below(std::size(kLayouts))]));
}

bool Mutator::changeType(Tokens &tokens, Random &random) const {
  auto found = where(tokens, [&](size_t i) { return typeBracket(tokens, i) != 0; });
  if (found.empty() || types.empty())
    return false;
  size_t at = random.pick(found), close = closingBracket(tokens, at + 1);
  if (close == tokens.size())
    return false;
  const Tokens old(tokens.begin() + at, tokens.begin() + close + 1);
  Tokens by = old;
  bool hasLayout = old[0].is("memref");
  switch (random.below(4)) {
  case 0:
    by = random.pick(types);
    break;
  case 1:
    if (hasLayout) {
      changeLayout(by, random);
      break;
    }
    [[fallthrough]];
  default:
    changeShape(by, random);
  }
  bool everywhere = !random.oneIn(4);
  std::string oldText = toText(old);
  for (size_t k = found.size(); k-- > 0;) {
    size_t i = found[k], end = i + old.size();
    if (i == at ||
        (everywhere && end <= tokens.size() && toText(Tokens(tokens.begin() + i, tokens.begin() + end)) == oldText))
      replace(tokens, i, end, by);
  }
  return true;
}

} // namespace fp8gemm::fuzz
