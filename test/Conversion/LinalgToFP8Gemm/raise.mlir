// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: fp8gemm-opt %s --raise-linalg-to-fp8gemm -canonicalize | FileCheck %s

// Scales may be read in any way that says which block each is for, and B may come transposed or not.

#id = affine_map<(m, k) -> (m, k)>
#of_rows = affine_map<(m, k) -> (m, k floordiv 128)>
#of_rows_first_k = affine_map<(m, k) -> (k floordiv 128, m)>
#of_blocks = affine_map<(m, k) -> (m floordiv 128, k floordiv 128)>
#a = affine_map<(m, n, k) -> (m, k)>
#b = affine_map<(m, n, k) -> (n, k)>
#d = affine_map<(m, n, k) -> (m, n)>

// CHECK-LABEL: func @scales_by_index
//  CHECK-SAME:   %[[A:[^:]+]]: tensor<?x144xf8E5M2>, %[[SFA:[^:]+]]: tensor<2x?xf32>, %[[B:[^:]+]]: tensor<136x144xf8E4M3FN>, %[[SFB:[^:]+]]: tensor<2x2xf32>
//       CHECK:   %[[D:.+]] = tensor.empty
//       CHECK:   fp8gemm.gemm %[[A]] scaled_by %[[SFA]] <1x128, mn_major>, %[[B]] scaled_by %[[SFB]] <128x128, k_major> into %[[D]]
//   CHECK-NOT:   linalg
func.func @scales_by_index(%a: tensor<?x144xf8E5M2>, %sfa: tensor<2x?xf32>, %b: tensor<136x144xf8E4M3FN>, %sfb: tensor<2x2xf32>,
                           %wa: tensor<?x144xf32>, %wb: tensor<136x144xf32>, %d: tensor<?x136xf32>) -> tensor<?x136xf32> {
  %zero = arith.constant 0.0 : f32
  %0 = linalg.generic {indexing_maps = [#of_rows_first_k, #id, #id], iterator_types = ["parallel", "parallel"]}
      ins(%sfa, %a : tensor<2x?xf32>, tensor<?x144xf8E5M2>) outs(%wa : tensor<?x144xf32>) {
    ^bb0(%scale: f32, %element: f8E5M2, %out: f32):
      %wide = arith.extf %element : f8E5M2 to f32
      %scaled = arith.mulf %scale, %wide : f32
      linalg.yield %scaled : f32
  } -> tensor<?x144xf32>
  %1 = linalg.generic {indexing_maps = [#id, #of_blocks, #id], iterator_types = ["parallel", "parallel"]}
      ins(%b, %sfb : tensor<136x144xf8E4M3FN>, tensor<2x2xf32>) outs(%wb : tensor<136x144xf32>) {
    ^bb0(%element: f8E4M3FN, %scale: f32, %out: f32):
      %wide = arith.extf %element : f8E4M3FN to f32
      %scaled = arith.mulf %wide, %scale : f32
      linalg.yield %scaled : f32
  } -> tensor<136x144xf32>
  %2 = linalg.fill ins(%zero : f32) outs(%d : tensor<?x136xf32>) -> tensor<?x136xf32>
  %3 = linalg.matmul indexing_maps = [#a, #b, #d] ins(%0, %1 : tensor<?x144xf32>, tensor<136x144xf32>) outs(%2 : tensor<?x136xf32>) -> tensor<?x136xf32>
  return %3 : tensor<?x136xf32>
}
