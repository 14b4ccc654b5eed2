// RUN: fp8gemm-opt %s -pass-pipeline='builtin.module(gpu.module(convert-hopper-to-nvvm))' | FileCheck %s -enable-var-scope

!acc = !hopper.fragment<64x8xf32>

gpu.module @kernels {
  // CHECK-LABEL: llvm.func @mma()
  hopper.kernel @mma args() shared(%a: memref<64x128xf8E4M3FN, 3>, %b: memref<8x128xf8E4M3FN, 3>, %s: memref<64xf32, 3>, %t: memref<1xf32, 3>)
      launch<threads = 256, tile_m = 64, tile_n = 8> {
    %acc = arith.constant dense<0.0> : !acc
    // CHECK:         nvvm.wgmma.fence.aligned
    hopper.fence wgmma
    // One wgmma for each 32 bytes of a row; the first starts from zero.
    // CHECK:         nvvm.wgmma.mma_async {{.*}}, <m = 64, n = 8, k = 32>, D[<f32>, <zero>]
    // CHECK-COUNT-3: nvvm.wgmma.mma_async {{.*}}, <m = 64, n = 8, k = 32>, D[<f32>, <one>]
    // CHECK-NOT:     nvvm.wgmma.mma_async
    // CHECK:         nvvm.wgmma.commit.group.sync.aligned
    // An isolated group ends with what ptxas moves nothing across.
    // CHECK:         %[[ALL:.+]] = arith.constant -1 : i32
    // CHECK-NEXT:    nvvm.bar.warp.sync %[[ALL]] : i32
    %partial = hopper.mma %a, %b isolated : memref<64x128xf8E4M3FN, 3>, memref<8x128xf8E4M3FN, 3> -> !acc
    // Two rows a thread, 8 apart.
    // CHECK:         llvm.load {{.*}} -> f32
    // CHECK:         llvm.getelementptr %{{.+}}[32]
    // CHECK-NEXT:    llvm.load {{.*}} -> f32
    %rows = hopper.load_scales %s : memref<64xf32, 3> -> !hopper.scales<64 rows by 1>
    // CHECK:         llvm.load {{.*}} -> f32
    %columns = hopper.load_scales %t : memref<1xf32, 3> -> !hopper.scales<8 columns by 8>
    // The wait takes and returns the accumulator.
    // CHECK:         llvm.inline_asm has_side_effects {{.*}}"wgmma.wait_group.sync.aligned 0;", "=f,=f,=f,=f,0,1,2,3"
    %done = hopper.mma.wait %partial : !acc
    // CHECK-COUNT-2: arith.mulf
    // CHECK-COUNT-4: math.fma
    // CHECK-NOT:     math.fma
    %next = hopper.promote %done scaled_by(%rows, %columns) into %acc : !hopper.scales<64 rows by 1>, !hopper.scales<8 columns by 8>, !acc
  }

  // A descriptor's address is the sum of its parts / 16: those of the base, of the rows, and of the stage last.
  // CHECK-LABEL: llvm.func @descriptor(
  hopper.kernel @descriptor args(%row: index, %stage: index) shared(%as: memref<2x128x128xf8E4M3FN, 3>, %b: memref<8x128xf8E4M3FN, 3>)
      launch<threads = 256, tile_m = 64, tile_n = 8> {
    // CHECK:         %[[SMEM:.+]] = llvm.mlir.addressof @smem
    %a = memref.subview %as[%stage, 0, 0] [1, 128, 128] [1, 1, 1]
      : memref<2x128x128xf8E4M3FN, 3> to memref<128x128xf8E4M3FN, strided<[128, 1], offset: ?>, 3>
    %rows = memref.subview %a[%row, 0] [64, 128] [1, 1] : memref<128x128xf8E4M3FN, strided<[128, 1], offset: ?>, 3>
      to memref<64x128xf8E4M3FN, strided<[128, 1], offset: ?>, 3>
    hopper.fence wgmma
    // CHECK:         %[[ROW:.+]] = arith.muli %{{.+}}, %c8{{.*}} : i32
    // CHECK:         %[[STAGE:.+]] = arith.muli %{{.+}}, %c1024{{.*}} : i32
    // CHECK:         %[[ADDRESS:.+]] = llvm.ptrtoint %[[SMEM]]
    // CHECK:         %[[BASE:.+]] = arith.shrui %[[ADDRESS]], %c4
    // CHECK-NEXT:    %[[HALF:.+]] = arith.addi %[[BASE]], %[[ROW]]
    // CHECK-NEXT:    arith.addi %[[HALF]], %[[STAGE]]
    %partial = hopper.mma %rows, %b : memref<64x128xf8E4M3FN, strided<[128, 1], offset: ?>, 3>, memref<8x128xf8E4M3FN, 3> -> !acc
    %done = hopper.mma.wait %partial : !acc
  }

  // Zeros are constants, as many as registers.
  // CHECK-LABEL: llvm.func @zeros(
  hopper.kernel @zeros args(%count: index) shared(%s: memref<64xf32, 3>) launch<threads = 256, tile_m = 64, tile_n = 8> {
    %none = arith.constant dense<0.0> : !hopper.scales<64 rows by 1>
    %c0 = arith.constant 0 : index
    %c1 = arith.constant 1 : index
    // CHECK:         %[[ZERO:.+]] = arith.constant 0.000000e+00 : f32
    // CHECK:         scf.for {{.*}} iter_args(%{{.+}} = %[[ZERO]], %{{.+}} = %[[ZERO]]) -> (f32, f32)
    scf.for %i = %c0 to %count step %c1 iter_args(%last = %none) -> (!hopper.scales<64 rows by 1>) {
      %rows = hopper.load_scales %s : memref<64xf32, 3> -> !hopper.scales<64 rows by 1>
      scf.yield %rows : !hopper.scales<64 rows by 1>
    }
  }
}
