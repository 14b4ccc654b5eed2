// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "TrialProblem.h"

#include "llvm/Support/MathExtras.h"

#include <cmath>

using namespace mlir;
using namespace fp8gemm;
using namespace fp8gemm::simulator;
using hopper::Grouping;

static constexpr int64_t kBlockK = 128, kRowAlignment = Storage::kRowAlignment;

//===----------------------------------------------------------------------===//
// Elements
//===----------------------------------------------------------------------===//

uint8_t *TrialProblem::a(const GroupProduct &product, int64_t row, int64_t column) {
  if (isFlat)
    return operandA.at(0, 0, product.firstK * m + row * product.k + column);
  return operandA.at(hasGroupsOfA() ? product.group : 0, product.firstRow + row, product.firstK + column);
}

uint8_t *TrialProblem::b(const GroupProduct &product, int64_t row, int64_t column) {
  if (isFlat)
    return operandB.at(0, 0, product.firstK * problem.getN() + row * product.k + column);
  return operandB.at(product.group % matricesOfB(), row, product.firstK + column);
}

static float &scale(Storage &scales, bool isKMajor, int64_t group, int64_t row, int64_t block) {
  return isKMajor ? *scales.as<float>(group, row, block) : *scales.as<float>(group, block, row);
}

float &TrialProblem::scaleA(const GroupProduct &product, int64_t row, int64_t block) {
  return scale(sfa, problem.getSfa() == "k_major", hasGroupsOfA() ? product.group : 0, product.firstRow + row,
               product.firstBlock + block);
}

float &TrialProblem::scaleB(const GroupProduct &product, int64_t column, int64_t block) {
  return scale(sfb, problem.getSfb() == "k_major", product.group % matricesOfB(), column / problem.getSfbRows(),
               product.firstBlock + block);
}

float &TrialProblem::scaleD(const GroupProduct &product, int64_t row, int64_t block) {
  return scale(sfd, problem.getSfd() == "k_major", groupOfD(product), row, block);
}

//===----------------------------------------------------------------------===//
// Making operands
//===----------------------------------------------------------------------===//

LogicalResult fp8gemm::simulator::checkTime(hopper::KernelOp kernel, Watchdog *watchdog) {
  if (!watchdog || !watchdog->isOver())
    return success();
  return hopper::emitWithoutRegions(kernel) << "expected operands to be made, and D to be compared, within "
                                            << int64_t(watchdog->seconds) << " s (watchdog): try smaller extents";
}

LogicalResult TrialProblem::allocate(hopper::KernelOp kernel, int64_t padBytes) {
  int64_t n = problem.getN(), groupsOfA = hasGroupsOfA() ? groups() : 1, groupsOfB = matricesOfB();
  int64_t blocks = llvm::divideCeil(k, kBlockK), dBytes = problem.getD().getIntOrFloatBitWidth() / 8;
  if (alongK()) {
    blocks = 0;
    for (int64_t size : sizes)
      blocks += llvm::divideCeil(size, kBlockK);
  }
  struct Shape {
    Storage *storage;
    int64_t groups, rows, columns, elementBytes, padBytes;
  };
  auto scales = [&](Storage &storage, StringRef layout, int64_t groups, int64_t rows) -> Shape {
    bool isKMajor = layout == "k_major";
    return {&storage, groups, isKMajor ? rows : blocks, isKMajor ? blocks : rows, sizeof(float), padBytes};
  };
  const Shape shapes[] = {
      isFlat ? Shape{&operandA, 1, 1, m * k, 1, 0} : Shape{&operandA, groupsOfA, m, k, 1, padBytes},
      isFlat ? Shape{&operandB, 1, 1, n * k, 1, 0} : Shape{&operandB, groupsOfB, n, k, 1, padBytes},
      scales(sfa, problem.getSfa().getValue(), groupsOfA, m),
      scales(sfb, problem.getSfb().getValue(), groupsOfB, llvm::divideCeil(n, problem.getSfbRows())),
      {&d, hasGroupsOfD() ? groups() : 1, m, columnsOfD(), dBytes, padBytes}};
  // Too much memory would end the process. Of D there are five in the end: it, C, what it held, who wrote, and whose it
  // is.
  constexpr double kMostBytes = double(int64_t(1) << 33), kCopiesOfD = 5;
  double bytes = 0;
  for (const Shape &shape : shapes)
    bytes += (shape.storage == &d ? kCopiesOfD : 1) * double(shape.groups) * double(shape.rows) *
             (double(shape.columns) * double(shape.elementBytes) + double(kRowAlignment + shape.padBytes));
  if (bytes > kMostBytes)
    return hopper::emitWithoutRegions(kernel)
           << "expected operands of at most " << int64_t(kMostBytes) << " bytes to simulate, got about "
           << uint64_t(bytes) << ": try a smaller M or less padding";
  for (const Shape &shape : shapes)
    *shape.storage = Storage(shape.groups, shape.rows, shape.columns, shape.elementBytes, shape.padBytes);
  if (problem.getSfd()) {
    int64_t blocksOfD = columnsOfD() / kBlockK;
    bool isKMajor = problem.getSfd() == "k_major";
    sfd = Storage(hasGroupsOfD() ? groups() : 1, isKMajor ? m : blocksOfD, isKMajor ? blocksOfD : m, sizeof(float),
                  padBytes);
  }
  if (problem.getC() != hopper::CUse::none)
    c = d;
  if (Type element = problem.getBias())
    bias = Storage(1, 1, columnsOfD(), element.getIntOrFloatBitWidth() / 8, /*padBytes=*/0);
  return success();
}

