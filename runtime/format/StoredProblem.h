// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Problems in manifests.

#ifndef FP8GEMM_RUNTIME_FORMAT_STOREDPROBLEM_H
#define FP8GEMM_RUNTIME_FORMAT_STOREDPROBLEM_H

#include "Manifest_generated.h"
#include "fp8gemm/Problem.h"

#include <algorithm>
#include <cstring>

namespace fp8gemm::format {

/// Value `i` of those that are stored. In a damaged file they may start anywhere: of a vector, the verifier of FlatBuffers
/// checks only where its length is.
inline int64_t storedValue(const flatbuffers::Vector<int64_t> &stored, size_t i) {
  int64_t value;
  std::memcpy(&value, stored.Data() + i * sizeof(value), sizeof(value));
  return flatbuffers::EndianScalar(value);
}

/// As it is: checkManifest says what is wrong with it.
inline Problem readProblem(const StoredProblem &stored) {
  Problem problem;
  for (size_t i = 0; i < std::min<size_t>(stored.fields()->size(), std::size(kFields)); ++i)
    set(problem, kFields[i], storedValue(*stored.fields(), i));
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
