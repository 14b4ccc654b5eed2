// REQUIRES: ptxas
// RUN: fp8gemm-opt %s --fp8gemm-serialize-kernels -split-input-file -verify-diagnostics -o %t

// expected-error @+1 {{expected one llvm.func with nvvm.kernel, got 0}}
gpu.module @no_kernel {
  llvm.func @helper() { llvm.return }
}

// -----

// expected-error @+1 {{expected one llvm.func with nvvm.kernel, got 2}}
gpu.module @two_kernels {
  llvm.func @first() attributes {nvvm.kernel} { llvm.return }
  llvm.func @second() attributes {nvvm.kernel} { llvm.return }
}

// -----

// expected-error @+1 {{expected chip sm_90a, got sm_80}}
gpu.module @other_chip [#nvvm.target<chip = "sm_80">] {
  llvm.func @kernel() attributes {nvvm.kernel} { llvm.return }
}

// -----

gpu.module @no_launch {
  // expected-error @+3 {{expected a kernel with attribute 'hopper.launch', got none}}
  // expected-error @+2 {{expected a kernel with attribute 'hopper.smem_bytes', got none}}
  // expected-error @+1 {{expected a kernel with attribute 'hopper.problem', got none}}
  llvm.func @kernel() attributes {nvvm.kernel} { llvm.return }
}

// -----

gpu.module @no_param {
  // expected-error @+1 {{expected argument 0 with attribute 'hopper.param', got none}}
  llvm.func @kernel(%m: i32) attributes {nvvm.kernel, hopper.smem_bytes = 0 : i64,
      hopper.problem = #hopper.problem<gemm, m = ?, n = 8, k = 16, a = f8E4M3FN, b = f8E4M3FN, c = none, d = bf16, sfa = mn_major, sfb = k_major by 128>,
      hopper.launch = #hopper.launch<threads = 128, tile_m = 64, tile_n = 8, stages = 2, consumers = 1>} {
    llvm.return
  }
}

// -----

gpu.module @no_map {
  // expected-error @+1 {{expected argument 0, a tensor map, with 'hopper.map', its !nvgpu.tensormap.descriptor type}}
  llvm.func @kernel(%a: !llvm.ptr {hopper.param = #hopper.param<tensor_map of a>})
      attributes {nvvm.kernel, hopper.smem_bytes = 0 : i64,
      hopper.problem = #hopper.problem<gemm, m = ?, n = 8, k = 16, a = f8E4M3FN, b = f8E4M3FN, c = none, d = bf16, sfa = mn_major, sfb = k_major by 128>,
      hopper.launch = #hopper.launch<threads = 128, tile_m = 64, tile_n = 8, stages = 2, consumers = 1>} {
    llvm.return
  }
}

// -----

gpu.module @param_of_other_size {
  // expected-error @+1 {{manifest disagrees with its cubin: expected parameter 0 of 4 bytes, got 8}}
  llvm.func @kernel(%m: i64 {hopper.param = #hopper.param<extent_m of none>})
      attributes {nvvm.kernel, hopper.smem_bytes = 0 : i64,
      hopper.problem = #hopper.problem<gemm, m = ?, n = 8, k = 16, a = f8E4M3FN, b = f8E4M3FN, c = none, d = bf16, sfa = mn_major, sfb = k_major by 128>,
      hopper.launch = #hopper.launch<threads = 128, tile_m = 64, tile_n = 8, stages = 2, consumers = 1>} {
    llvm.return
  }
}

// -----

// What LLVM's code generator complains about is said here, not on stderr, and ends the pass, not the process.
// expected-error @+1 {{LLVM: couldn't allocate output register for constraint 'Z'}}
gpu.module @bad_assembly {
  llvm.func @kernel() attributes {nvvm.kernel, hopper.smem_bytes = 0 : i64,
      hopper.problem = #hopper.problem<gemm, m = ?, n = 8, k = 16, a = f8E4M3FN, b = f8E4M3FN, c = none, d = bf16, sfa = mn_major, sfb = k_major by 128>,
      hopper.launch = #hopper.launch<threads = 128, tile_m = 64, tile_n = 8, stages = 2, consumers = 1>} {
    %0 = llvm.inline_asm has_side_effects "mov.b32 $0, 1;", "=Z" : () -> i32
    llvm.return
  }
}

// -----

gpu.module @outside_of_a_function {
  // expected-error @+1 {{'nvvm.setmaxregister' op expected to be in a function, got it in a gpu.module}}
  nvvm.setmaxregister decrease 40
  llvm.func @kernel() attributes {nvvm.kernel, hopper.smem_bytes = 0 : i64,
      hopper.problem = #hopper.problem<gemm, m = ?, n = 8, k = 16, a = f8E4M3FN, b = f8E4M3FN, c = none, d = bf16, sfa = mn_major, sfb = k_major by 128>,
      hopper.launch = #hopper.launch<threads = 128, tile_m = 64, tile_n = 8, stages = 2, consumers = 1>} {
    llvm.return
  }
}
