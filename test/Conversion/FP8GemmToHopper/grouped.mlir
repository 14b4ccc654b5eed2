// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Grouped products: where each role finds a tile's group, and what it stores of a tile.
// RUN: fp8gemm-opt %s -split-input-file -fp8gemm-select-config="config=tile_m=64,tile_n=128,stages=4,consumers=1,raster_group=2,partials=1,cluster_n=1" \
// RUN:   -convert-fp8gemm-to-hopper | FileCheck %s -enable-var-scope
// RUN: fp8gemm-opt %s -split-input-file -pass-pipeline='builtin.module(fp8gemm-select-config{config=tile_m=64,tile_n=128,consumers=1,cluster_n=1},convert-fp8gemm-to-hopper,gpu.module(hopper.kernel(hopper-check-rings,hopper-check-resources,hopper-complete-schedule,hopper-check-rings)))' -o /dev/null

// Rows packed without padding: the kernel tabulates the groups first, of 64 rows a chunk.
// CHECK-LABEL: hopper.kernel @fp8gemm_{{.*}}_3_groups_row_end_align1
// CHECK-SAME:    %[[A:.+]]: !map_64x128 of a, %[[B:.+]]: !map_1x128x128 of b
// CHECK-SAME:    %[[D:[a-z0-9_]+]]: memref<?x256xbf16, strided<[?, 1]>> of d
// CHECK-SAME:    %[[ENDS:[a-z0-9_]+]]: memref<3xi32> of groups
// CHECK-NEXT:    shared(%{{.+}}, %[[TABLE:[a-z0-9_]+]]: !table_4x4)
// CHECK-NEXT:    problem<{{.*}} groups = <count = 3, by = row_end>>
// CHECK:         hopper.scan_groups %[[ENDS]] by row_end limit %{{.+}} chunk(64) to %[[TABLE]]
// CHECK:         gpu.barrier
// CHECK:         hopper.tiles %{{.+}} by %[[TABLE]] : !table_4x4 of <rows_by_table, tile_m = 64, tile_n = 128, n = 256, k_blocks = 4, raster = 2, groups = 3>
// CHECK:         hopper.warp_specialize
// CHECK:           hopper.for_tiles %{{.+}} |%[[TILE:.+]], %[[BEGIN:.+]], %{{.+}}, %{{.+}}| {
// CHECK-NEXT:        %[[ROW:.+]], %{{.+}}, %[[GROUP:.+]], %{{.+}} = hopper.locate %[[TILE]]
// CHECK:             scf.for
// CHECK:               hopper.tma_load %[[A]][%[[ROW]], %{{.+}}] to
// CHECK:               hopper.tma_load %[[B]][%{{.+}}, %{{.+}}] of %[[GROUP]] to
// Scales come from a multiple of 4 rows, what TMA can address, and are read from the tile's first row.
// CHECK:               %[[SHIFT:.+]] = arith.remui %[[BEGIN]], %c4
// CHECK:               %[[FIRST:.+]] = arith.subi %[[ROW]], %[[SHIFT]]
// CHECK:               hopper.tma_load %{{.+}}[%{{.+}}, %[[FIRST]]] to %{{.+}} to !scales_68
// CHECK:         } helper {
// CHECK:           hopper.fetch_scales %{{.+}}[%{{.+}}, %{{.+}}] of %{{.+}} count 1
// CHECK:         } consumers
// CHECK:             memref.subview %{{.+}}[%{{.+}}] [64] [1] : !scales_68
// A whole block goes by TMA, of another one the group's rows.
// CHECK:           %[[ROWS:.+]] = arith.subi %{{.+}}, %{{.+}} : index
// CHECK:           scf.if
// CHECK-NEXT:        hopper.tma_store
// CHECK-NEXT:      } else {
// CHECK-NEXT:        hopper.store_rows %{{.+}} of %{{.+}} to %[[D]]
func.func @ends(%a: memref<?x512xf8E4M3FN>, %sfa: memref<4x?xf32>, %b: memref<3x256x512xf8E4M3FN>, %sfb: memref<3x2x4xf32>,
                %ends: memref<3xi32>, %d: memref<?x256xbf16>) {
  fp8gemm.grouped_gemm %a scaled_by %sfa <1x128, mn_major>, %b scaled_by %sfb <128x128, k_major> groups %ends <row_end> into %d
    : memref<?x512xf8E4M3FN>, memref<4x?xf32>, memref<3x256x512xf8E4M3FN>, memref<3x2x4xf32>, memref<3xi32>, memref<?x256xbf16>
  return
}

