// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Operations of grouped products. @op_cN_* breaks constraint (CN) of the operation.
// RUN: fp8gemm-opt %s -split-input-file -verify-diagnostics -o /dev/null

func.func @scan_groups_c1(%g: memref<8xi32>, %t: memref<9x4xi32, 3>, %m: index) {
  // expected-error @+1 {{expected groups by row_end, row_count or k_count, got row_index}}
  hopper.scan_groups %g by row_index limit %m chunk(64) to %t : memref<8xi32> to memref<9x4xi32, 3>
  return
}

// -----

func.func @scan_groups_c2_columns(%g: memref<8xi32>, %t: memref<9x3xi32, 3>, %m: index) {
  // expected-error @+1 {{expected 'table' to be [G + 1, 4] i32 for G in [1, 1024] groups, got 'memref<9x3xi32, 3>'}}
  hopper.scan_groups %g by row_end limit %m chunk(64) to %t : memref<8xi32> to memref<9x3xi32, 3>
  return
}

// -----

func.func @scan_groups_c2_many(%g: memref<1025xi32>, %t: memref<1026x4xi32, 3>, %m: index) {
  // expected-error @+1 {{expected 'table' to be [G + 1, 4] i32 for G in [1, 1024] groups}}
  hopper.scan_groups %g by row_end limit %m chunk(64) to %t : memref<1025xi32> to memref<1026x4xi32, 3>
  return
}

// -----

func.func @scan_groups_c2_count(%g: memref<7xi32>, %t: memref<9x4xi32, 3>, %m: index) {
  // expected-error @+1 {{expected 'groups' to have the 8 entries of 'table', got 'memref<7xi32>'}}
  hopper.scan_groups %g by row_end limit %m chunk(64) to %t : memref<7xi32> to memref<9x4xi32, 3>
  return
}

// -----

func.func @scan_groups_c3(%g: memref<8xi32>, %t: memref<9x4xi32, 3>, %m: index) {
  // expected-error @+1 {{expected 'chunk' and 'align' to be positive, got 0 and 1}}
  hopper.scan_groups %g by row_end limit %m chunk(0) to %t : memref<8xi32> to memref<9x4xi32, 3>
  return
}

// -----

func.func @scan_groups_c4(%g: memref<8xi32>, %t: memref<9x4xi32, 3>, %m: index) {
  // expected-error @+1 {{expected 'sharing' to divide the 8 groups, and to be 1 by k_count, got 3}}
  hopper.scan_groups %g by row_end sharing(3) limit %m chunk(64) to %t : memref<8xi32> to memref<9x4xi32, 3>
  return
}

// -----

func.func @scan_groups_c4_along_k(%g: memref<8xi32>, %t: memref<9x4xi32, 3>, %m: index) {
  // expected-error @+1 {{expected 'sharing' to divide the 8 groups, and to be 1 by k_count, got 2}}
  hopper.scan_groups %g by k_count sharing(2) limit %m chunk(128) to %t : memref<8xi32> to memref<9x4xi32, 3>
  return
}

// -----

func.func @find_group_c1(%t: memref<9x4xf32, 3>, %b: index) {
  // expected-error @+1 {{expected 'table' to be [G + 1, 4] i32}}
  %group, %before, %begin, %end = hopper.find_group %b in %t : memref<9x4xf32, 3>
  return
}

// -----

func.func @count_rows_c1(%index: memref<?xi32>, %first: index, %g: i32) {
  // expected-error @+1 {{expected 'most' to be positive, got 0}}
  %rows = hopper.count_rows %index[%first] of %g limit %first most(0) : memref<?xi32>
  return
}

// -----

func.func @store_rows_c1(%s: memref<2x64x24xbf16, 3>, %d: memref<?x256xbf16>, %i: index) {
  // expected-error @+1 {{expected 'staging' to be [panels, rows, w] bf16, f32 or f8E4M3FN with rows of 32, 64 or 128 bytes}}
  hopper.store_rows %i of %s to %d[%i, %i] : memref<2x64x24xbf16, 3> to memref<?x256xbf16>
  return
}

// -----

func.func @store_rows_c2_element(%s: memref<2x64x32xf32, 3>, %d: memref<?x256xbf16>, %i: index) {
  // expected-error @+1 {{expected 'd' to be 'f32' of rank 2, got 'memref<?x256xbf16>'}}
  hopper.store_rows %i of %s to %d[%i, %i] : memref<2x64x32xf32, 3> to memref<?x256xbf16>
  return
}

// -----

func.func @store_rows_c2_group(%s: memref<2x64x64xbf16, 3>, %d: memref<?x256xbf16>, %i: index) {
  // expected-error @+1 {{expected 'd' to be 'bf16' of rank 3, got 'memref<?x256xbf16>'}}
  hopper.store_rows %i of %s to %d[%i, %i] of %i : memref<2x64x64xbf16, 3> to memref<?x256xbf16>
  return
}

