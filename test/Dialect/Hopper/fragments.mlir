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

// CHECK-LABEL: func @matrices
func.func @matrices(%row: memref<4096xbf16>, %column: memref<?x1xf16, strided<[?, 1]>>, %scalar: memref<1xf32>,
                    %rows: memref<8x1x64xf32, strided<[?, ?, 1]>>, %matrix: memref<?x64xf32, strided<[?, 1]>>,
                    %i: index, %j: index, %m: index) {
  // CHECK: hopper.load_fragment %{{.*}}[%{{.*}}, %{{.*}}] : memref<4096xbf16> -> <64x128xf32>
  %x = hopper.load_fragment %row[%i, %j] : memref<4096xbf16> -> !hopper.fragment<64x128xf32>
  // CHECK: hopper.load_fragment %{{.*}}[%{{.*}}, %{{.*}}] limit %{{.*}} transposed : memref<?x1xf16, strided<[?, 1]>> -> <64x24xf32>
  %y = hopper.load_fragment %column[%i, %j] limit %m transposed : memref<?x1xf16, strided<[?, 1]>> -> !hopper.fragment<64x24xf32>
  %z = hopper.load_fragment %scalar[%i, %j] : memref<1xf32> -> !hopper.fragment<64x24xf32>
  // CHECK: hopper.load_fragment %{{.*}}[%{{.*}}, %{{.*}}] of %{{.*}} : memref<8x1x64xf32, strided<[?, ?, 1]>> -> <64x64xf32>
  %v = hopper.load_fragment %rows[%i, %j] of %i : memref<8x1x64xf32, strided<[?, ?, 1]>> -> !hopper.fragment<64x64xf32>
  %w = hopper.load_fragment %matrix[%i, %j] limit %m : memref<?x64xf32, strided<[?, 1]>> -> !hopper.fragment<64x64xf32>
  return
}

