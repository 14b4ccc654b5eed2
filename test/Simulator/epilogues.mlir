// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Epilogues of every kind of operand in every kind of kernel, each element of D within the bound of its function; and kernels
// whose operands are other ones.

// DEFINE: %{kind} = any
// DEFINE: %{config} =
// DEFINE: %{simulate} = fp8gemm-opt -o /dev/null -mlir-print-op-on-diagnostic=false \
// DEFINE:   -pass-pipeline='builtin.module(gpu.module(hopper.kernel(hopper-complete-schedule,hopper-check-rings,hopper-check-resources,hopper-simulate{m=70 pad=16 report=1})))' -
// DEFINE: %{compile} = sed -n '/^\/\/ BEGIN %{kind}$/,/^\/\/ END/p' %s | fp8gemm-compile - --config='%{config}' --emit=hopper -o -
// DEFINE: %{try} = %{compile} | %{simulate} 2>&1
// CHECK: simulated M = 70 in {{.+}}: compared {{[1-9][0-9]*}} elements

// REDEFINE: %{config} = tile_m = 64, tile_n = 64
// RUN: %{try} | FileCheck %s
// REDEFINE: %{config} = tile_m = 128, tile_n = 32, partials = 2
// RUN: %{try} | FileCheck %s
// REDEFINE: %{config} = tile_m = 64, tile_n = 64, split_k = 2
// RUN: %{try} | FileCheck %s
// REDEFINE: %{config} = tile_m = 24, tile_n = 64, swap_ab = 1
// RUN: %{try} | FileCheck %s
// REDEFINE: %{config} = tile_m = 16, tile_n = 128, swap_ab = 1, split_k = 2
// RUN: %{try} | FileCheck %s
// REDEFINE: %{kind} = with_c
// REDEFINE: %{config} = tile_m = 64, tile_n = 64
// RUN: %{try} | FileCheck %s
// REDEFINE: %{kind} = gated
// REDEFINE: %{config} = tile_m = 64, tile_n = 128
// RUN: %{try} | FileCheck %s
// REDEFINE: %{kind} = ends
// RUN: %{try} | FileCheck %s
// REDEFINE: %{config} = tile_m = 24, tile_n = 64, swap_ab = 1
// RUN: %{try} | FileCheck %s
// REDEFINE: %{kind} = counts
// RUN: %{try} | FileCheck %s
// REDEFINE: %{config} = tile_m = 64, tile_n = 64
// RUN: %{try} | FileCheck %s

// A weight of another row, a residual of other columns, and the function without its condition.
// REDEFINE: %{kind} = any
// RUN: %{compile} > %t.mlir
// RUN: sed 's/\(hopper.load_fragment [^[]*\)\[[^,]*, \([^]]*\]\) limit \(.* : memref<?x1x\)/\1[%%c0, \2 limit \3/' %t.mlir | not %{simulate} 2>&1 | FileCheck %s --check-prefix=OTHER
// RUN: sed 's/\(hopper.load_fragment [^[]*\[[^,]*, \)[^]]*\] limit \(.* : memref<?x136x\)/\1%%c0] limit \2/' %t.mlir | not %{simulate} 2>&1 | FileCheck %s --check-prefix=OTHER
// RUN: sed 's/arith.cmpf ogt/arith.cmpf olt/' %t.mlir | fp8gemm-opt --verify-roundtrip -o /dev/null -
// OTHER: error: {{.+(within the bound, got|with other bits)}}

// BEGIN any
func.func @any(%a: memref<?x272xf8E4M3FN>, %sfa: memref<3x?xf32>, %b: memref<136x272xf8E4M3FN>, %sfb: memref<2x3xf32>,
               %bias: memref<136xf16>, %weight: memref<?x1xbf16>, %residual: memref<?x136xf32>, %leak: memref<f32>, %d: memref<?x136xbf16>) {
  fp8gemm.gemm %a scaled_by %sfa <1x128, mn_major>, %b scaled_by %sfb <128x128, k_major> into %d
    : memref<?x272xf8E4M3FN>, memref<3x?xf32>, memref<136x272xf8E4M3FN>, memref<2x3xf32>, memref<?x136xbf16>
    epilogue(%bias : memref<136xf16>, %weight : memref<?x1xbf16>, %residual : memref<?x136xf32>, %leak : memref<f32>) {
  ^bb0(%sum: f32, %x: f32, %w: f32, %r: f32, %l: f32):
    %zero = arith.constant 0.0 : f32
    %biased = arith.addf %sum, %x : f32
    %positive = arith.cmpf ogt, %biased, %zero : f32
    %small = arith.mulf %biased, %l : f32
    %leaky = arith.select %positive, %biased, %small : f32
    %last = math.fma %leaky, %w, %r : f32
    fp8gemm.yield %last : f32
  }
  return
}
// END

