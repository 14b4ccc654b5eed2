// RUN: fp8gemm-opt %s -split-input-file -verify-diagnostics
// Attributes of the hopper dialect on operations of others: a misspelt or misplaced one is an error.

// expected-error @below {{expected an attribute of the hopper dialect to be hopper.launch, hopper.problem, hopper.config, hopper.workspace_bytes, hopper.smem_bytes, hopper.waits_for_previous, hopper.debug_rings, hopper.param, hopper.map, got "hopper.lunch"}}
module attributes {hopper.lunch} {
}

// -----

// expected-error @below {{expected "hopper.launch" on a kernel (gpu.func or llvm.func), got it elsewhere}}
module attributes {hopper.launch = #hopper.launch<threads = 384, tile_m = 128, tile_n = 128, stages = 5, consumers = 2>} {
}

// -----

gpu.module @kernels {
  // expected-error @below {{got "hopper.workspace"}}
  gpu.func @kernel() kernel attributes {hopper.workspace = 128 : i64} {
    gpu.return
  }
}

// -----

gpu.module @kernels {
  // expected-error @below {{expected "hopper.launch" to be #hopper.launch<...>, got 384}}
  gpu.func @kernel() kernel attributes {hopper.launch = 384} {
    gpu.return
  }
}

// -----

gpu.module @kernels {
  // expected-error @below {{expected "hopper.waits_for_previous" to be without a value, got false}}
  llvm.func @kernel() attributes {hopper.waits_for_previous = false} {
    llvm.return
  }
}

// -----

gpu.module @kernels {
  // expected-error @below {{got "hopper.parm"}}
  gpu.func @kernel(%m: index {hopper.parm = #hopper.param<extent_m of none>}) kernel {
    gpu.return
  }
}

// -----

gpu.module @kernels {
  // expected-error @below {{expected "hopper.config" on a kernel (gpu.func or llvm.func), got it elsewhere}}
  gpu.func @kernel(%m: index {hopper.config = "stages = 5"}) kernel {
    gpu.return
  }
}

// -----

gpu.module @kernels {
  // expected-error @below {{expected "hopper.map" to be the type of a tensor map with a box of static shape, got index}}
  llvm.func @kernel(%m: i32 {hopper.map = index}) {
    llvm.return
  }
}

// -----

// expected-error @below {{got "hopper.result"}}
func.func private @result() -> (index {hopper.result})

// -----

func.func @loop(%n: index) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  // expected-error @below {{got "hopper.unroll"}}
  scf.for %i = %c0 to %n step %c1 {
  } {hopper.unroll = 2}
  return
}

// -----

func.func @branch(%is: i1) {
  // expected-error @below {{expected "hopper.param" on a parameter of a kernel, got it elsewhere}}
  scf.if %is {
  } {hopper.param = #hopper.param<extent_m of none>}
  return
}

// -----

func.func @own_operation() {
  // expected-error @below {{got "hopper.wait"}}
  hopper.griddepcontrol.wait {hopper.wait = 1}
  return
}

// -----

func.func @own_operation_without_prefix() {
  // expected-error @below {{expected no attribute that it does not define, got "unrol"}}
  hopper.griddepcontrol.wait {unrol = 1}
  return
}

// -----

func.func @attributes_of_others() {
  hopper.griddepcontrol.wait {gpu.note = 1}
  return
}

// -----

gpu.module @m {
  // expected-error @below {{expected "hopper.map" to be the type of a tensor map with a box of static shape, got !nvgpu.tensormap.descriptor<tensor = memref<64x?xf8E4M3FN, 3>}}
  llvm.func @kernel(%m: !llvm.ptr {hopper.map = !nvgpu.tensormap.descriptor<tensor = memref<64x?xf8E4M3FN, 3>, swizzle = swizzle_128b, l2promo = none, oob = zero, interleave = none>}) {
    llvm.return
  }
}
