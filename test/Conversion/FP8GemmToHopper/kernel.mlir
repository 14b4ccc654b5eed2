// RUN: fp8gemm-opt %s -convert-fp8gemm-to-hopper -split-input-file | FileCheck %s -enable-var-scope

#config = #fp8gemm.config<tile_m = 128, tile_n = 192, stages = 4, consumers = 2,
                          producer_registers = 40, consumer_registers = 232, raster_group = 16>

// The operation stays, and names its kernel.
// CHECK-LABEL: func.func @host_keeps_the_product
// CHECK:         fp8gemm.gemm {{.*}} kernel = @[[NAME:fp8gemm_1d2d_e4m3_bf16_many_n384_k576_sfa_mn_sfb_k_tile128x192_stages4_consumers2_raster16]]::@[[NAME]]
func.func @host_keeps_the_product(%a: memref<?x576xf8E4M3FN>, %sfa: memref<5x?xf32>, %b: memref<384x576xf8E4M3FN>,
                                  %sfb: memref<3x5xf32>, %d: memref<?x384xbf16>) {
  fp8gemm.gemm %a scaled_by %sfa <1x128, mn_major>, %b scaled_by %sfb <128x128, k_major> into %d {config = #config}
    : memref<?x576xf8E4M3FN>, memref<5x?xf32>, memref<384x576xf8E4M3FN>, memref<3x5xf32>, memref<?x384xbf16>
  return
}

// CHECK:       gpu.module @[[NAME]] [#nvvm.target<{{.*}}chip = "sm_90a"
// CHECK-NEXT:  hopper.kernel @[[NAME]] args(
// CHECK-SAME:    %[[A:a_map]]: !map_{{[0-9x]+}} of a, %[[B:b_map]]: !map_{{[0-9x]+}} of b, %[[SFA:sfa_map]]: !map_{{[0-9x]+}} of sfa,
// CHECK-SAME:    %[[SFB:sfb_memory]]: memref<3x5xf32, strided<[?, 1]>> of sfb, %d_map: !map_{{[0-9x]+}} of d, %m: index of m)
// CHECK-NEXT:    shared(%{{.+}}: !smem_2x3x64x64)
// CHECK-NEXT:    problem<gemm, m = ?, n = 384, k = 576, a = f8E4M3FN, b = f8E4M3FN, c = none, d = bf16, sfa = mn_major, sfb = k_major by 128>
// CHECK-NEXT:    config(#fp8gemm.config<tile_m = 128, tile_n = 192, stages = 4, consumers = 2, producer_registers = 40, consumer_registers = 232, raster_group = 16>)
// CHECK-NEXT:    launch<threads = 384, tile_m = 128, tile_n = 192> {

// A ring is initialised and fenced before the roles start.
// CHECK:         %[[RING:.+]] = hopper.ring.create : !ring
// CHECK-NEXT:    hopper.ring.init %[[RING]]
// CHECK-NEXT:    hopper.fence mbarrier_init
// CHECK-NEXT:    gpu.barrier

// Up to here a launch may overlap with the kernel before it.
// CHECK-NEXT:    hopper.griddepcontrol wait

// CHECK-NEXT:    %[[WORK:.+]] = hopper.tiles %{{.+}} of <plain, tile_m = 128, tile_n = 192, n = 384, k_blocks = 5, raster = 16, ends_at = 4>

// All roles walk the same tiles. The producer locates one at its start, a consumer after the main loop.
// CHECK-NEXT:    hopper.warp_specialize producer registers(40) {
// CHECK-NEXT:      hopper.for_tiles %[[WORK]] |%[[TILE:.+]], %{{.+}}, %{{.+}}, %[[COUNT:.+]]| {
// CHECK-NEXT:        %[[ROW:.+]], %{{.+}}, %{{.+}}, %{{.+}} = hopper.locate %[[TILE]]
// CHECK:           scf.for %[[K:.+]] = %c0 to %[[COUNT]] step %c1 {
// CHECK:             %[[SLOT:slot]], %[[AS:a]], %[[BS:b]], %[[SFAS:sfa]] = hopper.ring.acquire %[[RING]] by tma
// CHECK-NEXT:        hopper.tma_load %[[A]][%[[ROW]], %[[KCOL:.+]]] to %[[AS]] signal %[[SLOT]]
// CHECK-NEXT:        hopper.tma_load %[[B]][%{{.+}}, %[[KCOL]]] to %[[BS]] signal %[[SLOT]]
// CHECK-NEXT:        hopper.tma_load %[[SFA]][%[[K]], %{{.+}}] to %[[SFAS]] signal %[[SLOT]]
// CHECK-NEXT:        hopper.ring.commit %[[SLOT]]

// A tile of 192 columns crosses a 128-wide scale block: three scales of 64 columns.
// CHECK:         } helper {
// CHECK:           hopper.fetch_scales %[[SFB]][{{.*}}] count 3 step 64 per 128 limit %c384
// CHECK:           hopper.ring.acquire %[[RING]] by warps

// CHECK:         } consumers(2) registers(232) unroll(2) |%[[GROUP:.+]]| {
// CHECK:           hopper.for_tiles %[[WORK]]
// CHECK-NOT:         hopper.locate
// CHECK:             hopper.ring.wait %[[RING]]
// CHECK:             %[[ROWS:.+]] = hopper.load_scales {{.*}} -> <64 rows by 1>
// CHECK-NEXT:        %[[COLUMNS:.+]] = hopper.load_scales {{.*}} -> <192 columns by 64>
// CHECK-NEXT:        hopper.fence wgmma
// CHECK-NEXT:        %[[PARTIAL:.+]] = hopper.mma
// CHECK-NEXT:        %[[DONE:.+]] = hopper.mma.wait %[[PARTIAL]]
// CHECK-NEXT:        hopper.ring.release
// CHECK-NEXT:        %[[NEXT:.+]] = hopper.promote %[[DONE]] scaled_by(%[[ROWS]], %[[COLUMNS]]) into
// CHECK-NEXT:        scf.yield %[[NEXT]]
