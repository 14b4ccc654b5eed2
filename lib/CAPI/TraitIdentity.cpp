// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// MLIR knows a trait by an inline variable, which each library that shows no C++ has a copy of. All copies get their
// value by a name, but the compilers spell that one differently:
//
//   clang  mlir::OpTrait::IsTerminator<Empty>
//   GCC    mlir::OpTrait::IsTerminator<mlir::TypeID::get<mlir::OpTrait::IsTerminator>()::Empty>
//
// Debian's libMLIR is made by clang, this library usually by GCC: without help no operation would have the traits that
// it is asked for. The linker leads our look-ups here (--wrap), where the name is spelled as libMLIR spells it. So it
// does not matter who loaded libMLIR before, and how.

#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/MLIRContext.h"

#include <string>

using namespace mlir;

#define FP8GEMM_LOOK_UP(prefix)                                                                                        \
  prefix##_ZN4mlir6detail22FallbackTypeIDResolver22registerImplicitTypeIDEN4llvm9StringRefE

extern "C" TypeID FP8GEMM_LOOK_UP(__real_)(llvm::StringRef name);

/// Whether libMLIR finds a trait that it has by clang's name.
static bool isSpelledByClang() {
  static const bool answer = [] {
    MLIRContext context(MLIRContext::Threading::DISABLED);
    return OperationName(ModuleOp::getOperationName(), &context)
        .hasTrait(FP8GEMM_LOOK_UP(__real_)("mlir::OpTrait::SymbolTable<Empty>"));
  }();
  return answer;
}

extern "C" TypeID FP8GEMM_LOOK_UP(__wrap_)(llvm::StringRef name) {
  auto [trait, local] = name.split("<mlir::TypeID::get<");
  if (!local.ends_with("()::Empty>") || !isSpelledByClang())
    return FP8GEMM_LOOK_UP(__real_)(name);
  // MLIR keeps the text's place, for as long as there are traits; each is asked for once.
  return FP8GEMM_LOOK_UP(__real_)(*new std::string((trait + "<Empty>").str()));
}
