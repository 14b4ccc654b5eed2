// What is refused so that the checks end soon.
// RUN: fp8gemm-opt %s -verify-diagnostics -o /dev/null \
// RUN:   -pass-pipeline='builtin.module(gpu.module(hopper.kernel(hopper-check-rings)))'

gpu.module @m {
hopper.kernel @loops args(%n: index) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  scf.for %1 = %c0 to %n step %c1 {
  scf.for %2 = %c0 to %n step %c1 {
  scf.for %3 = %c0 to %n step %c1 {
  scf.for %4 = %c0 to %n step %c1 {
  scf.for %5 = %c0 to %n step %c1 {
  scf.for %6 = %c0 to %n step %c1 {
  scf.for %7 = %c0 to %n step %c1 {
  scf.for %8 = %c0 to %n step %c1 {
  // expected-error @+1 {{expected loops to be nested at most 8 deep}}
  scf.for %9 = %c0 to %n step %c1 {
  }}}}}}}}}
}
}
