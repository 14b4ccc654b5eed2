// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: fp8gemm-opt %s --expand-f8 --split-input-file | FileCheck %s -enable-var-scope

// CHECK-LABEL: func @extend
//  CHECK-SAME:   %[[X:.+]]: f8E4M3FN
//       CHECK:   %[[BITS:.+]] = arith.bitcast %[[X]] : f8E4M3FN to i8
//       CHECK:   arith.extui %[[BITS]] : i8 to i32
//       CHECK:   %[[UNIT:.+]] = arith.constant 0.001953125 : f32
//       CHECK:   arith.mulf %{{.+}}, %[[UNIT]] : f32
//       CHECK:   %[[NAN:.+]] = arith.constant 0x7FC00000 : f32
//       CHECK:   %[[LARGEST:.+]] = arith.constant 126 : i32
//       CHECK:   %[[IS_NAN:.+]] = arith.cmpi ugt, %{{.+}}, %[[LARGEST]] : i32
//       CHECK:   %[[R:.+]] = arith.select %[[IS_NAN]], %[[NAN]], %{{.+}} : f32
//       CHECK:   return %[[R]]
func.func @extend(%x: f8E4M3FN) -> f32 {
  %y = arith.extf %x : f8E4M3FN to f32
  return %y : f32
}

// -----

// e5m2 has infinities: encoding 0x7c (124); what is larger is NaN.
// CHECK-LABEL: func @extend_e5m2
//       CHECK:   %[[UNIT:.+]] = arith.constant 1.52587891E-5 : f32
//       CHECK:   %[[INF:.+]] = arith.constant 2139095040 : i32
//       CHECK:   %[[INF_IN:.+]] = arith.constant 124 : i32
//       CHECK:   %[[IS_INF:.+]] = arith.cmpi eq, %{{.+}}, %[[INF_IN]] : i32
//       CHECK:   arith.select %[[IS_INF]], %[[INF]], %{{.+}} : i32
//       CHECK:   %[[IS_NAN:.+]] = arith.cmpi ugt, %{{.+}}, %{{.+}} : i32
//       CHECK:   arith.select %[[IS_NAN]], %{{.+}}, %{{.+}} : f32
func.func @extend_e5m2(%x: f8E5M2) -> f32 {
  %y = arith.extf %x : f8E5M2 to f32
  return %y : f32
}

// -----

// CHECK-LABEL: func @others_stay
//       CHECK:   arith.extf %{{.+}} : f16 to f32
//       CHECK:   arith.extf %{{.+}} : bf16 to f32
func.func @others_stay(%x: f16, %y: bf16) -> (f32, f32) {
  %0 = arith.extf %x : f16 to f32
  %1 = arith.extf %y : bf16 to f32
  return %0, %1 : f32, f32
}

// -----

// Vectors, element by element; bf16 and f16 by way of f32, which is exact.
// CHECK-LABEL: func @vectors
//   CHECK-NOT:   f8E4M3FN to vector
//       CHECK:   arith.select {{.*}} : vector<4xi1>, vector<4xf32>
//       CHECK:   arith.truncf {{.*}} : vector<4xf32> to vector<4xbf16>
//       CHECK:   arith.extf {{.*}} : vector<4xf16> to vector<4xf32>
//       CHECK:   arith.bitcast {{.*}} : vector<4xi8> to vector<4xf8E5M2>
func.func @vectors(%x: vector<4xf8E4M3FN>, %y: vector<4xf16>) -> (vector<4xbf16>, vector<4xf8E5M2>) {
  %0 = arith.extf %x : vector<4xf8E4M3FN> to vector<4xbf16>
  %1 = arith.truncf %y : vector<4xf16> to vector<4xf8E5M2>
  return %0, %1 : vector<4xbf16>, vector<4xf8E5M2>
}

// -----

// CHECK-LABEL: func @to_integers
//       CHECK:   arith.fptosi {{.*}} : f32 to i32
//       CHECK:   arith.fptoui {{.*}} : f32 to i8
func.func @to_integers(%x: f8E4M3FN, %y: f8E5M2) -> (i32, i8) {
  %0 = arith.fptosi %x : f8E4M3FN to i32
  %1 = arith.fptoui %y : f8E5M2 to i8
  return %0, %1 : i32, i8
}
