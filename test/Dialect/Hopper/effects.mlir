// RUN: fp8gemm-opt %s -pass-pipeline='builtin.module(gpu.module(hopper.kernel(canonicalize,cse)))' | FileCheck %s -enable-var-scope

!map = !nvgpu.tensormap.descriptor<tensor = memref<64x64xbf16, 3>, swizzle = swizzle_128b, l2promo = none, oob = zero, interleave = none>

gpu.module @m {
  // A TMA store writes what its map describes: nobody may take it for a mere read of its staging.
  // CHECK-LABEL: hopper.kernel @tma_store
  hopper.kernel @tma_store args(%map: !map, %row: index) shared(%staging: memref<1x64x64xbf16, 3>) {
    // CHECK: hopper.tma_store
    hopper.tma_store %staging to %map[%row, %row] : memref<1x64x64xbf16, 3> to !map
  }

  // A prefetch has no result and writes no memory that anybody reads, but it is there for a reason.
  // CHECK-LABEL: hopper.kernel @tma_prefetch
  hopper.kernel @tma_prefetch args(%map: !map, %row: index) {
    // CHECK: hopper.tma_prefetch
    hopper.tma_prefetch %map[%row, %row] : !map
  }
}
