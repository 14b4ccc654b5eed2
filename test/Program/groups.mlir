// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// REQUIRES: ptxas, cc

// A program of every grouped product, with numbers that both ways compute exactly. It prints every element of each result;
// stage_gpu.sh compares what it prints on a GPU with what it prints here.
// RUN: rm -rf %t && env BUILD=%tools/.. %S/stage_gpu.sh %t >%t.log
// RUN: %t/groups-cpu >%t.txt && FileCheck %s <%t.txt && wc -l <%t.txt | FileCheck %s --check-prefix=LINES
// LINES: {{^}}19712
// Element (0, 0) of the packed rows; then the first row of no group keeps its 77.
// CHECK: {{^}}908
// CHECK: {{^}}77
// On a GPU whose kernels do nothing, the runtime takes all operands, and D is what went there before: 77, and NaN of the
// batched product, whose D is not read.
// RUN: env FAKE_GPU_FAULT=nothing FP8GEMM_LIBCUDA=%tools/../lib/libRuntimeFakeGpu.so %t/groups-gpu | sort | uniq -c | FileCheck %s --check-prefix=NOTHING
// NOTHING: 3840 {{-?}}nan
// NOTHING-NEXT: 15872 77
// On a GPU that isn't there it ends before it has printed anything.
// RUN: not env FP8GEMM_LIBCUDA=/nonexistent.so %t/groups-gpu 2>&1 | FileCheck %s --check-prefix=NO-DRIVER
// NO-DRIVER-NOT: {{^}}{{[-0-9]}}
// NO-DRIVER: error: expected a CUDA driver, got none

#id3 = affine_map<(i, j, k) -> (i, j, k)>
func.func private @emit(f32) attributes {llvm.emit_c_interface}

