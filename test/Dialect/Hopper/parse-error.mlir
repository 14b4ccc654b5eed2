// RUN: not fp8gemm-opt %s 2>&1 | FileCheck %s

// A value of a role is referred to before it, and a later role is no IR. The values of the roles that were read are
// given up with them: under valgrind there is no invalid access (docs/Fuzzing.md).
hopper.ring.init %ring : !hopper.ring<stages = 2, warps(sfb: memref<1xf32, 3>), readers = 1>
hopper.warp_specialize producer registers(40) {
  %ring = hopper.ring.create : !hopper.ring<stages = 2, warps(sfb: memref<1xf32, 3>), readers = 1>
  hopper.yield
} consumers(1) registers(232) |%warpgroup| {
  // CHECK: parse-error.mlir:[[@LINE+1]]:3: error: {{.*}}'wrong'
  wrong
}
