// REQUIRES: ptxas
// RUN: rm -rf %t && fp8gemm-compile %s --emit=manifest -o %t/
// RUN: cat %t/rows.json %t/lengths.json | FileCheck %s

// What the manifest has 32 bits for is not cut down to them.
// RUN: sed 's/count = 8/count = 4294967304/' %s | not fp8gemm-compile - --emit=manifest -o %t/ 2>&1 | FileCheck %s --check-prefix=GROUPS
// GROUPS: error: 'hopper.entry' op expected groups of a kernel to be from 0 to 2^32 - 1, got 4294967304
// RUN: sed 's/tile_m = 128/tile_m = 4294967424/; s/smem_bytes(1024)/smem_bytes(-1)/' %s | not fp8gemm-compile - --emit=manifest -o %t/ 2>&1 | FileCheck %s --check-prefix=LAUNCH
// LAUNCH-DAG: error: 'hopper.entry' op expected 'tile_m' of a kernel to be from 0 to 2^32 - 1, got 4294967424
// LAUNCH-DAG: error: 'hopper.entry' op expected 'smem_bytes' of a kernel to be from 0 to 2^32 - 1, got -1

// Groups, how they are described, and the parameters that only grouped products have.
// CHECK: "op": "grouped_gemm",
// CHECK: "grouping": "RowEnd",
// CHECK-NEXT: "groups": 8,
// CHECK-NEXT: "group_align": 128,
// CHECK-NEXT: "flat": false,
// CHECK: "operand": "B",
// CHECK-NEXT: "element": "F8E4M3FN",
// CHECK-NEXT: "box": [
// CHECK-NEXT: 1,
// CHECK-NEXT: 64,
// CHECK-NEXT: 128
// CHECK: "kind": "GroupStride",
// CHECK-NEXT: "operand": "ScaleB"
// CHECK: "kind": "Pointer",
// CHECK-NEXT: "operand": "Groups"
// CHECK: "kind": "Pointer",
// CHECK-NEXT: "operand": "Workspace"
// CHECK: "workspace_bytes_per_cta": 256,
!map = !nvgpu.tensormap.descriptor<tensor = memref<1x64x128xf8E4M3FN, 3>, swizzle = swizzle_128b, l2promo = l2promo_256b, oob = zero, interleave = none>
gpu.module @rows {
  hopper.entry @rows params [#hopper.param<tensor_map of b : !map>, #hopper.param<group_stride of sfb>, #hopper.param<matrix of groups>, #hopper.param<matrix of workspace>]
      problem<grouped_gemm, m = ?, n = 4096, k = 7168, a = f8E4M3FN, b = f8E4M3FN, c = none, d = bf16, sfa = mn_major, sfb = k_major by 128,
                                         groups = <count = 8, by = row_end, align = 128>>
      launch<threads = 384, tile_m = 128, tile_n = 176, workspace_bytes = 256> smem_bytes(1024)
  llvm.func @rows(%b: !llvm.ptr {llvm.byval = !llvm.array<128 x i8>, nvvm.grid_constant, llvm.align = 64 : i64},
      %stride: i64,
      %groups: !llvm.ptr<1>,
      %workspace: !llvm.ptr<1>) attributes {gpu.kernel, nvvm.kernel, nvvm.maxntid = array<i32: 384, 1, 1>} {
    nvvm.prefetch tensormap, %b : !llvm.ptr
    llvm.store %stride, %groups : i64, !llvm.ptr<1>
    llvm.store %stride, %workspace : i64, !llvm.ptr<1>
    llvm.return
  }
}

// Groups along K, each packed: A and B have no leading dimension.
// CHECK: "op": "k_grouped_gemm",
// CHECK-NEXT: "n": 4096,
// CHECK-NEXT: "k": -1,
// CHECK-NEXT: "m": 256,
// CHECK-NEXT: "grouping": "KCount",
// CHECK: "group_align": 1,
// CHECK-NEXT: "flat": true,
gpu.module @lengths {
  hopper.entry @lengths params [#hopper.param<matrix of a>, #hopper.param<matrix of b>]
      problem<k_grouped_gemm, m = 256, n = 4096, k = -9223372036854775808, a = f8E4M3FN, b = f8E4M3FN, c = in_place, d = f32, sfa = mn_major, sfb = mn_major by 1,
                                         groups = <count = 4, by = k_count>>
      launch<threads = 384, tile_m = 128, tile_n = 176> smem_bytes(1024)
  llvm.func @lengths(%a: !llvm.ptr<1>,
                     %b: !llvm.ptr<1>) attributes {gpu.kernel, nvvm.kernel, nvvm.maxntid = array<i32: 384, 1, 1>} {
    %x = llvm.load %a : !llvm.ptr<1> -> i32
    llvm.store %x, %b : i32, !llvm.ptr<1>
    llvm.return
  }
}
