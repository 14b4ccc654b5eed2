// RUN: fp8gemm-opt %s --fp8gemm-to-llvm | FileCheck %s

// The pipeline lowers kernels; the function that holds the product is the caller's.
// CHECK-LABEL: func.func @host
// CHECK: scf.for
// CHECK: fp8gemm.gemm
// CHECK-SAME: kernel = @[[KERNEL:fp8gemm_[a-z0-9_]+]]::@[[KERNEL]]
// CHECK: gpu.module @[[KERNEL]]
// CHECK: llvm.func @[[KERNEL]]
func.func @host(%a: memref<64x128xf8E4M3FN>, %sfa: memref<64x1xf32>, %b: memref<64x128xf8E4M3FN>,
                %sfb: memref<1x1xf32>, %d: memref<64x64xbf16>, %times: index) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  scf.for %i = %c0 to %times step %c1 {
    fp8gemm.gemm %a scaled_by %sfa <1x128, k_major>, %b scaled_by %sfb <128x128, k_major> into %d
      : memref<64x128xf8E4M3FN>, memref<64x1xf32>, memref<64x128xf8E4M3FN>, memref<1x1xf32>, memref<64x64xbf16>
  }
  return
}
