// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Changes of tokens: numbers, words, types, values.

#include "Mutator.h"

#include <algorithm>

namespace fp8gemm::fuzz {

/// Changes that keep an operation or region whole are the more frequent ones.
struct Mutator::Change {
  bool (Mutator::*apply)(Tokens &, Random &) const;
  unsigned weight;
};

const std::vector<Mutator::Change> &Mutator::changes() {
  static const std::vector<Change> all = {{&Mutator::changeNumber, 6},   {&Mutator::changeNumberEverywhere, 8},
                                          {&Mutator::changeWord, 3},     {&Mutator::changeElementType, 2},
                                          {&Mutator::changeType, 5},     {&Mutator::swapValues, 2},
                                          {&Mutator::renameValue, 3},    {&Mutator::changeToken, 1},
                                          {&Mutator::changeList, 4},     {&Mutator::deleteLines, 4},
                                          {&Mutator::duplicateLines, 3}, {&Mutator::moveLines, 4},
                                          {&Mutator::spliceLines, 2},    {&Mutator::wrapLines, 3},
                                          {&Mutator::unwrapLines, 2},    {&Mutator::emptyRegion, 1}};
  return all;
}

/// Around limits: of shared memory, 32 and 64 bits, of the number of threads, of stages, of bytes of a ring.
static constexpr const char *kExtremes[] = {"0",
                                            "-1",
                                            "1",
                                            "2",
                                            "3",
                                            "1023",
                                            "1024",
                                            "1025",
                                            "65535",
                                            "65536",
                                            "1000000",
                                            "232448",
                                            "2147483647",
                                            "2147483648",
                                            "4294967295",
                                            "4294967296",
                                            "137438953472",
                                            "1000000000",
                                            "1000000000000",
                                            "4611686018427387904",
                                            "9223372036854775807",
                                            "9223372036854775808",
                                            "-9223372036854775808",
                                            "18446744073709551615",
                                            "99999999999999999999"};
static constexpr const char *kSizes[] = {"1",   "2",   "3",   "4",   "5",   "6",   "7",   "8",   "16",
                                         "24",  "32",  "40",  "48",  "64",  "72",  "96",  "104", "112",
                                         "128", "160", "192", "200", "232", "256", "512", "576", "1024"};

static const Token *significantBefore(const Tokens &tokens, size_t i) {
  while (i > 0)
    if (!tokens[--i].isBlank())
      return &tokens[i];
  return nullptr;
}

void replace(Tokens &tokens, size_t first, size_t last, const Tokens &by) {
  Tokens copy = by; // may be a part of tokens
  tokens.erase(tokens.begin() + first, tokens.begin() + last);
  tokens.insert(tokens.begin() + first, copy.begin(), copy.end());
}

void Mutator::learn(const std::string &text) {
  Tokens tokens = tokenize(text);
  for (size_t i = 0; i < tokens.size(); ++i) {
    const Token *before = significantBefore(tokens, i);
    if (before && (tokens[i].kind == TokenKind::Word || tokens[i].kind == TokenKind::Alias)) {
      // After a value or a number, it matters little which one it is.
      std::vector<std::string> &list =
          followers[before->kind == TokenKind::Value || before->kind == TokenKind::Number ? "" : before->text];
      if (std::find(list.begin(), list.end(), tokens[i].text) == list.end())
        list.push_back(tokens[i].text);
    }
    size_t open = typeBracket(tokens, i);
    size_t close = open ? closingBracket(tokens, open) : tokens.size();
    if (close < tokens.size() && close - i < 64 && types.size() < 4096) {
      Tokens type(tokens.begin() + i, tokens.begin() + close + 1);
      auto same = [&](const Tokens &other) { return toText(other) == toText(type); };
      if (std::none_of(types.begin(), types.end(), same))
        types.push_back(std::move(type));
    }
  }
  corpus.push_back(std::move(tokens));
}

std::string Mutator::mutate(const std::string &text, Random &random) const {
  static constexpr size_t kMaxTokens = 40000;
  Tokens tokens = tokenize(text);
  unsigned total = 0;
  for (const Change &change : changes())
    total += change.weight;
  // Mostly one or two: a text with many faults shows its first one only.
  size_t count = 1;
  while (count < 8 && random.oneIn(3))
    ++count;
  for (size_t tries = 0; count > 0 && tries < 64; ++tries) {
    size_t drawn = random.below(total);
    for (const Change &change : changes()) {
      if (drawn >= change.weight) {
        drawn -= change.weight;
        continue;
      }
      if (!tokens.empty() && (this->*change.apply)(tokens, random))
        --count;
      break;
    }
    if (tokens.size() > kMaxTokens)
      tokens.erase(tokens.begin() + kMaxTokens, tokens.end());
  }
  return toText(tokens);
}

std::string Mutator::changeElement(const std::string &text, Random &random) const {
  static constexpr bool (Mutator::*changes[])(Tokens &, Random &) const = {
      &Mutator::changeNumber, &Mutator::changeNumber,      &Mutator::changeNumberEverywhere,
      &Mutator::changeWord,   &Mutator::changeElementType, &Mutator::changeType,
      &Mutator::changeList};
  Tokens tokens = tokenize(text);
  for (size_t tries = 0; tries < 8; ++tries)
    if ((this->*changes[random.below(std::size(changes))])(tokens, random))
      break;
  return toText(tokens);
}

std::string Mutator::number(const std::string &old, Random &random) {
  switch (random.below(3)) {
  case 0:
    return kExtremes[random.below(std::size(kExtremes))];
  case 1:
    return kSizes[random.below(std::size(kSizes))];
  }
  if (old.empty() || old.size() > 18 || old.find_first_not_of("0123456789") != std::string::npos)
    return "1";
  long long value = std::stoll(old);
  const long long near[] = {value + 1,  value - 1, value * 2,   value / 2,
                            value + 16, value * 8, value + 128, value % 128};
  return std::to_string(near[random.below(std::size(near))]);
}

/// Of one number. Mostly not of a shape, which must be the same elsewhere.
bool Mutator::changeNumber(Tokens &tokens, Random &random) const {
  bool shapes = random.oneIn(8);
  auto numbers = where(tokens, [&](size_t i) {
    return tokens[i].kind == TokenKind::Number && (shapes || i + 1 == tokens.size() || !tokens[i + 1].is("x"));
  });
  if (numbers.empty())
    return false;
  Token &token = tokens[random.pick(numbers)];
  token.text = number(token.text, random);
  return true;
}

bool Mutator::changeNumberEverywhere(Tokens &tokens, Random &random) const {
  auto numbers = where(tokens, [&](size_t i) { return tokens[i].kind == TokenKind::Number; });
  if (numbers.empty())
    return false;
  std::string old = tokens[random.pick(numbers)].text, by = number(old, random);
  for (size_t i : numbers)
    if (tokens[i].text == old)
      tokens[i].text = by;
  return true;
}

bool Mutator::changeWord(Tokens &tokens, Random &random) const {
  auto words =
      where(tokens, [&](size_t i) { return tokens[i].kind == TokenKind::Word || tokens[i].kind == TokenKind::Alias; });
  if (words.empty())
    return false;
  size_t at = random.pick(words);
  const Token *before = significantBefore(tokens, at);
  auto found = followers.find(
      !before || before->kind == TokenKind::Value || before->kind == TokenKind::Number ? "" : before->text);
  if (found == followers.end())
    return false;
  tokens[at].text = random.pick(found->second);
  return true;
}

bool Mutator::swapValues(Tokens &tokens, Random &random) const {
  auto all = lines(tokens);
  const Range &line = random.pick(all);
  std::vector<size_t> values;
  for (size_t i = line.first; i < line.last; ++i)
    if (tokens[i].kind == TokenKind::Value)
      values.push_back(i);
  if (values.size() < 2)
    return false;
  std::swap(tokens[random.pick(values)].text, tokens[random.pick(values)].text);
  return true;
}

/// A use, or a definition, of a value becomes that of another one of its neighbourhood.
bool Mutator::renameValue(Tokens &tokens, Random &random) const {
  auto values = where(tokens, [&](size_t i) { return tokens[i].kind == TokenKind::Value; });
  if (values.size() < 2)
    return false;
  size_t at = random.below(values.size());
  size_t first = at > 32 ? at - 32 : 0, last = std::min(values.size(), at + 8);
  tokens[values[at]].text = tokens[values[first + random.below(last - first)]].text;
  return true;
}

/// Without regard to grammar: the parser's own errors.
bool Mutator::changeToken(Tokens &tokens, Random &random) const {
  size_t at = random.below(tokens.size());
  switch (random.below(3)) {
  case 0:
    tokens.erase(tokens.begin() + at);
    break;
  case 1:
    tokens.insert(tokens.begin() + at, Token(tokens[at]));
    break;
  default:
    tokens[at] = random.pick(random.pick(corpus));
  }
  return true;
}

} // namespace fp8gemm::fuzz
