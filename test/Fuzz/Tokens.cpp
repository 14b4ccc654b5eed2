// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "Tokens.h"

#include <cctype>

namespace fp8gemm::fuzz {

static bool isLetter(char c) { return std::isalpha(static_cast<unsigned char>(c)) || c == '_'; }
static bool isDigit(char c) { return std::isdigit(static_cast<unsigned char>(c)); }
static bool isNameCharacter(char c) { return isLetter(c) || isDigit(c) || c == '$' || c == '.'; }

namespace {

struct Lexer {
  std::string_view text;
  size_t at = 0;
  bool inShape = false; ///< an extent was just read

  char peek(size_t ahead = 0) const { return at + ahead < text.size() ? text[at + ahead] : '\0'; }

  template <typename Test> size_t run(size_t from, Test test) const {
    while (from < text.size() && test(text[from]))
      ++from;
    return from;
  }

  /// Digits, or a float. `128x64` is three tokens.
  size_t numberEnd() const {
    size_t end = run(at, isDigit);
    if (end + 1 < text.size() && text[end] == '.' && isDigit(text[end + 1])) {
      end = run(end + 1, isDigit);
      if (end + 1 < text.size() && (text[end] == 'e' || text[end] == 'E')) {
        size_t digits = end + 1 + (text[end + 1] == '-' || text[end + 1] == '+');
        end = run(digits, isDigit) > digits ? run(digits, isDigit) : end;
      }
    }
    return end;
  }

  size_t stringEnd() const {
    for (size_t i = at + 1; i < text.size(); ++i) {
      if (text[i] == '\\')
        ++i;
      else if (text[i] == '"')
        return i + 1;
    }
    return text.size();
  }

  Token take(TokenKind kind, size_t end) {
    Token token{kind, std::string(text.substr(at, end - at))};
    at = end;
    return token;
  }

  Token next() {
    char c = peek();
    if (inShape && c == 'x') {
      inShape = false;
      return take(TokenKind::Punctuation, at + 1);
    }
    inShape = isDigit(c) || c == '?';
    if (c == '\n')
      return take(TokenKind::Newline, at + 1);
    if (c == ' ' || c == '\t' || c == '\r')
      return take(TokenKind::Space, run(at, [](char c) { return c == ' ' || c == '\t' || c == '\r'; }));
    if (isDigit(c))
      return take(TokenKind::Number, numberEnd());
    if (isLetter(c))
      return take(TokenKind::Word, run(at, isNameCharacter));
    if (c == '"')
      return take(TokenKind::String, stringEnd());
    if (c == '-' && peek(1) == '>')
      return take(TokenKind::Punctuation, at + 2);
    TokenKind named = c == '%'               ? TokenKind::Value
                      : c == '@'             ? TokenKind::Symbol
                      : c == '^'             ? TokenKind::Block
                      : c == '!' || c == '#' ? TokenKind::Alias
                                             : TokenKind::Punctuation;
    if (named != TokenKind::Punctuation && isNameCharacter(peek(1)))
      return take(named, run(at + 1, isNameCharacter));
    return take(TokenKind::Punctuation, at + 1);
  }
};

} // namespace

Tokens tokenize(std::string_view text) {
  Tokens tokens;
  Lexer lexer{text};
  while (lexer.at < text.size()) {
    if (lexer.peek() == '/' && lexer.peek(1) == '/') {
      lexer.at = lexer.run(lexer.at, [](char c) { return c != '\n'; });
      continue;
    }
    tokens.push_back(lexer.next());
  }
  return tokens;
}

std::string toText(const Tokens &tokens) {
  std::string text;
  for (const Token &token : tokens)
    text += token.text;
  return text;
}

static char closing(const Token &token) {
  if (token.kind != TokenKind::Punctuation || token.text.size() != 1)
    return '\0';
  switch (token.text[0]) {
  case '(':
    return ')';
  case '[':
    return ']';
  case '{':
    return '}';
  case '<':
    return '>';
  }
  return '\0';
}

size_t closingBracket(const Tokens &tokens, size_t open) {
  std::string expected;
  for (size_t i = open; i < tokens.size(); ++i) {
    if (char close = closing(tokens[i]))
      expected += close;
    else if (!expected.empty() && tokens[i].text.size() == 1 && tokens[i].text[0] == expected.back())
      expected.pop_back();
    if (expected.empty())
      return i == open ? tokens.size() : i;
  }
  return tokens.size();
}

std::vector<Range> lines(const Tokens &tokens) {
  std::vector<Range> result;
  size_t first = 0;
  for (size_t i = 0; i < tokens.size(); ++i)
    if (tokens[i].kind == TokenKind::Newline || i + 1 == tokens.size()) {
      result.push_back({first, i + 1});
      first = i + 1;
    }
  return result;
}

size_t balancedEnd(const Tokens &tokens, const std::vector<Range> &lines, size_t line) {
  long depth = 0;
  for (size_t end = line; end < lines.size(); ++end) {
    for (size_t i = lines[end].first; i < lines[end].last; ++i) {
      depth += tokens[i].is("{");
      depth -= tokens[i].is("}");
      if (depth < 0)
        return 0;
    }
    if (depth == 0)
      return end + 1;
  }
  return 0;
}

} // namespace fp8gemm::fuzz
