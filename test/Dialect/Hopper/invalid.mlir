// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// One case for each constraint of the dialect's types and operations.
// RUN: fp8gemm-opt %s -split-input-file -verify-diagnostics -o /dev/null

// Ring: no stage
// expected-error @+1 {{expected 1 to 1024 stages, got 0}}
func.func private @f(!hopper.ring<stages = 0, tma(sfa: memref<8xf32, 3>), readers = 1>)

// -----

// Ring: too many stages
// expected-error @+1 {{expected 1 to 1024 stages, got 1025}}
func.func private @f(!hopper.ring<stages = 1025, tma(sfa: memref<8xf32, 3>), readers = 1>)

// -----

// Ring: no reader
// expected-error @+1 {{expected at least 1 reading warpgroup, got 0}}
func.func private @f(!hopper.ring<stages = 2, tma(sfa: memref<8xf32, 3>), readers = 0>)

// -----

// Ring: no buffer
// expected-error @+1 {{expected at least 1 buffer, got none}}
func.func private @f(!hopper.ring<stages = 2, readers = 1>)

// -----

// Ring: a buffer in global memory
// expected-error @+1 {{expected buffers in shared memory (memory space 3)}}
func.func private @f(!hopper.ring<stages = 2, tma(sfa: memref<8xf32>), readers = 1>)

// -----

// Ring: a buffer of unknown size
// expected-error @+1 {{expected buffers of static shape without strides}}
func.func private @f(!hopper.ring<stages = 2, warps(sfb: memref<?xf32, 3>), readers = 1>)

// -----

// Ring: a strided buffer
// expected-error @+1 {{expected buffers of static shape without strides}}
func.func private @f(!hopper.ring<stages = 2, tma(sfa: memref<8x8xf32, strided<[16, 1]>, 3>), readers = 1>)

// -----

// Ring: elements without a size
// expected-error @+1 {{expected buffers of integers or floats}}
func.func private @f(!hopper.ring<stages = 2, tma(x: memref<8xindex, 3>), readers = 1>)

// -----

// Ring: the layout would overflow
// expected-error @+1 {{expected buffers of at most 137438953472 bytes over all stages}}
func.func private @f(!hopper.ring<stages = 2, tma(sfa: memref<4611686018427387904x4xf32, 3>), readers = 1>)

// -----

// Fragment: rows
// expected-error @+1 {{expected a fragment of 64 rows, got 32}}
func.func private @f(!hopper.fragment<32x64xf32>)

// -----

// Fragment: columns
// expected-error @+1 {{expected fragment columns to be a multiple of 8 in [8, 256], got 12}}
func.func private @f(!hopper.fragment<64x12xf32>)

// -----

// Fragment: rank
// expected-error @+1 {{expected a fragment such as 64x128xf32, got 1 dimensions}}
func.func private @f(!hopper.fragment<64xf32>)

// -----

// Scales: rows
// expected-error @+1 {{expected scales of 64 rows by 1 or by 64, got 64 by 2}}
func.func private @f(!hopper.scales<64 rows by 2>)

// -----

// Scales: block
// expected-error @+1 {{expected blocks of 1 or a multiple of 8 columns, got 4}}
func.func private @f(!hopper.scales<64 columns by 4>)

// -----

// Scales: columns
// expected-error @+1 {{expected columns to be a positive multiple of 64, got 100}}
func.func private @f(!hopper.scales<100 columns by 64>)

// -----

func.func @warp_specialize_c1_producer() {
  // expected-error @+1 {{expected producer registers to be a multiple of 8 in [24, 256], got 20}}
  hopper.warp_specialize producer registers(20) {
    hopper.yield
  } consumers(1) registers(232) |%warpgroup| {
    hopper.yield
  }
  return
}

// -----

func.func @warp_specialize_c1_consumers() {
  // expected-error @+1 {{expected consumer registers to be a multiple of 8 in [24, 256], got 260}}
  hopper.warp_specialize producer registers(40) {
    hopper.yield
  } consumers(1) registers(260) |%warpgroup| {
    hopper.yield
  }
  return
}

// -----

func.func @warp_specialize_no_consumers() {
  // expected-error @+1 {{expected at least 1 consumer warpgroup, got 0}}
  hopper.warp_specialize producer registers(40) {
    hopper.yield
  } consumers(0) registers(232) |%warpgroup| {
    hopper.yield
  }
  return
}

// -----

