// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: fp8gemm-opt %s --expand-e4m3 --split-input-file | FileCheck %s -enable-var-scope

// CHECK-LABEL: func @extend
//  CHECK-SAME:   %[[X:.+]]: f8E4M3FN
//       CHECK:   %[[BITS:.+]] = arith.bitcast %[[X]] : f8E4M3FN to i8
//       CHECK:   arith.extui %[[BITS]] : i8 to i32
//       CHECK:   %[[UNIT:.+]] = arith.constant 0.001953125 : f32
//       CHECK:   arith.mulf %{{.+}}, %[[UNIT]] : f32
//       CHECK:   %[[NAN:.+]] = arith.constant 0x7FC00000 : f32
//       CHECK:   %[[MASK:.+]] = arith.constant 127 : i32
//       CHECK:   %[[IS_NAN:.+]] = arith.cmpi eq, %{{.+}}, %[[MASK]] : i32
//       CHECK:   %[[R:.+]] = arith.select %[[IS_NAN]], %[[NAN]], %{{.+}} : f32
//       CHECK:   return %[[R]]
func.func @extend(%x: f8E4M3FN) -> f32 {
  %y = arith.extf %x : f8E4M3FN to f32
  return %y : f32
}

// -----

// CHECK-LABEL: func @others_stay
//       CHECK:   arith.extf %{{.+}} : f8E5M2 to f32
//       CHECK:   arith.extf %{{.+}} : bf16 to f32
func.func @others_stay(%x: f8E5M2, %y: bf16) -> (f32, f32) {
  %0 = arith.extf %x : f8E5M2 to f32
  %1 = arith.extf %y : bf16 to f32
  return %0, %1 : f32, f32
}
