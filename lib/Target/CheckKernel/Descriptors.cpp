// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Matrix descriptors of wgmma against the tiles that TMA leaves in shared memory.

#include "KernelCheck.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/LLVMIR/NVVMDialect.h"
#include "mlir/IR/Matchers.h"

using namespace mlir;
using namespace fp8gemm::kernel;

/// The 128-byte swizzle: it repeats after 8 rows of 128 bytes, in memory aligned to that.
static constexpr int64_t kRowBytes = 128, kSwizzleBytes = 8 * kRowBytes;
/// K bytes of one wgmma of elements of 8 bits, and rows of its A.
static constexpr int64_t kMmaBytes = 32, kMmaRows = 64;

/// High word of a descriptor (PTX ISA, "Matrix Descriptor Format"): bits 32-45, 49-51, 62-63.
static int64_t getStrideBytes(uint32_t high) { return int64_t(high & 0x3fff) * 16; }
static int64_t getBaseOffset(uint32_t high) { return (high >> 17) & 7; }
static int64_t getSwizzleMode(uint32_t high) { return high >> 30; }
static constexpr int64_t kSwizzle128Mode = 1;

namespace {

/// Where the stages of a tile that TMA loads lie, in bytes of shared memory.
struct Tile {
  Value map;
  Attribute symbol;
  int64_t first;  // of stage 0
  int64_t stride; // from stage to stage; 0 if there is one
  int64_t bytes;
  Type element;
};

/// A descriptor taken apart.
struct Descriptor {
  Address address;
  uint32_t high;
};

class DescriptorChecker {
public:
  DescriptorChecker(Kernel &kernel, Reporter &reporter) : kernel(kernel), reporter(reporter) {}

  void collect(NVVM::CpAsyncBulkTensorGlobalToSharedClusterOp load) {
    TensorMap map = kernel.getMap(load.getTmaDescriptor());
    if (!map.type || !map.isMmaTile())
      return; // not one that wgmma reads
    Address target = Address::of(load.getDstMem());
    int64_t bytes = map.getBoxBytes(), stride = 0;
    APInt mask;
    bool isShared = load.getMulticastMask() && matchPattern(load.getMulticastMask(), m_ConstantInt(&mask));
    bool broken = !target.symbol;
    for (auto &[value, factor] : target.terms) {
      // Rank r of a cluster brings share r of each stage.
      bool isShare = isShared && factor == bytes && isRank(value);
      broken |= factor % kSwizzleBytes != 0 || (!isShare && stride != 0);
      stride = isShare ? stride : factor;
    }
    if (broken || target.constant % kSwizzleBytes != 0)
      reporter.report(load, 4) << "expected a tile in the 128-byte swizzle to start at a multiple of " << kSwizzleBytes
                               << " bytes of shared memory";
    else
      tiles.push_back({load.getTmaDescriptor(), target.symbol, target.constant, stride, isShared ? bytes * mask.popcount() : bytes,
                       map.type.getTensor().getElementType()});
  }

  /// Boxes of one map that follow each other in each stage are one tile.
  void join() {
    llvm::stable_sort(tiles, [](const Tile &lhs, const Tile &rhs) { return lhs.first < rhs.first; });
    SmallVector<Tile> joined;
    for (const Tile &tile : tiles) {
      auto follows = [&](const Tile &before) {
        int64_t together = before.bytes + tile.bytes;
        return before.map == tile.map && before.symbol == tile.symbol && before.stride == tile.stride &&
               before.first + before.bytes == tile.first && (tile.stride == 0 || together <= tile.stride);
      };
      Tile *before = llvm::find_if(joined, follows);
      if (before == joined.end())
        joined.push_back(tile);
      else
        before->bytes += tile.bytes;
    }
    tiles = joined;
  }

  void check(NVVM::WgmmaMmaAsyncOp mma) {
    int64_t step = 0; // of K, in the chain that adds up a K block
    for (auto before = mma.getInouts().getDefiningOp<NVVM::WgmmaMmaAsyncOp>(); before;
         before = before.getInouts().getDefiningOp<NVVM::WgmmaMmaAsyncOp>())
      ++step;
    checkOperand(mma, "A", mma.getDescriptorA(), mma.getTypeA(), kMmaRows, step);
    checkOperand(mma, "B", mma.getDescriptorB(), mma.getTypeB(), mma.getShape().getN(), step);
  }

private:
  /// The number of the CTA in its cluster.
  static bool isRank(Value value) {
    while (Operation *cast = value.getDefiningOp()) {
      if (!isa<arith::IndexCastUIOp, arith::IndexCastOp>(cast))
        return isa<NVVM::BlockInClusterIdXOp>(cast);
      value = cast->getOperand(0);
    }
    return false;
  }

  /// Two words: the address / 16 as a sum, and a constant.
  static std::optional<Descriptor> decode(Value descriptor) {
    auto cast = descriptor.getDefiningOp<LLVM::BitcastOp>();
    auto high = cast ? cast.getArg().getDefiningOp<LLVM::InsertElementOp>() : LLVM::InsertElementOp();
    auto low = high ? high.getVector().getDefiningOp<LLVM::InsertElementOp>() : LLVM::InsertElementOp();
    APInt word, position;
    if (!low || !matchPattern(low.getPosition(), m_ConstantInt(&position)) || !position.isZero() ||
        !matchPattern(high.getPosition(), m_ConstantInt(&position)) || !position.isOne() ||
        !matchPattern(high.getValue(), m_ConstantInt(&word)) || word.getBitWidth() != 32)
      return std::nullopt;
    Descriptor result{Address(), uint32_t(word.getZExtValue())};
    if (!addLow(low.getValue(), result.address))
      return std::nullopt;
    return result;
  }

