// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

// Every conversion of FP8 is lowered for a CPU, and rounds once.
// RUN: fp8gemm-opt %s --fp8gemm-to-llvm-cpu -o %t.mlir
// RUN: mlir-runner %t.mlir -e main -entry-point-result=i64 | FileCheck %s
// RUN: mlir-runner %t.mlir -e back -entry-point-result=f32 | FileCheck %s --check-prefix=BACK

// Bit patterns of e4m3 and e5m2, byte by byte.
// 448 (e4m3), 57344 (e5m2), 2^-9 (e4m3), 2^-16 (e5m2), then f64 that f32 would round to a tie, up and down, then -3, NaN.
// CHECK: 9206546455244929918
func.func @main() -> i64 {
  %bf16 = arith.constant 448.0 : bf16
  %f16 = arith.constant 57344.0 : f16
  %bf16_small = arith.constant 0.001953125 : bf16
  %f16_small = arith.constant 1.525878906e-05 : f16
  // Between 1 (even) and 1.125: half of that, and the least above; and between 1.125 and 1.25 the least below half.
  %above = arith.constant 1.0625000000000002 : f64
  %below = arith.constant 1.1874999999999998 : f64
  %minus = arith.constant -3 : i32
  %large = arith.constant 1.0e300 : f64
  %b0 = func.call @e4m3_of_bf16(%bf16) : (bf16) -> f8E4M3FN
  %b1 = func.call @e5m2_of_f16(%f16) : (f16) -> f8E5M2
  %b2 = func.call @e4m3_of_bf16(%bf16_small) : (bf16) -> f8E4M3FN
  %b3 = func.call @e5m2_of_f16(%f16_small) : (f16) -> f8E5M2
  %b4 = func.call @e4m3_of_f64(%above) : (f64) -> f8E4M3FN
  %b5 = func.call @e4m3_of_f64(%below) : (f64) -> f8E4M3FN
  %b6 = func.call @e4m3_of_i32(%minus) : (i32) -> f8E4M3FN
  %b7 = func.call @e4m3_of_f64(%large) : (f64) -> f8E4M3FN
  %i0 = arith.bitcast %b0 : f8E4M3FN to i8
  %i1 = arith.bitcast %b1 : f8E5M2 to i8
  %i2 = arith.bitcast %b2 : f8E4M3FN to i8
  %i3 = arith.bitcast %b3 : f8E5M2 to i8
  %i4 = arith.bitcast %b4 : f8E4M3FN to i8
  %i5 = arith.bitcast %b5 : f8E4M3FN to i8
  %i6 = arith.bitcast %b6 : f8E4M3FN to i8
  %i7 = arith.bitcast %b7 : f8E4M3FN to i8
  %zero = arith.constant 0 : i64
  %r7 = func.call @append(%zero, %i7) : (i64, i8) -> i64
  %r6 = func.call @append(%r7, %i6) : (i64, i8) -> i64
  %r5 = func.call @append(%r6, %i5) : (i64, i8) -> i64
  %r4 = func.call @append(%r5, %i4) : (i64, i8) -> i64
  %r3 = func.call @append(%r4, %i3) : (i64, i8) -> i64
  %r2 = func.call @append(%r3, %i2) : (i64, i8) -> i64
  %r1 = func.call @append(%r2, %i1) : (i64, i8) -> i64
  %r0 = func.call @append(%r1, %i0) : (i64, i8) -> i64
  return %r0 : i64
}

func.func @append(%high: i64, %low: i8) -> i64 {
  %c8 = arith.constant 8 : i64
  %shifted = arith.shli %high, %c8 : i64
  %wide = arith.extui %low : i8 to i64
  %both = arith.ori %shifted, %wide : i64
  return %both : i64
}

// Functions, so that nothing is folded.
func.func @e4m3_of_bf16(%x: bf16) -> f8E4M3FN attributes {no_inline} {
  %y = arith.truncf %x : bf16 to f8E4M3FN
  return %y : f8E4M3FN
}
func.func @e5m2_of_f16(%x: f16) -> f8E5M2 attributes {no_inline} {
  %y = arith.truncf %x : f16 to f8E5M2
  return %y : f8E5M2
}
func.func @e4m3_of_f64(%x: f64) -> f8E4M3FN attributes {no_inline} {
  %y = arith.truncf %x : f64 to f8E4M3FN
  return %y : f8E4M3FN
}
func.func @e4m3_of_i32(%x: i32) -> f8E4M3FN attributes {no_inline} {
  %y = arith.sitofp %x : i32 to f8E4M3FN
  return %y : f8E4M3FN
}

// 448 as bf16, 57344 as f16, 1.5 as f64, -2 as an integer.
// BACK: 5.779150e+04
func.func @back() -> f32 {
  %c126 = arith.constant 126 : i8
  %c123 = arith.constant 123 : i8
  %c60 = arith.constant 60 : i8
  %c192 = arith.constant 192 : i8
  %sum = func.call @sum(%c126, %c123, %c60, %c192) : (i8, i8, i8, i8) -> f32
  return %sum : f32
}

func.func @sum(%a: i8, %b: i8, %c: i8, %d: i8) -> f32 attributes {no_inline} {
  %a8 = arith.bitcast %a : i8 to f8E4M3FN
  %b8 = arith.bitcast %b : i8 to f8E5M2
  %c8 = arith.bitcast %c : i8 to f8E4M3FN
  %d8 = arith.bitcast %d : i8 to f8E5M2
  %aw = arith.extf %a8 : f8E4M3FN to bf16
  %bw = arith.extf %b8 : f8E5M2 to f16
  %cw = arith.extf %c8 : f8E4M3FN to f64
  %dw = arith.fptosi %d8 : f8E5M2 to i32
  %af = arith.extf %aw : bf16 to f32
  %bf = arith.extf %bw : f16 to f32
  %cf = arith.truncf %cw : f64 to f32
  %df = arith.sitofp %dw : i32 to f32
  %0 = arith.addf %af, %bf : f32
  %1 = arith.addf %0, %cf : f32
  %2 = arith.addf %1, %df : f32
  return %2 : f32
}