func.func @warp_specialize_c2() {
  // expected-error @+1 {{expected the roles to need at most 65536 registers, got 66560}}
  hopper.warp_specialize producer registers(40) {
    hopper.yield
  } consumers(2) registers(240) |%warpgroup| {
    hopper.yield
  }
  return
}

// -----

func.func @warp_specialize_c3_consumers() {
  // expected-error @+1 {{expected the consumer region to have one index argument, the warpgroup's number}}
  "hopper.warp_specialize"() <{producer_registers = 40 : i32, consumers = 1 : i32, consumer_registers = 232 : i32}> ({
    hopper.yield
  }, {
  }, {
    hopper.yield
  }) : () -> ()
  return
}

// -----

func.func @warp_specialize_c3_producer() {
  // expected-error @+1 {{expected the producer and helper regions to have no arguments}}
  "hopper.warp_specialize"() <{producer_registers = 40 : i32, consumers = 1 : i32, consumer_registers = 232 : i32}> ({
  ^bb0(%x: index):
    hopper.yield
  }, {
  }, {
  ^bb0(%group: index):
    hopper.yield
  }) : () -> ()
  return
}

// -----

func.func @warp_specialize_c4() {
  %thread = gpu.thread_id x
  hopper.warp_specialize producer registers(40) {
    // expected-error @+1 {{captures a value that may differ between threads}}
    %x = arith.addi %thread, %thread : index
    hopper.yield
  } consumers(1) registers(232) |%warpgroup| {
    hopper.yield
  }
  return
}

// -----

!ring = !hopper.ring<stages = 2, tma(sfa: memref<8xf32, 3>), readers = 1>
func.func @acquire_without_buffers(%ring: !ring) {
  // expected-error @+1 {{expected a ring with buffers filled by warps, got none}}
  %slot = hopper.ring.acquire %ring by warps : !ring
  return
}

// -----

!ring = !hopper.ring<stages = 2, tma(sfa: memref<8xf32, 3>), readers = 1>
func.func @acquire_half_a_position(%ring: !ring, %stage: index) {
  // expected-error @+1 {{expected both a stage and a phase, or neither}}
  %slot:2 = "hopper.ring.acquire"(%ring, %stage) <{filler = 0 : i32, operandSegmentSizes = array<i32: 1, 1, 0>}> : (!ring, index) -> (!hopper.slot, memref<8xf32, 3>)
  return
}

// -----

!ring = !hopper.ring<stages = 2, tma(sfa: memref<8xf32, 3>), readers = 1>
func.func @wait_half_a_position(%ring: !ring, %phase: i1) {
  // expected-error @+1 {{expected both a stage and a phase, or neither}}
  %slot:2 = "hopper.ring.wait"(%ring, %phase) <{operandSegmentSizes = array<i32: 1, 0, 1>}> : (!ring, i1) -> (!hopper.slot, memref<8xf32, 3>)
  return
}

// -----

!map = !nvgpu.tensormap.descriptor<tensor = memref<64x128xf8E4M3FN, 3>, swizzle = swizzle_128b, l2promo = none, oob = zero, interleave = none>
func.func @tma_prefetch_c1(%map: !map, %i: index) {
  // expected-error @+1 {{expected the map's box to have rank 3 after a leading 1, got 'memref<64x128xf8E4M3FN, 3>'}}
  hopper.tma_prefetch %map[%i, %i] of %i : !map
  return
}

// -----

!map = !nvgpu.tensormap.descriptor<tensor = memref<64x128xf8E4M3FN, 3>, swizzle = swizzle_128b, l2promo = none, oob = zero, interleave = none>
func.func @tma_load_c1_shape(%map: !map, %i: index, %slot: !hopper.slot, %b: memref<32x128xf8E4M3FN, 3>) {
  // expected-error @+1 {{expected 'buffer' to have the shape and element type of the map's box}}
  hopper.tma_load %map[%i, %i] to %b signal %slot : !map to memref<32x128xf8E4M3FN, 3>
  return
}

// -----

!map = !nvgpu.tensormap.descriptor<tensor = memref<64x128xf8E4M3FN, 3>, swizzle = swizzle_128b, l2promo = none, oob = zero, interleave = none>
func.func @tma_load_c1_element(%map: !map, %i: index, %slot: !hopper.slot, %b: memref<64x128xi8, 3>) {
  // expected-error @+1 {{expected 'buffer' to have the shape and element type of the map's box}}
  hopper.tma_load %map[%i, %i] to %b signal %slot : !map to memref<64x128xi8, 3>
  return
}

