// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: fp8gemm-opt %s --convert-fp8gemm-to-linalg -canonicalize -cse -split-input-file | FileCheck %s -enable-var-scope

// Packed groups: rows from where the group before ends to where this one does, both cut to D's.
// CHECK-LABEL: func @row_end
//  CHECK-SAME:   %[[A:[^ :]+]]: memref<?x16xf8E4M3FN>, %[[SFA:[^ :]+]]: memref<1x?xf32>, %[[B:[^ :]+]]: memref<4x8x16xf8E4M3FN>, %[[SFB:[^ :]+]]: memref<4x1x1xf32>, %[[ENDS:[^ :]+]]: memref<4xi32>, %[[D:[^ :]+]]: memref<?x8xbf16>
//       CHECK:   %[[M:.+]] = memref.dim %[[D]]
//       CHECK:   scf.for %[[G:.+]] = %{{.+}} to %c4
//       CHECK:     %[[BEFORE:.+]] = memref.load %[[ENDS]]
//       CHECK:     arith.maxsi
//       CHECK:     %[[FIRST:.+]] = arith.minsi %{{.+}}, %[[M]]
//       CHECK:     memref.load %[[ENDS]][%[[G]]]
//       CHECK:     arith.maxsi
//       CHECK:     %[[END:.+]] = arith.minsi %{{.+}}, %[[M]]
//       CHECK:     %[[ROWS:.+]] = arith.subi %[[END]], %[[FIRST]]
//       CHECK:     %[[SOME:.+]] = arith.cmpi sgt, %[[ROWS]], %c0
//       CHECK:     scf.if %[[SOME]]
//   CHECK-DAG:       memref.subview %[[A]][%[[FIRST]], 0] [%[[ROWS]], 16]
//   CHECK-DAG:       memref.subview %[[SFA]][0, %[[FIRST]]] [1, %[[ROWS]]]
//   CHECK-DAG:       memref.subview %[[B]][%[[G]], 0, 0] [1, 8, 16] {{.*}} to memref<8x16xf8E4M3FN,
//   CHECK-DAG:       memref.subview %[[SFB]][%[[G]], 0, 0] [1, 1, 1] {{.*}} to memref<1x1xf32,
//   CHECK-DAG:       %[[D_ROWS:.+]] = memref.subview %[[D]][%[[FIRST]], 0] [%[[ROWS]], 8]
//       CHECK:       math.fma
//       CHECK:       linalg.generic {{.*}} outs(%[[D_ROWS]] :
//   CHECK-NOT:   fp8gemm
func.func @row_end(%a: memref<?x16xf8E4M3FN>, %sfa: memref<1x?xf32>, %b: memref<4x8x16xf8E4M3FN>, %sfb: memref<4x1x1xf32>,
                   %ends: memref<4xi32>, %d: memref<?x8xbf16>) {
  fp8gemm.grouped_gemm %a scaled_by %sfa <1x128, mn_major>, %b scaled_by %sfb <128x128, k_major> groups %ends <row_end> into %d
    : memref<?x16xf8E4M3FN>, memref<1x?xf32>, memref<4x8x16xf8E4M3FN>, memref<4x1x1xf32>, memref<4xi32>, memref<?x8xbf16>
  return
}

// -----

