// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Functions of the elements of fragments, and matrices of global memory.
// RUN: fp8gemm-opt %s -split-input-file -pass-pipeline='builtin.module(gpu.module(convert-hopper-to-nvvm))' | FileCheck %s -enable-var-scope

gpu.module @kernels {
  // The body is computed of one register after the other; constants once, and the scale of a row for each of its registers.
  // CHECK-LABEL: llvm.func @map
  hopper.kernel @map args() shared(%p: memref<1x64x8xf32, 3>, %s: memref<64xf32, 3>) launch<threads = 256, tile_m = 64, tile_n = 8> {
    %x = hopper.load_fragment %p : memref<1x64x8xf32, 3> -> !hopper.fragment<64x8xf32>
    // CHECK:      %[[UPPER:.+]] = llvm.load %{{.+}} -> f32
    // CHECK:      %[[LOWER:.+]] = llvm.load %{{.+}} -> f32
    %rows = hopper.load_scales %s : memref<64xf32, 3> -> !hopper.scales<64 rows by 1>
    // CHECK:      %[[ZERO:.+]] = arith.constant 0.000000e+00 : f32
    // CHECK:      %[[POSITIVE:.+]] = arith.cmpf ogt, %[[X:.+]], %[[ZERO]] : f32
    // CHECK-NEXT: %[[SCALED:.+]] = arith.mulf %[[X]], %[[UPPER]] : f32
    // CHECK-NEXT: arith.select %[[POSITIVE]], %[[X]], %[[SCALED]] : f32
    // CHECK-NEXT: arith.cmpf
    // CHECK-NEXT: arith.mulf %{{.+}}, %[[UPPER]] : f32
    // CHECK-NEXT: arith.select
    // CHECK-NEXT: arith.cmpf
    // CHECK-NEXT: arith.mulf %{{.+}}, %[[LOWER]] : f32
    // CHECK-NEXT: %[[THIRD:.+]] = arith.select
    %y = hopper.map (%x, %rows) {
    ^bb0(%a: f32, %row: f32):
      %zero = arith.constant 0.0 : f32
      %positive = arith.cmpf ogt, %a, %zero : f32
      %scaled = arith.mulf %a, %row : f32
      %chosen = arith.select %positive, %a, %scaled : f32
      hopper.yield %chosen : f32
    } : !hopper.fragment<64x8xf32>, !hopper.scales<64 rows by 1> -> !hopper.fragment<64x8xf32>
    // The thread's two rows, and four lanes that have parts of them.
    // CHECK-COUNT-4: math.absf
    // CHECK:      %[[OF_UPPER:.+]] = arith.maximumf
    // CHECK-NEXT: %[[OF_LOWER:.+]] = arith.maximumf
    // CHECK:      %[[OTHER:.+]] = nvvm.shfl.sync bfly %{{.+}}, %[[OF_UPPER]], %{{.+}}, %{{.+}} : f32 -> f32
    // CHECK-NEXT: arith.maximumf %[[OF_UPPER]], %[[OTHER]]
    // CHECK-COUNT-3: nvvm.shfl.sync bfly
    // CHECK-NOT:  nvvm.shfl.sync
    %largest = hopper.map (%y) max_of_rows {
    ^bb0(%a: f32):
      %magnitude = math.absf %a : f32
      hopper.yield %magnitude : f32
    } : !hopper.fragment<64x8xf32> -> !hopper.scales<64 rows by 1>
    %z = hopper.map (%y, %largest) {
    ^bb0(%a: f32, %row: f32):
      %scaled = arith.mulf %a, %row : f32
      hopper.yield %scaled : f32
    } : !hopper.fragment<64x8xf32>, !hopper.scales<64 rows by 1> -> !hopper.fragment<64x8xf32>
    hopper.store_fragment %z to %p : !hopper.fragment<64x8xf32>, memref<1x64x8xf32, 3>
  }

  // Rows up to the last one; a pair of columns each, or transposed an element; of a column one load for each row.
  // CHECK-LABEL: llvm.func @matrices
  hopper.kernel @matrices args(%matrix: memref<?x?x40xbf16, strided<[?, ?, 1]>>, %column: memref<?x1xf32, strided<[?, 1]>>, %i: index, %m: index)
      shared(%p: memref<1x64x8xf32, 3>) launch<threads = 256, tile_m = 64, tile_n = 8> {
    // CHECK:         %[[LAST:.+]] = arith.subi %{{.+}}, %{{.+}} : i32
    // CHECK:         arith.minui %{{.+}}, %[[LAST]] : i32
    // CHECK:         arith.minui %{{.+}}, %[[LAST]] : i32
    // CHECK-COUNT-2: llvm.load %{{.+}} {alignment = 4 : i64} : !llvm.ptr<1> -> vector<2xbf16>
    // CHECK-NOT:     llvm.load
    %x = hopper.load_fragment %matrix[%i, %i] of %i limit %m : memref<?x?x40xbf16, strided<[?, ?, 1]>> -> !hopper.fragment<64x8xf32>
    // CHECK-COUNT-4: llvm.load %{{.+}} {alignment = 2 : i64} : !llvm.ptr<1> -> vector<1xbf16>
    // CHECK-NOT:     llvm.load
    %y = hopper.load_fragment %matrix[%i, %i] of %i limit %m transposed : memref<?x?x40xbf16, strided<[?, ?, 1]>> -> !hopper.fragment<64x8xf32>
    // CHECK-COUNT-2: llvm.load %{{.+}} {alignment = 4 : i64} : !llvm.ptr<1> -> vector<1xf32>
    // CHECK-NOT:     llvm.load
    %z = hopper.load_fragment %column[%i, %i] limit %m : memref<?x1xf32, strided<[?, 1]>> -> !hopper.fragment<64x8xf32>
    %s = hopper.map (%x, %y, %z) {
    ^bb0(%a: f32, %b: f32, %c: f32):
      %t = arith.addf %a, %b : f32
      %u = arith.addf %t, %c : f32
      hopper.yield %u : f32
    } : !hopper.fragment<64x8xf32>, !hopper.fragment<64x8xf32>, !hopper.fragment<64x8xf32> -> !hopper.fragment<64x8xf32>
    hopper.store_fragment %s to %p : !hopper.fragment<64x8xf32>, memref<1x64x8xf32, 3>
  }
}

