// RUN: fp8gemm-opt %s -pass-pipeline='builtin.module(gpu.module(convert-hopper-to-nvvm))' -split-input-file -verify-diagnostics

gpu.module @m {
// What the kernel asks for is done by hopper-unroll, before the checks.
hopper.kernel @not_unrolled args() launch<threads = 256, tile_m = 64, tile_n = 8> {
  // expected-error @+1 {{failed to legalize operation 'hopper.warp_specialize'}}
  hopper.warp_specialize producer registers(40) {
    hopper.yield
  } consumers(1) registers(232) unroll(2) |%warpgroup| {
    hopper.yield
  }
}
}

// -----

gpu.module @m {
// expected-error @+1 {{expected a kernel's matrices to be in global memory and of rank 1 to 3, got 'memref<8x8xf32, 3>'}}
hopper.kernel @shared_parameter args(%a: memref<8x8xf32, 3>) launch<threads = 256, tile_m = 64, tile_n = 8> {
}
}

// -----

gpu.module @m {
// expected-error @+1 {{expected a kernel's matrices to be in global memory and of rank 1 to 3, got 'memref<f32>'}}
hopper.kernel @parameter_of_rank_0 args(%a: memref<f32>) launch<threads = 256, tile_m = 64, tile_n = 8> {
}
}

// -----

gpu.module @m {
// expected-error @+1 {{expected a kernel's tensor maps to have a box of static shape, got '!nvgpu.tensormap.descriptor<tensor = memref<64x?xf8E4M3FN, 3>}}
hopper.kernel @dynamic_box args(%a: !nvgpu.tensormap.descriptor<tensor = memref<64x?xf8E4M3FN, 3>, swizzle = swizzle_128b, l2promo = none, oob = zero, interleave = none>)
    launch<threads = 256, tile_m = 64, tile_n = 8> {
}
}

// -----

gpu.module @m {
// expected-error @+1 {{expected a kernel to have a 'launch', got none}}
hopper.kernel @no_launch args() {
}
}

// -----

gpu.module @m {
hopper.kernel @other args() launch<threads = 256, tile_m = 64, tile_n = 8> {
}
// expected-error @+1 {{failed to legalize operation 'gpu.func'}}
gpu.func @no_kernel_of_ours() kernel {
  gpu.return
}
}
