// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The table of a problem's fields.

#include "fp8gemm/Problem.h"

#include "gtest/gtest.h"

#include <set>

using namespace fp8gemm::format;

namespace {

constexpr Grouping kAllGroupings[] = {Grouping::None,     Grouping::RowIndex, Grouping::RowEnd,
                                      Grouping::RowCount, Grouping::Batched,  Grouping::KCount};

Problem problemOf(Grouping grouping) {
  Problem problem = usualProblem(grouping);
  problem.n = 264, problem.k = 400;
  if (grouping == Grouping::KCount)
    problem.m = 72, problem.k = -1;
  if (grouping != Grouping::None)
    problem.groups = 3;
  if (grouping == Grouping::RowIndex)
    problem.align = 128;
  return problem;
}

TEST(Problem, EachMemberIsARow) {
  size_t bytes = sizeof(Problem::size);
  std::set<size_t> offsets;
  std::set<std::string> names;
  for (const Field &field : kFields) {
    bytes += field.bytes;
    EXPECT_TRUE(offsets.insert(field.offset).second) << field.name;
    EXPECT_TRUE(names.insert(field.name).second) << field.name;
    EXPECT_EQ(findField(field.name), &field);
    EXPECT_EQ(field.kind == Kind::Word, field.words.count > 0) << field.name;
    EXPECT_EQ(field.mustHave & ~field.mayHave, 0u) << field.name;
  }
  EXPECT_EQ(bytes, sizeof(Problem));
  EXPECT_EQ(findField("nobody"), nullptr);
}

TEST(Problem, AFieldIsWhatWasSet) {
  for (const Field &field : kFields) {
    Problem problem = problemOf(Grouping::RowEnd);
    const Problem before = problem;
    for (int64_t value : {int64_t(0), int64_t(7), int64_t(INT32_MAX)}) {
      set(problem, field, value);
      EXPECT_EQ(get(problem, field), value) << field.name;
      for (const Field &other : kFields)
        if (&other != &field) {
          EXPECT_EQ(get(problem, other), get(before, other)) << field.name << " changes " << other.name;
        }
    }
    EXPECT_NE(problem, before) << field.name;
    EXPECT_TRUE(before < problem) << field.name;
  }
}

TEST(Problem, WordsAreDistinctAndCoverTheUsualValue) {
  for (const Problem &usual : usualProblems())
    for (const Field &field : kFields)
      if (field.kind == Kind::Word && field.mayHave & setOf(usual)) {
        EXPECT_NE(wordOf(field, get(usual, field)), nullptr) << field.name;
      }
  for (const Field &field : kFields) {
    std::set<std::string> names;
    for (const Word &word : field.words) {
      EXPECT_TRUE(names.insert(word.name).second) << field.name << ' ' << word.name;
      EXPECT_EQ(print(field, word.value), word.name);
    }
  }
}

TEST(Problem, FactsOfGroupingsAgreeWithTheFields) {
  const Field &align = *findField("align"), &groups = *findField("groups");
  for (Grouping grouping : kAllGroupings) {
    EXPECT_EQ(factsOf(grouping).isAligned, bool(align.mayHave & setOf(grouping)));
    EXPECT_EQ(bool(groups.mustHave & setOf(grouping)), grouping != Grouping::None);
  }
  EXPECT_STREQ(factsOf(Grouping(17)).op, "gemm");
}

TEST(Problem, TextIsAnEntryOfAList) {
  EXPECT_EQ(print(problemOf(Grouping::None)), R"({"op": "gemm", "n": 264, "k": 400})");
  EXPECT_EQ(print(problemOf(Grouping::RowIndex)),
            R"({"op": "grouped_gemm", "n": 264, "k": 400, "grouping": "row_index", "groups": 3, "align": 128})");
  EXPECT_EQ(print(problemOf(Grouping::RowEnd)),
            R"({"op": "grouped_gemm", "n": 264, "k": 400, "grouping": "row_end", "groups": 3})");
  EXPECT_EQ(print(problemOf(Grouping::Batched)),
            R"({"op": "grouped_gemm", "n": 264, "k": 400, "grouping": "batched", "groups": 3})");
  Problem shared = problemOf(Grouping::RowCount);
  shared.groups = 6, shared.weights = 2;
  EXPECT_EQ(print(shared),
            R"({"op": "grouped_gemm", "n": 264, "k": 400, "grouping": "row_count", "groups": 6, "weights": 2})");
  EXPECT_EQ(print(problemOf(Grouping::KCount)), R"({"op": "k_grouped_gemm", "n": 264, "m": 72, "groups": 3})");
  Problem problem = problemOf(Grouping::None);
  problem.a = Type::E5M2, problem.d = Type::F32, problem.c = CUse::InPlace, problem.sfbRows = 1;
  problem.sfb = ScaleLayout::MnMajor, problem.batchInvariant = 1;
  EXPECT_EQ(print(problem), R"({"op": "gemm", "n": 264, "k": 400, "a_type": "e5m2", "d_type": "f32", "c": "in_place", )"
                            R"("recipe": "1d1d", "sfb": "mn_major", "batch_invariant": true})");
}

TEST(Problem, AQuantisationHasFewFields) {
  Problem problem = usualQuantisation();
  problem.k = 400;
  EXPECT_EQ(print(problem), R"({"op": "quantize", "k": 400})");
  problem.x = XType::F32, problem.powerOfTwo = 1, problem.sfa = ScaleLayout::KMajor;
  EXPECT_EQ(print(problem),
            R"({"op": "quantize", "k": 400, "sfa": "k_major", "x_type": "f32", "power_of_two": true})");
  problem.sfbRows = 0; // of callers that say nothing of it
  EXPECT_EQ(relevant(problem).sfbRows, 1u);
  problem.sfbRows = 128;
  EXPECT_EQ(print(problem), R"({"op": "quantize", "k": 400, "recipe": "1d2d", "sfa": "k_major", "x_type": "f32", )"
                            R"("power_of_two": true})");
  problem.sfbRows = 1;
  problem.gated = 1, problem.activation = Activation::Silu;
  EXPECT_EQ(print(problem), R"({"op": "quantize", "k": 400, "gated": true, "sfa": "k_major", "x_type": "f32", )"
                            R"("power_of_two": true, "activation": "silu"})");
  EXPECT_EQ(columnsOfX(problem), 800);
  // What only products have doesn't count.
  Problem other = problem;
  other.m = 7, other.n = 64, other.d = Type::F32, other.groups = 3, other.batchInvariant = 1;
  EXPECT_NE(other, problem);
  EXPECT_EQ(relevant(other), problem);
  EXPECT_STREQ(factsOf(problem).op, "quantize");
  EXPECT_EQ(setOf(problem) & kAll, 0u);
}

TEST(Problem, TextOfNumbersThatStandForNothing) {
  Problem problem = problemOf(Grouping::None);
  problem.a = Type(9), problem.flat = 2;
  EXPECT_EQ(print(problem), R"({"op": "gemm", "n": 264, "k": 400, "flattened": 2, "a_type": 9})");
  problem.grouping = Grouping(17);
  EXPECT_NE(print(problem).find(R"("grouping": 17)"), std::string::npos);
}

} // namespace
