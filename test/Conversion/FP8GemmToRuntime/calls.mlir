// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: fp8gemm-opt %s --convert-fp8gemm-to-runtime | FileCheck %s
// RUN: fp8gemm-opt %s --convert-fp8gemm-to-runtime=memory=device | FileCheck %s --check-prefix=DEVICE

module attributes {gpu.container_module} {
// The module keeps the kernel file, the struct that says where it is, and what the runtime calls the problem; the
// kernel's gpu.binary is gone.
// CHECK-NOT: gpu
// CHECK-DAG: llvm.mlir.global internal constant @kernel_bytes("FILE") {addr_space = 0 : i32, alignment = 64 : i64}
// CHECK-DAG: llvm.mlir.global internal @kernel_file() {{.+}} : !llvm.struct<(ptr, i64, ptr, i64, ptr)>
// CHECK-DAG: llvm.mlir.global internal constant @fp8gemm_run_0_problem([112, -1, 136, 144, 0 : i32, 1 : i32, 2 : i32, 0 : i32, 128 : i32, 1 : i32, 0 : i32, 0 : i32, 1 : i32, 1 : i32, 0 : i32, 0 : i32, 0 : i32, 0 : i32, 0 : i32, 0 : i32, 0 : i32, 0 : i32, 0 : i32, 0 : i32])
gpu.binary @kernel [#gpu.object<#nvvm.target, bin = "FILE">]

// A function spills the descriptors of the operands, calls the runtime with an array of their places, which has null for
// the operands that there are not, and ends the program where that failed.
// CHECK-LABEL: func.func private @fp8gemm_run_0
//  CHECK-SAME:   (%[[A:[^:]+]]: memref<?x144xf8E4M3FN>, %{{[^)]+}}) attributes {no_inline}
//       CHECK:   %[[ARRAY:.+]] = llvm.alloca %{{.+}} x !llvm.array<7 x ptr>
//       CHECK:   %[[NULLS:.+]] = llvm.mlir.zero : !llvm.array<7 x ptr>
//  CHECK-NEXT:   llvm.store %[[NULLS]], %[[ARRAY]]
//       CHECK:   %[[PLACE:.+]] = llvm.alloca %{{.+}} x !llvm.struct<(ptr, ptr, i64, array<2 x i64>, array<2 x i64>)>
//       CHECK:   %[[DESCRIPTOR:.+]] = builtin.unrealized_conversion_cast %[[A]] : memref<?x144xf8E4M3FN> to !llvm.struct
//       CHECK:   llvm.store %[[DESCRIPTOR]], %[[PLACE]]
//       CHECK:   %[[FIRST:.+]] = llvm.getelementptr %[[ARRAY]][0]
//       CHECK:   llvm.store %[[PLACE]], %[[FIRST]]
//       CHECK:   %[[OF_D:.+]] = llvm.getelementptr %[[ARRAY]][6]
//   CHECK-DAG:   %[[FILE:.+]] = llvm.mlir.addressof @kernel_file
//   CHECK-DAG:   %[[PROBLEM:.+]] = llvm.mlir.addressof @fp8gemm_run_0_problem
//   CHECK-DAG:   %[[ON_DEVICE:.+]] = llvm.mlir.constant(0 : i32) : i32
//   CHECK-DAG:   %[[COUNT:.+]] = llvm.mlir.constant(7 : i32) : i32
//       CHECK:   %[[STATUS:.+]] = llvm.call @fp8gemm_program_run_operands(%[[FILE]], %[[PROBLEM]], %[[ON_DEVICE]], %[[ARRAY]], %[[COUNT]])
//       CHECK:   %[[GOOD:.+]] = llvm.icmp "eq" %[[STATUS]]
//       CHECK:   cf.cond_br %[[GOOD]], ^[[DONE:.+]], ^[[FAILED:.+]]
//       CHECK: ^[[FAILED]]:
//       CHECK:   llvm.call @fp8gemm_program_fail(%[[STATUS]])
//       CHECK:   cf.br ^[[DONE]]
//       CHECK: ^[[DONE]]:
//  CHECK-NEXT:   return

// Equal products share it.
// CHECK-LABEL: func.func @twice
//  CHECK-SAME:   (%[[A:[^:]+]]: memref<?x144xf8E4M3FN>, %[[SFA:[^:]+]]: {{[^%]+}}%[[B:[^:]+]]: {{[^%]+}}%[[SFB:[^:]+]]: {{[^%]+}}%[[D:[^:]+]]:
// CHECK-COUNT-2:  call @fp8gemm_run_0(%[[A]], %[[SFA]], %[[B]], %[[SFB]], %[[D]])
//  CHECK-NEXT:   return
func.func @twice(%a: memref<?x144xf8E4M3FN>, %sfa: memref<2x?xf32>, %b: memref<136x144xf8E5M2>, %sfb: memref<2x2xf32>,
                 %d: memref<?x136xbf16>) {
  fp8gemm.gemm %a scaled_by %sfa <1x128, mn_major>, %b scaled_by %sfb <128x128, k_major> into %d {kernel = @kernel::@kernel}
    : memref<?x144xf8E4M3FN>, memref<2x?xf32>, memref<136x144xf8E5M2>, memref<2x2xf32>, memref<?x136xbf16>
  fp8gemm.gemm %a scaled_by %sfa <1x128, mn_major>, %b scaled_by %sfb <128x128, k_major> into %d {kernel = @kernel::@kernel}
    : memref<?x144xf8E4M3FN>, memref<2x?xf32>, memref<136x144xf8E5M2>, memref<2x2xf32>, memref<?x136xbf16>
  return
}

// A, B and D in memory space 1 are on the device (1 + 4 + 64); by the option the others are, too (2 + 8).
// CHECK-LABEL: func.func private @fp8gemm_run_1
// CHECK: llvm.mlir.constant(69 : i32)
// DEVICE-LABEL: func.func private @fp8gemm_run_1
// DEVICE: llvm.mlir.constant(79 : i32)
// CHECK-LABEL: func.func @on_device
func.func @on_device(%a: memref<?x16xf8E4M3FN, 1>, %sfa: memref<?x1xf32>, %b: memref<8x16xf8E4M3FN, 1>, %sfb: memref<1x1xf32>,
                     %d: memref<?x8xbf16, 1>) {
  fp8gemm.gemm %a scaled_by %sfa <1x128, k_major>, %b scaled_by %sfb <128x128, k_major> into %d {kernel = @kernel::@kernel}
    : memref<?x16xf8E4M3FN, 1>, memref<?x1xf32>, memref<8x16xf8E4M3FN, 1>, memref<1x1xf32>, memref<?x8xbf16, 1>
  return
}
}
