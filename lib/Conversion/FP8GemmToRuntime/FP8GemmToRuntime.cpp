// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// convert-fp8gemm-to-runtime: host functions call the runtime.

#include "Constants.h"

#include "fp8gemm/Conversion/Passes.h"
#include "fp8gemm/Dialect/FP8Gemm/IR/Epilogue.h"
#include "fp8gemm/Dialect/FP8Gemm/IR/Problem.h"
#include "fp8gemm/Support/Files.h"
#include "mlir/Conversion/LLVMCommon/TypeConverter.h"
#include "mlir/Dialect/ControlFlow/IR/ControlFlowOps.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/GPU/IR/GPUDialect.h"

namespace fp8gemm {
#define GEN_PASS_DEF_CONVERTFP8GEMMTORUNTIMEPASS
#include "fp8gemm/Conversion/Passes.h.inc"
} // namespace fp8gemm

using namespace mlir;
using namespace fp8gemm;
using namespace fp8gemm::runtime_conversion;

/// Operands in this memory space are in device memory (NVVM's global memory).
static constexpr int64_t kDeviceSpace = 1;

namespace {

/// An operand of fp8gemm_program_run_operands.
struct Passed {
  Value value;
  const format::OperandRow *row;
};

/// Those that the product has, in the order of the table.
SmallVector<Passed> operandsOf(ProductOpInterface op) {
  SmallVector<Passed> operands;
  for (const format::OperandRow &row : format::kOperands)
    if (Value value = operandOf(op, row))
      operands.push_back({value, &row});
  return operands;
}

struct ConvertFP8GemmToRuntime : fp8gemm::impl::ConvertFP8GemmToRuntimePassBase<ConvertFP8GemmToRuntime> {
  using ConvertFP8GemmToRuntimePassBase::ConvertFP8GemmToRuntimePassBase;

  void runOnOperation() override;

private:
  LogicalResult checkOptions();
  LogicalResult convert(ProductOpInterface op);
  FailureOr<LLVM::GlobalOp> kernelFile(ProductOpInterface op);
  FailureOr<LLVM::GlobalOp> packFile();
  LogicalResult readPack();
  LogicalResult checkInPack(ProductOpInterface op);
  /// What the runtime is asked for.
  format::Problem problemOf(ProductOpInterface op);
  FailureOr<uint32_t> deviceOperands(ProductOpInterface op);
  func::FuncOp addCaller(ProductOpInterface op, LLVM::GlobalOp file, uint32_t deviceOperands, FunctionType type);
  LLVM::LLVMFuncOp declare(StringRef name, Type result, ArrayRef<Type> inputs);
  void eraseEmbeddedKernels();

  std::optional<Constants> constants;
  LLVM::GlobalOp packGlobal;
  std::shared_ptr<llvm::MemoryBuffer> packBytes; ///< of a pack that is embedded
  format::PackFile packContents;
  llvm::DenseMap<Operation *, LLVM::GlobalOp> files; ///< of each gpu.binary
  /// The function that runs operations that are equal except for their operands.
  llvm::DenseMap<Attribute, func::FuncOp> callers;
};

} // namespace

LogicalResult ConvertFP8GemmToRuntime::checkOptions() {
  Location loc = getOperation().getLoc();
  if (memory != "host" && memory != "device")
    return emitError(loc) << "expected memory=host or memory=device, got '" << memory << "'";
  if (pack.empty() && (embedPack || batchInvariant))
    return emitError(loc) << "expected 'pack' with " << (embedPack ? "embed-pack" : "batch-invariant") << ", got none";
  return success();
}

/// The compiled kernel that `op` names, as a file in the module.
FailureOr<LLVM::GlobalOp> ConvertFP8GemmToRuntime::kernelFile(ProductOpInterface op) {
  SymbolRefAttr kernel = op.getKernelAttr();
  if (!kernel)
    return op->emitOpError("expected a kernel, got none: run the pipeline fp8gemm-to-cubin before, or name a 'pack'");
  Operation *found = SymbolTable::lookupSymbolIn(getOperation(), kernel.getRootReference());
  auto binary = dyn_cast_if_present<gpu::BinaryOp>(found);
  auto object = binary && binary.getObjects().size() == 1 ? dyn_cast<gpu::ObjectAttr>(binary.getObjects()[0]) : nullptr;
  if (!object)
    return op->emitOpError("expected kernel ")
           << kernel.getRootReference()
           << " to be a gpu.binary with one object, as fp8gemm-serialize-kernels makes, got "
           << (found ? found->getName().getStringRef() : "none");
  LLVM::GlobalOp &file = files[binary];
  if (!file)
    file = constants->addFile(binary.getName(), object.getObject().getValue(), /*isPack=*/false);
  return file;
}

