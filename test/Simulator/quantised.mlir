// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Products with a quantised D: scales and elements within what the f32 values allow; and kernels with other ones.

// DEFINE: %{kind} = plain
// DEFINE: %{config} =
// DEFINE: %{simulate} = fp8gemm-opt -o /dev/null -mlir-print-op-on-diagnostic=false \
// DEFINE:   -pass-pipeline='builtin.module(gpu.module(hopper.kernel(hopper-complete-schedule,hopper-check-rings,hopper-check-resources,hopper-simulate{m=70 pad=16 report=1})))' -
// DEFINE: %{compile} = sed -n '/^\/\/ BEGIN %{kind}$/,/^\/\/ END/p' %s | fp8gemm-compile - --config='%{config}' --emit=hopper -o -
// DEFINE: %{try} = %{compile} | %{simulate} 2>&1
// CHECK: simulated M = 70 in {{.+}}: compared {{[1-9][0-9]*}} elements

// REDEFINE: %{config} = tile_m = 64, tile_n = 128
// RUN: %{try} | FileCheck %s
// REDEFINE: %{config} = tile_m = 256, tile_n = 128
// RUN: %{try} | FileCheck %s
// REDEFINE: %{kind} = activated
// RUN: %{try} | FileCheck %s
// REDEFINE: %{kind} = gated
// REDEFINE: %{config} = tile_m = 128, tile_n = 256
// RUN: %{try} | FileCheck %s
// REDEFINE: %{kind} = plain
// REDEFINE: %{config} = tile_m = 128, tile_n = 128, split_k = 2
// RUN: %{try} | FileCheck %s
// REDEFINE: %{kind} = activated
// REDEFINE: %{config} = tile_m = 64, tile_n = 128, split_k = 2
// RUN: %{try} | FileCheck %s
// REDEFINE: %{kind} = ends
// REDEFINE: %{config} = tile_m = 64, tile_n = 128
// RUN: %{try} | FileCheck %s
// REDEFINE: %{kind} = counts
// REDEFINE: %{config} =
// RUN: %{try} | FileCheck %s

// Ranks of a split K that tell each other of their columns; with sums instead of the largest, scales are others.
// RUN: fp8gemm-compile --op=gemm --n=256 --k=1040 --d-type=e4m3 --sfd=k_major --config='tile_m = 64, tile_n = 128, split_k = 4' --emit=hopper -o %t.split.mlir
// RUN: %{simulate} < %t.split.mlir 2>&1 | FileCheck %s
// RUN: fp8gemm-compile --op=gemm --n=512 --k=256 --gated --activation=silu --d-type=e4m3 --sfd=mn_major --config='tile_m = 64, tile_n = 256, split_k = 2' --emit=hopper | %{simulate} 2>&1 | FileCheck %s
// RUN: sed 's/ranks(4) max/ranks(4)/' %t.split.mlir | not %{simulate} 2>&1 | FileCheck %s --check-prefix=SCALE
// RUN: not fp8gemm-compile --op=gemm --n=256 --k=1040 --d-type=e4m3 --sfd=k_major --config='tile_m = 64, tile_n = 128, split_k = 8' --emit=hopper 2>&1 | FileCheck %s --check-prefix=RANKS
// RANKS: error: {{.*}}expected split_k of 1, 2 or 4 for a D of e4m3, whose ranks store at least 32 of 128 columns, got 8

// Scales of another block, scales of half of the columns, and elements of half the size.
// REDEFINE: %{kind} = plain
// REDEFINE: %{config} = tile_m = 64, tile_n = 128
// RUN: %{compile} > %t.mlir
// RUN: sed 's/\(hopper.put_scales %%mapped[^[]*\[%%[a-z0-9_]*, \)[^]]*\]/\1%%c0]/' %t.mlir | not %{simulate} 2>&1 | FileCheck %s --check-prefix=SCALE
// RUN: sed 's/4.480000e+02/2.400000e+02/' %t.mlir | not %{simulate} 2>&1 | FileCheck %s --check-prefix=SCALE
// RUN: sed 's/arith.constant 1.000000e+00/arith.constant 5.000000e-01/' %t.mlir | not %{simulate} 2>&1 | FileCheck %s --check-prefix=ELEMENT
// SCALE: error: {{.*}}expected the scale of D
// ELEMENT: error: {{.*}}expected D[{{.+}} within the bound, got

// REDEFINE: %{config} = tile_m = 16, tile_n = 128, swap_ab = 1
// RUN: sed -n '/^\/\/ BEGIN plain$/,/^\/\/ END/p' %s | not fp8gemm-compile - --config='%{config}' --emit=hopper 2>&1 | FileCheck %s --check-prefix=SWAPPED
// SWAPPED: error: {{.*}}expected swap_ab = 0 and tiles of D of 128 columns for a D of e4m3, whose scales are of 128 columns each, got swap_ab = 1 and 16 columns

