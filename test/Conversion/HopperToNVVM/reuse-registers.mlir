// RUN: fp8gemm-opt %s -pass-pipeline='builtin.module(gpu.module(convert-hopper-to-nvvm))' | FileCheck %s -enable-var-scope

!acc = !hopper.fragment<64x8xf32>

gpu.module @kernels {
  // The second product starts from zero in the registers of the first, which was promoted before.
  // CHECK-LABEL: llvm.func @promoted_before()
  // CHECK: %[[FIRST:.+]] = llvm.inline_asm has_side_effects {{.*}}"wgmma.wait_group.sync.aligned 0;"
  // CHECK: math.fma
  // CHECK: nvvm.wgmma.mma_async %{{.+}}, %{{.+}}, %[[FIRST]], {{.*}}<zero>
  gpu.func @promoted_before() workgroup(%a: memref<64x128xf8E4M3FN, 3>, %b: memref<8x128xf8E4M3FN, 3>, %t: memref<1xf32, 3>, %s: memref<64xf32, 3>)
      kernel attributes {hopper.launch = #hopper.launch<threads = 256, tile_m = 64, tile_n = 8, stages = 1, consumers = 1>} {
    %acc = hopper.zero : !acc
    %rows = hopper.load_scales %s : memref<64xf32, 3> -> !hopper.scales<64 rows by 1>
    %columns = hopper.load_scales %t : memref<1xf32, 3> -> !hopper.scales<8 columns by 8>
    %p = hopper.mma %a, %b : memref<64x128xf8E4M3FN, 3>, memref<8x128xf8E4M3FN, 3> -> !acc
    %first = hopper.mma.wait %p : !acc
    %sum = hopper.promote %first scaled_by(%rows, %columns) into %acc : !hopper.scales<64 rows by 1>, !hopper.scales<8 columns by 8>, !acc
    %q = hopper.mma %a, %b : memref<64x128xf8E4M3FN, 3>, memref<8x128xf8E4M3FN, 3> -> !acc
    %second = hopper.mma.wait %q : !acc
    gpu.return
  }

  // The first is still needed: the second has registers of its own.
  // CHECK-LABEL: llvm.func @promoted_after()
  // CHECK: llvm.inline_asm has_side_effects {{.*}}"wgmma.wait_group.sync.aligned 0;"
  // CHECK: %[[OWN:.+]] = llvm.mlir.undef
  // CHECK: nvvm.wgmma.mma_async %{{.+}}, %{{.+}}, %[[OWN]], {{.*}}<zero>
  gpu.func @promoted_after() workgroup(%a: memref<64x128xf8E4M3FN, 3>, %b: memref<8x128xf8E4M3FN, 3>, %t: memref<1xf32, 3>, %s: memref<64xf32, 3>)
      kernel attributes {hopper.launch = #hopper.launch<threads = 256, tile_m = 64, tile_n = 8, stages = 1, consumers = 1>} {
    %acc = hopper.zero : !acc
    %rows = hopper.load_scales %s : memref<64xf32, 3> -> !hopper.scales<64 rows by 1>
    %columns = hopper.load_scales %t : memref<1xf32, 3> -> !hopper.scales<8 columns by 8>
    %p = hopper.mma %a, %b : memref<64x128xf8E4M3FN, 3>, memref<8x128xf8E4M3FN, 3> -> !acc
    %first = hopper.mma.wait %p : !acc
    %q = hopper.mma %a, %b : memref<64x128xf8E4M3FN, 3>, memref<8x128xf8E4M3FN, 3> -> !acc
    %sum = hopper.promote %first scaled_by(%rows, %columns) into %acc : !hopper.scales<64 rows by 1>, !hopper.scales<8 columns by 8>, !acc
    %second = hopper.mma.wait %q : !acc
    gpu.return
  }
}