// -----

!map = !nvgpu.tensormap.descriptor<tensor = memref<1x8xf32, 3>, swizzle = none, l2promo = none, oob = zero, interleave = none>
func.func @tma_load_c1_memory(%map: !map, %i: index, %slot: !hopper.slot, %b: memref<8xf32>) {
  // expected-error @+1 {{must be buffer of static shape and rank 1 to 3 in shared memory (memory space 3)}}
  hopper.tma_load %map[%i, %i] to %b signal %slot : !map to memref<8xf32>
  return
}

// -----

!map = !nvgpu.tensormap.descriptor<tensor = memref<64x64xf8E4M3FN, 3>, swizzle = swizzle_128b, l2promo = none, oob = zero, interleave = none>
func.func @tma_load_c2_row(%map: !map, %i: index, %slot: !hopper.slot, %b: memref<64x64xf8E4M3FN, 3>) {
  // expected-error @+1 {{expected a box of f8 elements to have rows of 128 bytes, got 64}}
  hopper.tma_load %map[%i, %i] to %b signal %slot : !map to memref<64x64xf8E4M3FN, 3>
  return
}

// -----

!map = !nvgpu.tensormap.descriptor<tensor = memref<64x128xf8E4M3FN, 3>, swizzle = none, l2promo = none, oob = zero, interleave = none>
func.func @tma_load_c2_swizzle(%map: !map, %i: index, %slot: !hopper.slot, %b: memref<64x128xf8E4M3FN, 3>) {
  // expected-error @+1 {{expected the map to have swizzle_128b, got none}}
  hopper.tma_load %map[%i, %i] to %b signal %slot : !map to memref<64x128xf8E4M3FN, 3>
  return
}

// -----

!map = !nvgpu.tensormap.descriptor<tensor = memref<1x8xf32, 3>, swizzle = swizzle_32b, l2promo = none, oob = zero, interleave = none>
func.func @tma_load_c2_scales(%map: !map, %i: index, %slot: !hopper.slot, %b: memref<8xf32, 3>) {
  // expected-error @+1 {{expected the map to have none, got swizzle_32b}}
  hopper.tma_load %map[%i, %i] to %b signal %slot : !map to memref<8xf32, 3>
  return
}

// -----

func.func @fetch_scales_count(%s: memref<8x8xf32>, %i: index) {
  // expected-error @+1 {{expected 'count', 'step' and 'per' to be positive, got 0, 1, 1}}
  %v = hopper.fetch_scales %s[%i, %i] count 0 step 1 per 1 limit %i : memref<8x8xf32> -> vector<1xf32>
  return
}

// -----

func.func @fetch_scales_lanes(%s: memref<8x8xf32>, %i: index) {
  // expected-error @+1 {{expected 2 elements a lane for 33 scales, got 1}}
  %v = hopper.fetch_scales %s[%i, %i] count 33 step 1 per 1 limit %i : memref<8x8xf32> -> vector<1xf32>
  return
}

// -----

func.func @fetch_scales_strides(%s: memref<8x8xf32, strided<[16, 2]>>, %i: index) {
  // expected-error @+1 {{expected 'source' to have one unit stride}}
  %v = hopper.fetch_scales %s[%i, %i] count 1 step 1 per 1 limit %i : memref<8x8xf32, strided<[16, 2]>> -> vector<1xf32>
  return
}

// -----

func.func @put_scales_c1_size(%v: vector<1xf32>, %b: memref<33xf32, 3>) {
  // expected-error @+1 {{expected 'buffer' to be rank-1 f32 of at most 32 elements}}
  hopper.put_scales %v to %b : vector<1xf32>, memref<33xf32, 3>
  return
}

// -----

func.func @put_scales_c1_element(%v: vector<1xf32>, %b: memref<8xbf16, 3>) {
  // expected-error @+1 {{expected 'buffer' to be rank-1 f32 of at most 32 elements}}
  hopper.put_scales %v to %b : vector<1xf32>, memref<8xbf16, 3>
  return
}

// -----

func.func @put_scales_c1_dynamic(%v: vector<1xf32>, %b: memref<?xf32, 3>) {
  // expected-error @+1 {{must be buffer of static shape and rank 1 to 3 in shared memory (memory space 3)}}
  hopper.put_scales %v to %b : vector<1xf32>, memref<?xf32, 3>
  return
}

// -----

