// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "Problem.h"
#include "Parallel.h"

#include <array>
#include <cmath>
#include <cstring>

namespace fp8gemm::run {

int fractionBits(F8 type) { return type == F8::E4m3 ? 3 : 2; }
int smallestExponent(F8 type) { return type == F8::E4m3 ? -6 : -14; }
float largest(F8 type) { return type == F8::E4m3 ? 448.0f : 57344.0f; }

uint8_t toF8(F8 type, float value) {
  uint8_t sign = std::signbit(value) ? 0x80 : 0;
  if (std::isnan(value))
    return sign | 0x7f;
  float magnitude = std::min(std::fabs(value), largest(type));
  // The unit in the last place; the exponents of subnormals are the smallest one.
  int fraction = fractionBits(type), smallest = smallestExponent(type);
  int exponent = magnitude == 0 ? smallest : std::max(std::ilogb(magnitude), smallest);
  int units = int(std::nearbyint(std::ldexp(magnitude, fraction - exponent))); // 0 .. 2 << fraction
  // Carries into the exponent, and subnormals, come out right by adding.
  return sign | uint8_t(units + ((exponent - smallest) << fraction));
}

float fromF8(F8 type, uint8_t bits) {
  int fractions = fractionBits(type), exponent = (bits & 0x7f) >> fractions, fraction = bits & ((1 << fractions) - 1);
  int leading = exponent == 0 ? 0 : 1 << fractions;
  float magnitude =
      std::ldexp(float(leading + fraction), std::max(exponent, 1) - 1 + smallestExponent(type) - fractions);
  if (magnitude > largest(type))
    magnitude = type == F8::E5m2 && fraction == 0 ? INFINITY : NAN;
  return bits & 0x80 ? -magnitude : magnitude;
}

uint16_t toBf16(float value) {
  uint32_t wide;
  std::memcpy(&wide, &value, sizeof(wide));
  return uint16_t((wide + 0x7fff + (wide >> 16 & 1)) >> 16);
}

float fromBf16(uint16_t bits) {
  uint32_t wide = uint32_t(bits) << 16;
  float value;
  std::memcpy(&value, &wide, sizeof(value));
  return value;
}

Matrix::Matrix(int64_t rows, int64_t columns, int64_t elementBytes, int64_t rowAlignment, int64_t padBytes)
    : rows(rows), columns(columns), elementBytes(elementBytes) {
  int64_t rowBytes = (columns * elementBytes + rowAlignment - 1) / rowAlignment * rowAlignment + padBytes;
  leadingDimension = rowBytes / elementBytes;
  bytes.assign(2 * kGuardBytes + rows * rowBytes, kPoison);
}

int64_t Matrix::countGuardDamage() const {
  int64_t damage = 0;
  auto count = [&](const uint8_t *begin, const uint8_t *end) {
    for (; begin != end; ++begin)
      damage += *begin != kPoison;
  };
  count(bytes.data(), bytes.data() + kGuardBytes);
  for (int64_t i = 0; i < rows; ++i)
    count(row<uint8_t>(i) + columns * elementBytes, row<uint8_t>(i + 1));
  count(bytes.data() + bytes.size() - kGuardBytes, bytes.data() + bytes.size());
  return damage;
}

int64_t Matrix::countDifferentElements(const Matrix &other) const {
  int64_t different = 0;
  for (int64_t i = 0; i < rows; ++i)
    for (int64_t j = 0; j < columns; ++j)
      different += std::memcmp(row<uint8_t>(i) + j * elementBytes, other.row<uint8_t>(i) + j * elementBytes,
                               size_t(elementBytes)) != 0;
  return different;
}

namespace {

/// A stream of random numbers that depends on the seed and on what it is for, not on
/// which thread draws from it (splitmix64).
class Random {
public:
  Random(uint64_t seed, uint64_t what, uint64_t index) : state(seed * 0x9e3779b97f4a7c15 + what) {
    state = next() ^ index * 0xd1342543de82ef95;
  }

