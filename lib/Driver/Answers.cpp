// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "fp8gemm/Driver/Answers.h"

#include "Explain.h"
#include "Plan.h"
#include "fp8gemm/Pack/Product.h"

using namespace llvm;

namespace fp8gemm {

using Kind = PackError::Kind;

Expected<std::string> planProblem(const PackProblems &problems, Answer form) {
  const PackProblem &entry = problems.problems.front();
  ProductOptions pipeline(problems, entry);
  Product product(entry, pipeline);
  if (!product.isValid())
    return problems.error(Kind::Problem, entry, product.takeErrors());
  mlir::FailureOr<PlannedProduct> planned = planProduct(product.getModule(), pipeline, entry.maxM);
  if (failed(planned) || failed(product.lower("hopper"))) // kernels have names where they are built
    return problems.error(Kind::Problem, entry, product.takeErrors());
  nameKernels(product.getModule(), *planned);
  return print(*planned, form);
}

Expected<std::string> explainProblem(const PackProblems &problems, int64_t m, unsigned candidates, Answer form) {
  const PackProblem &entry = problems.problems.front();
  ProductOptions pipeline(problems, entry);
  pipeline.expectedM = m;
  Product product(entry, pipeline);
  if (!product.isValid())
    return problems.error(Kind::Problem, entry, product.takeErrors());
  std::vector<Question> questions = openQuestions(product.getModule(), pipeline);
  mlir::FailureOr<std::string> text = explain(product.getModule().getContext(), questions, pipeline, candidates, form);
  if (failed(text))
    return problems.error(Kind::Problem, entry, product.takeErrors());
  return std::move(*text);
}

} // namespace fp8gemm
