// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: fp8gemm-opt %s --convert-fp8gemm-to-hopper --cse | FileCheck %s -enable-var-scope

// Three tiles are loaded, two vectors of each, before the first is used. Each warp waits before it reads. A product with one
// row of tiles may start beside it.

// CHECK-LABEL: gpu.module @fp8gemm_quantize_bf16_e4m3_many_k7168_scales_mn
// CHECK-NEXT:    hopper.kernel @fp8gemm_quantize_bf16_e4m3_many_k7168_scales_mn args(
// CHECK-SAME:      %[[X:x]]: memref<?x7168xbf16, strided<[?, 1]>> of x, %[[Q:a_memory]]: memref<?x7168xf8E4M3FN, strided<[?, 1]>> of a,
// CHECK-SAME:      %[[SCALES:sfa_memory]]: memref<?x56xf32, strided<[1, ?]>> of sfa, %[[M:m]]: index of m)
// CHECK-NEXT:      quantization<m = ?, k = 7168, x = bf16, q = f8E4M3FN, scales = mn_major, power_of_two = 0>
// CHECK-NEXT:      launch<threads = 1024, tile_m = 64, tile_n = 256> {
// CHECK-NOT:       vector.load
// CHECK:           hopper.griddepcontrol wait
// CHECK:           %[[IS_ONE_ROW:.*]] = arith.cmpi ule, %[[M]], %{{.*}} : index
// CHECK-NEXT:      scf.if %[[IS_ONE_ROW]] {
// CHECK-NEXT:        hopper.griddepcontrol launch_dependents
// CHECK-NEXT:      }
// CHECK:           scf.for
// CHECK-COUNT-6:     vector.load %[[X]]{{.*}}, vector<8xbf16>
// CHECK-NOT:         vector.load
// CHECK:             vector.reduction <maximumf>
// CHECK-COUNT-3:     gpu.shuffle
// CHECK:             arith.divf
// CHECK-COUNT-2:     arith.truncf {{.*}} vector<8xf32> to vector<8xf8E4M3FN>
// CHECK:             %[[INSIDE:.*]] = arith.cmpi ult, %{{.*}}, %[[M]] : index
// CHECK:             scf.if %[[INSIDE]] {
// CHECK-COUNT-2:       vector.store %{{.*}}, %[[Q]]
// CHECK:               scf.if
// CHECK:                 memref.store %{{.*}}, %[[SCALES]]
// CHECK-NOT:       vector.load
// CHECK:           hopper.griddepcontrol launch_dependents
// CHECK-NEXT:    }
func.func @dense(%x: memref<?x7168xbf16>, %q: memref<?x7168xf8E4M3FN>, %s: memref<56x?xf32>) {
  fp8gemm.quantize %x into %q scaled_by %s <1x128, mn_major>
    : memref<?x7168xbf16>, memref<?x7168xf8E4M3FN>, memref<56x?xf32>
  return
}

// The same kernel serves both; a tail in K is a condition; power-of-two scales are rounded by their bits.

// CHECK-LABEL: gpu.module @fp8gemm_quantize_f32_e5m2_m8_k144_scales_k_power_of_two
// CHECK:         arith.constant 5.734400e+04
// CHECK:         arith.divf
// CHECK:         arith.andi {{.*}} : i32
// CHECK:         %[[HAS_COLUMN:.*]] = arith.cmpi ult, {{.*}} : index
// CHECK-NEXT:    scf.if %[[HAS_COLUMN]]
// CHECK:         arith.andi {{.*}} : i1
// CHECK-NOT:   gpu.module
func.func @tail(%x: memref<8x144xf32>, %q: memref<8x144xf8E5M2>, %s: memref<8x2xf32>) {
  fp8gemm.quantize %x into %q scaled_by %s <1x128, k_major> power_of_two
    : memref<8x144xf32>, memref<8x144xf8E5M2>, memref<8x2xf32>
  fp8gemm.quantize %x into %q scaled_by %s <1x128, k_major> power_of_two
    : memref<8x144xf32>, memref<8x144xf8E5M2>, memref<8x2xf32>
  return
}