// BEGIN with_c
func.func @with_c(%a: memref<?x272xf8E4M3FN>, %sfa: memref<3x?xf32>, %b: memref<136x272xf8E4M3FN>, %sfb: memref<2x3xf32>,
                  %bias: memref<1x136xf32>, %c: memref<?x136xf32>, %d: memref<?x136xf32>) {
  fp8gemm.gemm %a scaled_by %sfa <1x128, mn_major>, %b scaled_by %sfb <128x128, k_major> plus %c into %d
    : memref<?x272xf8E4M3FN>, memref<3x?xf32>, memref<136x272xf8E4M3FN>, memref<2x3xf32>, memref<?x136xf32>, memref<?x136xf32>
    epilogue(%bias : memref<1x136xf32>) {
  ^bb0(%sum: f32, %x: f32):
    %most = arith.constant 30.0 : f32
    %biased = arith.addf %sum, %x : f32
    %ratio = arith.divf %biased, %most : f32
    %soft = math.tanh %ratio : f32
    %capped = arith.mulf %soft, %most : f32
    fp8gemm.yield %capped : f32
  }
  return
}
// END

// BEGIN gated
func.func @gated(%a: memref<?x272xf8E4M3FN>, %sfa: memref<3x?xf32>, %b: memref<256x272xf8E4M3FN>, %sfb: memref<2x3xf32>,
                 %weight: memref<?x1xf32>, %d: memref<?x128xbf16>) {
  fp8gemm.gemm %a scaled_by %sfa <1x128, mn_major>, %b scaled_by %sfb <128x128, k_major> into %d
    : memref<?x272xf8E4M3FN>, memref<3x?xf32>, memref<256x272xf8E4M3FN>, memref<2x3xf32>, memref<?x128xbf16>
    gated epilogue(%weight : memref<?x1xf32>) {
  ^bb0(%gate: f32, %up: f32, %w: f32):
    %one = arith.constant 1.0 : f32
    %minus = arith.negf %gate : f32
    %exp = math.exp %minus : f32
    %more = arith.addf %exp, %one : f32
    %silu = arith.divf %gate, %more fastmath<afn> : f32
    %passed = arith.mulf %silu, %up : f32
    %weighted = arith.mulf %passed, %w : f32
    fp8gemm.yield %weighted : f32
  }
  return
}
// END

// BEGIN ends
func.func @ends(%a: memref<?x272xf8E4M3FN>, %sfa: memref<3x?xf32>, %b: memref<3x136x272xf8E4M3FN>, %sfb: memref<3x2x3xf32>,
                %groups: memref<3xi32>, %bias: memref<3x1x136xbf16>, %weight: memref<?x1xf32>, %d: memref<?x136xbf16>) {
  fp8gemm.grouped_gemm %a scaled_by %sfa <1x128, mn_major>, %b scaled_by %sfb <128x128, k_major> groups %groups <row_end> into %d
    : memref<?x272xf8E4M3FN>, memref<3x?xf32>, memref<3x136x272xf8E4M3FN>, memref<3x2x3xf32>, memref<3xi32>, memref<?x136xbf16>
    epilogue(%bias : memref<3x1x136xbf16>, %weight : memref<?x1xf32>) {
  ^bb0(%sum: f32, %x: f32, %w: f32):
    %biased = arith.addf %sum, %x : f32
    %weighted = arith.mulf %biased, %w : f32
    fp8gemm.yield %weighted : f32
  }
  return
}
// END

// BEGIN counts
func.func @counts(%a: memref<3x?x272xf8E4M3FN>, %sfa: memref<3x3x?xf32>, %b: memref<3x136x272xf8E4M3FN>, %sfb: memref<3x2x3xf32>,
                  %groups: memref<3xi32>, %residual: memref<3x?x136xbf16>, %weight: memref<3x?x1xf32>, %scale: memref<3x1x1xf32>,
                  %d: memref<3x?x136xbf16>) {
  fp8gemm.grouped_gemm %a scaled_by %sfa <1x128, mn_major>, %b scaled_by %sfb <128x128, k_major> groups %groups <row_count> into %d
    : memref<3x?x272xf8E4M3FN>, memref<3x3x?xf32>, memref<3x136x272xf8E4M3FN>, memref<3x2x3xf32>, memref<3xi32>, memref<3x?x136xbf16>
    epilogue(%residual : memref<3x?x136xbf16>, %weight : memref<3x?x1xf32>, %scale : memref<3x1x1xf32>) {
  ^bb0(%sum: f32, %r: f32, %w: f32, %s: f32):
    %scaled = arith.mulf %sum, %s : f32
    %last = math.fma %scaled, %w, %r : f32
    fp8gemm.yield %last : f32
  }
  return
}
// END
