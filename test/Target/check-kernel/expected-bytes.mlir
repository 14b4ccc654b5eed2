// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Rule L3: an mbarrier expects the bytes that TMA brings.
// RUN: fp8gemm-opt %s -verify-diagnostics -o /dev/null \
// RUN:   -pass-pipeline='builtin.module(gpu.module(llvm.func(nvvm-check-kernel)))'

// 8192 and 256 bytes.
!tile = !nvgpu.tensormap.descriptor<tensor = memref<64x128xf8E4M3FN, 3>, swizzle = swizzle_128b, l2promo = none, oob = zero, interleave = none>
!scales = !nvgpu.tensormap.descriptor<tensor = memref<1x64xf32, 3>, swizzle = none, l2promo = none, oob = zero, interleave = none>

gpu.module @m {
llvm.mlir.global external @smem() {addr_space = 3 : i32, alignment = 1024 : i64} : !llvm.array<0 x i8>

// Each stage's barrier is a sum of the same values for the arrival and for the loads.
hopper.entry @valid params [#hopper.param<tensor_map of a : !tile>, #hopper.param<tensor_map of a : !scales>, #hopper.param<extent of none>]
    launch<threads = 128, tile_m = 64, tile_n = 8> smem_bytes(0)
llvm.func @valid(%a: !llvm.ptr, %s: !llvm.ptr, %stage: i32) attributes {nvvm.kernel} {
  %c0 = arith.constant 0 : i32
  %c8 = arith.constant 8 : i32
  %c8448 = arith.constant 8448 : i32
  %smem = llvm.mlir.addressof @smem : !llvm.ptr<3>
  %remote = llvm.addrspacecast %smem : !llvm.ptr<3> to !llvm.ptr<7>
  %bytes = arith.muli %stage, %c8 : i32
  %full = llvm.getelementptr %smem[%bytes] : (!llvm.ptr<3>, i32) -> !llvm.ptr<3>, i8
  %again = llvm.getelementptr %smem[%stage] : (!llvm.ptr<3>, i32) -> !llvm.ptr<3>, i64
  nvvm.mbarrier.arrive.expect_tx %full, %c8448 : !llvm.ptr<3>, i32
  nvvm.cp.async.bulk.tensor.shared.cluster.global %remote, %a, %full, box[%c0, %c0] : !llvm.ptr<7>, !llvm.ptr
  nvvm.cp.async.bulk.tensor.shared.cluster.global %remote, %s, %again, box[%c0, %c0] : !llvm.ptr<7>, !llvm.ptr
  llvm.return
}

// Half a tile from each of two CTAs.
hopper.entry @multicast params [#hopper.param<tensor_map of a : !tile>]
    launch<threads = 128, tile_m = 64, tile_n = 8> smem_bytes(0)
llvm.func @multicast(%a: !llvm.ptr) attributes {nvvm.kernel} {
  %c0 = arith.constant 0 : i32
  %c16384 = arith.constant 16384 : i32
  %mask = arith.constant 3 : i16
  %smem = llvm.mlir.addressof @smem : !llvm.ptr<3>
  %remote = llvm.addrspacecast %smem : !llvm.ptr<3> to !llvm.ptr<7>
  nvvm.mbarrier.arrive.expect_tx %smem, %c16384 : !llvm.ptr<3>, i32
  nvvm.cp.async.bulk.tensor.shared.cluster.global %remote, %a, %smem, box[%c0, %c0] multicast_mask = %mask : !llvm.ptr<7>, !llvm.ptr
  llvm.return
}

hopper.entry @l3_too_many params [#hopper.param<tensor_map of a : !tile>]
    launch<threads = 128, tile_m = 64, tile_n = 8> smem_bytes(0)
llvm.func @l3_too_many(%a: !llvm.ptr) attributes {nvvm.kernel} {
  %c0 = arith.constant 0 : i32
  %c8448 = arith.constant 8448 : i32
  %smem = llvm.mlir.addressof @smem : !llvm.ptr<3>
  %remote = llvm.addrspacecast %smem : !llvm.ptr<3> to !llvm.ptr<7>
  // expected-error @+1 {{breaks L3: expected the 8192 bytes of the boxes that complete at the mbarrier, got 8448}}
  nvvm.mbarrier.arrive.expect_tx %smem, %c8448 : !llvm.ptr<3>, i32
  nvvm.cp.async.bulk.tensor.shared.cluster.global %remote, %a, %smem, box[%c0, %c0] : !llvm.ptr<7>, !llvm.ptr
  llvm.return
}

// One CTA's box, where two come.
hopper.entry @l3_multicast params [#hopper.param<tensor_map of a : !tile>, #hopper.param<extent of none>]
    launch<threads = 128, tile_m = 64, tile_n = 8> smem_bytes(0)
llvm.func @l3_multicast(%a: !llvm.ptr, %some: i16) attributes {nvvm.kernel} {
  %c0 = arith.constant 0 : i32
  %c8192 = arith.constant 8192 : i32
  %mask = arith.constant 3 : i16
  %smem = llvm.mlir.addressof @smem : !llvm.ptr<3>
  %remote = llvm.addrspacecast %smem : !llvm.ptr<3> to !llvm.ptr<7>
  // expected-error @+1 {{breaks L3: expected the 16384 bytes of the boxes that complete at the mbarrier, got 8192}}
  nvvm.mbarrier.arrive.expect_tx %smem, %c8192 : !llvm.ptr<3>, i32
  nvvm.cp.async.bulk.tensor.shared.cluster.global %remote, %a, %smem, box[%c0, %c0] multicast_mask = %mask : !llvm.ptr<7>, !llvm.ptr
  nvvm.mbarrier.arrive.expect_tx %smem, %c8192 : !llvm.ptr<3>, i32
  // expected-error @+1 {{breaks L3: expected a constant mask of the CTAs that a TMA load writes to}}
  nvvm.cp.async.bulk.tensor.shared.cluster.global %remote, %a, %smem, box[%c0, %c0] multicast_mask = %some : !llvm.ptr<7>, !llvm.ptr
  llvm.return
}

// The barrier of another stage, and one that is armed after the load, are not the load's.
hopper.entry @l3_not_armed params [#hopper.param<tensor_map of a : !tile>, #hopper.param<extent of none>]
    launch<threads = 128, tile_m = 64, tile_n = 8> smem_bytes(0)
llvm.func @l3_not_armed(%a: !llvm.ptr, %n: i32) attributes {nvvm.kernel} {
  %c0 = arith.constant 0 : i32
  %c8192 = arith.constant 8192 : i32
  %smem = llvm.mlir.addressof @smem : !llvm.ptr<3>
  %remote = llvm.addrspacecast %smem : !llvm.ptr<3> to !llvm.ptr<7>
  %next = llvm.getelementptr %smem[8] : (!llvm.ptr<3>) -> !llvm.ptr<3>, i8
  // expected-error @+1 {{breaks L3: expected the mbarrier of a TMA load to be armed before, in the same block, got no arrival with expected bytes}}
  nvvm.cp.async.bulk.tensor.shared.cluster.global %remote, %a, %next, box[%c0, %c0] : !llvm.ptr<7>, !llvm.ptr
  // expected-error @+1 {{breaks L3: expected the 0 bytes of the boxes that complete at the mbarrier, got 8192}}
  nvvm.mbarrier.arrive.expect_tx %next, %c8192 : !llvm.ptr<3>, i32
  // expected-error @+1 {{breaks L3: expected a constant number of bytes}}
  nvvm.mbarrier.arrive.expect_tx %smem, %n : !llvm.ptr<3>, i32
  llvm.return
}

llvm.func @l3_unknown_map(%a: !llvm.ptr) attributes {nvvm.kernel} {
  %c0 = arith.constant 0 : i32
  %c8192 = arith.constant 8192 : i32
  %smem = llvm.mlir.addressof @smem : !llvm.ptr<3>
  %remote = llvm.addrspacecast %smem : !llvm.ptr<3> to !llvm.ptr<7>
  nvvm.mbarrier.arrive.expect_tx %smem, %c8192 : !llvm.ptr<3>, i32
  // expected-error @+1 {{breaks L3: expected the tensor map of a TMA load to be a parameter or a copy of one, got another value}}
  nvvm.cp.async.bulk.tensor.shared.cluster.global %remote, %a, %smem, box[%c0, %c0] : !llvm.ptr<7>, !llvm.ptr
  llvm.return
}
}
