// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// --op, and an option for each field of a problem.

#ifndef FP8GEMM_TOOLS_COMPILE_PROBLEMOPTIONS_H
#define FP8GEMM_TOOLS_COMPILE_PROBLEMOPTIONS_H

#include "Tool.h"
#include "fp8gemm/Problem.h"
#include "llvm/Support/Error.h"

#include <memory>
#include <vector>

class ProblemOptions {
public:
  /// Registers the options.
  explicit ProblemOptions(llvm::cl::OptionCategory &category);

  /// Whether there is --op.
  bool isGiven() const { return op.getNumOccurrences(); }

  /// The name of an option of a problem's field that is given, or "".
  llvm::StringRef givenField() const;

  /// What --op and the options beside it ask for.
  llvm::Expected<fp8gemm::format::Problem> read() const;

private:
  /// The index of a word.
  enum class Choice : unsigned {};
  using ChoiceOption = llvm::cl::opt<Choice, /*ExternalStorage=*/false, fp8gemm::WordParser<Choice>>;

  struct FieldOption {
    const fp8gemm::format::Field &field;
    std::string name;
    // One of these, by the field's kind.
    std::unique_ptr<llvm::cl::opt<std::string>> number;
    std::unique_ptr<ChoiceOption> word;
    std::unique_ptr<llvm::cl::opt<bool>> flag;
  };

  ChoiceOption op;
  std::vector<FieldOption> fields;
};

#endif // FP8GEMM_TOOLS_COMPILE_PROBLEMOPTIONS_H
