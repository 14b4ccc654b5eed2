// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Changes of lists, lines and regions. Where lines are taken, they close what braces they open.

#include "Mutator.h"

#include <algorithm>
#include <set>

namespace fp8gemm::fuzz {

/// Whole operations, mostly one: [first, last) tokens; empty if there were none at the line drawn.
static Range drawLines(const Tokens &tokens, Random &random) {
  auto all = lines(tokens);
  if (all.empty())
    return {0, 0};
  size_t first = random.below(all.size()), end = balancedEnd(tokens, all, first);
  while (end && end < all.size() && random.oneIn(3)) {
    size_t more = balancedEnd(tokens, all, end);
    if (!more)
      break;
    end = more;
  }
  return end ? Range{all[first].first, all[end - 1].last} : Range{0, 0};
}

/// Gives what `part` defines names of its own, so that it can stand beside what it was copied from.
static void renameDefinitions(Tokens &part, Random &random) {
  std::set<std::string> defined;
  bool start = true; // of a line, and its results
  for (size_t i = 0; i < part.size(); ++i) {
    if (part[i].kind == TokenKind::Newline)
      start = true;
    else if (part[i].is("=") || part[i].kind == TokenKind::Word)
      start = false;
    if (part[i].kind != TokenKind::Value)
      continue;
    // Results, loop variables and what they carry; arguments of blocks and regions.
    size_t next = i + 1;
    while (next < part.size() && part[next].isBlank())
      ++next;
    if (start || (next < part.size() && (part[next].is("=") || part[next].is(":") || part[next].is("|"))))
      defined.insert(part[i].text);
  }
  std::string suffix = "_" + std::to_string(random.below(1000));
  for (Token &token : part)
    if (token.kind == TokenKind::Value && defined.count(token.text))
      token.text += suffix;
}

static size_t drawLineStart(const Tokens &tokens, Random &random) {
  auto all = lines(tokens);
  return random.pick(all).first;
}

/// Deletes, repeats or swaps what stands between commas.
bool Mutator::changeList(Tokens &tokens, Random &random) const {
  auto commas = where(tokens, [&](size_t i) { return tokens[i].is(","); });
  if (commas.empty())
    return false;
  size_t comma = random.pick(commas);
  auto isOpening = [&](size_t i) {
    return tokens[i].is("(") || tokens[i].is("[") || tokens[i].is("{") || tokens[i].is("<");
  };
  auto isClosing = [&](size_t i) {
    return tokens[i].is(")") || tokens[i].is("]") || tokens[i].is("}") || tokens[i].is(">");
  };
  // The element before the comma and the one after it.
  size_t first = comma;
  for (long depth = 0; first > 0; --first) {
    depth += isClosing(first - 1);
    depth -= isOpening(first - 1);
    if (depth < 0 || (depth == 0 && (tokens[first - 1].is(",") || tokens[first - 1].kind == TokenKind::Newline)))
      break;
  }
  size_t last = comma + 1;
  for (long depth = 0; last < tokens.size(); ++last) {
    depth += isOpening(last);
    depth -= isClosing(last);
    if (depth < 0 || (depth == 0 && (tokens[last].is(",") || tokens[last].kind == TokenKind::Newline)))
      break;
  }
  Tokens before(tokens.begin() + first, tokens.begin() + comma),
      behind(tokens.begin() + comma + 1, tokens.begin() + last);
  const Token separator = tokens[comma];
  Tokens result;
  auto add = [&](const Tokens &part) {
    if (!result.empty())
      result.push_back(separator);
    result.insert(result.end(), part.begin(), part.end());
  };
  switch (random.below(4)) {
  case 0:
    add(before);
    break;
  case 1:
    add(behind);
    break;
  case 2:
    add(behind);
    add(before);
    break;
  default:
    add(before);
    add(behind);
    add(random.oneIn(2) ? before : behind);
  }
  replace(tokens, first, last, result);
  return true;
}

bool Mutator::deleteLines(Tokens &tokens, Random &random) const {
  Range range = drawLines(tokens, random);
  // Most of a text is one function: without it nothing is left to go wrong.
  if (range.first == range.last || range.last - range.first > tokens.size() / 2)
    return false;
  replace(tokens, range.first, range.last, {});
  return true;
}

bool Mutator::duplicateLines(Tokens &tokens, Random &random) const {
  Range range = drawLines(tokens, random);
  if (range.first == range.last)
    return false;
  Tokens copy(tokens.begin() + range.first, tokens.begin() + range.last);
  if (!random.oneIn(4))
    renameDefinitions(copy, random);
  size_t at = random.oneIn(2) ? range.last : drawLineStart(tokens, random);
  replace(tokens, at, at, copy);
  return true;
}

bool Mutator::moveLines(Tokens &tokens, Random &random) const {
  Range range = drawLines(tokens, random);
  if (range.first == range.last || range.last - range.first > tokens.size() / 2)
    return false;
  Tokens moved(tokens.begin() + range.first, tokens.begin() + range.last);
  replace(tokens, range.first, range.last, {});
  auto all = lines(tokens);
  if (all.empty())
    return false;
  // Half of the time to a line near by.
  size_t line = random.below(all.size());
  if (random.oneIn(2))
    for (line = 0; line + 1 < all.size() && all[line].first + 60 < range.first;)
      line += 1 + random.below(2);
  size_t at = all[std::min(line, all.size() - 1)].first;
  replace(tokens, at, at, moved);
  return true;
}

bool Mutator::spliceLines(Tokens &tokens, Random &random) const {
  const Tokens &other = random.pick(corpus);
  if (other.empty())
    return false;
  Range range = drawLines(other, random);
  if (range.first == range.last)
    return false;
  Tokens part(other.begin() + range.first, other.begin() + range.last);
  if (!random.oneIn(4))
    renameDefinitions(part, random);
  size_t at = drawLineStart(tokens, random);
  replace(tokens, at, at, part);
  return true;
}

bool Mutator::wrapLines(Tokens &tokens, Random &random) const {
  Range range = drawLines(tokens, random);
  if (range.first == range.last)
    return false;
  std::string name = "%w" + std::to_string(random.below(1000)), before, behind = "}\n";
  auto constant = [&](const char *suffix, const std::string &value, const char *type) {
    before += name + suffix + " = arith.constant " + value + " : " + type + "\n";
    return name + suffix;
  };
  if (random.oneIn(3)) {
    before = name + " = arith.constant " + (random.oneIn(2) ? "true\n" : "false\n") + "scf.if " + name + " {\n";
    if (random.oneIn(3))
      behind = "} else {\n" + toText(Tokens(tokens.begin() + range.first, tokens.begin() + range.last)) + "}\n";
  } else {
    std::string lower = constant("l", random.oneIn(2) ? "0" : number("0", random), "index");
    std::string upper = constant("u", number("4", random), "index");
    std::string step = constant("s", random.oneIn(2) ? "1" : number("1", random), "index");
    before += "scf.for " + name + " = " + lower + " to " + upper + " step " + step + " {\n";
  }
  replace(tokens, range.last, range.last, tokenize(behind));
  replace(tokens, range.first, range.first, tokenize(before));
  return true;
}

/// A region's lines without the operation around them.
bool Mutator::unwrapLines(Tokens &tokens, Random &random) const {
  auto all = lines(tokens);
  size_t line = random.below(all.size()), end = balancedEnd(tokens, all, line);
  if (!end || end < line + 3)
    return false;
  tokens.erase(tokens.begin() + all[end - 1].first, tokens.begin() + all[end - 1].last);
  tokens.erase(tokens.begin() + all[line].first, tokens.begin() + all[line].last);
  return !tokens.empty();
}

bool Mutator::emptyRegion(Tokens &tokens, Random &random) const {
  auto braces = where(tokens, [&](size_t i) { return tokens[i].is("{"); });
  if (braces.empty())
    return false;
  size_t open = random.pick(braces), close = closingBracket(tokens, open);
  if (close >= tokens.size())
    return false;
  // With or without the braces.
  size_t keep = random.oneIn(3) ? 0 : 1;
  replace(tokens, open + keep, close + 1 - keep, {});
  return !tokens.empty();
}

} // namespace fp8gemm::fuzz
