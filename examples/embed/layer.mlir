// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// A layer in toy's dialect: any number of rows, 256 to 128 features. The scales of x are stored K block by K block.
func.func @layer(%x: memref<?x256xf8E4M3FN>, %x_scales: memref<2x?xf32>, %weight: memref<128x256xf8E4M3FN>,
                 %weight_scales: memref<1x2xf32>, %y: memref<?x128xbf16>) {
  toy.linear %x, %x_scales, %weight, %weight_scales into %y
    : memref<?x256xf8E4M3FN>, memref<2x?xf32>, memref<128x256xf8E4M3FN>, memref<1x2xf32>, memref<?x128xbf16>
  return
}
