// RUN: fp8gemm-opt %s -pass-pipeline='builtin.module(gpu.module(convert-hopper-to-nvvm))' | FileCheck %s -enable-var-scope

!map_f32 = !nvgpu.tensormap.descriptor<tensor = memref<64x32xf32, 3>, swizzle = swizzle_128b, l2promo = none, oob = zero, interleave = none>
!map_bf16 = !nvgpu.tensormap.descriptor<tensor = memref<64x16xbf16, 3>, swizzle = swizzle_32b, l2promo = none, oob = zero, interleave = none>
!acc = !hopper.fragment<64x16xf32>
#launch = #hopper.launch<threads = 256, tile_m = 64, tile_n = 16>

gpu.module @kernels {
  // Each operand has a type of its own.
  // CHECK-LABEL: llvm.func @e5m2
  hopper.kernel @e5m2 args() shared(%a: memref<64x128xf8E5M2, 3>, %b: memref<16x128xf8E4M3FN, 3>) launch #launch {
    // CHECK-COUNT-4: nvvm.wgmma.mma_async {{.*}} A[<e5m2>, <one>, <row>], B[<e4m3>, <one>, <col>]
    %partial = hopper.mma %a, %b : memref<64x128xf8E5M2, 3>, memref<16x128xf8E4M3FN, 3> -> !acc
  }

  // A scale for each column: a thread loads those of its columns, 8j + 2 (l % 4) and the next, and
  // multiplies each with the scales of its two rows.
  // CHECK-LABEL: llvm.func @columns_by_1
  hopper.kernel @columns_by_1 args(%m: index) shared(%s: memref<64xf32, 3>, %t: memref<16xf32, 3>) launch #launch {
    %acc = arith.constant dense<0.0> : !acc
    %rows = hopper.load_scales %s : memref<64xf32, 3> -> !hopper.scales<64 rows by 1>
    // CHECK:         llvm.load %[[FIRST:.+]] {alignment = 8 : i64} : !llvm.ptr<3> -> vector<2xf32>
    // CHECK:         %[[NEXT:.+]] = llvm.getelementptr %[[FIRST]][32]
    // CHECK-NEXT:    llvm.load %[[NEXT]] {alignment = 8 : i64} : !llvm.ptr<3> -> vector<2xf32>
    %columns = hopper.load_scales %t : memref<16xf32, 3> -> !hopper.scales<16 columns by 1>
    // Each product is made where it is used.
    // CHECK:         arith.mulf
    // CHECK-NEXT:    math.fma
    // CHECK-NEXT:    arith.mulf
    // CHECK-NEXT:    math.fma
    // CHECK-COUNT-6: arith.mulf
    // CHECK-NOT:     arith.mulf
    %next = hopper.promote %acc scaled_by(%rows, %columns) into %acc : !hopper.scales<64 rows by 1>, !hopper.scales<16 columns by 1>, !acc
  }

  // One scale for all rows: the two halves of a thread's registers share their products.
  // CHECK-LABEL: llvm.func @rows_by_64
  hopper.kernel @rows_by_64 args() shared(%s: memref<1xf32, 3>, %t: memref<16xf32, 3>) launch #launch {
    %acc = arith.constant dense<0.0> : !acc
    // CHECK:         llvm.load {{.*}} -> f32
    %rows = hopper.load_scales %s : memref<1xf32, 3> -> !hopper.scales<64 rows by 64>
    %columns = hopper.load_scales %t : memref<16xf32, 3> -> !hopper.scales<16 columns by 1>
    // CHECK-COUNT-4: arith.mulf
    // CHECK-NOT:     arith.mulf
    %next = hopper.promote %acc scaled_by(%rows, %columns) into %acc : !hopper.scales<64 rows by 64>, !hopper.scales<16 columns by 1>, !acc
  }

  // f32 is stored in pairs, in rows of 128 bytes whose chunks of 16 bytes are swizzled, and added by TMA.
  // CHECK-LABEL: llvm.func @f32_in_place(
  // CHECK-SAME:    %[[MAP:[^:]+]]: !llvm.ptr
  hopper.kernel @f32_in_place args(%map: !map_f32, %m: index) shared(%panels: memref<2x64x32xf32, 3>) launch #launch {
    %acc = arith.constant dense<0.0> : !hopper.fragment<64x64xf32>
    // CHECK:          arith.xori
    // CHECK:          llvm.store %{{.+}}, %[[ROWS:.+]] {alignment = 8 : i64} : vector<2xf32>, !llvm.ptr<3>
    // CHECK:          %[[LOWER:.+]] = llvm.getelementptr %[[ROWS]][1024]
    // CHECK:          llvm.store %{{.+}}, %[[LOWER]] {alignment = 8 : i64} : vector<2xf32>, !llvm.ptr<3>
    // CHECK-COUNT-14: llvm.store %{{.+}} : vector<2xf32>, !llvm.ptr<3>
    // CHECK-NOT:      llvm.store
    hopper.store_fragment %acc to %panels : !hopper.fragment<64x64xf32>, memref<2x64x32xf32, 3>
    // CHECK-COUNT-2:  nvvm.cp.async.bulk.tensor.reduce %[[MAP]], %{{.+}}, box[%{{.+}}, %{{.+}}] {redKind = #nvvm.tma_redux_kind<add>}
    // CHECK-NEXT:     nvvm.cp.async.bulk.commit.group
    hopper.tma_store add %panels to %map[%m, %m] : memref<2x64x32xf32, 3> to !map_f32
  }

  // One box of C a panel; it is read in pairs and extended.
  // CHECK-LABEL: llvm.func @c(
  hopper.kernel @c args(%map: !map_bf16, %m: index) launch #launch {
    %c0 = arith.constant 0 : index
    %true = arith.constant true
    %false = arith.constant false
    %ring = hopper.ring.create : !hopper.ring<stages = 1, tma(c: memref<2x64x16xbf16, 3>), readers = 1>
    hopper.warp_specialize producer registers(40) {
      %slot, %panels = hopper.ring.acquire %ring by tma at (%c0, %true) : !hopper.ring<stages = 1, tma(c: memref<2x64x16xbf16, 3>), readers = 1>
      // CHECK:         nvvm.cp.async.bulk.tensor.shared.cluster.global
      // CHECK:         %[[SECOND:.+]] = llvm.getelementptr %{{.+}}[2048]
      // CHECK:         llvm.addrspacecast %[[SECOND]]
      // CHECK:         nvvm.cp.async.bulk.tensor.shared.cluster.global
      // CHECK-NOT:     nvvm.cp.async.bulk.tensor
      hopper.tma_load %map[%m, %c0] to %panels signal %slot : !map_bf16 to memref<2x64x16xbf16, 3>
      hopper.ring.commit %slot
      hopper.yield
    } consumers(1) registers(232) |%warpgroup| {
      %acc = arith.constant dense<0.0> : !hopper.fragment<64x32xf32>
      %slot, %panels = hopper.ring.wait %ring at (%c0, %false) : !hopper.ring<stages = 1, tma(c: memref<2x64x16xbf16, 3>), readers = 1>
      // CHECK-COUNT-8:  llvm.load {{.*}} {alignment = 4 : i64} : !llvm.ptr<3> -> vector<2xbf16>
      // CHECK-NOT:      llvm.load
      %c = hopper.load_fragment %panels : memref<2x64x16xbf16, 3> -> !hopper.fragment<64x32xf32>
      hopper.ring.release %slot
      // CHECK-COUNT-16: arith.addf
      // CHECK-NOT:      arith.addf
      %sum = arith.addf %c, %acc : !hopper.fragment<64x32xf32>
      hopper.yield
    }
  }
}
