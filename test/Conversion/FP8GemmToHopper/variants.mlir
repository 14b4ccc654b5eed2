// RUN: fp8gemm-opt %s -convert-fp8gemm-to-hopper | FileCheck %s -enable-var-scope

#one = #fp8gemm.config<tile_m = 64, tile_n = 32, stages = 8, consumers = 1,
                       producer_registers = 40, consumer_registers = 232, raster_group = 4>
#tall = #fp8gemm.config<tile_m = 256, tile_n = 64, stages = 4, consumers = 2,
                        producer_registers = 40, consumer_registers = 232, raster_group = 8>

!a = memref<?x256xf8E4M3FN>
!b = memref<128x256xf8E4M3FN>
!d = memref<?x128xbf16>

func.func @products(%a: !a, %b: !b, %d: !d, %rows: memref<?x2xf32>, %columns: memref<2x?xf32>,
                    %sfb: memref<1x2xf32>, %sfbT: memref<2x1xf32>) {
  fp8gemm.gemm %a scaled_by %rows <1x128, k_major>, %b scaled_by %sfbT <128x128, mn_major> into %d {config = #one}
    : !a, memref<?x2xf32>, !b, memref<2x1xf32>, !d
  fp8gemm.gemm %a scaled_by %columns <1x128, mn_major>, %b scaled_by %sfb <128x128, k_major> into %d {config = #tall}
    : !a, memref<2x?xf32>, !b, memref<1x2xf32>, !d
  fp8gemm.gemm %a scaled_by %columns <1x128, mn_major>, %b scaled_by %sfb <128x128, k_major> into %d {config = #tall}
    : !a, memref<2x?xf32>, !b, memref<1x2xf32>, !d
  return
}

// K-major A scales are not a TMA box: the helper warp fetches both kinds.
// CHECK-LABEL: hopper.kernel @fp8gemm_1d2d_e4m3_bf16_many_n128_k256_sfa_k_sfb_mn_tile64x32
// CHECK-SAME:    memref<?x2xf32, strided<[?, 1]>> of sfa
// CHECK-SAME:    memref<1x2xf32, strided<[1, ?]>> of sfb
// CHECK:         hopper.fetch_scales {{.*}} count 64 step 1 per 1 limit %{{.*}} -> vector<2xf32>
// CHECK:         hopper.fetch_scales {{.*}} count 1 step 32 per 128 limit %{{.*}} -> vector<1xf32>
// CHECK:         consumers(1)

// Two blocks of 64 rows a consumer: the second product takes the first one's registers, and the
// stage is released after the last has read it.
// CHECK-LABEL: hopper.kernel @fp8gemm_1d2d_e4m3_bf16_many_n128_k256_sfa_mn_sfb_k_tile256x64
// CHECK:         hopper.ring.wait
// CHECK:         %[[FIRST:.+]] = hopper.mma.wait
// CHECK-NEXT:    hopper.promote
// CHECK:         hopper.mma {{.*}} reusing %[[FIRST]]
// CHECK:         hopper.mma.wait
// CHECK-NEXT:    hopper.ring.release
// CHECK-NEXT:    hopper.promote

// The same problem and config share a kernel.
// CHECK-NOT:   gpu.module
