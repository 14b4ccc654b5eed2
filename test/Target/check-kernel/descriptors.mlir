// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Rule L4: a matrix descriptor says how its tile lies in shared memory.
// RUN: fp8gemm-opt %s -verify-diagnostics -o /dev/null \
// RUN:   -pass-pipeline='builtin.module(gpu.module(llvm.func(nvvm-check-kernel{rules=4})))'

// Stages of a tile of 64 rows, 8192 bytes each. One descriptor stands for A, and for 8 rows of B.
!map = !nvgpu.tensormap.descriptor<tensor = memref<64x128xf8E4M3FN, 3>, swizzle = swizzle_128b, l2promo = none, oob = zero, interleave = none>
!acc = !llvm.struct<(f32, f32, f32, f32)>

gpu.module @m {
llvm.mlir.global external @smem() {addr_space = 3 : i32, alignment = 1024 : i64} : !llvm.array<0 x i8>

hopper.entry @valid params [#hopper.param<tensor_map of a : !map>, #hopper.param<matrix of none>, #hopper.param<extent of none>, #hopper.param<extent of none>]
    launch<threads = 128, tile_m = 64, tile_n = 8> smem_bytes(0)
llvm.func @valid(%map: !llvm.ptr, %bar: !llvm.ptr<3>, %stage: i32, %acc: !acc) attributes {nvvm.kernel, nvvm.maxntid = array<i32: 128, 1, 1>} {
  %c0 = arith.constant 0 : i32
  %c1 = arith.constant 1 : i32
  %c4 = arith.constant 4 : i32
  %c8192 = arith.constant 8192 : i32
  %c512 = arith.constant 512 : i32
  %high = arith.constant 1073741888 : i32
  %smem = llvm.mlir.addressof @smem : !llvm.ptr<3>
  %bytes = arith.muli %stage, %c8192 : i32
  %tile = llvm.getelementptr %smem[%bytes] : (!llvm.ptr<3>, i32) -> !llvm.ptr<3>, i8
  %to = llvm.addrspacecast %tile : !llvm.ptr<3> to !llvm.ptr<7>
  nvvm.cp.async.bulk.tensor.shared.cluster.global %to, %map, %bar, box[%c0, %c0] : !llvm.ptr<7>, !llvm.ptr
  %bits = llvm.ptrtoint %smem : !llvm.ptr<3> to i32
  %start = arith.shrui %bits, %c4 : i32
  %units = arith.muli %stage, %c512 : i32
  %low = arith.addi %start, %units : i32
  %none = llvm.mlir.poison : vector<2xi32>
  %word = llvm.insertelement %low, %none[%c0 : i32] : vector<2xi32>
  %words = llvm.insertelement %high, %word[%c1 : i32] : vector<2xi32>
  %d = llvm.bitcast %words : vector<2xi32> to i64
  %p = nvvm.wgmma.mma_async %d, %d, %acc, <m = 64, n = 8, k = 32>, D[<f32>, <zero>], A[<e4m3>, <one>, <row>], B[<e4m3>, <one>, <col>] : !acc -> !acc
  llvm.return
}

hopper.entry @l4_swizzle params [#hopper.param<tensor_map of a : !map>, #hopper.param<matrix of none>, #hopper.param<extent of none>, #hopper.param<extent of none>]
    launch<threads = 128, tile_m = 64, tile_n = 8> smem_bytes(0)
llvm.func @l4_swizzle(%map: !llvm.ptr, %bar: !llvm.ptr<3>, %stage: i32, %acc: !acc) attributes {nvvm.kernel, nvvm.maxntid = array<i32: 128, 1, 1>} {
  %c0 = arith.constant 0 : i32
  %c1 = arith.constant 1 : i32
  %c4 = arith.constant 4 : i32
  %c8192 = arith.constant 8192 : i32
  %c512 = arith.constant 512 : i32
  %high = arith.constant -2147483584 : i32
  %smem = llvm.mlir.addressof @smem : !llvm.ptr<3>
  %bytes = arith.muli %stage, %c8192 : i32
  %tile = llvm.getelementptr %smem[%bytes] : (!llvm.ptr<3>, i32) -> !llvm.ptr<3>, i8
  %to = llvm.addrspacecast %tile : !llvm.ptr<3> to !llvm.ptr<7>
  nvvm.cp.async.bulk.tensor.shared.cluster.global %to, %map, %bar, box[%c0, %c0] : !llvm.ptr<7>, !llvm.ptr
  %bits = llvm.ptrtoint %smem : !llvm.ptr<3> to i32
  %start = arith.shrui %bits, %c4 : i32
  %units = arith.muli %stage, %c512 : i32
  %low = arith.addi %start, %units : i32
  %none = llvm.mlir.poison : vector<2xi32>
  %word = llvm.insertelement %low, %none[%c0 : i32] : vector<2xi32>
  %words = llvm.insertelement %high, %word[%c1 : i32] : vector<2xi32>
  %d = llvm.bitcast %words : vector<2xi32> to i64
  // expected-error @+1 {{breaks L4: expected the descriptor of A to have swizzle mode 1 (128 bytes), got 2}}
  %p = nvvm.wgmma.mma_async %d, %d, %acc, <m = 64, n = 8, k = 32>, D[<f32>, <zero>], A[<e4m3>, <one>, <row>], B[<e4m3>, <one>, <col>] : !acc -> !acc
  llvm.return
}

hopper.entry @l4_stride params [#hopper.param<tensor_map of a : !map>, #hopper.param<matrix of none>, #hopper.param<extent of none>, #hopper.param<extent of none>]
    launch<threads = 128, tile_m = 64, tile_n = 8> smem_bytes(0)
llvm.func @l4_stride(%map: !llvm.ptr, %bar: !llvm.ptr<3>, %stage: i32, %acc: !acc) attributes {nvvm.kernel, nvvm.maxntid = array<i32: 128, 1, 1>} {
  %c0 = arith.constant 0 : i32
  %c1 = arith.constant 1 : i32
  %c4 = arith.constant 4 : i32
  %c8192 = arith.constant 8192 : i32
  %c512 = arith.constant 512 : i32
  %high = arith.constant 1073741856 : i32
  %smem = llvm.mlir.addressof @smem : !llvm.ptr<3>
  %bytes = arith.muli %stage, %c8192 : i32
  %tile = llvm.getelementptr %smem[%bytes] : (!llvm.ptr<3>, i32) -> !llvm.ptr<3>, i8
  %to = llvm.addrspacecast %tile : !llvm.ptr<3> to !llvm.ptr<7>
  nvvm.cp.async.bulk.tensor.shared.cluster.global %to, %map, %bar, box[%c0, %c0] : !llvm.ptr<7>, !llvm.ptr
  %bits = llvm.ptrtoint %smem : !llvm.ptr<3> to i32
  %start = arith.shrui %bits, %c4 : i32
  %units = arith.muli %stage, %c512 : i32
  %low = arith.addi %start, %units : i32
  %none = llvm.mlir.poison : vector<2xi32>
  %word = llvm.insertelement %low, %none[%c0 : i32] : vector<2xi32>
  %words = llvm.insertelement %high, %word[%c1 : i32] : vector<2xi32>
  %d = llvm.bitcast %words : vector<2xi32> to i64
  // expected-error @+1 {{breaks L4: expected the descriptor of A to have 1024 bytes between groups of 8 rows, got 512}}
  %p = nvvm.wgmma.mma_async %d, %d, %acc, <m = 64, n = 8, k = 32>, D[<f32>, <zero>], A[<e4m3>, <one>, <row>], B[<e4m3>, <one>, <col>] : !acc -> !acc
  llvm.return
}

hopper.entry @l4_base_offset params [#hopper.param<tensor_map of a : !map>, #hopper.param<matrix of none>, #hopper.param<extent of none>, #hopper.param<extent of none>]
    launch<threads = 128, tile_m = 64, tile_n = 8> smem_bytes(0)
llvm.func @l4_base_offset(%map: !llvm.ptr, %bar: !llvm.ptr<3>, %stage: i32, %acc: !acc) attributes {nvvm.kernel, nvvm.maxntid = array<i32: 128, 1, 1>} {
  %c0 = arith.constant 0 : i32
  %c1 = arith.constant 1 : i32
  %c4 = arith.constant 4 : i32
  %c8192 = arith.constant 8192 : i32
  %c512 = arith.constant 512 : i32
  %high = arith.constant 1074266176 : i32
  %smem = llvm.mlir.addressof @smem : !llvm.ptr<3>
  %bytes = arith.muli %stage, %c8192 : i32
  %tile = llvm.getelementptr %smem[%bytes] : (!llvm.ptr<3>, i32) -> !llvm.ptr<3>, i8
  %to = llvm.addrspacecast %tile : !llvm.ptr<3> to !llvm.ptr<7>
  nvvm.cp.async.bulk.tensor.shared.cluster.global %to, %map, %bar, box[%c0, %c0] : !llvm.ptr<7>, !llvm.ptr
  %bits = llvm.ptrtoint %smem : !llvm.ptr<3> to i32
  %start = arith.shrui %bits, %c4 : i32
  %units = arith.muli %stage, %c512 : i32
  %low = arith.addi %start, %units : i32
  %none = llvm.mlir.poison : vector<2xi32>
  %word = llvm.insertelement %low, %none[%c0 : i32] : vector<2xi32>
  %words = llvm.insertelement %high, %word[%c1 : i32] : vector<2xi32>
  %d = llvm.bitcast %words : vector<2xi32> to i64
  // expected-error @+1 {{breaks L4: expected the descriptor of A to have base offset 0, got 4}}
  %p = nvvm.wgmma.mma_async %d, %d, %acc, <m = 64, n = 8, k = 32>, D[<f32>, <zero>], A[<e4m3>, <one>, <row>], B[<e4m3>, <one>, <col>] : !acc -> !acc
  llvm.return
}

// Half of what lies between stages.
hopper.entry @l4_stages params [#hopper.param<tensor_map of a : !map>, #hopper.param<matrix of none>, #hopper.param<extent of none>, #hopper.param<extent of none>]
    launch<threads = 128, tile_m = 64, tile_n = 8> smem_bytes(0)
llvm.func @l4_stages(%map: !llvm.ptr, %bar: !llvm.ptr<3>, %stage: i32, %acc: !acc) attributes {nvvm.kernel, nvvm.maxntid = array<i32: 128, 1, 1>} {
  %c0 = arith.constant 0 : i32
  %c1 = arith.constant 1 : i32
  %c4 = arith.constant 4 : i32
  %c8192 = arith.constant 8192 : i32
  %c256 = arith.constant 256 : i32
  %high = arith.constant 1073741888 : i32
  %smem = llvm.mlir.addressof @smem : !llvm.ptr<3>
  %bytes = arith.muli %stage, %c8192 : i32
  %tile = llvm.getelementptr %smem[%bytes] : (!llvm.ptr<3>, i32) -> !llvm.ptr<3>, i8
  %to = llvm.addrspacecast %tile : !llvm.ptr<3> to !llvm.ptr<7>
  nvvm.cp.async.bulk.tensor.shared.cluster.global %to, %map, %bar, box[%c0, %c0] : !llvm.ptr<7>, !llvm.ptr
  %bits = llvm.ptrtoint %smem : !llvm.ptr<3> to i32
  %start = arith.shrui %bits, %c4 : i32
  %units = arith.muli %stage, %c256 : i32
  %low = arith.addi %start, %units : i32
  %none = llvm.mlir.poison : vector<2xi32>
  %word = llvm.insertelement %low, %none[%c0 : i32] : vector<2xi32>
  %words = llvm.insertelement %high, %word[%c1 : i32] : vector<2xi32>
  %d = llvm.bitcast %words : vector<2xi32> to i64
  // expected-error @+1 {{breaks L4: expected the descriptor of A to address a stage of a tile that TMA loads, got byte 0 of shared memory and stages 4096 bytes apart}}
  %p = nvvm.wgmma.mma_async %d, %d, %acc, <m = 64, n = 8, k = 32>, D[<f32>, <zero>], A[<e4m3>, <one>, <row>], B[<e4m3>, <one>, <col>] : !acc -> !acc
  llvm.return
}

// The swizzle's pattern would be that of other rows.
hopper.entry @l4_four_rows_further params [#hopper.param<tensor_map of a : !map>, #hopper.param<matrix of none>, #hopper.param<extent of none>, #hopper.param<extent of none>]
    launch<threads = 128, tile_m = 64, tile_n = 8> smem_bytes(0)
llvm.func @l4_four_rows_further(%map: !llvm.ptr, %bar: !llvm.ptr<3>, %stage: i32, %acc: !acc) attributes {nvvm.kernel, nvvm.maxntid = array<i32: 128, 1, 1>} {
  %c0 = arith.constant 0 : i32
  %c1 = arith.constant 1 : i32
  %c4 = arith.constant 4 : i32
  %c8192 = arith.constant 8192 : i32
  %c512 = arith.constant 512 : i32
  %high = arith.constant 1073741888 : i32
  %smem = llvm.mlir.addressof @smem : !llvm.ptr<3>
  %bytes = arith.muli %stage, %c8192 : i32
  %tile = llvm.getelementptr %smem[%bytes] : (!llvm.ptr<3>, i32) -> !llvm.ptr<3>, i8
  %to = llvm.addrspacecast %tile : !llvm.ptr<3> to !llvm.ptr<7>
  nvvm.cp.async.bulk.tensor.shared.cluster.global %to, %map, %bar, box[%c0, %c0] : !llvm.ptr<7>, !llvm.ptr
  %bits = llvm.ptrtoint %smem : !llvm.ptr<3> to i32
  %start = arith.shrui %bits, %c4 : i32
  %units = arith.muli %stage, %c512 : i32
  %low = arith.addi %start, %units : i32
  %c32 = arith.constant 32 : i32
  %further = arith.addi %low, %c32 : i32
  %none = llvm.mlir.poison : vector<2xi32>
  %word = llvm.insertelement %further, %none[%c0 : i32] : vector<2xi32>
  %words = llvm.insertelement %high, %word[%c1 : i32] : vector<2xi32>
  %d = llvm.bitcast %words : vector<2xi32> to i64
  // expected-error @+1 {{breaks L4: expected the descriptor of A to start at byte 0 of 1024 (8 rows, K step 0), got byte 512}}
  %p = nvvm.wgmma.mma_async %d, %d, %acc, <m = 64, n = 8, k = 32>, D[<f32>, <zero>], A[<e4m3>, <one>, <row>], B[<e4m3>, <one>, <col>] : !acc -> !acc
  llvm.return
}

hopper.entry @l4_rows params [#hopper.param<tensor_map of a : !map>, #hopper.param<matrix of none>, #hopper.param<extent of none>, #hopper.param<extent of none>]
    launch<threads = 128, tile_m = 64, tile_n = 8> smem_bytes(0)
llvm.func @l4_rows(%map: !llvm.ptr, %bar: !llvm.ptr<3>, %stage: i32, %acc: !acc) attributes {nvvm.kernel, nvvm.maxntid = array<i32: 128, 1, 1>} {
  %c0 = arith.constant 0 : i32
  %c1 = arith.constant 1 : i32
  %c4 = arith.constant 4 : i32
  %c8192 = arith.constant 8192 : i32
  %c512 = arith.constant 512 : i32
  %high = arith.constant 1073741888 : i32
  %smem = llvm.mlir.addressof @smem : !llvm.ptr<3>
  %bytes = arith.muli %stage, %c8192 : i32
  %tile = llvm.getelementptr %smem[%bytes] : (!llvm.ptr<3>, i32) -> !llvm.ptr<3>, i8
  %to = llvm.addrspacecast %tile : !llvm.ptr<3> to !llvm.ptr<7>
  nvvm.cp.async.bulk.tensor.shared.cluster.global %to, %map, %bar, box[%c0, %c0] : !llvm.ptr<7>, !llvm.ptr
  %bits = llvm.ptrtoint %smem : !llvm.ptr<3> to i32
  %start = arith.shrui %bits, %c4 : i32
  %units = arith.muli %stage, %c512 : i32
  %low = arith.addi %start, %units : i32
  %c64 = arith.constant 64 : i32
  %further = arith.addi %low, %c64 : i32
  %none = llvm.mlir.poison : vector<2xi32>
  %word = llvm.insertelement %further, %none[%c0 : i32] : vector<2xi32>
  %words = llvm.insertelement %high, %word[%c1 : i32] : vector<2xi32>
  %d = llvm.bitcast %words : vector<2xi32> to i64
  // expected-error @+1 {{breaks L4: expected A to have 64 rows from row 8 of a tile, got a tile of 64}}
  %p = nvvm.wgmma.mma_async %d, %d, %acc, <m = 64, n = 8, k = 32>, D[<f32>, <zero>], A[<e4m3>, <one>, <row>], B[<e4m3>, <one>, <col>] : !acc -> !acc
  llvm.return
}

hopper.entry @l4_type params [#hopper.param<tensor_map of a : !map>, #hopper.param<matrix of none>, #hopper.param<extent of none>, #hopper.param<extent of none>]
    launch<threads = 128, tile_m = 64, tile_n = 8> smem_bytes(0)
llvm.func @l4_type(%map: !llvm.ptr, %bar: !llvm.ptr<3>, %stage: i32, %acc: !acc) attributes {nvvm.kernel, nvvm.maxntid = array<i32: 128, 1, 1>} {
  %c0 = arith.constant 0 : i32
  %c1 = arith.constant 1 : i32
  %c4 = arith.constant 4 : i32
  %c8192 = arith.constant 8192 : i32
  %c512 = arith.constant 512 : i32
  %high = arith.constant 1073741888 : i32
  %smem = llvm.mlir.addressof @smem : !llvm.ptr<3>
  %bytes = arith.muli %stage, %c8192 : i32
  %tile = llvm.getelementptr %smem[%bytes] : (!llvm.ptr<3>, i32) -> !llvm.ptr<3>, i8
  %to = llvm.addrspacecast %tile : !llvm.ptr<3> to !llvm.ptr<7>
  nvvm.cp.async.bulk.tensor.shared.cluster.global %to, %map, %bar, box[%c0, %c0] : !llvm.ptr<7>, !llvm.ptr
  %bits = llvm.ptrtoint %smem : !llvm.ptr<3> to i32
  %start = arith.shrui %bits, %c4 : i32
  %units = arith.muli %stage, %c512 : i32
  %low = arith.addi %start, %units : i32
  %none = llvm.mlir.poison : vector<2xi32>
  %word = llvm.insertelement %low, %none[%c0 : i32] : vector<2xi32>
  %words = llvm.insertelement %high, %word[%c1 : i32] : vector<2xi32>
  %d = llvm.bitcast %words : vector<2xi32> to i64
  // expected-error @+1 {{breaks L4: expected the type of A to be that of its tile, 'f8E4M3FN', got e5m2}}
  %p = nvvm.wgmma.mma_async %d, %d, %acc, <m = 64, n = 8, k = 32>, D[<f32>, <zero>], A[<e5m2>, <one>, <row>], B[<e5m2>, <one>, <col>] : !acc -> !acc
  llvm.return
}

// The second of a chain multiplies the next 32 of K.
hopper.entry @l4_next_k_step params [#hopper.param<tensor_map of a : !map>, #hopper.param<matrix of none>, #hopper.param<extent of none>, #hopper.param<extent of none>]
    launch<threads = 128, tile_m = 64, tile_n = 8> smem_bytes(0)
llvm.func @l4_next_k_step(%map: !llvm.ptr, %bar: !llvm.ptr<3>, %stage: i32, %acc: !acc) attributes {nvvm.kernel, nvvm.maxntid = array<i32: 128, 1, 1>} {
  %c0 = arith.constant 0 : i32
  %c1 = arith.constant 1 : i32
  %c4 = arith.constant 4 : i32
  %c8192 = arith.constant 8192 : i32
  %c512 = arith.constant 512 : i32
  %high = arith.constant 1073741888 : i32
  %smem = llvm.mlir.addressof @smem : !llvm.ptr<3>
  %bytes = arith.muli %stage, %c8192 : i32
  %tile = llvm.getelementptr %smem[%bytes] : (!llvm.ptr<3>, i32) -> !llvm.ptr<3>, i8
  %to = llvm.addrspacecast %tile : !llvm.ptr<3> to !llvm.ptr<7>
  nvvm.cp.async.bulk.tensor.shared.cluster.global %to, %map, %bar, box[%c0, %c0] : !llvm.ptr<7>, !llvm.ptr
  %bits = llvm.ptrtoint %smem : !llvm.ptr<3> to i32
  %start = arith.shrui %bits, %c4 : i32
  %units = arith.muli %stage, %c512 : i32
  %low = arith.addi %start, %units : i32
  %none = llvm.mlir.poison : vector<2xi32>
  %word = llvm.insertelement %low, %none[%c0 : i32] : vector<2xi32>
  %words = llvm.insertelement %high, %word[%c1 : i32] : vector<2xi32>
  %d = llvm.bitcast %words : vector<2xi32> to i64
  %p = nvvm.wgmma.mma_async %d, %d, %acc, <m = 64, n = 8, k = 32>, D[<f32>, <zero>], A[<e4m3>, <one>, <row>], B[<e4m3>, <one>, <col>] : !acc -> !acc
  // expected-error @+1 {{breaks L4: expected the descriptor of A to start at byte 32 of 1024 (8 rows, K step 1), got byte 0}}
  %q = nvvm.wgmma.mma_async %d, %d, %p, <m = 64, n = 8, k = 32>, D[<f32>, <one>], A[<e4m3>, <one>, <row>], B[<e4m3>, <one>, <col>] : !acc -> !acc
  llvm.return
}

hopper.entry @l4_tile_not_aligned params [#hopper.param<tensor_map of a : !map>, #hopper.param<matrix of none>, #hopper.param<extent of none>, #hopper.param<extent of none>]
    launch<threads = 128, tile_m = 64, tile_n = 8> smem_bytes(0)
llvm.func @l4_tile_not_aligned(%map: !llvm.ptr, %bar: !llvm.ptr<3>, %stage: i32, %acc: !acc) attributes {nvvm.kernel, nvvm.maxntid = array<i32: 128, 1, 1>} {
  %c0 = arith.constant 0 : i32
  %c1 = arith.constant 1 : i32
  %c4 = arith.constant 4 : i32
  %c8192 = arith.constant 8192 : i32
  %c512 = arith.constant 512 : i32
  %high = arith.constant 1073741888 : i32
  %smem = llvm.mlir.addressof @smem : !llvm.ptr<3>
  %bytes = arith.muli %stage, %c8192 : i32
  %tile = llvm.getelementptr %smem[%bytes] : (!llvm.ptr<3>, i32) -> !llvm.ptr<3>, i8
  %late = llvm.getelementptr %tile[512] : (!llvm.ptr<3>) -> !llvm.ptr<3>, i8
  %to = llvm.addrspacecast %late : !llvm.ptr<3> to !llvm.ptr<7>
  // expected-error @+1 {{breaks L4: expected a tile in the 128-byte swizzle to start at a multiple of 1024 bytes of shared memory}}
  nvvm.cp.async.bulk.tensor.shared.cluster.global %to, %map, %bar, box[%c0, %c0] : !llvm.ptr<7>, !llvm.ptr
  %bits = llvm.ptrtoint %smem : !llvm.ptr<3> to i32
  %start = arith.shrui %bits, %c4 : i32
  %units = arith.muli %stage, %c512 : i32
  %low = arith.addi %start, %units : i32
  %none = llvm.mlir.poison : vector<2xi32>
  %word = llvm.insertelement %low, %none[%c0 : i32] : vector<2xi32>
  %words = llvm.insertelement %high, %word[%c1 : i32] : vector<2xi32>
  %d = llvm.bitcast %words : vector<2xi32> to i64
  // expected-error @+1 {{breaks L4: expected the descriptor of A to address a stage of a tile that TMA loads, got byte 0 of shared memory and stages 8192 bytes apart}}
  %p = nvvm.wgmma.mma_async %d, %d, %acc, <m = 64, n = 8, k = 32>, D[<f32>, <zero>], A[<e4m3>, <one>, <row>], B[<e4m3>, <one>, <col>] : !acc -> !acc
  llvm.return
}

hopper.entry @l4_differs_by_thread params [#hopper.param<tensor_map of a : !map>, #hopper.param<matrix of none>, #hopper.param<extent of none>, #hopper.param<extent of none>]
    launch<threads = 128, tile_m = 64, tile_n = 8> smem_bytes(0)
llvm.func @l4_differs_by_thread(%map: !llvm.ptr, %bar: !llvm.ptr<3>, %stage: i32, %acc: !acc) attributes {nvvm.kernel, nvvm.maxntid = array<i32: 128, 1, 1>} {
  %c0 = arith.constant 0 : i32
  %c1 = arith.constant 1 : i32
  %c4 = arith.constant 4 : i32
  %c8192 = arith.constant 8192 : i32
  %c512 = arith.constant 512 : i32
  %high = arith.constant 1073741888 : i32
  %smem = llvm.mlir.addressof @smem : !llvm.ptr<3>
  %bytes = arith.muli %stage, %c8192 : i32
  %tile = llvm.getelementptr %smem[%bytes] : (!llvm.ptr<3>, i32) -> !llvm.ptr<3>, i8
  %to = llvm.addrspacecast %tile : !llvm.ptr<3> to !llvm.ptr<7>
  nvvm.cp.async.bulk.tensor.shared.cluster.global %to, %map, %bar, box[%c0, %c0] : !llvm.ptr<7>, !llvm.ptr
  %bits = llvm.ptrtoint %smem : !llvm.ptr<3> to i32
  %start = arith.shrui %bits, %c4 : i32
  %units = arith.muli %stage, %c512 : i32
  %low = arith.addi %start, %units : i32
  %t = nvvm.read.ptx.sreg.tid.x : i32
  %own = arith.addi %low, %t : i32
  %none = llvm.mlir.poison : vector<2xi32>
  %word = llvm.insertelement %own, %none[%c0 : i32] : vector<2xi32>
  %words = llvm.insertelement %high, %word[%c1 : i32] : vector<2xi32>
  %d = llvm.bitcast %words : vector<2xi32> to i64
  // expected-error @+1 {{breaks L4: expected one descriptor of A in all threads of the warpgroup}}
  %p = nvvm.wgmma.mma_async %d, %d, %acc, <m = 64, n = 8, k = 32>, D[<f32>, <zero>], A[<e4m3>, <one>, <row>], B[<e4m3>, <one>, <col>] : !acc -> !acc
  llvm.return
}

// The address is not divided by 16.
hopper.entry @l4_not_decoded params [#hopper.param<tensor_map of a : !map>, #hopper.param<matrix of none>, #hopper.param<extent of none>, #hopper.param<extent of none>]
    launch<threads = 128, tile_m = 64, tile_n = 8> smem_bytes(0)
llvm.func @l4_not_decoded(%map: !llvm.ptr, %bar: !llvm.ptr<3>, %stage: i32, %acc: !acc) attributes {nvvm.kernel, nvvm.maxntid = array<i32: 128, 1, 1>} {
  %c0 = arith.constant 0 : i32
  %c1 = arith.constant 1 : i32
  %c4 = arith.constant 4 : i32
  %c8192 = arith.constant 8192 : i32
  %c512 = arith.constant 512 : i32
  %high = arith.constant 1073741888 : i32
  %smem = llvm.mlir.addressof @smem : !llvm.ptr<3>
  %bytes = arith.muli %stage, %c8192 : i32
  %tile = llvm.getelementptr %smem[%bytes] : (!llvm.ptr<3>, i32) -> !llvm.ptr<3>, i8
  %to = llvm.addrspacecast %tile : !llvm.ptr<3> to !llvm.ptr<7>
  nvvm.cp.async.bulk.tensor.shared.cluster.global %to, %map, %bar, box[%c0, %c0] : !llvm.ptr<7>, !llvm.ptr
  %bits = llvm.ptrtoint %smem : !llvm.ptr<3> to i32
  %start = arith.shrui %bits, %c4 : i32
  %units = arith.muli %stage, %c512 : i32
  %low = arith.addi %start, %units : i32
  %none = llvm.mlir.poison : vector<2xi32>
  %word = llvm.insertelement %bits, %none[%c0 : i32] : vector<2xi32>
  %words = llvm.insertelement %high, %word[%c1 : i32] : vector<2xi32>
  %d = llvm.bitcast %words : vector<2xi32> to i64
  // expected-error @+1 {{breaks L4: expected the descriptor of A to be the address of shared memory / 16 and a constant word, got another value}}
  %p = nvvm.wgmma.mma_async %d, %d, %acc, <m = 64, n = 8, k = 32>, D[<f32>, <zero>], A[<e4m3>, <one>, <row>], B[<e4m3>, <one>, <col>] : !acc -> !acc
  llvm.return
}
}
