// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// REQUIRES: ptxas
// Operands in device memory go through all of the lowering: pointers of address space 1, and a mask that says which they are.
// RUN: fp8gemm-opt %s --fp8gemm-to-llvm-host | mlir-translate --mlir-to-llvmir >%t.ll
// RUN: FileCheck %s <%t.ll && llc -filetype=null %t.ll
// CHECK: call i32 @fp8gemm_program_run_operands(ptr @{{.+}}_file, ptr @fp8gemm_run_0_problem, i32 69, ptr %{{.+}}, i32 7)
// CHECK-LABEL: define void @on_device(ptr addrspace(1)
// CHECK-LABEL: define void @_mlir_ciface_on_device
func.func @on_device(%a: memref<?x16xf8E4M3FN, 1>, %sfa: memref<?x1xf32>, %b: memref<8x16xf8E4M3FN, 1>, %sfb: memref<1x1xf32>,
                     %d: memref<?x8xbf16, 1>) attributes {llvm.emit_c_interface} {
  fp8gemm.gemm %a scaled_by %sfa <1x128, k_major>, %b scaled_by %sfb <128x128, k_major> into %d
    : memref<?x16xf8E4M3FN, 1>, memref<?x1xf32>, memref<8x16xf8E4M3FN, 1>, memref<1x1xf32>, memref<?x8xbf16, 1>
  return
}
