// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The text of MLIR as tokens whose concatenation is the text again. Text that is not MLIR also becomes tokens.

#ifndef FP8GEMM_TEST_FUZZ_TOKENS_H
#define FP8GEMM_TEST_FUZZ_TOKENS_H

#include <string>
#include <string_view>
#include <vector>

namespace fp8gemm::fuzz {

enum class TokenKind {
  Space,
  Newline,
  Number, ///< without its sign; of a shape, one extent
  Word,   ///< keyword, name of an operation or attribute, builtin type
  Value,  ///< %name
  Symbol, ///< @name
  Alias,  ///< !name or #name, of a dialect's type or attribute too
  Block,  ///< ^name
  String,
  Punctuation ///< one character, or ->; the x between extents
};

struct Token {
  TokenKind kind;
  std::string text;

  bool is(std::string_view wanted) const { return text == wanted; }
  bool isBlank() const { return kind == TokenKind::Space || kind == TokenKind::Newline; }
};

using Tokens = std::vector<Token>;

/// Comments are left out.
Tokens tokenize(std::string_view text);

std::string toText(const Tokens &tokens);

/// The bracket that closes the one at `open`; `tokens.size()` if none does, or there is no bracket.
size_t closingBracket(const Tokens &tokens, size_t open);

/// [first, last) tokens.
struct Range {
  size_t first, last;
};

/// Lines, each with the newline at its end.
std::vector<Range> lines(const Tokens &tokens);

/// Where the lines end that start at `line` and close as many braces as they open: 0 if they never do.
size_t balancedEnd(const Tokens &tokens, const std::vector<Range> &lines, size_t line);

} // namespace fp8gemm::fuzz

#endif // FP8GEMM_TEST_FUZZ_TOKENS_H
