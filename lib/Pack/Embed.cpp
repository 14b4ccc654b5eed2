// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "Embed.h"

#include "PackFile.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/IR/Constants.h"
#include "llvm/IR/LegacyPassManager.h"
#include "llvm/IR/Module.h"
#include "llvm/MC/TargetRegistry.h"
#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/Path.h"
#include "llvm/Support/TargetSelect.h"
#include "llvm/Target/TargetMachine.h"
#include "llvm/Target/TargetOptions.h"
#include "llvm/TargetParser/Host.h"

using namespace llvm;

namespace fp8gemm {

std::string symbolOf(StringRef path) {
  std::string symbol = sys::path::stem(path).str();
  for (char &letter : symbol)
    if (!isAlnum(letter))
      letter = '_';
  return symbol.empty() || isDigit(symbol.front()) ? "_" + symbol : symbol;
}

static Expected<std::unique_ptr<TargetMachine>> hostMachine() {
  InitializeNativeTarget();
  InitializeNativeTargetAsmPrinter();
  Triple triple(sys::getDefaultTargetTriple());
  std::string error;
  const Target *target = TargetRegistry::lookupTarget(triple, error);
  if (!target)
    return createStringError("cannot make object files for " + triple.str() + ": " + error);
  std::unique_ptr<TargetMachine> machine(
      target->createTargetMachine(triple, /*CPU=*/"", /*Features=*/"", TargetOptions(), Reloc::PIC_));
  if (!machine)
    return createStringError("cannot make object files for " + triple.str());
  return machine;
}

Expected<std::string> embedObject(StringRef pack, StringRef symbol) {
  if (symbol.empty() || isDigit(symbol.front()) || !all_of(symbol, [](char c) { return isAlnum(c) || c == '_'; }))
    return createStringError("expected a symbol of letters, digits and '_', got '" + symbol + "'");
  Expected<std::unique_ptr<TargetMachine>> machine = hostMachine();
  if (!machine)
    return machine.takeError();
  LLVMContext context;
  Module module(symbol, context);
  module.setTargetTriple((*machine)->getTargetTriple());
  module.setDataLayout((*machine)->createDataLayout());
  auto addConstant = [&](const Twine &name, Constant *value, uint64_t alignment) {
    auto *global =
        new GlobalVariable(module, value->getType(), /*isConstant=*/true, GlobalValue::ExternalLinkage, value, name);
    global->setAlignment(Align(alignment));
  };
  addConstant(symbol, ConstantDataArray::getString(context, pack, /*AddNull=*/false), format::kCubinAlignment);
  IntegerType *size = module.getDataLayout().getIntPtrType(context);
  addConstant(symbol + "_size", ConstantInt::get(size, pack.size()), size->getBitWidth() / 8);

  SmallVector<char, 0> object;
  raw_svector_ostream os(object);
  legacy::PassManager passes;
  if ((*machine)->addPassesToEmitFile(passes, os, /*DwoOut=*/nullptr, CodeGenFileType::ObjectFile))
    return createStringError("cannot make object files for " + module.getTargetTriple().str());
  passes.run(module);
  return std::string(object.begin(), object.end());
}

std::string embedHeader(StringRef symbol) {
  std::string guard = "FP8GEMM_PACK_" + symbol.upper() + "_H";
  return formatv(R"(/* A pack, in the object file beside this header: both are made by fp8gemm-inspect. */
#ifndef {0}
#define {0}

#include <stddef.h>

#ifdef __cplusplus
extern "C" {{
#endif

/* For fp8gemm_pack_open_memory({1}, {1}_size, &pack). */
extern const unsigned char {1}[];
extern const size_t {1}_size;

#ifdef __cplusplus
}
#endif

#endif /* {0} */
)",
                 guard, symbol);
}

} // namespace fp8gemm