// BEGIN plain
func.func @plain(%a: memref<?x272xf8E4M3FN>, %sfa: memref<3x?xf32>, %b: memref<256x272xf8E4M3FN>, %sfb: memref<2x3xf32>,
                 %d: memref<?x256xf8E4M3FN>, %sfd: memref<2x?xf32>) {
  fp8gemm.gemm %a scaled_by %sfa <1x128, mn_major>, %b scaled_by %sfb <128x128, k_major> into %d scaled_by %sfd <1x128, mn_major>
    : memref<?x272xf8E4M3FN>, memref<3x?xf32>, memref<256x272xf8E4M3FN>, memref<2x3xf32>, memref<?x256xf8E4M3FN> scaled_by memref<2x?xf32>
  return
}
// END

// BEGIN activated
func.func @activated(%a: memref<?x272xf8E4M3FN>, %sfa: memref<3x?xf32>, %b: memref<256x272xf8E4M3FN>, %sfb: memref<2x3xf32>,
                     %bias: memref<256xbf16>, %d: memref<?x256xf8E4M3FN>, %sfd: memref<?x2xf32>) {
  fp8gemm.gemm %a scaled_by %sfa <1x128, mn_major>, %b scaled_by %sfb <128x128, k_major> into %d scaled_by %sfd <1x128, k_major> power_of_two
    : memref<?x272xf8E4M3FN>, memref<3x?xf32>, memref<256x272xf8E4M3FN>, memref<2x3xf32>, memref<?x256xf8E4M3FN> scaled_by memref<?x2xf32>
    epilogue(%bias : memref<256xbf16>) {
  ^bb0(%sum: f32, %x: f32):
    %zero = arith.constant 0.0 : f32
    %biased = arith.addf %sum, %x : f32
    %positive = arith.maximumf %biased, %zero : f32
    %square = arith.mulf %positive, %positive : f32
    fp8gemm.yield %square : f32
  }
  return
}
// END

// BEGIN gated
func.func @gated(%a: memref<?x272xf8E4M3FN>, %sfa: memref<3x?xf32>, %b: memref<512x272xf8E4M3FN>, %sfb: memref<4x3xf32>,
                 %d: memref<?x256xf8E4M3FN>, %sfd: memref<2x?xf32>) {
  fp8gemm.gemm %a scaled_by %sfa <1x128, mn_major>, %b scaled_by %sfb <128x128, k_major> into %d scaled_by %sfd <1x128, mn_major>
    : memref<?x272xf8E4M3FN>, memref<3x?xf32>, memref<512x272xf8E4M3FN>, memref<4x3xf32>, memref<?x256xf8E4M3FN> scaled_by memref<2x?xf32>
    gated epilogue {
  ^bb0(%gate: f32, %up: f32):
    %one = arith.constant 1.0 : f32
    %minus = arith.negf %gate : f32
    %exp = math.exp %minus : f32
    %more = arith.addf %exp, %one : f32
    %silu = arith.divf %gate, %more fastmath<afn> : f32
    %passed = arith.mulf %silu, %up : f32
    fp8gemm.yield %passed : f32
  }
  return
}
// END

// BEGIN ends
func.func @ends(%a: memref<?x272xf8E4M3FN>, %sfa: memref<3x?xf32>, %b: memref<3x256x272xf8E4M3FN>, %sfb: memref<3x2x3xf32>,
                %groups: memref<3xi32>, %d: memref<?x256xf8E4M3FN>, %sfd: memref<2x?xf32>) {
  fp8gemm.grouped_gemm %a scaled_by %sfa <1x128, mn_major>, %b scaled_by %sfb <128x128, k_major> groups %groups <row_end> into %d scaled_by %sfd <1x128, mn_major>
    : memref<?x272xf8E4M3FN>, memref<3x?xf32>, memref<3x256x272xf8E4M3FN>, memref<3x2x3xf32>, memref<3xi32>, memref<?x256xf8E4M3FN> scaled_by memref<2x?xf32>
  return
}
// END

// BEGIN counts
func.func @counts(%a: memref<3x?x272xf8E4M3FN>, %sfa: memref<3x3x?xf32>, %b: memref<3x256x272xf8E4M3FN>, %sfb: memref<3x2x3xf32>,
                  %groups: memref<3xi32>, %d: memref<3x?x256xf8E4M3FN>, %sfd: memref<3x?x2xf32>) {
  fp8gemm.grouped_gemm %a scaled_by %sfa <1x128, mn_major>, %b scaled_by %sfb <128x128, k_major> groups %groups <row_count> into %d scaled_by %sfd <1x128, k_major>
    : memref<3x?x272xf8E4M3FN>, memref<3x3x?xf32>, memref<3x256x272xf8E4M3FN>, memref<3x2x3xf32>, memref<3xi32>, memref<3x?x256xf8E4M3FN> scaled_by memref<3x?x2xf32>
  return
}
// END
