// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: fp8gemm-opt %s -inline | FileCheck %s
// RUN: fp8gemm-opt %s -resolve-ranked-shaped-type-result-dims | FileCheck %s --check-prefix=SHAPE

// A product is inlined like any operation.
// CHECK-LABEL: func @caller
//   CHECK-NOT:   call
//       CHECK:   fp8gemm.gemm
//   CHECK-NOT:   call
//       CHECK:   return
func.func @caller(%a: tensor<?x16xf8E4M3FN>, %sfa: tensor<?x1xf32>, %b: tensor<8x16xf8E4M3FN>, %sfb: tensor<1x1xf32>,
                  %d: tensor<?x8xbf16>) -> tensor<?x8xbf16> {
  %r, %rows = call @product(%a, %sfa, %b, %sfb, %d)
    : (tensor<?x16xf8E4M3FN>, tensor<?x1xf32>, tensor<8x16xf8E4M3FN>, tensor<1x1xf32>, tensor<?x8xbf16>)
   -> (tensor<?x8xbf16>, index)
  return %r : tensor<?x8xbf16>
}

// Its result has the shape of its destination, so who asks for that needn't wait for it.
// SHAPE-LABEL: func private @product
//  SHAPE-SAME:   %[[D:[^: ]+]]: tensor<?x8xbf16>)
//       SHAPE:   %[[ROWS:.+]] = tensor.dim %[[D]]
//       SHAPE:   return %{{.+}}, %[[ROWS]]
func.func private @product(%a: tensor<?x16xf8E4M3FN>, %sfa: tensor<?x1xf32>, %b: tensor<8x16xf8E4M3FN>, %sfb: tensor<1x1xf32>,
                           %d: tensor<?x8xbf16>) -> (tensor<?x8xbf16>, index) {
  %r = fp8gemm.gemm %a scaled_by %sfa <1x128, k_major>, %b scaled_by %sfb <128x128, k_major> into %d
    : tensor<?x16xf8E4M3FN>, tensor<?x1xf32>, tensor<8x16xf8E4M3FN>, tensor<1x1xf32>, tensor<?x8xbf16> -> tensor<?x8xbf16>
  %c0 = arith.constant 0 : index
  %rows = tensor.dim %r, %c0 : tensor<?x8xbf16>
  return %r, %rows : tensor<?x8xbf16>, index
}
