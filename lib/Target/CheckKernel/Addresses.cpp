// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "Addresses.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/IR/Matchers.h"

using namespace mlir;
using namespace fp8gemm::kernel;

static std::optional<int64_t> getConstant(Value value) {
  APInt constant;
  if (!matchPattern(value, m_ConstantInt(&constant)))
    return std::nullopt;
  return constant.getSExtValue();
}

void Address::add(Value integer, int64_t factor) {
  if (std::optional<int64_t> value = getConstant(integer)) {
    constant += *value * factor;
    return;
  }
  Operation *op = integer.getDefiningOp();
  if (isa_and_nonnull<arith::AddIOp, arith::SubIOp>(op)) {
    add(op->getOperand(0), factor);
    add(op->getOperand(1), isa<arith::AddIOp>(op) ? factor : -factor);
    return;
  }
  if (isa_and_nonnull<arith::MulIOp>(op)) {
    if (std::optional<int64_t> by = getConstant(op->getOperand(1)))
      return add(op->getOperand(0), factor * *by);
    if (std::optional<int64_t> by = getConstant(op->getOperand(0)))
      return add(op->getOperand(1), factor * *by);
  }
  // An index of a kernel has 32 bits.
  if (isa_and_nonnull<arith::IndexCastOp, arith::IndexCastUIOp, arith::ExtUIOp>(op))
    return add(op->getOperand(0), factor);
  auto it = llvm::find_if(terms, [&](auto &term) { return term.first == integer; });
  if (it == terms.end())
    terms.push_back({integer, factor});
  else
    it->second += factor;
}

/// Bytes of an element that an address is counted in; nothing for aggregates.
static std::optional<int64_t> getBytes(Type type) {
  if (!type.isIntOrFloat() || type.getIntOrFloatBitWidth() % 8 != 0)
    return std::nullopt;
  return type.getIntOrFloatBitWidth() / 8;
}

Address Address::of(Value pointer) {
  Address address;
  for (;;) {
    if (auto cast = pointer.getDefiningOp<LLVM::AddrSpaceCastOp>()) {
      pointer = cast.getArg();
      continue;
    }
    auto sum = pointer.getDefiningOp<LLVM::GEPOp>();
    if (!sum || sum.getIndices().size() != 1 || isa<VectorType>(sum.getElemType()))
      break;
    std::optional<int64_t> bytes = getBytes(sum.getElemType());
    if (!bytes)
      break;
    auto index = sum.getIndices()[0];
    if (auto constant = dyn_cast<IntegerAttr>(index))
      address.constant += constant.getInt() * *bytes;
    else
      address.add(cast<Value>(index), *bytes);
    pointer = sum.getBase();
  }
  if (auto global = pointer.getDefiningOp<LLVM::AddressOfOp>())
    address.symbol = global.getGlobalNameAttr();
  else
    address.base = pointer;
  return address;
}

bool Address::operator==(const Address &other) const {
  if (symbol != other.symbol || base != other.base || constant != other.constant || terms.size() != other.terms.size())
    return false;
  return llvm::all_of(terms, [&](auto &term) { return llvm::is_contained(other.terms, term); });
}

bool Address::hasShapeOf(const Address &other) const {
  auto factorsOf = [](const Address &address) {
    SmallVector<int64_t> factors;
    for (auto &term : address.terms)
      factors.push_back(term.second);
    llvm::sort(factors);
    factors.erase(llvm::unique(factors), factors.end()); // a sum is multiplied as its parts are
    return factors;
  };
  return symbol == other.symbol && base == other.base && constant == other.constant &&
         factorsOf(*this) == factorsOf(other);
}
