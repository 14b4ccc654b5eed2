// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A product's operands in host memory: random, quantised, and with guard zones.

#ifndef FP8GEMM_TOOLS_RUN_PROBLEM_H
#define FP8GEMM_TOOLS_RUN_PROBLEM_H

#include <cstdint>
#include <vector>

namespace fp8gemm::run {

/// A kind of FP8: f8E4M3FN or f8E5M2.
enum class F8 { E4m3, E5m2 };
/// Its bits of fraction, the exponent of its smallest normal number, its largest number.
int fractionBits(F8 type);
int smallestExponent(F8 type);
float largest(F8 type);
/// The nearest, ties to even; values beyond the largest become it.
uint8_t toF8(F8 type, float value);
float fromF8(F8 type, uint8_t bits);

uint16_t toBf16(float value);
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
  F8 aType = F8::E4m3, bType = F8::E4m3;
  bool dIsF32 = false;                ///< else bf16
  bool hasC = false, inPlace = false; ///< in place: D is C, and there is no Matrix c
  int64_t sfbRows = 128;              ///< rows of B that share a scale
  bool sfaMnMajor = true, sfbMnMajor = false;
  Matrix a, sfa, b, sfb, c, d;
  Matrix dBefore; ///< what D holds before the product: poison, or C

  /// Normal data, quantised with one scale per 1x128 (A) and sfbRows x 128 (B); the
  /// scales are then multiplied by factors between 1/2 and 2: a scale taken from another
  /// block shows, and no block weighs so little that its loss would not. C is about as large as the product. The same
  /// seed gives the same operands on any machine with the same libm.
  void fill(int64_t padBytes, uint64_t seed);

  /// Fills c, or in place D.
  void fillC(int64_t padBytes, uint64_t seed);

  int64_t kBlocks() const { return (k + 127) / 128; }
  float scaleA(int64_t row, int64_t kBlock) const {
    return sfaMnMajor ? sfa.row<float>(kBlock)[row] : sfa.row<float>(row)[kBlock];
  }
  float scaleB(int64_t row, int64_t kBlock) const {
    return sfbMnMajor ? sfb.row<float>(kBlock)[row / sfbRows] : sfb.row<float>(row / sfbRows)[kBlock];
  }
  /// An element of a matrix like D.
  float element(const Matrix &matrix, int64_t row, int64_t column) const {
    return dIsF32 ? matrix.row<float>(row)[column] : fromBf16(matrix.row<uint16_t>(row)[column]);
  }
};

} // namespace fp8gemm::run

#endif // FP8GEMM_TOOLS_RUN_PROBLEM_H