// A block of 8 rows has the index of its first row, and rows up to one that has another.
// CHECK-LABEL: func @row_index
//  CHECK-SAME:   %[[INDEX:[^ :]+]]: memref<20xi32>
//       CHECK:   scf.for %[[BLOCK:.+]] = %{{.+}} to %c3
//       CHECK:     %[[FIRST:.+]] = arith.muli %[[BLOCK]], %c8
//       CHECK:     memref.load %[[INDEX]][%[[FIRST]]]
//       CHECK:     %[[GROUP:.+]] = arith.index_cast
//       CHECK:     %[[END:.+]] = scf.for %[[ROW:.+]] = %[[FIRST]] to %[[LAST:.+]] step %c1 iter_args(%[[SO_FAR:.+]] = %[[LAST]])
//       CHECK:       memref.load %[[INDEX]][%[[ROW]]]
//       CHECK:       %[[SAME:.+]] = arith.cmpi eq, %{{.+}}, %[[GROUP]]
//       CHECK:       %[[HERE:.+]] = arith.minsi %[[SO_FAR]], %[[ROW]]
//       CHECK:       %[[NEXT:.+]] = arith.select %[[SAME]], %[[SO_FAR]], %[[HERE]]
//       CHECK:       scf.yield %[[NEXT]]
//       CHECK:     %[[IS_GROUP:.+]] = arith.cmpi ult, %[[GROUP]], %c4
//       CHECK:     %[[ROWS:.+]] = arith.subi %[[END]], %[[FIRST]]
//       CHECK:     arith.select %[[IS_GROUP]], %[[ROWS]], %c0
func.func @row_index(%a: memref<20x16xf8E4M3FN>, %sfa: memref<20x1xf32>, %b: memref<4x8x16xf8E4M3FN>, %sfb: memref<4x1x1xf32>,
                     %index: memref<20xi32>, %d: memref<20x8xbf16>) {
  fp8gemm.grouped_gemm %a scaled_by %sfa <1x128, k_major>, %b scaled_by %sfb <128x128, k_major> groups %index <row_index, align = 8> into %d
    : memref<20x16xf8E4M3FN>, memref<20x1xf32>, memref<4x8x16xf8E4M3FN>, memref<4x1x1xf32>, memref<20xi32>, memref<20x8xbf16>
  return
}

// -----

// On tensors the rows are inserted into D; without any D is what it was.
// CHECK-LABEL: func @row_count_on_tensors
//  CHECK-SAME:   %[[COUNTS:[^ :]+]]: tensor<4xi32>, %[[D:[^ :]+]]: tensor<4x?x8xbf16>
//       CHECK:   %[[RESULT:.+]] = scf.for %[[G:.+]] = %{{.+}} iter_args(%[[SO_FAR:.+]] = %[[D]])
//       CHECK:     tensor.extract %[[COUNTS]][%[[G]]]
//       CHECK:     %[[ROWS:.+]] = arith.minsi
//       CHECK:     %[[NEXT:.+]] = scf.if
//       CHECK:       tensor.extract_slice %[[SO_FAR]][%[[G]], 0, 0] [1, %[[ROWS]], 8] {{.*}} to tensor<?x8xbf16>
//       CHECK:       %[[INSERTED:.+]] = tensor.insert_slice %{{.+}} into %[[SO_FAR]][%[[G]], 0, 0] [1, %[[ROWS]], 8]
//       CHECK:       scf.yield %[[INSERTED]]
//       CHECK:     } else {
//  CHECK-NEXT:       scf.yield %[[SO_FAR]]
//       CHECK:     scf.yield %[[NEXT]]
//       CHECK:   return %[[RESULT]]
func.func @row_count_on_tensors(%a: tensor<4x?x16xf8E4M3FN>, %sfa: tensor<4x?x1xf32>, %b: tensor<4x8x16xf8E4M3FN>, %sfb: tensor<4x1x1xf32>,
                                %counts: tensor<4xi32>, %d: tensor<4x?x8xbf16>) -> tensor<4x?x8xbf16> {
  %r = fp8gemm.grouped_gemm %a scaled_by %sfa <1x128, k_major>, %b scaled_by %sfb <128x128, k_major> groups %counts <row_count> into %d
    : tensor<4x?x16xf8E4M3FN>, tensor<4x?x1xf32>, tensor<4x8x16xf8E4M3FN>, tensor<4x1x1xf32>, tensor<4xi32>, tensor<4x?x8xbf16>
   -> tensor<4x?x8xbf16>
  return %r : tensor<4x?x8xbf16>
}

// -----

// CHECK-LABEL: func @batched
//       CHECK:   scf.for
//   CHECK-NOT:     scf.if
//       CHECK:     memref.subview %{{.+}}[%{{.+}}, 0, 0] [1, 3, 16]
func.func @batched(%a: memref<4x3x16xf8E4M3FN>, %sfa: memref<4x3x1xf32>, %b: memref<4x8x16xf8E4M3FN>, %sfb: memref<4x1x1xf32>,
                   %d: memref<4x3x8xbf16>) {
  fp8gemm.grouped_gemm %a scaled_by %sfa <1x128, k_major>, %b scaled_by %sfb <128x128, k_major> into %d
    : memref<4x3x16xf8E4M3FN>, memref<4x3x1xf32>, memref<4x8x16xf8E4M3FN>, memref<4x1x1xf32>, memref<4x3x8xbf16>
  return
}