// -----

// An index of each row: a tile's first row tells its group, and tiles of none are skipped by every role.
// CHECK-LABEL: hopper.kernel @fp8gemm_{{.*}}_3_groups_row_index_align128
// CHECK-SAME:    %[[INDEX:[a-z0-9_]+]]: memref<?xi32> of groups
// CHECK-NOT:     hopper.scan_groups
// CHECK:         %[[WORK:.+]] = hopper.tiles %{{.+}} by %[[INDEX]] : memref<?xi32> of <rows_by_index, {{.*}} groups = 3>
// CHECK:         hopper.warp_specialize
// CHECK:             hopper.for_tiles %[[WORK]]
// CHECK:               hopper.tma_load
// CHECK:         } helper {
// CHECK:             hopper.for_tiles %[[WORK]]
// CHECK:               hopper.fetch_scales
// CHECK:         } consumers
// CHECK:             hopper.for_tiles %[[WORK]]
// CHECK:               hopper.mma
// CHECK:               %[[ROWS:.+]] = hopper.count_rows %[[INDEX]]
// CHECK:               hopper.tma_store
// CHECK:               hopper.store_rows
func.func @index(%a: memref<?x512xf8E4M3FN>, %sfa: memref<4x?xf32>, %b: memref<3x256x512xf8E4M3FN>, %sfb: memref<3x2x4xf32>,
                 %index: memref<?xi32>, %d: memref<?x256xbf16>) {
  fp8gemm.grouped_gemm %a scaled_by %sfa <1x128, mn_major>, %b scaled_by %sfb <128x128, k_major> groups %index <row_index, align = 128> into %d
    : memref<?x512xf8E4M3FN>, memref<4x?xf32>, memref<3x256x512xf8E4M3FN>, memref<3x2x4xf32>, memref<?xi32>, memref<?x256xbf16>
  return
}

// -----

// Masked: A, its scales and D have groups too.
// CHECK-LABEL: hopper.kernel @fp8gemm_{{.*}}_3_groups_row_count_align1
// CHECK-SAME:    memref<?x?x256xbf16, strided<[?, ?, 1]>> of d
// CHECK:         hopper.scan_groups %{{.+}} by row_count limit
// CHECK:         hopper.tma_load %{{.+}}[%{{.+}}, %{{.+}}] of %[[GROUP:[a-z_0-9]+]] to
// CHECK:         hopper.tma_load %{{.+}}[%{{.+}}, %{{.+}}] of %[[GROUP]] to
// CHECK:         hopper.tma_load %{{.+}}[%{{.+}}, %{{.+}}] of %[[GROUP]] to
// CHECK:         } consumers
// CHECK:         hopper.tma_store %{{.+}} to %{{.+}}[%{{.+}}, %{{.+}}] of %[[STORED:[a-z_0-9]+]] : !view
// CHECK:         hopper.store_rows %{{.+}} of %{{.+}} to %{{.+}}[%{{.+}}, %{{.+}}] of %[[STORED]] : !view
func.func @masked(%a: memref<3x?x512xf8E4M3FN>, %sfa: memref<3x4x?xf32>, %b: memref<3x256x512xf8E4M3FN>, %sfb: memref<3x2x4xf32>,
                  %counts: memref<3xi32>, %d: memref<3x?x256xbf16>) {
  fp8gemm.grouped_gemm %a scaled_by %sfa <1x128, mn_major>, %b scaled_by %sfb <128x128, k_major> groups %counts <row_count> into %d
    : memref<3x?x512xf8E4M3FN>, memref<3x4x?xf32>, memref<3x256x512xf8E4M3FN>, memref<3x2x4xf32>, memref<3xi32>, memref<3x?x256xbf16>
  return
}

