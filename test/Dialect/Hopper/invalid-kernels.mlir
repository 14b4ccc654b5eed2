// hopper.kernel and hopper.entry: each constraint, and errors of their assembly.
// RUN: fp8gemm-opt %s -split-input-file -verify-diagnostics

// expected-error @+1 {{'hopper.kernel' op expected to be in a gpu.module, got it elsewhere}}
hopper.kernel @c1_parent args() {
}

// -----

gpu.module @m {
// expected-error @+1 {{expected argument 0, 'm', to be of type index, got 'i32'}}
hopper.kernel @c2_extent args(%m: i32 of m) {
}
}

// -----

gpu.module @m {
// expected-error @+1 {{expected argument 1, 'sfb', to be a tensor map or a memref in global memory, got 'index'}}
hopper.kernel @c2_operand args(%m: index of m, %sfb: index of sfb) {
}
}

// -----

gpu.module @m {
// expected-error @+1 {{expected argument 0, 'd', to be a tensor map or a memref in global memory, got 'memref<8x8xf32, 3>'}}
hopper.kernel @c2_memory args(%d: memref<8x8xf32, 3> of d) {
}
}

// -----

gpu.module @m {
// expected-error @+1 {{expected buffers in shared memory (memory space 3), got 'memref<8xf32>'}}
hopper.kernel @c3_buffer args() shared(%table: memref<8xf32>) {
}
}

// -----

gpu.module @m {
// expected-error @+1 {{expected an argument for each of 2 operands, got 1}}
"hopper.kernel"() <{operand_kinds = [#hopper<operand m>, #hopper<operand k>], sym_name = "operands"}> ({
^bb0(%m: index):
  "hopper.yield"() : () -> ()
}) : () -> ()
}

// -----

gpu.module @m {
// expected-error @+1 {{expected the operand that the argument is: a, b, sfa, sfb, c, d, groups, workspace, bias, m, x, k, epilogue_0, epilogue_1, epilogue_2, epilogue_3, epilogue_4, epilogue_5, epilogue_6, epilogue_7, sfd, got 'none'}}
hopper.kernel @no_operand args(%m: index of none) {
}
}

// -----

gpu.module @m {
// expected-error @+1 {{expected a config such as #fp8gemm.config<...>, got "stages = 5"}}
hopper.kernel @config args() config("stages = 5") {
}
}

// -----

gpu.module @m {
// expected-error @+1 {{Invalid attribute `config` in property conversion: 5 : i64}}
"hopper.kernel"() <{operand_kinds = [], sym_name = "generic_config", config = 5 : i64}> ({
  "hopper.yield"() : () -> ()
}) : () -> ()
}

// -----

gpu.module @m {
// expected-error @+1 {{expected no attribute that it does not define, got "lunch"}}
hopper.kernel @misspelt args() attributes {lunch = 1} {
}
}

// -----

gpu.module @m {
// expected-error @+2 {{expects regions to end with 'hopper.yield'}}
// expected-note @+1 {{implies 'hopper.yield'}}
hopper.kernel @end args() {
  llvm.return
}
}

// -----

gpu.module @m {
// expected-error @+1 {{expects region #0 to have 0 or 1 blocks}}
hopper.kernel @blocks args() {
  hopper.yield
^bb1:
  hopper.yield
}
}

// -----

gpu.module @m {
// expected-error @+1 {{expected a function of the same module, got @other}}
hopper.entry @other params [] launch<threads = 128, tile_m = 64, tile_n = 8> smem_bytes(0)
}

// -----

gpu.module @m {
// expected-error @+1 {{expected an entry of 'params' for each of 1 parameters of the kernel, got 0}}
hopper.entry @kernel params [] launch<threads = 128, tile_m = 64, tile_n = 8> smem_bytes(0)
llvm.func @kernel(%m: i32) {
  llvm.return
}
}

// -----

// expected-error @+1 {{expected the type of a tensor map for a tensor map and no other parameter, got none for the kind tensor_map}}
#no_map = #hopper.param<tensor_map of a>

// -----

!map = !nvgpu.tensormap.descriptor<tensor = memref<64x128xf8E4M3FN, 3>, swizzle = swizzle_128b, l2promo = none, oob = zero, interleave = none>
// expected-error @+1 {{expected the type of a tensor map for a tensor map and no other parameter, got one for the kind matrix}}
#map_of_a_matrix = #hopper.param<matrix of a : !map>

// -----

!map = !nvgpu.tensormap.descriptor<tensor = memref<64x?xf8E4M3FN, 3>, swizzle = swizzle_128b, l2promo = none, oob = zero, interleave = none>
// expected-error @+1 {{expected a tensor map with a box of static shape, got '!nvgpu.tensormap.descriptor<tensor = memref<64x?xf8E4M3FN, 3>}}
#dynamic_box = #hopper.param<tensor_map of a : !map>

// -----

// expected-error @+1 {{expected the buffers of a ring to have different names, got 'a' twice}}
!names = !hopper.ring<stages = 2, tma(a: memref<64x128xf8E4M3FN, 3>), warps(a: memref<1xf32, 3>), readers = 1>
