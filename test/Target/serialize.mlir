// REQUIRES: ptxas
// RUN: fp8gemm-opt %s --fp8gemm-serialize-kernels | FileCheck %s
// RUN: fp8gemm-opt %s --fp8gemm-serialize-kernels -o %t.first.mlir
// RUN: fp8gemm-opt %s --fp8gemm-serialize-kernels -o %t.second.mlir
// RUN: cmp %t.first.mlir %t.second.mlir

// The cubin, the manifest, the footer.
// CHECK: gpu.binary @store [#gpu.object<#nvvm.target<O = 3, chip = "sm_90a", features = "+ptx86">, bin = "\7FELF
// CHECK-SAME: F8GM
// CHECK-SAME: FP8GEMM\0A
// CHECK-NOT: gpu.module
gpu.module @store [#nvvm.target<chip = "sm_90a", features = "+ptx86", O = 3>] {
  hopper.entry @store_m params [#hopper.param<matrix of sfb>, #hopper.param<extent of m>]
      problem<gemm, m = ?, n = 4096, k = 7168, a = f8E4M3FN, b = f8E4M3FN, c = none, d = bf16, sfa = mn_major, sfb = k_major by 128>
      launch<threads = 128, tile_m = 64, tile_n = 128> smem_bytes(1024)
  llvm.func @store_m(%sfb: !llvm.ptr<1>,
                     %m: i32) attributes {gpu.kernel, nvvm.kernel, nvvm.maxntid = array<i32: 128, 1, 1>} {
    llvm.store %m, %sfb : i32, !llvm.ptr<1>
    llvm.return
  }
}