// -----

// Equal groups: no description, and rows beyond M are outside of the group's tensor for TMA.
// CHECK-LABEL: hopper.kernel @fp8gemm_{{.*}}_3_groups_batched_align1
// CHECK-NOT:     hopper.scan_groups
// CHECK:         } consumers
// CHECK-NOT:     scf.if
// CHECK:         hopper.tma_store %{{.+}} to %{{.+}}[%{{.+}}, %{{.+}}] of
// CHECK-NOT:     hopper.store_rows
// CHECK:         hopper.griddepcontrol launch_dependents
func.func @batched(%a: memref<3x?x512xf8E4M3FN>, %sfa: memref<3x4x?xf32>, %b: memref<3x256x512xf8E4M3FN>, %sfb: memref<3x2x4xf32>,
                   %d: memref<3x?x256xbf16>) {
  fp8gemm.grouped_gemm %a scaled_by %sfa <1x128, mn_major>, %b scaled_by %sfb <128x128, k_major> into %d
    : memref<3x?x512xf8E4M3FN>, memref<3x4x?xf32>, memref<3x256x512xf8E4M3FN>, memref<3x2x4xf32>, memref<3x?x256xbf16>
  return
}

// -----

// K is grouped: each group has its part of the columns of A and B, by tensor maps that the kernel makes first,
// its part of the scales, and a D of its own. A group without any leaves D alone, in place.
// CHECK-LABEL: hopper.kernel @fp8gemm_1d1d_{{.*}}_3_groups_k_count_align1
// CHECK-SAME:    %[[A:[a-z0-9_]+]]: memref<?x?xf8E4M3FN, strided<[?, 1]>> of a
// CHECK-SAME:    %[[WORKSPACE:[a-z0-9_]+]]: memref<?xi8> of workspace
// CHECK-SAME:    %[[K:[a-z0-9_]+]]: index of k
// CHECK:         workspace_bytes = 768>
// CHECK:         hopper.scan_groups %{{.+}} by k_count limit %[[K]] chunk(128) to %[[TABLE:[a-z0-9_]+]]
// CHECK-NEXT:    gpu.barrier
// CHECK-NEXT:    hopper.make_group_maps %{{.+}} of %[[A]] rows %{{.+}} in %[[TABLE]] to %[[WORKSPACE]] slot 0 of 2
// CHECK-NEXT:    hopper.make_group_maps %{{.+}} of %{{.+}} rows %{{.+}} in %[[TABLE]] to %[[WORKSPACE]] slot 1 of 2
// CHECK:         gpu.barrier
// CHECK:         hopper.warp_specialize
// CHECK:           hopper.for_tiles %{{.+}} |%[[TILE:.+]], %[[BEFORE:.+]], %{{.+}}, %[[COUNT:.+]]| {
// CHECK-NEXT:        %{{.+}}, %{{.+}}, %[[GROUP:.+]], %{{.+}} = hopper.locate %[[TILE]]
// CHECK-NEXT:        %[[MAP:.+]] = hopper.group_map %[[GROUP]] of 3 in %[[WORKSPACE]] slot 0 of 2
// CHECK:             scf.for %[[I:.+]] = %c0 to %[[COUNT]] step %c1 {
// CHECK:               hopper.tma_load %[[MAP]][
// CHECK:               arith.addi %[[BEFORE]], %[[I]]
// CHECK:         } consumers
// CHECK-NOT:       empty
// CHECK:             hopper.tma_store add %{{.+}} to %{{.+}}[%{{.+}}, %{{.+}}] of
func.func @k_grouped(%a: memref<256x?xf8E4M3FN>, %sfa: memref<?x256xf32>, %b: memref<128x?xf8E4M3FN>, %sfb: memref<?x128xf32>,
                     %lengths: memref<3xi32>, %d: memref<3x256x128xf32>) {
  fp8gemm.k_grouped_gemm %a scaled_by %sfa <1x128, mn_major>, %b scaled_by %sfb <1x128, mn_major> groups %lengths <k_count> plus %d into %d
    : memref<256x?xf8E4M3FN>, memref<?x256xf32>, memref<128x?xf8E4M3FN>, memref<?x128xf32>, memref<3xi32>, memref<3x256x128xf32>, memref<3x256x128xf32>
  return
}

