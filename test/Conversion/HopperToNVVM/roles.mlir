// RUN: fp8gemm-opt %s -pass-pipeline='builtin.module(gpu.module(convert-hopper-to-nvvm))' | FileCheck %s -enable-var-scope

gpu.module @kernels {
  // CHECK-LABEL: llvm.func @roles()
  // CHECK-SAME:    nvvm.maxntid = array<i32: 384, 1, 1>, nvvm.minctasm = 1 : i32
  gpu.func @roles() kernel attributes {hopper.launch = #hopper.launch<threads = 384, tile_m = 128, tile_n = 8, stages = 1, consumers = 2>} {
    // One if on the warpgroup, so that setmaxnreg is taken.
    // CHECK:       nvvm.shfl.sync idx
    // CHECK:       scf.if
    // CHECK-NEXT:    nvvm.setmaxregister decrease 40
    // CHECK:         nvvm.elect.sync
    // CHECK:       } else {
    // CHECK-NEXT:    nvvm.setmaxregister increase 232
    hopper.warp_specialize producer registers(40) {
      hopper.yield
    } consumers(2) registers(232) |%group| {
      hopper.yield
    }
    // CHECK: llvm.return
    gpu.return
  }

  // What waits may be launched early: the manifest will say so.
  // CHECK-LABEL: llvm.func @dependent()
  // CHECK-SAME:    hopper.waits_for_previous
  gpu.func @dependent() kernel attributes {hopper.launch = #hopper.launch<threads = 384, tile_m = 128, tile_n = 8, stages = 1, consumers = 2>} {
    // CHECK:      llvm.inline_asm has_side_effects {{.*}} "griddepcontrol.wait;", "~{memory}"
    // CHECK-NEXT: nvvm.griddepcontrol launch_dependents
    hopper.griddepcontrol.wait
    hopper.griddepcontrol.launch_dependents
    gpu.return
  }

  // CHECK-LABEL: llvm.func @advance
  gpu.func @advance(%stage: index) kernel attributes {hopper.launch = #hopper.launch<threads = 256, tile_m = 64, tile_n = 8, stages = 1, consumers = 1>} {
    %false = arith.constant false
    %ring = hopper.ring.create : !hopper.ring<stages = 5, tma = [memref<8x128xf8E4M3FN, 3>], readers = 1>
    // CHECK:      %[[STAGES:.+]] = arith.constant 5 : index
    // CHECK:      %[[WRAPS:.+]] = arith.cmpi eq, %{{.+}}, %[[STAGES]]
    // CHECK-NEXT: arith.select %[[WRAPS]]
    // CHECK-NEXT: arith.xori %{{.+}}, %[[WRAPS]]
    %next, %phase = hopper.ring.advance %ring(%stage, %false) : !hopper.ring<stages = 5, tma = [memref<8x128xf8E4M3FN, 3>], readers = 1>
    hopper.named_barrier %next threads(128)
    gpu.return
  }
}
