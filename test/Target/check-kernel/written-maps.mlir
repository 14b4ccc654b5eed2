// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Rule L6 (and L3): tensor maps that the kernel writes itself.
// RUN: fp8gemm-opt %s -verify-diagnostics -o /dev/null \
// RUN:   -pass-pipeline='builtin.module(gpu.module(llvm.func(nvvm-check-kernel)))'

!tile = !nvgpu.tensormap.descriptor<tensor = memref<64x128xf8E4M3FN, 3>, swizzle = swizzle_128b, l2promo = none, oob = zero, interleave = none>

gpu.module @m {
llvm.mlir.global external @smem() {addr_space = 3 : i32, alignment = 1024 : i64} : !llvm.array<0 x i8>

// Group %i writes a map, and group %j's is loaded by: the same map at another place, with the box of the parameter.
hopper.entry @valid params [#hopper.param<tensor_map of a : !tile>, #hopper.param<matrix of none>, #hopper.param<extent of none>, #hopper.param<extent of none>]
    launch<threads = 128, tile_m = 64, tile_n = 8> smem_bytes(0)
llvm.func @valid(%a: !llvm.ptr, %ws: !llvm.ptr<1>, %i: i32, %j: i32) attributes {nvvm.kernel} {
  %c0 = arith.constant 0 : i32
  %c128 = arith.constant 128 : i32
  %c8192 = arith.constant 8192 : i32
  %smem = llvm.mlir.addressof @smem : !llvm.ptr<3>
  %remote = llvm.addrspacecast %smem : !llvm.ptr<3> to !llvm.ptr<7>
  %to = arith.muli %i, %c128 : i32
  %target = llvm.getelementptr %ws[%to] : (!llvm.ptr<1>, i32) -> !llvm.ptr<1>, i8
  %part = llvm.load %a : !llvm.ptr -> vector<4xi32>
  llvm.store %part, %target : vector<4xi32>, !llvm.ptr<1>
  llvm.inline_asm has_side_effects "tensormap.replace.tile.global_dim.global.b1024.b32 [$0], 0, $1;", "l,r" %target, %i : (!llvm.ptr<1>, i32) -> ()
  nvvm.fence.proxy.release #nvvm.mem_scope<gpu>
  nvvm.barrier0
  %from = arith.muli %j, %c128 : i32
  %source = llvm.getelementptr %ws[%from] : (!llvm.ptr<1>, i32) -> !llvm.ptr<1>, i8
  %map = llvm.addrspacecast %source : !llvm.ptr<1> to !llvm.ptr
  nvvm.fence.proxy.acquire #nvvm.mem_scope<gpu> %map, %c128
  nvvm.mbarrier.arrive.expect_tx %smem, %c8192 : !llvm.ptr<3>, i32
  nvvm.cp.async.bulk.tensor.shared.cluster.global %remote, %map, %smem, box[%c0, %c0] : !llvm.ptr<7>, !llvm.ptr
  llvm.return
}

hopper.entry @l6_not_acquired params [#hopper.param<tensor_map of a : !tile>, #hopper.param<matrix of none>, #hopper.param<extent of none>]
    launch<threads = 128, tile_m = 64, tile_n = 8> smem_bytes(0)
llvm.func @l6_not_acquired(%a: !llvm.ptr, %ws: !llvm.ptr<1>, %i: i32) attributes {nvvm.kernel} {
  %c0 = arith.constant 0 : i32
  %c128 = arith.constant 128 : i32
  %c4096 = arith.constant 4096 : i32
  %smem = llvm.mlir.addressof @smem : !llvm.ptr<3>
  %remote = llvm.addrspacecast %smem : !llvm.ptr<3> to !llvm.ptr<7>
  %part = llvm.load %a : !llvm.ptr -> vector<4xi32>
  llvm.store %part, %ws : vector<4xi32>, !llvm.ptr<1>
  %map = llvm.addrspacecast %ws : !llvm.ptr<1> to !llvm.ptr
  // expected-error @+1 {{breaks L3: expected the 8192 bytes of the boxes that complete at the mbarrier, got 4096}}
  nvvm.mbarrier.arrive.expect_tx %smem, %c4096 : !llvm.ptr<3>, i32
  // expected-error @+1 {{breaks L6: expected a tensor map that the kernel writes to be acquired from its proxy (nvvm.fence.proxy.acquire) before the load, got none}}
  nvvm.cp.async.bulk.tensor.shared.cluster.global %remote, %map, %smem, box[%c0, %c0] : !llvm.ptr<7>, !llvm.ptr
  llvm.return
}

llvm.func @l6_not_released(%ws: !llvm.ptr<1>, %i: i32) attributes {nvvm.kernel} {
  nvvm.fence.proxy.release #nvvm.mem_scope<gpu>
  // expected-error @+1 {{breaks L6: expected a tensor map to be released to its proxy (nvvm.fence.proxy.release) after its last change, in the same block, got none}}
  llvm.inline_asm has_side_effects "tensormap.replace.tile.global_dim.global.b1024.b32 [$0], 0, $1;", "l,r" %ws, %i : (!llvm.ptr<1>, i32) -> ()
  llvm.return
}
}
