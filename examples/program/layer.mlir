// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A whole program: y = relu(x * W^T + bias), for any number of rows of x.
//
//   quantise (linalg) -> fp8gemm.gemm -> bias and relu (linalg)
//
// x is f32 and quantised here, with one scale for 128 elements of a row; W: [256, 512] was quantised before, with one
// scale for 128 x 128 elements. layer.c calls it, build.sh makes a program of both.

#rows = affine_map<(m, k) -> (m, k)>
#scales = affine_map<(m, k) -> (k floordiv 128, m)>
#blocks = affine_map<(block, m, k) -> (m, block, k)>
#maxima = affine_map<(block, m, k) -> (block, m)>
#columns = affine_map<(m, n) -> (n)>

/// The largest |x| of each 128 elements of a row, divided by the largest number of e4m3: [4, rows].
func.func private @scales_of(%x: tensor<?x512xf32>) -> tensor<4x?xf32> {
  %c0 = arith.constant 0 : index
  %largest = arith.constant 448.0 : f32
  %smallest = arith.constant 1.0e-10 : f32
  %rows = tensor.dim %x, %c0 : tensor<?x512xf32>
  %blocks = tensor.expand_shape %x [[0], [1, 2]] output_shape [%rows, 4, 128] : tensor<?x512xf32> into tensor<?x4x128xf32>
  %empty = tensor.empty(%rows) : tensor<4x?xf32>
  %start = linalg.fill ins(%smallest : f32) outs(%empty : tensor<4x?xf32>) -> tensor<4x?xf32>
  %maxima = linalg.generic {indexing_maps = [#blocks, #maxima], iterator_types = ["parallel", "parallel", "reduction"]}
      ins(%blocks : tensor<?x4x128xf32>) outs(%start : tensor<4x?xf32>) {
    ^bb0(%element: f32, %max: f32):
      %magnitude = math.absf %element : f32
      %next = arith.maximumf %max, %magnitude : f32
      linalg.yield %next : f32
  } -> tensor<4x?xf32>
  %scales = linalg.generic {indexing_maps = [#rows, #rows], iterator_types = ["parallel", "parallel"]}
      ins(%maxima : tensor<4x?xf32>) outs(%empty : tensor<4x?xf32>) {
    ^bb0(%max: f32, %out: f32):
      %scale = arith.divf %max, %largest : f32
      linalg.yield %scale : f32
  } -> tensor<4x?xf32>
  return %scales : tensor<4x?xf32>
}

/// x / scale as e4m3, to nearest even.
func.func private @quantise(%x: tensor<?x512xf32>, %scales: tensor<4x?xf32>) -> tensor<?x512xf8E4M3FN> {
  %c0 = arith.constant 0 : index
  %rows = tensor.dim %x, %c0 : tensor<?x512xf32>
  %empty = tensor.empty(%rows) : tensor<?x512xf8E4M3FN>
  %quantised = linalg.generic {indexing_maps = [#rows, #scales, #rows], iterator_types = ["parallel", "parallel"]}
      ins(%x, %scales : tensor<?x512xf32>, tensor<4x?xf32>) outs(%empty : tensor<?x512xf8E4M3FN>) {
    ^bb0(%element: f32, %scale: f32, %out: f8E4M3FN):
      %scaled = arith.divf %element, %scale : f32
      %narrow = arith.truncf %scaled : f32 to f8E4M3FN
      linalg.yield %narrow : f8E4M3FN
  } -> tensor<?x512xf8E4M3FN>
  return %quantised : tensor<?x512xf8E4M3FN>
}

func.func @layer(%x: tensor<?x512xf32>, %w: tensor<256x512xf8E4M3FN>, %sfw: tensor<2x4xf32>, %bias: tensor<256xf32>)
    -> tensor<?x256xf32> attributes {llvm.emit_c_interface} {
  %c0 = arith.constant 0 : index
  %zero = arith.constant 0.0 : f32
  %rows = tensor.dim %x, %c0 : tensor<?x512xf32>
  %scales = func.call @scales_of(%x) : (tensor<?x512xf32>) -> tensor<4x?xf32>
  %q = func.call @quantise(%x, %scales) : (tensor<?x512xf32>, tensor<4x?xf32>) -> tensor<?x512xf8E4M3FN>
  // Rows of scales have a length that is a multiple of 4; elements after the last scale are copies of it, and unused.
  %c1 = arith.constant 1 : index
  %last = arith.subi %rows, %c1 : index
  %padded_rows = affine.apply affine_map<()[rows] -> (rows ceildiv 4 * 4)>()[%rows]
  %room = tensor.empty(%padded_rows) : tensor<4x?xf32>
  %sfx = linalg.generic {indexing_maps = [#rows], iterator_types = ["parallel", "parallel"]} outs(%room : tensor<4x?xf32>) {
    ^bb0(%out: f32):
      %block = linalg.index 0 : index
      %m = linalg.index 1 : index
      %row = arith.minsi %m, %last : index
      %scale = tensor.extract %scales[%block, %row] : tensor<4x?xf32>
      linalg.yield %scale : f32
  } -> tensor<4x?xf32>

  %d = tensor.empty(%rows) : tensor<?x256xbf16>
  %product = fp8gemm.gemm %q scaled_by %sfx <1x128, mn_major>, %w scaled_by %sfw <128x128, k_major> into %d
    : tensor<?x512xf8E4M3FN>, tensor<4x?xf32>, tensor<256x512xf8E4M3FN>, tensor<2x4xf32>, tensor<?x256xbf16>
   -> tensor<?x256xbf16>

  %y = tensor.empty(%rows) : tensor<?x256xf32>
  %result = linalg.generic {indexing_maps = [#rows, #columns, #rows], iterator_types = ["parallel", "parallel"]}
      ins(%product, %bias : tensor<?x256xbf16>, tensor<256xf32>) outs(%y : tensor<?x256xf32>) {
    ^bb0(%element: bf16, %b: f32, %out: f32):
      %wide = arith.extf %element : bf16 to f32
      %sum = arith.addf %wide, %b : f32
      %positive = arith.maximumf %sum, %zero : f32
      linalg.yield %positive : f32
  } -> tensor<?x256xf32>
  return %result : tensor<?x256xf32>
}
