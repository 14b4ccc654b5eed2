// Elementwise operations on fragments become the same operations on the registers of each thread.
// RUN: fp8gemm-opt %s -pass-pipeline='builtin.module(gpu.module(convert-hopper-to-nvvm))' | FileCheck %s
// RUN: seq 10000000 10000511 | tr -d '\n' | sed 's/.*/gpu.module @kernels { hopper.kernel @f args() launch<threads = 256, tile_m = 64, tile_n = 8> { %%c = arith.constant dense<"0x&"> : !hopper.fragment<64x8xf32> } }/' | not fp8gemm-opt -pass-pipeline='builtin.module(gpu.module(convert-hopper-to-nvvm))' 2>&1 | FileCheck %s --check-prefix=SPLAT
// SPLAT: error: 'arith.constant' op expected a constant fragment of equal elements, such as dense<1.0>

!fragment = !hopper.fragment<64x8xf32>
#launch = #hopper.launch<threads = 256, tile_m = 64, tile_n = 8>

gpu.module @kernels {
  // CHECK-LABEL: llvm.func @elementwise
  hopper.kernel @elementwise args(%choice: i1) shared(%p: memref<1x64x8xf32, 3>, %q: memref<1x64x8xf32, 3>)
      launch #launch {
    %x = hopper.load_fragment %p : memref<1x64x8xf32, 3> -> !fragment
    %y = hopper.load_fragment %q : memref<1x64x8xf32, 3> -> !fragment
    // CHECK:         %[[SUM:.+]] = arith.addf %{{.+}}, %{{.+}} fastmath<contract> : f32
    // CHECK-COUNT-3: arith.addf {{.*}} fastmath<contract> : f32
    // CHECK-NOT:     arith.addf
    %sum = arith.addf %x, %y fastmath<contract> : !fragment
    // CHECK:         %[[ROOT:.+]] = math.sqrt %[[SUM]] : f32
    // CHECK-COUNT-3: math.sqrt
    // CHECK-NOT:     math.sqrt
    %root = math.sqrt %sum : !fragment
    // A constant is of equal elements, and needs no registers of its own.
    // CHECK:         %[[CONSTANT:.+]] = arith.constant 1.500000e+00 : f32
    // CHECK-COUNT-4: arith.mulf %{{.+}}, %[[CONSTANT]] : f32
    %constant = arith.constant dense<1.5> : !fragment
    %scaled = arith.mulf %x, %constant : !fragment
    // The condition serves every element.
    // CHECK:         arith.select %[[CHOICE:.+]], %[[ROOT]], %{{.+}} : f32
    // CHECK-COUNT-3: arith.select %[[CHOICE]],
    // CHECK-NOT:     arith.select
    %chosen = arith.select %choice, %root, %scaled : !fragment
    hopper.store_fragment %chosen to %p : !fragment, memref<1x64x8xf32, 3>
  }

  // Registers of equal elements are one value: 2 loads of pairs for 16 columns, 2 for the rows of a thread. None is beyond
  // the end of the row.
  // CHECK-LABEL: llvm.func @rows
  hopper.kernel @rows args(%row: memref<40xf32>, %short: memref<40xbf16>, %i: index) shared(%p: memref<2x64x8xf32, 3>)
      launch #launch {
    // CHECK-DAG:     %[[LAST_PAIR:.+]] = arith.constant 38 : i32
    // CHECK:         %[[AT:.+]] = arith.minui %{{.+}}, %[[LAST_PAIR]] : i32
    // CHECK:         %[[ADDRESS:.+]] = llvm.getelementptr %{{.+}}[%[[AT]]] : (!llvm.ptr<1>, i32) -> !llvm.ptr<1>, f32
    // CHECK:         llvm.load %[[ADDRESS]] {alignment = 8 : i64} : !llvm.ptr<1> -> vector<2xf32>
    // CHECK:         llvm.load %{{.+}} {alignment = 8 : i64} : !llvm.ptr<1> -> vector<2xf32>
    // CHECK-NOT:     llvm.load
    %x = hopper.load_fragment %row[%i, %i] : memref<40xf32> -> !hopper.fragment<64x16xf32>
    // CHECK:         arith.constant 39 : i32
    // CHECK:         llvm.load %{{.+}} {alignment = 2 : i64} : !llvm.ptr<1> -> vector<1xbf16>
    // CHECK:         llvm.fpext
    // CHECK:         llvm.load %{{.+}} {alignment = 2 : i64} : !llvm.ptr<1> -> vector<1xbf16>
    // CHECK-NOT:     llvm.load
    %y = hopper.load_fragment %short[%i, %i] transposed : memref<40xbf16> -> !hopper.fragment<64x16xf32>
    // CHECK-COUNT-8: arith.addf
    %sum = arith.addf %x, %y : !hopper.fragment<64x16xf32>
    hopper.store_fragment %sum to %p : !hopper.fragment<64x16xf32>, memref<2x64x8xf32, 3>
  }

  // A thread's registers of the left half come before those of the right one.
  // CHECK-LABEL: llvm.func @halves
  hopper.kernel @halves args() shared(%p: memref<1x64x16xf32, 3>, %q: memref<1x64x8xf32, 3>) launch #launch {
    %x = hopper.load_fragment %p : memref<1x64x16xf32, 3> -> !hopper.fragment<64x16xf32>
    %scale = arith.constant dense<3.0> : !hopper.fragment<64x16xf32>
    // CHECK:      %[[L0:.+]] = arith.mulf %{{.+}}, %[[THREE:.+]] : f32
    // CHECK-NEXT: arith.mulf
    // CHECK-NEXT: arith.mulf
    // CHECK-NEXT: %[[L3:.+]] = arith.mulf
    // CHECK-NEXT: %[[R0:.+]] = arith.mulf
    // CHECK-NEXT: arith.mulf
    // CHECK-NEXT: arith.mulf
    // CHECK-NEXT: %[[R3:.+]] = arith.mulf
    %y = arith.mulf %x, %scale : !hopper.fragment<64x16xf32>
    // CHECK-NEXT: arith.subf %[[L0]], %[[R0]] : f32
    // CHECK:      arith.subf %[[L3]], %[[R3]] : f32
    // CHECK-NOT:  arith.subf
    %z = hopper.map (%y) {
    ^bb0(%left: f32, %right: f32):
      %one = arith.subf %left, %right : f32
      hopper.yield %one : f32
    } : !hopper.fragment<64x16xf32> -> !fragment
    hopper.store_fragment %z to %q : !fragment, memref<1x64x8xf32, 3>
  }
}
