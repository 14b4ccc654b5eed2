// RUN: fp8gemm-opt %s -pass-pipeline='builtin.module(gpu.module(convert-hopper-to-nvvm))' | FileCheck %s -enable-var-scope

!map = !nvgpu.tensormap.descriptor<tensor = memref<64x16xbf16, 3>, swizzle = swizzle_32b, l2promo = none, oob = zero, interleave = none>

gpu.module @kernels {
  // A tensor map comes by value, as a grid constant.
  // CHECK-LABEL: llvm.func @store(
  // CHECK-SAME:    %[[MAP:.+]]: !llvm.ptr {{.*}}llvm.byval = !llvm.array<128 x i8>, nvvm.grid_constant
  // CHECK-SAME:    %[[M:.+]]: i32
  hopper.kernel @store args(%map: !map of d, %m: index) shared(%panels: memref<2x64x16xbf16, 3>)
      launch<threads = 256, tile_m = 64, tile_n = 32> {
    %c1 = arith.constant 1 : index
    %acc = arith.constant dense<0.0> : !hopper.fragment<64x32xf32>
    // 16 columns a stmatrix; rows of 32 bytes are swizzled by bit 2 of the row.
    // CHECK:         arith.xori
    // CHECK-COUNT-2: nvvm.stmatrix {{.*}}layout = #nvvm.mma_layout<row>
    // CHECK-NOT:     nvvm.stmatrix
    hopper.store_fragment %acc to %panels : !hopper.fragment<64x32xf32>, memref<2x64x16xbf16, 3>
    // CHECK:         nvvm.fence.proxy {kind = #nvvm.proxy_kind<async.shared>, space = #nvvm.shared_space<cta>}
    hopper.fence async_shared
    // CHECK:         nvvm.barrier id = %{{.+}} number_of_threads = %{{.+}}
    hopper.named_barrier %c1 threads(128)
    // One thread stores both panels, 16 columns apart, as one group.
    // CHECK:         scf.if
    // CHECK-COUNT-2: nvvm.cp.async.bulk.tensor.global.shared.cta %[[MAP]]
    // CHECK-NEXT:    nvvm.cp.async.bulk.commit.group
    hopper.tma_store %panels to %map[%m, %c1] : memref<2x64x16xbf16, 3> to !map
    // CHECK:         nvvm.cp.async.bulk.wait_group 0 {read}
    hopper.tma_store.wait read
  }

  // CHECK-LABEL: llvm.func @transposed(
  hopper.kernel @transposed args() shared(%panel: memref<1x24x64xbf16, 3>)
      launch<threads = 256, tile_m = 24, tile_n = 64> {
    %acc = arith.constant dense<0.0> : !hopper.fragment<64x24xf32>
    // 16 columns, rows of the staging, a stmatrix of four matrices; the last 8 are two.
    // CHECK:         nvvm.stmatrix %{{[^,]+}}, %{{[^,]+}}, %{{[^,]+}}, %{{[^,]+}}, %{{[^ ]+}} {{.*}}layout = #nvvm.mma_layout<col>
    // CHECK:         nvvm.stmatrix %{{[^,]+}}, %{{[^,]+}}, %{{[^ ,]+}} {{.*}}layout = #nvvm.mma_layout<col>
    // CHECK-NOT:     nvvm.stmatrix
    hopper.store_fragment %acc to %panel transposed : !hopper.fragment<64x24xf32>, memref<1x24x64xbf16, 3>
  }
}
