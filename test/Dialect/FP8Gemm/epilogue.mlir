// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Epilogues: syntax, effects, canonicalization, and what becomes of them in bufferization and in linalg.
// RUN: fp8gemm-opt %s --verify-roundtrip | FileCheck %s -enable-var-scope
// RUN: fp8gemm-opt %s -canonicalize | FileCheck %s --check-prefix=CANON -enable-var-scope
// RUN: fp8gemm-opt %s --one-shot-bufferize="bufferize-function-boundaries function-boundary-type-conversion=identity-layout-map" | FileCheck %s --check-prefix=BUFFER -enable-var-scope
// RUN: fp8gemm-opt %s --convert-fp8gemm-to-linalg | FileCheck %s --check-prefix=LINALG -enable-var-scope

// CHECK-LABEL: func @row
//       CHECK:   fp8gemm.gemm {{.+}} into %{{.+}} : {{.+}}, memref<?x136xbf16> epilogue(%{{.+}} : memref<136xf32>) {
//  CHECK-NEXT:   ^bb0(%[[SUM:.+]]: f32, %[[BIAS:.+]]: f32):
//  CHECK-NEXT:     %[[BIASED:.+]] = arith.addf %[[SUM]], %[[BIAS]] : f32
//  CHECK-NEXT:     fp8gemm.yield %[[BIASED]] : f32
//  CHECK-NEXT:   }
func.func @row(%a: memref<?x144xf8E4M3FN>, %sfa: memref<2x?xf32>, %b: memref<136x144xf8E4M3FN>, %sfb: memref<2x2xf32>,
               %row: memref<136xf32>, %d: memref<?x136xbf16>) {
  fp8gemm.gemm %a scaled_by %sfa <1x128, mn_major>, %b scaled_by %sfb <128x128, k_major> into %d
    : memref<?x144xf8E4M3FN>, memref<2x?xf32>, memref<136x144xf8E4M3FN>, memref<2x2xf32>, memref<?x136xbf16>
    epilogue(%row : memref<136xf32>) {
  ^bb0(%sum: f32, %bias: f32):
    %biased = arith.addf %sum, %bias : f32
    fp8gemm.yield %biased : f32
  }
  return
}

