// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Rule L1: who must come together to an operation does.
// RUN: fp8gemm-opt %s -verify-diagnostics -o /dev/null \
// RUN:   -pass-pipeline='builtin.module(gpu.module(llvm.func(nvvm-check-kernel)))'

gpu.module @m {
// Roles as they are lowered: a shuffle gives the warp, a lane is elected for what one thread does.
llvm.func @valid(%barrier: !llvm.ptr<3>) attributes {nvvm.kernel, nvvm.maxntid = array<i32: 384, 1, 1>} {
  %c0 = arith.constant 0 : i32
  %c4 = arith.constant 4 : i32
  %c31 = arith.constant 31 : i32
  %c32 = arith.constant 32 : i32
  %all = arith.constant -1 : i32
  %t = nvvm.read.ptx.sreg.tid.x : i32
  %w = arith.divui %t, %c32 : i32
  %warp = nvvm.shfl.sync idx %all, %w, %c0, %c31 : i32 -> i32
  %warpgroup = arith.divui %warp, %c4 : i32
  %is_producer = arith.cmpi eq, %warpgroup, %c0 : i32
  scf.if %is_producer {
    nvvm.setmaxregister decrease 40
    %is_first = arith.cmpi eq, %warp, %c0 : i32
    scf.if %is_first {
      %elected = nvvm.elect.sync -> i1
      scf.if %elected {
        nvvm.mbarrier.try_wait.parity %barrier, %c0, %c31 : !llvm.ptr<3>, i32, i32
      }
    }
  } else {
    nvvm.setmaxregister increase 232
    nvvm.wgmma.fence.aligned
  }
  llvm.return
}

llvm.func @l1_one_thread() attributes {nvvm.kernel, nvvm.maxntid = array<i32: 256, 1, 1>} {
  %c0 = arith.constant 0 : i32
  %t = nvvm.read.ptx.sreg.tid.x : i32
  %is = arith.cmpi eq, %t, %c0 : i32
  // expected-note @+1 {{this may differ between them}}
  scf.if %is {
    // expected-error @+1 {{breaks L1: expected all threads of the warp to come to it, or none}}
    %elected = nvvm.elect.sync -> i1
  }
  llvm.return
}

// A single warp is enough for a shuffle, and too little for wgmma.
llvm.func @l1_one_warp() attributes {nvvm.kernel, nvvm.maxntid = array<i32: 256, 1, 1>} {
  %c1 = arith.constant 1 : i32
  %c31 = arith.constant 31 : i32
  %c32 = arith.constant 32 : i32
  %all = arith.constant -1 : i32
  %t = nvvm.read.ptx.sreg.tid.x : i32
  %warp = arith.divui %t, %c32 : i32
  %is = arith.cmpi eq, %warp, %c1 : i32
  // expected-note @+1 {{this may differ between them}}
  scf.if %is {
    %sum = nvvm.shfl.sync up %all, %t, %c1, %c31 : i32 -> i32
    // expected-error @+1 {{breaks L1: expected all threads of the warpgroup to come to it, or none}}
    nvvm.wgmma.fence.aligned
    // expected-error @+1 {{breaks L1: expected all threads of the CTA to come to it, or none}}
    nvvm.barrier0
  }
  llvm.return
}

// elect.sync picks one lane.
llvm.func @l1_elected() attributes {nvvm.kernel, nvvm.maxntid = array<i32: 256, 1, 1>} {
  %elected = nvvm.elect.sync -> i1
  // expected-note @+1 {{this may differ between them}}
  scf.if %elected {
    // expected-error @+1 {{breaks L1: expected all threads of the warp to come to it, or none}}
    llvm.inline_asm has_side_effects "barrier.cluster.arrive.aligned;", "" : () -> ()
  }
  llvm.return
}

// A loop that each thread leaves after as many rounds as its lane; what it carries differs, too.
llvm.func @l1_loop_of_each_thread() attributes {nvvm.kernel, nvvm.maxntid = array<i32: 128, 1, 1>} {
  %c0 = arith.constant 0 : i32
  %c1 = arith.constant 1 : i32
  %t = nvvm.read.ptx.sreg.tid.x : i32
  // expected-note @+1 {{this may differ between them}}
  %n = scf.for %i = %c0 to %t step %c1 iter_args(%sum = %c0) -> (i32) : i32 {
    // expected-error @+1 {{breaks L1: expected all threads of the warp to come to it, or none}}
    nvvm.bar.warp.sync %c1 : i32
    %next = arith.addi %sum, %c1 : i32
    scf.yield %next : i32
  }
  %is = arith.cmpi eq, %n, %c0 : i32
  // expected-note @+1 {{this may differ between them}}
  scf.if %is {
    // expected-error @+1 {{breaks L1: expected all threads of the warpgroup to come to it, or none}}
    nvvm.setmaxregister increase 232
  }
  llvm.return
}

// Block indices, parameters, what is loaded from one address, and loops over them are the same in all threads.
llvm.func @uniform(%n: i32, %table: !llvm.ptr<1>) attributes {nvvm.kernel, nvvm.maxntid = array<i32: 128, 1, 1>} {
  %c0 = arith.constant 0 : i32
  %c1 = arith.constant 1 : i32
  %block = nvvm.read.ptx.sreg.ctaid.x : i32
  %m = llvm.load %table : !llvm.ptr<1> -> i32
  %last = scf.for %i = %block to %m step %c1 iter_args(%sum = %n) -> (i32) : i32 {
    nvvm.wgmma.fence.aligned
    %next = arith.addi %sum, %i : i32
    scf.yield %next : i32
  }
  %is = arith.cmpi eq, %last, %c0 : i32
  scf.if %is {
    nvvm.barrier0
  }
  llvm.return
}

llvm.func @l1_loaded_by_lane(%table: !llvm.ptr<1>) attributes {nvvm.kernel, nvvm.maxntid = array<i32: 128, 1, 1>} {
  %t = nvvm.read.ptx.sreg.tid.x : i32
  %entry = llvm.getelementptr %table[%t] : (!llvm.ptr<1>, i32) -> !llvm.ptr<1>, i1
  %is = llvm.load %entry : !llvm.ptr<1> -> i1
  // expected-note @+1 {{this may differ between them}}
  scf.if %is {
    // expected-error @+1 {{breaks L1: expected all threads of the warpgroup to come to it, or none}}
    nvvm.wgmma.commit.group.sync.aligned
  }
  llvm.return
}

// A vote is the same in its warp, and differs from warp to warp.
llvm.func @l1_vote() attributes {nvvm.kernel, nvvm.maxntid = array<i32: 128, 1, 1>} {
  %c1 = arith.constant 1 : i32
  %c64 = arith.constant 64 : i32
  %t = nvvm.read.ptx.sreg.tid.x : i32
  %low = arith.cmpi ult, %t, %c64 : i32
  %any = nvvm.vote.sync any %c1, %low -> i1
  // expected-note @+1 {{this may differ between them}}
  scf.if %any {
    nvvm.barrier id = %c1 number_of_threads = %c64
    // expected-error @+1 {{breaks L1: expected all threads of the warpgroup to come to it, or none}}
    nvvm.setmaxregister decrease 40
  }
  llvm.return
}

llvm.func @l1_barriers_of_each_thread() attributes {nvvm.kernel, nvvm.maxntid = array<i32: 128, 1, 1>} {
  %c64 = arith.constant 64 : i32
  %t = nvvm.read.ptx.sreg.tid.x : i32
  // expected-error @+1 {{breaks L1: expected one barrier and one count in all threads of the warp}}
  nvvm.barrier id = %t number_of_threads = %c64
  llvm.return
}

// A warp may stay diverged after a wait by one of its threads, until a bar.warp.sync.
llvm.func @l1_behind_a_wait(%barrier: !llvm.ptr<3>) attributes {nvvm.kernel, nvvm.maxntid = array<i32: 128, 1, 1>} {
  %c0 = arith.constant 0 : i32
  %all = arith.constant -1 : i32
  %elected = nvvm.elect.sync -> i1
  scf.if %elected {
    // expected-note @+1 {{a part of the warp waits here}}
    nvvm.mbarrier.try_wait.parity %barrier, %c0, %c0 : !llvm.ptr<3>, i32, i32
  }
  nvvm.cluster.arrive
  nvvm.cluster.wait
  // expected-error @+1 {{breaks L1: expected nvvm.bar.warp.sync after a wait for an mbarrier by a part of the warp, got none on some path}}
  nvvm.cluster.arrive {aligned}
  nvvm.bar.warp.sync %all : i32
  nvvm.cluster.wait {aligned}
  llvm.return
}
}
