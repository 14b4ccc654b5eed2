// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Problems in manifests.

#ifndef FP8GEMM_RUNTIME_FORMAT_STOREDPROBLEM_H
#define FP8GEMM_RUNTIME_FORMAT_STOREDPROBLEM_H

#include "Manifest_generated.h"
#include "fp8gemm/Problem.h"

#include <algorithm>

namespace fp8gemm::format {

/// Elements of K that share a scale.
constexpr uint32_t kScaleBlock = 128;

/// As it is: checkManifest says what is wrong with it.
inline Problem readProblem(const StoredProblem &stored) {
  Problem problem;
  for (size_t i = 0; i < std::min<size_t>(stored.fields()->size(), std::size(kFields)); ++i)
    set(problem, kFields[i], stored.fields()->Get(i));
  return problem;
}

inline flatbuffers::Offset<StoredProblem> writeProblem(flatbuffers::FlatBufferBuilder &builder, const Problem &problem,
                                                       const char *op) {
  const ProblemKey values = keyOf(problem);
  auto fields = builder.CreateVector(values.data(), values.size());
  return CreateStoredProblem(builder, builder.CreateString(op), fields);
}
inline flatbuffers::Offset<StoredProblem> writeProblem(flatbuffers::FlatBufferBuilder &builder,
                                                       const Problem &problem) {
  return writeProblem(builder, problem, factsOf(problem).op);
}

} // namespace fp8gemm::format

#endif // FP8GEMM_RUNTIME_FORMAT_STOREDPROBLEM_H
