// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: fp8gemm-opt %s -split-input-file -verify-diagnostics \
// RUN:   -pass-pipeline='builtin.module(gpu.module(gpu.func(hopper-check-resources)))'

!ring = !hopper.ring<stages = 2, tma = [memref<1024xf8E4M3FN, 3>, memref<8xf32, 3>], warps = [memref<1xf32, 3>], readers = 1>
#launch = #hopper.launch<threads = 256, tile_m = 64, tile_n = 64, stages = 2, consumers = 1>
#wrong = #hopper.launch<threads = 256, tile_m = 64, tile_n = 64, stages = 2, consumers = 2>
#three = #hopper.launch<threads = 384, tile_m = 128, tile_n = 64, stages = 2, consumers = 2>
#problem = #hopper.problem<gemm, m = ?, n = 64, k = 128, a = f8E4M3FN, b = f8E4M3FN, c = none, d = bf16, sfa = mn_major, sfb = k_major by 128>
gpu.module @m {
// 229376 of staging, then tiles 2 x 1024, scales 2 x 128 and 2 x 128, barriers 4 x 8: 231968.
gpu.func @fits(%m: index {hopper.param = #hopper.param<extent_m of none>})
    workgroup(%staging : memref<114688xbf16, 3>) kernel attributes {hopper.launch = #launch, hopper.problem = #problem} {
  %ring = hopper.ring.create : !ring
  hopper.warp_specialize producer registers(40) {
    hopper.yield
  } consumers(1) registers(232) |%group| {
    hopper.yield
  }
  gpu.return
}

// A second ring starts at the next multiple of 1024.
// expected-error @+1 {{uses 232992 bytes of shared memory; exceeded the limit of 232448 bytes}}
gpu.func @shared_memory() workgroup(%staging : memref<113663xbf16, 3>)
    kernel attributes {hopper.launch = #launch, hopper.problem = #problem} {
  %r = hopper.ring.create : !ring
  %q = hopper.ring.create : !ring
  gpu.return
}

// expected-error @+1 {{expected workgroup attributions of known size, got 'memref<?xbf16, 3>'}}
gpu.func @dynamic_attribution() workgroup(%staging : memref<?xbf16, 3>)
    kernel attributes {hopper.launch = #launch, hopper.problem = #problem} {
  gpu.return
}

// expected-error @+1 {{expected 'hopper.launch' to have clusters of 1 to 8 CTAs, got 16}}
gpu.func @cluster() kernel attributes {hopper.problem = #problem,
    hopper.launch = #hopper.launch<threads = 256, tile_m = 64, tile_n = 64, stages = 2, consumers = 1, cluster_m = 4, split_k = 4>} {
  gpu.return
}

// Maps of 8 groups in 2 slots.
gpu.func @workspace(%map: !nvgpu.tensormap.descriptor<tensor = memref<64x128xf8E4M3FN, 3>, swizzle = swizzle_128b, l2promo = none, oob = zero, interleave = none> {hopper.param = #hopper.param<tensor_map of a>},
    %a: memref<?xf8E4M3FN> {hopper.param = #hopper.param<matrix of a>},
    %ws: memref<?xi8> {hopper.param = #hopper.param<matrix of workspace>},
    %m: index {hopper.param = #hopper.param<extent_m of none>}) workgroup(%table: memref<9x4xi32, 3>)
    kernel attributes {hopper.launch = #launch, hopper.problem = #problem, hopper.workspace_bytes = 1024 : i64} {
  // expected-error @+1 {{uses 2048 bytes of workspace per CTA; exceeded the limit of 1024 bytes ('hopper.workspace_bytes')}}
  hopper.make_group_maps %map of %a rows %m in %table to %ws slot 0 of 2 : !nvgpu.tensormap.descriptor<tensor = memref<64x128xf8E4M3FN, 3>, swizzle = swizzle_128b, l2promo = none, oob = zero, interleave = none> of memref<?xf8E4M3FN>, memref<9x4xi32, 3>, memref<?xi8>
  gpu.return
}

// A function that is no kernel owns nothing.
gpu.func @no_kernel() {
  gpu.return
}

// expected-error @+1 {{expected a kernel to have a 'hopper.launch' attribute, got none}}
gpu.func @no_launch() kernel attributes {hopper.problem = #problem} {
  gpu.return
}

// expected-error @+1 {{expected 'hopper.launch' to have clusters of 1 to 8 CTAs, got 4611686018427387904}}
gpu.func @cluster_fields() kernel attributes {hopper.launch = #hopper.launch<threads = 256, tile_m = 64, tile_n = 64, stages = 2, consumers = 1, cluster_m = 4611686018427387904, cluster_n = 4>, hopper.problem = #problem} {
  gpu.return
}

// expected-error @+1 {{expected a kernel to have a 'hopper.problem' attribute, got none}}
gpu.func @no_problem() kernel attributes {hopper.launch = #launch} {
  gpu.return
}

// expected-error @+1 {{expected every argument of a kernel to have a 'hopper.param' attribute, got none on argument 0}}
gpu.func @no_param(%m: index) kernel attributes {hopper.launch = #launch, hopper.problem = #problem} {
  gpu.return
}

// expected-error @+1 {{expected 'hopper.launch' to have 384 threads for 2 consumers, got 256}}
gpu.func @launched_threads() kernel attributes {hopper.launch = #launch, hopper.problem = #problem} {
  hopper.warp_specialize producer registers(40) {
    hopper.yield
  } consumers(2) registers(232) |%group| {
    hopper.yield
  }
  gpu.return
}

// expected-error @+1 {{expected 'hopper.launch' to have the 1 consumers of its roles, got 2}}
gpu.func @launched_consumers() kernel attributes {hopper.launch = #wrong, hopper.problem = #problem} {
  hopper.warp_specialize producer registers(40) {
    hopper.yield
  } consumers(1) registers(232) |%group| {
    hopper.yield
  }
  gpu.return
}

gpu.func @threads() kernel attributes {hopper.launch = #launch, hopper.problem = #problem} {
  // expected-error @+1 {{uses 1152 threads; exceeded the limit of 1024 threads}}
  hopper.warp_specialize producer registers(24) {
    hopper.yield
  } consumers(8) registers(56) |%group| {
    hopper.yield
  }
  gpu.return
}

// 65536 / 384 threads, rounded down to a multiple of 8: 168 a thread.
gpu.func @launched_registers() kernel attributes {hopper.launch = #three, hopper.problem = #problem} {
  // expected-error @+1 {{uses 65536 registers; exceeded the limit of 64512 registers that 384 threads are launched with}}
  hopper.warp_specialize producer registers(32) {
    hopper.yield
  } consumers(2) registers(240) |%group| {
    hopper.yield
  }
  gpu.return
}
}

// -----

!acc = !hopper.fragment<64x192xf32>
!rows = !hopper.scales<64 rows by 1>
!columns = !hopper.scales<192 columns by 64>
#launch = #hopper.launch<threads = 384, tile_m = 128, tile_n = 192, stages = 2, consumers = 2>
#problem = #hopper.problem<gemm, m = ?, n = 192, k = 128, a = f8E4M3FN, b = f8E4M3FN, c = none, d = bf16, sfa = mn_major, sfb = k_major by 128>
gpu.module @m {
// Accumulator 96, partial 96, scales 2 + 3: 197 at the peak.
gpu.func @partial_and_accumulator()
    workgroup(%a: memref<64x128xf8E4M3FN, 3>, %b: memref<192x128xf8E4M3FN, 3>, %x: memref<64xf32, 3>, %y: memref<3xf32, 3>)
    kernel attributes {hopper.launch = #launch, hopper.problem = #problem} {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c9 = arith.constant 9 : index
  // expected-error @+1 {{uses 197 registers a consumer thread for accumulators, partial products and scales; exceeded the limit of 192 registers (216 less 24 for all else)}}
  hopper.warp_specialize producer registers(40) {
    hopper.yield
  } consumers(2) registers(216) |%group| {
    %zero = hopper.zero : !acc
    %sum = scf.for %k = %c0 to %c9 step %c1 iter_args(%acc = %zero) -> !acc {
      %p = hopper.mma %a, %b : memref<64x128xf8E4M3FN, 3>, memref<192x128xf8E4M3FN, 3> -> !acc
      %q = hopper.mma.wait %p : !acc
      %rows = hopper.load_scales %x : memref<64xf32, 3> -> !rows
      %columns = hopper.load_scales %y : memref<3xf32, 3> -> !columns
      %next = hopper.promote %q scaled_by(%rows, %columns) into %acc : !rows, !columns, !acc
      scf.yield %next : !acc
    }
    hopper.yield
  }
  gpu.return
}
}

// -----

!acc = !hopper.fragment<64x192xf32>
!rows = !hopper.scales<64 rows by 1>
!columns = !hopper.scales<192 columns by 64>
#launch = #hopper.launch<threads = 384, tile_m = 128, tile_n = 192, stages = 2, consumers = 2>
#problem = #hopper.problem<gemm, m = ?, n = 192, k = 128, a = f8E4M3FN, b = f8E4M3FN, c = none, d = bf16, sfa = mn_major, sfb = k_major by 128>
gpu.module @m {
// Zeros outside the tile loop hold no registers; scales from outside the K loop do: 197 again.
gpu.func @hoisted()
    workgroup(%a: memref<64x128xf8E4M3FN, 3>, %b: memref<192x128xf8E4M3FN, 3>, %x: memref<64xf32, 3>, %y: memref<3xf32, 3>)
    kernel attributes {hopper.launch = #launch, hopper.problem = #problem} {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c9 = arith.constant 9 : index
  // expected-error @+1 {{uses 197 registers a consumer thread}}
  hopper.warp_specialize producer registers(40) {
    hopper.yield
  } consumers(2) registers(216) |%group| {
    %zero = hopper.zero : !acc
    %rows = hopper.load_scales %x : memref<64xf32, 3> -> !rows
    scf.for %tile = %c0 to %c9 step %c1 {
      %columns = hopper.load_scales %y : memref<3xf32, 3> -> !columns
      %sum = scf.for %k = %c0 to %c9 step %c1 iter_args(%acc = %zero) -> !acc {
        %p = hopper.mma %a, %b : memref<64x128xf8E4M3FN, 3>, memref<192x128xf8E4M3FN, 3> -> !acc
        %q = hopper.mma.wait %p : !acc
        %next = hopper.promote %q scaled_by(%rows, %columns) into %acc : !rows, !columns, !acc
        scf.yield %next : !acc
      }
    }
    hopper.yield
  }
  gpu.return
}
}
