// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "Constants.h"

#include <cstring>

using namespace mlir;

namespace fp8gemm::runtime_conversion {

LLVM::GlobalOp Constants::add(StringRef name, Type type, bool isConstant, Attribute value, unsigned alignment) {
  if (last)
    builder.setInsertionPointAfter(last);
  last =
      LLVM::GlobalOp::create(builder, type, isConstant, LLVM::Linkage::Internal, name, value, /*alignment=*/alignment);
  symbols.insert(last);
  return last;
}

LLVM::GlobalOp Constants::addFile(StringRef name, LLVM::GlobalOp bytes, uint64_t size, LLVM::GlobalOp path,
                                  bool isPack) {
  Type pointer = LLVM::LLVMPointerType::get(builder.getContext()), i64 = builder.getI64Type();
  Type type = LLVM::LLVMStructType::getLiteral(builder.getContext(), {pointer, i64, pointer, i64, pointer});
  LLVM::GlobalOp file = add((name + "_file").str(), type, /*isConstant=*/false, Attribute(), 8);
  OpBuilder::InsertionGuard guard(builder);
  builder.createBlock(&file.getInitializerRegion());
  Value value = LLVM::ZeroOp::create(builder, type);
  auto set = [&](int64_t field, Value part) { value = LLVM::InsertValueOp::create(builder, value, part, field); };
  auto number = [&](uint64_t number) {
    return LLVM::ConstantOp::create(builder, i64, builder.getI64IntegerAttr(number));
  };
  if (bytes) {
    set(0, LLVM::AddressOfOp::create(builder, bytes));
    set(1, number(size));
  }
  if (path)
    set(2, LLVM::AddressOfOp::create(builder, path));
  if (isPack)
    set(3, number(1));
  LLVM::ReturnOp::create(builder, value);
  return file;
}

/// A constant of the bytes of `text`.
static Type arrayOf(Builder &builder, StringRef text) {
  return LLVM::LLVMArrayType::get(builder.getI8Type(), text.size());
}

LLVM::GlobalOp Constants::addFile(StringRef name, StringRef bytes, bool isPack) {
  LLVM::GlobalOp contents = add((name + "_bytes").str(), arrayOf(builder, bytes), /*isConstant=*/true,
                                builder.getStringAttr(bytes), format::kProgramFileAlignment);
  return addFile(name, contents, bytes.size(), LLVM::GlobalOp(), isPack);
}

LLVM::GlobalOp Constants::addPackPath(StringRef name, StringRef path) {
  std::string text = path.str() + '\0';
  LLVM::GlobalOp contents =
      add((name + "_path").str(), arrayOf(builder, text), /*isConstant=*/true, builder.getStringAttr(text), 1);
  return addFile(name, LLVM::GlobalOp(), 0, contents, /*isPack=*/true);
}

LLVM::GlobalOp Constants::addProblem(StringRef name, const format::Problem &problem) {
  // As it lies in memory: extents of 64 bits, then all else of 32.
  constexpr size_t kLongs = offsetof(format::Problem, a) / 8, kInts = (sizeof(problem) - kLongs * 8) / 4;
  struct {
    int64_t longs[kLongs];
    int32_t ints[kInts];
  } words;
  static_assert(sizeof(words) == sizeof(problem));
  std::memcpy(&words, &problem, sizeof(words));
  SmallVector<Type> types(kLongs, builder.getI64Type());
  types.append(kInts, builder.getI32Type());
  SmallVector<Attribute> values;
  for (int64_t value : words.longs)
    values.push_back(builder.getI64IntegerAttr(value));
  for (int32_t value : words.ints)
    values.push_back(builder.getI32IntegerAttr(value));
  return add((name + "_problem").str(), LLVM::LLVMStructType::getLiteral(builder.getContext(), types),
             /*isConstant=*/true, builder.getArrayAttr(values), 8);
}

} // namespace fp8gemm::runtime_conversion
