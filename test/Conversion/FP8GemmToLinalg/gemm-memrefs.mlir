// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: fp8gemm-opt %s --convert-fp8gemm-to-linalg -canonicalize -split-input-file | FileCheck %s -enable-var-scope

//   CHECK-DAG: #[[$SFA:.+]] = affine_map<(d0, d1) -> (d0, 0)>
//   CHECK-DAG: #[[$SFB:.+]] = affine_map<(d0, d1) -> (0, d1 floordiv 128)>
// CHECK-LABEL: func @whole_blocks_k_major
//  CHECK-SAME:   %[[A:[^:]+]]: memref<7x256xf8E4M3FN>, %[[SFA:[^:]+]]: memref<7x2xf32>, %{{[^:]+}}: memref<136x256xf8E4M3FN>, %[[SFB:[^:]+]]: memref<2x4xf32>, %[[D:[^:]+]]: memref<7x136xbf16>
//       CHECK:   %[[SUM:.+]] = memref.alloc() : memref<7x136xf32>
//       CHECK:   scf.for %[[KB:.+]] =
//       CHECK:     memref.subview %[[A]][0, %{{.+}}] [7, 128]
//       CHECK:     %[[SFA_KB:.+]] = memref.subview %[[SFA]][0, %[[KB]]] [7, 1]
//       CHECK:     %[[SFB_KB:.+]] = memref.subview %[[SFB]][%[[KB]], 0] [1, 2]
//       CHECK:     linalg.generic {indexing_maps = [#{{.+}}, #[[$SFA]], #[[$SFB]], #{{.+}}]{{.*}} ins(%{{.+}}, %[[SFA_KB]], %[[SFB_KB]] {{.*}} outs(%[[SUM]]
//       CHECK:   linalg.generic {{.*}} ins(%[[SUM]] {{.*}} outs(%[[D]]
//       CHECK:   memref.dealloc %[[SUM]]
//   CHECK-NOT:   fp8gemm.gemm
func.func @whole_blocks_k_major(%a: memref<7x256xf8E4M3FN>, %sfa: memref<7x2xf32>, %b: memref<136x256xf8E4M3FN>,
                                %sfb: memref<2x4xf32>, %d: memref<7x136xbf16>) {
  fp8gemm.gemm %a scaled_by %sfa <1x128, k_major>, %b scaled_by %sfb <128x128, mn_major> into %d
    : memref<7x256xf8E4M3FN>, memref<7x2xf32>, memref<136x256xf8E4M3FN>, memref<2x4xf32>, memref<7x136xbf16>
  return
}

// -----

// Every temporary is freed: two of extended elements and the partial sum in the loop.
// CHECK-LABEL: func @temporaries_are_freed
// CHECK-COUNT-4: memref.alloc
// CHECK-NOT:     memref.alloc
// CHECK-COUNT-4: memref.dealloc
func.func @temporaries_are_freed(%a: memref<?x16xf8E4M3FN>, %sfa: memref<?x1xf32>, %b: memref<8x16xf8E4M3FN>,
                                 %sfb: memref<1x1xf32>, %d: memref<?x8xbf16>) {
  fp8gemm.gemm %a scaled_by %sfa <1x128, k_major>, %b scaled_by %sfb <128x128, k_major> into %d
    : memref<?x16xf8E4M3FN>, memref<?x1xf32>, memref<8x16xf8E4M3FN>, memref<1x1xf32>, memref<?x8xbf16>
  return
}

// -----

// A K below one block is one block of that length.
// CHECK-LABEL: func @short_k
//       CHECK:   memref.alloc() : memref<3x16xf32>
//       CHECK:   memref.alloc() : memref<16x8xf32>
func.func @short_k(%a: memref<3x16xf8E4M3FN>, %sfa: memref<3x1xf32>, %b: memref<8x16xf8E4M3FN>,
                   %sfb: memref<1x1xf32>, %d: memref<3x8xbf16>) {
  fp8gemm.gemm %a scaled_by %sfa <1x128, k_major>, %b scaled_by %sfb <128x128, k_major> into %d
    : memref<3x16xf8E4M3FN>, memref<3x1xf32>, memref<8x16xf8E4M3FN>, memref<1x1xf32>, memref<3x8xbf16>
  return
}

