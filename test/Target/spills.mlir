// REQUIRES: ptxas
// RUN: fp8gemm-opt %s --fp8gemm-serialize-kernels -split-input-file -verify-diagnostics -o %t
// RUN: fp8gemm-opt %s --fp8gemm-serialize-kernels=allow-spills -split-input-file 2>&1 | FileCheck %s

// CHECK: warning: ptxas: expected no register spills, got {{[1-9][0-9]*}} bytes of stores and {{[1-9][0-9]*}} bytes of loads per thread
// CHECK: gpu.binary @spills
gpu.module @spills {
  hopper.entry @spills params [#hopper.param<matrix of d>]
      problem<gemm, m = ?, n = 8, k = 16, a = f8E4M3FN, b = f8E4M3FN, c = none, d = bf16, sfa = mn_major, sfb = k_major by 128>
      launch<threads = 128, tile_m = 64, tile_n = 8> smem_bytes(0)
  // expected-error-re @+2 {{ptxas: expected no register spills, got {{[1-9][0-9]*}} bytes of stores and {{[1-9][0-9]*}} bytes of loads per thread (allow-spills accepts it)}}
  // expected-error-re @+1 {{ptxas: expected no local memory, got {{[1-9][0-9]*}} bytes per thread (allow-spills accepts it)}}
  llvm.func @spills(%d: !llvm.ptr<1>) attributes {nvvm.kernel, nvvm.maxntid = array<i32: 128, 1, 1>, nvvm.maxnreg = 24 : i32} {
    // 64 values that live across a barrier, in 24 registers.
    %v = llvm.load volatile %d : !llvm.ptr<1> -> vector<64xf32>
    nvvm.barrier0
    %w = llvm.fadd %v, %v : vector<64xf32>
    llvm.store volatile %w, %d : vector<64xf32>, !llvm.ptr<1>
    llvm.return
  }
}

// -----

// CHECK: warning: ptxas: (C7508)
// CHECK: gpu.binary @ignored_setmaxnreg
gpu.module @ignored_setmaxnreg {
  hopper.entry @kernel params []
      problem<gemm, m = ?, n = 8, k = 16, a = f8E4M3FN, b = f8E4M3FN, c = none, d = bf16, sfa = mn_major, sfb = k_major by 128>
      launch<threads = 128, tile_m = 64, tile_n = 8> smem_bytes(0)
  // expected-error @+1 {{ptxas: (C7508)}}
  llvm.func @kernel() attributes {nvvm.kernel} {
    nvvm.setmaxregister decrease 40
    llvm.return
  }
}
