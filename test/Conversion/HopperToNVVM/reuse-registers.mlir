// RUN: fp8gemm-opt %s -pass-pipeline='builtin.module(gpu.module(convert-hopper-to-nvvm))' | FileCheck %s -enable-var-scope

!acc = !hopper.fragment<64x8xf32>

gpu.module @kernels {
  // The second product starts from zero in the registers of the first.
  // CHECK-LABEL: llvm.func @reusing()
  // CHECK: %[[FIRST:.+]] = llvm.inline_asm has_side_effects {{.*}}"wgmma.wait_group.sync.aligned 0;"
  // CHECK: %[[R0:.+]] = llvm.extractvalue %[[FIRST]][0]
  // CHECK: %[[OWN:.+]] = llvm.mlir.undef
  // CHECK-NEXT: %[[IN0:.+]] = llvm.insertvalue %[[R0]], %[[OWN]][0]
  // CHECK: %[[IN3:.+]] = llvm.insertvalue %{{.+}}, %{{.+}}[3]
  // CHECK: nvvm.wgmma.mma_async %{{.+}}, %{{.+}}, %[[IN3]], {{.*}}<zero>
  hopper.kernel @reusing args() shared(%a: memref<64x128xf8E4M3FN, 3>, %b: memref<8x128xf8E4M3FN, 3>)
      launch<threads = 256, tile_m = 64, tile_n = 8> {
    %p = hopper.mma %a, %b : memref<64x128xf8E4M3FN, 3>, memref<8x128xf8E4M3FN, 3> -> !acc
    %first = hopper.mma.wait %p : !acc
    %q = hopper.mma %a, %b reusing %first : memref<64x128xf8E4M3FN, 3>, memref<8x128xf8E4M3FN, 3> -> !acc
    %second = hopper.mma.wait %q : !acc
  }
}
