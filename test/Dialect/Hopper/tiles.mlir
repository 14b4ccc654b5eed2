// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Tiles, printed and read again; then what breaks their rules.
// RUN: fp8gemm-opt %s -split-input-file -verify-diagnostics --verify-roundtrip | FileCheck %s

// CHECK-LABEL: func.func @walk
// CHECK-SAME:    (%[[M:.+]]: index, %[[TABLE:.+]]: !table_4x4)
// CHECK:         %[[WORK:.+]] = hopper.tiles %[[M]] by %[[TABLE]] : !table_4x4 of <k_by_table, tile_m = 64, tile_n = 64, n = 136, raster = 8, groups = 3, cluster_n = 2>
// CHECK:         hopper.for_tiles %[[WORK]] |%[[TILE:.+]], %{{.+}}, %{{.+}}, %{{.+}}| {
// CHECK-NEXT:      %{{.+}}, %{{.+}}, %{{.+}}, %{{.+}} = hopper.locate %[[TILE]]
// CHECK-NEXT:    } empty |%{{.+}}, %{{.+}}, %{{.+}}, %{{.+}}| {
// CHECK-NEXT:    }
func.func @walk(%m: index, %table: memref<4x4xi32, 3>) {
  %work = hopper.tiles %m by %table : memref<4x4xi32, 3>
    of <k_by_table, tile_m = 64, tile_n = 64, n = 136, raster = 8, groups = 3, cluster_n = 2>
  hopper.for_tiles %work |%tile, %begin, %k_begin, %k_count| {
    %row, %column, %group, %end = hopper.locate %tile
    hopper.yield
  } empty |%tile, %begin, %k_begin, %k_count| {
    hopper.yield
  }
  return
}

// -----

func.func @schedule_c1_tile(%m: index) {
  // expected-error @+1 {{expected 'tile_m' to be in [1, 256], got 0}}
  %work = hopper.tiles %m of <plain, tile_m = 0, tile_n = 64, n = 136, k_blocks = 4, raster = 8>
  return
}

// -----

func.func @schedule_c1_ends_at(%m: index) {
  // expected-error @+1 {{expected 'ends_at' to be in [0, 256], got -1}}
  %work = hopper.tiles %m of <plain, tile_m = 64, tile_n = 64, n = 136, k_blocks = 4, raster = 8, ends_at = -1>
  return
}

// -----

func.func @schedule_c2_kind(%m: index) {
  // expected-error @+1 {{expected 'split_k' larger than 1 for the kind split_k only, got 2 for plain}}
  %work = hopper.tiles %m of <plain, tile_m = 64, tile_n = 64, n = 136, k_blocks = 4, raster = 8, split_k = 2>
  return
}

// -----

func.func @schedule_c2_ranks(%m: index) {
  // expected-error @+1 {{expected 'split_k' larger than 1 for the kind split_k only, got 1 for split_k}}
  %work = hopper.tiles %m of <split_k, tile_m = 64, tile_n = 64, n = 136, k_blocks = 4, raster = 8>
  return
}

// -----

func.func @schedule_c2_cluster(%m: index) {
  // expected-error @+1 {{expected clusters of one tile where K is split, got 2 x 1}}
  %work = hopper.tiles %m of <split_k, tile_m = 64, tile_n = 64, n = 136, k_blocks = 4, raster = 8, cluster_m = 2, split_k = 2>
  return
}

// -----

func.func @schedule_c6(%m: index) {
  // expected-error @+1 {{expected 'sharing' to divide the 6 groups, got 4}}
  %work = hopper.tiles %m of <batched, tile_m = 64, tile_n = 64, n = 136, k_blocks = 4, raster = 8, groups = 6, sharing = 4>
  return
}

// -----

func.func @schedule_c6_kind(%m: index, %index: memref<?xi32>) {
  // expected-error @+1 {{expected 'sharing' of 1 for the kind rows_by_index, got 2}}
  %work = hopper.tiles %m by %index : memref<?xi32> of <rows_by_index, tile_m = 64, tile_n = 64, n = 136, k_blocks = 4, raster = 8, groups = 6, sharing = 2>
  return
}

