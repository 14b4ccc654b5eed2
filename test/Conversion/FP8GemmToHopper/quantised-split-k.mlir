// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Ranks of a split K store 32 of the 128 columns of a block of scales each: they tell each other of their largest elements.
// RUN: fp8gemm-compile --op=gemm --n=256 --k=1040 --d-type=e4m3 --sfd=k_major --config='tile_m = 64, tile_n = 128, split_k = 4' --emit=hopper | FileCheck %s

// CHECK: shared(%staging: {{.+}}, %exchange: {{.+}}, %largest: {{.+}})
// CHECK:      %[[SUM:.+]] = hopper.reduce_fragments %{{.+}} ranks(4) : {{.+}} -> <64x32xf32>
// CHECK:      %[[OWN:.+]] = hopper.map(%[[SUM]]) max_of_rows {
// CHECK:      %[[SPREAD:.+]] = hopper.map(%[[SUM]], %[[OWN]]) {
// CHECK:      %[[PLACE:.+]] = memref.subview %largest[
// CHECK-NEXT: hopper.put_fragment %[[SPREAD]] to %[[PLACE]]
// CHECK-NEXT: hopper.cluster_barrier
// CHECK-NEXT: %[[OF_ALL:.+]] = hopper.reduce_fragments %[[PLACE]] ranks(4) max
// CHECK-NEXT: %[[LARGEST:.+]] = hopper.map(%[[OF_ALL]]) max_of_rows {
// CHECK:      %[[SCALE:.+]] = hopper.map(%[[LARGEST]]) {

// The first one stores the scales.
// CHECK:      %[[IS_FIRST:.+]] = arith.cmpi eq, %rank, %c0
// CHECK-NEXT: scf.if %[[IS_FIRST]] {
// CHECK:        hopper.put_scales %[[SCALE]] to %sfd[
// CHECK:      hopper.tma_store
