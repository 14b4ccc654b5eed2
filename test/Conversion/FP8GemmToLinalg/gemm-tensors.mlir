// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: fp8gemm-opt %s --convert-fp8gemm-to-linalg -canonicalize | FileCheck %s -enable-var-scope

// The whole meaning, in order: extend, multiply-add from zero in the order of k,
// promote with the rounded product of the scales, round at the end.

//   CHECK-DAG: #[[$ID:.+]] = affine_map<(d0, d1) -> (d0, d1)>
//   CHECK-DAG: #[[$TRANSPOSE:.+]] = affine_map<(d0, d1) -> (d1, d0)>
//   CHECK-DAG: #[[$A:.+]] = affine_map<(d0, d1, d2) -> (d0, d1)>
//   CHECK-DAG: #[[$B:.+]] = affine_map<(d0, d1, d2) -> (d1, d2)>
//   CHECK-DAG: #[[$PARTIAL:.+]] = affine_map<(d0, d1, d2) -> (d0, d2)>
//   CHECK-DAG: #[[$SFA:.+]] = affine_map<(d0, d1) -> (0, d0)>
//   CHECK-DAG: #[[$SFB:.+]] = affine_map<(d0, d1) -> (d1 floordiv 128, 0)>
// CHECK-LABEL: func @k_tail_mn_major
//  CHECK-SAME:   %[[IN_A:[^:]+]]: tensor<?x144xf8E4M3FN>, %[[IN_SFA:[^:]+]]: tensor<2x?xf32>, %[[IN_B:[^:]+]]: tensor<136x144xf8E4M3FN>, %[[IN_SFB:[^:]+]]: tensor<2x2xf32>, %[[IN_D:[^:]+]]: tensor<?x136xbf16>
//   CHECK-DAG:   %[[ZERO:.+]] = arith.constant 0.000000e+00 : f32
//   CHECK-DAG:   %[[C0:.+]] = arith.constant 0 : index
//   CHECK-DAG:   %[[C1:.+]] = arith.constant 1 : index
//   CHECK-DAG:   %[[C2:.+]] = arith.constant 2 : index
//   CHECK-DAG:   %[[C128:.+]] = arith.constant 128 : index
//   CHECK-DAG:   %[[C144:.+]] = arith.constant 144 : index
//       CHECK:   %[[M:.+]] = tensor.dim %[[IN_D]]
//       CHECK:   %[[SUM0:.+]] = linalg.fill ins(%[[ZERO]] : f32)
//       CHECK:   %[[SUM:.+]] = scf.for %[[KB:.+]] = %[[C0]] to %[[C2]] step %[[C1]] iter_args(%[[ACC:.+]] = %[[SUM0]])
//       CHECK:     %[[K:.+]] = arith.muli %[[KB]], %[[C128]]
//       CHECK:     %[[REST:.+]] = arith.subi %[[C144]], %[[K]]
//       CHECK:     %[[LENGTH:.+]] = arith.minsi %[[REST]], %[[C128]]
//       CHECK:     %[[A_KB:.+]] = tensor.extract_slice %[[IN_A]][0, %[[K]]] [%[[M]], %[[LENGTH]]]
//       CHECK:     %[[A32:.+]] = linalg.generic {indexing_maps = [#[[$ID]], #[[$ID]]]{{.*}} ins(%[[A_KB]]
//       CHECK:       arith.extf %{{.+}} : f8E4M3FN to f32
//       CHECK:     %[[B_KB:.+]] = tensor.extract_slice %[[IN_B]][0, %[[K]]] [136, %[[LENGTH]]]
//       CHECK:     %[[B32:.+]] = linalg.generic {indexing_maps = [#[[$TRANSPOSE]], #[[$ID]]]{{.*}} ins(%[[B_KB]]
//       CHECK:       arith.extf %{{.+}} : f8E4M3FN to f32
//       CHECK:     %[[PARTIAL0:.+]] = linalg.fill ins(%[[ZERO]] : f32)
//       CHECK:     %[[PARTIAL:.+]] = linalg.generic {indexing_maps = [#[[$A]], #[[$B]], #[[$PARTIAL]]], iterator_types = ["parallel", "reduction", "parallel"]} ins(%[[A32]], %[[B32]] {{.*}} outs(%[[PARTIAL0]]
//  CHECK-NEXT:     ^bb0(%[[X:.+]]: f32, %[[Y:.+]]: f32, %[[P:.+]]: f32):
//  CHECK-NEXT:       %[[XY:.+]] = arith.mulf %[[X]], %[[Y]] : f32
//  CHECK-NEXT:       %[[P1:.+]] = arith.addf %[[P]], %[[XY]] : f32
//  CHECK-NEXT:       linalg.yield %[[P1]]
//       CHECK:     %[[SFA:.+]] = tensor.extract_slice %[[IN_SFA]][%[[KB]], 0] [1, %[[M]]]
//       CHECK:     %[[SFB:.+]] = tensor.extract_slice %[[IN_SFB]][0, %[[KB]]] [2, 1]
//       CHECK:     linalg.generic {indexing_maps = [#[[$ID]], #[[$SFA]], #[[$SFB]], #[[$ID]]]{{.*}} ins(%[[PARTIAL]], %[[SFA]], %[[SFB]] {{.*}} outs(%[[ACC]]
//  CHECK-NEXT:     ^bb0(%[[P:.+]]: f32, %[[SA:.+]]: f32, %[[SB:.+]]: f32, %[[S:.+]]: f32):
//  CHECK-NEXT:       %[[SCALE:.+]] = arith.mulf %[[SA]], %[[SB]] : f32
//  CHECK-NEXT:       %[[NEXT:.+]] = math.fma %[[P]], %[[SCALE]], %[[S]] : f32
//  CHECK-NEXT:       linalg.yield %[[NEXT]]
//       CHECK:   %[[D:.+]] = linalg.generic {{.*}} ins(%[[SUM]] : tensor<?x136xf32>) outs(%[[IN_D]] : tensor<?x136xbf16>)
//       CHECK:     arith.truncf %{{.+}} : f32 to bf16
//       CHECK:   return %[[D]]
func.func @k_tail_mn_major(%a: tensor<?x144xf8E4M3FN>, %sfa: tensor<2x?xf32>, %b: tensor<136x144xf8E4M3FN>,
                           %sfb: tensor<2x2xf32>, %d: tensor<?x136xbf16>) -> tensor<?x136xbf16> {
  %r = fp8gemm.gemm %a scaled_by %sfa <1x128, mn_major>, %b scaled_by %sfb <128x128, k_major> into %d
    : tensor<?x144xf8E4M3FN>, tensor<2x?xf32>, tensor<136x144xf8E4M3FN>, tensor<2x2xf32>, tensor<?x136xbf16>
   -> tensor<?x136xbf16>
  return %r : tensor<?x136xbf16>
}
