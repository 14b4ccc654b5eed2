// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Each kind of schedule: what is computed once, what at a tile's start, and what where it is located.
// RUN: fp8gemm-opt %s -pass-pipeline='builtin.module(gpu.module(hopper.kernel(hopper-expand-tiles)))' | FileCheck %s -enable-var-scope

gpu.module @m {
// Five rows of tiles of 128, four columns of tiles of 256; a raster of one row needs no more than a division.
// CHECK-LABEL: hopper.kernel @plain
// CHECK:         %[[TILES:.+]] = arith.muli %c5, %c4
// CHECK-NEXT:    %[[FIRST:.+]] = gpu.block_id x
// CHECK-NEXT:    %[[STEP:.+]] = gpu.grid_dim x
// CHECK:         hopper.warp_specialize
// CHECK-NEXT:      scf.for %[[TILE:.+]] = %[[FIRST]] to %[[TILES]] step %[[STEP]] {
// CHECK-NEXT:        hopper.fence wgmma
// CHECK:             %[[IN_GROUP:.+]] = arith.muli %c1, %c4
// CHECK-NEXT:        %[[BLOCK_ROW:.+]] = arith.divui %[[TILE]], %[[IN_GROUP]]
// CHECK-NEXT:        %[[BLOCK_COLUMN:.+]] = arith.remui %[[TILE]], %[[IN_GROUP]]
// CHECK-NEXT:        %[[ROW:.+]] = arith.muli %[[BLOCK_ROW]], %c128
// CHECK-NEXT:        %[[COLUMN:.+]] = arith.muli %[[BLOCK_COLUMN]], %c256
// CHECK-NEXT:        hopper.named_barrier %[[ROW]] threads(128)
// CHECK-NEXT:        hopper.named_barrier %[[COLUMN]] threads(128)
// CHECK-NEXT:        hopper.named_barrier %c15 threads(128)
// CHECK-NOT:     hopper.tiles
hopper.kernel @plain args() {
  %m = arith.constant 640 : index
  %work = hopper.tiles %m of <plain, tile_m = 128, tile_n = 256, n = 1000, k_blocks = 15, raster = 1>
  hopper.warp_specialize producer registers(40) {
    hopper.for_tiles %work |%tile, %begin, %k_begin, %k_count| {
      hopper.fence wgmma
      %row, %column, %group, %end = hopper.locate %tile
      hopper.named_barrier %row threads(128)
      hopper.named_barrier %column threads(128)
      hopper.named_barrier %k_count threads(128)
      hopper.yield
    }
    hopper.yield
  } consumers(1) registers(232) |%warpgroup| {
    hopper.yield
  }
}

// M is not known: the last tile starts at M - 128, for scales rounded up to 4. The division by the last group's rows is
// done once; a tile takes a multiplication.
// CHECK-LABEL: hopper.kernel @raster
// CHECK-SAME:    (%[[M:.+]]: index)
// CHECK:         %[[UP:.+]] = arith.addi %[[M]], %c3
// CHECK-NEXT:    %[[FOURS:.+]] = arith.divui %[[UP]], %c4
// CHECK-NEXT:    %[[ROUNDED:.+]] = arith.muli %[[FOURS]], %c4
// CHECK-NEXT:    %[[AT_LEAST:.+]] = arith.maxui %[[ROUNDED]], %c128
// CHECK-NEXT:    %[[LAST_ROW:.+]] = arith.subi %[[AT_LEAST]], %c128
// CHECK:         %[[LAST:.+]] = arith.select {{.*}} : i32
// CHECK:         %[[QUOTIENT:.+]] = arith.divui %{{.+}}, %[[LAST]] : i32
// CHECK:         %[[DIVISOR:.+]] = arith.addi %[[QUOTIENT]]
// CHECK:         hopper.warp_specialize
// CHECK:           scf.for
// CHECK:             arith.divui %{{.+}}, %{{.+}} : index
// CHECK-NEXT:        arith.remui
// CHECK-NOT:         arith.divui
// CHECK:             %[[BY:.+]] = arith.select %{{.+}}, %{{.+}}, %[[DIVISOR]] : i32
// CHECK:             %[[WIDE:.+]] = arith.extui %[[BY]] : i32 to i64
// CHECK:             %[[PRODUCT:.+]] = arith.muli %{{.+}}, %[[WIDE]] : i64
// CHECK:             arith.shrui %[[PRODUCT]], %c31_i64
// CHECK:             arith.minui %{{.+}}, %[[LAST_ROW]]
hopper.kernel @raster args(%m: index) {
  %work = hopper.tiles %m of <plain, tile_m = 128, tile_n = 256, n = 1000, k_blocks = 16, raster = 8, ends_at = 4>
  hopper.warp_specialize producer registers(40) {
    hopper.for_tiles %work |%tile, %begin, %k_begin, %k_count| {
      %row, %column, %group, %end = hopper.locate %tile
      hopper.named_barrier %row threads(128)
      hopper.yield
    }
    hopper.yield
  } consumers(1) registers(232) |%warpgroup| {
    hopper.yield
  }
}

// Neighbouring tiles of a cluster: the second CTA's row is 64 further.
// CHECK-LABEL: hopper.kernel @cluster
// CHECK:         %[[FIRST:.+]] = gpu.cluster_id x
// CHECK-NEXT:    %[[STEP:.+]] = gpu.cluster_dim x
// CHECK-NEXT:    %[[RANK:.+]] = gpu.cluster_block_id x
// CHECK:           %[[ROW:.+]] = arith.muli %{{.+}}, %c128
// CHECK-NEXT:      %[[FURTHER:.+]] = arith.muli %[[RANK]], %c64
// CHECK-NEXT:      arith.addi %[[ROW]], %[[FURTHER]]
hopper.kernel @cluster args() {
  %m = arith.constant 640 : index
  %work = hopper.tiles %m of <plain, tile_m = 64, tile_n = 64, n = 1000, k_blocks = 16, raster = 1, cluster_m = 2>
  hopper.warp_specialize producer registers(40) {
    hopper.for_tiles %work |%tile, %begin, %k_begin, %k_count| {
      %row, %column, %group, %end = hopper.locate %tile
      hopper.named_barrier %row threads(128)
      hopper.yield
    }
    hopper.yield
  } consumers(1) registers(232) |%warpgroup| {
    hopper.yield
  }
}

// One tile, so no loop; 5 K blocks for 2 CTAs: from 5 * rank / 2 to 5 * (rank + 1) / 2.
// CHECK-LABEL: hopper.kernel @split_k
// CHECK:         %[[TILE:.+]] = gpu.cluster_id x
// CHECK:         %[[RANK:.+]] = gpu.cluster_block_id x
// CHECK-NEXT:    %[[SCALED:.+]] = arith.muli %[[RANK]], %c5
// CHECK-NEXT:    %[[BEGIN:.+]] = arith.divui %[[SCALED]], %c2
// CHECK-NEXT:    %[[NEXT:.+]] = arith.addi %[[RANK]], %c1
// CHECK-NEXT:    %[[NEXT_SCALED:.+]] = arith.muli %[[NEXT]], %c5
// CHECK-NEXT:    %[[END:.+]] = arith.divui %[[NEXT_SCALED]], %c2
// CHECK-NEXT:    %[[COUNT:.+]] = arith.subi %[[END]], %[[BEGIN]]
// CHECK-NEXT:    hopper.warp_specialize
// CHECK-NEXT:      hopper.named_barrier %[[BEGIN]] threads(128)
// CHECK-NEXT:      hopper.named_barrier %[[COUNT]] threads(128)
// CHECK:           arith.divui %[[TILE]]
hopper.kernel @split_k args() {
  %m = arith.constant 64 : index
  %work = hopper.tiles %m of <split_k, tile_m = 64, tile_n = 64, n = 1000, k_blocks = 5, raster = 1, split_k = 2>
  hopper.warp_specialize producer registers(40) {
    hopper.for_tiles %work |%tile, %begin, %k_begin, %k_count| {
      hopper.named_barrier %k_begin threads(128)
      hopper.named_barrier %k_count threads(128)
      %row, %column, %group, %end = hopper.locate %tile
      hopper.named_barrier %row threads(128)
      hopper.yield
    }
    hopper.yield
  } consumers(1) registers(232) |%warpgroup| {
    hopper.yield
  }
}

// Three groups of 2 x 16 tiles: the group is a division by them, and the tile in it what is left.
// CHECK-LABEL: hopper.kernel @batched
// CHECK:         %[[PER_GROUP:.+]] = arith.muli %c2, %c16
// CHECK-NEXT:    %[[TILES:.+]] = arith.muli %[[PER_GROUP]], %c3
// CHECK:         scf.for %[[TILE:.+]] = %{{.+}} to %[[TILES]]
// CHECK-NEXT:      %[[IN_GROUP:.+]] = arith.remui %[[TILE]], %[[PER_GROUP]]
// CHECK:           arith.divui %[[IN_GROUP]]
// CHECK:           %[[GROUP:.+]] = arith.divui %[[TILE]], %[[PER_GROUP]]
// CHECK-NEXT:      hopper.named_barrier %[[GROUP]] threads(128)
hopper.kernel @batched args() {
  %m = arith.constant 128 : index
  %work = hopper.tiles %m of <batched, tile_m = 64, tile_n = 64, n = 1000, k_blocks = 5, raster = 1, groups = 3>
  hopper.warp_specialize producer registers(40) {
    hopper.for_tiles %work |%tile, %begin, %k_begin, %k_count| {
      %row, %column, %group, %end = hopper.locate %tile
      hopper.named_barrier %group threads(128)
      hopper.named_barrier %row threads(128)
      hopper.yield
    }
    hopper.yield
  } consumers(1) registers(232) |%warpgroup| {
    hopper.yield
  }
}

// The table has all rows of tiles, and says where each group is. One role asks where its group begins before it locates the
// tile, the other doesn't: the first finds the group at once.
// CHECK-LABEL: hopper.kernel @rows_by_table
// CHECK:    shared(%[[TABLE:.+]]: !table_4x4)
// CHECK:         %[[ALL:.+]] = memref.load %[[TABLE]][%c3, %c0]
// CHECK-NEXT:    %[[BLOCK_ROWS:.+]] = arith.index_castui %[[ALL]]
// CHECK-NEXT:    arith.muli %[[BLOCK_ROWS]], %c16
// CHECK:         producer
// CHECK:         scf.for %[[TILE:.+]] =
// CHECK-NEXT:      %[[BLOCK:.+]] = arith.divui %[[TILE]], %c16
// CHECK-NEXT:      %{{.+}}, %{{.+}}, %[[BEGIN:.+]], %{{.+}} = hopper.find_group %[[BLOCK]] in %[[TABLE]]
// CHECK-NEXT:      hopper.named_barrier %[[BEGIN]] threads(128)
// CHECK-NOT:       hopper.find_group
// CHECK:         consumers
// CHECK:         scf.for %[[TILE:.+]] =
// CHECK-NEXT:      hopper.fence wgmma
// CHECK:           %[[GROUP:.+]], %[[BEFORE:.+]], %[[BEGIN:.+]], %[[END:.+]] = hopper.find_group
// CHECK-NEXT:      %[[ROWS:.+]] = arith.subi %[[END]], %[[BEGIN]]
// CHECK-NEXT:      %[[TILES_BEFORE:.+]] = arith.muli %[[BEFORE]], %c16
// CHECK:           arith.subi %[[TILE]], %[[TILES_BEFORE]]
// CHECK:           %[[ROW:.+]] = arith.addi %[[BEGIN]]
// CHECK-NEXT:      hopper.named_barrier %[[ROW]] threads(128)
// CHECK-NEXT:      hopper.named_barrier %[[END]] threads(128)
// CHECK-NEXT:      hopper.named_barrier %[[GROUP]] threads(128)
hopper.kernel @rows_by_table args(%m: index) shared(%table: memref<4x4xi32, 3>) {
  %work = hopper.tiles %m by %table : memref<4x4xi32, 3>
    of <rows_by_table, tile_m = 64, tile_n = 64, n = 1000, k_blocks = 5, raster = 1, groups = 3>
  hopper.warp_specialize producer registers(40) {
    hopper.for_tiles %work |%tile, %begin, %k_begin, %k_count| {
      hopper.named_barrier %begin threads(128)
      %row, %column, %group, %end = hopper.locate %tile
      hopper.named_barrier %row threads(128)
      hopper.yield
    }
    hopper.yield
  } consumers(1) registers(232) |%warpgroup| {
    hopper.for_tiles %work |%tile, %begin, %k_begin, %k_count| {
      hopper.fence wgmma
      %row, %column, %group, %end = hopper.locate %tile
      hopper.named_barrier %row threads(128)
      hopper.named_barrier %end threads(128)
      hopper.named_barrier %group threads(128)
      hopper.yield
    }
    hopper.yield
  }
}

// The group is that of the tile's first row, in a cluster of the cluster's; tiles of none are skipped. Where a tile is, and
// its index, is carried from the one before, which looks that up where it is located itself, or skipped.
// CHECK-LABEL: hopper.kernel @rows_by_index
// CHECK-SAME:    (%[[M:.+]]: index, %[[INDEX:.+]]: memref<?xi32>)
// CHECK:         %[[LAST:.+]] = arith.subi %[[END:.+]], %c1
// CHECK:           arith.minui %[[START:.+]], %[[LAST]]
// CHECK:           %[[ROW:.+]] = arith.addi
// CHECK-NEXT:      %[[COLUMN:.+]] = arith.muli
// CHECK-NEXT:      %[[OFFSET:.+]] = arith.muli %{{.+}}, %c64
// CHECK-NEXT:      %[[FIRST:.+]] = arith.subi %[[ROW]], %[[OFFSET]]
// CHECK-NEXT:      %[[ENTRY:.+]] = memref.load %[[INDEX]][%[[FIRST]]]
// CHECK-NEXT:      %[[ALL:.+]]:3 = scf.for %[[TILE:.+]] = %[[START]] to %[[END]] step %[[STEP:.+]] iter_args(%[[R:.+]] = %[[ROW]], %{{.+}} = %[[COLUMN]], %[[E:.+]] = %[[ENTRY]])
// CHECK-NEXT:        %[[GROUP:.+]] = arith.index_castui %[[E]]
// CHECK-NEXT:        %[[IS:.+]] = arith.cmpi ult, %[[GROUP]], %c3
// CHECK-NEXT:        %[[AHEAD:.+]]:3 = scf.if %[[IS]]
// CHECK-NEXT:          hopper.named_barrier %c5 threads(128)
// CHECK-NEXT:          %[[NEXT:.+]] = arith.addi %[[TILE]], %[[STEP]]
// CHECK-NEXT:          arith.minui %[[NEXT]], %[[LAST]]
// CHECK:               %[[AFTER:.+]] = memref.load %[[INDEX]]
// CHECK-NEXT:          hopper.named_barrier %[[GROUP]] threads(128)
// CHECK-NEXT:          hopper.named_barrier %[[R]] threads(128)
// CHECK-NEXT:          scf.yield %{{.+}}, %{{.+}}, %[[AFTER]]
// CHECK-NEXT:        } else {
// CHECK-NEXT:          arith.addi %[[TILE]], %[[STEP]]
// CHECK:               %[[AFTER:.+]] = memref.load %[[INDEX]]
// CHECK-NEXT:          scf.yield %{{.+}}, %{{.+}}, %[[AFTER]]
// CHECK-NEXT:        }
// CHECK-NEXT:        scf.yield %[[AHEAD]]#0, %[[AHEAD]]#1, %[[AHEAD]]#2
hopper.kernel @rows_by_index args(%m: index, %index: memref<?xi32>) {
  %work = hopper.tiles %m by %index : memref<?xi32>
    of <rows_by_index, tile_m = 64, tile_n = 64, n = 1000, k_blocks = 5, raster = 1, groups = 3, cluster_m = 2>
  hopper.warp_specialize producer registers(40) {
    hopper.for_tiles %work |%tile, %begin, %k_begin, %k_count| {
      hopper.named_barrier %k_count threads(128)
      %row, %column, %group, %end = hopper.locate %tile
      hopper.named_barrier %group threads(128)
      hopper.named_barrier %row threads(128)
      hopper.yield
    }
    hopper.yield
  } consumers(1) registers(232) |%warpgroup| {
    hopper.yield
  }
}

// The group's K blocks come from the table; a tile of a group without any gets the other region.
// CHECK-LABEL: hopper.kernel @k_by_table
// CHECK:    shared(%[[TABLE:.+]]: !table_4x4)
// CHECK:         scf.for %[[TILE:.+]] =
// CHECK-NEXT:      %[[GROUP:.+]] = arith.divui %[[TILE]]
// CHECK-NEXT:      memref.load %[[TABLE]][%[[GROUP]], %c0]
// CHECK-NEXT:      %[[BEFORE:.+]] = arith.index_castui
// CHECK-NEXT:      memref.load %[[TABLE]][%[[GROUP]], %c1]
// CHECK-NEXT:      %[[BEGIN:.+]] = arith.index_castui
// CHECK-NEXT:      memref.load %[[TABLE]][%[[GROUP]], %c2]
// CHECK-NEXT:      %[[END:.+]] = arith.index_castui
// CHECK-NEXT:      %[[LENGTH:.+]] = arith.subi %[[END]], %[[BEGIN]]
// CHECK-NEXT:      %[[UP:.+]] = arith.addi %[[LENGTH]], %c127
// CHECK-NEXT:      %[[COUNT:.+]] = arith.divui %[[UP]], %c128
// CHECK-NEXT:      %[[HAS:.+]] = arith.cmpi ugt, %[[COUNT]], %c0
// CHECK-NEXT:      scf.if %[[HAS]] {
// CHECK-NEXT:        hopper.named_barrier %[[BEFORE]] threads(128)
// CHECK-NEXT:        hopper.named_barrier %[[COUNT]] threads(128)
// CHECK-NEXT:      } else {
// CHECK:             hopper.named_barrier %[[GROUP]] threads(128)
hopper.kernel @k_by_table args() shared(%table: memref<4x4xi32, 3>) {
  %m = arith.constant 128 : index
  %work = hopper.tiles %m by %table : memref<4x4xi32, 3>
    of <k_by_table, tile_m = 64, tile_n = 64, n = 1000, raster = 1, groups = 3>
  hopper.warp_specialize producer registers(40) {
    hopper.for_tiles %work |%tile, %begin, %k_begin, %k_count| {
      hopper.named_barrier %begin threads(128)
      hopper.named_barrier %k_count threads(128)
      hopper.yield
    } empty |%tile, %begin, %k_begin, %k_count| {
      %row, %column, %group, %end = hopper.locate %tile
      hopper.named_barrier %group threads(128)
      hopper.yield
    }
    hopper.yield
  } consumers(1) registers(232) |%warpgroup| {
    hopper.yield
  }
}

// Of 6 groups every 3rd one shares a matrix: the place in the order of tiles gives the matrix and the group.
// CHECK-LABEL: hopper.kernel @shared args()
// CHECK:         %[[TILES:.+]] = arith.muli %c2, %c16
// CHECK:         %[[PLACE:.+]] = arith.divui %{{.+}}, %[[TILES]] : index
// CHECK-NEXT:    %[[MATRIX:.+]] = arith.divui %[[PLACE]], %c2
// CHECK-NEXT:    %[[WITHIN:.+]] = arith.remui %[[PLACE]], %c2
// CHECK-NEXT:    %[[BEFORE:.+]] = arith.muli %[[WITHIN]], %c3
// CHECK-NEXT:    %[[GROUP:.+]] = arith.addi %[[BEFORE]], %[[MATRIX]]
// CHECK-NEXT:    hopper.named_barrier %[[GROUP]] threads(128)
hopper.kernel @shared args() {
  %m = arith.constant 100 : index
  %work = hopper.tiles %m of <batched, tile_m = 64, tile_n = 64, n = 1000, k_blocks = 5, raster = 1, groups = 6, sharing = 2>
  hopper.warp_specialize producer registers(40) {
    hopper.for_tiles %work |%tile, %begin, %k_begin, %k_count| {
      %row, %column, %group, %end = hopper.locate %tile
      hopper.named_barrier %group threads(128)
      hopper.yield
    }
    hopper.yield
  } consumers(1) registers(232) |%warpgroup| {
    hopper.yield
  }
}

// The same of a table, whose rows have that order.
// CHECK-LABEL: hopper.kernel @shared_by_table
// CHECK:         %[[ROW:[^ ,]+]], %{{[^ ,]+}}, %{{[^ ,]+}}, %{{[^ ,]+}} = hopper.find_group
// CHECK:         %[[MATRIX:.+]] = arith.divui %[[ROW]], %c2
// CHECK:         %[[GROUP:.+]] = arith.addi %{{.+}}, %[[MATRIX]]
// CHECK-NEXT:    hopper.named_barrier %[[GROUP]] threads(128)
hopper.kernel @shared_by_table args(%m: index) shared(%table: memref<7x4xi32, 3>) {
  %work = hopper.tiles %m by %table : memref<7x4xi32, 3>
    of <rows_by_table, tile_m = 64, tile_n = 64, n = 1000, k_blocks = 5, raster = 1, groups = 6, sharing = 2>
  hopper.warp_specialize producer registers(40) {
    hopper.for_tiles %work |%tile, %begin, %k_begin, %k_count| {
      %row, %column, %group, %end = hopper.locate %tile
      hopper.named_barrier %group threads(128)
      hopper.yield
    }
    hopper.yield
  } consumers(1) registers(232) |%warpgroup| {
    hopper.yield
  }
}
}
