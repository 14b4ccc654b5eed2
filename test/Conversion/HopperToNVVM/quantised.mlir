// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// A fragment stored as e4m3, and scales of its rows in global memory.
// RUN: fp8gemm-opt %s -pass-pipeline='builtin.module(gpu.module(convert-hopper-to-nvvm))' | FileCheck %s -enable-var-scope

gpu.module @kernels {
  // Pairs of columns are converted together, and stored as two bytes: of 32 columns, four pairs for each of the thread's rows.
  // CHECK-LABEL: llvm.func @store
  // CHECK-COUNT-8: llvm.store %{{.+}}, %{{.+}} {alignment = 2 : i64} : i16, !llvm.ptr<3>
  // CHECK-NOT:     llvm.store
  hopper.kernel @store args() shared(%p: memref<1x64x32xf32, 3>, %q: memref<1x64x32xf8E4M3FN, 3>) launch<threads = 256, tile_m = 64, tile_n = 128> {
    %x = hopper.load_fragment %p : memref<1x64x32xf32, 3> -> !hopper.fragment<64x32xf32>
    hopper.store_fragment %x to %q : !hopper.fragment<64x32xf32>, memref<1x64x32xf8E4M3FN, 3>
  }

  // One of the four threads that have a row stores its scale, if the row exists; 64 bits for the dimension with a stride.
  // CHECK-LABEL: llvm.func @scales
  // CHECK:         %[[FIRST_OF_ROW:.+]] = arith.cmpi eq
  // CHECK:         scf.if %[[FIRST_OF_ROW]] {
  // CHECK:           %[[EXISTS:.+]] = arith.cmpi ult
  // CHECK:           scf.if %[[EXISTS]] {
  // CHECK:             arith.muli %{{.+}}, %{{.+}} : i64
  // CHECK:             llvm.store %{{.+}}, %{{.+}} {alignment = 4 : i64} : f32, !llvm.ptr<1>
  // CHECK:           arith.cmpi ult
  // CHECK:             llvm.store
  // CHECK-NOT:         llvm.store
  hopper.kernel @scales args(%s: memref<?x2xf32, strided<[1, ?]>>, %i: index, %m: index) shared(%p: memref<1x64x16xf32, 3>)
      launch<threads = 256, tile_m = 64, tile_n = 128> {
    %x = hopper.load_fragment %p : memref<1x64x16xf32, 3> -> !hopper.fragment<64x16xf32>
    %y = hopper.map (%x) max_of_rows {
    ^bb0(%a: f32):
      hopper.yield %a : f32
    } : !hopper.fragment<64x16xf32> -> !hopper.scales<64 rows by 1>
    hopper.put_scales %y to %s[%i, %i] rows %m : !hopper.scales<64 rows by 1>, memref<?x2xf32, strided<[1, ?]>>
  }
}
