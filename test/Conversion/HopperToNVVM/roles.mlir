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

  // The division by the rows of the last group is done once; roles multiply.
  // CHECK-LABEL: llvm.func @raster
  // CHECK-NOT:     hopper.waits_for_previous
  gpu.func @raster(%columns: index) workgroup(%out: memref<8xf32, 3>) kernel
      attributes {hopper.launch = #hopper.launch<threads = 384, tile_m = 128, tile_n = 8, stages = 1, consumers = 2>} {
    // CHECK:      %[[LAST:.+]] = arith.select {{.*}} : i32
    // CHECK:      %[[QUOTIENT:.+]] = arith.divui %{{.+}}, %[[LAST]] : i32
    // CHECK:      %[[DIVISOR:.+]] = arith.addi %[[QUOTIENT]]
    %divisor = hopper.raster_divisor %columns group(8)
    // CHECK:      nvvm.read.ptx.sreg.ctaid.x
    %tile = gpu.block_id x
    // CHECK:      arith.divui %{{.+}}, %[[IN_GROUP:.+]] : index
    // CHECK-NEXT: arith.remui %{{.+}}, %[[IN_GROUP]] : index
    // CHECK-NOT:  arith.divui
    // CHECK:      %[[BY:.+]] = arith.select %{{.+}}, %{{.+}}, %[[DIVISOR]] : i32
    // CHECK:      %[[WIDE:.+]] = arith.extui %[[BY]] : i32 to i64
    // CHECK:      %[[PRODUCT:.+]] = arith.muli %{{.+}}, %[[WIDE]] : i64
    // CHECK:      arith.shrui %[[PRODUCT]], %c31_i64
    %row, %column = hopper.raster %tile in (%columns, %columns) group(8) by %divisor
    hopper.named_barrier %row threads(128)
    gpu.return
  }

  // Rows that differ from tile to tile are divided by.
  // CHECK-LABEL: llvm.func @raster_of_a_group
  gpu.func @raster_of_a_group(%rows: index) workgroup(%out: memref<8xf32, 3>) kernel
      attributes {hopper.launch = #hopper.launch<threads = 384, tile_m = 128, tile_n = 8, stages = 1, consumers = 2>} {
    // CHECK:      %[[ROWS:.+]] = arith.select %{{.+}}, %c8{{.*}}, %{{.+}} : i32
    // CHECK:      arith.divui %{{.+}}, %[[ROWS]] : i32
    %tile = gpu.block_id x
    %row, %column = hopper.raster %tile in (%rows, %rows) group(8)
    hopper.named_barrier %row threads(128)
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
