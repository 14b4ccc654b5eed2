// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Rule L2: a proxy fence between stores to shared memory and the TMA store that reads it.
// RUN: fp8gemm-opt %s -verify-diagnostics -o /dev/null \
// RUN:   -pass-pipeline='builtin.module(gpu.module(llvm.func(nvvm-check-kernel)))'

!map = !nvgpu.tensormap.descriptor<tensor = memref<64x64xbf16, 3>, swizzle = swizzle_128b, l2promo = none, oob = zero, interleave = none>

gpu.module @m {
llvm.mlir.global external @smem() {addr_space = 3 : i32, alignment = 1024 : i64} : !llvm.array<0 x i8>

hopper.entry @valid params [#hopper.param<tensor_map of a : !map>, #hopper.param<extent of none>]
    launch<threads = 128, tile_m = 64, tile_n = 8> smem_bytes(0)
llvm.func @valid(%map: !llvm.ptr, %v: f32) attributes {nvvm.kernel, nvvm.maxntid = array<i32: 128, 1, 1>} {
  %c0 = arith.constant 0 : i32
  %c4 = arith.constant 4 : i32
  %t = nvvm.read.ptx.sreg.tid.x : i32
  %smem = llvm.mlir.addressof @smem : !llvm.ptr<3>
  %bytes = arith.muli %t, %c4 : i32
  %mine = llvm.getelementptr %smem[%bytes] : (!llvm.ptr<3>, i32) -> !llvm.ptr<3>, i8
  llvm.store %v, %mine : f32, !llvm.ptr<3>
  nvvm.fence.proxy {kind = #nvvm.proxy_kind<async.shared>, space = #nvvm.shared_space<cta>}
  nvvm.barrier0
  // Stores beside the box, here after its 8192 bytes, are not read.
  %beside = llvm.getelementptr %mine[8192] : (!llvm.ptr<3>) -> !llvm.ptr<3>, i8
  llvm.store %v, %beside : f32, !llvm.ptr<3>
  nvvm.cp.async.bulk.tensor.global.shared.cta %map, %smem, box[%c0, %c0] : !llvm.ptr, !llvm.ptr<3>
  llvm.return
}

hopper.entry @l2_no_fence params [#hopper.param<tensor_map of a : !map>, #hopper.param<extent of none>]
    launch<threads = 128, tile_m = 64, tile_n = 8> smem_bytes(0)
llvm.func @l2_no_fence(%map: !llvm.ptr, %v: f32) attributes {nvvm.kernel, nvvm.maxntid = array<i32: 128, 1, 1>} {
  %c0 = arith.constant 0 : i32
  %smem = llvm.mlir.addressof @smem : !llvm.ptr<3>
  // The last bytes of the box.
  %last = llvm.getelementptr %smem[8188] : (!llvm.ptr<3>) -> !llvm.ptr<3>, i8
  // expected-note @+1 {{stored here}}
  llvm.store %v, %last : f32, !llvm.ptr<3>
  nvvm.barrier0
  // expected-error @+1 {{breaks L2: expected a proxy fence of shared memory between a store of the bytes that TMA reads and this, got none on some path}}
  nvvm.cp.async.bulk.tensor.global.shared.cta %map, %smem, box[%c0, %c0] : !llvm.ptr, !llvm.ptr<3>
  llvm.return
}

hopper.entry @l2_fence_on_one_path params [#hopper.param<tensor_map of a : !map>, #hopper.param<extent of none>, #hopper.param<extent of none>]
    launch<threads = 128, tile_m = 64, tile_n = 8> smem_bytes(0)
llvm.func @l2_fence_on_one_path(%map: !llvm.ptr, %v: i32, %some: i1) attributes {nvvm.kernel, nvvm.maxntid = array<i32: 128, 1, 1>} {
  %c0 = arith.constant 0 : i32
  %smem = llvm.mlir.addressof @smem : !llvm.ptr<3>
  // expected-note @+1 {{stored here}}
  nvvm.stmatrix %smem, %v {layout = #nvvm.mma_layout<row>, shape = #nvvm.ld_st_matrix_shape<m = 8, n = 8>, eltType = #nvvm.ld_st_matrix_elt_type<b16>} : !llvm.ptr<3>, i32
  scf.if %some {
    nvvm.fence.proxy {kind = #nvvm.proxy_kind<async.shared>, space = #nvvm.shared_space<cta>}
  }
  nvvm.barrier0
  // expected-error @+1 {{breaks L2: expected a proxy fence of shared memory between a store of the bytes that TMA reads and this, got none on some path}}
  nvvm.cp.async.bulk.tensor.global.shared.cta %map, %smem, box[%c0, %c0] : !llvm.ptr, !llvm.ptr<3>
  llvm.return
}

// The thread that stores the box knows only of its own fence.
hopper.entry @l2_no_barrier params [#hopper.param<tensor_map of a : !map>, #hopper.param<extent of none>]
    launch<threads = 128, tile_m = 64, tile_n = 8> smem_bytes(0)
llvm.func @l2_no_barrier(%map: !llvm.ptr, %v: f32) attributes {nvvm.kernel, nvvm.maxntid = array<i32: 128, 1, 1>} {
  %c0 = arith.constant 0 : i32
  %smem = llvm.mlir.addressof @smem : !llvm.ptr<3>
  nvvm.barrier0
  // expected-note @+1 {{stored here}}
  llvm.store %v, %smem : f32, !llvm.ptr<3>
  nvvm.fence.proxy {kind = #nvvm.proxy_kind<async.shared>, space = #nvvm.shared_space<cta>}
  // expected-error @+1 {{breaks L2: expected a barrier after the proxy fence between a store of the bytes that TMA reads and this, got none on some path}}
  nvvm.cp.async.bulk.tensor.reduce %map, %smem, box[%c0, %c0] {redKind = #nvvm.tma_redux_kind<add>} : !llvm.ptr, !llvm.ptr<3>
  llvm.return
}

// The next tile's stores come before the fence of this one's.
hopper.entry @l2_next_iteration params [#hopper.param<tensor_map of a : !map>, #hopper.param<extent of none>, #hopper.param<extent of none>]
    launch<threads = 128, tile_m = 64, tile_n = 8> smem_bytes(0)
llvm.func @l2_next_iteration(%map: !llvm.ptr, %v: f32, %n: i32) attributes {nvvm.kernel, nvvm.maxntid = array<i32: 128, 1, 1>} {
  %c0 = arith.constant 0 : i32
  %c1 = arith.constant 1 : i32
  %smem = llvm.mlir.addressof @smem : !llvm.ptr<3>
  scf.for %i = %c0 to %n step %c1 : i32 {
    // expected-error @+1 {{breaks L2: expected a proxy fence of shared memory between a store of the bytes that TMA reads and this, got none on some path}}
    nvvm.cp.async.bulk.tensor.global.shared.cta %map, %smem, box[%c0, %c0] : !llvm.ptr, !llvm.ptr<3>
    nvvm.fence.proxy {kind = #nvvm.proxy_kind<async.shared>, space = #nvvm.shared_space<cta>}
    nvvm.barrier0
    // expected-note @+1 {{stored here}}
    llvm.store %v, %smem : f32, !llvm.ptr<3>
  }
  llvm.return
}

// An address that isn't known may be any.
hopper.entry @l2_anywhere params [#hopper.param<tensor_map of a : !map>, #hopper.param<extent of none>, #hopper.param<extent of none>]
    launch<threads = 128, tile_m = 64, tile_n = 8> smem_bytes(0)
llvm.func @l2_anywhere(%map: !llvm.ptr, %v: f32, %i: i32) attributes {nvvm.kernel, nvvm.maxntid = array<i32: 128, 1, 1>} {
  %c0 = arith.constant 0 : i32
  %smem = llvm.mlir.addressof @smem : !llvm.ptr<3>
  %some = llvm.getelementptr %smem[%i] : (!llvm.ptr<3>, i32) -> !llvm.ptr<3>, i8
  // expected-note @+1 {{stored here}}
  llvm.store %v, %some : f32, !llvm.ptr<3>
  // expected-error @+1 {{breaks L2: expected a proxy fence of shared memory between a store of the bytes that TMA reads and this, got none on some path}}
  nvvm.cp.async.bulk.tensor.global.shared.cta %map, %smem, box[%c0, %c0] : !llvm.ptr, !llvm.ptr<3>
  llvm.return
}
}
