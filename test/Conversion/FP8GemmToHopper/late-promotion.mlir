// RUN: fp8gemm-opt %s -convert-fp8gemm-to-hopper | FileCheck %s -enable-var-scope

#tall = #fp8gemm.config<tile_m = 256, tile_n = 128, stages = 3, consumers = 2,
                        producer_registers = 40, consumer_registers = 232, raster_group = 8>
#narrow = #fp8gemm.config<tile_m = 128, tile_n = 144, stages = 4, consumers = 2,
                          producer_registers = 40, consumer_registers = 232, raster_group = 8>

func.func @products(%a: memref<?x2048xf8E4M3FN>, %sfa: memref<16x?xf32>, %b: memref<1152x2048xf8E4M3FN>,
                    %sfb: memref<9x16xf32>, %short_a: memref<?x1920xf8E4M3FN>, %short_sfa: memref<15x?xf32>,
                    %short_b: memref<1152x1920xf8E4M3FN>, %short_sfb: memref<9x15xf32>, %d: memref<?x1152xbf16>) {
  fp8gemm.gemm %a scaled_by %sfa <1x128, mn_major>, %b scaled_by %sfb <128x128, k_major> into %d {config = #tall}
    : memref<?x2048xf8E4M3FN>, memref<16x?xf32>, memref<1152x2048xf8E4M3FN>, memref<9x16xf32>, memref<?x1152xbf16>
  fp8gemm.gemm %short_a scaled_by %short_sfa <1x128, mn_major>, %short_b scaled_by %short_sfb <128x128, k_major> into %d
    {config = #tall} : memref<?x1920xf8E4M3FN>, memref<15x?xf32>, memref<1152x1920xf8E4M3FN>, memref<9x15xf32>,
                       memref<?x1152xbf16>
  fp8gemm.gemm %a scaled_by %sfa <1x128, mn_major>, %b scaled_by %sfb <128x128, k_major> into %d {config = #narrow}
    : memref<?x2048xf8E4M3FN>, memref<16x?xf32>, memref<1152x2048xf8E4M3FN>, memref<9x16xf32>, memref<?x1152xbf16>
  return
}

// The last product of a K block is promoted in the next iteration, before the wait for the stage. Its
// registers are free for the next product then.
// CHECK-LABEL: hopper.kernel @fp8gemm_1d2d_e4m3_bf16_many_n1152_k2048_sfa_mn_sfb_k_tile256x128
// CHECK:         consumers(2)
// CHECK:         %[[ZERO:.+]] = arith.constant dense<0.000000e+00> : !hopper.fragment<64x128xf32>
// CHECK-NEXT:    %[[NO_ROWS:.+]] = arith.constant dense<0.000000e+00> : !hopper.scales<64 rows by 1>
// CHECK-NEXT:    %[[NO_COLUMNS:.+]] = arith.constant dense<0.000000e+00> : !hopper.scales<128 columns by 128>
// CHECK-NEXT:    %[[LOOP:[^:]+]]:{{[0-9]+}} = scf.for {{.*}} iter_args(%[[SUM0:.+]] = %[[ZERO]], %[[SUM1:.+]] = %[[ZERO]], %[[LAST:.+]] = %[[ZERO]], %[[ROWS:.+]] = %[[NO_ROWS]], %[[COLUMNS:.+]] = %[[NO_COLUMNS]])
// CHECK-NEXT:      %[[NEXT1:.+]] = hopper.promote %[[LAST]] scaled_by(%[[ROWS]], %[[COLUMNS]]) into %[[SUM1]]
// CHECK-NEXT:      hopper.ring.wait
// The scales are loaded while an isolated product runs.
// CHECK:           hopper.mma {{.*}} reusing %[[LAST]] isolated
// CHECK-NEXT:      hopper.load_scales
// CHECK-NEXT:      hopper.load_scales
// CHECK-NEXT:      %[[FIRST:.+]] = hopper.mma.wait
// CHECK-NEXT:      %[[NEXT0:.+]] = hopper.promote %[[FIRST]] {{.*}} into %[[SUM0]]
// CHECK:           hopper.mma {{.*}} reusing %[[FIRST]] isolated
// CHECK-NEXT:      %[[ROWS1:.+]] = hopper.load_scales {{.*}} -> <64 rows by 1>
// CHECK-NEXT:      %[[COLUMNS1:.+]] = hopper.load_scales {{.*}} -> <128 columns by 128>
// CHECK-NEXT:      %[[SECOND:.+]] = hopper.mma.wait
// CHECK-NEXT:      hopper.ring.release
// CHECK:           scf.yield %[[NEXT0]], %[[NEXT1]], %[[SECOND]], %[[ROWS1]], %[[COLUMNS1]]
// CHECK:         hopper.promote %[[LOOP]]#2 scaled_by(%[[LOOP]]#3, %[[LOOP]]#4) into %[[LOOP]]#1

// Not with fewer than 16 K blocks.
// CHECK-LABEL: hopper.kernel @fp8gemm_1d2d_e4m3_bf16_many_n1152_k1920_sfa_mn_sfb_k_tile256x128
// CHECK-NOT:     arith.constant dense<0.000000e+00> : !hopper.scales<64 rows by 1>
// CHECK-NOT:     isolated
// CHECK:         hopper.ring.release
// CHECK-NEXT:    hopper.promote

// Also where a scale serves few columns, and one product at a time is isolated.
// CHECK-LABEL: hopper.kernel @fp8gemm_1d2d_e4m3_bf16_many_n1152_k2048_sfa_mn_sfb_k_tile128x144
// CHECK:         arith.constant dense<0.000000e+00> : !hopper.scales<64 rows by 1>
// CHECK:         hopper.mma {{.*}} isolated
// CHECK-NEXT:    hopper.load_scales {{.*}} -> <64 rows by 1>
// CHECK-NEXT:    hopper.load_scales {{.*}} -> <144 columns by 16>
