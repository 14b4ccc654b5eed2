#map = affine_map<(d0, d1) -> (d0, d1)>
#map1 = affine_map<(d0, d1, d2, d3) -> (d0, d1, d2, d3)>
#map2 = affine_map<(d0, d1, d2, d3) -> (d0, 0, d2, 0)>
#map3 = affine_map<(d0, d1, d2) -> (d0, d1, d2)>
#map4 = affine_map<(d0, d1, d2) -> (d0, d1, 0)>
module {
  func.func @scales_transposed(%arg0: tensor<8x384xf8E4M3FN>, %arg1: tensor<3x8xf32>, %arg2: tensor<256x384xf8E4M3FN>, %arg3: tensor<2x3xf32>) -> tensor<8x256xbf16> {
    %cst = arith.constant 0.000000e+00 : f32
    %0 = tensor.empty() : tensor<256x384xf32>
    %1 = linalg.generic {indexing_maps = [#map, #map], iterator_types = ["parallel", "parallel"]} ins(%arg2 : tensor<256x384xf8E4M3FN>) outs(%0 : tensor<256x384xf32>) {
    ^bb0(%in: f8E4M3FN, %out: f32):
      %15 = arith.extf %in : f8E4M3FN to f32
      linalg.yield %15 : f32
    } -> tensor<256x384xf32>
    %expanded = tensor.expand_shape %1 [[0, 1], [2, 3]] output_shape [2, 128, 3, 128] : tensor<256x384xf32> into tensor<2x128x3x128xf32>
    %expanded_0 = tensor.expand_shape %arg3 [[0], [1, 2, 3]] output_shape [2, 1, 3, 1] : tensor<2x3xf32> into tensor<2x1x3x1xf32>
    %2 = tensor.empty() : tensor<2x128x3x128xf32>
    %3 = linalg.generic {indexing_maps = [#map1, #map2, #map1], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} ins(%expanded, %expanded_0 : tensor<2x128x3x128xf32>, tensor<2x1x3x1xf32>) outs(%2 : tensor<2x128x3x128xf32>) {
    ^bb0(%in: f32, %in_5: f32, %out: f32):
      %15 = arith.mulf %in, %in_5 : f32
      linalg.yield %15 : f32
    } -> tensor<2x128x3x128xf32>
    %collapsed = tensor.collapse_shape %3 [[0, 1], [2, 3]] : tensor<2x128x3x128xf32> into tensor<256x384xf32>
    %4 = tensor.empty() : tensor<384x256xf32>
    %transposed = linalg.transpose ins(%collapsed : tensor<256x384xf32>) outs(%4 : tensor<384x256xf32>) permutation = [1, 0] 
    %5 = tensor.empty() : tensor<8x3xf32>
    %transposed_1 = linalg.transpose ins(%arg1 : tensor<3x8xf32>) outs(%5 : tensor<8x3xf32>) permutation = [1, 0] 
    %6 = tensor.empty() : tensor<8x384xf32>
    %7 = linalg.generic {indexing_maps = [#map, #map], iterator_types = ["parallel", "parallel"]} ins(%arg0 : tensor<8x384xf8E4M3FN>) outs(%6 : tensor<8x384xf32>) {
    ^bb0(%in: f8E4M3FN, %out: f32):
      %15 = arith.extf %in : f8E4M3FN to f32
      linalg.yield %15 : f32
    } -> tensor<8x384xf32>
    %expanded_2 = tensor.expand_shape %7 [[0], [1, 2]] output_shape [8, 3, 128] : tensor<8x384xf32> into tensor<8x3x128xf32>
    %expanded_3 = tensor.expand_shape %transposed_1 [[0], [1, 2]] output_shape [8, 3, 1] : tensor<8x3xf32> into tensor<8x3x1xf32>
    %8 = tensor.empty() : tensor<8x3x128xf32>
    %9 = linalg.generic {indexing_maps = [#map3, #map4, #map3], iterator_types = ["parallel", "parallel", "parallel"]} ins(%expanded_2, %expanded_3 : tensor<8x3x128xf32>, tensor<8x3x1xf32>) outs(%8 : tensor<8x3x128xf32>) {
    ^bb0(%in: f32, %in_5: f32, %out: f32):
      %15 = arith.mulf %in, %in_5 : f32
      linalg.yield %15 : f32
    } -> tensor<8x3x128xf32>
    %collapsed_4 = tensor.collapse_shape %9 [[0], [1, 2]] : tensor<8x3x128xf32> into tensor<8x384xf32>
    %10 = tensor.empty() : tensor<8x256xf32>
    %11 = linalg.fill ins(%cst : f32) outs(%10 : tensor<8x256xf32>) -> tensor<8x256xf32>
    %12 = linalg.matmul ins(%collapsed_4, %transposed : tensor<8x384xf32>, tensor<384x256xf32>) outs(%11 : tensor<8x256xf32>) -> tensor<8x256xf32>
    %13 = tensor.empty() : tensor<8x256xbf16>
    %14 = linalg.generic {indexing_maps = [#map, #map], iterator_types = ["parallel", "parallel"]} ins(%12 : tensor<8x256xf32>) outs(%13 : tensor<8x256xbf16>) {
    ^bb0(%in: f32, %out: bf16):
      %15 = arith.truncf %in : f32 to bf16
      linalg.yield %15 : bf16
    } -> tensor<8x256xbf16>
    return %14 : tensor<8x256xbf16>
  }
}
