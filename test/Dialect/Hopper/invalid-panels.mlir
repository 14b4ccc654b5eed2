// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Panels of C and D. @op_cN_* breaks constraint (CN) of the operation.
// RUN: fp8gemm-opt %s -split-input-file -verify-diagnostics -o /dev/null

func.func @load_fragment_c1_element(%p: memref<1x64x64xf16, 3>) {
  // expected-error @+1 {{expected 'source' to be [panels, rows, w] bf16 or f32 with rows of 32, 64 or 128 bytes}}
  %c = hopper.load_fragment %p : memref<1x64x64xf16, 3> -> !hopper.fragment<64x64xf32>
  return
}

// -----

func.func @load_fragment_c1_row_bytes(%p: memref<1x64x64xf32, 3>) {
  // expected-error @+1 {{expected 'source' to be [panels, rows, w] bf16 or f32 with rows of 32, 64 or 128 bytes}}
  %c = hopper.load_fragment %p : memref<1x64x64xf32, 3> -> !hopper.fragment<64x64xf32>
  return
}

// -----

func.func @load_fragment_c1_columns(%p: memref<4x64x32xf32, 3>) {
  // expected-error @+1 {{expected 'source' to hold 64 columns, got 128}}
  %c = hopper.load_fragment %p : memref<4x64x32xf32, 3> -> !hopper.fragment<64x64xf32>
  return
}

// -----

func.func @load_fragment_c1_rows_apart(%p: memref<2x64x32xf32, strided<[4096, 64, 1]>, 3>) {
  // expected-error @+1 {{expected the rows of a panel of 'source' to follow each other directly}}
  %c = hopper.load_fragment %p : memref<2x64x32xf32, strided<[4096, 64, 1]>, 3> -> !hopper.fragment<64x64xf32>
  return
}

// -----

!map = !nvgpu.tensormap.descriptor<tensor = memref<64x64xbf16, 3>, swizzle = swizzle_128b, l2promo = none, oob = zero, interleave = none>
func.func @tma_store_c2_add(%s: memref<1x64x64xbf16, 3>, %map: !map, %i: index) {
  // expected-error @+1 {{expected 'add' of f32 elements, got 'bf16'}}
  hopper.tma_store add %s to %map[%i, %i] : memref<1x64x64xbf16, 3> to !map
  return
}

// -----

!map = !nvgpu.tensormap.descriptor<tensor = memref<64x64xbf16, 3>, swizzle = none, l2promo = none, oob = zero, interleave = none>
func.func @tma_load_c2_panels(%s: memref<2x64x64xbf16, 3>, %map: !map, %slot: !hopper.slot, %i: index) {
  // expected-error @+1 {{expected the map to have swizzle_128b, got none}}
  hopper.tma_load %map[%i, %i] to %s signal %slot : !map to memref<2x64x64xbf16, 3>
  return
}

// -----

!map = !nvgpu.tensormap.descriptor<tensor = memref<64x64xbf16, 3>, swizzle = swizzle_128b, l2promo = none, oob = zero, interleave = none>
func.func @tma_load_c1_panels(%s: memref<2x128x64xbf16, 3>, %map: !map, %slot: !hopper.slot, %i: index) {
  // expected-error @+1 {{expected 'buffer' to have the shape and element type of the map's box}}
  hopper.tma_load %map[%i, %i] to %s signal %slot : !map to memref<2x128x64xbf16, 3>
  return
}

// -----

// expected-error @+1 {{expected scales of 64 rows by 1 or by 64, got 64 by 32}}
func.func private @f(!hopper.scales<64 rows by 32>)

// -----

// expected-error @+1 {{expected columns to be a positive multiple of 8, got 12}}
func.func private @f(!hopper.scales<12 columns by 1>)

// -----

func.func @put_fragment_c1(%f: !hopper.fragment<64x32xf32>, %e: memref<8x128x4xf32, 3>) {
  // expected-error @+1 {{expected 'exchange' to be 4x128x4 f32}}
  hopper.put_fragment %f to %e : !hopper.fragment<64x32xf32>, memref<8x128x4xf32, 3>
  return
}

// -----

func.func @reduce_fragments_c2(%e: memref<4x128x4xf32, 3>) {
  // expected-error @+1 {{expected 'ranks' to be in [2, 8], got 9}}
  %sum = hopper.reduce_fragments %e ranks(9) : memref<4x128x4xf32, 3> -> !hopper.fragment<64x32xf32>
  return
}

// -----

// expected-error @+1 {{expected a cluster of 1 to 8 CTAs, got 16}}
func.func @ring_cluster(%r: !hopper.ring<stages = 2, tma(a: memref<8x128xf8E4M3FN, 3>), readers = 1, cluster = 16>)

// -----

func.func @load_fragment_c2_shared(%row: memref<128xf32, 3>, %i: index) {
  // expected-error @+1 {{expected 'source' to be rows of 1 or an even number of bf16, f16 or f32 in global memory, each next to the one before, got 'memref<128xf32, 3>'}}
  %x = hopper.load_fragment %row[%i, %i] : memref<128xf32, 3> -> !hopper.fragment<64x64xf32>
  return
}

// -----

func.func @load_fragment_c2_odd(%row: memref<127xf32>, %i: index) {
  // expected-error @+1 {{expected 'source' to be rows of 1 or an even number of bf16, f16 or f32 in global memory, each next to the one before, got 'memref<127xf32>'}}
  %x = hopper.load_fragment %row[%i, %i] transposed : memref<127xf32> -> !hopper.fragment<64x64xf32>
  return
}

// -----

func.func @load_fragment_c2_strides(%row: memref<128xf32, strided<[2]>>, %i: index) {
  // expected-error @+1 {{expected 'source' to be rows of 1 or an even number of bf16, f16 or f32 in global memory}}
  %x = hopper.load_fragment %row[%i, %i] : memref<128xf32, strided<[2]>> -> !hopper.fragment<64x64xf32>
  return
}

// -----

func.func @load_fragment_c2_rank(%rows: memref<4x1x128xf32>, %i: index) {
  // expected-error @+1 {{expected 'source' to have rank 1 or 2 without a group, got 'memref<4x1x128xf32>'}}
  %x = hopper.load_fragment %rows[%i, %i] : memref<4x1x128xf32> -> !hopper.fragment<64x64xf32>
  return
}

// -----

func.func @load_fragment_c3_limit(%matrix: memref<?x128xf32>, %i: index) {
  // expected-error @+1 {{expected a 'limit' for a source of several rows, got none}}
  %x = hopper.load_fragment %matrix[%i, %i] : memref<?x128xf32> -> !hopper.fragment<64x64xf32>
  return
}

// -----

func.func @load_fragment_c3_transposed(%p: memref<1x64x16xf32, 3>) {
  // expected-error @+1 {{expected 'row' and 'column' with 'group', 'limit' or 'transposed', got none}}
  %x = hopper.load_fragment %p transposed : memref<1x64x16xf32, 3> -> !hopper.fragment<64x16xf32>
  return
}

// -----

func.func @load_fragment_c2_whole(%row: memref<128xf32>) {
  // expected-error @+1 {{expected 'source' to be [panels, rows, w] bf16 or f32 with rows of 32, 64 or 128 bytes}}
  %x = hopper.load_fragment %row : memref<128xf32> -> !hopper.fragment<64x64xf32>
  return
}
