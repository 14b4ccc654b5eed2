// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: fp8gemm-opt %s --fp8gemm-to-llvm-cpu | mlir-runner -e rows -entry-point-result=f32 | FileCheck %s --check-prefix=ROWS
// RUN: fp8gemm-opt %s --fp8gemm-to-llvm-cpu | mlir-runner -e unused_row -entry-point-result=f32 | FileCheck %s --check-prefix=UNUSED
// RUN: fp8gemm-opt %s --fp8gemm-to-llvm-cpu | mlir-runner -e reduction -entry-point-result=f32 | FileCheck %s --check-prefix=REDUCTION
// RUN: fp8gemm-opt %s --convert-fp8gemm-to-linalg --fp8gemm-to-llvm-cpu | mlir-runner -e rows -entry-point-result=f32 | FileCheck %s --check-prefix=ROWS
// RUN: fp8gemm-opt %s --convert-fp8gemm-to-linalg --fp8gemm-to-llvm-cpu | mlir-runner -e unused_row -entry-point-result=f32 | FileCheck %s --check-prefix=UNUSED
// RUN: fp8gemm-opt %s --convert-fp8gemm-to-linalg --fp8gemm-to-llvm-cpu | mlir-runner -e reduction -entry-point-result=f32 | FileCheck %s --check-prefix=REDUCTION

// RUN: fp8gemm-opt %s --fp8gemm-to-llvm-cpu | mlir-runner -e shared -entry-point-result=f32 | FileCheck %s --check-prefix=SHARED
// RUN: fp8gemm-opt %s --convert-fp8gemm-to-linalg --fp8gemm-to-llvm-cpu | mlir-runner -e shared -entry-point-result=f32 | FileCheck %s --check-prefix=SHARED
// RUN: fp8gemm-opt %s --fp8gemm-to-llvm-cpu | mlir-runner -e added -entry-point-result=f32 | FileCheck %s --check-prefix=ADDED
// RUN: fp8gemm-opt %s --convert-fp8gemm-to-linalg --fp8gemm-to-llvm-cpu | mlir-runner -e added -entry-point-result=f32 | FileCheck %s --check-prefix=ADDED

// Products on tensors, run: bufferized before and after the conversion.

func.func private @grouped() -> tensor<8x8xf32> {
  %a = arith.constant dense<1.5> : tensor<8x16xf8E4M3FN>
  %sfa = arith.constant dense<2.0> : tensor<8x1xf32>
  %first = arith.constant dense<1.0> : tensor<1x8x16xf8E4M3FN>
  %second = arith.constant dense<4.0> : tensor<1x8x16xf8E4M3FN>
  %b = tensor.concat dim(0) %first, %second : (tensor<1x8x16xf8E4M3FN>, tensor<1x8x16xf8E4M3FN>) -> tensor<2x8x16xf8E4M3FN>
  %sfb = arith.constant dense<1.0> : tensor<2x1x1xf32>
  %ends = arith.constant dense<[3, 7]> : tensor<2xi32>
  %d = arith.constant dense<5.0> : tensor<8x8xf32>
  %r = fp8gemm.grouped_gemm %a scaled_by %sfa <1x128, k_major>, %b scaled_by %sfb <128x128, k_major> groups %ends <row_end> into %d
    : tensor<8x16xf8E4M3FN>, tensor<8x1xf32>, tensor<2x8x16xf8E4M3FN>, tensor<2x1x1xf32>, tensor<2xi32>, tensor<8x8xf32>
   -> tensor<8x8xf32>
  return %r : tensor<8x8xf32>
}

// 16 * 1.5 * 2 * 4 of the second group in row 3, minus 16 * 1.5 * 2 of the first in row 2.
// ROWS: 1.440000e+02
func.func @rows() -> f32 {
  %c2 = arith.constant 2 : index
  %c3 = arith.constant 3 : index
  %r = func.call @grouped() : () -> tensor<8x8xf32>
  %x = tensor.extract %r[%c3, %c3] : tensor<8x8xf32>
  %y = tensor.extract %r[%c2, %c3] : tensor<8x8xf32>
  %z = arith.subf %x, %y : f32
  return %z : f32
}

// Row 7 is of no group.
// UNUSED: 5.000000e+00
func.func @unused_row() -> f32 {
  %c7 = arith.constant 7 : index
  %r = func.call @grouped() : () -> tensor<8x8xf32>
  %x = tensor.extract %r[%c7, %c7] : tensor<8x8xf32>
  return %x : f32
}