// A function of scalars may have what fragments have not: conditions, integers, other types.
// CHECK-LABEL: func @map
func.func @map(%x: !hopper.fragment<64x128xf32>, %y: !hopper.fragment<64x128xf32>, %rows: !hopper.scales<64 rows by 1>,
                %v: vector<8xf32>, %w: vector<8xf32>) {
  // CHECK:      hopper.map(%{{.*}}, %{{.*}}, %{{.*}}) {
  // CHECK-NEXT: ^bb0(%{{.*}}: f32, %{{.*}}: f32, %{{.*}}: f32):
  // CHECK-NEXT:   arith.cmpf olt
  // CHECK:        hopper.yield %{{.*}} : f32
  // CHECK-NEXT: } : !hopper.fragment<64x128xf32>, !hopper.fragment<64x128xf32>, !hopper.scales<64 rows by 1> -> !hopper.fragment<64x128xf32>
  %chosen = hopper.map (%x, %y, %rows) {
  ^bb0(%a: f32, %b: f32, %row: f32):
    %less = arith.cmpf olt, %a, %b : f32
    %narrow = arith.truncf %row : f32 to bf16
    %wide = arith.extf %narrow : bf16 to f32
    %one = arith.select %less, %a, %wide : f32
    hopper.yield %one : f32
  } : !hopper.fragment<64x128xf32>, !hopper.fragment<64x128xf32>, !hopper.scales<64 rows by 1> -> !hopper.fragment<64x128xf32>
  // CHECK: hopper.map(%{{.*}}) max_of_rows {
  // CHECK: } : !hopper.fragment<64x128xf32> -> !hopper.scales<64 rows by 1>
  %largest = hopper.map (%chosen) max_of_rows {
  ^bb0(%a: f32):
    %magnitude = math.absf %a : f32
    hopper.yield %magnitude : f32
  } : !hopper.fragment<64x128xf32> -> !hopper.scales<64 rows by 1>
  // In kernels without roles a thread has vectors.
  // CHECK: } : vector<8xf32>, vector<8xf32> -> vector<8xf32>
  %vector = hopper.map (%v, %w) {
  ^bb0(%left: f32, %right: f32):
    %one = arith.mulf %left, %right : f32
    hopper.yield %one : f32
  } : vector<8xf32>, vector<8xf32> -> vector<8xf32>
  // Halves of a fragment are two inputs.
  // CHECK: hopper.map(%{{.*}}) {
  // CHECK-NEXT: ^bb0(%{{.*}}: f32, %{{.*}}: f32):
  // CHECK: } : !hopper.fragment<64x128xf32> -> !hopper.fragment<64x64xf32>
  %product = hopper.map (%chosen) {
  ^bb0(%left: f32, %right: f32):
    %one = arith.mulf %left, %right : f32
    hopper.yield %one : f32
  } : !hopper.fragment<64x128xf32> -> !hopper.fragment<64x64xf32>
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

// There are no fragments of i1, except inside hopper.map.
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

// -----

func.func @map_c1_none() {
  // expected-error @+1 {{'hopper.map' op expected at least one input, got none}}
  %x = "hopper.map"() ({
    %one = arith.constant 1.0 : f32
    hopper.yield %one : f32
  }) : () -> !hopper.fragment<64x128xf32>
  return
}

// -----

func.func @map_c1_shapes(%x: !hopper.fragment<64x128xf32>, %y: !hopper.fragment<64x64xf32>) {
  // expected-error @+1 {{expected inputs of one type of fragment or vector, or scales of 64 rows by 1, got '!hopper.fragment<64x64xf32>'}}
  %z = hopper.map (%x, %y) {
  ^bb0(%a: f32, %b: f32):
    hopper.yield %a : f32
  } : !hopper.fragment<64x128xf32>, !hopper.fragment<64x64xf32> -> !hopper.fragment<64x128xf32>
  return
}

// -----

func.func @map_c1_columns(%x: !hopper.scales<128 columns by 1>) {
  // expected-error @+1 {{expected inputs of one type of fragment or vector, or scales of 64 rows by 1, got '!hopper.scales<128 columns by 1>'}}
  %z = hopper.map (%x) {
  ^bb0(%a: f32):
    hopper.yield %a : f32
  } : !hopper.scales<128 columns by 1> -> !hopper.scales<64 rows by 1>
  return
}

// -----

func.func @map_c1_scales_beside_vectors(%x: !hopper.scales<64 rows by 1>, %y: vector<8xf32>) {
  // expected-error @+1 {{expected vectors only, got scales beside them}}
  %z = hopper.map (%x, %y) {
  ^bb0(%a: f32, %b: f32):
    hopper.yield %a : f32
  } : !hopper.scales<64 rows by 1>, vector<8xf32> -> vector<8xf32>
  return
}

// -----

func.func @map_c1_vectors(%x: vector<8xf32>, %y: vector<4xf32>) {
  // expected-error @+1 {{expected inputs of one type of fragment or vector, or scales of 64 rows by 1, got 'vector<4xf32>'}}
  %z = hopper.map (%x, %y) {
  ^bb0(%a: f32, %b: f32):
    hopper.yield %a : f32
  } : vector<8xf32>, vector<4xf32> -> vector<8xf32>
  return
}

// -----

func.func @map_c4_vector(%x: vector<8xf32>) {
  // expected-error @+1 {{expected a fragment among the inputs with 'max_of_rows', got none}}
  %z = hopper.map (%x) max_of_rows {
  ^bb0(%a: f32):
    hopper.yield %a : f32
  } : vector<8xf32> -> vector<8xf32>
  return
}

// -----

func.func @map_c1_result(%x: !hopper.scales<64 rows by 1>) {
  // expected-error @+1 {{expected a result of '!hopper.scales<64 rows by 1>', got '!hopper.fragment<64x128xf32>'}}
  %z = hopper.map (%x) {
  ^bb0(%a: f32):
    hopper.yield %a : f32
  } : !hopper.scales<64 rows by 1> -> !hopper.fragment<64x128xf32>
  return
}

// -----

func.func @map_c2(%x: !hopper.fragment<64x128xf32>) {
  // expected-error @+1 {{expected the body to take 1 f32, got ('f32', 'f32')}}
  %z = hopper.map (%x) {
  ^bb0(%a: f32, %b: f32):
    hopper.yield %a : f32
  } : !hopper.fragment<64x128xf32> -> !hopper.fragment<64x128xf32>
  return
}

// -----

func.func @map_c2_halves(%x: !hopper.fragment<64x128xf32>) {
  // expected-error @+1 {{expected the body to take 2 f32, got ('f32')}}
  %z = hopper.map (%x) {
  ^bb0(%a: f32):
    hopper.yield %a : f32
  } : !hopper.fragment<64x128xf32> -> !hopper.fragment<64x64xf32>
  return
}

// -----

func.func @map_c2_no_value(%x: !hopper.fragment<64x128xf32>) {
  %z = hopper.map (%x) {
  ^bb0(%a: f32):
    // expected-error @+1 {{expected a value, got none}}
    hopper.yield
  } : !hopper.fragment<64x128xf32> -> !hopper.fragment<64x128xf32>
  return
}

// -----

func.func @map_c3(%x: !hopper.fragment<64x128xf32>) {
  %z = hopper.map (%x) {
  ^bb0(%a: f32):
    // expected-error @+1 {{expected a function of constants and elementwise operations of arith and math on scalars, got another operation}}
    %wide = arith.extf %a : f32 to f64
    hopper.yield %a : f32
  } : !hopper.fragment<64x128xf32> -> !hopper.fragment<64x128xf32>
  return
}

// -----

func.func @map_c4(%x: !hopper.scales<64 rows by 1>) {
  // expected-error @+1 {{expected a fragment among the inputs with 'max_of_rows', got none}}
  %z = hopper.map (%x) max_of_rows {
  ^bb0(%a: f32):
    hopper.yield %a : f32
  } : !hopper.scales<64 rows by 1> -> !hopper.scales<64 rows by 1>
  return
}