  uint64_t next() {
    uint64_t z = state += 0x9e3779b97f4a7c15;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
    z = (z ^ z >> 27) * 0x94d049bb133111eb;
    return z ^ z >> 31;
  }

  /// In (0, 1].
  float uniform() { return float((next() >> 40) + 1) * 0x1p-24f; }

  /// Two independent normal numbers (Box and Muller).
  std::array<float, 2> normals() {
    float radius = std::sqrt(-2 * std::log(uniform())), angle = 6.2831853f * uniform();
    return {radius * std::cos(angle), radius * std::sin(angle)};
  }

private:
  uint64_t state;
};

} // namespace

/// Fills rows [first, first + count) of `matrix`, which share a scale per 128 columns;
/// those scales go to setScale(kBlock, scale).
template <typename SetScale>
static void fillRows(Matrix &matrix, F8 type, int64_t first, int64_t count, Random random, SetScale setScale) {
  std::vector<float> values(count * 128);
  for (int64_t begin = 0; begin < matrix.columns; begin += 128) {
    int64_t width = std::min<int64_t>(128, matrix.columns - begin);
    float most = 0;
    for (size_t i = 0; i < values.size(); i += 2) {
      auto [x, y] = random.normals();
      values[i] = x;
      values[i + 1] = y;
    }
    for (int64_t i = 0; i < count; ++i)
      for (int64_t j = 0; j < width; ++j)
        most = std::max(most, std::fabs(values[i * 128 + j]));
    float scale = most > 0 ? most / largest(type) : 1;
    for (int64_t i = 0; i < count; ++i)
      for (int64_t j = 0; j < width; ++j)
        matrix.row<uint8_t>(first + i)[begin + j] = toF8(type, values[i * 128 + j] / scale);
    setScale(begin / 128, scale * std::exp2(2 * random.uniform() - 1));
  }
}

void Problem::fill(int64_t padBytes, uint64_t seed) {
  int64_t bBlocks = (n + sfbRows - 1) / sfbRows, dBytes = dIsF32 ? 4 : 2;
  a = Matrix(m, k, 1, 16, padBytes);
  b = Matrix(n, k, 1, 16, padBytes);
  d = Matrix(m, n, dBytes, 16, padBytes);
  sfa = sfaMnMajor ? Matrix(kBlocks(), m, 4, 16, padBytes) : Matrix(m, kBlocks(), 4, 4, padBytes);
  int64_t sfbAlignment = sfbRows == 1 ? 16 : 4;
  sfb = sfbMnMajor ? Matrix(kBlocks(), bBlocks, 4, sfbAlignment, padBytes) : Matrix(bBlocks, kBlocks(), 4, 4, padBytes);
  parallelFor(m, [&](int64_t row) {
    fillRows(a, aType, row, 1, Random(seed, 1, row), [&](int64_t kBlock, float scale) {
      (sfaMnMajor ? sfa.row<float>(kBlock)[row] : sfa.row<float>(row)[kBlock]) = scale;
    });
  });
  parallelFor(bBlocks, [&](int64_t block) {
    fillRows(b, bType, block * sfbRows, std::min<int64_t>(sfbRows, n - block * sfbRows), Random(seed, 2, block),
             [&](int64_t kBlock, float scale) {
               (sfbMnMajor ? sfb.row<float>(kBlock)[block] : sfb.row<float>(block)[kBlock]) = scale;
             });
  });
  if (hasC)
    fillC(padBytes, seed);
  dBefore = d;
}

void Problem::fillC(int64_t padBytes, uint64_t seed) {
  Matrix &matrix = inPlace ? d : c;
  if (!inPlace)
    c = Matrix(m, n, d.elementBytes, 16, padBytes);
  float size = std::sqrt(float(k));
  parallelFor(m, [&](int64_t row) {
    Random random(seed, 3, row);
    for (int64_t column = 0; column < n; ++column) {
      float value = size * random.normals()[0];
      if (dIsF32)
        matrix.row<float>(row)[column] = value;
      else
        matrix.row<uint16_t>(row)[column] = toBf16(value);
    }
  });
}

} // namespace fp8gemm::run
