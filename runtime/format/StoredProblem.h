// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Problems in manifests.

#ifndef FP8GEMM_RUNTIME_FORMAT_STOREDPROBLEM_H
#define FP8GEMM_RUNTIME_FORMAT_STOREDPROBLEM_H

#include "Manifest_generated.h"
#include "fp8gemm/Problem.h"

namespace fp8gemm::format {

/// Elements of K that share a scale.
constexpr uint32_t kScaleBlock = 128;

/// Types of a problem, by Type.
constexpr ElementType kElementTypes[] = {ElementType::F8E4M3FN, ElementType::F8E5M2, ElementType::BF16,
                                         ElementType::F32};

/// A number that is no type of one that is unknown.
inline Type typeOf(ElementType element) {
  uint32_t type = 0;
  while (type < std::size(kElementTypes) && kElementTypes[type] != element)
    ++type;
  return Type(type);
}

/// As it is: checkManifest says what is wrong with it.
inline Problem readProblem(const StoredProblem &stored) {
  Problem problem;
  problem.m = stored.m();
  problem.n = stored.n();
  problem.k = stored.k();
  problem.a = typeOf(stored.a());
  problem.b = typeOf(stored.b());
  problem.d = typeOf(stored.d());
  problem.c = CUse(stored.c());
  problem.sfbRows = stored.sfb_block_rows();
  problem.sfa = ScaleLayout(stored.sfa_layout());
  problem.sfb = ScaleLayout(stored.sfb_layout());
  problem.grouping = Grouping(stored.grouping());
  problem.groups = stored.groups();
  problem.align = stored.group_align();
  problem.flat = stored.flat();
  problem.x = XType(stored.x());
  problem.powerOfTwo = stored.power_of_two();
  problem.bias = Bias(stored.bias());
  problem.gated = stored.gated();
  return problem;
}

inline flatbuffers::Offset<StoredProblem> writeProblem(flatbuffers::FlatBufferBuilder &builder,
                                                       const Problem &problem) {
  auto element = [](Type type) { return kElementTypes[uint32_t(type)]; };
  return CreateStoredProblemDirect(builder, factsOf(problem).op, problem.m, problem.n, problem.k, element(problem.a),
                                   element(problem.b), element(problem.d), 1, kScaleBlock, uint8_t(problem.sfa),
                                   problem.sfbRows, kScaleBlock, uint8_t(problem.sfb), uint8_t(problem.c),
                                   problem.groups, uint8_t(problem.grouping), problem.align, problem.flat,
                                   uint8_t(problem.x), problem.powerOfTwo, uint8_t(problem.bias), problem.gated);
}

} // namespace fp8gemm::format

#endif // FP8GEMM_RUNTIME_FORMAT_STOREDPROBLEM_H
