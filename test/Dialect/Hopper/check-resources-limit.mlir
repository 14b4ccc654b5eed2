// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: fp8gemm-opt %s -verify-diagnostics \
// RUN:   -pass-pipeline='builtin.module(gpu.module(hopper.kernel(hopper-check-resources{smem-limit=1023})))'

#launch = #hopper.launch<threads = 256, tile_m = 64, tile_n = 64>
#problem = #hopper.problem<gemm, m = ?, n = 64, k = 128, a = f8E4M3FN, b = f8E4M3FN, c = none, d = bf16, sfa = mn_major, sfb = k_major by 128>
gpu.module @m {
// expected-error @+1 {{uses 1024 bytes of shared memory; exceeded the limit of 1023 bytes}}
hopper.kernel @limit args() shared(%staging: memref<512xbf16, 3>) problem #problem launch #launch {
}
}
