// RUN: fp8gemm-opt %s -pass-pipeline='builtin.module(gpu.module(convert-hopper-to-nvvm))' | FileCheck %s -enable-var-scope

!ring = !hopper.ring<stages = 3, tma(a: memref<8x128xf8E4M3FN, 3>), warps(sfb: memref<4xf32, 3>), readers = 1>

gpu.module @kernels {
  // CHECK-LABEL: llvm.func @ring()
  hopper.kernel @ring args() launch<threads = 256, tile_m = 64, tile_n = 8> {
    %c1 = arith.constant 1 : index
    %true = arith.constant true
    %ring = hopper.ring.create : !ring
    // 3 x 1024 bytes of tiles, 3 x 128 of scales, then the barriers. One arrival by
    // TMA and 32 lanes of the helper fill a stage; 128 threads release it.
    // CHECK:         scf.if
    // CHECK-DAG:       %[[FULL:.+]] = llvm.getelementptr %{{.+}}[3456]
    // CHECK-DAG:       %[[FILLS:.+]] = arith.constant 33 : i32
    // CHECK:           nvvm.mbarrier.init %[[FULL]], %[[FILLS]]
    // CHECK-DAG:       %[[EMPTY:.+]] = llvm.getelementptr %{{.+}}[3480]
    // CHECK-DAG:       %[[READS:.+]] = arith.constant 128 : i32
    // CHECK:           nvvm.mbarrier.init %[[EMPTY]], %[[READS]]
    // CHECK-COUNT-4:   nvvm.mbarrier.init
    // CHECK-NOT:       nvvm.mbarrier.init
    hopper.ring.init %ring : !ring
    // CHECK: nvvm.fence.mbarrier.init
    hopper.fence mbarrier_init
    // CHECK: nvvm.barrier
    gpu.barrier
    hopper.warp_specialize producer registers(40) {
      // CHECK:       nvvm.mbarrier.try_wait.parity
      // CHECK:       %[[BYTES:.+]] = arith.constant 1024 : i32
      // CHECK-NEXT:  nvvm.mbarrier.arrive.expect_tx %{{.+}}, %[[BYTES]]
      %slot, %tile = hopper.ring.acquire %ring by tma at (%c1, %true) : !ring
      hopper.ring.commit %slot
      hopper.yield
    } helper {
      // Every lane arrives after its own stores.
      // CHECK:       nvvm.mbarrier.try_wait.parity
      // CHECK:       nvvm.mbarrier.arrive %
      %slot, %scales = hopper.ring.acquire %ring by warps at (%c1, %true) : !ring
      hopper.ring.commit %slot
      hopper.yield
    } consumers(1) registers(232) |%warpgroup| {
      // CHECK:       nvvm.mbarrier.try_wait.parity
      // CHECK-NOT:   scf.if
      // CHECK:       nvvm.mbarrier.arrive %
      %slot, %tile, %scales = hopper.ring.wait %ring at (%c1, %true) : !ring
      hopper.ring.release %slot
      hopper.yield
    }
  }
}
