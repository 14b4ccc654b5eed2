// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// What hopper-expand-tiles cannot expand.
// RUN: fp8gemm-opt %s -hopper-expand-tiles -split-input-file -verify-diagnostics

gpu.module @m {
hopper.kernel @in_a_role args(%m: index) {
  hopper.warp_specialize producer registers(40) {
    // expected-error @+1 {{'hopper.tiles' op expected to be at the kernel's top level, before the roles}}
    %work = hopper.tiles %m of <plain, tile_m = 64, tile_n = 64, n = 136, k_blocks = 4, raster = 8>
    hopper.yield
  } consumers(1) registers(232) |%warpgroup| {
    hopper.yield
  }
}
}

// -----

gpu.module @m {
hopper.kernel @tiles_of_another_size args(%m: index) launch<threads = 256, tile_m = 128, tile_n = 64> {
  // expected-error @+1 {{'hopper.tiles' op expected the tiles and clusters of the kernel's launch, #hopper.launch<threads = 256, tile_m = 128,}}
  %work = hopper.tiles %m of <plain, tile_m = 64, tile_n = 64, n = 136, k_blocks = 4, raster = 8>
}
}

// -----

gpu.module @m {
hopper.kernel @clusters_of_another_size args(%m: index) launch<threads = 256, tile_m = 64, tile_n = 64> {
  // expected-error @+1 {{'hopper.tiles' op expected the tiles and clusters of the kernel's launch}}
  %work = hopper.tiles %m of <plain, tile_m = 64, tile_n = 64, n = 136, k_blocks = 4, raster = 8, cluster_m = 2>
}
}

// -----

gpu.module @m {
hopper.kernel @work_for_others args(%m: index) {
  %work = hopper.tiles %m of <plain, tile_m = 64, tile_n = 64, n = 136, k_blocks = 4, raster = 8>
  // expected-error @+1 {{expected '!hopper.work' to be used by hopper.for_tiles only}}
  %other = builtin.unrealized_conversion_cast %work : !hopper.work to index
}
}

// -----

gpu.module @m {
hopper.kernel @tile_for_others args(%m: index) {
  %work = hopper.tiles %m of <plain, tile_m = 64, tile_n = 64, n = 136, k_blocks = 4, raster = 8>
  hopper.for_tiles %work |%tile, %begin, %k_begin, %k_count| {
    // expected-error @+1 {{expected '!hopper.tile' to be used by hopper.locate only}}
    %other = builtin.unrealized_conversion_cast %tile : !hopper.tile to index
    hopper.yield
  }
}
}
