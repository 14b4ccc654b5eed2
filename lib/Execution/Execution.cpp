// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "Operands.h"

#include "fp8gemm/Dialect/FP8Gemm/IR/FP8Gemm.h"
#include "fp8gemm/Execution/CpuPipeline.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/ExecutionEngine/ExecutionEngine.h"
#include "mlir/ExecutionEngine/OptUtils.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/Verifier.h"
#include "mlir/Pass/PassManager.h"
#include "mlir/Target/LLVMIR/Dialect/Builtin/BuiltinToLLVMIRTranslation.h"
#include "mlir/Target/LLVMIR/Dialect/LLVMIR/LLVMToLLVMIRTranslation.h"
#include "llvm/ExecutionEngine/Orc/JITTargetMachineBuilder.h"
#include "llvm/Support/MathExtras.h"
#include "llvm/Support/TargetSelect.h"
#include "llvm/Support/ThreadPool.h"
#include "llvm/Target/TargetMachine.h"

using namespace mlir;
using namespace fp8gemm::execution;
using fp8gemm::GroupingKind;
using fp8gemm::ScaleLayout;

/// Rows of D that one task computes: enough to repay extending B, few enough for
/// their sums to stay in cache.
static constexpr int64_t kTaskRows = 64;
static constexpr const char *kFunction = "gemm";

/// Operands in the order of Operands' members, and the description of the groups.
using Kernel = void (*)(Descriptor *a, Descriptor *sfa, Descriptor *b, Descriptor *sfb, Descriptor *c, Descriptor *d,
                        Descriptor *groups);

//===----------------------------------------------------------------------===//
// Build, compile, run
//===----------------------------------------------------------------------===//

static GroupingKind groupingOf(const fp8gemm_cpu_problem &p) {
  switch (p.grouping) {
  case FP8GEMM_CPU_ROW_INDEX:
    return GroupingKind::row_index;
  case FP8GEMM_CPU_ROW_END:
    return GroupingKind::row_end;
  case FP8GEMM_CPU_ROW_COUNT:
    return GroupingKind::row_count;
  default:
    return GroupingKind::k_count;
  }
}

/// A memref with any strides but the innermost.
static Type typeOf(const Operand &operand, Type element) {
  constexpr int64_t any = ShapedType::kDynamic;
  SmallVector<int64_t> shape{operand.groups, operand.anyRows ? any : operand.rows,
                             operand.anyColumns ? any : operand.columns};
  SmallVector<int64_t> strides{any, any, 1};
  auto layout = StridedLayoutAttr::get(element.getContext(), /*offset=*/0, ArrayRef(strides).take_back(operand.rank));
  return MemRefType::get(ArrayRef(shape).take_back(operand.rank), element, layout);
}

/// func.func @gemm of memrefs with any leading dimensions and group strides, around one product.
/// Null, with a diagnostic, if the description of the groups cannot be read so.
static OwningOpRef<ModuleOp> buildModule(MLIRContext &context, const fp8gemm_cpu_problem &p, const Operands &operands) {
  ImplicitLocOpBuilder b(UnknownLoc::get(&context), &context);
  auto f8 = [&](int32_t type) -> Type {
    return type == FP8GEMM_CPU_E4M3 ? Type(Float8E4M3FNType::get(&context)) : Float8E5M2Type::get(&context);
  };
  fp8gemm::GroupingAttr grouping;
  if (isDescribed(p))
    grouping = fp8gemm::GroupingAttr::getChecked([&] { return emitError(b.getLoc()); }, &context, groupingOf(p),
                                                 p.group_align);
  if (isDescribed(p) && !grouping)
    return nullptr;

  OwningOpRef<ModuleOp> module = ModuleOp::create(b.getLoc());
  b.setInsertionPointToStart(module->getBody());
  Type f32 = b.getF32Type(), d = typeOf(operands.d, p.d_type == FP8GEMM_CPU_F32 ? f32 : b.getBF16Type());
  int64_t entries = p.grouping == FP8GEMM_CPU_ROW_INDEX ? ShapedType::kDynamic : describedEntries(p);
  FunctionType functionType =
      b.getFunctionType({typeOf(operands.a, f8(p.a_type)), typeOf(operands.sfa, f32), typeOf(operands.b, f8(p.b_type)),
                         typeOf(operands.sfb, f32), d, d, MemRefType::get(entries, b.getI32Type())},
                        {});
  auto function = func::FuncOp::create(b, kFunction, functionType);
  function->setAttr(LLVM::LLVMDialect::getEmitCWrapperAttrName(), b.getUnitAttr());
  Block *body = function.addEntryBlock();
  b.setInsertionPointToStart(body);
  auto scale = [&](int64_t rows, int32_t layout) {
    return fp8gemm::ScaleAttr::get(&context, rows, kBlockK,
                                   isMnMajor(layout) ? ScaleLayout::mn_major : ScaleLayout::k_major);
  };
  auto arguments = body->getArguments();
  fp8gemm::ScaledMatrix matrixA(arguments[0], arguments[1], scale(1, p.sfa_layout)),
      matrixB(arguments[2], arguments[3], scale(p.sfb_block_rows, p.sfb_layout));
  Value c = !hasC(p) ? Value() : arguments[isInPlace(p) ? 5 : 4], groups = grouping ? arguments[6] : Value();
  if (p.grouping == FP8GEMM_CPU_NOT_GROUPED)
    fp8gemm::GemmOp::create(b, matrixA, matrixB, arguments[5], c);
  else if (isKGrouped(p))
    fp8gemm::KGroupedGemmOp::create(b, matrixA, matrixB, arguments[5], groups, c);
  else
    fp8gemm::GroupedGemmOp::create(b, matrixA, matrixB, arguments[5], groups, grouping, c);
  func::ReturnOp::create(b);
  return module;
}

