// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: fp8gemm-opt %s -split-input-file -verify-diagnostics \
// RUN:   -pass-pipeline='builtin.module(gpu.module(hopper.kernel(hopper-check-resources)))'

!ring = !hopper.ring<stages = 2, tma(a: memref<1024xf8E4M3FN, 3>, sfa: memref<8xf32, 3>), warps(sfb: memref<1xf32, 3>), readers = 1>
#launch = #hopper.launch<threads = 256, tile_m = 64, tile_n = 64>
#three = #hopper.launch<threads = 384, tile_m = 128, tile_n = 64>
#problem = #hopper.problem<gemm, m = ?, n = 64, k = 128, a = f8E4M3FN, b = f8E4M3FN, c = none, d = bf16, sfa = mn_major, sfb = k_major by 128>
gpu.module @m {
// 229376 of staging, then tiles 2 x 1024, scales 2 x 128 and 2 x 128, barriers 4 x 8: 231968.
hopper.kernel @fits args(%m: index of m) shared(%staging: memref<114688xbf16, 3>) problem #problem launch #launch {
  %ring = hopper.ring.create : !ring
  hopper.warp_specialize producer registers(40) {
    hopper.yield
  } consumers(1) registers(232) |%warpgroup| {
    hopper.yield
  }
}

// A second ring starts at the next multiple of 1024.
// expected-error @+1 {{uses 232992 bytes of shared memory; exceeded the limit of 232448 bytes}}
hopper.kernel @shared_memory args() shared(%staging: memref<113663xbf16, 3>) problem #problem launch #launch {
  %r = hopper.ring.create : !ring
  %q = hopper.ring.create : !ring
}

// expected-error @+1 {{expected shared buffers of known size, got 'memref<?xbf16, 3>'}}
hopper.kernel @dynamic_buffer args() shared(%staging: memref<?xbf16, 3>) problem #problem launch #launch {
}

// expected-error @+1 {{expected 'launch' to have clusters of 1 to 8 CTAs, got 16}}
hopper.kernel @cluster args() problem #problem
    launch<threads = 256, tile_m = 64, tile_n = 64, cluster_m = 4, split_k = 4> {
}

// Maps of 8 groups in 2 slots.
hopper.kernel @workspace args(%map: !nvgpu.tensormap.descriptor<tensor = memref<64x128xf8E4M3FN, 3>, swizzle = swizzle_128b, l2promo = none, oob = zero, interleave = none> of a,
    %a: memref<?xf8E4M3FN> of a,
    %ws: memref<?xi8> of workspace,
    %m: index of m) shared(%table: memref<9x4xi32, 3>) problem #problem 
    launch<threads = 256, tile_m = 64, tile_n = 64, workspace_bytes = 1024> {
  // expected-error @+1 {{uses 2048 bytes of workspace per CTA; exceeded the limit of 1024 bytes ('workspace_bytes')}}
  hopper.make_group_maps %map of %a rows %m in %table to %ws slot 0 of 2 : !nvgpu.tensormap.descriptor<tensor = memref<64x128xf8E4M3FN, 3>, swizzle = swizzle_128b, l2promo = none, oob = zero, interleave = none> of memref<?xf8E4M3FN>, memref<9x4xi32, 3>, memref<?xi8>
}

// expected-error @+1 {{expected a kernel to have a 'launch', got none}}
hopper.kernel @no_launch args() problem #problem {
}

// expected-error @+1 {{expected 'launch' to have clusters of 1 to 8 CTAs, got 4611686018427387904}}
hopper.kernel @cluster_fields args() problem #problem
    launch<threads = 256, tile_m = 64, tile_n = 64, cluster_m = 4611686018427387904, cluster_n = 4> {
}

// expected-error @+1 {{expected a kernel to have a 'problem' or a 'quantization', got none}}
hopper.kernel @no_problem args() launch #launch {
}

// expected-error @+1 {{expected every argument of a kernel to be an operand ('of'), got none for argument 0}}
hopper.kernel @no_operand args(%m: index) problem #problem launch #launch {
}

// expected-error @+1 {{expected 'launch' to have 384 threads for 2 consumers, got 256}}
hopper.kernel @launched_threads args() problem #problem launch #launch {
  hopper.warp_specialize producer registers(40) {
    hopper.yield
  } consumers(2) registers(232) |%warpgroup| {
    hopper.yield
  }
}

hopper.kernel @threads args() problem #problem launch #launch {
  // expected-error @+1 {{uses 1152 threads; exceeded the limit of 1024 threads}}
  hopper.warp_specialize producer registers(24) {
    hopper.yield
  } consumers(8) registers(56) |%warpgroup| {
    hopper.yield
  }
}

// 65536 / 384 threads, rounded down to a multiple of 8: 168 a thread.
hopper.kernel @launched_registers args() problem #problem launch #three {
  // expected-error @+1 {{uses 65536 registers; exceeded the limit of 64512 registers that 384 threads are launched with}}
  hopper.warp_specialize producer registers(32) {
    hopper.yield
  } consumers(2) registers(240) |%warpgroup| {
    hopper.yield
  }
}
}

// -----

!acc = !hopper.fragment<64x192xf32>
!rows = !hopper.scales<64 rows by 1>
!columns = !hopper.scales<192 columns by 64>
#launch = #hopper.launch<threads = 384, tile_m = 128, tile_n = 192>
#problem = #hopper.problem<gemm, m = ?, n = 192, k = 128, a = f8E4M3FN, b = f8E4M3FN, c = none, d = bf16, sfa = mn_major, sfb = k_major by 128>
gpu.module @m {
// Accumulator 96, partial 96, scales 2 + 3: 197 at the peak.
hopper.kernel @partial_and_accumulator args() shared(%a: memref<64x128xf8E4M3FN, 3>, %b: memref<192x128xf8E4M3FN, 3>, %x: memref<64xf32, 3>, %y: memref<3xf32, 3>)
    problem #problem launch #launch {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c9 = arith.constant 9 : index
  // expected-error @+1 {{uses 197 registers a consumer thread for accumulators, partial products and scales; exceeded the limit of 192 registers (216 less 24 for all else)}}
  hopper.warp_specialize producer registers(40) {
    hopper.yield
  } consumers(2) registers(216) |%warpgroup| {
    %zero = arith.constant dense<0.0> : !acc
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
}
}

// -----

!acc = !hopper.fragment<64x192xf32>
!rows = !hopper.scales<64 rows by 1>
!columns = !hopper.scales<192 columns by 64>
#launch = #hopper.launch<threads = 384, tile_m = 128, tile_n = 192>
#problem = #hopper.problem<gemm, m = ?, n = 192, k = 128, a = f8E4M3FN, b = f8E4M3FN, c = none, d = bf16, sfa = mn_major, sfb = k_major by 128>
gpu.module @m {
// Zeros outside the tile loop hold no registers; scales from outside the K loop do: 197 again.
hopper.kernel @hoisted args() shared(%a: memref<64x128xf8E4M3FN, 3>, %b: memref<192x128xf8E4M3FN, 3>, %x: memref<64xf32, 3>, %y: memref<3xf32, 3>)
    problem #problem launch #launch {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c9 = arith.constant 9 : index
  // expected-error @+1 {{uses 197 registers a consumer thread}}
  hopper.warp_specialize producer registers(40) {
    hopper.yield
  } consumers(2) registers(216) |%warpgroup| {
    %zero = arith.constant dense<0.0> : !acc
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
}
}