FailureOr<LLVM::GlobalOp> ConvertFP8GemmToRuntime::packFile() {
  if (packGlobal)
    return packGlobal;
  if (!embedPack)
    return packGlobal = constants->addPackPath("fp8gemm_pack", pack);
  return packGlobal = constants->addFile("fp8gemm_pack", packBytes->getBuffer(), /*isPack=*/true);
}

/// Checks that the embedded file is a pack that the runtime will open.
LogicalResult ConvertFP8GemmToRuntime::readPack() {
  Location loc = getOperation().getLoc();
  llvm::Expected<std::unique_ptr<llvm::MemoryBuffer>> bytes = readFile(pack);
  if (!bytes)
    return emitError(loc) << llvm::toString(bytes.takeError());
  packBytes = std::move(*bytes);
  std::string error = format::readPack(packBytes->getBufferStart(), packBytes->getBufferSize(), packContents);
  return error.empty() ? success() : emitError(loc) << pack << ": " << error;
}

/// The pack has a plan of the product: the runtime's fp8gemm_pack_find will find it.
LogicalResult ConvertFP8GemmToRuntime::checkInPack(ProductOpInterface op) {
  const format::Problem wanted = problemOf(op);
  const auto &plans = *packContents.index->plans();
  if (llvm::any_of(plans, [&](const format::Plan *plan) {
        format::Problem problem = packContents.problemOf(*plan);
        problem.batchInvariant &= wanted.batchInvariant; // such a plan serves who doesn't ask for it, too
        return problem == wanted;
      }))
    return success();
  return op->emitOpError("expected a product of the ")
         << plans.size() << " in pack '" << pack << "' (fp8gemm-inspect lists them), got one that is not"
         << (batchInvariant ? " there with batch_invariant" : " there");
}

format::Problem ConvertFP8GemmToRuntime::problemOf(ProductOpInterface op) {
  format::Problem problem = fieldsForAnyM(op);
  problem.batchInvariant = batchInvariant;
  return problem;
}

FailureOr<uint32_t> ConvertFP8GemmToRuntime::deviceOperands(ProductOpInterface op) {
  uint32_t onDevice = 0;
  for (const Passed &operand : operandsOf(op)) {
    auto type = dyn_cast<MemRefType>(operand.value.getType());
    if (!type)
      return op->emitOpError("expected memrefs, got '")
             << operand.row->name << "' of type " << operand.value.getType() << ": run one-shot-bufferize before";
    Attribute space = type.getMemorySpace();
    auto number = dyn_cast_if_present<IntegerAttr>(space);
    if (space && !(number && number.getInt() == kDeviceSpace))
      return op->emitOpError("expected '") << operand.row->name << "' in the default memory space or in " << kDeviceSpace
                                           << " (device memory), got " << space;
    if (space || memory == "device")
      onDevice |= format::bitOf(operand.row->operand);
  }
  return onDevice;
}

LLVM::LLVMFuncOp ConvertFP8GemmToRuntime::declare(StringRef name, Type result, ArrayRef<Type> inputs) {
  if (auto declared = getOperation().lookupSymbol<LLVM::LLVMFuncOp>(name))
    return declared;
  auto builder = OpBuilder::atBlockBegin(getOperation().getBody());
  return LLVM::LLVMFuncOp::create(builder, getOperation().getLoc(), name, LLVM::LLVMFunctionType::get(result, inputs));
}

