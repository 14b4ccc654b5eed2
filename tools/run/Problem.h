// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A product's operands in host memory: random, quantised, and with guard zones.

#ifndef FP8GEMM_TOOLS_RUN_PROBLEM_H
#define FP8GEMM_TOOLS_RUN_PROBLEM_H

#include <cstdint>
#include <vector>

namespace fp8gemm::run {

/// Nearest e4m3 (f8E4M3FN), ties to even; values beyond 448 become 448.
uint8_t toE4m3(float value);
float fromE4m3(uint8_t bits);
float fromBf16(uint16_t bits);

/// A row-major matrix with a guard zone before and after it. Guards and the ends of
/// rows hold 0xFF bytes: NaN as e4m3, bf16 and f32, so that reading them shows in
/// D, and writing them shows here.
class Matrix {
public:
  static constexpr int64_t kGuardBytes = 4096;
  static constexpr uint8_t kPoison = 0xff;

  Matrix() = default;
  /// Rows start a multiple of `rowAlignment` bytes apart, with `padBytes` more.
  Matrix(int64_t rows, int64_t columns, int64_t elementBytes, int64_t rowAlignment, int64_t padBytes);

  template <typename T> T *row(int64_t index) {
    return reinterpret_cast<T *>(bytes.data() + kGuardBytes + index * leadingDimension * elementBytes);
  }
  template <typename T> const T *row(int64_t index) const { return const_cast<Matrix *>(this)->row<T>(index); }

  /// Bytes outside the elements that are no longer poison.
  int64_t countGuardDamage() const;
  /// Elements that differ in any bit; `other` has the same shape.
  int64_t countDifferentElements(const Matrix &other) const;

  int64_t rows = 0, columns = 0, elementBytes = 1;
  int64_t leadingDimension = 0; ///< elements
  std::vector<uint8_t> bytes;   ///< with the guards
};

struct Problem {
  int64_t m = 0, n = 0, k = 0;
  bool sfaMnMajor = true, sfbMnMajor = false;
  Matrix a, sfa, b, sfb, d;

  /// Normal data, quantised to e4m3 with one scale per 1x128 (A) and 128x128 (B); the
  /// scales are then multiplied by factors between 1/2 and 2: a scale taken from another
  /// block shows, and no block weighs so little that its loss would not. D is poison. The same seed gives the same
  /// operands on any machine with the same libm.
  void fill(int64_t padBytes, uint64_t seed);

  int64_t kBlocks() const { return (k + 127) / 128; }
  float scaleA(int64_t row, int64_t kBlock) const {
    return sfaMnMajor ? sfa.row<float>(kBlock)[row] : sfa.row<float>(row)[kBlock];
  }
  float scaleB(int64_t row, int64_t kBlock) const {
    return sfbMnMajor ? sfb.row<float>(kBlock)[row / 128] : sfb.row<float>(row / 128)[kBlock];
  }
};

} // namespace fp8gemm::run

#endif // FP8GEMM_TOOLS_RUN_PROBLEM_H