  /// Adds the bytes that the low word's part `value` stands for. One part is an address of shared memory / 16.
  static bool addLow(Value value, Address &address) {
    if (auto sum = value.getDefiningOp<arith::AddIOp>())
      return addLow(sum.getLhs(), address) && addLow(sum.getRhs(), address);
    auto shift = value.getDefiningOp<arith::ShRUIOp>();
    auto pointer = shift ? shift.getLhs().getDefiningOp<LLVM::PtrToIntOp>() : LLVM::PtrToIntOp();
    APInt by;
    if (!pointer) {
      address.add(value, 16);
      return true;
    }
    if (address.symbol || !matchPattern(shift.getRhs(), m_ConstantInt(&by)) || by != 4)
      return false;
    Address start = Address::of(pointer.getArg());
    if (!start.symbol)
      return false;
    address.symbol = start.symbol;
    address.constant += start.constant;
    bool whole = start.constant % 16 == 0;
    for (auto &[term, factor] : start.terms) {
      address.add(term, factor);
      whole &= factor % 16 == 0;
    }
    return whole;
  }

  void checkOperand(NVVM::WgmmaMmaAsyncOp mma, StringRef operand, Value value, NVVM::WGMMATypes type, int64_t rows,
                    int64_t step) {
    std::optional<Descriptor> descriptor = decode(value);
    if (!descriptor || !descriptor->address.symbol) {
      reporter.report(mma, 4) << "expected the descriptor of " << operand
                              << " to be the address of shared memory / 16 and a constant word, got another value";
      return;
    }
    uint32_t high = descriptor->high;
    if (getSwizzleMode(high) != kSwizzle128Mode)
      reporter.report(mma, 4) << "expected the descriptor of " << operand << " to have swizzle mode " << kSwizzle128Mode
                              << " (128 bytes), got " << getSwizzleMode(high);
    else if (getStrideBytes(high) != kSwizzleBytes)
      reporter.report(mma, 4) << "expected the descriptor of " << operand << " to have " << kSwizzleBytes
                              << " bytes between groups of 8 rows, got " << getStrideBytes(high);
    else if (getBaseOffset(high) != 0)
      reporter.report(mma, 4) << "expected the descriptor of " << operand << " to have base offset 0, got "
                              << getBaseOffset(high);
    else
      checkPlace(mma, operand, descriptor->address, type, rows, step);
  }

  /// Splits `address` into what the thread index decides and the stage.
  void checkPlace(NVVM::WgmmaMmaAsyncOp mma, StringRef operand, const Address &address, NVVM::WGMMATypes type,
                  int64_t rows, int64_t step) {
    Address start = address;
    start.terms.clear();
    int64_t stride = 0;
    for (auto &[value, factor] : address.terms) {
      if (kernel.values.getScope(value) < Scope::warpgroup) {
        reporter.report(mma, 4) << "expected one descriptor of " << operand << " in all threads of the warpgroup";
        return;
      }
      if (kernel.values.getValues(value))
        start.terms.push_back({value, factor});
      else if (stride == 0)
        stride = factor;
      else
        stride = -1; // two unknown parts fit no tile
    }
    auto bytes = getSharedBytes(kernel, start, mma->getBlock());
    if (!bytes)
      return;                   // no thread comes here
    const Tile *tile = nullptr; // the last that starts before
    for (const Tile &each : tiles)
      if (each.symbol == start.symbol && each.first <= bytes->first && (!tile || each.first > tile->first))
        tile = &each;
    if (!tile || (stride != 0 && stride != tile->stride)) {
      reporter.report(mma, 4) << "expected the descriptor of " << operand
                              << " to address a stage of a tile that TMA loads, got byte " << bytes->first
                              << " of shared memory and stages " << stride << " bytes apart";
      return;
    }
    auto inStage = [&](int64_t byte) {
      return tile->stride > 0 ? (byte - tile->first) % tile->stride : byte - tile->first;
    };
    int64_t first = inStage(bytes->first), last = inStage(bytes->second);
    if (first % kSwizzleBytes != kMmaBytes * step || (last - first) % kSwizzleBytes != 0)
      reporter.report(mma, 4) << "expected the descriptor of " << operand << " to start at byte " << kMmaBytes * step
                              << " of " << kSwizzleBytes << " (8 rows, K step " << step << "), got byte "
                              << (first % kSwizzleBytes != kMmaBytes * step ? first : last) % kSwizzleBytes;
    else if (last / kRowBytes + rows > tile->bytes / kRowBytes)
      reporter.report(mma, 4) << "expected " << operand << " to have " << rows << " rows from row " << last / kRowBytes
                              << " of a tile, got a tile of " << tile->bytes / kRowBytes;
    else if (!matches(type, tile->element))
      reporter.report(mma, 4) << "expected the type of " << operand << " to be that of its tile, " << tile->element
                              << ", got " << NVVM::stringifyWGMMATypes(type);
  }

  static bool matches(NVVM::WGMMATypes type, Type element) {
    return (type == NVVM::WGMMATypes::e4m3 && isa<Float8E4M3FNType>(element)) ||
           (type == NVVM::WGMMATypes::e5m2 && isa<Float8E5M2Type>(element));
  }

  Kernel &kernel;
  Reporter &reporter;
  SmallVector<Tile> tiles;
};

} // namespace

void fp8gemm::kernel::checkDescriptors(Kernel &kernel, Reporter &reporter) {
  DescriptorChecker checker(kernel, reporter);
  kernel.func.walk([&](NVVM::CpAsyncBulkTensorGlobalToSharedClusterOp load) { checker.collect(load); });
  checker.join();
  kernel.func.walk([&](NVVM::WgmmaMmaAsyncOp mma) { checker.check(mma); });
}
