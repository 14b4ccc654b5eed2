// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: fp8gemm-opt %s --convert-fp8gemm-to-runtime=pack=model.fp8pack | FileCheck %s
// RUN: %if ptxas %{ fp8gemm-compile --pack=%s --batch-invariant --max-m=1 -o %t.pack --quiet %}
// RUN: %if ptxas %{ fp8gemm-opt %s --convert-fp8gemm-to-runtime="pack=%t.pack embed-pack batch-invariant" | FileCheck %s --check-prefix=EMBEDDED %}

// All products have the pack's kernels; each kind of product has its own function and problem.
// CHECK-DAG: llvm.mlir.global internal constant @fp8gemm_pack_path("model.fp8pack\00")
// EMBEDDED-DAG: llvm.mlir.global internal constant @fp8gemm_pack_bytes("FP8PACK\0A{{.+}}") {addr_space = 0 : i32, alignment = 64 : i64}

// Grouped by ends of rows, aligned to 128: grouping 2, 2 groups. The last numbers are batch_invariant, those of a quantisation, bias and other epilogues, and none.
// CHECK-DAG: @fp8gemm_run_0_problem([112, -1, 8, 16, 0 : i32, 0 : i32, 3 : i32, 0 : i32, 1 : i32, 0 : i32, 0 : i32, 2 : i32, 2 : i32, 128 : i32, 0 : i32, 0 : i32, 0 : i32, 0 : i32, 0 : i32, 0 : i32, 0 : i32, 0 : i32, 0 : i32, 0 : i32])
// EMBEDDED-DAG: @fp8gemm_run_0_problem({{.+}}, 1 : i32, 0 : i32, 0 : i32, 0 : i32, 0 : i32, 0 : i32, 0 : i32, 0 : i32, 0 : i32])
// Along K in place: c_use 2, grouping 5, M = 4 and any K; C is D, and passed once.
// CHECK-DAG: @fp8gemm_run_1_problem([112, 4, 8, -1, 0 : i32, 0 : i32, 3 : i32, 2 : i32, 1 : i32, 1 : i32, 1 : i32, 5 : i32, 2 : i32, 1 : i32, 1 : i32, 0 : i32, 0 : i32, 0 : i32, 0 : i32, 0 : i32, 0 : i32, 0 : i32, 0 : i32, 0 : i32])
// CHECK-LABEL: func.func private @fp8gemm_run_0
// CHECK: llvm.getelementptr %{{.+}}[4]
// CHECK-NOT: llvm.getelementptr %{{.+}}[5]
// CHECK: llvm.getelementptr %{{.+}}[6]
// CHECK: llvm.call @fp8gemm_program_run_operands(
func.func @row_end(%a: memref<?x16xf8E4M3FN>, %sfa: memref<?x1xf32>, %b: memref<2x8x16xf8E4M3FN>, %sfb: memref<2x8x1xf32>,
                   %ends: memref<2xi32>, %d: memref<?x8xf32>) {
  fp8gemm.grouped_gemm %a scaled_by %sfa <1x128, k_major>, %b scaled_by %sfb <1x128, k_major> groups %ends <row_end, align = 128> into %d
    : memref<?x16xf8E4M3FN>, memref<?x1xf32>, memref<2x8x16xf8E4M3FN>, memref<2x8x1xf32>, memref<2xi32>, memref<?x8xf32>
  return
}

// CHECK-LABEL: func.func @along_k
// CHECK-SAME: %[[D:[^: ]+]]: memref<2x4x8xf32>)
// CHECK: call @fp8gemm_run_1(%{{[^,]+}}, %{{[^,]+}}, %{{[^,]+}}, %{{[^,]+}}, %{{[^,]+}}, %[[D]])
func.func @along_k(%a: memref<?xf8E4M3FN>, %sfa: memref<?x4xf32>, %b: memref<?xf8E4M3FN>, %sfb: memref<?x8xf32>,
                   %lengths: memref<2xi32>, %d: memref<2x4x8xf32>) {
  fp8gemm.k_grouped_gemm %a scaled_by %sfa <1x128, mn_major>, %b scaled_by %sfb <1x128, mn_major> groups %lengths <k_count> plus %d into %d
    : memref<?xf8E4M3FN>, memref<?x4xf32>, memref<?xf8E4M3FN>, memref<?x8xf32>, memref<2xi32>, memref<2x4x8xf32>, memref<2x4x8xf32>
  return
}
