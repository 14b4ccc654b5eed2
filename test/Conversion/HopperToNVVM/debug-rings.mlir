// RUN: fp8gemm-opt %s -pass-pipeline='builtin.module(gpu.module(convert-hopper-to-nvvm{debug-rings=5}))' -mlir-print-local-scope | FileCheck %s -enable-var-scope

!ring = !hopper.ring<stages = 3, tma(a: memref<8x128xf8E4M3FN, 3>), warps(sfb: memref<4xf32, 3>), readers = 1>
!ring_of_c = !hopper.ring<stages = 1, tma(c: memref<8x128xf32, 3>), readers = 1>

// The runtime writes where reports go; a launch counts them.
// CHECK-LABEL: gpu.module @kernels
// CHECK-DAG:     llvm.mlir.global external @fp8gemm_ring_report(0 : i64) {addr_space = 1 : i32, alignment = 8 : i64} : i64
// CHECK-DAG:     llvm.mlir.global external @fp8gemm_ring_report_count(0 : i32) {addr_space = 1 : i32, alignment = 4 : i64} : i32
gpu.module @kernels {
  // CHECK:          hopper.entry @waits
  // CHECK-SAME:    debug_rings <limit_ms = 5, rings = [!hopper.ring<stages = 3,
  // CHECK-SAME:      !hopper.ring<stages = 1,
  // CHECK-SAME:    waits = [<producer until empty of ring 0 at "{{[^ ]*}}debug-rings.mlir:[[#@LINE+25]]:
  // CHECK-SAME:             <producer until empty of ring 1 at "
  // CHECK-SAME:             <helper until empty of ring 0 at "
  // CHECK-SAME:             <consumer until full of ring 0 at "
  hopper.kernel @waits args(%loads: index) launch<threads = 256, tile_m = 64, tile_n = 8> {
    %c0 = arith.constant 0 : index
    %c1 = arith.constant 1 : index
    %true = arith.constant true
    %ring = hopper.ring.create : !ring
    %ring_of_c = hopper.ring.create : !ring_of_c
    hopper.warp_specialize producer registers(40) {
      // Tries for 5 ms, reports wait 0 with stage and phase, gives others 2.5 ms, and traps; no branch shows.
      // CHECK:       %[[PARITY:.+]] = arith.extui %{{.+}} : i1 to i32
      // CHECK-NEXT:  %[[BARRIER:.+]] = llvm.ptrtoint
      // CHECK-NEXT:  llvm.inline_asm has_side_effects {{.*}}mbarrier.try_wait.parity.shared.b64 done, [$0], $1, 5000000;
      // CHECK-SAME:    setp.lt.u64 early, now, 5000000;
      // CHECK-SAME:    ld.global.u64 at, [fp8gemm_ring_report];
      // CHECK-SAME:    setp.ge.u32 skip, slot, 4096;
      // CHECK-SAME:    mov.u32 value, 0;\0Ast.global.u32 [at+4], value;\0Ast.global.u32 [at+8], $2;\0Ast.global.u32 [at+12], $1;
      // CHECK-SAME:    st.release.sys.global.u32 [at+0], value;
      // CHECK-SAME:    setp.lt.u64 early, now, 2500000;\0A@early bra GRACE;\0Atrap;\0ADONE:
      // CHECK-SAME:    "r,r,r,~{memory}" %[[BARRIER]], %[[PARITY]], %{{.+}} : (i32, i32, i32) -> ()
      // CHECK-NEXT:  %[[BYTES:.+]] = arith.constant 1024 : i32
      // CHECK-NEXT:  nvvm.mbarrier.arrive.expect_tx %{{.+}}, %[[BYTES]]
      // CHECK-NOT:   nvvm.mbarrier.try_wait
      %slot, %tile = hopper.ring.acquire %ring by tma at(%c1, %true) : !ring
      hopper.ring.commit %slot
      %slot_of_c, %c = hopper.ring.acquire %ring_of_c by tma at(%c0, %true) : !ring_of_c
      hopper.ring.commit %slot_of_c
      hopper.yield
    } helper {
      // CHECK:       llvm.inline_asm {{.*}}mov.u32 value, 2;\0Ast.global.u32 [at+4], value;
      %slot, %scales = hopper.ring.acquire %ring by warps at(%c1, %true) : !ring
      hopper.ring.commit %slot
      hopper.yield
    } consumers(1) registers(232) |%warpgroup| {
      // Waits that an unrolled loop copied have one number.
      // CHECK-COUNT-2: llvm.inline_asm {{.*}}mov.u32 value, 3;\0Ast.global.u32 [at+4], value;
      %slot, %tile, %scales = hopper.ring.wait %ring at(%c1, %true) : !ring loc("loop.mlir":1:2)
      hopper.ring.release %slot
      %slot2, %tile2, %scales2 = hopper.ring.wait %ring at(%c1, %true) : !ring loc("loop.mlir":1:2)
      hopper.ring.release %slot2
      hopper.yield
    }
  }
}
