// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "Facts.h"

#include <algorithm>

using namespace fp8gemm;
using namespace fp8gemm::runtime;
using format::Operand;

/// What TMA asks of global memory, and (C13) of fp8gemm.gemm of A, B and D.
constexpr int kTmaAlignment = 16;
/// What the strides of a tensor map are below (cuTensorMapEncodeTiled).
constexpr int64_t kTmaStrideBytes = int64_t(1) << 40;

static void describeForms(Facts &facts) {
  const format::Problem &problem = facts.problem;
  auto describe = [&](Operand operand, const char *name, int elementBytes, int alignment) {
    Form &form = facts.forms[size_t(operand)];
    form.name = name;
    form.elementBytes = elementBytes;
    form.alignment = alignment;
    form.hasGroups = format::hasGroups(problem, operand);
    form.groups = form.hasGroups ? problem.groups : 1;
    form.hasRows = format::isMatrix(operand) && !format::isFlat(problem, operand);
  };
  if (isQuantisation(problem)) {
    describe(Operand::X, "x", format::bytesOf(problem.x), kTmaAlignment);
    describe(Operand::A, "q", format::bytesOf(problem.a), kTmaAlignment);
    describe(Operand::ScaleA, "scales", 4, problem.sfa == format::ScaleLayout::MnMajor ? kTmaAlignment : 4);
    return;
  }
  int bytesOfD = format::bytesOf(problem.d);
  describe(Operand::A, "a", format::bytesOf(problem.a), kTmaAlignment);
  describe(Operand::B, "b", format::bytesOf(problem.b), kTmaAlignment);
  describe(Operand::D, "d", bytesOfD, kTmaAlignment);
  describe(Operand::ScaleA, "sfa", 4, 4);
  describe(Operand::ScaleB, "sfb", 4, 4);
  if (problem.c != format::CUse::None)
    describe(Operand::C, "c", bytesOfD, kTmaAlignment);
  if (int bytes = format::bytesOf(problem.bias))
    describe(Operand::Bias, "bias", bytes, 2 * bytes);
  if (format::factsOf(problem).isDescribed)
    describe(Operand::Groups, "groups", 4, 4);
  if (facts.workspaceBytes)
    describe(Operand::Workspace, "workspace", 1, format::kWorkspaceAlignment);
  for (const Facts::Param &param : facts.params)
    if (param.kind == format::ParamKind::TensorMap) {
      Form &form = facts.forms[size_t(param.operand)];
      form.alignment = kTmaAlignment;
      form.mostStride = (kTmaStrideBytes - 1) / form.elementBytes;
    }
}

Facts::Facts(const format::Manifest &manifest) {
  entry = manifest.entry()->c_str();
  problem = format::readProblem(*manifest.problem());
  waitsForPrevious = manifest.waits_for_previous();
  threads = manifest.threads();
  smemBytes = manifest.smem_bytes();
  tileM = manifest.tile_m();
  tileN = manifest.tile_n();
  splitK = manifest.split_k();
  cluster = manifest.cluster_m() * manifest.cluster_n() * splitK;
  clusterRows = uint32_t(std::min<uint64_t>(uint64_t(tileM) * manifest.cluster_m(), INT32_MAX));
  int64_t columns = isQuantisation(problem) ? problem.k : columnsOfD(problem);
  clusterColumns = ceilDiv(uint32_t(ceilDiv(uint32_t(columns), tileN)), manifest.cluster_n());
  workspaceBytes = size_t(format::kMaxWorkspaceCtas) * manifest.workspace_bytes_per_cta();
  for (const format::Param *param : *manifest.params())
    params.push_back({param, param->kind(), param->operand()});
  describeForms(*this);
}
