// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "Facts.h"

#include <algorithm>

using namespace fp8gemm;
using namespace fp8gemm::runtime;
using format::Operand;

/// What TMA asks of global memory.
constexpr int kTmaAlignment = 16;
/// What the strides of a tensor map are below (cuTensorMapEncodeTiled).
constexpr int64_t kTmaStrideBytes = int64_t(1) << 40;

static void describeForms(Facts &facts) {
  const format::Problem &problem = facts.problem;
  for (const format::OperandRow &row : format::kOperands) {
    Form &form = facts.forms[size_t(row.operand)];
    form.name = format::nameOf(row, problem);
    if (!format::has(problem, row) || (row.operand == Operand::Workspace && !facts.workspaceBytes))
      continue;
    form.row = &row;
    form.elementBytes = format::bytesOf(format::elementOf(problem, row));
    form.alignment = std::max(row.alignBytes, row.alignElements * form.elementBytes);
    form.hasRows = format::isMatrix(row) && !format::isFlat(problem, row);
    form.hasGroups = format::isMatrix(row) && format::hasGroups(problem, row);
    form.groups = format::isMatrix(row) ? format::groupsOf(problem, row) : 1;
    form.isTransposed = format::isTransposed(problem, row);
    // As TMA will read them.
    if (isQuantisation(problem) && form.isTransposed && scaledRowsOfA(problem) == 1)
      form.alignment = kTmaAlignment;
  }
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
    params.push_back({param, param->kind(), format::operandOf(*param)});
  describeForms(*this);
}