// -----

gpu.module @functions {
  // No function of math is left that LLVM has no instruction for.
  // CHECK-LABEL: llvm.func @functions
  // CHECK-NOT:     math.{{exp |tanh|erf|rsqrt|log|sin|powf}}
  // CHECK:         llvm.call_intrinsic "llvm.nvvm.ex2.approx.ftz"
  // CHECK:         nvvm.rcp.approx.ftz.f
  // CHECK:         llvm.call_intrinsic "llvm.nvvm.rsqrt.approx.f"
  // CHECK-NOT:     math.{{exp |tanh|erf|rsqrt|log|sin|powf}}
  // CHECK:         llvm.return
  hopper.kernel @functions args() shared(%p: memref<1x64x8xf32, 3>) launch<threads = 256, tile_m = 64, tile_n = 8> {
    %x = hopper.load_fragment %p : memref<1x64x8xf32, 3> -> !hopper.fragment<64x8xf32>
    %y = hopper.map (%x) {
    ^bb0(%a: f32):
      %b = math.exp %a : f32
      %c = math.tanh %b : f32
      %d = math.erf %c : f32
      %e = math.rsqrt %d : f32
      %f = math.log1p %e : f32
      %g = math.sin %f : f32
      %h = math.powf %g, %a : f32
      hopper.yield %h : f32
    } : !hopper.fragment<64x8xf32> -> !hopper.fragment<64x8xf32>
    hopper.store_fragment %y to %p : !hopper.fragment<64x8xf32>, memref<1x64x8xf32, 3>
  }
}

// -----

gpu.module @threads {
  // Of vectors one element after the other, too.
  // CHECK-LABEL: llvm.func @vectors
  hopper.kernel @vectors args(%p: memref<?x8xf32, strided<[?, 1]>>) launch<threads = 32, tile_m = 1, tile_n = 8> {
    %thread = gpu.thread_id x
    %c0 = arith.constant 0 : index
    // CHECK:      %[[X:.+]] = llvm.load
    // CHECK-NEXT: %[[ELEMENTS:.+]]:4 = vector.to_elements %[[X]]
    // CHECK-NEXT: %[[HALF:.+]] = arith.constant 5.000000e-01
    // CHECK-NEXT: %[[FIRST:.+]] = arith.mulf %[[ELEMENTS]]#0, %[[HALF]]
    // CHECK-COUNT-2: arith.mulf
    // CHECK-NEXT: %[[LAST:.+]] = arith.mulf %[[ELEMENTS]]#3, %[[HALF]]
    // CHECK-NEXT: %[[Y:.+]] = vector.from_elements %[[FIRST]], %{{.+}}, %{{.+}}, %[[LAST]] : vector<4xf32>
    // CHECK:      llvm.store %[[Y]]
    %x = vector.load %p[%thread, %c0] : memref<?x8xf32, strided<[?, 1]>>, vector<4xf32>
    %y = hopper.map (%x) {
    ^bb0(%a: f32):
      %half = arith.constant 0.5 : f32
      %less = arith.mulf %a, %half : f32
      hopper.yield %less : f32
    } : vector<4xf32> -> vector<4xf32>
    vector.store %y, %p[%thread, %c0] : memref<?x8xf32, strided<[?, 1]>>, vector<4xf32>
  }
}
