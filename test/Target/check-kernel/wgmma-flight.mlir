// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Rule L5: accumulators of a wgmma in flight are left alone.
// RUN: fp8gemm-opt %s -verify-diagnostics -o /dev/null \
// RUN:   -pass-pipeline='builtin.module(gpu.module(llvm.func(nvvm-check-kernel{rules=5})))'

!acc = !llvm.struct<(f32, f32, f32, f32)>
!pair = !llvm.struct<(f32, f32)>

gpu.module @m {
// Two products in flight; the first is read while the second is.
llvm.func @valid(%d: i64, %acc: !acc) attributes {nvvm.kernel} {
  nvvm.wgmma.fence.aligned
  %p0 = nvvm.wgmma.mma_async %d, %d, %acc, <m = 64, n = 8, k = 32>, D[<f32>, <zero>], A[<e4m3>, <one>, <row>], B[<e4m3>, <one>, <col>] : !acc -> !acc
  %p1 = nvvm.wgmma.mma_async %d, %d, %p0, <m = 64, n = 8, k = 32>, D[<f32>, <one>], A[<e4m3>, <one>, <row>], B[<e4m3>, <one>, <col>] : !acc -> !acc
  nvvm.wgmma.commit.group.sync.aligned
  %a0 = llvm.extractvalue %p1[0] : !acc
  %a1 = llvm.extractvalue %p1[1] : !acc
  %q0 = nvvm.wgmma.mma_async %d, %d, %acc, <m = 64, n = 8, k = 32>, D[<f32>, <zero>], A[<e4m3>, <one>, <row>], B[<e4m3>, <one>, <col>] : !acc -> !acc
  nvvm.wgmma.commit.group.sync.aligned
  %b0 = llvm.extractvalue %q0[0] : !acc
  %b1 = llvm.extractvalue %q0[1] : !acc
  %w = llvm.inline_asm has_side_effects asm_dialect = att "wgmma.wait_group.sync.aligned 1;", "=f,=f,0,1" %a0, %a1 : (f32, f32) -> !pair
  %sum = llvm.extractvalue %w[0] : !pair
  %twice = arith.addf %sum, %sum : f32
  %v = llvm.inline_asm has_side_effects asm_dialect = att "wgmma.wait_group.sync.aligned 0;", "=f,=f,0,1" %b0, %b1 : (f32, f32) -> !pair
  llvm.return
}

llvm.func @l5_read_in_flight(%d: i64, %acc: !acc) attributes {nvvm.kernel} {
  // expected-note @+1 {{still in flight}}
  %p = nvvm.wgmma.mma_async %d, %d, %acc, <m = 64, n = 8, k = 32>, D[<f32>, <zero>], A[<e4m3>, <one>, <row>], B[<e4m3>, <one>, <col>] : !acc -> !acc
  nvvm.wgmma.commit.group.sync.aligned
  %a0 = llvm.extractvalue %p[0] : !acc
  %a1 = llvm.extractvalue %p[1] : !acc
  // expected-error @+1 {{breaks L5: expected the accumulators of a wgmma in flight to be left alone until its wait_group}}
  %sum = arith.addf %a0, %a1 : f32
  %w = llvm.inline_asm has_side_effects asm_dialect = att "wgmma.wait_group.sync.aligned 0;", "=f,=f,0,1" %a0, %a1 : (f32, f32) -> !pair
  llvm.return
}

// The wait leaves the newest group pending, whose registers it gives.
llvm.func @l5_other_still_pending(%d: i64, %acc: !acc) attributes {nvvm.kernel} {
  %p = nvvm.wgmma.mma_async %d, %d, %acc, <m = 64, n = 8, k = 32>, D[<f32>, <zero>], A[<e4m3>, <one>, <row>], B[<e4m3>, <one>, <col>] : !acc -> !acc
  nvvm.wgmma.commit.group.sync.aligned
  %a0 = llvm.extractvalue %p[0] : !acc
  %a1 = llvm.extractvalue %p[1] : !acc
  // expected-note @+1 {{still in flight}}
  %q = nvvm.wgmma.mma_async %d, %d, %acc, <m = 64, n = 8, k = 32>, D[<f32>, <zero>], A[<e4m3>, <one>, <row>], B[<e4m3>, <one>, <col>] : !acc -> !acc
  nvvm.wgmma.commit.group.sync.aligned
  %b0 = llvm.extractvalue %q[0] : !acc
  %b1 = llvm.extractvalue %q[1] : !acc
  // expected-error @+1 {{breaks L5: expected wait_group to cover the wgmma whose accumulators it gives, got too many pending groups}}
  %w = llvm.inline_asm has_side_effects asm_dialect = att "wgmma.wait_group.sync.aligned 1;", "=f,=f,0,1" %b0, %b1 : (f32, f32) -> !pair
  %v = llvm.inline_asm has_side_effects asm_dialect = att "wgmma.wait_group.sync.aligned 0;", "=f,=f,0,1" %a0, %a1 : (f32, f32) -> !pair
  llvm.return
}

// A wait knows only of committed groups.
llvm.func @l5_not_committed(%d: i64, %acc: !acc) attributes {nvvm.kernel} {
  // expected-error @+2 {{breaks L5: expected a wgmma to be complete at the end of its block, got no wait_group that covers it}}
  // expected-note @+1 {{still in flight}}
  %p = nvvm.wgmma.mma_async %d, %d, %acc, <m = 64, n = 8, k = 32>, D[<f32>, <zero>], A[<e4m3>, <one>, <row>], B[<e4m3>, <one>, <col>] : !acc -> !acc
  %a0 = llvm.extractvalue %p[0] : !acc
  %a1 = llvm.extractvalue %p[1] : !acc
  // expected-error @+1 {{breaks L5: expected wait_group to cover the wgmma whose accumulators it gives, got too many pending groups}}
  %w = llvm.inline_asm has_side_effects asm_dialect = att "wgmma.wait_group.sync.aligned 0;", "=f,=f,0,1" %a0, %a1 : (f32, f32) -> !pair
  // expected-note @+1 {{the block ends here}}
  llvm.return
}

llvm.func @l5_across_the_back_edge(%d: i64, %acc: !acc, %n: i32) attributes {nvvm.kernel} {
  %c0 = arith.constant 0 : i32
  %c1 = arith.constant 1 : i32
  %last = scf.for %i = %c0 to %n step %c1 iter_args(%carried = %acc) -> (!acc) : i32 {
    // expected-error @+2 {{breaks L5: expected a wgmma to be complete at the end of its loop's iteration, got no wait_group that covers it}}
    // expected-note @+1 {{still in flight}}
    %p = nvvm.wgmma.mma_async %d, %d, %carried, <m = 64, n = 8, k = 32>, D[<f32>, <one>], A[<e4m3>, <one>, <row>], B[<e4m3>, <one>, <col>] : !acc -> !acc
    nvvm.wgmma.commit.group.sync.aligned
    // expected-error @+2 {{breaks L5: expected the accumulators of a wgmma in flight to be left alone until its wait_group}}
    // expected-note @+1 {{the block ends here}}
    scf.yield %p : !acc
  }
  llvm.return
}

llvm.func @l5_around_a_condition(%d: i64, %acc: !acc, %some: i1) attributes {nvvm.kernel} {
  // expected-note @+1 {{still in flight}}
  %p = nvvm.wgmma.mma_async %d, %d, %acc, <m = 64, n = 8, k = 32>, D[<f32>, <zero>], A[<e4m3>, <one>, <row>], B[<e4m3>, <one>, <col>] : !acc -> !acc
  nvvm.wgmma.commit.group.sync.aligned
  %a0 = llvm.extractvalue %p[0] : !acc
  %a1 = llvm.extractvalue %p[1] : !acc
  scf.if %some {
    // expected-error @+1 {{breaks L5: expected no wgmma in flight around a loop or condition that issues or waits for others}}
    nvvm.wgmma.wait.group.sync.aligned 0
  }
  %w = llvm.inline_asm has_side_effects asm_dialect = att "wgmma.wait_group.sync.aligned 0;", "=f,=f,0,1" %a0, %a1 : (f32, f32) -> !pair
  llvm.return
}
}
