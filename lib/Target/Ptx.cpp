// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

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

/// LLVM IR -> PTX, after upstream's translation and optimisation.
class PtxTranslator : public LLVM::ModuleToObject {
public:
  using ModuleToObject::ModuleToObject;

protected:
  /// What LLVM says of the code is said as any other diagnostic. Its own handler writes to stderr, and ends the
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

/// hopper's attributes speak to the manifest; LLVM IR has no word for them. Without
/// an interface that accepts them, upstream warns.
struct HopperTranslation : LLVMTranslationDialectInterface {
  using LLVMTranslationDialectInterface::LLVMTranslationDialectInterface;
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
