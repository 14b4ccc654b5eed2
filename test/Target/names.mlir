// REQUIRES: ptxas
// RUN: fp8gemm-opt %s --fp8gemm-serialize-kernels -split-input-file -verify-diagnostics -o %t
// Symbols that PTX has no word for are refused, before they end the process or ptxas stumbles over them.

// expected-error @below {{expected symbols of a kernel's module to be PTX identifiers, of 1 to 1024 letters, digits, _ and $ that don't start with a digit, got 'my-kernel': rename it}}
gpu.module @dash {
  llvm.func @"my-kernel"() attributes {nvvm.kernel} { llvm.return }
}

// -----

// expected-error @below {{got 'gemm.v1'}}
gpu.module @dot {
  llvm.func @gemm.v1() attributes {nvvm.kernel} { llvm.return }
}

// -----

// expected-error @below {{got '1abc'}}
gpu.module @digit {
  llvm.func @"1abc"() attributes {nvvm.kernel} { llvm.return }
}

// -----

// expected-error @below {{got ''}}
gpu.module @nothing {
  llvm.func @""() attributes {nvvm.kernel} { llvm.return }
}

// -----

// expected-error @below {{got '_'}}
gpu.module @one_underscore {
  llvm.func @_() attributes {nvvm.kernel} { llvm.return }
}

// -----

// expected-error @below {{got 'größe'}}
gpu.module @letters_of_unicode {
  llvm.func @"größe"() attributes {nvvm.kernel} { llvm.return }
}

// -----

// expected-error @below {{got 'two words'}}
gpu.module @space {
  llvm.func @"two words"() attributes {nvvm.kernel} { llvm.return }
}

// -----

// expected-error @below {{got '../../kernel'}}
gpu.module @path {
  llvm.func @"../../kernel"() attributes {nvvm.kernel} { llvm.return }
}

// -----

// A symbol beside the kernel.
// expected-error @below {{got 'a-table'}}
gpu.module @global {
  llvm.mlir.global external @"a-table"() {addr_space = 1 : i32} : !llvm.array<4 x i32>
  llvm.func @kernel() attributes {nvvm.kernel} {
    %table = llvm.mlir.addressof @"a-table" : !llvm.ptr<1>
    %zero = llvm.mlir.constant(0 : i32) : i32
    llvm.store volatile %zero, %table : i32, !llvm.ptr<1>
    llvm.return
  }
}

// -----

// expected-error @below {{got 'help-er'}}
gpu.module @function {
  llvm.func @"help-er"() attributes {passthrough = ["noinline"]} { llvm.return }
  llvm.func @kernel() attributes {nvvm.kernel} {
    llvm.call @"help-er"() : () -> ()
    llvm.return
  }
}
