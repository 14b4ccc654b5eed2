// RUN: fp8gemm-opt %s -pass-pipeline='builtin.module(gpu.module(convert-hopper-to-nvvm))' | FileCheck %s -enable-var-scope

gpu.module @kernels {
  // CHECK-LABEL: llvm.func @roles()
  // CHECK-SAME:    nvvm.maxntid = array<i32: 384, 1, 1>, nvvm.minctasm = 1 : i32
  hopper.kernel @roles args() launch<threads = 384, tile_m = 128, tile_n = 8> {
    // One if on the warpgroup, so that setmaxnreg is taken.
    // CHECK:       nvvm.shfl.sync idx
    // CHECK:       scf.if
    // CHECK-NEXT:    nvvm.setmaxregister decrease 40
    // CHECK:         nvvm.elect.sync
    // CHECK:       } else {
    // CHECK-NEXT:    nvvm.setmaxregister increase 232
    hopper.warp_specialize producer registers(40) {
      hopper.yield
    } consumers(2) registers(232) |%warpgroup| {
      hopper.yield
    }
    // CHECK: llvm.return
  }

  // What waits may be launched early: the manifest will say so.
  // CHECK:       hopper.entry @dependent params [] launch <threads = 384, tile_m = 128, tile_n = 8> smem_bytes(0) waits_for_previous
  // CHECK-LABEL: llvm.func @dependent()
  hopper.kernel @dependent args() launch<threads = 384, tile_m = 128, tile_n = 8> {
    // CHECK:      llvm.inline_asm has_side_effects {{.*}} "griddepcontrol.wait;", "~{memory}"
    // CHECK-NEXT: nvvm.griddepcontrol launch_dependents
    hopper.griddepcontrol wait
    hopper.griddepcontrol launch_dependents
  }

  // CHECK-LABEL: llvm.func @advance
  hopper.kernel @advance args(%stage: index) launch<threads = 256, tile_m = 64, tile_n = 8> {
    %false = arith.constant false
    %ring = hopper.ring.create : !hopper.ring<stages = 5, tma(a: memref<8x128xf8E4M3FN, 3>), readers = 1>
    // CHECK:      %[[STAGES:.+]] = arith.constant 5 : index
    // CHECK:      %[[WRAPS:.+]] = arith.cmpi eq, %{{.+}}, %[[STAGES]]
    // CHECK-NEXT: arith.select %[[WRAPS]]
    // CHECK-NEXT: arith.xori %{{.+}}, %[[WRAPS]]
    %next, %phase = hopper.ring.advance %ring(%stage, %false) : !hopper.ring<stages = 5, tma(a: memref<8x128xf8E4M3FN, 3>), readers = 1>
    hopper.named_barrier %next threads(128)
  }
}