func.func @mma_c1_element(%a: memref<64x128xf16, 3>, %b: memref<64x128xf8E4M3FN, 3>) {
  // expected-error @+1 {{expected 'a' to be rows of 128 f8E4M3FN or f8E5M2, 128 bytes apart}}
  %p = hopper.mma %a, %b : memref<64x128xf16, 3>, memref<64x128xf8E4M3FN, 3> -> !hopper.fragment<64x64xf32>
  return
}

// -----

func.func @mma_c1_stride(%a: memref<64x128xf8E4M3FN, 3>, %b: memref<64x128xf8E4M3FN, strided<[256, 1]>, 3>) {
  // expected-error @+1 {{expected 'b' to be rows of 128 f8E4M3FN or f8E5M2, 128 bytes apart}}
  %p = hopper.mma %a, %b : memref<64x128xf8E4M3FN, 3>, memref<64x128xf8E4M3FN, strided<[256, 1]>, 3> -> !hopper.fragment<64x64xf32>
  return
}

// -----

func.func @mma_c1_depth(%a: memref<64x128xf8E4M3FN, 3>, %b: memref<64x64xf8E4M3FN, 3>) {
  // expected-error @+1 {{expected 'b' to be rows of 128 f8E4M3FN or f8E5M2, 128 bytes apart}}
  %p = hopper.mma %a, %b : memref<64x128xf8E4M3FN, 3>, memref<64x64xf8E4M3FN, 3> -> !hopper.fragment<64x64xf32>
  return
}

// -----

func.func @mma_c1_rows(%a: memref<96x128xf8E4M3FN, 3>, %b: memref<64x128xf8E4M3FN, 3>) {
  // expected-error @+1 {{expected 'a' to have 64 rows, got 96}}
  %p = hopper.mma %a, %b : memref<96x128xf8E4M3FN, 3>, memref<64x128xf8E4M3FN, 3> -> !hopper.fragment<64x64xf32>
  return
}

// -----

func.func @mma_c2(%a: memref<64x128xf8E4M3FN, 3>, %b: memref<12x128xf8E4M3FN, 3>) {
  // expected-error @+1 {{expected 'b' rows to be a multiple of 8 in [8, 256], got 12}}
  %p = hopper.mma %a, %b : memref<64x128xf8E4M3FN, 3>, memref<12x128xf8E4M3FN, 3> -> !hopper.fragment<64x64xf32>
  return
}

// -----

func.func @mma_c3(%a: memref<64x128xf8E4M3FN, 3>, %b: memref<64x128xf8E4M3FN, 3>) {
  // expected-error @+1 {{expected a result of 64x64xf32}}
  %p = hopper.mma %a, %b : memref<64x128xf8E4M3FN, 3>, memref<64x128xf8E4M3FN, 3> -> !hopper.fragment<64x128xf32>
  return
}

// -----

func.func @mma_c1_memory(%a: memref<64x128xf8E4M3FN>) {
  // expected-error @+1 {{must be buffer of static shape and rank 1 to 3 in shared memory (memory space 3)}}
  %p = hopper.mma %a, %a : memref<64x128xf8E4M3FN>, memref<64x128xf8E4M3FN> -> !hopper.fragment<64x64xf32>
  return
}

// -----

func.func @load_scales_c1_size(%s: memref<32xf32, 3>) {
  // expected-error @+1 {{expected 'source' to be rank-1 f32 of 64 elements}}
  %x = hopper.load_scales %s : memref<32xf32, 3> -> !hopper.scales<64 rows by 1>
  return
}

// -----

func.func @load_scales_c1_element(%s: memref<1xbf16, 3>) {
  // expected-error @+1 {{expected 'source' to be rank-1 f32 of 1 elements}}
  %x = hopper.load_scales %s : memref<1xbf16, 3> -> !hopper.scales<64 columns by 64>
  return
}

// -----

func.func @promote_c1_rows(%p: !hopper.fragment<64x64xf32>, %r: !hopper.scales<64 columns by 64>, %c: !hopper.scales<64 columns by 64>) {
  // expected-error @+1 {{expected scales of 64 rows}}
  %x = hopper.promote %p scaled_by(%r, %c) into %p : !hopper.scales<64 columns by 64>, !hopper.scales<64 columns by 64>, !hopper.fragment<64x64xf32>
  return
}

// -----

