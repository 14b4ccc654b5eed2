// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Groups: the table in shared memory, its search, rows of an index, rows that are stored.
// RUN: fp8gemm-opt %s -pass-pipeline='builtin.module(gpu.module(convert-hopper-to-nvvm))' | FileCheck %s -enable-var-scope

#launch = #hopper.launch<threads = 256, tile_m = 64, tile_n = 64>
!map = !nvgpu.tensormap.descriptor<tensor = memref<1x64x64xbf16, 3>, swizzle = swizzle_128b, l2promo = none, oob = zero, interleave = none>

!f8map = !nvgpu.tensormap.descriptor<tensor = memref<64x128xf8E4M3FN, 3>, swizzle = swizzle_128b, l2promo = none, oob = zero, interleave = none>

gpu.module @kernels {
  // 40 groups: two of them a lane.
  // CHECK-LABEL: llvm.func @ends(
  // CHECK-SAME:    %[[ENDS:.+]]: !llvm.ptr<1>, %{{.+}}: i32)
  hopper.kernel @ends args(%ends: memref<40xi32>, %m: index) shared(%table: memref<41x4xi32, 3>) launch #launch {
    // One warp: every end, and the one before it, before anything is added up.
    // CHECK:         %[[WARP:.+]] = arith.divui
    // CHECK:         %[[SCANS:.+]] = arith.cmpi eq, %[[WARP]], %{{.+}} : i32
    // CHECK:         scf.if %[[SCANS]] {
    // CHECK-COUNT-4:   llvm.load %{{.+}} invariant {alignment = 4 : i64} : !llvm.ptr<1> -> i32
    // CHECK-NOT:       llvm.load
    // CHECK-COUNT-5:   nvvm.shfl.sync up
    // CHECK:           scf.if
    // CHECK-NEXT:        llvm.mlir.zero : vector<4xi32>
    // CHECK:             llvm.store %{{.+}} {alignment = 16 : i64} : vector<4xi32>, !llvm.ptr<3>
    // CHECK:           nvvm.shfl.sync idx
    // CHECK-COUNT-5:   nvvm.shfl.sync up
    // CHECK:           nvvm.shfl.sync idx
    // The row after the last group.
    // CHECK:           llvm.store {{.*}} : vector<4xi32>, !llvm.ptr<3>
    hopper.scan_groups %ends by row_end align(128) limit %m chunk(64) to %table : memref<40xi32> to memref<41x4xi32, 3>
    gpu.barrier
  }

  // Six steps find one of 40 groups.
  // CHECK-LABEL: llvm.func @find(
  hopper.kernel @find args(%block: index, %index: memref<?xi32>) shared(%table: memref<41x4xi32, 3>) launch #launch {
    // CHECK-COUNT-6: llvm.load %{{.+}} {alignment = 4 : i64} : !llvm.ptr<3> -> i32
    // CHECK-NOT:     -> i32
    // CHECK:         llvm.load %{{.+}} {alignment = 16 : i64} : !llvm.ptr<3> -> vector<4xi32>
    %group, %before, %begin, %end = hopper.find_group %block in %table : memref<41x4xi32, 3>
    // CHECK:         llvm.load %{{.+}} invariant {alignment = 4 : i64} : !llvm.ptr<1> -> i32
    %entry = memref.load %index[%begin] : memref<?xi32>
    // 96 rows: three a lane, the first that differs.
    // CHECK-COUNT-3: nvvm.vote.sync ballot
    // CHECK-COUNT-3: llvm.intr.cttz
    %rows = hopper.count_rows %index[%begin] of %entry limit %end most(96) : memref<?xi32>
  }

  // D's rows may be far apart: 64 bits, but within a row.
  // CHECK-LABEL: llvm.func @store(
  // CHECK-SAME:    %[[D:[a-z0-9]+]]: !llvm.ptr<1>, %[[LEADING:[a-z0-9]+]]: i64, %[[STRIDE:[a-z0-9]+]]: i64,
  hopper.kernel @store args(%d: memref<?x?x256xbf16, strided<[?, ?, 1]>>, %map: !map, %row: index, %group: index) shared(%staging: memref<2x64x64xbf16, 3>)
      launch #launch {
    // 8 chunks of 16 bytes a row, of each of two panels where the column is inside.
    // CHECK:       scf.for
    // CHECK:         %[[BEFORE:.+]] = arith.muli %{{.+}}, %[[LEADING]] : i64
    // CHECK:         %[[OF_GROUP:.+]] = arith.muli %{{.+}}, %[[STRIDE]] : i64
    // CHECK:         %[[FIRST:.+]] = arith.addi %[[BEFORE]], %[[OF_GROUP]] : i64
    // CHECK:         %[[ROW:.+]] = llvm.getelementptr %[[D]][%[[FIRST]]] : (!llvm.ptr<1>, i64) -> !llvm.ptr<1>, bf16
    // CHECK:         scf.if
    // CHECK:           %[[CHUNK:.+]] = llvm.load %{{.+}} {alignment = 16 : i64} : !llvm.ptr<3> -> vector<4xi32>
    // CHECK:           %[[TO:.+]] = llvm.getelementptr %[[ROW]][%{{.+}}] : (!llvm.ptr<1>, i32) -> !llvm.ptr<1>, bf16
    // CHECK:           llvm.store %[[CHUNK]], %[[TO]] {alignment = 16 : i64} : vector<4xi32>, !llvm.ptr<1>
    // CHECK:         scf.if
    // CHECK:           llvm.store
    hopper.store_rows %row of %staging to %d[%row, %row] of %group : memref<2x64x64xbf16, 3> to memref<?x?x256xbf16, strided<[?, ?, 1]>>
    // CHECK:       nvvm.cp.async.bulk.tensor.global.shared.cta %{{.+}}, %{{.+}}, box[%{{[^,]+}}, %{{[^,]+}}, %{{[^,]+}}]
    hopper.tma_store %staging to %map[%row, %row] of %group : memref<2x64x64xbf16, 3> to !map
  }

  // One thread a group copies the operand's map and replaces what differs; a flat operand has other rows, too.
  // CHECK-LABEL: llvm.func @maps(
  hopper.kernel @maps args(%map: !f8map, %a: memref<?x?xf8E4M3FN, strided<[?, 1]>>, %flat: memref<?xf8E4M3FN>, %workspace: memref<?xi8>, %m: index, %group: index) shared(%table: memref<5x4xi32, 3>)
      launch #launch {
    // CHECK:         scf.for
    // CHECK-COUNT-8:   llvm.store %{{.+}} {alignment = 16 : i64} : vector<4xi32>, !llvm.ptr<1>
    // CHECK:           tensormap.replace.tile.global_address.global.b1024.b64
    // CHECK:           tensormap.replace.tile.global_dim.global.b1024.b32 [$0], 0, $1;
    // CHECK-NOT:       tensormap.replace
    // CHECK:           nvvm.fence.proxy.release <gpu>
    hopper.make_group_maps %map of %a rows %m in %table to %workspace slot 0 of 2 : !f8map of memref<?x?xf8E4M3FN, strided<[?, 1]>>, memref<5x4xi32, 3>, memref<?xi8>
    // Groups before a flat one may have more than 2^31 elements.
    // CHECK:         scf.for
    // CHECK:           %[[BEFORE:.+]] = arith.muli %{{.+}}, %{{.+}} : i64
    // CHECK:           llvm.getelementptr %{{.+}}[%[[BEFORE]]] : (!llvm.ptr<1>, i64) -> !llvm.ptr<1>, i8
    // CHECK:           tensormap.replace.tile.global_address.global.b1024.b64
    // CHECK:           tensormap.replace.tile.global_dim.global.b1024.b32 [$0], 0, $1;
    // CHECK:           tensormap.replace.tile.global_dim.global.b1024.b32 [$0], 1, $1;
    // CHECK:           tensormap.replace.tile.global_stride.global.b1024.b64 [$0], 0, $1;
    // CHECK:           nvvm.fence.proxy.release <gpu>
    hopper.make_group_maps %map of %flat rows %m in %table to %workspace slot 1 of 2 : !f8map of memref<?xf8E4M3FN>, memref<5x4xi32, 3>, memref<?xi8>
    // CHECK:         %[[MAP:.+]] = llvm.addrspacecast %{{.+}} : !llvm.ptr<1> to !llvm.ptr
    // CHECK:         nvvm.fence.proxy.acquire <gpu> %[[MAP]]
    %found = hopper.group_map %group of 4 in %workspace slot 1 of 2 : memref<?xi8> -> !f8map
  }

  // Scales that may start between two that a thread holds: one load each.
  // CHECK-LABEL: llvm.func @shifted(
  hopper.kernel @shifted args(%shift: index) shared(%scales: memref<20xf32, 3>) launch #launch {
    %part = memref.subview %scales[%shift] [16] [1] : memref<20xf32, 3> to memref<16xf32, strided<[1], offset: ?>, 3>
    // CHECK-COUNT-4: llvm.load %{{.+}} {alignment = 4 : i64} : !llvm.ptr<3> -> f32
    // CHECK-NOT:     vector<2xf32>
    %columns = hopper.load_scales %part : memref<16xf32, strided<[1], offset: ?>, 3> -> !hopper.scales<16 columns by 1>
  }
}