// -----

// Not in place a group without K blocks has a D of zeros.
// CHECK-LABEL: hopper.kernel @fp8gemm_1d1d_{{.*}}_3_groups_k_count_flat_align1
// CHECK-SAME:    memref<?xf8E4M3FN> of a
// CHECK:         } consumers
// CHECK:           hopper.for_tiles
// CHECK:             hopper.mma
// CHECK:           } empty |
// CHECK:             %[[ZERO:.+]] = arith.constant dense<0.000000e+00>
// CHECK:             hopper.store_fragment %[[ZERO]]
// CHECK:             hopper.tma_store %{{.+}} to
func.func @flat(%a: memref<?xf8E4M3FN>, %sfa: memref<?x256xf32>, %b: memref<?xf8E4M3FN>, %sfb: memref<?x128xf32>,
                %lengths: memref<3xi32>, %d: memref<3x256x128xf32>) {
  fp8gemm.k_grouped_gemm %a scaled_by %sfa <1x128, mn_major>, %b scaled_by %sfb <1x128, mn_major> groups %lengths <k_count> into %d
    : memref<?xf8E4M3FN>, memref<?x256xf32>, memref<?xf8E4M3FN>, memref<?x128xf32>, memref<3xi32>, memref<3x256x128xf32>
  return
}

// -----