static llvm::Expected<std::unique_ptr<ExecutionEngine>> compile(ModuleOp module) {
  llvm::InitializeNativeTarget();
  llvm::InitializeNativeTargetAsmPrinter();
  auto builder = llvm::orc::JITTargetMachineBuilder::detectHost();
  if (!builder)
    return builder.takeError();
  auto machine = builder->createTargetMachine();
  if (!machine)
    return machine.takeError();
  auto transformer = makeOptimizingTransformer(/*optLevel=*/3, /*sizeLevel=*/0, machine->get());
  ExecutionEngineOptions options;
  options.transformer = transformer;
  options.jitCodeGenOptLevel = llvm::CodeGenOptLevel::Default;
  options.enableGDBNotificationListener = false;
  options.enablePerfNotificationListener = false;
  return ExecutionEngine::create(module, options, std::move(*machine));
}

/// Rows of D depend on nothing but their own rows of A, so they are tasks; the groups of a problem are one.
static void runTasks(Kernel kernel, const fp8gemm_cpu_problem &p, const Operands &operands, int32_t threads) {
  void *description = const_cast<int32_t *>(p.description);
  Descriptor groups{description, description, 0, {describedEntries(p), 1}};
  if (p.grouping != FP8GEMM_CPU_NOT_GROUPED) {
    Descriptor a = operands.a.whole(), sfa = operands.sfa.whole(), b = operands.b.whole(), sfb = operands.sfb.whole();
    Descriptor c = operands.c.whole(), d = operands.d.whole();
    return kernel(&a, &sfa, &b, &sfb, &c, &d, &groups);
  }
  llvm::StdThreadPool pool(llvm::hardware_concurrency(threads));
  for (int64_t first = 0; first < p.m; first += kTaskRows)
    pool.async([&, first] {
      int64_t count = std::min(kTaskRows, p.m - first);
      Descriptor a = operands.a.part(false, first, count), b = operands.b.whole();
      Descriptor sfa = operands.sfa.part(isMnMajor(p.sfa_layout), first, count), sfb = operands.sfb.whole();
      Descriptor c = operands.c.part(false, first, count), d = operands.d.part(false, first, count);
      Descriptor none = groups;
      kernel(&a, &sfa, &b, &sfb, &c, &d, &none);
    });
  pool.wait();
}

/// Empty, or what went wrong.
static std::string run(const fp8gemm_cpu_problem &p, int32_t threads) {
  if (std::string error = checkProblem(p); !error.empty())
    return error;
  DialectRegistry registry;
  fp8gemm::execution::registerCpuDialects(registry);
  registerBuiltinDialectTranslation(registry);
  registerLLVMDialectTranslation(registry);
  MLIRContext context(registry, MLIRContext::Threading::DISABLED);
  context.loadDialect<fp8gemm::FP8GemmDialect, func::FuncDialect, LLVM::LLVMDialect>();
  std::string errors;
  ScopedDiagnosticHandler handler(&context, [&](Diagnostic &diagnostic) {
    if (diagnostic.getSeverity() == DiagnosticSeverity::Error)
      errors += (errors.empty() ? "" : "; ") + diagnostic.str();
    return success();
  });

  Operands operands(p);
  OwningOpRef<ModuleOp> module = buildModule(context, p, operands);
  if (!module || failed(verify(*module)))
    return errors;
  if (std::string error = checkOperands(p, operands); !error.empty())
    return error;

  PassManager pm(&context);
  fp8gemm::execution::buildCpuPipeline(pm);
  if (failed(pm.run(*module)))
    return errors.empty() ? "expected fp8gemm-to-llvm-cpu to succeed, got a failure without a message" : errors;
  auto engine = compile(*module);
  if (!engine)
    return "expected to compile for this CPU, got: " + llvm::toString(engine.takeError());
  auto symbol = (*engine)->lookup(std::string("_mlir_ciface_") + kFunction);
  if (!symbol)
    return "expected the compiled function, got: " + llvm::toString(symbol.takeError());
  runTasks(reinterpret_cast<Kernel>(*symbol), p, operands, threads);
  return "";
}

extern "C" int fp8gemm_cpu_gemm(const fp8gemm_cpu_problem *problem, int32_t threads, char *message,
                                size_t messageSize) {
  std::string error;
  if (!problem)
    error = "expected a problem, got a null pointer";
  else if (threads < 0)
    error = "expected at least 0 threads, got " + std::to_string(threads);
  else
    error = run(*problem, threads);
  if (message && messageSize > 0) {
    size_t length = error.copy(message, messageSize - 1);
    message[length] = '\0';
  }
  return error.empty() ? 0 : 1;
}
