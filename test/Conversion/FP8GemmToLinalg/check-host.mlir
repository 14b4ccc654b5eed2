// RUN: fp8gemm-opt %s --fp8gemm-to-llvm-cpu -split-input-file -verify-diagnostics
// What no conversion knows is an error at the end, not left with exit status 0.

func.func @other_fp8(%x: f8E4M3FNUZ) -> bf16 {
  // expected-error @below {{expected operations that can be lowered to the LLVM dialect of a CPU, got 'arith.extf' : (f8E4M3FNUZ) -> (bf16)}}
  %y = arith.extf %x : f8E4M3FNUZ to bf16
  return %y : bf16
}

// -----

func.func @other_rounding(%x: f32) -> f8E4M3FN {
  // expected-error @below {{got 'arith.truncf'}}
  %y = arith.truncf %x to_nearest_away : f32 to f8E4M3FN
  return %y : f8E4M3FN
}

// -----

func.func @wider_float(%x: f128) -> f8E5M2 {
  // expected-error @below {{got 'arith.truncf' : (f128) -> (f8E5M2)}}
  %y = arith.truncf %x : f128 to f8E5M2
  return %y : f8E5M2
}

// -----

func.func @arithmetic(%x: f8E5M2) -> f8E5M2 {
  // expected-error @below {{got 'arith.addf'}}
  %y = arith.addf %x, %x : f8E5M2
  return %y : f8E5M2
}

// -----

func.func @other_dialect(%x: complex<f32>) -> complex<f32> {
  // expected-error @below {{got 'complex.add'}}
  %y = complex.add %x, %x : complex<f32>
  return %y : complex<f32>
}

// -----

func.func @kernels_are_not_host_code() {
  return
}

gpu.module @kernels {
  hopper.kernel @kernel args() {
    hopper.griddepcontrol wait
  }
}
