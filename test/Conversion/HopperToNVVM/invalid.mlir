// RUN: fp8gemm-opt %s -pass-pipeline='builtin.module(gpu.module(convert-hopper-to-nvvm))' -split-input-file -verify-diagnostics

gpu.module @m {
// What the kernel asks for is done by hopper-unroll, before the checks.
gpu.func @not_unrolled() kernel
    attributes {hopper.launch = #hopper.launch<threads = 256, tile_m = 64, tile_n = 8, stages = 1, consumers = 1>} {
  // expected-error @+1 {{failed to legalize operation 'hopper.warp_specialize'}}
  hopper.warp_specialize producer registers(40) {
    hopper.yield
  } consumers(1) registers(232) unroll(2) |%group| {
    hopper.yield
  }
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

// -----

gpu.module @m {
// expected-error @+1 {{expected a kernel's tensor maps to have a box of static shape, got '!nvgpu.tensormap.descriptor<tensor = memref<64x?xf8E4M3FN, 3>}}
gpu.func @dynamic_box(%a: !nvgpu.tensormap.descriptor<tensor = memref<64x?xf8E4M3FN, 3>, swizzle = swizzle_128b, l2promo = none, oob = zero, interleave = none>) kernel {
  gpu.return
}
}

// -----

gpu.module @m {
// expected-error @+1 {{expected a kernel to have 1 block arguments, its parameters and workgroup attributions, got 2}}
gpu.func @private_attribution(%m: index) private(%a: memref<8xf32, 5>) kernel {
  gpu.return
}
}

// -----

gpu.module @m {
// expected-error @+1 {{expected a kernel to have 0 block arguments, its parameters and workgroup attributions, got 1}}
"gpu.func"() <{function_type = () -> ()}> ({
^bb0(%a: memref<512xbf16>):
  "gpu.return"() : () -> ()
}) {gpu.kernel, sym_name = "number_is_no_number", workgroup_attributions = i64} : () -> ()
}
