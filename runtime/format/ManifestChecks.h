// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What a manifest may say: its values one by one, and what follows from one for another.
// Flatbuffers' verifier looks at offsets only, and takes any value as an enumerator.

#ifndef FP8GEMM_RUNTIME_FORMAT_MANIFESTCHECKS_H
#define FP8GEMM_RUNTIME_FORMAT_MANIFESTCHECKS_H

#include "StoredProblem.h"
#include "fp8gemm/Operands.h"

#include <cstdint>
#include <string>
#include <string_view>

namespace fp8gemm::format {

/// Version of Manifest.fbs that this code writes and reads.
constexpr uint32_t kManifestVersion = 8;

/// CTAs of a launch whose kernel has a workspace: the multiprocessors of a whole GH100. So the size of a
/// workspace is known without a GPU, and the same on all.
constexpr uint32_t kMaxWorkspaceCtas = 144;
/// What a workspace and its slots are multiples of: tensor maps, changed on the device, lie in it.
constexpr uint32_t kWorkspaceAlignment = 128;

/// Of which operand the parameter is; None, and a number that stands for nothing, of an extent.
inline Operand operandOf(const Param &param) { return Operand(param.operand()); }

namespace detail {

inline std::string number(uint64_t value) { return std::to_string(value); }

inline unsigned bytesOf(ElementType type) {
  switch (type) {
  case ElementType::F8E4M3FN:
  case ElementType::F8E5M2:
    return 1;
  case ElementType::BF16:
    return 2;
  case ElementType::F32:
    return 4;
  }
  return 0;
}

/// Bytes of a kernel parameter.
inline unsigned bytesOf(ParamKind kind) {
  switch (kind) {
  case ParamKind::TensorMap:
    return 128;
  case ParamKind::Pointer:
  case ParamKind::LeadingDimension:
  case ParamKind::GroupStride:
    return 8;
  case ParamKind::ExtentM:
  case ParamKind::ExtentK:
    return 4;
  }
  return 0;
}

/// Whether the host has such a parameter of the operand to pass.
inline bool suits(const Problem &problem, ParamKind kind, Operand operand) {
  if (kind == ParamKind::ExtentM || kind == ParamKind::ExtentK)
    return operand == Operand::None;
  const OperandRow *row = rowOf(operand);
  if (!row || !has(problem, *row))
    return false;
  switch (kind) {
  case ParamKind::TensorMap:
    return isMatrix(*row);
  case ParamKind::LeadingDimension:
    return row->rows != Extent::One && !isFlat(problem, *row);
  case ParamKind::GroupStride:
    return hasGroups(problem, *row);
  default:
    return true;
  }
}

/// Empty, or what cuTensorMapEncodeTiled would not take.
inline std::string checkTensorMap(const Problem &problem, const Param &param) {
  unsigned element = bytesOf(param.element()), rank = hasGroups(problem, *rowOf(operandOf(param))) ? 3 : 2;
  if (element == 0)
    return "expected a known element type, got " + number(uint8_t(param.element()));
  if (!param.box() || param.box()->size() != rank)
    return "expected a box of " + number(rank) + " extents, got " + number(param.box() ? param.box()->size() : 0);
  for (uint32_t extent : *param.box())
    if (extent < 1 || extent > 256)
      return "expected box extents in [1, 256], got " + number(extent);
  if (rank == 3 && param.box()->Get(0) != 1)
    return "expected a box of one group, got " + number(param.box()->Get(0));
  uint32_t row = param.box()->Get(rank - 1) * element, swizzle = param.swizzle_bytes();
  if (swizzle != 0 && swizzle != 32 && swizzle != 64 && swizzle != 128)
    return "expected a swizzle of 0, 32, 64 or 128 bytes, got " + number(swizzle);
  if (row % 16 != 0 || (swizzle && row > swizzle))
    return "expected box rows of a multiple of 16 bytes, within the swizzle, got " + number(row) + " bytes";
  uint32_t promotion = param.l2_promotion_bytes();
  if (promotion != 0 && promotion != 64 && promotion != 128 && promotion != 256)
    return "expected an L2 promotion of 0, 64, 128 or 256 bytes, got " + number(promotion);
  return {};
}

/// Empty, or what makes a parameter unusable.
inline std::string checkParam(const Manifest &manifest, const Problem &problem, const Param &param) {
  if (bytesOf(param.kind()) == 0)
    return "expected a known kind, got " + number(uint8_t(param.kind()));
  if (!suits(problem, param.kind(), operandOf(param)))
    return "expected an operand that suits its kind and the problem, got " + number(param.operand());
  if (operandOf(param) == Operand::Workspace && manifest.workspace_bytes_per_cta() == 0)
    return "expected no parameter of a workspace in a kernel without it";
  return param.kind() == ParamKind::TensorMap ? checkTensorMap(problem, param) : std::string();
}

/// Empty, or why the op and its groups don't go together.
inline std::string checkGroups(std::string_view op, const Problem &problem) {
  const GroupingFacts &facts = factsOf(problem);
  if (isQuantisation(problem))
    return op == facts.op
               ? std::string()
               : std::string("expected op '") + facts.op + "' of a problem with an x, got '" + std::string(op) + "'";
  const std::string grouping = print(*findField("grouping"), int64_t(problem.grouping));
  if (op != facts.op)
    return std::string("expected op '") + facts.op + "' with grouping " + grouping + ", got '" + std::string(op) + "'";
  if (problem.groups < 1 || problem.groups > INT32_MAX)
    return "expected 1 to 2^31 - 1 groups, got " + number(problem.groups);
  if (problem.grouping == Grouping::None && problem.groups != 1)
    return "expected one group of op 'gemm', got " + number(problem.groups);
  uint32_t align = problem.align;
  if (align < 1 || align > INT32_MAX || (align & (align - 1)) != 0)
    return "expected groups that start at multiples of a power of two, got " + number(align);
  if (align != 1 && !facts.isAligned)
    return "expected an alignment of 1 with grouping " + grouping + ", got " + number(align);
  if (problem.flat && problem.grouping != Grouping::KCount)
    return "expected flat operands only with grouping k_count, got " + grouping;
  return {};
}

/// Empty, or the field whose number stands for nothing.
inline std::string checkWords(const Problem &problem) {
  // What a problem need not have has a value without a word: no x, no bias.
  const Problem usual;
  for (const Field &field : kFields)
    if (int64_t value = get(problem, field);
        field.kind == Kind::Word && !wordOf(field, value) && value != get(usual, field)) {
      std::string words;
      for (const Word &word : field.words)
        words += (words.empty() ? "" : ", ") + std::string(word.name);
      return "expected '" + std::string(field.name) + "' to be one of " + words + ", got " + std::to_string(value);
    }
  return {};
}

/// The same for any M.
inline Problem withoutM(Problem problem) {
  problem.m = -1;
  return problem;
}

/// Empty, or what a problem of this grouping may not have.
inline std::string checkEpilogue(const Problem &problem) {
  if (isQuantisation(problem))
    return conflictOf(problem);
  if (problem.gated && (problem.n % (2 * kScaleBlock) != 0 || problem.sfbRows != kScaleBlock))
    return "expected a gated product of 1d2d with a multiple of 256 for n, got n = " + std::to_string(problem.n);
  if (problem.gated && problem.grouping == Grouping::KCount)
    return "expected no gated product with grouping k_count";
  return conflictOf(problem);
}

/// Empty, or why the values are not those of fields.
inline std::string checkValues(const flatbuffers::Vector<int64_t> &stored, const Problem &problem) {
  if (stored.size() > std::size(kFields))
    return "expected at most " + number(std::size(kFields)) + " fields of a problem, got " + number(stored.size()) +
           ", those of a later version; update the runtime";
  for (size_t i = 0; i < stored.size(); ++i) {
    const Field &field = kFields[i];
    int64_t value = storedValue(stored, i);
    if (value != get(problem, field) || (field.kind == Kind::Flag && value != 0 && value != 1))
      return std::string("expected '") + field.name + "' to be " +
             (field.kind == Kind::Flag ? "0 or 1" : "a number of its bits") + ", got " + std::to_string(value);
  }
  return {};
}

/// Empty, or what is wrong with the problem.
inline std::string checkProblem(const StoredProblem &stored, const Problem &problem) {
  if (std::string error = checkValues(*stored.fields(), problem); !error.empty())
    return error;
  if (std::string error = checkWords(problem); !error.empty())
    return error;
  if (std::string error = checkGroups(stored.op()->string_view(), problem); !error.empty())
    return error;
  if (isQuantisation(problem) && relevant(problem) != withoutM(problem))
    return "expected a quantisation with only the fields that it has, got " + print(problem);
  if (std::string error = checkEpilogue(problem); !error.empty())
    return error;
  // The reduction length of groups along K is the device's to know, their M is not.
  bool kGrouped = problem.grouping == Grouping::KCount;
  int64_t leastM = kGrouped ? 1 : -1, leastK = kGrouped ? -1 : 1, leastN = isQuantisation(problem) ? 0 : 1;
  if (problem.m < leastM || problem.m > INT32_MAX || problem.n < leastN || problem.n > INT32_MAX ||
      problem.k < leastK || problem.k > INT32_MAX)
    return "expected extents that fit 32 bits, got m = " + std::to_string(problem.m) +
           ", n = " + std::to_string(problem.n) + ", k = " + std::to_string(problem.k);
  return {};
}

/// Empty, or the error in the launch parameters.
inline std::string checkLaunch(const Manifest &manifest) {
  if (manifest.threads() < 1 || manifest.threads() > 1024)
    return "expected 1 to 1024 threads, got " + number(manifest.threads());
  if (manifest.tile_m() < 1 || manifest.tile_m() > INT32_MAX || manifest.tile_n() < 1 || manifest.tile_n() > INT32_MAX)
    return "expected a tile of positive extents";
  for (uint32_t ctas : {manifest.cluster_m(), manifest.cluster_n(), manifest.split_k()})
    if (ctas < 1 || ctas > 8)
      return "expected clusters of 1 to 8 CTAs in each direction, got " + number(ctas);
  if (manifest.smem_bytes() > INT32_MAX)
    return "expected shared memory that fits 32 bits";
  uint32_t workspace = manifest.workspace_bytes_per_cta();
  if (workspace > INT32_MAX || workspace % kWorkspaceAlignment != 0)
    return "expected a workspace of a multiple of " + number(kWorkspaceAlignment) + " bytes per CTA, got " +
           number(workspace);
  // CTA i takes slot i of at most kMaxWorkspaceCtas.
  if (workspace && manifest.split_k() != 1)
    return "expected no workspace in a kernel that splits K";
  return {};
}

/// Empty, or what is wrong with what a debug build says of its waits.
inline std::string checkDebugRings(const DebugRings &debug) {
  if (debug.limit_ms() == 0)
    return "expected waits that may last at least 1 ms, got 0";
  for (const Ring *ring : *debug.rings())
    if (ring->stages() == 0 || ring->readers() == 0 || ring->readers() > 7 || ring->cluster() == 0)
      return "expected rings with stages and 1 to 7 readers, got " + number(ring->stages()) + " stages and " +
             number(ring->readers()) + " readers";
  for (const RingWait *wait : *debug.waits()) {
    if (wait->role() < WarpRole::Producer || wait->role() > WarpRole::Consumer)
      return "expected a known role, got " + number(uint8_t(wait->role()));
    if (wait->until() < StageState::Empty || wait->until() > StageState::Full)
      return "expected a known state of a stage, got " + number(uint8_t(wait->until()));
    if (wait->ring() >= debug.rings()->size())
      return "expected waits at one of " + number(debug.rings()->size()) + " rings, got ring " + number(wait->ring());
  }
  return {};
}

/// Empty, or what makes the manifest unusable.
inline std::string checkManifest(const Manifest &manifest) {
  if (manifest.version() != kManifestVersion)
    return "expected a manifest of version " + number(kManifestVersion) + ", got " + number(manifest.version()) +
           "; compile the kernel with the compiler that belongs to this runtime";
  const Problem problem = readProblem(*manifest.problem());
  std::string error = checkProblem(*manifest.problem(), problem);
  if (error.empty())
    error = checkLaunch(manifest);
  if (error.empty() && manifest.debug_rings())
    error = checkDebugRings(*manifest.debug_rings());
  for (unsigned i = 0; error.empty() && i < manifest.params()->size(); ++i)
    if (error = checkParam(manifest, problem, *manifest.params()->Get(i)); !error.empty())
      error = "parameter " + number(i) + ": " + error;
  return error.empty() ? error : "manifest: " + error;
}

} // namespace detail

} // namespace fp8gemm::format

#endif // FP8GEMM_RUNTIME_FORMAT_MANIFESTCHECKS_H
