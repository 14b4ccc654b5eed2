// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "fp8gemm/Dialect/Hopper/IR/Diagnostics.h"
#include "fp8gemm/Dialect/Hopper/IR/Hopper.h"
#include "fp8gemm/Target/Target.h"

#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/LLVMIR/NVVMDialect.h"
#include "mlir/Target/LLVM/ModuleToObject.h"
#include "mlir/Target/LLVMIR/Dialect/Builtin/BuiltinToLLVMIRTranslation.h"
#include "mlir/Target/LLVMIR/Dialect/GPU/GPUToLLVMIRTranslation.h"
#include "mlir/Target/LLVMIR/Dialect/LLVMIR/LLVMToLLVMIRTranslation.h"
#include "mlir/Target/LLVMIR/Dialect/NVVM/NVVMToLLVMIRTranslation.h"
#include "mlir/Target/LLVMIR/LLVMTranslationInterface.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/IR/DebugInfo.h"
#include "llvm/IR/DiagnosticInfo.h"
#include "llvm/IR/DiagnosticPrinter.h"
#include "llvm/IR/Module.h"
#include "llvm/Support/TargetSelect.h"
#include "llvm/Target/TargetMachine.h"

using namespace mlir;

namespace fp8gemm::target {

namespace {

/// The first PTX version that has what the kernels use; LLVM's default for
/// sm_90a, 8.0, is too old.
constexpr llvm::StringLiteral kFeatures = "+ptx86";
constexpr llvm::StringLiteral kTriple = "nvptx64-nvidia-cuda";

/// Longer names are legal, but PTX promises no more (PTX ISA, "Identifiers").
constexpr size_t kMostNameBytes = 1024;

/// A name that is not an identifier of PTX ends the process in LLVM, or is a syntax error in ptxas.
bool isPtxIdentifier(StringRef name) {
  auto follows = [](char c) { return llvm::isAlnum(c) || c == '_' || c == '$'; };
  if (name.empty() || name.size() > kMostNameBytes || !llvm::all_of(name, follows))
    return false;
  return llvm::isAlpha(name.front()) || (name.size() > 1 && !llvm::isDigit(name.front()));
}

/// The first symbol of `module` that PTX can't name, if there is one. Of local symbols LLVM replaces some characters.
std::optional<StringRef> findUnnameable(const llvm::Module &module) {
  for (const llvm::GlobalValue &symbol : module.global_values()) {
    if (symbol.getName().empty() || symbol.getName().starts_with("llvm.")) // LLVM names it; no symbol of PTX
      continue;
    std::string name = symbol.getName().str();
    if (symbol.hasLocalLinkage())
      std::replace_if(
          name.begin(), name.end(), [](char c) { return c == '.' || c == '@'; }, '_');
    if (!isPtxIdentifier(name))
      return symbol.getName();
  }
  return std::nullopt;
}

InFlightDiagnostic emitUnnameable(Location loc, StringRef name) {
  return mlir::emitError(loc) << "expected symbols of a kernel's module to be PTX identifiers, of 1 to "
                              << kMostNameBytes << " letters, digits, _ and $ that don't start with a digit, got '"
                              << name.take_front(kMostNameBytes) << "': rename it";
}

/// The first file in the line numbers of `module` with a character in its path for which `holds`.
std::optional<std::string> findFile(const llvm::Module &module, bool (*holds)(unsigned char)) {
  llvm::DebugInfoFinder finder;
  finder.processModule(module);
  auto path = [&](const llvm::DIFile *file) -> std::optional<std::string> {
    if (!file || (llvm::none_of(file->getFilename(), holds) && llvm::none_of(file->getDirectory(), holds)))
      return std::nullopt;
    StringRef folder = file->getDirectory();
    return (folder + (folder.empty() ? "" : "/") + file->getFilename()).str();
  };
  for (const llvm::DICompileUnit *unit : finder.compile_units())
    if (auto found = path(unit->getFile()))
      return found;
  for (const llvm::DISubprogram *subprogram : finder.subprograms())
    if (auto found = path(subprogram->getFile()))
      return found;
  for (const llvm::DIScope *scope : finder.scopes())
    if (auto found = path(scope->getFile()))
      return found;
  return std::nullopt;
}

/// PTX has no escapes in paths: LLVM's would end up in the line numbers, or end the path.
bool isUnquotable(unsigned char c) { return c == '"' || c == '\\' || c < 0x20 || c == 0x7f; }
bool isNotAscii(unsigned char c) { return c >= 0x80; }

/// LLVM IR -> PTX, after upstream's translation and optimisation.
class PtxTranslator : public LLVM::ModuleToObject {
public:
  using ModuleToObject::ModuleToObject;

protected:
  /// LLVM's messages about the code become ordinary diagnostics. Its own handler writes to stderr, and ends the
  /// process for an error.
  void handleModulePreLink(llvm::Module &module) override {
    module.getContext().setDiagnosticHandlerCallBack(
        [](const llvm::DiagnosticInfo *info, void *self) {
          auto &translator = *static_cast<PtxTranslator *>(self);
          std::string text;
          llvm::raw_string_ostream os(text);
          llvm::DiagnosticPrinterRawOStream printer(os);
          info->print(printer);
          if (info->getSeverity() == llvm::DS_Error) {
            translator.hasErrors = true;
            translator.getOperation().emitError("LLVM: ") << text;
          } else if (info->getSeverity() == llvm::DS_Warning) {
            translator.getOperation().emitWarning("LLVM: ") << text;
          }
        },
        this);
  }

