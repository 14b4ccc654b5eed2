// RUN: fp8gemm-opt %s --pass-pipeline='builtin.module(gpu.module(fp8gemm-convert-kernels-to-llvm),fp8gemm-serialize-kernels)' | FileCheck %s
// REQUIRES: ptxas

// CHECK-LABEL: gpu.binary @store
// CHECK-SAME: #gpu.object<#nvvm.target<O = 3, chip = "sm_90a", features = "+ptx86">, bin = "\7FELF
// CHECK-SAME: F8GM
// CHECK-SAME: FP8GEMM\0A
// CHECK-NOT: gpu.module
gpu.module @store [#nvvm.target<chip = "sm_90a", features = "+ptx86", O = 3>] {
  llvm.mlir.global external @smem() {addr_space = 3 : i32, alignment = 1024 : i64} : !llvm.array<0 x i8>
  llvm.func @store(%a: !llvm.ptr {llvm.byval = !llvm.array<128 x i8>, nvvm.grid_constant, llvm.align = 64 : i64, hopper.param = #hopper.param<tensor_map of a>, hopper.map = !nvgpu.tensormap.descriptor<tensor = memref<128x128xf8E4M3FN, 3>, swizzle = swizzle_128b, l2promo = l2promo_256b, oob = zero, interleave = none>},
      %sfb: !llvm.ptr<1> {hopper.param = #hopper.param<matrix of sfb>},
      %ld: i32 {hopper.param = #hopper.param<leading_dimension of sfb>},
      %m: i32 {hopper.param = #hopper.param<extent_m of none>})
      attributes {gpu.kernel, nvvm.kernel, nvvm.maxntid = array<i32: 384, 1, 1>, hopper.smem_bytes = 1024 : i64,
        hopper.problem = #hopper.problem<gemm, m = ?, n = 4096, k = 7168, sfa = mn_major, sfb = k_major>,
        hopper.launch = #hopper.launch<threads = 384, tile_m = 128, tile_n = 128, stages = 5, consumers = 2>} {
    nvvm.prefetch tensormap, %a : !llvm.ptr
    %sum = arith.addi %ld, %m : i32
    llvm.store %sum, %sfb : i32, !llvm.ptr<1>
    llvm.return
  }
}
