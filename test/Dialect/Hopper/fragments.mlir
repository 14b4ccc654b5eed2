// Fragments are elementwise values: operations of arith and math apply to them.
// RUN: fp8gemm-opt %s -split-input-file -verify-diagnostics --verify-roundtrip | FileCheck %s

// CHECK-LABEL: func @elementwise
func.func @elementwise(%x: !hopper.fragment<64x128xf32>, %y: !hopper.fragment<64x128xf32>, %choice: i1) -> !hopper.fragment<64x128xf32> {
  // CHECK: arith.constant dense<1.500000e+00> : !hopper.fragment<64x128xf32>
  %constant = arith.constant dense<1.5> : !hopper.fragment<64x128xf32>
  // CHECK: arith.addf %{{.*}}, %{{.*}} : !hopper.fragment<64x128xf32>
  %sum = arith.addf %x, %y : !hopper.fragment<64x128xf32>
  // CHECK: arith.maximumf %{{.*}}, %{{.*}} fastmath<nnan> : !hopper.fragment<64x128xf32>
  %most = arith.maximumf %sum, %y fastmath<nnan> : !hopper.fragment<64x128xf32>
  // CHECK: math.exp %{{.*}} : !hopper.fragment<64x128xf32>
  %exp = math.exp %most : !hopper.fragment<64x128xf32>
  // CHECK: math.fma %{{.*}}, %{{.*}}, %{{.*}} : !hopper.fragment<64x128xf32>
  %fma = math.fma %exp, %constant, %y : !hopper.fragment<64x128xf32>
  // CHECK: arith.select %{{.*}}, %{{.*}}, %{{.*}} : !hopper.fragment<64x128xf32>
  %chosen = arith.select %choice, %fma, %x : !hopper.fragment<64x128xf32>
  return %chosen : !hopper.fragment<64x128xf32>
}

// CHECK-LABEL: func @rows
func.func @rows(%row: memref<4096xbf16>, %i: index) {
  // CHECK: hopper.load_fragment %{{.*}}[%{{.*}}] along columns : memref<4096xbf16> -> <64x128xf32>
  %x = hopper.load_fragment %row[%i] along columns : memref<4096xbf16> -> !hopper.fragment<64x128xf32>
  // CHECK: hopper.load_fragment %{{.*}}[%{{.*}}] along rows : memref<4096xbf16> -> <64x24xf32>
  %y = hopper.load_fragment %row[%i] along rows : memref<4096xbf16> -> !hopper.fragment<64x24xf32>
  return
}

// -----

func.func @of_other_shape(%x: !hopper.fragment<64x128xf32>, %y: !hopper.fragment<64x64xf32>) { // expected-note {{prior use here}}
  // expected-error @+1 {{expects different type than prior uses}}
  %sum = arith.addf %x, %y : !hopper.fragment<64x128xf32>
  return
}

// -----

func.func @with_a_vector(%x: !hopper.fragment<64x128xf32>, %y: vector<64x128xf32>) {
  // expected-error @+1 {{if an operand is non-scalar, then there must be at least one non-scalar result}}
  %sum = "arith.addf"(%x, %y) : (!hopper.fragment<64x128xf32>, vector<64x128xf32>) -> !hopper.fragment<64x128xf32>
  return
}

// -----

// There are no fragments of i1.
func.func @compared(%x: !hopper.fragment<64x128xf32>) {
  // expected-error @+1 {{if a result is non-scalar, then at least one operand must be non-scalar}}
  %less = arith.cmpf olt, %x, %x : !hopper.fragment<64x128xf32>
  return
}

// -----

func.func @of_integers(%x: !hopper.fragment<64x128xf32>) {
  // expected-error @+1 {{operand #0 must be signless-integer-like}}
  %sum = arith.addi %x, %x : !hopper.fragment<64x128xf32>
  return
}
