// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Changes to MLIR text that keep most of its grammar: so that most changed texts come past the parser.

#ifndef FP8GEMM_TEST_FUZZ_MUTATOR_H
#define FP8GEMM_TEST_FUZZ_MUTATOR_H

#include "Tokens.h"

#include <cstdint>
#include <map>
#include <random>

namespace fp8gemm::fuzz {

/// The same numbers everywhere: the standard library's distributions differ between implementations.
class Random {
public:
  explicit Random(uint64_t seed) : engine(seed) {}

  /// In [0, count); count > 0.
  size_t below(size_t count) { return engine() % count; }
  bool oneIn(size_t count) { return below(count) == 0; }
  template <typename List> auto &pick(List &list) { return list[below(list.size())]; }

private:
  std::mt19937_64 engine;
};

class Mutator {
public:
  /// Texts to splice from, and what words and types they use.
  void learn(const std::string &text);

  /// One to some changes, of a text of the corpus or of another one.
  std::string mutate(const std::string &text, Random &random) const;

  /// One change to the text of an attribute or a type.
  std::string changeElement(const std::string &text, Random &random) const;

  /// A value for a field of a schedule or a size, as text.
  static std::string number(const std::string &old, Random &random);

private:
  struct Change;
  static const std::vector<Change> &changes();

  // Each returns whether there was something to change. In Mutator.cpp:
  bool changeNumber(Tokens &tokens, Random &random) const;
  bool changeNumberEverywhere(Tokens &tokens, Random &random) const;
  bool changeWord(Tokens &tokens, Random &random) const;
  bool swapValues(Tokens &tokens, Random &random) const;
  bool renameValue(Tokens &tokens, Random &random) const;
  bool changeToken(Tokens &tokens, Random &random) const;
  // In Types.cpp:
  bool changeElementType(Tokens &tokens, Random &random) const;
  bool changeType(Tokens &tokens, Random &random) const;
  // In Structure.cpp:
  bool changeList(Tokens &tokens, Random &random) const;
  bool deleteLines(Tokens &tokens, Random &random) const;
  bool duplicateLines(Tokens &tokens, Random &random) const;
  bool moveLines(Tokens &tokens, Random &random) const;
  bool spliceLines(Tokens &tokens, Random &random) const;
  bool wrapLines(Tokens &tokens, Random &random) const;
  bool unwrapLines(Tokens &tokens, Random &random) const;
  bool emptyRegion(Tokens &tokens, Random &random) const;

  std::vector<Tokens> corpus;
  std::map<std::string, std::vector<std::string>> followers; ///< words and aliases that follow a token
  std::vector<Tokens> types;                                 ///< with brackets
};

/// Indices of the tokens that `test` holds for.
template <typename Test> std::vector<size_t> where(const Tokens &tokens, Test test) {
  std::vector<size_t> result;
  for (size_t i = 0; i < tokens.size(); ++i)
    if (test(i))
      result.push_back(i);
  return result;
}

/// The bracket after a type's name, as in memref<; 0 if this is none.
size_t typeBracket(const Tokens &tokens, size_t i);

/// Replaces tokens [first, last).
void replace(Tokens &tokens, size_t first, size_t last, const Tokens &by);

} // namespace fp8gemm::fuzz

#endif // FP8GEMM_TEST_FUZZ_MUTATOR_H