// -----

func.func @store_rows_c2_columns(%s: memref<2x64x64xbf16, 3>, %d: memref<?x?xbf16>, %i: index) {
  // expected-error @+1 {{expected 'd' to have a multiple of 8 columns, got 'memref<?x?xbf16>'}}
  hopper.store_rows %i of %s to %d[%i, %i] : memref<2x64x64xbf16, 3> to memref<?x?xbf16>
  return
}

// -----

func.func @fetch_scales_c2_group(%s: memref<2x4xf32>, %i: index) {
  // expected-error @+1 {{expected 'source' to have rank 3, got 'memref<2x4xf32>'}}
  %v = hopper.fetch_scales %s[%i, %i] of %i count 1 step 1 per 128 limit %i : memref<2x4xf32> -> vector<1xf32>
  return
}

// -----

!map = !nvgpu.tensormap.descriptor<tensor = memref<2x64x64xbf16, 3>, swizzle = swizzle_128b, l2promo = none, oob = zero, interleave = none>
func.func @tma_store_c1_group(%s: memref<1x64x64xbf16, 3>, %map: !map, %i: index) {
  // expected-error @+1 {{expected the map's box to be a panel of 'staging'}}
  hopper.tma_store %s to %map[%i, %i] of %i : memref<1x64x64xbf16, 3> to !map
  return
}

// -----

!map = !nvgpu.tensormap.descriptor<tensor = memref<64x128xf8E4M3FN, 3>, swizzle = swizzle_128b, l2promo = none, oob = zero, interleave = none>
func.func @make_group_maps_c1(%map: !map, %a: memref<?x?xf8E4M3FN>, %t: memref<4xi32, 3>, %w: memref<?xi8>, %m: index) {
  // expected-error @+1 {{expected 'table' to be [G + 1, 4] i32}}
  hopper.make_group_maps %map of %a rows %m in %t to %w slot 0 of 2 : !map of memref<?x?xf8E4M3FN>, memref<4xi32, 3>, memref<?xi8>
  return
}

// -----

!map = !nvgpu.tensormap.descriptor<tensor = memref<64x128xf8E4M3FN, 3>, swizzle = swizzle_128b, l2promo = none, oob = zero, interleave = none>
func.func @make_group_maps_c2_rows(%map: !map, %a: memref<?x?xf8E4M3FN, strided<[1, ?]>>, %t: memref<5x4xi32, 3>, %w: memref<?xi8>, %m: index) {
  // expected-error @+1 {{expected 'source' to have contiguous rows}}
  hopper.make_group_maps %map of %a rows %m in %t to %w slot 0 of 2 : !map of memref<?x?xf8E4M3FN, strided<[1, ?]>>, memref<5x4xi32, 3>, memref<?xi8>
  return
}

// -----

!map = !nvgpu.tensormap.descriptor<tensor = memref<64x128xf8E4M3FN, 3>, swizzle = swizzle_128b, l2promo = none, oob = zero, interleave = none>
func.func @make_group_maps_c2_element(%map: !map, %a: memref<?x?xf8E5M2>, %t: memref<5x4xi32, 3>, %w: memref<?xi8>, %m: index) {
  // expected-error @+1 {{expected 'source' to have the map's element type}}
  hopper.make_group_maps %map of %a rows %m in %t to %w slot 0 of 2 : !map of memref<?x?xf8E5M2>, memref<5x4xi32, 3>, memref<?xi8>
  return
}

// -----

!map = !nvgpu.tensormap.descriptor<tensor = memref<64x128xf8E4M3FN, 3>, swizzle = swizzle_128b, l2promo = none, oob = zero, interleave = none>
func.func @make_group_maps_c3(%map: !map, %a: memref<?xf8E4M3FN>, %t: memref<5x4xi32, 3>, %w: memref<?xi8>, %m: index) {
  // expected-error @+1 {{expected 'slot' to be in [0, 2), got 2}}
  hopper.make_group_maps %map of %a rows %m in %t to %w slot 2 of 2 : !map of memref<?xf8E4M3FN>, memref<5x4xi32, 3>, memref<?xi8>
  return
}

// -----

!map = !nvgpu.tensormap.descriptor<tensor = memref<64x128xf8E4M3FN, 3>, swizzle = swizzle_128b, l2promo = none, oob = zero, interleave = none>
func.func @group_map_c1(%w: memref<?xi8>, %g: index) {
  // expected-error @+1 {{expected 'groups' to be positive, got 0}}
  %map = hopper.group_map %g of 0 in %w slot 0 of 2 : memref<?xi8> -> !map
  return
}
