// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: fp8gemm-opt %s --raise-linalg-to-fp8gemm -canonicalize -split-input-file -verify-diagnostics | FileCheck %s

// Blocks of 128 elements of a row, divided by their scales and rounded to FP8, are fp8gemm.quantize. What has other bits is not.

#id = affine_map<(m, kb, k) -> (m, kb, k)>
#block = affine_map<(m, kb, k) -> (m, kb)>
#ofblocks = affine_map<(m, kb) -> (m, kb)>
#all = ["parallel", "parallel", "parallel"]

// CHECK-LABEL: func @of_bf16
//  CHECK-SAME:   %[[X:[^:]+]]: tensor<?x512xbf16>
//       CHECK:   %[[R:.+]]:2 = fp8gemm.quantize %[[X]] into %{{.+}} scaled_by %{{.+}} <1x128, k_major> : tensor<?x512xbf16>, tensor<?x512xf8E4M3FN>, tensor<?x4xf32>
//   CHECK-NOT:   linalg
//       CHECK:   return %[[R]]#0, %[[R]]#1
func.func @of_bf16(%x: tensor<?x512xbf16>, %blocks: tensor<?x4x128xf32>, %largest: tensor<?x4xf32>, %e: tensor<?x4x128xf8E4M3FN>, %m: index)
    -> (tensor<?x512xf8E4M3FN>, tensor<?x4xf32>) {
  %zero = arith.constant 0.0 : f32
  %one = arith.constant 1.0 : f32
  %least = arith.constant 1.0e-4 : f32
  %most = arith.constant 448.0 : f32
  %split = tensor.expand_shape %x [[0], [1, 2]] output_shape [%m, 4, 128] : tensor<?x512xbf16> into tensor<?x4x128xbf16>
  %wide = linalg.generic {indexing_maps = [#id, #id], iterator_types = #all} ins(%split : tensor<?x4x128xbf16>) outs(%blocks : tensor<?x4x128xf32>) {
    ^bb0(%in: bf16, %out: f32):
      %w = arith.extf %in : bf16 to f32
      linalg.yield %w : f32
  } -> tensor<?x4x128xf32>
  %start = linalg.fill ins(%zero : f32) outs(%largest : tensor<?x4xf32>) -> tensor<?x4xf32>
  %amax = linalg.generic {indexing_maps = [#id, #block], iterator_types = ["parallel", "parallel", "reduction"]}
      ins(%wide : tensor<?x4x128xf32>) outs(%start : tensor<?x4xf32>) {
    ^bb0(%in: f32, %out: f32):
      %a = math.absf %in : f32
      %m1 = arith.maximumf %a, %out : f32
      linalg.yield %m1 : f32
  } -> tensor<?x4xf32>
  %scales = linalg.generic {indexing_maps = [#ofblocks, #ofblocks], iterator_types = ["parallel", "parallel"]}
      ins(%amax : tensor<?x4xf32>) outs(%largest : tensor<?x4xf32>) {
    ^bb0(%in: f32, %out: f32):
      %c = arith.maximumf %in, %least : f32
      %s = arith.divf %c, %most : f32
      linalg.yield %s : f32
  } -> tensor<?x4xf32>
  // expected-remark @below {{raised to fp8gemm.quantize}}
  %q = linalg.generic {indexing_maps = [#id, #block, #id], iterator_types = #all}
      ins(%wide, %scales : tensor<?x4x128xf32>, tensor<?x4xf32>) outs(%e : tensor<?x4x128xf8E4M3FN>) {
    ^bb0(%in: f32, %s: f32, %out: f8E4M3FN):
      %r = arith.divf %one, %s : f32
      %d = arith.mulf %in, %r : f32
      %f = arith.truncf %d : f32 to f8E4M3FN
      linalg.yield %f : f8E4M3FN
  } -> tensor<?x4x128xf8E4M3FN>
  %elements = tensor.collapse_shape %q [[0], [1, 2]] : tensor<?x4x128xf8E4M3FN> into tensor<?x512xf8E4M3FN>
  return %elements, %scales : tensor<?x512xf8E4M3FN>, tensor<?x4xf32>
}

// -----

#id = affine_map<(m, kb, k) -> (m, kb, k)>
#block = affine_map<(m, kb, k) -> (m, kb)>
#ofblocks = affine_map<(m, kb) -> (m, kb)>
#all = ["parallel", "parallel", "parallel"]

// CHECK-LABEL: func @to_e5m2
//  CHECK-SAME:   %[[X:[^:]+]]: tensor<?x512xf16>
//       CHECK:   %[[R:.+]]:2 = fp8gemm.quantize %[[X]] into %{{.+}} scaled_by %{{.+}} <1x128, k_major> : tensor<?x512xf16>, tensor<?x512xf8E5M2>, tensor<?x4xf32>
//   CHECK-NOT:   linalg
//       CHECK:   return %[[R]]#0, %[[R]]#1
func.func @to_e5m2(%x: tensor<?x512xf16>, %blocks: tensor<?x4x128xf32>, %largest: tensor<?x4xf32>, %e: tensor<?x4x128xf8E5M2>, %m: index)
    -> (tensor<?x512xf8E5M2>, tensor<?x4xf32>) {
  %zero = arith.constant 0.0 : f32
  %one = arith.constant 1.0 : f32
  %least = arith.constant 1.0e-4 : f32
  %most = arith.constant 57344.0 : f32
  %split = tensor.expand_shape %x [[0], [1, 2]] output_shape [%m, 4, 128] : tensor<?x512xf16> into tensor<?x4x128xf16>
  %wide = linalg.generic {indexing_maps = [#id, #id], iterator_types = #all} ins(%split : tensor<?x4x128xf16>) outs(%blocks : tensor<?x4x128xf32>) {
    ^bb0(%in: f16, %out: f32):
      %w = arith.extf %in : f16 to f32
      linalg.yield %w : f32
  } -> tensor<?x4x128xf32>
  %start = linalg.fill ins(%zero : f32) outs(%largest : tensor<?x4xf32>) -> tensor<?x4xf32>
  %amax = linalg.generic {indexing_maps = [#id, #block], iterator_types = ["parallel", "parallel", "reduction"]}
      ins(%wide : tensor<?x4x128xf32>) outs(%start : tensor<?x4xf32>) {
    ^bb0(%in: f32, %out: f32):
      %a = math.absf %in : f32
      %m1 = arith.maximumf %a, %out : f32
      linalg.yield %m1 : f32
  } -> tensor<?x4xf32>
  %scales = linalg.generic {indexing_maps = [#ofblocks, #ofblocks], iterator_types = ["parallel", "parallel"]}
      ins(%amax : tensor<?x4xf32>) outs(%largest : tensor<?x4xf32>) {
    ^bb0(%in: f32, %out: f32):
      %c = arith.maximumf %in, %least : f32
      %s = arith.divf %c, %most : f32
      linalg.yield %s : f32
  } -> tensor<?x4xf32>
  // expected-remark @below {{raised to fp8gemm.quantize}}
  %q = linalg.generic {indexing_maps = [#id, #block, #id], iterator_types = #all}
      ins(%wide, %scales : tensor<?x4x128xf32>, tensor<?x4xf32>) outs(%e : tensor<?x4x128xf8E5M2>) {
    ^bb0(%in: f32, %s: f32, %out: f8E5M2):
      %r = arith.divf %one, %s : f32
      %d = arith.mulf %in, %r : f32
      %f = arith.truncf %d : f32 to f8E5M2
      linalg.yield %f : f8E5M2
  } -> tensor<?x4x128xf8E5M2>
  %elements = tensor.collapse_shape %q [[0], [1, 2]] : tensor<?x4x128xf8E5M2> into tensor<?x512xf8E5M2>
  return %elements, %scales : tensor<?x512xf8E5M2>, tensor<?x4xf32>
}

// -----

#id = affine_map<(m, kb, k) -> (m, kb, k)>
#block = affine_map<(m, kb, k) -> (m, kb)>
#ofblocks = affine_map<(m, kb) -> (m, kb)>
#all = ["parallel", "parallel", "parallel"]

// x / scale instead of x * (1 / scale): within half of a unit of e4m3, but not to the bit (docs/Numerics.md).
// CHECK-LABEL: func @divided
//  CHECK-SAME:   %[[X:[^:]+]]: tensor<?x512xbf16>
//       CHECK:   %[[R:.+]]:2 = fp8gemm.quantize %[[X]] into %{{.+}} scaled_by %{{.+}} <1x128, k_major> : tensor<?x512xbf16>, tensor<?x512xf8E4M3FN>, tensor<?x4xf32>
//   CHECK-NOT:   linalg
//       CHECK:   return %[[R]]#0, %[[R]]#1
func.func @divided(%x: tensor<?x512xbf16>, %blocks: tensor<?x4x128xf32>, %largest: tensor<?x4xf32>, %e: tensor<?x4x128xf8E4M3FN>, %m: index)
    -> (tensor<?x512xf8E4M3FN>, tensor<?x4xf32>) {
  %zero = arith.constant 0.0 : f32
  %one = arith.constant 1.0 : f32
  %least = arith.constant 1.0e-4 : f32
  %most = arith.constant 448.0 : f32
  %split = tensor.expand_shape %x [[0], [1, 2]] output_shape [%m, 4, 128] : tensor<?x512xbf16> into tensor<?x4x128xbf16>
  %wide = linalg.generic {indexing_maps = [#id, #id], iterator_types = #all} ins(%split : tensor<?x4x128xbf16>) outs(%blocks : tensor<?x4x128xf32>) {
    ^bb0(%in: bf16, %out: f32):
      %w = arith.extf %in : bf16 to f32
      linalg.yield %w : f32
  } -> tensor<?x4x128xf32>
  %start = linalg.fill ins(%zero : f32) outs(%largest : tensor<?x4xf32>) -> tensor<?x4xf32>
  %amax = linalg.generic {indexing_maps = [#id, #block], iterator_types = ["parallel", "parallel", "reduction"]}
      ins(%wide : tensor<?x4x128xf32>) outs(%start : tensor<?x4xf32>) {
    ^bb0(%in: f32, %out: f32):
      %a = math.absf %in : f32
      %m1 = arith.maximumf %a, %out : f32
      linalg.yield %m1 : f32
  } -> tensor<?x4xf32>
  %scales = linalg.generic {indexing_maps = [#ofblocks, #ofblocks], iterator_types = ["parallel", "parallel"]}
      ins(%amax : tensor<?x4xf32>) outs(%largest : tensor<?x4xf32>) {
    ^bb0(%in: f32, %out: f32):
      %c = arith.maximumf %in, %least : f32
      %s = arith.divf %c, %most : f32
      linalg.yield %s : f32
  } -> tensor<?x4xf32>
  // expected-remark @below {{raised to fp8gemm.quantize}}
  %q = linalg.generic {indexing_maps = [#id, #block, #id], iterator_types = #all}
      ins(%wide, %scales : tensor<?x4x128xf32>, tensor<?x4xf32>) outs(%e : tensor<?x4x128xf8E4M3FN>) {
    ^bb0(%in: f32, %s: f32, %out: f8E4M3FN):
      %d = arith.divf %in, %s : f32
      %f = arith.truncf %d : f32 to f8E4M3FN
      linalg.yield %f : f8E4M3FN
  } -> tensor<?x4x128xf8E4M3FN>
  %elements = tensor.collapse_shape %q [[0], [1, 2]] : tensor<?x4x128xf8E4M3FN> into tensor<?x512xf8E4M3FN>
  return %elements, %scales : tensor<?x512xf8E4M3FN>, tensor<?x4xf32>
}

// -----

#id = affine_map<(m, kb, k) -> (m, kb, k)>
#block = affine_map<(m, kb, k) -> (m, kb)>
#ofblocks = affine_map<(m, kb) -> (m, kb)>
#all = ["parallel", "parallel", "parallel"]

// CHECK-LABEL: func @blocks_of_64
//   CHECK-NOT:   fp8gemm.quantize
func.func @blocks_of_64(%x: tensor<?x512xbf16>, %blocks: tensor<?x8x64xf32>, %largest: tensor<?x8xf32>, %e: tensor<?x8x64xf8E4M3FN>, %m: index)
    -> (tensor<?x512xf8E4M3FN>, tensor<?x8xf32>) {
  %zero = arith.constant 0.0 : f32
  %one = arith.constant 1.0 : f32
  %least = arith.constant 1.0e-4 : f32
  %most = arith.constant 448.0 : f32
  %split = tensor.expand_shape %x [[0], [1, 2]] output_shape [%m, 8, 64] : tensor<?x512xbf16> into tensor<?x8x64xbf16>
  %wide = linalg.generic {indexing_maps = [#id, #id], iterator_types = #all} ins(%split : tensor<?x8x64xbf16>) outs(%blocks : tensor<?x8x64xf32>) {
    ^bb0(%in: bf16, %out: f32):
      %w = arith.extf %in : bf16 to f32
      linalg.yield %w : f32
  } -> tensor<?x8x64xf32>
  %start = linalg.fill ins(%zero : f32) outs(%largest : tensor<?x8xf32>) -> tensor<?x8xf32>
  %amax = linalg.generic {indexing_maps = [#id, #block], iterator_types = ["parallel", "parallel", "reduction"]}
      ins(%wide : tensor<?x8x64xf32>) outs(%start : tensor<?x8xf32>) {
    ^bb0(%in: f32, %out: f32):
      %a = math.absf %in : f32
      %m1 = arith.maximumf %a, %out : f32
      linalg.yield %m1 : f32
  } -> tensor<?x8xf32>
  %scales = linalg.generic {indexing_maps = [#ofblocks, #ofblocks], iterator_types = ["parallel", "parallel"]}
      ins(%amax : tensor<?x8xf32>) outs(%largest : tensor<?x8xf32>) {
    ^bb0(%in: f32, %out: f32):
      %c = arith.maximumf %in, %least : f32
      %s = arith.divf %c, %most : f32
      linalg.yield %s : f32
  } -> tensor<?x8xf32>
  // expected-remark @below {{not raised to fp8gemm.quantize: expected blocks of 128 elements of a row, got 64}}
  %q = linalg.generic {indexing_maps = [#id, #block, #id], iterator_types = #all}
      ins(%wide, %scales : tensor<?x8x64xf32>, tensor<?x8xf32>) outs(%e : tensor<?x8x64xf8E4M3FN>) {
    ^bb0(%in: f32, %s: f32, %out: f8E4M3FN):
      %r = arith.divf %one, %s : f32
      %d = arith.mulf %in, %r : f32
      %f = arith.truncf %d : f32 to f8E4M3FN
      linalg.yield %f : f8E4M3FN
  } -> tensor<?x8x64xf8E4M3FN>
  %elements = tensor.collapse_shape %q [[0], [1, 2]] : tensor<?x8x64xf8E4M3FN> into tensor<?x512xf8E4M3FN>
  return %elements, %scales : tensor<?x512xf8E4M3FN>, tensor<?x8xf32>
}

// -----

#id = affine_map<(m, kb, k) -> (m, kb, k)>
#block = affine_map<(m, kb, k) -> (m, kb)>
#ofblocks = affine_map<(m, kb) -> (m, kb)>
#all = ["parallel", "parallel", "parallel"]

// CHECK-LABEL: func @times_the_reciprocal_of_448
//   CHECK-NOT:   fp8gemm.quantize
func.func @times_the_reciprocal_of_448(%x: tensor<?x512xbf16>, %blocks: tensor<?x4x128xf32>, %largest: tensor<?x4xf32>, %e: tensor<?x4x128xf8E4M3FN>, %m: index)
    -> (tensor<?x512xf8E4M3FN>, tensor<?x4xf32>) {
  %zero = arith.constant 0.0 : f32
  %one = arith.constant 1.0 : f32
  %least = arith.constant 1.0e-4 : f32
  %most = arith.constant 0.00223214296 : f32
  %split = tensor.expand_shape %x [[0], [1, 2]] output_shape [%m, 4, 128] : tensor<?x512xbf16> into tensor<?x4x128xbf16>
  %wide = linalg.generic {indexing_maps = [#id, #id], iterator_types = #all} ins(%split : tensor<?x4x128xbf16>) outs(%blocks : tensor<?x4x128xf32>) {
    ^bb0(%in: bf16, %out: f32):
      %w = arith.extf %in : bf16 to f32
      linalg.yield %w : f32
  } -> tensor<?x4x128xf32>
  %start = linalg.fill ins(%zero : f32) outs(%largest : tensor<?x4xf32>) -> tensor<?x4xf32>
  %amax = linalg.generic {indexing_maps = [#id, #block], iterator_types = ["parallel", "parallel", "reduction"]}
      ins(%wide : tensor<?x4x128xf32>) outs(%start : tensor<?x4xf32>) {
    ^bb0(%in: f32, %out: f32):
      %a = math.absf %in : f32
      %m1 = arith.maximumf %a, %out : f32
      linalg.yield %m1 : f32
  } -> tensor<?x4xf32>
  %scales = linalg.generic {indexing_maps = [#ofblocks, #ofblocks], iterator_types = ["parallel", "parallel"]}
      ins(%amax : tensor<?x4xf32>) outs(%largest : tensor<?x4xf32>) {
    ^bb0(%in: f32, %out: f32):
      %c = arith.maximumf %in, %least : f32
      %s = arith.mulf %c, %most : f32
      linalg.yield %s : f32
  } -> tensor<?x4xf32>
  // expected-remark @below {{not raised to fp8gemm.quantize: expected scales max(amax, 1e-4) / 448 by these operations, since others have other bits, got 'arith.mulf'}}
  %q = linalg.generic {indexing_maps = [#id, #block, #id], iterator_types = #all}
      ins(%wide, %scales : tensor<?x4x128xf32>, tensor<?x4xf32>) outs(%e : tensor<?x4x128xf8E4M3FN>) {
    ^bb0(%in: f32, %s: f32, %out: f8E4M3FN):
      %r = arith.divf %one, %s : f32
      %d = arith.mulf %in, %r : f32
      %f = arith.truncf %d : f32 to f8E4M3FN
      linalg.yield %f : f8E4M3FN
  } -> tensor<?x4x128xf8E4M3FN>
  %elements = tensor.collapse_shape %q [[0], [1, 2]] : tensor<?x4x128xf8E4M3FN> into tensor<?x512xf8E4M3FN>
  return %elements, %scales : tensor<?x512xf8E4M3FN>, tensor<?x4xf32>
}

// -----

#id = affine_map<(m, kb, k) -> (m, kb, k)>
#block = affine_map<(m, kb, k) -> (m, kb)>
#ofblocks = affine_map<(m, kb) -> (m, kb)>
#all = ["parallel", "parallel", "parallel"]

// CHECK-LABEL: func @another_floor
//   CHECK-NOT:   fp8gemm.quantize
func.func @another_floor(%x: tensor<?x512xbf16>, %blocks: tensor<?x4x128xf32>, %largest: tensor<?x4xf32>, %e: tensor<?x4x128xf8E4M3FN>, %m: index)
    -> (tensor<?x512xf8E4M3FN>, tensor<?x4xf32>) {
  %zero = arith.constant 0.0 : f32
  %one = arith.constant 1.0 : f32
  %least = arith.constant 1.0e-12 : f32
  %most = arith.constant 448.0 : f32
  %split = tensor.expand_shape %x [[0], [1, 2]] output_shape [%m, 4, 128] : tensor<?x512xbf16> into tensor<?x4x128xbf16>
  %wide = linalg.generic {indexing_maps = [#id, #id], iterator_types = #all} ins(%split : tensor<?x4x128xbf16>) outs(%blocks : tensor<?x4x128xf32>) {
    ^bb0(%in: bf16, %out: f32):
      %w = arith.extf %in : bf16 to f32
      linalg.yield %w : f32
  } -> tensor<?x4x128xf32>
  %start = linalg.fill ins(%zero : f32) outs(%largest : tensor<?x4xf32>) -> tensor<?x4xf32>
  %amax = linalg.generic {indexing_maps = [#id, #block], iterator_types = ["parallel", "parallel", "reduction"]}
      ins(%wide : tensor<?x4x128xf32>) outs(%start : tensor<?x4xf32>) {
    ^bb0(%in: f32, %out: f32):
      %a = math.absf %in : f32
      %m1 = arith.maximumf %a, %out : f32
      linalg.yield %m1 : f32
  } -> tensor<?x4xf32>
  %scales = linalg.generic {indexing_maps = [#ofblocks, #ofblocks], iterator_types = ["parallel", "parallel"]}
      ins(%amax : tensor<?x4xf32>) outs(%largest : tensor<?x4xf32>) {
    ^bb0(%in: f32, %out: f32):
      %c = arith.maximumf %in, %least : f32
      %s = arith.divf %c, %most : f32
      linalg.yield %s : f32
  } -> tensor<?x4xf32>
  // expected-remark @below {{not raised to fp8gemm.quantize: expected scales max(amax, 1e-4) / 448 by these operations, since others have other bits, got 'arith.maximumf'}}
  %q = linalg.generic {indexing_maps = [#id, #block, #id], iterator_types = #all}
      ins(%wide, %scales : tensor<?x4x128xf32>, tensor<?x4xf32>) outs(%e : tensor<?x4x128xf8E4M3FN>) {
    ^bb0(%in: f32, %s: f32, %out: f8E4M3FN):
      %r = arith.divf %one, %s : f32
      %d = arith.mulf %in, %r : f32
      %f = arith.truncf %d : f32 to f8E4M3FN
      linalg.yield %f : f8E4M3FN
  } -> tensor<?x4x128xf8E4M3FN>
  %elements = tensor.collapse_shape %q [[0], [1, 2]] : tensor<?x4x128xf8E4M3FN> into tensor<?x512xf8E4M3FN>
  return %elements, %scales : tensor<?x512xf8E4M3FN>, tensor<?x4xf32>
}

// -----

#id = affine_map<(m, kb, k) -> (m, kb, k)>
#block = affine_map<(m, kb, k) -> (m, kb)>
#ofblocks = affine_map<(m, kb) -> (m, kb)>
#all = ["parallel", "parallel", "parallel"]

// CHECK-LABEL: func @without_a_floor
//   CHECK-NOT:   fp8gemm.quantize
func.func @without_a_floor(%x: tensor<?x512xbf16>, %blocks: tensor<?x4x128xf32>, %largest: tensor<?x4xf32>, %e: tensor<?x4x128xf8E4M3FN>, %m: index)
    -> (tensor<?x512xf8E4M3FN>, tensor<?x4xf32>) {
  %zero = arith.constant 0.0 : f32
  %one = arith.constant 1.0 : f32
  %least = arith.constant 1.0e-4 : f32
  %most = arith.constant 448.0 : f32
  %split = tensor.expand_shape %x [[0], [1, 2]] output_shape [%m, 4, 128] : tensor<?x512xbf16> into tensor<?x4x128xbf16>
  %wide = linalg.generic {indexing_maps = [#id, #id], iterator_types = #all} ins(%split : tensor<?x4x128xbf16>) outs(%blocks : tensor<?x4x128xf32>) {
    ^bb0(%in: bf16, %out: f32):
      %w = arith.extf %in : bf16 to f32
      linalg.yield %w : f32
  } -> tensor<?x4x128xf32>
  %start = linalg.fill ins(%zero : f32) outs(%largest : tensor<?x4xf32>) -> tensor<?x4xf32>
  %amax = linalg.generic {indexing_maps = [#id, #block], iterator_types = ["parallel", "parallel", "reduction"]}
      ins(%wide : tensor<?x4x128xf32>) outs(%start : tensor<?x4xf32>) {
    ^bb0(%in: f32, %out: f32):
      %a = math.absf %in : f32
      %m1 = arith.maximumf %a, %out : f32
      linalg.yield %m1 : f32
  } -> tensor<?x4xf32>
  %scales = linalg.generic {indexing_maps = [#ofblocks, #ofblocks], iterator_types = ["parallel", "parallel"]}
      ins(%amax : tensor<?x4xf32>) outs(%largest : tensor<?x4xf32>) {
    ^bb0(%in: f32, %out: f32):
      %s = arith.divf %in, %most : f32
      linalg.yield %s : f32
  } -> tensor<?x4xf32>
  // expected-remark @below {{not raised to fp8gemm.quantize: expected scales max(amax, 1e-4) / 448 by these operations, since others have other bits, got none}}
  %q = linalg.generic {indexing_maps = [#id, #block, #id], iterator_types = #all}
      ins(%wide, %scales : tensor<?x4x128xf32>, tensor<?x4xf32>) outs(%e : tensor<?x4x128xf8E4M3FN>) {
    ^bb0(%in: f32, %s: f32, %out: f8E4M3FN):
      %r = arith.divf %one, %s : f32
      %d = arith.mulf %in, %r : f32
      %f = arith.truncf %d : f32 to f8E4M3FN
      linalg.yield %f : f8E4M3FN
  } -> tensor<?x4x128xf8E4M3FN>
  %elements = tensor.collapse_shape %q [[0], [1, 2]] : tensor<?x4x128xf8E4M3FN> into tensor<?x512xf8E4M3FN>
  return %elements, %scales : tensor<?x512xf8E4M3FN>, tensor<?x4xf32>
}

// -----

#id = affine_map<(m, kb, k) -> (m, kb, k)>
#block = affine_map<(m, kb, k) -> (m, kb)>
#ofblocks = affine_map<(m, kb) -> (m, kb)>
#all = ["parallel", "parallel", "parallel"]

// CHECK-LABEL: func @another_largest
//   CHECK-NOT:   fp8gemm.quantize
func.func @another_largest(%x: tensor<?x512xbf16>, %blocks: tensor<?x4x128xf32>, %largest: tensor<?x4xf32>, %e: tensor<?x4x128xf8E4M3FN>, %m: index)
    -> (tensor<?x512xf8E4M3FN>, tensor<?x4xf32>) {
  %zero = arith.constant 0.0 : f32
  %one = arith.constant 1.0 : f32
  %least = arith.constant 1.0e-4 : f32
  %most = arith.constant 240.0 : f32
  %split = tensor.expand_shape %x [[0], [1, 2]] output_shape [%m, 4, 128] : tensor<?x512xbf16> into tensor<?x4x128xbf16>
  %wide = linalg.generic {indexing_maps = [#id, #id], iterator_types = #all} ins(%split : tensor<?x4x128xbf16>) outs(%blocks : tensor<?x4x128xf32>) {
    ^bb0(%in: bf16, %out: f32):
      %w = arith.extf %in : bf16 to f32
      linalg.yield %w : f32
  } -> tensor<?x4x128xf32>
  %start = linalg.fill ins(%zero : f32) outs(%largest : tensor<?x4xf32>) -> tensor<?x4xf32>
  %amax = linalg.generic {indexing_maps = [#id, #block], iterator_types = ["parallel", "parallel", "reduction"]}
      ins(%wide : tensor<?x4x128xf32>) outs(%start : tensor<?x4xf32>) {
    ^bb0(%in: f32, %out: f32):
      %a = math.absf %in : f32
      %m1 = arith.maximumf %a, %out : f32
      linalg.yield %m1 : f32
  } -> tensor<?x4xf32>
  %scales = linalg.generic {indexing_maps = [#ofblocks, #ofblocks], iterator_types = ["parallel", "parallel"]}
      ins(%amax : tensor<?x4xf32>) outs(%largest : tensor<?x4xf32>) {
    ^bb0(%in: f32, %out: f32):
      %c = arith.maximumf %in, %least : f32
      %s = arith.divf %c, %most : f32
      linalg.yield %s : f32
  } -> tensor<?x4xf32>
  // expected-remark @below {{not raised to fp8gemm.quantize: expected scales max(amax, 1e-4) / 448 by these operations, since others have other bits, got 'arith.divf'}}
  %q = linalg.generic {indexing_maps = [#id, #block, #id], iterator_types = #all}
      ins(%wide, %scales : tensor<?x4x128xf32>, tensor<?x4xf32>) outs(%e : tensor<?x4x128xf8E4M3FN>) {
    ^bb0(%in: f32, %s: f32, %out: f8E4M3FN):
      %r = arith.divf %one, %s : f32
      %d = arith.mulf %in, %r : f32
      %f = arith.truncf %d : f32 to f8E4M3FN
      linalg.yield %f : f8E4M3FN
  } -> tensor<?x4x128xf8E4M3FN>
  %elements = tensor.collapse_shape %q [[0], [1, 2]] : tensor<?x4x128xf8E4M3FN> into tensor<?x512xf8E4M3FN>
  return %elements, %scales : tensor<?x512xf8E4M3FN>, tensor<?x4xf32>
}

// -----

#id = affine_map<(m, kb, k) -> (m, kb, k)>
#block = affine_map<(m, kb, k) -> (m, kb)>
#ofblocks = affine_map<(m, kb) -> (m, kb)>
#all = ["parallel", "parallel", "parallel"]

// NaN is neither: its magnitude is the largest of all.
// CHECK-LABEL: func @largest_from_nan
//   CHECK-NOT:   fp8gemm.quantize
//       CHECK:   return
func.func @largest_from_nan(%x: tensor<?x512xbf16>, %blocks: tensor<?x4x128xf32>, %largest: tensor<?x4xf32>, %e: tensor<?x4x128xf8E4M3FN>, %m: index)
    -> (tensor<?x512xf8E4M3FN>, tensor<?x4xf32>) {
  %zero = arith.constant 0xFFC00000 : f32
  %one = arith.constant 1.0 : f32
  %least = arith.constant 1.0e-4 : f32
  %most = arith.constant 448.0 : f32
  %split = tensor.expand_shape %x [[0], [1, 2]] output_shape [%m, 4, 128] : tensor<?x512xbf16> into tensor<?x4x128xbf16>
  %wide = linalg.generic {indexing_maps = [#id, #id], iterator_types = #all} ins(%split : tensor<?x4x128xbf16>) outs(%blocks : tensor<?x4x128xf32>) {
    ^bb0(%in: bf16, %out: f32):
      %w = arith.extf %in : bf16 to f32
      linalg.yield %w : f32
  } -> tensor<?x4x128xf32>
  %start = linalg.fill ins(%zero : f32) outs(%largest : tensor<?x4xf32>) -> tensor<?x4xf32>
  %amax = linalg.generic {indexing_maps = [#id, #block], iterator_types = ["parallel", "parallel", "reduction"]}
      ins(%wide : tensor<?x4x128xf32>) outs(%start : tensor<?x4xf32>) {
    ^bb0(%in: f32, %out: f32):
      %a = math.absf %in : f32
      %m1 = arith.maximumf %a, %out : f32
      linalg.yield %m1 : f32
  } -> tensor<?x4xf32>
  %scales = linalg.generic {indexing_maps = [#ofblocks, #ofblocks], iterator_types = ["parallel", "parallel"]}
      ins(%amax : tensor<?x4xf32>) outs(%largest : tensor<?x4xf32>) {
    ^bb0(%in: f32, %out: f32):
      %c = arith.maximumf %in, %least : f32
      %s = arith.divf %c, %most : f32
      linalg.yield %s : f32
  } -> tensor<?x4xf32>
  // expected-remark @below {{not raised to fp8gemm.quantize: expected the largest magnitude of a block by arith.maximumf, from zero or less, got another reduction}}
  %q = linalg.generic {indexing_maps = [#id, #block, #id], iterator_types = #all}
      ins(%wide, %scales : tensor<?x4x128xf32>, tensor<?x4xf32>) outs(%e : tensor<?x4x128xf8E4M3FN>) {
    ^bb0(%in: f32, %s: f32, %out: f8E4M3FN):
      %r = arith.divf %one, %s : f32
      %d = arith.mulf %in, %r : f32
      %f = arith.truncf %d : f32 to f8E4M3FN
      linalg.yield %f : f8E4M3FN
  } -> tensor<?x4x128xf8E4M3FN>
  %elements = tensor.collapse_shape %q [[0], [1, 2]] : tensor<?x4x128xf8E4M3FN> into tensor<?x512xf8E4M3FN>
  return %elements, %scales : tensor<?x512xf8E4M3FN>, tensor<?x4xf32>
}
