// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What kernels are, in words of the C API.

#include "Abi.h"
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

uint32_t fp8gemm_version(void) { return FP8GEMM_VERSION; }

fp8gemm_status fp8gemm_kernel_get_info(const fp8gemm_kernel *kernel, fp8gemm_kernel_info *info) {
  if (!kernel || !info)
    return fail(FP8GEMM_INVALID_ARGUMENT, "expected a kernel and a place for its info, got null");
  if (fp8gemm_status status = checkSize<fp8gemm_kernel_info>(info->size))
    return status;
  const format::Manifest &manifest = kernel->manifest();
  const fp8gemm_problem problem = describe(*manifest.problem());
  auto text = [](const flatbuffers::String *string) { return string ? string->c_str() : ""; };
  fp8gemm_kernel_info known{};
  known.name = text(manifest.entry());
  known.chip = text(manifest.chip());
  known.m = problem.m;
  known.n = problem.n;
  known.k = problem.k;
  known.a_type = problem.a_type;
  known.b_type = problem.b_type;
  known.d_type = problem.d_type;
  known.c_use = problem.c_use;
  known.sfb_block_rows = problem.sfb_block_rows;
  known.sfa_layout = problem.sfa_layout;
  known.sfb_layout = problem.sfb_layout;
  known.tile_m = manifest.tile_m();
  known.tile_n = manifest.tile_n();
  known.threads = manifest.threads();
  known.smem_bytes = manifest.smem_bytes();
  known.registers = manifest.registers();
  known.spill_bytes = manifest.spill_bytes();
  known.grouping = problem.grouping;
  known.groups = problem.groups;
  known.group_align = problem.group_align;
  known.flat = problem.flat;
  known.workspace_bytes = kernel->facts.workspaceBytes;
  known.config = text(manifest.config());
  known.ptxas_version = text(manifest.ptxas_version());
  known.llvm_version = text(manifest.llvm_version());
  known.dependent_launch = manifest.waits_for_previous();
  if (const format::DebugRings *debug = manifest.debug_rings())
    known.wait_limit_ns = uint64_t(debug->limit_ms()) * 1000000;
  writeStruct(known, info);
  return FP8GEMM_OK;
}