/// Any number of the type, but no NaN and no infinity.
static uint8_t drawF8(Type type, std::mt19937_64 &random) {
  uint8_t limit = isa<Float8E4M3FNType>(type) ? 0x7f : 0x7c;
  uint8_t bits = uint8_t(random());
  return (bits & 0x7f) < limit ? bits : bits & 0x83;
}

static float drawScale(std::mt19937_64 &random) {
  return std::ldexp(1.0f + float(random() % 4096) / 4096, int(random() % 9) - 4);
}

LogicalResult TrialProblem::fill(hopper::KernelOp kernel, Watchdog *watchdog, std::mt19937_64 &random) {
  int64_t n = problem.getN(), perScale = problem.getSfbRows();
  float unit = function ? 0x1p-10f : 1; // sums of about 1 for a function that is not a sum, which might saturate
  fillEpilogue(random);
  LogicalResult inTime = success();
  auto isInTime = [&] { return succeeded(inTime) && succeeded(inTime = checkTime(kernel, watchdog)); };
  forEachProduct([&](const GroupProduct &product) {
    int64_t blocks = llvm::divideCeil(product.k, kBlockK);
    for (int64_t row = 0; row < product.rows && isInTime(); ++row) {
      for (int64_t i = 0; i < product.k; ++i)
        *a(product, row, i) = drawF8(problem.getA(), random);
      for (int64_t block = 0; block < blocks; ++block)
        scaleA(product, row, block) = drawScale(random) * unit;
    }
    // Rows of one group that are apart share its B.
    bool isFirst = blocks == 0 || std::isnan(scaleB(product, 0, 0));
    for (int64_t row = 0; isFirst && row < n && isInTime(); ++row) {
      for (int64_t i = 0; i < product.k; ++i)
        *b(product, row, i) = drawF8(problem.getB(), random);
      for (int64_t block = 0; row % perScale == 0 && block < blocks; ++block)
        scaleB(product, row, block) = drawScale(random) * unit;
    }
    if (problem.getC() == hopper::CUse::none)
      return;
    for (int64_t row = 0; row < product.rows && isInTime(); ++row)
      for (int64_t column = 0; column < columnsOfD(); ++column) {
        float value = drawScale(random) * (random() % 2 == 0 ? 64.0f : -64.0f);
        uint32_t bits;
        memcpy(&bits, &value, sizeof(bits));
        if (d.elementBytes == 4)
          *c.as<float>(groupOfD(product), product.firstRow + row, column) = value;
        else
          *c.as<uint16_t>(groupOfD(product), product.firstRow + row, column) = uint16_t(bits >> 16);
      }
  });
  for (int64_t column = 0; problem.getBias() && column < columnsOfD(); ++column) {
    float value = drawScale(random) * (random() % 2 == 0 ? 4096.0f : -4096.0f); // more than the bound of most sums
    uint32_t bits;
    memcpy(&bits, &value, sizeof(bits));
    if (problem.getBias().isF32())
      *bias.as<float>(0, 0, column) = value;
    else
      *bias.as<uint16_t>(0, 0, column) = uint16_t(bits >> 16);
  }
  if (problem.getC() == hopper::CUse::in_place)
    d = c;
  before = d;
  return inTime;
}

