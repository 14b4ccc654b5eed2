// RUN: fp8gemm-opt %s --fp8gemm-select-config | FileCheck %s
// RUN: fp8gemm-opt %s --fp8gemm-select-config=expected-m=1 | FileCheck %s --check-prefix=DECODE
// RUN: fp8gemm-opt %s --fp8gemm-select-config='config="tile_m = 128, tile_n = 112, stages = 3"' | FileCheck %s --check-prefix=FORCED
// RUN: fp8gemm-opt %s --fp8gemm-select-config='gpu=h20 explain=true' -o /dev/null 2>&1 | FileCheck %s --check-prefix=H20

// CHECK-LABEL: @static_m
// CHECK: fp8gemm.gemm
// CHECK-SAME: config = #fp8gemm.config<tile_m = 128, tile_n = 192, stages = 4, consumers = 2, producer_registers = 40, consumer_registers = 232, raster_group = 16>
// DECODE-LABEL: @static_m
// DECODE: config = #fp8gemm.config<tile_m = 128, tile_n = 192,
// FORCED-LABEL: @static_m
// FORCED: config = #fp8gemm.config<tile_m = 128, tile_n = 112, stages = 3, consumers = 2, producer_registers = 40, consumer_registers = 232,
// H20: remark: chose tile_m = {{.*}}, tile_n = {{.*}} us, {{.*}} in {{.*}} waves {{.*}} bound by tensor cores
// H20: note: modelled on h20 for 4096 rows of A
func.func @static_m(%a: memref<4096x7168xf8E4M3FN>, %sfa: memref<56x4096xf32>, %b: memref<2112x7168xf8E4M3FN>, %sfb: memref<17x56xf32>, %d: memref<4096x2112xbf16>) {
  fp8gemm.gemm %a scaled_by %sfa <1x128, mn_major>, %b scaled_by %sfb <128x128, k_major> into %d
    : memref<4096x7168xf8E4M3FN>, memref<56x4096xf32>, memref<2112x7168xf8E4M3FN>, memref<17x56xf32>, memref<4096x2112xbf16>
  return
}

// CHECK-LABEL: @dynamic_m_of_tensors
// CHECK: config = #fp8gemm.config<tile_m = 128, tile_n = 144,
// DECODE-LABEL: @dynamic_m_of_tensors
// DECODE: config = #fp8gemm.config<{{.*}}, swap_ab = 1>
func.func @dynamic_m_of_tensors(%a: tensor<?x7168xf8E4M3FN>, %sfa: tensor<?x56xf32>, %b: tensor<576x7168xf8E4M3FN>, %sfb: tensor<5x56xf32>, %d: tensor<?x576xbf16>) -> tensor<?x576xbf16> {
  %r = fp8gemm.gemm %a scaled_by %sfa <1x128, k_major>, %b scaled_by %sfb <128x128, k_major> into %d
    : tensor<?x7168xf8E4M3FN>, tensor<?x56xf32>, tensor<576x7168xf8E4M3FN>, tensor<5x56xf32>, tensor<?x576xbf16> -> tensor<?x576xbf16>
  return %r : tensor<?x576xbf16>
}

// CHECK-LABEL: @empty
// CHECK: config = #fp8gemm.config<tile_m = 
func.func @empty(%a: memref<0x16xf8E4M3FN>, %sfa: memref<1x4xf32>, %b: memref<8x16xf8E4M3FN>, %sfb: memref<1x1xf32>, %d: memref<0x8xbf16>) {
  fp8gemm.gemm %a scaled_by %sfa <1x128, mn_major>, %b scaled_by %sfb <128x128, k_major> into %d
    : memref<0x16xf8E4M3FN>, memref<1x4xf32>, memref<8x16xf8E4M3FN>, memref<1x1xf32>, memref<0x8xbf16>
  return
}

// CHECK-LABEL: @has_config
// CHECK: config = #fp8gemm.config<tile_m = 64, tile_n = 32, stages = 2,
// FORCED-LABEL: @has_config
// FORCED: config = #fp8gemm.config<tile_m = 64, tile_n = 32, stages = 2,
func.func @has_config(%a: memref<?x128xf8E4M3FN>, %sfa: memref<1x?xf32>, %b: memref<128x128xf8E4M3FN>, %sfb: memref<1x1xf32>, %d: memref<?x128xbf16>) {
  fp8gemm.gemm %a scaled_by %sfa <1x128, mn_major>, %b scaled_by %sfb <128x128, k_major> into %d
    {config = #fp8gemm.config<tile_m = 64, tile_n = 32, stages = 2, consumers = 1, producer_registers = 40, consumer_registers = 232, raster_group = 1>}
    : memref<?x128xf8E4M3FN>, memref<1x?xf32>, memref<128x128xf8E4M3FN>, memref<1x1xf32>, memref<?x128xbf16>
  return
}

// CHECK-LABEL: @has_kernel
// CHECK: into %{{[a-z0-9]+}} {kernel = @gemm::@gemm} :
func.func @has_kernel(%a: memref<?x128xf8E4M3FN>, %sfa: memref<1x?xf32>, %b: memref<128x128xf8E4M3FN>, %sfb: memref<1x1xf32>, %d: memref<?x128xbf16>) {
  fp8gemm.gemm %a scaled_by %sfa <1x128, mn_major>, %b scaled_by %sfb <128x128, k_major> into %d {kernel = @gemm::@gemm}
    : memref<?x128xf8E4M3FN>, memref<1x?xf32>, memref<128x128xf8E4M3FN>, memref<1x1xf32>, memref<?x128xbf16>
  return
}
