// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Gated products in every kind of kernel; one that loads the gate for both is found.

// DEFINE: %{kind} = plain
// DEFINE: %{config} =
// DEFINE: %{m} = 70
// DEFINE: %{simulate} = fp8gemm-opt -o /dev/null -mlir-print-op-on-diagnostic=false \
// DEFINE:   -pass-pipeline='builtin.module(gpu.module(hopper.kernel(hopper-complete-schedule,hopper-check-rings,hopper-check-resources,hopper-simulate{m=%{m} report=1})))' -
// DEFINE: %{compile} = sed -n '/^\/\/ BEGIN %{kind}/,/^\/\/ END/p' %s | fp8gemm-compile - --config='%{config}' --emit=hopper -o -
// DEFINE: %{try} = %{compile} | %{simulate} 2>&1
// CHECK: simulated M = {{[0-9]+}} in {{.+}}: compared {{[1-9][0-9]*}} elements

// REDEFINE: %{config} = tile_m = 128, tile_n = 256
// RUN: %{try} | FileCheck %s
// REDEFINE: %{config} = tile_m = 64, tile_n = 64, partials = 2
// RUN: %{try} | FileCheck %s
// REDEFINE: %{config} = tile_m = 64, tile_n = 128, split_k = 2
// RUN: %{try} | FileCheck %s
// REDEFINE: %{config} = tile_m = 64, tile_n = 256, cluster_m = 2
// RUN: %{try} | FileCheck %s
// REDEFINE: %{config} = tile_m = 24, tile_n = 256, swap_ab = 1
// RUN: %{try} | FileCheck %s
// REDEFINE: %{config} = tile_m = 16, tile_n = 128, swap_ab = 1, split_k = 2
// RUN: %{try} | FileCheck %s
// REDEFINE: %{kind} = ends
// REDEFINE: %{config} = tile_m = 64, tile_n = 128
// RUN: %{try} | FileCheck %s
// REDEFINE: %{config} = tile_m = 24, tile_n = 128, swap_ab = 1
// RUN: %{try} | FileCheck %s
// REDEFINE: %{kind} = counts
// RUN: %{try} | FileCheck %s

// REDEFINE: %{kind} = plain
// REDEFINE: %{config} = tile_m = 64, tile_n = 64
// RUN: %{compile} | sed 's/tma_load %%b_map\[%%up_row[_0-9]*,/tma_load %%b_map[%%column,/' | not %{simulate} 2>&1 | FileCheck %s --check-prefix=BOTH
// BOTH: error: {{.+}} within the bound, got

// REDEFINE: %{config} = tile_m = 64, tile_n = 192
// RUN: %{try} | FileCheck %s
// The two boxes of a stage are one tile of wgmma.
// RUN: sed -n '/^\/\/ BEGIN plain/,/^\/\/ END/p' %s | fp8gemm-compile - --config='%{config}' --emit=ptx -o /dev/null
// REDEFINE: %{config} = tile_m = 128, tile_n = 192, partials = 2, consumers = 1
// RUN: sed -n '/^\/\/ BEGIN plain/,/^\/\/ END/p' %s | not fp8gemm-compile - --config='%{config}' --emit=hopper 2>&1 | FileCheck %s --check-prefix=TILE
// TILE: error: {{.*}}expected tile_n / 2 to divide 128 in a gated product with accumulators for gate and up, got 96

// BEGIN plain
func.func @plain(%a: memref<?x400xf8E4M3FN>, %sfa: memref<4x?xf32>, %b: memref<512x400xf8E4M3FN>, %sfb: memref<4x4xf32>,
                 %d: memref<?x256xbf16>) {
  fp8gemm.gemm %a scaled_by %sfa <1x128, mn_major>, %b scaled_by %sfb <128x128, k_major> into %d
    : memref<?x400xf8E4M3FN>, memref<4x?xf32>, memref<512x400xf8E4M3FN>, memref<4x4xf32>, memref<?x256xbf16>
    gated epilogue {
  ^bb0(%gate: f32, %up: f32):
    %sum = arith.addf %gate, %up : f32
    fp8gemm.yield %sum : f32
  }
  return
}
// END

// BEGIN ends
func.func @ends(%a: memref<?x400xf8E4M3FN>, %sfa: memref<4x?xf32>, %b: memref<3x512x400xf8E4M3FN>, %sfb: memref<3x4x4xf32>,
                %groups: memref<3xi32>, %d: memref<?x256xbf16>) {
  fp8gemm.grouped_gemm %a scaled_by %sfa <1x128, mn_major>, %b scaled_by %sfb <128x128, k_major> groups %groups <row_end> into %d
    : memref<?x400xf8E4M3FN>, memref<4x?xf32>, memref<3x512x400xf8E4M3FN>, memref<3x4x4xf32>, memref<3xi32>, memref<?x256xbf16>
    gated epilogue {
  ^bb0(%gate: f32, %up: f32):
    %sum = arith.addf %gate, %up : f32
    fp8gemm.yield %sum : f32
  }
  return
}
// END

// BEGIN counts
func.func @counts(%a: memref<3x?x400xf8E4M3FN>, %sfa: memref<3x4x?xf32>, %b: memref<3x512x400xf8E4M3FN>, %sfb: memref<3x4x4xf32>,
                  %groups: memref<3xi32>, %d: memref<3x?x256xbf16>) {
  fp8gemm.grouped_gemm %a scaled_by %sfa <1x128, mn_major>, %b scaled_by %sfb <128x128, k_major> groups %groups <row_count> into %d
    : memref<3x?x400xf8E4M3FN>, memref<3x4x?xf32>, memref<3x512x400xf8E4M3FN>, memref<3x4x4xf32>, memref<3xi32>, memref<3x?x256xbf16>
    gated epilogue {
  ^bb0(%gate: f32, %up: f32):
    %sum = arith.addf %gate, %up : f32
    fp8gemm.yield %sum : f32
  }
  return
}
// END