/// Attributes are not verified where they stand.
static LogicalResult checkProblem(hopper::KernelOp kernel, hopper::ProblemAttr problem) {
  constexpr int64_t kMost = 1 << 20, kMostGroups = 1024;
  auto isF8 = [](Type type) { return isa<Float8E4M3FNType, Float8E5M2Type>(type); };
  hopper::GroupsAttr groups = problem.getGroups();
  if (!isF8(problem.getA()) || !isF8(problem.getB()) ||
      !isa<BFloat16Type, Float32Type, Float8E4M3FNType>(problem.getD()) ||
      isa<Float8E4M3FNType>(problem.getD()) != bool(problem.getSfd()))
    return hopper::emitWithoutRegions(kernel)
           << "expected A and B of f8E4M3FN or f8E5M2, and D of bf16, f32, or f8E4M3FN with 'sfd', got " << problem;
  if (problem.getBias() && !isa<BFloat16Type, Float32Type>(problem.getBias()))
    return hopper::emitWithoutRegions(kernel) << "expected a bias of bf16 or f32, got " << problem;
  if (problem.getN() < 1 || problem.getN() > kMost || problem.getSfbRows() < 1 || problem.getM() > kMost ||
      problem.getK() > kMost || (problem.getK() < 0 && !(groups && groups.getBy() == Grouping::k_count)))
    return hopper::emitWithoutRegions(kernel) << "expected extents from 1 to " << kMost << ", got " << problem;
  if (groups &&
      (groups.getCount() < 1 || groups.getCount() > kMostGroups || groups.getAlign() < 1 || groups.getAlign() > kMost))
    return hopper::emitWithoutRegions(kernel) << "expected 1 to " << kMostGroups << " groups, got " << groups;
  if (int64_t weights = groups ? groups.getWeights() : 0; weights < 0 || (weights > 0 && groups.getCount() % weights != 0))
    return hopper::emitWithoutRegions(kernel) << "expected 'weights' to divide the groups, or 0, got " << groups;
  return success();
}

FailureOr<TrialProblem> TrialProblem::make(hopper::KernelOp kernel, const TrialOptions &options) {
  TrialProblem trial;
  trial.problem = kernel.getProblemAttr();
  if (!trial.problem)
    return hopper::emitWithoutRegions(kernel) << "expected a 'problem', got none";
  if (failed(checkProblem(kernel, trial.problem)))
    return failure();
  trial.m = ShapedType::isDynamic(trial.problem.getM()) ? options.m : trial.problem.getM();
  trial.k = ShapedType::isDynamic(trial.problem.getK()) ? -1 : trial.problem.getK();
  constexpr int64_t kMostElements = int64_t(1) << 32;
  int64_t products = 0;
  if (trial.m < 0 || options.padBytes < 0 || options.padBytes % kRowAlignment != 0 ||
      llvm::MulOverflow(trial.m + trial.problem.getN(), std::max<int64_t>(trial.k, 1) * trial.groups(), products) ||
      products > kMostElements)
    return hopper::emitWithoutRegions(kernel)
           << "expected an M of at least 0 with operands below 2^32 elements, and rows padded by a "
              "multiple of "
           << kRowAlignment << " bytes, got M = " << trial.m << " and " << options.padBytes << " bytes";
  for (BlockArgument argument : kernel.getParameters()) {
    auto type = dyn_cast<MemRefType>(argument.getType());
    trial.isFlat |= type && kernel.getOperandOf(argument) == hopper::Operand::a && type.getRank() == 1;
  }
  std::mt19937_64 random(options.seed * 0x9e3779b97f4a7c15 + 1);
  if (failed(trial.chooseGroups(kernel, options, random)))
    return failure();
  // The memory between rows counts, too: of A, B, C, D, what D was, and scales, which have a row for each of A and B at
  // most.
  constexpr int64_t kMostPadding = int64_t(1) << 31;
  int64_t rows = trial.groups() * (5 * trial.m + 2 * trial.problem.getN() + 2 * llvm::divideCeil(trial.k, kBlockK));
  int64_t padding = 0;
  if (llvm::MulOverflow(rows, options.padBytes, padding) || padding > kMostPadding)
    return hopper::emitWithoutRegions(kernel)
           << "expected at most " << kMostPadding << " bytes between the rows of all operands, got " << options.padBytes
           << " after each of " << rows << "; simulate fewer rows, or pad them less";
  if (failed(trial.findEpilogue(kernel, options.padBytes)) || failed(trial.allocate(kernel, options.padBytes)) ||
      failed(trial.fill(kernel, options.watchdog, random)))
    return failure();
  return trial;
}
