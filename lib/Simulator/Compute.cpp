// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The computation of the consumers: products, scales and promotion, in the registers that they use on the GPU.

#include "Machine.h"
#include "llvm/ADT/APFloat.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace fp8gemm;
using namespace fp8gemm::hopper;
using namespace fp8gemm::simulator;

static constexpr int64_t kBlockK = 128, kFragmentRows = 64;
/// Groups of 8 rows of 128 bytes start where the swizzle's period does: wgmma gets no base offset.
static constexpr int64_t kMatrixAlignment = 1024;

//===----------------------------------------------------------------------===//
// The tensor core
//===----------------------------------------------------------------------===//

/// The 256 numbers of an FP8 type.
static const std::array<float, 256> &decoded(Type type) {
  auto decode = [](const llvm::fltSemantics &semantics) {
    std::array<float, 256> table;
    for (unsigned bits = 0; bits < 256; ++bits)
      table[bits] = llvm::APFloat(semantics, llvm::APInt(8, bits)).convertToFloat();
    return table;
  };
  static const std::array<float, 256> e4m3 = decode(llvm::APFloat::Float8E4M3FN()),
                                      e5m2 = decode(llvm::APFloat::Float8E5M2());
  return isa<Float8E4M3FNType>(type) ? e4m3 : e5m2;
}

#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__)
#define FP8GEMM_CLONES __attribute__((target_clones("avx512f", "avx2", "default")))
#else
#define FP8GEMM_CLONES
#endif

/// sums[i][j] = sum over k of a[i][k] * b[k][j], k ascending, in f32.
FP8GEMM_CLONES static void multiply(const float *a, const float *b, float *sums, int64_t columns) {
  for (int64_t i = 0; i < kFragmentRows; ++i)
    for (int64_t k = 0; k < kBlockK; ++k) {
      float factor = a[i * kBlockK + k];
      for (int64_t j = 0; j < columns; ++j)
        sums[i * columns + j] += factor * b[k * columns + j];
    }
}

/// A K-major tile as wgmma reads it, through the 128-byte swizzle: element [row][k] to target(row, k).
template <typename Target>
static void readTile(SharedMemory &memory, int64_t offset, int64_t rows, Type element, Target target) {
  const std::array<float, 256> &table = decoded(element);
  constexpr int64_t kChunk = 16;
  for (int64_t row = 0; row < rows; ++row)
    for (int64_t chunk = 0; chunk < kBlockK; chunk += kChunk) {
      const auto *bytes = memory.at<uint8_t>(swizzled(offset + row * kBlockK + chunk, 128));
      for (int64_t k = 0; k < kChunk; ++k)
        *target(row, chunk + k) = table[bytes[k]];
    }
}

static void computeProduct(SharedMemory &memory, MmaOp op, int64_t a, int64_t b, Registers &result) {
  int64_t columns = op.getPartial().getType().getColumns();
  auto elementOf = [](Value value) { return cast<MemRefType>(value.getType()).getElementType(); };
  std::vector<float> tileA(kFragmentRows * kBlockK), tileB(kBlockK * columns), sums(kFragmentRows * columns);
  readTile(memory, a, kFragmentRows, elementOf(op.getA()),
           [&](int64_t row, int64_t k) { return &tileA[row * kBlockK + k]; });
  readTile(memory, b, columns, elementOf(op.getB()), [&](int64_t row, int64_t k) { return &tileB[k * columns + row]; });
  multiply(tileA.data(), tileB.data(), sums.data(), columns);
  for (int64_t thread = 0; thread < kThreadsPerWarpgroup; ++thread)
    for (int64_t k = 0; k < result.perThread; ++k)
      result.of(thread)[k] = sums[fragmentRow(thread, k) * columns + fragmentColumn(thread, k)];
}

static Outcome mma(Task &task, const Instruction &i) {
  auto op = cast<MmaOp>(i.op);
  if (task.accessedRegisters) {
    task.fail(i.op) << "starts a product after an access to accumulator registers, in " << task.name()
                    << ": expected a hopper.fence wgmma between them";
    return Outcome::Failed;
  }
  int64_t operands[] = {task.in(i, 0).number, task.in(i, 1).number};
  FragmentType type = op.getPartial().getType();
  int64_t rows[] = {kFragmentRows, type.getColumns()};
  Accessor by = task.accessor(i.op, kManyThreads);
  by.access.agent = task.cta.machine.tensorCoreOf(task);
  by.access.step = ++task.issued;
  by.isAsync = true;
  for (int k = 0; k < 2; ++k) {
    if (operands[k] % kMatrixAlignment != 0) {
      task.fail(i.op) << "expected matrices that start at multiples of " << kMatrixAlignment << " bytes, got byte "
                      << operands[k] << ", in " << task.name();
      return Outcome::Failed;
    }
    if (!task.access(i, task.cta, operands[k], rows[k] * kBlockK, by, /*isWrite=*/false))
      return Outcome::Failed;
  }
  auto result = std::make_shared<Registers>(kThreadsPerWarpgroup, type.getRegisters());
  result->inFlight = true;
  result->product = task.issued;
  task.products.push_back({result, [&task, op, a = operands[0], b = operands[1], result] {
                             computeProduct(task.cta.memory, op, a, b, *result);
                           }});
  task.out(i, 0).registers = std::move(result);
  return Outcome::Next;
}