func.func @promote_c1_columns(%p: !hopper.fragment<64x64xf32>, %r: !hopper.scales<64 rows by 1>, %c: !hopper.scales<128 columns by 128>) {
  // expected-error @+1 {{expected scales of 64 columns}}
  %x = hopper.promote %p scaled_by(%r, %c) into %p : !hopper.scales<64 rows by 1>, !hopper.scales<128 columns by 128>, !hopper.fragment<64x64xf32>
  return
}

// -----

func.func @store_fragment_c1_width(%f: !hopper.fragment<64x64xf32>, %s: memref<8x64x8xbf16, 3>) {
  // expected-error @+1 {{expected 'staging' to be [panels, rows, w] bf16, f32 or f8E4M3FN with rows of 32, 64 or 128 bytes}}
  hopper.store_fragment %f to %s : !hopper.fragment<64x64xf32>, memref<8x64x8xbf16, 3>
  return
}

// -----

func.func @store_fragment_c1_rows(%f: !hopper.fragment<64x64xf32>, %s: memref<1x32x64xbf16, 3>) {
  // expected-error @+1 {{expected 'staging' to hold 64 rows, got 32}}
  hopper.store_fragment %f to %s : !hopper.fragment<64x64xf32>, memref<1x32x64xbf16, 3>
  return
}

// -----

func.func @store_fragment_c1_transposed(%f: !hopper.fragment<64x24xf32>, %s: memref<1x64x24xbf16, 3>) {
  // expected-error @+1 {{expected 'staging' to be 1x24x64 bf16}}
  hopper.store_fragment %f to %s transposed : !hopper.fragment<64x24xf32>, memref<1x64x24xbf16, 3>
  return
}

// -----

func.func @store_fragment_c1_element(%f: !hopper.fragment<64x64xf32>, %s: memref<1x64x64xf16, 3>) {
  // expected-error @+1 {{expected 'staging' to be [panels, rows, w] bf16, f32 or f8E4M3FN with rows of 32, 64 or 128 bytes}}
  hopper.store_fragment %f to %s : !hopper.fragment<64x64xf32>, memref<1x64x64xf16, 3>
  return
}

// -----

func.func @store_fragment_c1_columns(%f: !hopper.fragment<64x64xf32>, %s: memref<2x64x64xbf16, 3>) {
  // expected-error @+1 {{expected 'staging' to hold 64 columns, got 128}}
  hopper.store_fragment %f to %s : !hopper.fragment<64x64xf32>, memref<2x64x64xbf16, 3>
  return
}

// -----

func.func @named_barrier_c1(%id: index) {
  // expected-error @+1 {{expected 'threads' to be a positive multiple of 32, got 48}}
  hopper.named_barrier %id threads(48)
  return
}

// -----

func.func @named_barrier_c2() {
  %c16 = arith.constant 16 : index
  // expected-error @+1 {{expected 'id' to be in [1, 15], got 16}}
  hopper.named_barrier %c16 threads(128)
  return
}

// -----

!map = !nvgpu.tensormap.descriptor<tensor = memref<64x64xbf16, 3>, swizzle = swizzle_64b, l2promo = none, oob = zero, interleave = none>
func.func @tma_store_c1_box(%s: memref<2x64x32xbf16, 3>, %map: !map, %i: index) {
  // expected-error @+1 {{expected the map's box to be a panel of 'staging'}}
  hopper.tma_store %s to %map[%i, %i] : memref<2x64x32xbf16, 3> to !map
  return
}

// -----

!map = !nvgpu.tensormap.descriptor<tensor = memref<64x32xbf16, 3>, swizzle = swizzle_128b, l2promo = none, oob = zero, interleave = none>
func.func @tma_store_c1_swizzle(%s: memref<2x64x32xbf16, 3>, %map: !map, %i: index) {
  // expected-error @+1 {{expected the map to have swizzle_64b, got swizzle_128b}}
  hopper.tma_store %s to %map[%i, %i] : memref<2x64x32xbf16, 3> to !map
  return
}

// -----

!map = !nvgpu.tensormap.descriptor<tensor = memref<64x32xbf16, 3>, swizzle = swizzle_64b, l2promo = none, oob = zero, interleave = none>
func.func @tma_store_c1_staging(%s: memref<64x32xbf16, 3>, %map: !map, %i: index) {
  // expected-error @+1 {{expected 'staging' to be [panels, rows, w] bf16, f32 or f8E4M3FN with rows of 32, 64 or 128 bytes}}
  hopper.tma_store %s to %map[%i, %i] : memref<64x32xbf16, 3> to !map
  return
}
