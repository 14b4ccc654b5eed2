// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The operands of a trial's epilogue.

#include "TrialProblem.h"

#include "llvm/ADT/bit.h"

#include <cmath>

using namespace mlir;
using namespace fp8gemm;
using namespace fp8gemm::simulator;

/// The numbers of an epilogue's operands, as large as sums are then: small enough for exp.
static void fillOperand(Storage &storage, bool isF16, std::mt19937_64 &random) {
  for (int64_t group = 0; group < storage.matrix.groups; ++group)
    for (int64_t row = 0; row < storage.matrix.rows; ++row)
      for (int64_t column = 0; column < storage.matrix.columns; ++column) {
        float value = std::ldexp(1.0f + float(random() % 128) / 128, int(random() % 6) - 4) * (random() % 2 ? 1 : -1);
        uint32_t bits = llvm::bit_cast<uint32_t>(value);
        if (storage.elementBytes == 4)
          *storage.as<float>(group, row, column) = value;
        else // all of them have the 8 significant bits of bf16, and the exponents of f16
          *storage.as<uint16_t>(group, row, column) = isF16 ? uint16_t(bits >> 16 & 0x8000) |
                                                                  uint16_t(((bits >> 23 & 0xff) - 112) << 10) |
                                                                  uint16_t(bits >> 13 & 0x3ff)
                                                            : uint16_t(bits >> 16);
      }
}

void TrialProblem::fillEpilogue(std::mt19937_64 &random) {
  for (auto [storage, half] : llvm::zip_equal(epilogue, isF16))
    if (!storage.bytes.empty())
      fillOperand(storage, half, random);
}

LogicalResult TrialProblem::findEpilogue(hopper::KernelOp kernel, int64_t padBytes) {
  if (problem.getEpilogue())
    kernel.walk([&](hopper::MapOp map) {
      function = map; // any of them
      return WalkResult::interrupt();
    });
  if (problem.getEpilogue() && !function)
    return hopper::emitWithoutRegions(kernel) << "expected a hopper.map, the epilogue of the problem, got none";
  for (BlockArgument argument : kernel.getParameters()) {
    uint32_t number = uint32_t(kernel.getOperandOf(argument)) - uint32_t(hopper::Operand::epilogue_0);
    if (number >= epilogue.size())
      continue;
    auto type = dyn_cast<MemRefType>(argument.getType());
    if (!type || type.getRank() > 3 || type.getRank() < 1)
      return hopper::emitWithoutRegions(kernel)
             << "expected an epilogue's operand in memory of rank 1 to 3, got " << argument.getType();
    isF16[number] = type.getElementType().isF16();
    bool hasRows = type.getRank() > 1 && type.getShape().take_back(2).front() != 1;
    epilogue[number] = Storage(type.getRank() == 3 ? groups() : 1, hasRows ? m : 1, type.getShape().back(),
                               type.getElementTypeBitWidth() / 8, hasRows ? padBytes : 0);
  }
  if (!function)
    return success();
  for (Value value : function.getInputs()) {
    auto load = value.getDefiningOp<hopper::LoadFragmentOp>();
    auto parameter = load && load.isOfMatrix() ? dyn_cast<BlockArgument>(load.getSource()) : BlockArgument();
    EpilogueInput input;
    input.isSum = inputs.size() < (problem.getGated() ? 2 : 1);
    input.isC = load && !load.isOfMatrix();
    if (parameter && parameter.getOwner() == &kernel.getBody().front())
      input.operand = kernel.getOperandOf(parameter);
    if (!input.isSum && !input.isC && input.operand == hopper::Operand::none)
      return hopper::emitWithoutRegions(function)
             << "expected inputs of an epilogue that are loaded from the kernel's arguments, to compare with, got "
             << value;
    for (int64_t k = 0; k < function.getArgumentsOf(value.getType()); ++k)
      inputs.push_back(input);
  }
  return success();
}

double TrialProblem::epilogueElement(const EpilogueInput &input, const GroupProduct &product, int64_t row,
                                     int64_t column) {
  if (input.isC)
    return elementOf(c, groupOfD(product), row, column, /*isF16=*/false);
  if (input.operand == hopper::Operand::bias)
    return elementOf(bias, 0, 0, column, /*isF16=*/false);
  uint32_t number = uint32_t(input.operand) - uint32_t(hopper::Operand::epilogue_0);
  Storage &storage = epilogue[number];
  const Matrix &matrix = storage.matrix;
  return elementOf(storage, matrix.groups == 1 ? 0 : product.group, matrix.rows == 1 ? 0 : row,
                   matrix.columns == 1 ? 0 : column, isF16[number]);
}