  FailureOr<SmallVector<char, 0>> moduleToObject(llvm::Module &module) override {
    // Not as the operation's own error: a tool would print the whole module beside it.
    Location loc = getOperation().getLoc();
    if (std::optional<StringRef> name = findUnnameable(module))
      return emitUnnameable(loc, *name);
    if (std::optional<std::string> path = findFile(module, isUnquotable))
      return mlir::emitError(loc) << "expected paths in line numbers to be without quotes, backslashes and control "
                                     "characters, which PTX can't hold, got '"
                                  << *path << "': rename the file or its folder, or leave out line numbers";
    if (std::optional<std::string> path = findFile(module, isNotAscii))
      mlir::emitWarning(loc) << "line numbers are those of '" << *path
                             << "', but PTX has ASCII only: a profiler will look for it by another name";
    FailureOr<llvm::TargetMachine *> machine = getOrCreateTargetMachine();
    if (failed(machine))
      return getOperation().emitError("expected an LLVM with the NVPTX target, got one without");
    FailureOr<SmallString<0>> ptx = translateModuleToISA(module, **machine, [&] { return getOperation().emitError(); });
    if (failed(ptx) || hasErrors)
      return failure();
    return SmallVector<char, 0>(ptx->begin(), ptx->end());
  }

private:
  bool hasErrors = false;
};

/// hopper.entry is read for the manifest; LLVM IR has nothing for it.
struct HopperTranslation : LLVMTranslationDialectInterface {
  using LLVMTranslationDialectInterface::LLVMTranslationDialectInterface;

  LogicalResult convertOperation(Operation *op, llvm::IRBuilderBase &, LLVM::ModuleTranslation &) const override {
    return success(isa<hopper::EntryOp>(op));
  }
};

void initializeNVPTX() {
  static const bool once = [] {
    LLVMInitializeNVPTXTargetInfo();
    LLVMInitializeNVPTXTarget();
    LLVMInitializeNVPTXTargetMC();
    LLVMInitializeNVPTXAsmPrinter();
    return true;
  }();
  (void)once;
}

/// The module's own target, or null where it names none.
NVVM::NVVMTargetAttr getTarget(gpu::GPUModuleOp module) {
  if (ArrayAttr targets = module.getTargetsAttr())
    for (Attribute target : targets)
      if (auto nvvm = dyn_cast<NVVM::NVVMTargetAttr>(target))
        return nvvm;
  return {};
}

} // namespace

void registerTranslations(DialectRegistry &registry) {
  registerBuiltinDialectTranslation(registry);
  registerGPUDialectTranslation(registry);
  registerLLVMDialectTranslation(registry);
  registerNVVMDialectTranslation(registry);
  registry.addExtension(
      +[](MLIRContext *context, hopper::HopperDialect *dialect) { dialect->addInterfaces<HopperTranslation>(); });
}

FailureOr<LLVM::LLVMFuncOp> findKernel(gpu::GPUModuleOp module) {
  SmallVector<LLVM::LLVMFuncOp> kernels;
  for (auto func : module.getOps<LLVM::LLVMFuncOp>())
    if (func->hasAttr(NVVM::NVVMDialect::getKernelFuncAttrName()))
      kernels.push_back(func);
  if (kernels.size() != 1)
    return module.emitOpError("expected one llvm.func with ")
           << NVVM::NVVMDialect::getKernelFuncAttrName() << ", got " << kernels.size();
  return kernels.front();
}

FailureOr<std::string> translateToPtx(gpu::GPUModuleOp module, StringRef chip) {
  NVVM::NVVMTargetAttr target = getTarget(module);
  for (StringRef wanted : {chip, target ? target.getChip() : chip})
    if (wanted != kChip)
      return module.emitOpError("expected chip ") << kChip << ", got " << wanted;

  if (auto kernels = module.getOps<hopper::KernelOp>(); !kernels.empty())
    return hopper::emitWithoutRegions(*kernels.begin())
           << "expected kernels at the llvm level, got one at the hopper level";

  // Upstream's translation is not ready for an instruction outside of a function.
  for (Operation &op : *module.getBody())
    if (!isa<SymbolOpInterface, hopper::EntryOp, LLVM::GlobalCtorsOp, LLVM::GlobalDtorsOp, LLVM::ModuleFlagsOp>(op))
      return op.emitOpError("expected to be in a function, got it in a gpu.module");

  // To what has no name LLVM gives one.
  for (auto func : module.getOps<LLVM::LLVMFuncOp>())
    if (func.getName().empty())
      return emitUnnameable(module.getLoc(), func.getName());

  initializeNVPTX();
  PtxTranslator translator(*module, kTriple, kChip, target ? target.getFeatures() : StringRef(kFeatures),
                           target ? target.getO() : 3);
  std::optional<SmallVector<char, 0>> ptx = translator.run();
  if (!ptx)
    return failure();
  // The text ends where PTX does: upstream may append a terminator.
  return StringRef(ptx->data(), ptx->size()).rtrim('\0').str();
}

} // namespace fp8gemm::target