// Any operations and operands; constants stay inside. Some rows of a product have the same row and some rows of a matrix.
// CHECK-LABEL: func @any
//       CHECK:   fp8gemm.gemm {{.+}} plus %{{.+}} into %{{.+}} : {{.+}} -> tensor<16x136xf32> epilogue(%{{.+}} : tensor<136xbf16>, %{{.+}} : tensor<16x136xf32>) {
//       CHECK:     math.exp
// CANON-LABEL: func @any
//  CANON-SAME:   %[[ROW:[^:]+]]: tensor<136xbf16>, %[[RESIDUAL:[^:]+]]: tensor<16x136xf32>
//       CANON:   %[[PART:.+]] = tensor.extract_slice %[[RESIDUAL]][4, 0] [8, 136]
//       CANON:   fp8gemm.gemm {{.+}} -> tensor<8x136xf32> epilogue(%[[ROW]] : tensor<136xbf16>, %[[PART]] : tensor<8x136xf32>) {
//  CANON-NEXT:   ^bb0(%[[SUM:.+]]: f32, %[[BIAS:.+]]: f32, %[[C:.+]]: f32):
//  CANON-NEXT:     %[[ONE:.+]] = arith.constant 1.000000e+00 : f32
//       CANON:     %[[LAST:.+]] = arith.addf %{{.+}}, %[[C]] : f32
//  CANON-NEXT:     fp8gemm.yield %[[LAST]] : f32
//   CANON-NOT:   tensor.extract_slice
// BUFFER-LABEL: func @any
//   BUFFER-NOT:   memref.alloc
//       BUFFER:   fp8gemm.gemm {{.+}} into %{{.+}} : {{.+}}, memref<16x136xf32> epilogue(%{{.+}} : memref<136xbf16>, %{{.+}} : memref<16x136xf32>) {
//       BUFFER:     math.exp
//       BUFFER:     fp8gemm.yield
// LINALG-LABEL: func @any
//       LINALG:   linalg.generic {{.+}}#[[ID:map[0-9]*]], #[[ID]], #[[ROW:map[0-9]*]], #[[ID]], #[[ID]]]
//       LINALG:   ^bb0(%[[SUM:[^:]+]]: f32, %[[C:[^:]+]]: f32, %[[BIAS:[^:]+]]: bf16, %[[RESIDUAL:[^:]+]]: f32, %{{.+}}: f32):
//   LINALG-DAG:     %[[ALL:.+]] = arith.addf %[[C]], %[[SUM]] : f32
//   LINALG-DAG:     %[[WIDE:.+]] = arith.extf %[[BIAS]] : bf16 to f32
//       LINALG:     %[[EXP:.+]] = math.exp %[[ALL]] : f32
//       LINALG:     %[[PRODUCT:.+]] = arith.mulf %{{.+}}, %[[WIDE]] : f32
//  LINALG-NEXT:     %[[LAST:.+]] = arith.addf %[[PRODUCT]], %[[RESIDUAL]] : f32
//  LINALG-NEXT:     linalg.yield %[[LAST]] : f32
func.func @any(%a: tensor<16x144xf8E4M3FN>, %sfa: tensor<2x16xf32>, %b: tensor<136x144xf8E4M3FN>, %sfb: tensor<2x2xf32>,
               %row: tensor<136xbf16>, %residual: tensor<16x136xf32>, %c: tensor<16x136xf32>, %d: tensor<16x136xf32>) -> tensor<8x136xf32> {
  %r = fp8gemm.gemm %a scaled_by %sfa <1x128, mn_major>, %b scaled_by %sfb <128x128, k_major> plus %c into %d
    : tensor<16x144xf8E4M3FN>, tensor<2x16xf32>, tensor<136x144xf8E4M3FN>, tensor<2x2xf32>, tensor<16x136xf32>, tensor<16x136xf32>
   -> tensor<16x136xf32> epilogue(%row : tensor<136xbf16>, %residual : tensor<16x136xf32>) {
  ^bb0(%sum: f32, %bias: f32, %add: f32):
    %one = arith.constant 1.0 : f32
    %exp = math.exp %sum : f32
    %more = arith.addf %exp, %one : f32
    %product = arith.mulf %more, %bias : f32
    %last = arith.addf %product, %add : f32
    fp8gemm.yield %last : f32
  }
  %s = tensor.extract_slice %r[4, 0] [8, 136] [1, 1] : tensor<16x136xf32> to tensor<8x136xf32>
  return %s : tensor<8x136xf32>
}

// CHECK-LABEL: func @no_operands
//       CHECK:   fp8gemm.grouped_gemm {{.+}} : {{.+}}, memref<8x?x136xbf16> epilogue {
//  CHECK-NEXT:   ^bb0(%{{.+}}: f32):
// LINALG-LABEL: func @no_operands
//       LINALG:   arith.maximumf
//       LINALG:   arith.truncf
func.func @no_operands(%a: memref<8x?x144xf8E4M3FN>, %sfa: memref<8x2x?xf32>, %b: memref<8x136x144xf8E4M3FN>, %sfb: memref<8x2x2xf32>,
                       %counts: memref<8xi32>, %d: memref<8x?x136xbf16>) {
  fp8gemm.grouped_gemm %a scaled_by %sfa <1x128, mn_major>, %b scaled_by %sfb <128x128, k_major> groups %counts <row_count> into %d
    : memref<8x?x144xf8E4M3FN>, memref<8x2x?xf32>, memref<8x136x144xf8E4M3FN>, memref<8x2x2xf32>, memref<8xi32>, memref<8x?x136xbf16>
    epilogue {
  ^bb0(%sum: f32):
    %zero = arith.constant 0.0 : f32
    %positive = arith.maximumf %sum, %zero : f32
    fp8gemm.yield %positive : f32
  }
  return
}
