// REQUIRES: ptxas
// RUN: fp8gemm-compile %s --emit=manifest | FileCheck %s

// CHECK: "version": 8,
// CHECK-NEXT: "entry": "prefetch",
// CHECK-NEXT: "chip": "sm_90a",
// CHECK: "op": "gemm",
// CHECK-NEXT: "n": 4096,
// CHECK-NEXT: "k": 7168,
// CHECK-NEXT: "m": -1,
// CHECK-NEXT: "grouping": "None",
// CHECK-NEXT: "groups": 1,
// CHECK-NEXT: "group_align": 1,
// CHECK-NEXT: "flat": false,
// CHECK-NEXT: "a": "F8E4M3FN",
// CHECK-NEXT: "b": "F8E5M2",
// CHECK-NEXT: "d": "F32",
// CHECK-NEXT: "c": "InPlace",
// CHECK-NEXT: "bias": "None",
// CHECK-NEXT: "gated": false,
// CHECK-NEXT: "sfb_block_rows": 1,
// CHECK-NEXT: "sfa_layout": "MnMajor",
// CHECK-NEXT: "sfb_layout": "KMajor"
// CHECK: "kind": "TensorMap",
// CHECK-NEXT: "operand": "A",
// CHECK-NEXT: "element": "F8E4M3FN",
// CHECK-NEXT: "box": [
// CHECK-NEXT: 64,
// CHECK-NEXT: 128
// CHECK: "swizzle_bytes": 128,
// CHECK-NEXT: "l2_promotion_bytes": 256
// CHECK: "kind": "Pointer",
// CHECK-NEXT: "operand": "ScaleB"
// CHECK: "kind": "LeadingDimension",
// CHECK-NEXT: "operand": "ScaleB"
// CHECK: "kind": "ExtentM",
// CHECK-NEXT: "operand": "None"
// CHECK: "threads": 384,
// CHECK-NEXT: "smem_bytes": 1024,
// CHECK-NEXT: "tile_m": 128,
// CHECK-NEXT: "tile_n": 176,
// CHECK-NEXT: "cluster_m": 1,
// CHECK-NEXT: "cluster_n": 1,
// CHECK-NEXT: "split_k": 1,
// CHECK-NEXT: "registers": {{[1-9][0-9]*}},
// CHECK-NEXT: "spill_bytes": 0,
// CHECK-NEXT: "workspace_bytes_per_cta": 0,
// CHECK-NEXT: "config": "tile_m = 128, tile_n = 176, stages = 5, consumers = 2, raster_group = 8",
// CHECK-NEXT: "ptxas_version": "{{[0-9]+\.[0-9.]+}}",
// CHECK-NEXT: "llvm_version": "22.1.
// CHECK-NEXT: "waits_for_previous": true
!map = !nvgpu.tensormap.descriptor<tensor = memref<64x128xf8E4M3FN, 3>, swizzle = swizzle_128b, l2promo = l2promo_256b, oob = zero, interleave = none>
gpu.module @any_name {
  hopper.entry @prefetch params [#hopper.param<tensor_map of a : !map>, #hopper.param<matrix of sfb>, #hopper.param<leading_dimension of sfb>, #hopper.param<extent of m>]
      problem<gemm, m = ?, n = 4096, k = 7168, a = f8E4M3FN, b = f8E5M2, c = in_place, d = f32, sfa = mn_major, sfb = k_major by 1>
      config(#fp8gemm.config<tile_m = 128, tile_n = 176, stages = 5, consumers = 2, producer_registers = 40, consumer_registers = 232, raster_group = 8>)
      launch<threads = 384, tile_m = 128, tile_n = 176> smem_bytes(1024) waits_for_previous
  llvm.func @prefetch(%a: !llvm.ptr {llvm.byval = !llvm.array<128 x i8>, nvvm.grid_constant, llvm.align = 64 : i64},
      %sfb: !llvm.ptr<1>,
      %stride: i64,
      %m: i32) attributes {gpu.kernel, nvvm.kernel, nvvm.maxntid = array<i32: 384, 1, 1>} {
    nvvm.prefetch tensormap, %a : !llvm.ptr
    llvm.store %stride, %sfb : i64, !llvm.ptr<1>
    llvm.return
  }
}
