// RUN: fp8gemm-opt %s --pass-pipeline='builtin.module(gpu.module(fp8gemm-convert-kernels-to-llvm))' | FileCheck %s

// An index has 32 bits in a kernel, also where blocks pass it on.
// CHECK-LABEL: llvm.func @kernel
gpu.module @kernels {
  llvm.func @kernel(%m: i32) attributes {nvvm.kernel} {
    // CHECK: %[[ONE:.*]] = llvm.mlir.constant(1 : index) : i32
    %one = arith.constant 1 : index
    %extent = arith.index_cast %m : i32 to index
    // CHECK: llvm.br ^[[BODY:bb[0-9]+]](%[[ONE]] : i32)
    cf.br ^body(%one : index)
  // CHECK: ^[[BODY]](%[[I:.*]]: i32):
  ^body(%i: index):
    // CHECK: %[[NEXT:.*]] = llvm.add %[[I]], %[[ONE]] : i32
    %next = arith.addi %i, %one : index
    %more = arith.cmpi slt, %next, %extent : index
    // CHECK: llvm.cond_br %{{.*}}, ^[[BODY]](%[[NEXT]] : i32)
    cf.cond_br %more, ^body(%next : index), ^end
  ^end:
    llvm.return
  }
}

// Host code is left alone.
// CHECK-LABEL: func.func @host
func.func @host(%i: index) -> index {
  // CHECK: cf.br
  // CHECK: arith.addi %{{.*}} : index
  cf.br ^next(%i : index)
^next(%j: index):
  %sum = arith.addi %i, %j : index
  return %sum : index
}
