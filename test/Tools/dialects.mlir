// RUN: fp8gemm-opt %s | FileCheck %s
// RUN: fp8gemm-compile %s --emit=hopper | FileCheck %s
// What programs hold beside products parses, as in upstream's mlir-opt.

// CHECK: #sparse_tensor.encoding
// CHECK: ml_program.global private mutable @state
ml_program.global private mutable @state(dense<0.0> : tensor<4xf32>) : tensor<4xf32>

#csr = #sparse_tensor.encoding<{map = (d0, d1) -> (d0 : dense, d1 : compressed)}>
func.func private @sparse(tensor<8x8xf32, #csr>)

// CHECK-LABEL: func.func @program
func.func @program(%m: memref<?xf32>, %t: tensor<4xf32>, %d: tensor<?xf32>, %x: f32, %a: memref<?x128xf8E4M3FN>,
                   %sfa: memref<1x?xf32>, %b: memref<96x128xf8E4M3FN>, %sfb: memref<1x1xf32>, %o: memref<?x96xbf16>) {
  // CHECK: affine.for
  affine.for %i = 0 to 4 {
    // CHECK: affine.store
    affine.store %x, %m[%i] : memref<?xf32>
  }
  // CHECK: complex.create
  %c = complex.create %x, %x : complex<f32>
  // CHECK: shape.shape_of
  %s = shape.shape_of %d : tensor<?xf32> -> tensor<1xindex>
  // CHECK: tosa.add
  %sum = tosa.add %t, %t : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
  // CHECK: bufferization.to_buffer
  %buffer = bufferization.to_buffer %sum : tensor<4xf32> to memref<4xf32>
  // CHECK: linalg.fill
  linalg.fill ins(%x : f32) outs(%m : memref<?xf32>)
  // CHECK: ub.poison
  %p = ub.poison : f32
  // CHECK: async.execute
  %token = async.execute {
    async.yield
  }
  fp8gemm.gemm %a scaled_by %sfa <1x128, mn_major>, %b scaled_by %sfb <128x128, k_major> into %o
    : memref<?x128xf8E4M3FN>, memref<1x?xf32>, memref<96x128xf8E4M3FN>, memref<1x1xf32>, memref<?x96xbf16>
  return
}
