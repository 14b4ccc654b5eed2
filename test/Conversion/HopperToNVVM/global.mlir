// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: fp8gemm-opt %s --convert-hopper-to-nvvm | FileCheck %s -enable-var-scope

#launch = #hopper.launch<threads = 32, tile_m = 1, tile_n = 256>

// Rows are found in 64 bits, elements of them in 32.
// CHECK-LABEL: llvm.func @load(
// CHECK-SAME:    %[[X:[a-z0-9]+]]: !llvm.ptr<1>, %[[LEADING:[a-z0-9]+]]: i64
// CHECK:         nvvm.read.ptx.sreg.tid.x
// CHECK:         %[[OFFSET:.*]] = arith.muli %{{.*}}, %[[LEADING]] : i64
// CHECK:         %[[ROW:.*]] = llvm.getelementptr %[[X]][%[[OFFSET]]] : (!llvm.ptr<1>, i64) -> !llvm.ptr<1>, i16
// CHECK:         %[[PLACE:.*]] = llvm.getelementptr %[[ROW]][%{{.*}}] : (!llvm.ptr<1>, i32) -> !llvm.ptr<1>, i16
// CHECK:         llvm.load %[[PLACE]] {alignment = 16 : i64} : !llvm.ptr<1> -> vector<8xbf16>
gpu.module @m {
  hopper.kernel @load args(%x: memref<?x256xbf16, strided<[?, 1]>>, %y: memref<?x256xbf16, strided<[?, 1]>>)
      launch #launch {
    %thread = gpu.thread_id x
    %c8 = arith.constant 8 : index
    %v = vector.load %x[%thread, %c8] : memref<?x256xbf16, strided<[?, 1]>>, vector<8xbf16>
    vector.store %v, %y[%thread, %c8] : memref<?x256xbf16, strided<[?, 1]>>, vector<8xbf16>
  }
}

// The first element of a pair is the lower byte.
// CHECK-LABEL: llvm.func @narrow(
// CHECK:         %[[FIRST:.*]] = llvm.extractelement %[[V:.*]][%{{.*}} : i32] : vector<8xf32>
// CHECK-NEXT:    %{{.*}} = arith.constant 1
// CHECK-NEXT:    %[[SECOND:.*]] = llvm.extractelement %[[V]][%{{.*}} : i32] : vector<8xf32>
// CHECK:         nvvm.convert.f32x2.to.f8x2 %[[SECOND]], %[[FIRST]] {rnd = #nvvm.fp_rnd_mode<rn>, sat = #nvvm.sat_mode<satfinite>} : i16{{ ?}}(f8E5M2)
// CHECK:         llvm.store %{{.*}} {alignment = 8 : i64} : vector<2xi32>
gpu.module @n {
  hopper.kernel @narrow args(%x: memref<?x256xf32, strided<[?, 1]>>, %q: memref<?x256xf8E5M2, strided<[?, 1]>>)
      launch #launch {
    %c0 = arith.constant 0 : index
    %v = vector.load %x[%c0, %c0] : memref<?x256xf32, strided<[?, 1]>>, vector<8xf32>
    %n = arith.truncf %v : vector<8xf32> to vector<8xf8E5M2>
    vector.store %n, %q[%c0, %c0] : memref<?x256xf8E5M2, strided<[?, 1]>>, vector<8xf8E5M2>
  }
}

// The column is the outer dimension of scales stored by K blocks.
// CHECK-LABEL: llvm.func @exchange(
// CHECK-SAME:    %[[S:[a-z0-9]+]]: !llvm.ptr<1>, %[[LEADING:[a-z0-9]+]]: i64
// CHECK:         %[[OTHER:.*]] = nvvm.shfl.sync bfly %{{.*}}, %{{.*}}, %{{.*}}, %{{.*}} : f32 -> f32
// CHECK:         %[[BLOCK:.*]] = arith.extui %{{.*}} : i32 to i64
// CHECK-NEXT:    arith.muli %[[BLOCK]], %[[LEADING]]
// CHECK:         llvm.store %[[OTHER]], %{{.*}} {alignment = 4 : i64} : f32, !llvm.ptr<1>
gpu.module @e {
  hopper.kernel @exchange args(%s: memref<?x2xf32, strided<[1, ?]>>, %row: index) launch #launch {
    %f = arith.constant 1.0 : f32
    %c1 = arith.constant 1 : index
    %distance = arith.constant 8 : i32
    %warp = arith.constant 32 : i32
    %other, %valid = gpu.shuffle xor %f, %distance, %warp : f32
    memref.store %other, %s[%row, %c1] : memref<?x2xf32, strided<[1, ?]>>
  }
}

// Elements of a vector in shared memory.
// CHECK-LABEL: llvm.func @shared(
// CHECK:         %[[BASE:.*]] = llvm.mlir.addressof @smem
// CHECK:         %[[TO:.*]] = llvm.getelementptr %[[BASE]][%{{.*}}] : (!llvm.ptr<3>, i32) -> !llvm.ptr<3>, f32
// CHECK:         llvm.store %{{.*}}, %[[TO]] {alignment = 4 : i64} : f32, !llvm.ptr<3>
// CHECK:         nvvm.barrier
// CHECK:         %[[FROM:.*]] = llvm.getelementptr %[[BASE]][%{{.*}}] : (!llvm.ptr<3>, i32) -> !llvm.ptr<3>, f32
// CHECK:         llvm.load %[[FROM]] {alignment = 4 : i64} : !llvm.ptr<3> -> f32
gpu.module @s {
  hopper.kernel @shared args(%x: memref<?x256xf32, strided<[?, 1]>>) shared(%v: memref<32xf32, 3>) launch #launch {
    %thread = gpu.thread_id x
    %c0 = arith.constant 0 : index
    %c31 = arith.constant 31 : index
    %one = arith.constant 1.0 : f32
    memref.store %one, %v[%thread] : memref<32xf32, 3>
    gpu.barrier
    %other = arith.subi %c31, %thread : index
    %y = memref.load %v[%other] : memref<32xf32, 3>
    memref.store %y, %x[%thread, %c0] : memref<?x256xf32, strided<[?, 1]>>
  }
}
