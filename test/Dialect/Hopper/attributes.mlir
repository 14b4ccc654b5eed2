// RUN: fp8gemm-opt %s -split-input-file -verify-diagnostics
// The dialect has attributes of its operations only: any other would be ignored.

// expected-error @below {{expected no attribute with the prefix of the hopper dialect: the facts of a kernel are those of hopper.kernel and hopper.entry, got "hopper.launch"}}
module attributes {hopper.launch = #hopper.launch<threads = 384, tile_m = 128, tile_n = 128>} {
}

// -----

gpu.module @kernels {
  // expected-error @below {{got "hopper.workspace"}}
  hopper.kernel @kernel args() attributes {hopper.workspace = 128 : i64} {
  }
}

// -----

gpu.module @kernels {
  // expected-error @below {{got "hopper.waits_for_previous"}}
  llvm.func @kernel() attributes {hopper.waits_for_previous} {
    llvm.return
  }
}

// -----

gpu.module @kernels {
  // expected-error @below {{got "hopper.param"}}
  llvm.func @kernel(%m: i32 {hopper.param = #hopper.param<extent of m>}) {
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

func.func @own_operation() {
  // expected-error @below {{got "hopper.wait"}}
  hopper.griddepcontrol wait {hopper.wait = 1}
  return
}

// -----

func.func @own_operation_without_prefix() {
  // expected-error @below {{expected no attribute that it does not define, got "unrol"}}
  hopper.griddepcontrol wait {unrol = 1}
  return
}

// -----

func.func @attributes_of_others() {
  hopper.griddepcontrol wait {gpu.note = 1}
  return
}