// Lengths of 144 and 16: the second group has the third block's scales. 7 + 16 * 1.5 * 2 * 8.
// REDUCTION: 3.910000e+02
func.func @reduction() -> f32 {
  %c1 = arith.constant 1 : index
  %a = arith.constant dense<1.5> : tensor<4x160xf8E4M3FN>
  %b = arith.constant dense<2.0> : tensor<8x160xf8E4M3FN>
  %sfa = arith.constant dense<[[2.0, 2.0, 2.0, 2.0], [4.0, 4.0, 4.0, 4.0], [8.0, 8.0, 8.0, 8.0]]> : tensor<3x4xf32>
  %sfb = arith.constant dense<1.0> : tensor<8x3xf32>
  %k = arith.constant dense<[144, 16]> : tensor<2xi32>
  %d = arith.constant dense<7.0> : tensor<2x4x8xf32>
  %r = fp8gemm.k_grouped_gemm %a scaled_by %sfa <1x128, mn_major>, %b scaled_by %sfb <1x128, k_major> groups %k <k_count> plus %d into %d
    : tensor<4x160xf8E4M3FN>, tensor<3x4xf32>, tensor<8x160xf8E4M3FN>, tensor<8x3xf32>, tensor<2xi32>, tensor<2x4x8xf32>, tensor<2x4x8xf32>
   -> tensor<2x4x8xf32>
  %x = tensor.extract %r[%c1, %c1, %c1] : tensor<2x4x8xf32>
  return %x : f32
}

// Four groups of two matrices: group 3 has the second one and its scale, 16 * 1.5 * 2 * 4 * 8; group 2 the first one, 16 * 1.5 * 2.
// SHARED: 1.488000e+03
func.func @shared() -> f32 {
  %c0 = arith.constant 0 : index
  %c2 = arith.constant 2 : index
  %c3 = arith.constant 3 : index
  %a = arith.constant dense<1.5> : tensor<4x2x16xf8E4M3FN>
  %sfa = arith.constant dense<2.0> : tensor<4x2x1xf32>
  %first = arith.constant dense<1.0> : tensor<1x8x16xf8E4M3FN>
  %second = arith.constant dense<4.0> : tensor<1x8x16xf8E4M3FN>
  %b = tensor.concat dim(0) %first, %second : (tensor<1x8x16xf8E4M3FN>, tensor<1x8x16xf8E4M3FN>) -> tensor<2x8x16xf8E4M3FN>
  %sfb = arith.constant dense<[[[1.0]], [[8.0]]]> : tensor<2x1x1xf32>
  %counts = arith.constant dense<[0, 2, 1, 2]> : tensor<4xi32>
  %d = arith.constant dense<5.0> : tensor<4x2x8xf32>
  %r = fp8gemm.grouped_gemm %a scaled_by %sfa <1x128, k_major>, %b scaled_by %sfb <128x128, k_major> groups %counts <row_count> into %d
    : tensor<4x2x16xf8E4M3FN>, tensor<4x2x1xf32>, tensor<2x8x16xf8E4M3FN>, tensor<2x1x1xf32>, tensor<4xi32>, tensor<4x2x8xf32>
   -> tensor<4x2x8xf32>
  %x = tensor.extract %r[%c3, %c0, %c3] : tensor<4x2x8xf32>
  %y = tensor.extract %r[%c2, %c0, %c3] : tensor<4x2x8xf32>
  %z = arith.subf %x, %y : f32
  return %z : f32
}

// C in rows of groups, each of which has 16 * 1.5 * 2 = 48 of the product: 100 + 48 in row 0, as D is apart; D's 5 in row 3, of
// no group; and in place 5 + 48, which counts a thousandfold.
// ADDED: 5.315300e+04
func.func @added() -> f32 {
  %c0 = arith.constant 0 : index
  %c3 = arith.constant 3 : index
  %thousand = arith.constant 1000.0 : f32
  %a = arith.constant dense<1.5> : tensor<4x16xf8E4M3FN>
  %sfa = arith.constant dense<2.0> : tensor<4x1xf32>
  %b = arith.constant dense<1.0> : tensor<2x8x16xf8E4M3FN>
  %sfb = arith.constant dense<1.0> : tensor<2x1x1xf32>
  %ends = arith.constant dense<[1, 3]> : tensor<2xi32>
  %c = arith.constant dense<100.0> : tensor<4x8xf32>
  %d = arith.constant dense<5.0> : tensor<4x8xf32>
  %apart = fp8gemm.grouped_gemm %a scaled_by %sfa <1x128, k_major>, %b scaled_by %sfb <128x128, k_major> groups %ends <row_end> plus %c into %d
    : tensor<4x16xf8E4M3FN>, tensor<4x1xf32>, tensor<2x8x16xf8E4M3FN>, tensor<2x1x1xf32>, tensor<2xi32>, tensor<4x8xf32>, tensor<4x8xf32>
   -> tensor<4x8xf32>
  %in_place = fp8gemm.grouped_gemm %a scaled_by %sfa <1x128, k_major>, %b scaled_by %sfb <128x128, k_major> groups %ends <row_end> plus %d into %d
    : tensor<4x16xf8E4M3FN>, tensor<4x1xf32>, tensor<2x8x16xf8E4M3FN>, tensor<2x1x1xf32>, tensor<2xi32>, tensor<4x8xf32>, tensor<4x8xf32>
   -> tensor<4x8xf32>
  %x = tensor.extract %apart[%c0, %c3] : tensor<4x8xf32>
  %y = tensor.extract %apart[%c3, %c3] : tensor<4x8xf32>
  %z = tensor.extract %in_place[%c0, %c0] : tensor<4x8xf32>
  %sum = arith.addf %x, %y : f32
  %times = arith.mulf %z, %thousand : f32
  %all = arith.addf %sum, %times : f32
  return %all : f32
}
