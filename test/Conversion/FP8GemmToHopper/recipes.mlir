// RUN: fp8gemm-opt %s -convert-fp8gemm-to-hopper | FileCheck %s -enable-var-scope

#config = #fp8gemm.config<tile_m = 128, tile_n = 64, stages = 2, consumers = 2,
                          producer_registers = 40, consumer_registers = 232, raster_group = 1>

!a = memref<?x256xf8E5M2>
!b = memref<192x256xf8E4M3FN>
!bf16 = memref<?x192xbf16>
!f32 = memref<?x192xf32>

func.func @products(%a: !a, %b: !b, %c: !bf16, %d: !bf16, %sum: !f32, %rows: memref<?x2xf32>, %columns: memref<2x?xf32>,
                    %sfb: memref<192x2xf32>, %sfbT: memref<2x192xf32>) {
  fp8gemm.gemm %a scaled_by %columns <1x128, mn_major>, %b scaled_by %sfbT <1x128, mn_major> plus %sum into %sum
    {config = #config} : !a, memref<2x?xf32>, !b, memref<2x192xf32>, !f32, !f32
  fp8gemm.gemm %a scaled_by %rows <1x128, k_major>, %b scaled_by %sfbT <1x128, mn_major> into %sum
    {config = #config} : !a, memref<?x2xf32>, !b, memref<2x192xf32>, !f32
  fp8gemm.gemm %a scaled_by %columns <1x128, mn_major>, %b scaled_by %sfb <1x128, k_major> plus %c into %d
    {config = #config} : !a, memref<2x?xf32>, !b, memref<192x2xf32>, !bf16, !bf16
  return
}

// A weight gradient: TMA brings both scales, so there is no helper, and adds to what D holds.
// CHECK-LABEL: hopper.kernel @fp8gemm_1d1d_e5m2_e4m3_f32_in_place_many_n192_k256_sfa_mn_sfb_mn_tile128x64
// CHECK-SAME:    !map_{{[0-9x]+}} of sfb
// CHECK-NOT:     of c,
// CHECK:    shared(%[[STAGING:[^:]+]]: !smem_2x2x64x32)
// CHECK-NEXT:    problem<{{.*}} a = f8E5M2, b = f8E4M3FN, c = in_place, d = f32, sfa = mn_major, sfb = mn_major by 1>
// CHECK:         hopper.ring.create
// CHECK-NOT:     hopper.ring.create
// CHECK:         hopper.ring.acquire %{{.+}} by tma
// CHECK-COUNT-4: hopper.tma_load
// CHECK-NEXT:    hopper.ring.commit
// What it adds to is brought to L2 before: 4 boxes of 64x32, one in every other of the last 8 K blocks.
// CHECK-NEXT:    %[[LEFT:.+]] = arith.subi %k_count
// CHECK-NEXT:    %[[TURN:.+]] = arith.divui %[[LEFT]], %c2
// CHECK-NEXT:    %[[BOX:.+]] = arith.subi %c4, %[[TURN]] : index
// CHECK:         scf.if
// CHECK:           arith.divui %[[BOX]], %c2
// CHECK:           arith.remui %[[BOX]], %c2
// CHECK:           hopper.tma_prefetch %{{.+}}[%{{.+}}, %{{.+}}] :
// CHECK-NOT:     helper
// CHECK:         %[[ROWS:.+]] = hopper.load_scales {{.*}} -> <64 rows by 1>
// CHECK-NEXT:    %[[COLUMNS:.+]] = hopper.load_scales {{.*}} -> <64 columns by 1>
// CHECK:         hopper.mma {{.*}} : !view_64x128_e5m2, !tile_{{[0-9x]+}} ->
// CHECK:         hopper.promote %{{.+}} scaled_by(%[[ROWS]], %[[COLUMNS]])
// CHECK:         hopper.tma_store add

// sfb, which TMA fills, comes before sfa, which the helper fills.
// CHECK-LABEL: hopper.kernel @fp8gemm_1d1d_e5m2_e4m3_f32_many_n192_k256_sfa_k_sfb_mn
// CHECK-NOT:     hopper.tma_prefetch
// CHECK:         } helper {
// CHECK:           hopper.fetch_scales {{.*}} count 128 step 1 per 1
// CHECK-NOT:       hopper.fetch_scales {{.*}} count 64
// CHECK:           %{{.+}}, %{{.+}}, %{{.+}}, %[[SFB:.+]], %[[SFA:.+]] = hopper.ring.wait
// CHECK:           memref.subview %[[SFA]]
// CHECK:           hopper.load_scales %[[SFB]] : !scales_64 -> <64 columns by 1>
// CHECK-NOT:     tma_store add

// Another C comes through a ring of its own, loaded after the tile's K blocks and read after them.
// CHECK-LABEL: hopper.kernel @fp8gemm_1d1d_e5m2_e4m3_bf16_plus_c_many_n192_k256_sfa_mn_sfb_k
// CHECK-SAME:    %[[MAP_C:[^:]+]]: !map_{{[0-9x]+}} of c
// CHECK-SAME:    of d
// CHECK:         problem<{{.*}} c = apart, d = bf16
// CHECK:         %[[C_RING:.+]] = hopper.ring.create
// CHECK-NEXT:    %[[RING:.+]] = hopper.ring.create
// CHECK:         hopper.ring.acquire %[[RING]] by tma
// CHECK:         hopper.ring.commit
// CHECK:         %[[SLOT:[^,]+]], %[[PANELS:[^,]+]] = hopper.ring.acquire %[[C_RING]] by tma
// CHECK-NEXT:    hopper.tma_load %[[MAP_C]][{{.*}}] to %[[PANELS]] signal %[[SLOT]] : {{.*}} to memref<1x128x64xbf16, 3>
// CHECK-NEXT:    hopper.ring.commit %[[SLOT]]
// CHECK:         hopper.fetch_scales {{.*}} count 64 step 1 per 1 limit %c192
// CHECK:         %[[ACC:.+]] = scf.for {{.*}} -> (!hopper.fragment<64x64xf32>)
// CHECK:         %[[FULL:[^,]+]], %[[TILE:[^,]+]] = hopper.ring.wait %[[C_RING]] :
// CHECK:         %[[MINE:.+]] = memref.subview %[[TILE]][0, %{{.+}}, 0] [1, 64, 64]
// CHECK-NEXT:    %[[C:.+]] = hopper.load_fragment %[[MINE]]
// CHECK-NEXT:    hopper.ring.release %[[FULL]]
// CHECK-NEXT:    %[[SUM:.+]] = arith.addf %[[C]], %[[ACC]]
// CHECK:         hopper.store_fragment %[[SUM]]
// CHECK:         hopper.tma_store %{{.+}} to