// A thread has both elements of X that make one of Q, of a tile in flight; the prologue is the body of a map, as it is.

// CHECK-LABEL: gpu.module @fp8gemm_quantize_bf16_e4m3_many_k256_scales_mn_gated_prologue_
// CHECK-NEXT:    hopper.kernel {{.*}}x: memref<?x512xbf16, strided<[?, 1]>> of x,
// CHECK-NEXT:      quantization<m = ?, k = 256, x = bf16, q = f8E4M3FN, scales = mn_major, power_of_two = 0, gated = 1, prologue = 1>
// CHECK:           %[[SECOND:.*]] = arith.addi %[[FIRST:.*]], %{{.*}} : index
// CHECK-COUNT-4:   vector.load
// CHECK-NOT:       vector.load
// CHECK-COUNT-2:   hopper.map(%{{.*}}, %{{.*}}) {
// CHECK:           } : vector<8xf32>, vector<8xf32> -> vector<8xf32>
// CHECK:           vector.reduction <maximumf>
func.func @gated(%x: memref<?x512xbf16>, %q: memref<?x256xf8E4M3FN>, %s: memref<2x?xf32>) {
  fp8gemm.quantize %x into %q scaled_by %s <1x128, mn_major>
    : memref<?x512xbf16>, memref<?x256xf8E4M3FN>, memref<2x?xf32> gated prologue {
  ^bb0(%gate: f32, %up: f32):
    %half = arith.constant 0.5 : f32
    %less = arith.mulf %gate, %half : f32
    %product = arith.mulf %less, %up : f32
    fp8gemm.yield %product : f32
  }
  return
}

// One that a problem can name: its name and its fields are those of the activation.

// CHECK-LABEL: gpu.module @fp8gemm_quantize_f32_e4m3_many_k256_scales_mn_relu
// CHECK:         power_of_two = 0, prologue = 1, activation = "relu">
func.func @relu(%x: memref<?x256xf32>, %q: memref<?x256xf8E4M3FN>, %s: memref<2x?xf32>) {
  fp8gemm.quantize %x into %q scaled_by %s <1x128, mn_major>
    : memref<?x256xf32>, memref<?x256xf8E4M3FN>, memref<2x?xf32> prologue {
  ^bb0(%element: f32):
    %zero = arith.constant 0.0 : f32
    %positive = arith.maximumf %element, %zero : f32
    fp8gemm.yield %positive : f32
  }
  return
}

// 128 rows share a scale: a tile is their block, and what its 32 warps find travels through shared memory.

// CHECK-LABEL: gpu.module @fp8gemm_quantize_bf16_e4m3_m7168_k2048_scales_k_by128
// CHECK-NEXT:    hopper.kernel
// CHECK-NEXT:      shared(%[[LARGEST:[a-z]+]]: !scales_32)
// CHECK-NEXT:      quantization<m = 7168, k = 2048, x = bf16, q = f8E4M3FN, scales = k_major by 128, power_of_two = 0>
// CHECK-NEXT:      launch<threads = 1024, tile_m = 128, tile_n = 128> {
// CHECK:           scf.for
// CHECK-COUNT-2:     vector.load
// CHECK:             vector.reduction <maximumf>
// CHECK-COUNT-5:     gpu.shuffle
// CHECK:             scf.if
// CHECK-NEXT:          memref.store %{{.*}}, %[[LARGEST]]
// CHECK:             gpu.barrier
// CHECK-NEXT:        memref.load %[[LARGEST]]
// CHECK-COUNT-5:     gpu.shuffle
// CHECK:             gpu.barrier
// CHECK:             arith.divf
func.func @weights(%w: memref<7168x2048xbf16>, %b: memref<7168x2048xf8E4M3FN>, %sfb: memref<56x16xf32>) {
  fp8gemm.quantize %w into %b scaled_by %sfb <128x128, k_major>
    : memref<7168x2048xbf16>, memref<7168x2048xf8E4M3FN>, memref<56x16xf32>
  return
}
