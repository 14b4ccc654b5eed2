// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Sizes that would overflow, or be lowered to as many operations as they say.
// RUN: fp8gemm-opt %s -split-input-file -verify-diagnostics -o /dev/null

// Ring: readers
// expected-error @+1 {{expected at most 8 reading warpgroups, got 4611686018427387904}}
func.func private @f(!hopper.ring<stages = 2, tma(sfa: memref<8xf32, 3>), readers = 4611686018427387904>)

// -----

// Scales: columns
// expected-error @+1 {{expected at most 256 columns, got 1152921504606846976}}
func.func private @f(!hopper.scales<1152921504606846976 columns by 128>)

// -----

!fragment = !hopper.fragment<64x24xf32>
func.func @wait_of_no_ring(%f: !fragment) {
  // expected-error @+1 {{expected a ring, got '!hopper.fragment<64x24xf32>'}}
  %slot, %b = hopper.ring.wait %f : !fragment
  return
}

// -----

!fragment = !hopper.fragment<64x24xf32>
func.func @acquire_of_no_ring(%f: !fragment) {
  // expected-error @+1 {{expected a ring, got '!hopper.fragment<64x24xf32>'}}
  %slot, %b = hopper.ring.acquire %f by tma : !fragment
  return
}

// -----

!map = !nvgpu.tensormap.descriptor<tensor = memref<f32, 3>, swizzle = none, l2promo = none, oob = zero, interleave = none>
func.func @tma_load_rank_0(%map: !map, %b: memref<8xf32, 3>, %slot: !hopper.slot, %i: index) {
  // expected-error @+1 {{expected the map's box to have extents in [1, 1024] of integers or floats, got 'memref<f32, 3>'}}
  hopper.tma_load %map[%i, %i] to %b signal %slot : !map to memref<8xf32, 3>
  return
}

// -----

!map = !nvgpu.tensormap.descriptor<tensor = memref<1x8xindex, 3>, swizzle = none, l2promo = none, oob = zero, interleave = none>
func.func @tma_load_index(%map: !map, %b: memref<8xindex, 3>, %slot: !hopper.slot, %i: index) {
  // expected-error @+1 {{expected the map's box to have extents in [1, 1024] of integers or floats}}
  hopper.tma_load %map[%i, %i] to %b signal %slot : !map to memref<8xindex, 3>
  return
}

// -----

!map = !nvgpu.tensormap.descriptor<tensor = memref<1x4611686018427387904xf32, 3>, swizzle = none, l2promo = none, oob = zero, interleave = none>
func.func @tma_load_wide(%map: !map, %b: memref<4611686018427387904xf32, 3>, %slot: !hopper.slot, %i: index) {
  // expected-error @+1 {{expected the map's box to have extents in [1, 1024] of integers or floats}}
  hopper.tma_load %map[%i, %i] to %b signal %slot : !map to memref<4611686018427387904xf32, 3>
  return
}

// -----

!map = !nvgpu.tensormap.descriptor<tensor = memref<0x8xf32, 3>, swizzle = none, l2promo = none, oob = zero, interleave = none>
func.func @tma_load_no_row(%map: !map, %b: memref<0x8xf32, 3>, %slot: !hopper.slot, %i: index) {
  // expected-error @+1 {{expected the map's box to have extents in [1, 1024] of integers or floats}}
  hopper.tma_load %map[%i, %i] to %b signal %slot : !map to memref<0x8xf32, 3>
  return
}

// -----

!map = !nvgpu.tensormap.descriptor<tensor = memref<64x32xf32, 3>, swizzle = swizzle_128b, l2promo = none, oob = zero, interleave = none>
func.func @tma_store_panels(%s: memref<1000000000x64x32xf32, 3>, %map: !map, %i: index) {
  // expected-error @+1 {{expected 'staging' to have at most 32 panels, got 1000000000}}
  hopper.tma_store %s to %map[%i, %i] : memref<1000000000x64x32xf32, 3> to !map
  return
}

// -----

func.func @store_rows_panels(%c: index, %s: memref<1000000000x64x32xf32, 3>, %d: memref<?x64xf32>) {
  // expected-error @+1 {{expected 'staging' to have at most 32 panels, got 1000000000}}
  hopper.store_rows %c of %s to %d[%c, %c] : memref<1000000000x64x32xf32, 3> to memref<?x64xf32>
  return
}

// -----