/// Whole numbers from -3 to 3.
func.func private @matrix(%g: index, %r: index, %c: index) -> tensor<?x?x?xf8E4M3FN> {
  %room = tensor.empty(%g, %r, %c) : tensor<?x?x?xf8E4M3FN>
  %0 = linalg.generic {indexing_maps = [#id3], iterator_types = ["parallel", "parallel", "parallel"]} outs(%room : tensor<?x?x?xf8E4M3FN>) {
    ^bb0(%out: f8E4M3FN):
      %i = linalg.index 0 : index
      %j = linalg.index 1 : index
      %k = linalg.index 2 : index
      %n = affine.apply affine_map<(i, j, k) -> ((i * 2 + j * 3 + k * 5 + (j * 11 + k * 3) floordiv 8) mod 7 - 3)>(%i, %j, %k)
      %w = arith.index_cast %n : index to i32
      %f = arith.sitofp %w : i32 to f32
      %x = arith.truncf %f : f32 to f8E4M3FN
      linalg.yield %x : f8E4M3FN
  } -> tensor<?x?x?xf8E4M3FN>
  return %0 : tensor<?x?x?xf8E4M3FN>
}

/// 1/2, 1, 2.
func.func private @scales(%g: index, %r: index, %c: index) -> tensor<?x?x?xf32> {
  %half = arith.constant 0.5 : f32
  %room = tensor.empty(%g, %r, %c) : tensor<?x?x?xf32>
  %0 = linalg.generic {indexing_maps = [#id3], iterator_types = ["parallel", "parallel", "parallel"]} outs(%room : tensor<?x?x?xf32>) {
    ^bb0(%out: f32):
      %i = linalg.index 0 : index
      %j = linalg.index 1 : index
      %k = linalg.index 2 : index
      %n = affine.apply affine_map<(i, j, k) -> ((i + j + k) mod 3)>(%i, %j, %k)
      %w = arith.index_cast %n : index to i32
      %one = arith.constant 1 : i32
      %power = arith.shli %one, %w : i32
      %f = arith.sitofp %power : i32 to f32
      %x = arith.mulf %f, %half : f32
      linalg.yield %x : f32
  } -> tensor<?x?x?xf32>
  return %0 : tensor<?x?x?xf32>
}

func.func private @emit_all(%values: tensor<?x?x?xf32>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c2 = arith.constant 2 : index
  %gs = tensor.dim %values, %c0 : tensor<?x?x?xf32>
  %rs = tensor.dim %values, %c1 : tensor<?x?x?xf32>
  %cs = tensor.dim %values, %c2 : tensor<?x?x?xf32>
  scf.for %i = %c0 to %gs step %c1 {
    scf.for %j = %c0 to %rs step %c1 {
      scf.for %k = %c0 to %cs step %c1 {
        %x = tensor.extract %values[%i, %j, %k] : tensor<?x?x?xf32>
        func.call @emit(%x) : (f32) -> ()
      }
    }
  }
  return
}

func.func private @emit_matrix(%matrix: tensor<40x64xf32>) {
  %0 = tensor.expand_shape %matrix [[0, 1], [2]] output_shape [1, 40, 64] : tensor<40x64xf32> into tensor<1x40x64xf32>
  %1 = tensor.cast %0 : tensor<1x40x64xf32> to tensor<?x?x?xf32>
  call @emit_all(%1) : (tensor<?x?x?xf32>) -> ()
  return
}

/// 40 rows of 3 groups, K = 272; how they are told apart is the operand's.
func.func private @rows_of_groups(%ends: tensor<3xi32>, %index: tensor<40xi32>) {
  %c1 = arith.constant 1 : index
  %c3 = arith.constant 3 : index
  %c40 = arith.constant 40 : index
  %c64 = arith.constant 64 : index
  %c272 = arith.constant 272 : index
  %a3 = call @matrix(%c1, %c40, %c272) : (index, index, index) -> tensor<?x?x?xf8E4M3FN>
  %as = tensor.cast %a3 : tensor<?x?x?xf8E4M3FN> to tensor<1x40x272xf8E4M3FN>
  %a = tensor.collapse_shape %as [[0, 1], [2]] : tensor<1x40x272xf8E4M3FN> into tensor<40x272xf8E4M3FN>
  %b3 = call @matrix(%c3, %c64, %c272) : (index, index, index) -> tensor<?x?x?xf8E4M3FN>
  %b = tensor.cast %b3 : tensor<?x?x?xf8E4M3FN> to tensor<3x64x272xf8E4M3FN>
  %sfa3 = call @scales(%c1, %c3, %c40) : (index, index, index) -> tensor<?x?x?xf32>
  %sfas = tensor.cast %sfa3 : tensor<?x?x?xf32> to tensor<1x3x40xf32>
  %sfa = tensor.collapse_shape %sfas [[0, 1], [2]] : tensor<1x3x40xf32> into tensor<3x40xf32>
  %sfb3 = call @scales(%c3, %c1, %c3) : (index, index, index) -> tensor<?x?x?xf32>
  %sfb = tensor.cast %sfb3 : tensor<?x?x?xf32> to tensor<3x1x3xf32>
  %d = arith.constant dense<77.0> : tensor<40x64xf32>
  %packed = fp8gemm.grouped_gemm %a scaled_by %sfa <1x128, mn_major>, %b scaled_by %sfb <128x128, k_major> groups %ends <row_end> into %d
    : tensor<40x272xf8E4M3FN>, tensor<3x40xf32>, tensor<3x64x272xf8E4M3FN>, tensor<3x1x3xf32>, tensor<3xi32>, tensor<40x64xf32> -> tensor<40x64xf32>
  call @emit_matrix(%packed) : (tensor<40x64xf32>) -> ()
  %indexed = fp8gemm.grouped_gemm %a scaled_by %sfa <1x128, mn_major>, %b scaled_by %sfb <128x128, k_major> groups %index <row_index, align = 64> into %d
    : tensor<40x272xf8E4M3FN>, tensor<3x40xf32>, tensor<3x64x272xf8E4M3FN>, tensor<3x1x3xf32>, tensor<40xi32>, tensor<40x64xf32> -> tensor<40x64xf32>
  call @emit_matrix(%indexed) : (tensor<40x64xf32>) -> ()
  return
}

/// 20 rows for each of 3 groups, of which `counts` are used; and all of them.
func.func private @groups_of_rows(%counts: tensor<3xi32>) {
  %c1 = arith.constant 1 : index
  %c3 = arith.constant 3 : index
  %c20 = arith.constant 20 : index
  %c64 = arith.constant 64 : index
  %c272 = arith.constant 272 : index
  %a3 = call @matrix(%c3, %c20, %c272) : (index, index, index) -> tensor<?x?x?xf8E4M3FN>
  %a = tensor.cast %a3 : tensor<?x?x?xf8E4M3FN> to tensor<3x?x272xf8E4M3FN>
  %b3 = call @matrix(%c3, %c64, %c272) : (index, index, index) -> tensor<?x?x?xf8E4M3FN>
  %b = tensor.cast %b3 : tensor<?x?x?xf8E4M3FN> to tensor<3x64x272xf8E4M3FN>
  %sfa3 = call @scales(%c3, %c20, %c3) : (index, index, index) -> tensor<?x?x?xf32>
  %sfa = tensor.cast %sfa3 : tensor<?x?x?xf32> to tensor<3x?x3xf32>
  %sfb3 = call @scales(%c3, %c64, %c3) : (index, index, index) -> tensor<?x?x?xf32>
  %sfb = tensor.cast %sfb3 : tensor<?x?x?xf32> to tensor<3x64x3xf32>
  %d0 = arith.constant dense<77.0> : tensor<3x20x64xf32>
  %d = tensor.cast %d0 : tensor<3x20x64xf32> to tensor<3x?x64xf32>
  %masked = fp8gemm.grouped_gemm %a scaled_by %sfa <1x128, k_major>, %b scaled_by %sfb <1x128, k_major> groups %counts <row_count> into %d
    : tensor<3x?x272xf8E4M3FN>, tensor<3x?x3xf32>, tensor<3x64x272xf8E4M3FN>, tensor<3x64x3xf32>, tensor<3xi32>, tensor<3x?x64xf32> -> tensor<3x?x64xf32>
  %masked_any = tensor.cast %masked : tensor<3x?x64xf32> to tensor<?x?x?xf32>
  call @emit_all(%masked_any) : (tensor<?x?x?xf32>) -> ()
  %batched = fp8gemm.grouped_gemm %a scaled_by %sfa <1x128, k_major>, %b scaled_by %sfb <1x128, k_major> into %d
    : tensor<3x?x272xf8E4M3FN>, tensor<3x?x3xf32>, tensor<3x64x272xf8E4M3FN>, tensor<3x64x3xf32>, tensor<3x?x64xf32> -> tensor<3x?x64xf32>
  %batched_any = tensor.cast %batched : tensor<3x?x64xf32> to tensor<?x?x?xf32>
  call @emit_all(%batched_any) : (tensor<?x?x?xf32>) -> ()
  return
}

/// K in groups of 144, 0 and 128, added to what D holds.
func.func private @groups_of_k(%lengths: tensor<3xi32>) {
  %c1 = arith.constant 1 : index
  %c3 = arith.constant 3 : index
  %c36 = arith.constant 36 : index
  %c64 = arith.constant 64 : index
  %c272 = arith.constant 272 : index
  %a3 = call @matrix(%c1, %c36, %c272) : (index, index, index) -> tensor<?x?x?xf8E4M3FN>
  %as = tensor.cast %a3 : tensor<?x?x?xf8E4M3FN> to tensor<1x36x?xf8E4M3FN>
  %a = tensor.collapse_shape %as [[0, 1], [2]] : tensor<1x36x?xf8E4M3FN> into tensor<36x?xf8E4M3FN>
  %b3 = call @matrix(%c1, %c64, %c272) : (index, index, index) -> tensor<?x?x?xf8E4M3FN>
  %bs = tensor.cast %b3 : tensor<?x?x?xf8E4M3FN> to tensor<1x64x?xf8E4M3FN>
  %b = tensor.collapse_shape %bs [[0, 1], [2]] : tensor<1x64x?xf8E4M3FN> into tensor<64x?xf8E4M3FN>
  %sfa3 = call @scales(%c1, %c3, %c36) : (index, index, index) -> tensor<?x?x?xf32>
  %sfas = tensor.cast %sfa3 : tensor<?x?x?xf32> to tensor<1x?x36xf32>
  %sfa = tensor.collapse_shape %sfas [[0, 1], [2]] : tensor<1x?x36xf32> into tensor<?x36xf32>
  %sfb3 = call @scales(%c1, %c3, %c64) : (index, index, index) -> tensor<?x?x?xf32>
  %sfbs = tensor.cast %sfb3 : tensor<?x?x?xf32> to tensor<1x?x64xf32>
  %sfb = tensor.collapse_shape %sfbs [[0, 1], [2]] : tensor<1x?x64xf32> into tensor<?x64xf32>
  %c77 = arith.constant 77.0 : f32
  %room = tensor.empty() : tensor<3x36x64xf32>
  %d = linalg.fill ins(%c77 : f32) outs(%room : tensor<3x36x64xf32>) -> tensor<3x36x64xf32>
  %r = fp8gemm.k_grouped_gemm %a scaled_by %sfa <1x128, mn_major>, %b scaled_by %sfb <1x128, mn_major> groups %lengths <k_count> plus %d into %d
    : tensor<36x?xf8E4M3FN>, tensor<?x36xf32>, tensor<64x?xf8E4M3FN>, tensor<?x64xf32>, tensor<3xi32>, tensor<3x36x64xf32>, tensor<3x36x64xf32> -> tensor<3x36x64xf32>
  %any = tensor.cast %r : tensor<3x36x64xf32> to tensor<?x?x?xf32>
  call @emit_all(%any) : (tensor<?x?x?xf32>) -> ()
  return
}

func.func @groups() attributes {llvm.emit_c_interface} {
  // 3 rows, none, 30 rows; the last 7 are padding. By index: 20 rows of group 2, the others are padding.
  %ends = arith.constant dense<[3, 3, 33]> : tensor<3xi32>
  %index = arith.constant dense<[2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2,
                                 -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1]> : tensor<40xi32>
  call @rows_of_groups(%ends, %index) : (tensor<3xi32>, tensor<40xi32>) -> ()
  %counts = arith.constant dense<[20, 0, 7]> : tensor<3xi32>
  call @groups_of_rows(%counts) : (tensor<3xi32>) -> ()
  %lengths = arith.constant dense<[144, 0, 128]> : tensor<3xi32>
  call @groups_of_k(%lengths) : (tensor<3xi32>) -> ()
  return
}
