#map = affine_map<(d0, d1) -> (d0, d1)>
#map1 = affine_map<(d0, d1, d2, d3) -> (d0, d1, d2, d3)>
#map2 = affine_map<(d0, d1, d2, d3) -> (d0, 0, d2, 0)>
#map3 = affine_map<(d0, d1, d2) -> (d0, d1, d2)>
#map4 = affine_map<(d0, d1, d2) -> (d0, d1, 0)>
#map5 = affine_map<(d0, d1, d2) -> (d0, d1)>
module {
  func.func @quantised_mlp(%arg0: tensor<8x384xf8E4M3FN>, %arg1: tensor<8x3xf32>, %arg2: tensor<512x384xf8E4M3FN>, %arg3: tensor<4x3xf32>, %arg4: tensor<256x256xf8E4M3FN>, %arg5: tensor<2x2xf32>) -> tensor<8x256xbf16> {
    %c0_i64 = arith.constant 0 : i64
    %cst = arith.constant 0.000000e+00 : f32
    %cst_0 = arith.constant 1.000000e+00 : f32
    %cst_1 = arith.constant 0xFF800000 : f32
    %cst_2 = arith.constant 1.000000e-04 : f64
    %cst_3 = arith.constant 4.480000e+02 : f32
    %0 = tensor.empty() : tensor<512x384xf32>
    %1 = linalg.generic {indexing_maps = [#map, #map], iterator_types = ["parallel", "parallel"]} ins(%arg2 : tensor<512x384xf8E4M3FN>) outs(%0 : tensor<512x384xf32>) {
    ^bb0(%in: f8E4M3FN, %out: f32):
      %39 = arith.extf %in : f8E4M3FN to f32
      linalg.yield %39 : f32
    } -> tensor<512x384xf32>
    %expanded = tensor.expand_shape %1 [[0, 1], [2, 3]] output_shape [4, 128, 3, 128] : tensor<512x384xf32> into tensor<4x128x3x128xf32>
    %expanded_4 = tensor.expand_shape %arg3 [[0], [1, 2, 3]] output_shape [4, 1, 3, 1] : tensor<4x3xf32> into tensor<4x1x3x1xf32>
    %2 = tensor.empty() : tensor<4x128x3x128xf32>
    %3 = linalg.generic {indexing_maps = [#map1, #map2, #map1], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} ins(%expanded, %expanded_4 : tensor<4x128x3x128xf32>, tensor<4x1x3x1xf32>) outs(%2 : tensor<4x128x3x128xf32>) {
    ^bb0(%in: f32, %in_19: f32, %out: f32):
      %39 = arith.mulf %in, %in_19 : f32
      linalg.yield %39 : f32
    } -> tensor<4x128x3x128xf32>
    %collapsed = tensor.collapse_shape %3 [[0, 1], [2, 3]] : tensor<4x128x3x128xf32> into tensor<512x384xf32>
    %4 = tensor.empty() : tensor<8x384xf32>
    %5 = linalg.generic {indexing_maps = [#map, #map], iterator_types = ["parallel", "parallel"]} ins(%arg0 : tensor<8x384xf8E4M3FN>) outs(%4 : tensor<8x384xf32>) {
    ^bb0(%in: f8E4M3FN, %out: f32):
      %39 = arith.extf %in : f8E4M3FN to f32
      linalg.yield %39 : f32
    } -> tensor<8x384xf32>
    %expanded_5 = tensor.expand_shape %5 [[0], [1, 2]] output_shape [8, 3, 128] : tensor<8x384xf32> into tensor<8x3x128xf32>
    %expanded_6 = tensor.expand_shape %arg1 [[0], [1, 2]] output_shape [8, 3, 1] : tensor<8x3xf32> into tensor<8x3x1xf32>
    %6 = tensor.empty() : tensor<8x3x128xf32>
    %7 = linalg.generic {indexing_maps = [#map3, #map4, #map3], iterator_types = ["parallel", "parallel", "parallel"]} ins(%expanded_5, %expanded_6 : tensor<8x3x128xf32>, tensor<8x3x1xf32>) outs(%6 : tensor<8x3x128xf32>) {
    ^bb0(%in: f32, %in_19: f32, %out: f32):
      %39 = arith.mulf %in, %in_19 : f32
      linalg.yield %39 : f32
    } -> tensor<8x3x128xf32>
    %collapsed_7 = tensor.collapse_shape %7 [[0], [1, 2]] : tensor<8x3x128xf32> into tensor<8x384xf32>
    %8 = tensor.empty() : tensor<384x512xf32>
    %transposed = linalg.transpose ins(%collapsed : tensor<512x384xf32>) outs(%8 : tensor<384x512xf32>) permutation = [1, 0] 
    %9 = tensor.empty() : tensor<8x512xf32>
    %10 = linalg.fill ins(%cst : f32) outs(%9 : tensor<8x512xf32>) -> tensor<8x512xf32>
    %11 = linalg.matmul ins(%collapsed_7, %transposed : tensor<8x384xf32>, tensor<384x512xf32>) outs(%10 : tensor<8x512xf32>) -> tensor<8x512xf32>
    %extracted_slice = tensor.extract_slice %11[0, 0] [8, 256] [1, 1] : tensor<8x512xf32> to tensor<8x256xf32>
    %extracted_slice_8 = tensor.extract_slice %11[0, 256] [8, 256] [1, 1] : tensor<8x512xf32> to tensor<8x256xf32>
    %12 = tensor.empty() : tensor<8x256xf32>
    %13 = linalg.generic {indexing_maps = [#map, #map], iterator_types = ["parallel", "parallel"]} ins(%extracted_slice : tensor<8x256xf32>) outs(%12 : tensor<8x256xf32>) {
    ^bb0(%in: f32, %out: f32):
      %39 = arith.negf %in : f32
      %40 = math.exp %39 : f32
      %41 = arith.addf %40, %cst_0 : f32
      %42 = arith.divf %cst_0, %41 : f32
      linalg.yield %42 : f32
    } -> tensor<8x256xf32>
    %14 = linalg.generic {indexing_maps = [#map, #map, #map], iterator_types = ["parallel", "parallel"]} ins(%extracted_slice, %13 : tensor<8x256xf32>, tensor<8x256xf32>) outs(%12 : tensor<8x256xf32>) {
    ^bb0(%in: f32, %in_19: f32, %out: f32):
      %39 = arith.mulf %in, %in_19 : f32
      linalg.yield %39 : f32
    } -> tensor<8x256xf32>
    %15 = linalg.generic {indexing_maps = [#map, #map, #map], iterator_types = ["parallel", "parallel"]} ins(%14, %extracted_slice_8 : tensor<8x256xf32>, tensor<8x256xf32>) outs(%12 : tensor<8x256xf32>) {
    ^bb0(%in: f32, %in_19: f32, %out: f32):
      %39 = arith.mulf %in, %in_19 : f32
      linalg.yield %39 : f32
    } -> tensor<8x256xf32>
    %expanded_9 = tensor.expand_shape %15 [[0], [1, 2]] output_shape [8, 2, 128] : tensor<8x256xf32> into tensor<8x2x128xf32>
    %16 = tensor.empty() : tensor<8x2x128xf32>
    %17 = linalg.generic {indexing_maps = [#map3, #map3], iterator_types = ["parallel", "parallel", "parallel"]} ins(%expanded_9 : tensor<8x2x128xf32>) outs(%16 : tensor<8x2x128xf32>) {
    ^bb0(%in: f32, %out: f32):
      %39 = math.absf %in : f32
      linalg.yield %39 : f32
    } -> tensor<8x2x128xf32>
    %18 = tensor.empty() : tensor<8x2xi64>
    %19 = linalg.fill ins(%c0_i64 : i64) outs(%18 : tensor<8x2xi64>) -> tensor<8x2xi64>
    %20 = tensor.empty() : tensor<8x2xf32>
    %21 = linalg.fill ins(%cst_1 : f32) outs(%20 : tensor<8x2xf32>) -> tensor<8x2xf32>
    %22:2 = linalg.generic {indexing_maps = [#map3, #map5, #map5], iterator_types = ["parallel", "parallel", "reduction"]} ins(%17 : tensor<8x2x128xf32>) outs(%21, %19 : tensor<8x2xf32>, tensor<8x2xi64>) {
    ^bb0(%in: f32, %out: f32, %out_19: i64):
      %39 = linalg.index 2 : index
      %40 = arith.index_cast %39 : index to i64
      %41 = arith.maximumf %in, %out : f32
      %42 = arith.cmpf ogt, %in, %out : f32
      %43 = arith.select %42, %40, %out_19 : i64
      linalg.yield %41, %43 : f32, i64
    } -> (tensor<8x2xf32>, tensor<8x2xi64>)
    %23 = linalg.generic {indexing_maps = [#map, #map], iterator_types = ["parallel", "parallel"]} ins(%22#0 : tensor<8x2xf32>) outs(%20 : tensor<8x2xf32>) {
    ^bb0(%in: f32, %out: f32):
      %39 = arith.truncf %cst_2 : f64 to f32
      %40 = arith.cmpf ult, %in, %39 : f32
      %41 = arith.select %40, %39, %in : f32
      linalg.yield %41 : f32
    } -> tensor<8x2xf32>
    %24 = linalg.generic {indexing_maps = [#map, #map], iterator_types = ["parallel", "parallel"]} ins(%23 : tensor<8x2xf32>) outs(%20 : tensor<8x2xf32>) {
    ^bb0(%in: f32, %out: f32):
      %39 = arith.divf %in, %cst_3 : f32
      linalg.yield %39 : f32
    } -> tensor<8x2xf32>
    %25 = linalg.generic {indexing_maps = [#map, #map], iterator_types = ["parallel", "parallel"]} ins(%24 : tensor<8x2xf32>) outs(%20 : tensor<8x2xf32>) {
    ^bb0(%in: f32, %out: f32):
      %39 = arith.cmpf one, %in, %cst : f32
      cf.assert %39, "unimplemented: tensor with zero element"
      %40 = arith.divf %cst_0, %in : f32
      linalg.yield %40 : f32
    } -> tensor<8x2xf32>
    %expanded_10 = tensor.expand_shape %25 [[0], [1, 2]] output_shape [8, 2, 1] : tensor<8x2xf32> into tensor<8x2x1xf32>
    %26 = linalg.generic {indexing_maps = [#map3, #map4, #map3], iterator_types = ["parallel", "parallel", "parallel"]} ins(%expanded_9, %expanded_10 : tensor<8x2x128xf32>, tensor<8x2x1xf32>) outs(%16 : tensor<8x2x128xf32>) {
    ^bb0(%in: f32, %in_19: f32, %out: f32):
      %39 = arith.mulf %in, %in_19 : f32
      linalg.yield %39 : f32
    } -> tensor<8x2x128xf32>
    %27 = tensor.empty() : tensor<8x2x128xf8E4M3FN>
    %28 = linalg.generic {indexing_maps = [#map3, #map3], iterator_types = ["parallel", "parallel", "parallel"]} ins(%26 : tensor<8x2x128xf32>) outs(%27 : tensor<8x2x128xf8E4M3FN>) {
    ^bb0(%in: f32, %out: f8E4M3FN):
      %39 = arith.truncf %in : f32 to f8E4M3FN
      linalg.yield %39 : f8E4M3FN
    } -> tensor<8x2x128xf8E4M3FN>
    %collapsed_11 = tensor.collapse_shape %28 [[0], [1, 2]] : tensor<8x2x128xf8E4M3FN> into tensor<8x256xf8E4M3FN>
    %29 = tensor.empty() : tensor<256x256xf32>
    %30 = linalg.generic {indexing_maps = [#map, #map], iterator_types = ["parallel", "parallel"]} ins(%arg4 : tensor<256x256xf8E4M3FN>) outs(%29 : tensor<256x256xf32>) {
    ^bb0(%in: f8E4M3FN, %out: f32):
      %39 = arith.extf %in : f8E4M3FN to f32
      linalg.yield %39 : f32
    } -> tensor<256x256xf32>
    %expanded_12 = tensor.expand_shape %30 [[0, 1], [2, 3]] output_shape [2, 128, 2, 128] : tensor<256x256xf32> into tensor<2x128x2x128xf32>
    %expanded_13 = tensor.expand_shape %arg5 [[0], [1, 2, 3]] output_shape [2, 1, 2, 1] : tensor<2x2xf32> into tensor<2x1x2x1xf32>
    %31 = tensor.empty() : tensor<2x128x2x128xf32>
    %32 = linalg.generic {indexing_maps = [#map1, #map2, #map1], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} ins(%expanded_12, %expanded_13 : tensor<2x128x2x128xf32>, tensor<2x1x2x1xf32>) outs(%31 : tensor<2x128x2x128xf32>) {
    ^bb0(%in: f32, %in_19: f32, %out: f32):
      %39 = arith.mulf %in, %in_19 : f32
      linalg.yield %39 : f32
    } -> tensor<2x128x2x128xf32>
    %collapsed_14 = tensor.collapse_shape %32 [[0, 1], [2, 3]] : tensor<2x128x2x128xf32> into tensor<256x256xf32>
    %33 = linalg.generic {indexing_maps = [#map, #map], iterator_types = ["parallel", "parallel"]} ins(%collapsed_11 : tensor<8x256xf8E4M3FN>) outs(%12 : tensor<8x256xf32>) {
    ^bb0(%in: f8E4M3FN, %out: f32):
      %39 = arith.extf %in : f8E4M3FN to f32
      linalg.yield %39 : f32
    } -> tensor<8x256xf32>
    %expanded_15 = tensor.expand_shape %33 [[0], [1, 2]] output_shape [8, 2, 128] : tensor<8x256xf32> into tensor<8x2x128xf32>
    %expanded_16 = tensor.expand_shape %24 [[0], [1, 2]] output_shape [8, 2, 1] : tensor<8x2xf32> into tensor<8x2x1xf32>
    %34 = linalg.generic {indexing_maps = [#map3, #map4, #map3], iterator_types = ["parallel", "parallel", "parallel"]} ins(%expanded_15, %expanded_16 : tensor<8x2x128xf32>, tensor<8x2x1xf32>) outs(%16 : tensor<8x2x128xf32>) {
    ^bb0(%in: f32, %in_19: f32, %out: f32):
      %39 = arith.mulf %in, %in_19 : f32
      linalg.yield %39 : f32
    } -> tensor<8x2x128xf32>
    %collapsed_17 = tensor.collapse_shape %34 [[0], [1, 2]] : tensor<8x2x128xf32> into tensor<8x256xf32>
    %transposed_18 = linalg.transpose ins(%collapsed_14 : tensor<256x256xf32>) outs(%29 : tensor<256x256xf32>) permutation = [1, 0] 
    %35 = linalg.fill ins(%cst : f32) outs(%12 : tensor<8x256xf32>) -> tensor<8x256xf32>
    %36 = linalg.matmul ins(%collapsed_17, %transposed_18 : tensor<8x256xf32>, tensor<256x256xf32>) outs(%35 : tensor<8x256xf32>) -> tensor<8x256xf32>
    %37 = tensor.empty() : tensor<8x256xbf16>
    %38 = linalg.generic {indexing_maps = [#map, #map], iterator_types = ["parallel", "parallel"]} ins(%36 : tensor<8x256xf32>) outs(%37 : tensor<8x256xbf16>) {
    ^bb0(%in: f32, %out: bf16):
      %39 = arith.truncf %in : f32 to bf16
      linalg.yield %39 : bf16
    } -> tensor<8x256xbf16>
    return %38 : tensor<8x256xbf16>
  }
}