func.func @store_rows_wide(%c: index, %s: memref<1x64x4611686018427387904xf32, 3>, %d: memref<?x64xf32>) {
  // expected-error @+1 {{expected 'staging' to be [panels, rows, w] bf16, f32 or f8E4M3FN with rows of 32, 64 or 128 bytes}}
  hopper.store_rows %c of %s to %d[%c, %c] : memref<1x64x4611686018427387904xf32, 3> to memref<?x64xf32>
  return
}

// -----

func.func @fetch_scales_many(%s: memref<8x8xf32>, %i: index) {
  // expected-error @+1 {{expected at most 1024 scales, got 1000000000000}}
  %v = hopper.fetch_scales %s[%i, %i] count 1000000000000 step 1 per 1 limit %i : memref<8x8xf32> -> vector<31250000000xf32>
  return
}

// -----

func.func @put_scales_many(%v: vector<576460752303423488xf32>, %b: memref<8xf32, 3>) {
  // expected-error @+1 {{expected at most 32 elements a lane, got 576460752303423488}}
  hopper.put_scales %v to %b : vector<576460752303423488xf32>, memref<8xf32, 3>
  return
}

// -----

func.func @scan_groups_chunk(%g: memref<8xi32>, %t: memref<9x4xi32, 3>, %m: index) {
  // expected-error @+1 {{expected 'chunk' and 'align' to be at most 2147483647, got 2147483648 and 1}}
  hopper.scan_groups %g by row_end limit %m chunk(2147483648) to %t : memref<8xi32> to memref<9x4xi32, 3>
  return
}

// -----

func.func @count_rows_most(%index: memref<?xi32>, %first: index, %g: i32) {
  // expected-error @+1 {{expected 'most' to be at most 2147483647, got 2147483648}}
  %rows = hopper.count_rows %index[%first] of %g limit %first most(2147483648) : memref<?xi32>
  return
}

// -----

func.func @store_fragment_strides(%f: !hopper.fragment<64x64xf32>, %s: memref<1x64x64xbf16, strided<[?, 64, 1]>, 3>) {
  // expected-error @+1 {{expected the rows of a panel of 'staging' to follow each other directly}}
  hopper.store_fragment %f to %s : !hopper.fragment<64x64xf32>, memref<1x64x64xbf16, strided<[?, 64, 1]>, 3>
  return
}

// -----

func.func @store_fragment_map(%f: !hopper.fragment<64x64xf32>, %s: memref<1x64x64xbf16, affine_map<(a, b, c) -> (c, a mod 2, b)>, 3>) {
  // expected-error @+1 {{expected the rows of a panel of 'staging' to follow each other directly}}
  hopper.store_fragment %f to %s : !hopper.fragment<64x64xf32>, memref<1x64x64xbf16, affine_map<(a, b, c) -> (c, a mod 2, b)>, 3>
  return
}

// -----

func.func @load_scales_apart(%s: memref<64xf32, strided<[2]>, 3>) {
  // expected-error @+1 {{expected 'source' to be rank-1 f32 of 64 elements}}
  %r = hopper.load_scales %s : memref<64xf32, strided<[2]>, 3> -> !hopper.scales<64 rows by 1>
  return
}

// -----

!map = !nvgpu.tensormap.descriptor<tensor = memref<8x32xf32, 3>, swizzle = none, l2promo = none, oob = zero, interleave = none>
func.func @tma_load_apart(%map: !map, %b: memref<8x32xf32, strided<[64, 1]>, 3>, %slot: !hopper.slot, %i: index) {
  // expected-error @+1 {{expected the elements of 'buffer' to follow each other directly}}
  hopper.tma_load %map[%i, %i] to %b signal %slot : !map to memref<8x32xf32, strided<[64, 1]>, 3>
  return
}

// -----

func.func @find_group_apart(%i: index, %t: memref<9x4xi32, strided<[8, 1]>, 3>) {
  // expected-error @+1 {{expected 'table' to be [G + 1, 4] i32 for G in [1, 1024] groups}}
  %g, %blocks, %begin, %end = hopper.find_group %i in %t : memref<9x4xi32, strided<[8, 1]>, 3>
  return
}

// -----

// expected-error @+2 {{expected 'unroll' to be in [1, 64], got 0}}
func.func @warp_specialize_c5() {
  hopper.warp_specialize producer registers(40) {
    hopper.yield
  } consumers(1) registers(232) unroll(0) |%warpgroup| {
    hopper.yield
  }
  return
}

// -----

// expected-error @+2 {{expected 'unroll' to be in [1, 64], got 65}}
func.func @warp_specialize_c5_much() {
  hopper.warp_specialize producer registers(40) {
    hopper.yield
  } consumers(1) registers(232) unroll(65) |%warpgroup| {
    hopper.yield
  }
  return
}
