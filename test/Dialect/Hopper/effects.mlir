// RUN: fp8gemm-opt %s -pass-pipeline='builtin.module(gpu.module(gpu.func(canonicalize,cse)))' | FileCheck %s -enable-var-scope

!map = !nvgpu.tensormap.descriptor<tensor = memref<64x64xbf16, 3>, swizzle = swizzle_128b, l2promo = none, oob = zero, interleave = none>

gpu.module @m {
  // A TMA store writes what its map describes: nobody may take it for a mere read of its staging.
  // CHECK-LABEL: gpu.func @tma_store
  gpu.func @tma_store(%map: !map, %row: index) workgroup(%staging: memref<1x64x64xbf16, 3>) {
    // CHECK: hopper.tma_store
    hopper.tma_store %staging to %map[%row, %row] : memref<1x64x64xbf16, 3> to !map
    gpu.return
  }

  // A prefetch has no result and writes no memory that anybody reads, but it is there for a reason.
  // CHECK-LABEL: gpu.func @tma_prefetch
  gpu.func @tma_prefetch(%map: !map, %row: index) {
    // CHECK: hopper.tma_prefetch
    hopper.tma_prefetch %map[%row, %row] : !map
    gpu.return
  }
}
