// RUN: fp8gemm-opt %s -convert-fp8gemm-to-hopper | FileCheck %s -enable-var-scope

#multicast = #fp8gemm.config<tile_m = 128, tile_n = 64, stages = 4, consumers = 2, producer_registers = 40,
                             consumer_registers = 232, raster_group = 4, cluster_m = 2>
#split = #fp8gemm.config<tile_m = 64, tile_n = 64, stages = 4, consumers = 1, producer_registers = 40,
                         consumer_registers = 232, raster_group = 1, split_k = 4>
#overlap = #fp8gemm.config<tile_m = 64, tile_n = 64, stages = 8, consumers = 1, producer_registers = 40,
                           consumer_registers = 232, raster_group = 1, partials = 2>

!a = memref<?x1024xf8E4M3FN>
!b = memref<128x1024xf8E4M3FN>
!d = memref<?x128xbf16>

func.func @products(%a: !a, %sfa: memref<8x?xf32>, %b: !b, %sfb: memref<1x8xf32>, %d: !d) {
  fp8gemm.gemm %a scaled_by %sfa <1x128, mn_major>, %b scaled_by %sfb <128x128, k_major> into %d {config = #multicast}
    : !a, memref<8x?xf32>, !b, memref<1x8xf32>, !d
  fp8gemm.gemm %a scaled_by %sfa <1x128, mn_major>, %b scaled_by %sfb <128x128, k_major> into %d {config = #split}
    : !a, memref<8x?xf32>, !b, memref<1x8xf32>, !d
  fp8gemm.gemm %a scaled_by %sfa <1x128, mn_major>, %b scaled_by %sfb <128x128, k_major> into %d {config = #overlap}
    : !a, memref<8x?xf32>, !b, memref<1x8xf32>, !d
  return
}

// Two CTAs compute tiles one below the other; each loads half of B's tile for both.
// CHECK-LABEL: hopper.kernel @{{[a-z0-9_]*}}_cluster2x1 args(
// CHECK:         launch<threads = 384, tile_m = 128, tile_n = 64, cluster_m = 2>
// CHECK:         hopper.ring.create : !ring
// CHECK:         hopper.cluster_barrier
// CHECK:         hopper.tiles {{.*}} cluster_m = 2
// CHECK-NEXT:    %[[RANK:.+]] = gpu.cluster_block_id x
// CHECK:         producer
// CHECK:           %[[SLOT:slot.*]], %[[A:.+]], %[[B:.+]], %{{.+}} = hopper.ring.acquire
// CHECK:           hopper.tma_load %{{.+}} to %[[A]] signal %[[SLOT]] :
// CHECK:           %[[FIRST:.+]] = arith.muli %[[RANK]], %c32
// CHECK:           %[[SHARE:.+]] = memref.subview %[[B]][%[[FIRST]], 0] [32, 128]
// CHECK:           hopper.tma_load %{{.+}} to %[[SHARE]] signal %[[SLOT]] multicast
// CHECK:         consumers(2)
// CHECK:           hopper.tma_store %
// CHECK:           hopper.tma_store.wait read
// CHECK-NEXT:      hopper.cluster_barrier{{$}}

// Four CTAs share the K blocks of a tile, two each; then each adds up and stores 16 columns. Only between the two do they
// see each other's memory.
// CHECK-LABEL: hopper.kernel @{{[a-z0-9_]*}}_split4 args(
// CHECK:    shared(%[[STAGING:.+]]: !smem_1x1x64x16, %[[EXCHANGE:.+]]: !smem_1x8x128x4)
// CHECK:         hopper.fence mbarrier_init
// CHECK-NEXT:    gpu.barrier
// CHECK:         hopper.tiles %{{.+}} of <split_k, tile_m = 64, tile_n = 64, n = 128, k_blocks = 8, raster = 1, split_k = 4, ends_at = 4>
// CHECK-NEXT:    %[[RANK:.+]] = gpu.cluster_block_id x
// CHECK:         producer
// CHECK-NEXT:      hopper.for_tiles %{{.+}} |%{{.+}}, %{{.+}}, %[[BEGIN:.+]], %[[COUNT:.+]]| {
// CHECK:           scf.for %[[I:.+]] = %c0 to %[[COUNT]] step %c1
// CHECK:             arith.addi %[[BEGIN]], %[[I]]
// CHECK:         consumers(1)
// CHECK:           %[[ALL:.+]] = memref.subview %[[EXCHANGE]]
// CHECK:           hopper.put_fragment %{{.+}} to %[[ALL]]
// CHECK:           hopper.cluster_barrier{{$}}
// CHECK:           %[[FIRST:.+]] = arith.muli %[[RANK]], %c2
// CHECK:           %[[PART:.+]] = memref.subview %[[EXCHANGE]][%{{.+}}, %[[FIRST]], 0, 0] [1, 2, 128, 4]
// CHECK:           %[[SUM:.+]] = hopper.reduce_fragments %[[PART]] ranks(4)
// CHECK:           hopper.store_fragment %[[SUM]]
// CHECK:           hopper.tma_store
// CHECK:           hopper.cluster_barrier

// Two products are in flight; the third takes the registers of the first.
// CHECK-LABEL: hopper.kernel @{{[a-z0-9_]*}}_partials2 args(
// CHECK:         consumers(1)
// CHECK:           scf.for {{.*}} step %c4
// CHECK:             %[[P0:.+]] = hopper.mma
// CHECK:             %[[P1:.+]] = hopper.mma
// CHECK:             %[[D0:.+]] = hopper.mma.wait %[[P0]] pending 1
// CHECK-NEXT:        hopper.ring.release
// CHECK-NEXT:        hopper.promote %[[D0]]
// CHECK:             %[[P2:.+]] = hopper.mma {{.*}} reusing %[[D0]]
// CHECK:             %[[D1:.+]] = hopper.mma.wait %[[P1]] pending 1
