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

gpu.module @no_entry {
  // expected-error @+1 {{expected a kernel with one hopper.entry in its module, got none or several}}
  llvm.func @kernel() attributes {nvvm.kernel} { llvm.return }
}

// -----

gpu.module @two_entries {
  hopper.entry @kernel params [] launch<threads = 128, tile_m = 64, tile_n = 8> smem_bytes(0)
  hopper.entry @kernel params [] launch<threads = 128, tile_m = 64, tile_n = 8> smem_bytes(1)
  // expected-error @+1 {{expected a kernel with one hopper.entry in its module, got none or several}}
  llvm.func @kernel() attributes {nvvm.kernel} { llvm.return }
}

// -----

gpu.module @no_problem {
  // expected-error @+1 {{expected a kernel with a 'problem', got none}}
  hopper.entry @kernel params [] launch<threads = 128, tile_m = 64, tile_n = 8> smem_bytes(0)
  llvm.func @kernel() attributes {nvvm.kernel} { llvm.return }
}

// -----

gpu.module @no_operand {
  // expected-error @+1 {{expected parameter 0 of the kernel to be an operand, got #hopper.param<extent of none>}}
  hopper.entry @kernel params [#hopper.param<extent of none>]
      problem<gemm, m = ?, n = 8, k = 16, a = f8E4M3FN, b = f8E4M3FN, c = none, d = bf16, sfa = mn_major, sfb = k_major by 128>
      launch<threads = 128, tile_m = 64, tile_n = 8> smem_bytes(0)
  llvm.func @kernel(%m: i32) attributes {nvvm.kernel} {
    llvm.return
  }
}

// -----

gpu.module @extent_of_an_operand {
  // expected-error @+1 {{expected an extent to be that of m or k, got #hopper.param<extent of a>}}
  hopper.entry @kernel params [#hopper.param<extent of a>]
      problem<gemm, m = ?, n = 8, k = 16, a = f8E4M3FN, b = f8E4M3FN, c = none, d = bf16, sfa = mn_major, sfb = k_major by 128>
      launch<threads = 128, tile_m = 64, tile_n = 8> smem_bytes(0)
  llvm.func @kernel(%m: i32) attributes {nvvm.kernel} {
    llvm.return
  }
}

// -----

gpu.module @param_of_other_size {
  hopper.entry @kernel params [#hopper.param<extent of m>]
      problem<gemm, m = ?, n = 8, k = 16, a = f8E4M3FN, b = f8E4M3FN, c = none, d = bf16, sfa = mn_major, sfb = k_major by 128>
      launch<threads = 128, tile_m = 64, tile_n = 8> smem_bytes(0)
  // expected-error @+1 {{manifest disagrees with its cubin: expected parameter 0 of 4 bytes, got 8}}
  llvm.func @kernel(%m: i64) attributes {nvvm.kernel} {
    llvm.return
  }
}

// -----

// What LLVM's code generator complains about is said here, not on stderr, and ends the pass, not the process.
// expected-error @+1 {{LLVM: couldn't allocate output register for constraint 'Z'}}
gpu.module @bad_assembly {
  hopper.entry @kernel params []
      problem<gemm, m = ?, n = 8, k = 16, a = f8E4M3FN, b = f8E4M3FN, c = none, d = bf16, sfa = mn_major, sfb = k_major by 128>
      launch<threads = 128, tile_m = 64, tile_n = 8> smem_bytes(0)
  llvm.func @kernel() attributes {nvvm.kernel} {
    %0 = llvm.inline_asm has_side_effects "mov.b32 $0, 1;", "=Z" : () -> i32
    llvm.return
  }
}

// -----

gpu.module @outside_of_a_function {
  // expected-error @+1 {{'nvvm.setmaxregister' op expected to be in a function, got it in a gpu.module}}
  nvvm.setmaxregister decrease 40
  hopper.entry @kernel params []
      problem<gemm, m = ?, n = 8, k = 16, a = f8E4M3FN, b = f8E4M3FN, c = none, d = bf16, sfa = mn_major, sfb = k_major by 128>
      launch<threads = 128, tile_m = 64, tile_n = 8> smem_bytes(0)
  llvm.func @kernel() attributes {nvvm.kernel} {
    llvm.return
  }
}

// -----

// A kernel of the hopper level beside one of the llvm level.
gpu.module @mixed {
  hopper.entry @kernel params [] launch<threads = 128, tile_m = 64, tile_n = 8> smem_bytes(0)
  llvm.func @kernel() attributes {nvvm.kernel} { llvm.return }
  // expected-error @+1 {{expected kernels at the llvm level, got one at the hopper level}}
  hopper.kernel @not_lowered args() {
  }
}