// -----

// CHECK-LABEL: func @no_rows
//  CHECK-NEXT:   return
func.func @no_rows(%a: memref<4x0x16xf8E4M3FN>, %sfa: memref<4x0x1xf32>, %b: memref<4x8x16xf8E4M3FN>, %sfb: memref<4x1x1xf32>,
                   %d: memref<4x0x8xbf16>) {
  fp8gemm.grouped_gemm %a scaled_by %sfa <1x128, k_major>, %b scaled_by %sfb <128x128, k_major> into %d
    : memref<4x0x16xf8E4M3FN>, memref<4x0x1xf32>, memref<4x8x16xf8E4M3FN>, memref<4x1x1xf32>, memref<4x0x8xbf16>
  return
}

// -----

// Flattened: the group's matrices start after M * start and N * start elements. In place only
// groups with a part of K are touched.
// CHECK-LABEL: func @k_count_flattened
//  CHECK-SAME:   %[[A:[^ :]+]]: memref<?xf8E4M3FN>, %[[SFA:[^ :]+]]: memref<?x4xf32>, %[[B:[^ :]+]]: memref<?xf8E4M3FN>, %[[SFB:[^ :]+]]: memref<8x?xf32>, %[[K:[^ :]+]]: memref<3xi32>, %[[D:[^ :]+]]: memref<3x4x8xf32>
//       CHECK:   scf.for %[[G:.+]] =
//       CHECK:     scf.for %{{.+}} to %[[G]]
//       CHECK:     scf.for %{{.+}} to %[[G]]
//       CHECK:       arith.ceildivsi %{{.+}}, %c128
//       CHECK:     scf.if
//       CHECK:       memref.subview %[[D]][%[[G]], 0, 0] [1, 4, 8]
//       CHECK:       memref.subview %[[A]][%{{.+}}] [%{{.+}}] [1]
//       CHECK:       memref.expand_shape {{.*}} output_shape [4, %[[LENGTH:.+]]] :
//       CHECK:       memref.subview %[[SFA]][%[[FIRST:.+]], 0] [%[[BLOCKS:.+]], 4]
//       CHECK:       memref.subview %[[B]][%{{.+}}] [%{{.+}}] [1]
//       CHECK:       memref.expand_shape {{.*}} output_shape [8, %[[LENGTH]]] :
//       CHECK:       memref.subview %[[SFB]][0, %[[FIRST]]] [8, %[[BLOCKS]]]
func.func @k_count_flattened(%a: memref<?xf8E4M3FN>, %sfa: memref<?x4xf32>, %b: memref<?xf8E4M3FN>, %sfb: memref<8x?xf32>,
                             %k: memref<3xi32>, %d: memref<3x4x8xf32>) {
  fp8gemm.k_grouped_gemm %a scaled_by %sfa <1x128, mn_major>, %b scaled_by %sfb <1x128, k_major> groups %k <k_count> plus %d into %d
    : memref<?xf8E4M3FN>, memref<?x4xf32>, memref<?xf8E4M3FN>, memref<8x?xf32>, memref<3xi32>, memref<3x4x8xf32>, memref<3x4x8xf32>
  return
}

// -----

// Side by side: the group's columns. Without C every group is written.
// CHECK-LABEL: func @k_count
//  CHECK-SAME:   %[[A:[^ :]+]]: memref<4x?xf8E4M3FN>
//       CHECK:   scf.for %[[G:.+]] =
//   CHECK-NOT:     scf.if
//       CHECK:     memref.subview %[[A]][0, %{{.+}}] [4, %{{.+}}]
func.func @k_count(%a: memref<4x?xf8E4M3FN>, %sfa: memref<?x4xf32>, %b: memref<8x?xf8E4M3FN>, %sfb: memref<8x?xf32>,
                   %k: memref<3xi32>, %d: memref<3x4x8xbf16>) {
  fp8gemm.k_grouped_gemm %a scaled_by %sfa <1x128, mn_major>, %b scaled_by %sfb <1x128, k_major> groups %k <k_count> into %d
    : memref<4x?xf8E4M3FN>, memref<?x4xf32>, memref<8x?xf8E4M3FN>, memref<8x?xf32>, memref<3xi32>, memref<3x4x8xbf16>
  return
}