static Outcome mmaWait(Task &task, const Instruction &i) {
  uint32_t pending = uint32_t(cast<MmaWaitOp>(i.op).getPending());
  uint32_t done = task.issued > pending ? task.issued - pending : 0;
  if (task.computed < done) {
    task.waitingAt = i.op;
    task.isReady = [&task, done] { return task.computed >= done; };
    return Outcome::Retry;
  }
  uint32_t &seen = task.clock.seen[task.cta.machine.tensorCoreOf(task)];
  seen = std::max(seen, done);
  task.accessedRegisters = true;
  const std::shared_ptr<Registers> &registers = task.in(i, 0).registers;
  if (registers->product <= done)
    registers->inFlight = false;
  task.out(i, 0).registers = registers;
  return Outcome::Next;
}

static Outcome wgmmaFence(Task &task, const Instruction &) {
  task.accessedRegisters = false;
  return Outcome::Next;
}

//===----------------------------------------------------------------------===//
// Registers
//===----------------------------------------------------------------------===//

Registers *Task::fragment(const Instruction &i, int k) {
  Registers *registers = in(i, k).registers.get();
  accessedRegisters = true;
  if (!registers->inFlight)
    return registers;
  fail(i.op) << "reads a product in flight, in " << name() << ": expected a hopper.mma.wait that covers it";
  return nullptr;
}

/// The element of the source that a thread's register holds (see !hopper.scales).
static int64_t scaleIndex(ScalesType type, int64_t thread, int64_t index) {
  if (type.getBlock() > 1)
    return index;
  if (type.getAxis() == Axis::rows)
    return thread / 32 * 16 + thread % 32 / 4 + 8 * index;
  return index / 2 * 8 + thread % 4 * 2 + index % 2;
}

/// The alignment of loads of several scales at once (bytes).
static int64_t alignmentOfScales(LoadScalesOp op) {
  ScalesType type = op.getScales().getType();
  if (type.getBlock() > 1)
    return type.getRegisters() >= 4 ? 16 : 4;
  bool inPairs = type.getAxis() == Axis::columns && cast<MemRefType>(op.getSource().getType()).getLayout().isIdentity();
  return inPairs ? 8 : 4;
}

static Outcome loadScales(Task &task, const Instruction &i) {
  auto op = cast<LoadScalesOp>(i.op);
  ScalesType type = op.getScales().getType();
  int64_t source = task.in(i, 0).number, elements = cast<MemRefType>(op.getSource().getType()).getNumElements();
  if (source % alignmentOfScales(op) != 0) {
    task.fail(i.op) << "expected scales that start at a multiple of " << alignmentOfScales(op) << " bytes, got byte "
                    << source << ", in " << task.name();
    return Outcome::Failed;
  }
  if (!task.read(i, task.cta, source, elements * int64_t(sizeof(float))))
    return Outcome::Failed;
  auto scales = std::make_shared<Registers>(kThreadsPerWarpgroup, type.getRegisters());
  for (int64_t thread = 0; thread < kThreadsPerWarpgroup; ++thread)
    for (int64_t k = 0; k < scales->perThread; ++k)
      scales->of(thread)[k] = task.cta.memory.at<float>(source)[scaleIndex(type, thread, k)];
  task.out(i, 0).registers = std::move(scales);
  return Outcome::Next;
}

static Outcome promote(Task &task, const Instruction &i) {
  auto op = cast<PromoteOp>(i.op);
  ScalesType rowType = op.getRows().getType(), columnType = op.getColumns().getType();
  Registers *partial = task.fragment(i, 0), *acc = partial ? task.fragment(i, 3) : nullptr;
  if (!acc)
    return Outcome::Failed;
  Registers &rows = *task.in(i, 1).registers, &columns = *task.in(i, 2).registers;
  auto result = std::make_shared<Registers>(kThreadsPerWarpgroup, acc->perThread);
  for (int64_t k = 0; k < acc->perThread; ++k) {
    int64_t row = rowType.getRegisterOf(k), column = columnType.getRegisterOf(k);
    for (int64_t thread = 0; thread < kThreadsPerWarpgroup; ++thread) {
      float scale = rows.of(thread)[row] * columns.of(thread)[column];
      result->of(thread)[k] = std::fma(partial->of(thread)[k], scale, acc->of(thread)[k]);
    }
  }
  task.out(i, 0).registers = std::move(result);
  return Outcome::Next;
}

Handler fp8gemm::simulator::computeHandler(Operation *op) {
  return TypeSwitch<Operation *, Handler>(op)
      .Case<MmaOp>([](auto) { return mma; })
      .Case<MmaWaitOp>([](auto) { return mmaWait; })
      .Case([](FenceOp op) -> Handler { return op.getKind() == FenceKind::wgmma ? wgmmaFence : nullptr; })
      .Case<LoadScalesOp>([](auto) { return loadScales; })
      .Case<PromoteOp>([](auto) { return promote; })
      .Default(elementwiseHandler);
}