// Scales of 256 rows, and those before them, come in two boxes that follow each other.
// CHECK-LABEL: hopper.kernel @fp8gemm_{{.*}}_tile256x64_{{.*}}_3_groups_row_end_align1
// CHECK:         hopper.tma_load {{.*}} to !smem_2x1x160
// CHECK:         } consumers
// CHECK:           %[[SCALES:.+]] = memref.collapse_shape %{{.+}} {{\[\[}}0, 1, 2]] : !smem_2x1x160 into !scales_320
// CHECK:           memref.subview %[[SCALES]][%{{.+}}] [64] [1]
func.func @tall(%a: memref<?x512xf8E4M3FN>, %sfa: memref<4x?xf32>, %b: memref<3x256x512xf8E4M3FN>, %sfb: memref<3x2x4xf32>,
                %ends: memref<3xi32>, %d: memref<?x256xbf16>) {
  fp8gemm.grouped_gemm %a scaled_by %sfa <1x128, mn_major>, %b scaled_by %sfb <128x128, k_major> groups %ends <row_end> into %d
    {config = #fp8gemm.config<tile_m = 256, tile_n = 64, stages = 3, consumers = 2, producer_registers = 40, consumer_registers = 232, raster_group = 2>}
    : memref<?x512xf8E4M3FN>, memref<4x?xf32>, memref<3x256x512xf8E4M3FN>, memref<3x2x4xf32>, memref<3xi32>, memref<?x256xbf16>
  return
}

// -----

// Four groups of two matrices of B: tiles of groups 0 and 2 follow each other, then those of 1 and 3.
// CHECK-LABEL: hopper.kernel @fp8gemm_{{.*}}_4_groups_row_count_align1_weights2
// CHECK-SAME:    %[[B:[a-z0-9_]+]]: !map_1x128x128 of b
// CHECK:         problem<{{.*}} groups = <count = 4, by = row_count, weights = 2>>
// CHECK:         hopper.scan_groups %{{.+}} by row_count sharing(2) limit
// CHECK:         hopper.tiles {{.+}} groups = 4, sharing = 2>
// CHECK:         %{{.+}}, %{{.+}}, %[[GROUP:.+]], %{{.+}} = hopper.locate
// CHECK:         %[[WEIGHTS:.+]] = arith.remui %[[GROUP]], %c2
// CHECK:           hopper.tma_load %{{.+}}[%{{.+}}, %{{.+}}] of %[[GROUP]] to
// CHECK:           hopper.tma_load %[[B]][%{{.+}}, %{{.+}}] of %[[WEIGHTS]] to
// CHECK:         } helper {
// CHECK:           %[[OF_SCALES:.+]] = arith.remui %{{.+}}, %c2
// CHECK:           hopper.fetch_scales %{{.+}}[%{{.+}}, %{{.+}}] of %[[OF_SCALES]] count 1
// CHECK:         } consumers
// CHECK-NOT:       arith.remui %{{.+}}, %c2
func.func @shared(%a: memref<4x?x512xf8E4M3FN>, %sfa: memref<4x4x?xf32>, %b: memref<2x256x512xf8E4M3FN>, %sfb: memref<2x2x4xf32>,
                  %counts: memref<4xi32>, %d: memref<4x?x256xbf16>) {
  fp8gemm.grouped_gemm %a scaled_by %sfa <1x128, mn_major>, %b scaled_by %sfb <128x128, k_major> groups %counts <row_count> into %d
    : memref<4x?x512xf8E4M3FN>, memref<4x4x?xf32>, memref<2x256x512xf8E4M3FN>, memref<2x2x4xf32>, memref<4xi32>, memref<4x?x256xbf16>
  return
}

// -----

// C of a tile's rows comes by TMA, whatever group they are of, and is added before the group's rows are stored. So in place in f32, too: what
// threads store, TMA cannot add.
// CHECK-LABEL: hopper.kernel @fp8gemm_{{.*}}_f32_in_place_{{.*}}_row_end_align1
// CHECK-SAME:    %[[C:[a-z0-9_]+]]: !map_64x32 of c
// CHECK-SAME:    %[[D:[a-z0-9_]+]]: memref<?x256xf32, strided<[?, 1]>> of d
// CHECK:           %[[ROW:.+]], %[[COLUMN:.+]], %{{.+}}, %{{.+}} = hopper.locate
// CHECK:           %[[SLOT:.+]], %[[TO:.+]] = hopper.ring.acquire %{{.+}} by tma
// CHECK:           hopper.tma_load %[[C]][%[[ROW]], %[[COLUMN]]] to %{{.+}} signal
// CHECK:         } consumers
// CHECK:           hopper.load_fragment
// CHECK-NEXT:      hopper.ring.release
// CHECK-NEXT:      arith.addf
// CHECK:           scf.if
// CHECK-NEXT:        hopper.tma_store %{{.+}} to %{{[^:]+}} :
// CHECK-NEXT:      } else {
// CHECK-NEXT:        hopper.store_rows %{{.+}} of %{{.+}} to %[[D]]
func.func @ends_plus_d(%a: memref<?x512xf8E4M3FN>, %sfa: memref<4x?xf32>, %b: memref<3x256x512xf8E4M3FN>, %sfb: memref<3x2x4xf32>,
                       %ends: memref<3xi32>, %d: memref<?x256xf32>) {
  fp8gemm.grouped_gemm %a scaled_by %sfa <1x128, mn_major>, %b scaled_by %sfb <128x128, k_major> groups %ends <row_end> plus %d into %d
    : memref<?x512xf8E4M3FN>, memref<4x?xf32>, memref<3x256x512xf8E4M3FN>, memref<3x2x4xf32>, memref<3xi32>, memref<?x256xf32>, memref<?x256xf32>
  return
}