// -----

func.func @schedule_c3(%m: index) {
  // expected-error @+1 {{expected no groups for the kind plain, got 2}}
  %work = hopper.tiles %m of <plain, tile_m = 64, tile_n = 64, n = 136, k_blocks = 4, raster = 8, groups = 2>
  return
}

// -----

func.func @schedule_c4_none(%m: index) {
  // expected-error @+1 {{expected 'k_blocks' to be in [1, 2147483648], got 0}}
  %work = hopper.tiles %m of <plain, tile_m = 64, tile_n = 64, n = 136, raster = 8>
  return
}

// -----

func.func @schedule_c4_k_by_table(%m: index, %table: memref<4x4xi32, 3>) {
  // expected-error @+1 {{expected no 'k_blocks' for the kind k_by_table, whose table has those of each group, got 4}}
  %work = hopper.tiles %m by %table : memref<4x4xi32, 3> of <k_by_table, tile_m = 64, tile_n = 64, n = 136, k_blocks = 4, raster = 8, groups = 3>
  return
}

// -----

func.func @schedule_c5(%m: index) {
  // expected-error @+1 {{expected 'raster' squared times the columns of tiles to be at most 2147483648, got 32768 and 3 columns of tiles}}
  %work = hopper.tiles %m of <plain, tile_m = 64, tile_n = 64, n = 136, k_blocks = 4, raster = 32768>
  return
}

// -----

func.func @tiles_c1_table(%m: index, %table: memref<3x4xi32, 3>) {
  // expected-error @+1 {{expected a table of [4, 4] i32 in shared memory, got 'memref<3x4xi32, 3>'}}
  %work = hopper.tiles %m by %table : memref<3x4xi32, 3> of <rows_by_table, tile_m = 64, tile_n = 64, n = 136, k_blocks = 4, raster = 8, groups = 3>
  return
}

// -----

func.func @tiles_c1_index(%m: index) {
  // expected-error @+1 {{expected the index of each row, of rank 1 in global memory, got none}}
  %work = hopper.tiles %m of <rows_by_index, tile_m = 64, tile_n = 64, n = 136, k_blocks = 4, raster = 8, groups = 3>
  return
}

// -----

func.func @tiles_c1_none(%m: index, %index: memref<?xi32>) {
  // expected-error @+1 {{expected no description of groups for the kind batched, got 'memref<?xi32>'}}
  %work = hopper.tiles %m by %index : memref<?xi32> of <batched, tile_m = 64, tile_n = 64, n = 136, k_blocks = 4, raster = 8, groups = 3>
  return
}

// -----

func.func @for_tiles_c1(%m: index) {
  %work = hopper.tiles %m of <plain, tile_m = 64, tile_n = 64, n = 136, k_blocks = 4, raster = 8>
  // expected-error @+1 {{expected a tile and three arguments of type index}}
  "hopper.for_tiles"(%work) ({
  ^bb0(%tile: index):
    hopper.yield
  }, {
  }) : (!hopper.work) -> ()
  return
}

// -----

func.func @for_tiles_c2(%m: index) {
  %work = hopper.tiles %m of <plain, tile_m = 64, tile_n = 64, n = 136, k_blocks = 4, raster = 8>
  // expected-error @+1 {{expected tiles without K blocks only of the kind k_by_table, got plain}}
  hopper.for_tiles %work |%tile, %begin, %k_begin, %k_count| {
    hopper.yield
  } empty |%tile, %begin, %k_begin, %k_count| {
    hopper.yield
  }
  return
}

// -----

func.func @for_tiles_c3(%work: !hopper.work) {
  // expected-error @+1 {{expected the tiles to be those of a hopper.tiles, got another value}}
  hopper.for_tiles %work |%tile, %begin, %k_begin, %k_count| {
    hopper.yield
  }
  return
}

// -----

func.func @locate_c1(%tile: !hopper.tile) {
  // expected-error @+1 {{expected a tile that a hopper.for_tiles gives, got another value}}
  %row, %column, %group, %end = hopper.locate %tile
  return
}
