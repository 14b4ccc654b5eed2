// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Memory of an operand, between guards.

#include "TrialProblem.h"

#include "llvm/ADT/APFloat.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace fp8gemm;
using namespace fp8gemm::simulator;

Storage::Storage(int64_t groups, int64_t rows, int64_t columns, int64_t elementBytes, int64_t padBytes)
    : elementBytes(elementBytes) {
  int64_t rowBytes = llvm::alignTo(columns * elementBytes, kRowAlignment) + padBytes;
  matrix.rows = rows, matrix.columns = columns, matrix.groups = groups;
  matrix.leadingDimension = rowBytes / elementBytes;
  matrix.groupStride = rows * matrix.leadingDimension;
  bytes.assign(2 * kGuard + groups * rows * rowBytes, kPoison);
}

Matrix Storage::view() {
  Matrix view = matrix;
  view.data = bytes.data() + kGuard;
  view.bytes = int64_t(bytes.size()) - 2 * kGuard;
  return view;
}

double fp8gemm::simulator::elementOf(Storage &storage, int64_t group, int64_t row, int64_t column, bool isF16) {
  if (storage.elementBytes == 4)
    return *storage.as<float>(group, row, column);
  uint16_t bits = *storage.as<uint16_t>(group, row, column);
  return llvm::APFloat(isF16 ? llvm::APFloat::IEEEhalf() : llvm::APFloat::BFloat(), llvm::APInt(16, bits))
      .convertToDouble();
}