/// A function of the operands of `op`: spills their descriptors, calls the runtime, checks what it returns.
func::FuncOp ConvertFP8GemmToRuntime::addCaller(ProductOpInterface op, LLVM::GlobalOp file, uint32_t onDevice,
                                                FunctionType type) {
  MLIRContext *context = &getContext();
  ImplicitLocOpBuilder b(op.getLoc(), context);
  std::string name = ("fp8gemm_run_" + Twine(callers.size() - 1)).str();
  LLVM::GlobalOp problem = constants->addProblem(name, problemOf(op));
  auto pointer = LLVM::LLVMPointerType::get(context);
  Type i32 = b.getI32Type();
  LLVM::LLVMFuncOp run = declare(format::kProgramRun, i32, {pointer, pointer, i32, pointer, i32});
  LLVM::LLVMFuncOp fail = declare(format::kProgramFail, LLVM::LLVMVoidType::get(context), i32);

  b.setInsertionPoint(op->getParentOfType<func::FuncOp>());
  auto caller = func::FuncOp::create(b, name, type);
  caller.setPrivate();
  caller.setNoInline(true); // its allocas are those of one call
  SymbolTable(getOperation()).insert(caller, Block::iterator(op->getParentOfType<func::FuncOp>()));
  Block *entry = caller.addEntryBlock(), *failed = caller.addBlock(), *done = caller.addBlock();

  b.setInsertionPointToEnd(entry);
  LLVMTypeConverter converter(context);
  Value one = LLVM::ConstantOp::create(b, b.getI64Type(), b.getI64IntegerAttr(1));
  // An array of pointers to descriptors; null pointers of operands that the product does not have.
  SmallVector<Passed> passed = operandsOf(op);
  int64_t count = int64_t(passed.back().row->operand) + 1;
  auto arrayType = LLVM::LLVMArrayType::get(pointer, count);
  Value array = LLVM::AllocaOp::create(b, pointer, arrayType, one);
  LLVM::StoreOp::create(b, LLVM::ZeroOp::create(b, arrayType), array);
  for (auto [operand, memref] : llvm::zip_equal(passed, entry->getArguments())) {
    Type descriptor = converter.convertType(memref.getType());
    Value place = LLVM::AllocaOp::create(b, pointer, descriptor, one);
    Value contents = UnrealizedConversionCastOp::create(b, descriptor, memref).getResult(0);
    LLVM::StoreOp::create(b, contents, place);
    auto number = LLVM::GEPArg(int32_t(operand.row->operand));
    Value slot = LLVM::GEPOp::create(b, pointer, pointer, array, number);
    LLVM::StoreOp::create(b, place, slot);
  }
  Value ofFile = LLVM::AddressOfOp::create(b, file), ofProblem = LLVM::AddressOfOp::create(b, problem);
  Value bits = LLVM::ConstantOp::create(b, i32, b.getI32IntegerAttr(int32_t(onDevice)));
  Value operandCount = LLVM::ConstantOp::create(b, i32, b.getI32IntegerAttr(int32_t(count)));
  Value status = LLVM::CallOp::create(b, run, ValueRange{ofFile, ofProblem, bits, array, operandCount}).getResult();
  Value zero = LLVM::ConstantOp::create(b, i32, b.getI32IntegerAttr(0));
  Value good = LLVM::ICmpOp::create(b, LLVM::ICmpPredicate::eq, status, zero);
  cf::CondBranchOp::create(b, good, done, ValueRange(), failed, ValueRange());
  b.setInsertionPointToEnd(failed);
  LLVM::CallOp::create(b, fail, status);
  cf::BranchOp::create(b, done);
  b.setInsertionPointToEnd(done);
  func::ReturnOp::create(b);
  return caller;
}

LogicalResult ConvertFP8GemmToRuntime::convert(ProductOpInterface op) {
  if (!op->getParentOfType<func::FuncOp>())
    return op->emitOpError("expected to be in a func.func");
  if (!pack.empty() && !activationOf(op))
    return op->emitOpError(
        "expected an epilogue of row_scale, a bias and an activation, as the products of a pack have it, got another one; "
        "compute it after the product");
  FailureOr<uint32_t> onDevice = deviceOperands(op);
  if (failed(onDevice) || (embedPack && failed(checkInPack(op))))
    return failure();
  FailureOr<LLVM::GlobalOp> file = pack.empty() ? kernelFile(op) : packFile();
  if (failed(file))
    return failure();
  SmallVector<Value> operands;
  for (const Passed &operand : operandsOf(op))
    operands.push_back(operand.value);
  OpBuilder builder(op);
  auto type = builder.getFunctionType(TypeRange(operands), {});
  // With these equal, so is all else that matters. The kernel, or the activation of one of a pack, tells epilogues apart.
  SmallVector<NamedAttribute> attributes(op->getAttrs());
  attributes.push_back(builder.getNamedAttr("activation", builder.getI64IntegerAttr(int64_t(fieldsOf(op).activation))));
  attributes.push_back(builder.getNamedAttr("in_place", builder.getBoolAttr(op.isInPlace())));
  Attribute key = builder.getArrayAttr({builder.getStringAttr(op->getName().getStringRef()), TypeAttr::get(type),
                                        builder.getDictionaryAttr(attributes)});
  func::FuncOp &caller = callers[key];
  if (!caller)
    caller = addCaller(op, *file, *onDevice, type);
  func::CallOp::create(builder, op.getLoc(), caller, operands);
  op->erase();
  return success();
}

void ConvertFP8GemmToRuntime::eraseEmbeddedKernels() {
  ModuleOp module = getOperation();
  for (auto [binary, file] : files)
    if (SymbolTable::symbolKnownUseEmpty(binary, module))
      binary->erase();
  if (module.getOps<gpu::GPUModuleOp>().empty() && module.getOps<gpu::BinaryOp>().empty())
    module->removeAttr(gpu::GPUDialect::getContainerModuleAttrName());
}

void ConvertFP8GemmToRuntime::runOnOperation() {
  if (failed(checkOptions()) || (embedPack && failed(readPack())))
    return signalPassFailure();
  constants.emplace(getOperation());
  packGlobal = nullptr;
  files.clear();
  callers.clear();
  SmallVector<ProductOpInterface> products;
  getOperation().walk([&](ProductOpInterface op) { products.push_back(op); });
  for (ProductOpInterface op : products)
    if (failed(convert(op)))
      return signalPassFailure();
  eraseEmbeddedKernels();
}
