// RUN: fp8gemm-opt %s -convert-fp8gemm-to-hopper -split-input-file -verify-diagnostics | FileCheck %s -enable-var-scope

#usual = #fp8gemm.config<tile_m = 64, tile_n = 32, stages = 8, consumers = 1,
                         producer_registers = 40, consumer_registers = 232, raster_group = 4>
#fewer = #fp8gemm.config<tile_m = 64, tile_n = 32, stages = 8, consumers = 1,
                         producer_registers = 48, consumer_registers = 128, raster_group = 4>

!a = memref<?x256xf8E4M3FN>
!b = memref<128x256xf8E4M3FN>
!d = memref<?x128xbf16>

// Two schedules have two kernels, whichever field they differ in; what is usual is not in the name.
// CHECK-LABEL: func.func @schedules
// CHECK:         kernel = @[[USUAL:[a-z0-9_]*raster4]]::@[[USUAL]]
// CHECK:         kernel = @[[FEWER:[a-z0-9_]*raster4_producer_registers48_consumer_registers128]]::@[[FEWER]]
// CHECK:       gpu.module @[[USUAL]]
// CHECK:         producer registers(40)
// CHECK:         registers(232)
// CHECK:       gpu.module @[[FEWER]]
// CHECK:         producer registers(48)
// CHECK:         registers(128)
func.func @schedules(%a: !a, %b: !b, %d: !d, %sfa: memref<2x?xf32>, %sfb: memref<1x2xf32>) {
  fp8gemm.gemm %a scaled_by %sfa <1x128, mn_major>, %b scaled_by %sfb <128x128, k_major> into %d {config = #usual}
    : !a, memref<2x?xf32>, !b, memref<1x2xf32>, !d
  fp8gemm.gemm %a scaled_by %sfa <1x128, mn_major>, %b scaled_by %sfb <128x128, k_major> into %d {config = #fewer}
    : !a, memref<2x?xf32>, !b, memref<1x2xf32>, !d
  return
}

// -----

#config = #fp8gemm.config<tile_m = 64, tile_n = 32, stages = 8, consumers = 1,
                          producer_registers = 40, consumer_registers = 232, raster_group = 4>

// A symbol that is no kernel is not taken for one.
func.func @fp8gemm_1d2d_e4m3_bf16_many_n128_k256_sfa_mn_sfb_k_tile64x32_stages8_consumers1_raster4(
    %a: memref<?x256xf8E4M3FN>, %b: memref<128x256xf8E4M3FN>, %d: memref<?x128xbf16>, %sfa: memref<2x?xf32>,
    %sfb: memref<1x2xf32>) {
  // expected-error @below {{expected the symbol of its kernel to be free, got a 'func.func' named fp8gemm_1d2d}}
  fp8gemm.gemm %a scaled_by %sfa <1x128, mn_major>, %b scaled_by %sfb <128x128, k_major> into %d {config = #config}
    : memref<?x256xf8E4M3FN>, memref<2x?xf32>, memref<128x256xf8E4M3FN>, memref<1x2xf32>, memref<?x128xbf16>
  return
}
