// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// A quantised product has the bits of fp8gemm.quantize of the product in f32: elements and scales, of one product and of groups.
// RUN: fp8gemm-opt %s --fp8gemm-to-llvm-cpu | mlir-runner -e main -entry-point-result=f32 | FileCheck %s

// Differences, which there are none of, times 1000, and what was compared: 2 * 3 rows of 256 elements, and 2 * 3 * 2 scales.
// CHECK: 1.548000e+03
func.func @differences(%x: tensor<3x256xf8E4M3FN>, %y: tensor<3x256xf8E4M3FN>, %p: tensor<3x2xf32>, %q: tensor<3x2xf32>, %rows: index) -> f32 {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c2 = arith.constant 2 : index
  %c256 = arith.constant 256 : index
  %one = arith.constant 1.0 : f32
  %wrong = arith.constant 1001.0 : f32
  %zero = arith.constant 0.0 : f32
  %elements = scf.for %m = %c0 to %rows step %c1 iter_args(%sum = %zero) -> f32 {
    %row = scf.for %n = %c0 to %c256 step %c1 iter_args(%s = %sum) -> f32 {
      %u = tensor.extract %x[%m, %n] : tensor<3x256xf8E4M3FN>
      %v = tensor.extract %y[%m, %n] : tensor<3x256xf8E4M3FN>
      %ub = arith.bitcast %u : f8E4M3FN to i8
      %vb = arith.bitcast %v : f8E4M3FN to i8
      %same = arith.cmpi eq, %ub, %vb : i8
      %add = arith.select %same, %one, %wrong : f32
      %next = arith.addf %s, %add : f32
      scf.yield %next : f32
    }
    scf.yield %row : f32
  }
  %all = scf.for %m = %c0 to %rows step %c1 iter_args(%sum = %elements) -> f32 {
    %row = scf.for %n = %c0 to %c2 step %c1 iter_args(%s = %sum) -> f32 {
      %u = tensor.extract %p[%m, %n] : tensor<3x2xf32>
      %v = tensor.extract %q[%m, %n] : tensor<3x2xf32>
      %ub = arith.bitcast %u : f32 to i32
      %vb = arith.bitcast %v : f32 to i32
      %same = arith.cmpi eq, %ub, %vb : i32
      %add = arith.select %same, %one, %wrong : f32
      %next = arith.addf %s, %add : f32
      scf.yield %next : f32
    }
    scf.yield %row : f32
  }
  return %all : f32
}

