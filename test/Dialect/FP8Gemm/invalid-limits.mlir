// Sizes with which the choice of a schedule would overflow.
// RUN: fp8gemm-opt %s -split-input-file -verify-diagnostics
// RUN: not fp8gemm-opt %S/../../../examples/gemm.mlir -fp8gemm-select-config=expected-m=2147483648 2>&1 | FileCheck %s --check-prefix=ROWS
// RUN: not fp8gemm-opt %S/../../../examples/gemm.mlir -fp8gemm-select-config=config=split_k=1000000000000 2>&1 | FileCheck %s --check-prefix=FIELD
// ROWS: expected 'expected-m' to be at most 2147483647 rows, got 2147483648
// FIELD: expected split_k in 'config' to be at most 65536, got 1000000000000

func.func @m(%a: memref<9223372036854775807x128xf8E4M3FN>, %sfa: memref<1x9223372036854775807xf32>, %b: memref<96x128xf8E4M3FN>,
             %sfb: memref<1x1xf32>, %d: memref<9223372036854775807x96xbf16>) {
  // expected-error @below {{expected M to be at most 2147483647, got 9223372036854775807}}
  fp8gemm.gemm %a scaled_by %sfa <1x128, mn_major>, %b scaled_by %sfb <128x128, k_major> into %d
    : memref<9223372036854775807x128xf8E4M3FN>, memref<1x9223372036854775807xf32>, memref<96x128xf8E4M3FN>, memref<1x1xf32>, memref<9223372036854775807x96xbf16>
  return
}

// -----

func.func @k(%a: memref<?x1000000000000xf8E4M3FN>, %sfa: memref<7812500000x?xf32>, %b: memref<96x1000000000000xf8E4M3FN>,
             %sfb: memref<1x7812500000xf32>, %d: memref<?x96xbf16>) {
  // expected-error @below {{expected K to be at most 2147483647, got 1000000000000}}
  fp8gemm.gemm %a scaled_by %sfa <1x128, mn_major>, %b scaled_by %sfb <128x128, k_major> into %d
    : memref<?x1000000000000xf8E4M3FN>, memref<7812500000x?xf32>, memref<96x1000000000000xf8E4M3FN>, memref<1x7812500000xf32>, memref<?x96xbf16>
  return
}

// -----

func.func @groups(%a: tensor<4294967296x?x128xf8E4M3FN>, %sfa: tensor<4294967296x1x?xf32>, %b: tensor<4294967296x96x128xf8E4M3FN>,
                  %sfb: tensor<4294967296x1x1xf32>, %d: tensor<4294967296x?x96xbf16>) {
  // expected-error @below {{expected G to be at most 2147483647, got 4294967296}}
  %r = fp8gemm.grouped_gemm %a scaled_by %sfa <1x128, mn_major>, %b scaled_by %sfb <128x128, k_major> into %d
    : tensor<4294967296x?x128xf8E4M3FN>, tensor<4294967296x1x?xf32>, tensor<4294967296x96x128xf8E4M3FN>, tensor<4294967296x1x1xf32>, tensor<4294967296x?x96xbf16> -> tensor<4294967296x?x96xbf16>
  return
}

// -----

// expected-error @+1 {{expected 'consumers' to be at most 65536, got 288230376151711744}}
func.func private @consumers() attributes {c = #fp8gemm.config<tile_m = 64, tile_n = 16, stages = 2, consumers = 288230376151711744, producer_registers = 40, consumer_registers = 232, raster_group = 1>}