// -----

// CHECK-LABEL: func @no_rows
//  CHECK-NEXT:   return
func.func @no_rows(%a: memref<0x16xf8E4M3FN>, %sfa: memref<0x1xf32>, %b: memref<8x16xf8E4M3FN>,
                   %sfb: memref<1x1xf32>, %d: memref<0x8xbf16>) {
  fp8gemm.gemm %a scaled_by %sfa <1x128, k_major>, %b scaled_by %sfb <128x128, k_major> into %d
    : memref<0x16xf8E4M3FN>, memref<0x1xf32>, memref<8x16xf8E4M3FN>, memref<1x1xf32>, memref<0x8xbf16>
  return
}

// -----

// Recipe 1d1d: each row of B has its scale. C is added in f32; nothing is rounded.
//   CHECK-DAG: #[[$ID:.+]] = affine_map<(d0, d1) -> (d0, d1)>
//   CHECK-DAG: #[[$ROWS:.+]] = affine_map<(d0, d1) -> (0, d0)>
//   CHECK-DAG: #[[$COLUMNS:.+]] = affine_map<(d0, d1) -> (0, d1)>
// CHECK-LABEL: func @rows_of_b_scaled_f32_in_place
//  CHECK-SAME:   %[[SFB:[^ :]+]]: memref<1x8xf32>, %[[D:[^ :]+]]: memref<4x8xf32>)
//       CHECK:   linalg.generic {indexing_maps = [#[[$ID]], #[[$ROWS]], #[[$COLUMNS]], #[[$ID]]]{{.*}} ins(%{{.+}}, %{{.+}}, %[[SFB]] :
//       CHECK:   linalg.generic {indexing_maps = [#[[$ID]], #[[$ID]], #[[$ID]]]{{.*}} ins(%{{.+}}, %[[D]] : {{.*}} outs(%[[D]] :
//  CHECK-NEXT:   ^bb0(%[[SUM:.+]]: f32, %[[C:.+]]: f32, %{{.+}}: f32):
//  CHECK-NEXT:     %[[RESULT:.+]] = arith.addf %[[C]], %[[SUM]] : f32
//  CHECK-NEXT:     linalg.yield %[[RESULT]]
func.func @rows_of_b_scaled_f32_in_place(%a: memref<4x16xf8E5M2>, %sfa: memref<1x4xf32>, %b: memref<8x16xf8E4M3FN>,
                                         %sfb: memref<1x8xf32>, %d: memref<4x8xf32>) {
  fp8gemm.gemm %a scaled_by %sfa <1x128, mn_major>, %b scaled_by %sfb <1x128, mn_major> plus %d into %d
    : memref<4x16xf8E5M2>, memref<1x4xf32>, memref<8x16xf8E4M3FN>, memref<1x8xf32>, memref<4x8xf32>, memref<4x8xf32>
  return
}

// -----

// A bf16 C is extended, added in f32, and the result rounded once.
// CHECK-LABEL: func @bf16_c
//       CHECK:   ^bb0(%[[SUM:.+]]: f32, %[[C:.+]]: bf16, %{{.+}}: bf16):
//  CHECK-NEXT:     %[[WIDE:.+]] = arith.extf %[[C]] : bf16 to f32
//  CHECK-NEXT:     %[[RESULT:.+]] = arith.addf %[[WIDE]], %[[SUM]] : f32
//  CHECK-NEXT:     %[[ROUNDED:.+]] = arith.truncf %[[RESULT]] : f32 to bf16
//  CHECK-NEXT:     linalg.yield %[[ROUNDED]]
func.func @bf16_c(%a: memref<4x16xf8E4M3FN>, %sfa: memref<1x4xf32>, %b: memref<8x16xf8E4M3FN>,
                  %sfb: memref<1x1xf32>, %c: memref<4x8xbf16>, %d: memref<4x8xbf16>) {
  fp8gemm.gemm %a scaled_by %sfa <1x128, mn_major>, %b scaled_by %sfb <128x128, k_major> plus %c into %d
    : memref<4x16xf8E4M3FN>, memref<1x4xf32>, memref<8x16xf8E4M3FN>, memref<1x1xf32>, memref<4x8xbf16>,
      memref<4x8xbf16>
  return
}