func.func @main() -> f32 {
  %x = tensor.generate {
  ^bb0(%i: index, %j: index):
    %a = arith.addi %i, %j : index
    %b = arith.muli %a, %j : index
    %c37 = arith.constant 37 : index
    %c = arith.remui %b, %c37 : index
    %d = arith.index_cast %c : index to i32
    %e = arith.sitofp %d : i32 to f32
    %f16 = arith.constant 16.0 : f32
    %f = arith.subf %e, %f16 : f32
    %g = arith.truncf %f : f32 to f8E4M3FN
    tensor.yield %g : f8E4M3FN
  } : tensor<3x144xf8E4M3FN>
  %w = tensor.generate {
  ^bb0(%g: index, %i: index, %j: index):
    %a = arith.addi %i, %g : index
    %b = arith.muli %a, %j : index
    %c29 = arith.constant 29 : index
    %c = arith.remui %b, %c29 : index
    %d = arith.index_cast %c : index to i32
    %e = arith.sitofp %d : i32 to f32
    %f16 = arith.constant 13.0 : f32
    %f = arith.subf %e, %f16 : f32
    %h = arith.truncf %f : f32 to f8E4M3FN
    tensor.yield %h : f8E4M3FN
  } : tensor<2x256x144xf8E4M3FN>
  %b = tensor.extract_slice %w[0, 0, 0] [1, 256, 144] [1, 1, 1] : tensor<2x256x144xf8E4M3FN> to tensor<256x144xf8E4M3FN>
  %sfa = arith.constant dense<[[4.0, 0.01, 4.0, 4.0], [8.0, 0.02, 8.0, 8.0]]> : tensor<2x4xf32>
  %sfw = arith.constant dense<0.3> : tensor<2x2x2xf32>
  %sfb = arith.constant dense<0.3> : tensor<2x2xf32>
  %row = arith.constant dense<0.37> : tensor<256xf32>
  %c3 = arith.constant 3 : index
  %zeros8 = arith.constant dense<0.0> : tensor<3x256xf8E4M3FN>
  %zeros = arith.constant dense<0.0> : tensor<3x2xf32>
  %zeros32 = arith.constant dense<0.0> : tensor<3x256xf32>

  %f32 = fp8gemm.gemm %x scaled_by %sfa <1x128, mn_major>, %b scaled_by %sfb <128x128, k_major> into %zeros32
    : tensor<3x144xf8E4M3FN>, tensor<2x4xf32>, tensor<256x144xf8E4M3FN>, tensor<2x2xf32>, tensor<3x256xf32> -> tensor<3x256xf32>
    epilogue(%row : tensor<256xf32>) {
  ^bb0(%sum: f32, %bias: f32):
    %biased = arith.addf %sum, %bias : f32
    fp8gemm.yield %biased : f32
  }
  %q:2 = fp8gemm.quantize %f32 into %zeros8 scaled_by %zeros <1x128, k_major>
    : tensor<3x256xf32>, tensor<3x256xf8E4M3FN>, tensor<3x2xf32> -> tensor<3x256xf8E4M3FN>, tensor<3x2xf32>
  %d:2 = fp8gemm.gemm %x scaled_by %sfa <1x128, mn_major>, %b scaled_by %sfb <128x128, k_major> into %zeros8 scaled_by %zeros <1x128, k_major>
    : tensor<3x144xf8E4M3FN>, tensor<2x4xf32>, tensor<256x144xf8E4M3FN>, tensor<2x2xf32>, tensor<3x256xf8E4M3FN> scaled_by tensor<3x2xf32>
   -> tensor<3x256xf8E4M3FN>, tensor<3x2xf32> epilogue(%row : tensor<256xf32>) {
  ^bb0(%sum: f32, %bias: f32):
    %biased = arith.addf %sum, %bias : f32
    fp8gemm.yield %biased : f32
  }
  %one = func.call @differences(%q#0, %d#0, %q#1, %d#1, %c3) : (tensor<3x256xf8E4M3FN>, tensor<3x256xf8E4M3FN>, tensor<3x2xf32>, tensor<3x2xf32>, index) -> f32

  %ends = arith.constant dense<[1, 3]> : tensor<2xi32>
  %g32 = fp8gemm.grouped_gemm %x scaled_by %sfa <1x128, mn_major>, %w scaled_by %sfw <128x128, k_major> groups %ends <row_end> into %zeros32
    : tensor<3x144xf8E4M3FN>, tensor<2x4xf32>, tensor<2x256x144xf8E4M3FN>, tensor<2x2x2xf32>, tensor<2xi32>, tensor<3x256xf32> -> tensor<3x256xf32>
  %r:2 = fp8gemm.quantize %g32 into %zeros8 scaled_by %zeros <1x128, k_major> power_of_two
    : tensor<3x256xf32>, tensor<3x256xf8E4M3FN>, tensor<3x2xf32> -> tensor<3x256xf8E4M3FN>, tensor<3x2xf32>
  %e:2 = fp8gemm.grouped_gemm %x scaled_by %sfa <1x128, mn_major>, %w scaled_by %sfw <128x128, k_major> groups %ends <row_end>
      into %zeros8 scaled_by %zeros <1x128, k_major> power_of_two
    : tensor<3x144xf8E4M3FN>, tensor<2x4xf32>, tensor<2x256x144xf8E4M3FN>, tensor<2x2x2xf32>, tensor<2xi32>, tensor<3x256xf8E4M3FN> scaled_by tensor<3x2xf32>
   -> tensor<3x256xf8E4M3FN>, tensor<3x2xf32>
  %other = func.call @differences(%r#0, %e#0, %r#1, %e#1, %c3) : (tensor<3x256xf8E4M3FN>, tensor<3x256xf8E4M3FN>, tensor<3x2xf32>, tensor<3x2xf32>, index) -> f32
  %sum = arith.addf %one, %other : f32
  return %sum : f32
}
