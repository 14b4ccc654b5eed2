// RUN: fp8gemm-opt %s -pass-pipeline='builtin.module(gpu.module(convert-hopper-to-nvvm))' -split-input-file -verify-diagnostics

gpu.module @m {
gpu.func @unroll_much(%n: index) kernel {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  // expected-error @+1 {{expected 'hopper.unroll' to be at most 64, got 1000000000}}
  scf.for %i = %c0 to %n step %c1 {
    hopper.fence.async_shared
  } {hopper.unroll = 1000000000 : i64}
  gpu.return
}
}

// -----

gpu.module @m {
gpu.func @unroll_type(%n: index) kernel {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  // expected-error @+1 {{expected 'hopper.unroll' to be a positive integer of 64 bits, got 2 : i128}}
  scf.for %i = %c0 to %n step %c1 {
    hopper.fence.async_shared
  } {hopper.unroll = 2 : i128}
  gpu.return
}
}

// -----

gpu.module @m {
gpu.func @unroll_nested(%n: index) kernel {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  // expected-error @+1 {{operations in an unrolled loop, got}}
  scf.for %i = %c0 to %n step %c1 {
    scf.for %j = %c0 to %n step %c1 {
      scf.for %k = %c0 to %n step %c1 {
        hopper.fence.async_shared
      } {hopper.unroll = 64 : i64}
    } {hopper.unroll = 64 : i64}
  } {hopper.unroll = 64 : i64}
  gpu.return
}
}

// -----

gpu.module @m {
// expected-error @+1 {{expected a kernel's matrices to be in global memory and of rank 1 to 3, got 'memref<8x8xf32, 3>'}}
gpu.func @shared_parameter(%a: memref<8x8xf32, 3>) kernel {
  gpu.return
}
}

// -----

gpu.module @m {
// expected-error @+1 {{expected a kernel's matrices to be in global memory and of rank 1 to 3, got 'memref<f32>'}}
gpu.func @parameter_of_rank_0(%a: memref<f32>) kernel {
  gpu.return
}
}
