// RUN: fp8gemm-opt %s -fp8gemm-to-nvvm -split-input-file -verify-diagnostics

module {
  module @within {
    func.func @product(%a: memref<?x128xf8E4M3FN>, %sfa: memref<1x?xf32>, %b: memref<96x128xf8E4M3FN>,
                       %sfb: memref<1x1xf32>, %d: memref<?x96xbf16>) {
      // expected-error @below {{expected 'fp8gemm.gemm' in the outermost module, got it in a module within that}}
      fp8gemm.gemm %a scaled_by %sfa <1x128, mn_major>, %b scaled_by %sfb <128x128, k_major> into %d
        : memref<?x128xf8E4M3FN>, memref<1x?xf32>, memref<96x128xf8E4M3FN>, memref<1x1xf32>, memref<?x96xbf16>
      return
    }
  }
}

// -----

module {
  module @within {
    // expected-error @below {{expected 'gpu.module' in the outermost module, got it in a module within that}}
    gpu.module @kernels {
    }
  }
}
