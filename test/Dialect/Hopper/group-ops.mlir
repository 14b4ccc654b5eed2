// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Operations of grouped products print what they were parsed from.
// RUN: fp8gemm-opt %s | fp8gemm-opt | FileCheck %s

!map = !nvgpu.tensormap.descriptor<tensor = memref<1x64x64xbf16, 3>, swizzle = swizzle_128b, l2promo = none, oob = zero, interleave = none>

// CHECK-LABEL: @groups
func.func @groups(%ends: memref<8xi32>, %index: memref<?xi32>, %table: memref<9x4xi32, 3>, %staging: memref<2x64x64xbf16, 3>,
                  %d: memref<?x?x256xbf16, strided<[?, ?, 1]>>, %map: !map, %scales: memref<?x2x4xf32, strided<[?, ?, 1]>>, %m: index, %g: i32) {
  // CHECK: hopper.scan_groups %{{.+}} by row_end align(128) limit %{{.+}} chunk(64) to %{{.+}} : memref<8xi32> to !table_9x4
  hopper.scan_groups %ends by row_end align(128) limit %m chunk(64) to %table : memref<8xi32> to memref<9x4xi32, 3>
  // CHECK: hopper.scan_groups %{{.+}} by row_count sharing(2) limit %{{.+}} chunk(64) to %{{.+}} : memref<8xi32> to !table_9x4
  hopper.scan_groups %ends by row_count sharing(2) limit %m chunk(64) to %table : memref<8xi32> to memref<9x4xi32, 3>
  // CHECK: %[[GROUP:.+]], %{{.+}}, %{{.+}}, %{{.+}} = hopper.find_group %{{.+}} in %{{.+}} : !table_9x4
  %group, %before, %begin, %end = hopper.find_group %m in %table : memref<9x4xi32, 3>
  // CHECK: hopper.count_rows %{{.+}}[%{{.+}}] of %{{.+}} limit %{{.+}} most(64) : memref<?xi32>
  %rows = hopper.count_rows %index[%begin] of %g limit %m most(64) : memref<?xi32>
  // CHECK: hopper.store_rows %{{.+}} of %{{.+}} to %{{.+}}[%{{.+}}, %{{.+}}] of %[[GROUP]] : !smem_2x64x64 to memref<?x?x256xbf16, strided<[?, ?, 1]>>
  hopper.store_rows %rows of %staging to %d[%begin, %m] of %group : memref<2x64x64xbf16, 3> to memref<?x?x256xbf16, strided<[?, ?, 1]>>
  // CHECK: hopper.tma_store %{{.+}} to %{{.+}}[%{{.+}}, %{{.+}}] of %[[GROUP]]
  hopper.tma_store %staging to %map[%begin, %m] of %group : memref<2x64x64xbf16, 3> to !map
  // CHECK: hopper.fetch_scales %{{.+}}[%{{.+}}, %{{.+}}] of %[[GROUP]] count 1
  %values = hopper.fetch_scales %scales[%begin, %m] of %group count 1 step 1 per 128 limit %m : memref<?x2x4xf32, strided<[?, ?, 1]>> -> vector<1xf32>
  return
}
