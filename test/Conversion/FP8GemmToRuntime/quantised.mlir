// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: fp8gemm-opt %s --convert-fp8gemm-to-runtime=pack=model.fp8pack | FileCheck %s

// The scales of a quantised D are operand 11; D has type 0 (e4m3), power_of_two is 1 and sfd is 2 (k_major).
// CHECK: @fp8gemm_run_0_problem([112, -1, 128, 16, 0 : i32, 0 : i32, 0 : i32, 0 : i32, 128 : i32, 1 : i32, 0 : i32, 0 : i32, 1 : i32, 1 : i32, 0 : i32, 0 : i32, 0 : i32, 1 : i32, 0 : i32, 0 : i32, 0 : i32, 0 : i32, 2 : i32, 0 : i32])
// CHECK: func.func private @fp8gemm_run_0(%{{.+}}: memref<?x16xf8E4M3FN>, {{.+}}, %{{.+}}: memref<?x128xf8E4M3FN>, %[[SFD:.+]]: memref<?x1xf32>)
// CHECK: %[[ARRAY:.+]] = llvm.alloca {{.+}} x !llvm.array<12 x ptr>
// CHECK: %[[SLOT:.+]] = llvm.getelementptr %[[ARRAY]][11]
// CHECK-NEXT: llvm.store %{{.+}}, %[[SLOT]]
// CHECK: llvm.call @fp8gemm_program_run_operands
func.func @quantised(%a: memref<?x16xf8E4M3FN>, %sfa: memref<1x?xf32>, %b: memref<128x16xf8E4M3FN>, %sfb: memref<1x1xf32>,
                     %d: memref<?x128xf8E4M3FN>, %sfd: memref<?x1xf32>) {
  fp8gemm.gemm %a scaled_by %sfa <1x128, mn_major>, %b scaled_by %sfb <128x128, k_major> into %d scaled_by %sfd <1x128, k_major> power_of_two
    : memref<?x16xf8E4M3FN>, memref<1x?xf32>, memref<128x16xf8E4M3FN>, memref<1x1xf32>, memref<?x128xf8E4M3FN> scaled_by memref<?x1xf32>
  return
}
