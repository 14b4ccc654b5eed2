// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What kernels are, in words of the C API.

#include "Call.h"
#include "Kernel.h"

using namespace fp8gemm;
using namespace fp8gemm::runtime;

static fp8gemm_grouping describe(format::Grouping grouping) {
  switch (grouping) {
  case format::Grouping::RowIndex:
    return FP8GEMM_ROW_INDEX;
  case format::Grouping::RowEnd:
    return FP8GEMM_ROW_END;
  case format::Grouping::RowCount:
    return FP8GEMM_ROW_COUNT;
  case format::Grouping::Batched:
    return FP8GEMM_BATCHED;
  case format::Grouping::KCount:
    return FP8GEMM_K_COUNT;
  case format::Grouping::None:
    break;
  }
  return FP8GEMM_NO_GROUPS;
}

static fp8gemm_type describe(format::ElementType type) {
  switch (type) {
  case format::ElementType::F8E4M3FN:
    return FP8GEMM_E4M3;
  case format::ElementType::F8E5M2:
    return FP8GEMM_E5M2;
  case format::ElementType::BF16:
    return FP8GEMM_BF16;
  case format::ElementType::F32:
    break;
  }
  return FP8GEMM_F32;
}

static fp8gemm_scale_layout describe(format::ScaleLayout layout) {
  return layout == format::ScaleLayout::KMajor ? FP8GEMM_K_MAJOR : FP8GEMM_MN_MAJOR;
}

fp8gemm_problem runtime::describe(const format::Problem &problem) {
  fp8gemm_problem described{};
  described.size = sizeof(described);
  described.m = problem.m();
  described.n = problem.n();
  described.k = problem.k();
  described.a_type = ::describe(problem.a());
  described.b_type = ::describe(problem.b());
  described.d_type = ::describe(problem.d());
  described.c_use = problem.c() == format::CUse::None    ? FP8GEMM_NO_C
                    : problem.c() == format::CUse::Apart ? FP8GEMM_C_APART
                                                         : FP8GEMM_C_IN_PLACE;
  described.sfb_block_rows = problem.sfb_block_rows();
  described.sfa_layout = ::describe(problem.sfa_layout());
  described.sfb_layout = ::describe(problem.sfb_layout());
  described.grouping = ::describe(problem.grouping());
  described.groups = problem.groups();
  described.group_align = problem.group_align();
  described.flat = problem.flat();
  return described;
}

fp8gemm_status fp8gemm_kernel_get_info(const fp8gemm_kernel *kernel, fp8gemm_kernel_info *info) {
  if (!kernel || !info)
    return fail(FP8GEMM_INVALID_ARGUMENT, "expected a kernel and a place for its info, got null");
  if (info->size != sizeof(*info))
    return fail(FP8GEMM_INVALID_ARGUMENT, "expected size = %zu in fp8gemm_kernel_info, got %zu", sizeof(*info),
                info->size);
  const format::Manifest &manifest = kernel->manifest();
  const fp8gemm_problem problem = describe(*manifest.problem());
  auto text = [](const flatbuffers::String *string) { return string ? string->c_str() : ""; };
  info->name = text(manifest.entry());
  info->chip = text(manifest.chip());
  info->m = problem.m;
  info->n = problem.n;
  info->k = problem.k;
  info->a_type = problem.a_type;
  info->b_type = problem.b_type;
  info->d_type = problem.d_type;
  info->c_use = problem.c_use;
  info->sfb_block_rows = problem.sfb_block_rows;
  info->sfa_layout = problem.sfa_layout;
  info->sfb_layout = problem.sfb_layout;
  info->tile_m = manifest.tile_m();
  info->tile_n = manifest.tile_n();
  info->threads = manifest.threads();
  info->smem_bytes = manifest.smem_bytes();
  info->registers = manifest.registers();
  info->spill_bytes = manifest.spill_bytes();
  info->grouping = problem.grouping;
  info->groups = problem.groups;
  info->group_align = problem.group_align;
  info->flat = problem.flat;
  info->workspace_bytes = workspaceBytes(manifest);
  info->config = text(manifest.config());
  info->ptxas_version = text(manifest.ptxas_version());
  info->llvm_version = text(manifest.llvm_version());
  info->dependent_launch = manifest.waits_for_previous();
  return FP8GEMM_OK;
}
