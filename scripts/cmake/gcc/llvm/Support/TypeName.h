// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// LLVM's header of this name, for files that GCC compiles and that use a libMLIR compiled by clang; found before it.
//
// MLIR identifies a trait by an inline variable, of which each library that hides its C++ has its own copy. All copies
// get their value by the trait's name, but the two compilers spell it differently:
//
//   clang  mlir::OpTrait::IsTerminator<Empty>
//   GCC    mlir::OpTrait::IsTerminator<mlir::TypeID::get<mlir::OpTrait::IsTerminator>()::Empty>
//
// Without clang's spelling, no operation would have the traits that such a library asks it for. CompilerCApiTest and
// test/Plugin/mlir-opt.mlir fail then.

#ifndef FP8GEMM_CMAKE_GCC_LLVM_SUPPORT_TYPENAME_H
#define FP8GEMM_CMAKE_GCC_LLVM_SUPPORT_TYPENAME_H

#ifdef __clang__ // posing as GCC
#include_next "llvm/Support/TypeName.h"
#else

#define getTypeName getTypeNameByGcc
#include_next "llvm/Support/TypeName.h"
#undef getTypeName

#include <array>

namespace llvm {
namespace typeName {

/// The same name as a text of clang's: all up to `<mlir::TypeID::get<`, then `<Empty>`.
template <typename T> struct ByClang {
  static constexpr std::string_view name = getTypeNameByGcc<T>();
  static constexpr std::string_view local = "()::Empty>", spelled = "<Empty>";
  static constexpr size_t kept = name.find("<mlir::TypeID::get<");
  static constexpr bool differs = kept != std::string_view::npos && name.substr(name.size() - local.size()) == local;

  static constexpr auto makeText() {
    std::array<char, differs ? kept + spelled.size() : 0> text{};
    for (size_t i = 0; i < text.size(); ++i)
      text[i] = i < kept ? name[i] : spelled[i - kept];
    return text;
  }
  static constexpr auto text = makeText();
};

} // namespace typeName

template <typename T> constexpr StringRef getTypeName() {
  using Name = typeName::ByClang<T>;
  if constexpr (Name::differs)
    return StringRef(Name::text.data(), Name::text.size());
  else
    return Name::name;
}

} // namespace llvm

#endif // __clang__

#endif // FP8GEMM_CMAKE_GCC_LLVM_SUPPORT_TYPENAME_H
