// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What kernels are, in words of the C API.

#include "Abi.h"
#include "CApi.h"
#include "Kernel.h"

using namespace fp8gemm;
using namespace fp8gemm::runtime;

uint32_t fp8gemm_version(void) { return FP8GEMM_VERSION; }

fp8gemm_status fp8gemm_kernel_get_info(const fp8gemm_kernel *kernel, fp8gemm_kernel_info *info) {
  if (!kernel || !info)
    return fail(FP8GEMM_INVALID_ARGUMENT, "expected a kernel and a place for its info, got null");
  if (fp8gemm_status status = checkSize<fp8gemm_kernel_info>(info->size))
    return status;
  const format::Manifest &manifest = kernel->manifest();
  auto text = [](const flatbuffers::String *string) { return string ? string->c_str() : ""; };
  fp8gemm_kernel_info known{};
  format::writeProblem(kernel->facts.problem, known);
  known.name = text(manifest.entry());
  known.chip = text(manifest.chip());
  known.tile_m = manifest.tile_m();
  known.tile_n = manifest.tile_n();
  known.threads = manifest.threads();
  known.smem_bytes = manifest.smem_bytes();
  known.registers = manifest.registers();
  known.spill_bytes = manifest.spill_bytes();
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
