// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "fp8gemm/Execution/Execution.h"

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
using fp8gemm::ScaleLayout;

/// Rows of D that one task computes: enough to repay extending B, few enough for
/// their sums to stay in cache.
static constexpr int64_t kTaskRows = 64;
static constexpr int64_t kBlockK = 128;
static constexpr const char *kFunction = "gemm";

namespace {
/// A memref of rank 2, as the C interface of MLIR passes it.
struct Descriptor {
  void *allocated, *aligned;
  int64_t offset, sizes[2], strides[2];
};
using Kernel = void (*)(Descriptor *a, Descriptor *sfa, Descriptor *b, Descriptor *sfb, Descriptor *c, Descriptor *d);

/// An operand of the problem: [rows, columns] of storage.
struct Operand {
  StringRef name;
  fp8gemm_cpu_matrix matrix;
  int64_t rows, columns, elementBytes;
  bool alignedRows; ///< rows are 16 bytes apart or a multiple of it, as on the GPU

  /// `count` of M's entries from `first`, which are rows or columns.
  Descriptor part(bool mIsColumns, int64_t first, int64_t count) const {
    int64_t step = mIsColumns ? 1 : matrix.leading_dimension;
    void *start = static_cast<char *>(matrix.data) + first * step * elementBytes;
    return {start, start, 0, {mIsColumns ? rows : count, mIsColumns ? count : columns}, {matrix.leading_dimension, 1}};
  }
  Descriptor whole() const { return {matrix.data, matrix.data, 0, {rows, columns}, {matrix.leading_dimension, 1}}; }
};

struct Operands {
  Operand a, sfa, b, sfb, c, d; ///< c is d where there is no C
};
} // namespace

static bool hasC(const fp8gemm_cpu_problem &p) { return p.c.data != nullptr; }
static bool isInPlace(const fp8gemm_cpu_problem &p) {
  return p.c.data == p.d.data && p.c.leading_dimension == p.d.leading_dimension;
}

static bool isMnMajor(int32_t layout) { return layout == FP8GEMM_CPU_MN_MAJOR; }

static Operands operandsOf(const fp8gemm_cpu_problem &p) {
  int64_t kBlocks = llvm::divideCeil(p.k, kBlockK), nBlocks = llvm::divideCeil(p.n, p.sfb_block_rows);
  int64_t dBytes = p.d_type == FP8GEMM_CPU_F32 ? 4 : 2;
  auto scales = [&](StringRef name, fp8gemm_cpu_matrix matrix, bool mnMajor, int64_t mnBlocks, bool aligned) {
    return mnMajor ? Operand{name, matrix, kBlocks, mnBlocks, 4, aligned}
                   : Operand{name, matrix, mnBlocks, kBlocks, 4, false};
  };
  return {{"a", p.a, p.m, p.k, 1, true},
          scales("sfa", p.sfa, isMnMajor(p.sfa_layout), p.m, /*aligned=*/true),
          {"b", p.b, p.n, p.k, 1, true},
          scales("sfb", p.sfb, isMnMajor(p.sfb_layout), nBlocks, /*aligned=*/p.sfb_block_rows == 1),
          {"c", hasC(p) ? p.c : p.d, p.m, p.n, dBytes, true},
          {"d", p.d, p.m, p.n, dBytes, true}};
}

//===----------------------------------------------------------------------===//
// What the verifier of the operation cannot see
//===----------------------------------------------------------------------===//

static std::string checkProblem(const fp8gemm_cpu_problem &p) {
  if (p.m < 0)
    return "expected m of at least 0, got " + std::to_string(p.m);
  if (p.n <= 0 || p.k <= 0)
    return "expected positive n and k, got n = " + std::to_string(p.n) + ", k = " + std::to_string(p.k);
  for (int32_t layout : {p.sfa_layout, p.sfb_layout})
    if (layout != FP8GEMM_CPU_K_MAJOR && layout != FP8GEMM_CPU_MN_MAJOR)
      return "expected a scale layout of 0 (k_major) or 1 (mn_major), got " + std::to_string(layout);
  for (int32_t type : {p.a_type, p.b_type})
    if (type != FP8GEMM_CPU_E4M3 && type != FP8GEMM_CPU_E5M2)
      return "expected a and b of type 0 (e4m3) or 1 (e5m2), got " + std::to_string(type);
  if (p.d_type != FP8GEMM_CPU_BF16 && p.d_type != FP8GEMM_CPU_F32)
    return "expected d of type 2 (bf16) or 3 (f32), got " + std::to_string(p.d_type);
  if (p.sfb_block_rows != 1 && p.sfb_block_rows != 128)
    return "expected one scale for 1 or 128 rows of b, got one for " + std::to_string(p.sfb_block_rows);
  return "";
}

/// In place, or apart: what is written must not be read later.
static std::string checkOverlap(const fp8gemm_cpu_problem &p, const Operands &operands) {
  auto begin = [](const Operand &operand) { return static_cast<const char *>(operand.matrix.data); };
  auto end = [&](const Operand &operand) {
    int64_t elements = (operand.rows - 1) * operand.matrix.leading_dimension + operand.columns;
    return begin(operand) + elements * operand.elementBytes;
  };
  const Operand &c = operands.c, &d = operands.d;
  if (!hasC(p) || isInPlace(p) || p.m == 0 || end(c) <= begin(d) || end(d) <= begin(c))
    return "";
  return "expected 'c' to be 'd' with the same leading dimension, or not to overlap it";
}

static std::string checkOperand(const Operand &operand) {
  std::string name = "'" + operand.name.str() + "'";
  int64_t leading = operand.matrix.leading_dimension;
  if (operand.rows == 0 || operand.columns == 0)
    return "";
  if (!operand.matrix.data)
    return "expected " + name + " to point to memory, got a null pointer";
  if (leading < operand.columns)
    return "expected the leading dimension of " + name + " to be at least " + std::to_string(operand.columns) +
           ", got " + std::to_string(leading);
  if (operand.alignedRows && leading * operand.elementBytes % 16 != 0)
    return "expected the rows of " + name + " to be a multiple of 16 bytes apart, got " +
           std::to_string(leading * operand.elementBytes) + " bytes";
  return "";
}

//===----------------------------------------------------------------------===//
// Build, compile, run
//===----------------------------------------------------------------------===//

/// func.func @gemm of memrefs with any leading dimensions, around one fp8gemm.gemm.
static OwningOpRef<ModuleOp> buildModule(MLIRContext &context, const fp8gemm_cpu_problem &p, const Operands &operands) {
  ImplicitLocOpBuilder b(UnknownLoc::get(&context), &context);
  OwningOpRef<ModuleOp> module = ModuleOp::create(b.getLoc());
  b.setInsertionPointToStart(module->getBody());

  constexpr int64_t any = ShapedType::kDynamic;
  auto type = [&](int64_t rows, int64_t columns, Type element) -> Type {
    return MemRefType::get({rows, columns}, element, StridedLayoutAttr::get(&context, /*offset=*/0, {any, 1}));
  };
  auto f8 = [&](int32_t type) -> Type {
    return type == FP8GEMM_CPU_E4M3 ? Type(Float8E4M3FNType::get(&context)) : Float8E5M2Type::get(&context);
  };
  Type f32 = b.getF32Type(), d = type(any, p.n, p.d_type == FP8GEMM_CPU_F32 ? f32 : b.getBF16Type());
  int64_t kBlocks = llvm::divideCeil(p.k, kBlockK);
  Type sfa = isMnMajor(p.sfa_layout) ? type(kBlocks, any, f32) : type(any, kBlocks, f32);
  FunctionType functionType = b.getFunctionType({type(any, p.k, f8(p.a_type)), sfa, type(p.n, p.k, f8(p.b_type)),
                                                 type(operands.sfb.rows, operands.sfb.columns, f32), d, d},
                                                {});
  auto function = func::FuncOp::create(b, kFunction, functionType);
  function->setAttr(LLVM::LLVMDialect::getEmitCWrapperAttrName(), b.getUnitAttr());
  Block *body = function.addEntryBlock();
  b.setInsertionPointToStart(body);
  auto layout = [](int32_t layout) { return isMnMajor(layout) ? ScaleLayout::mn_major : ScaleLayout::k_major; };
  Value c = !hasC(p) ? Value() : body->getArgument(isInPlace(p) ? 5 : 4);
  fp8gemm::GemmOp::create(b, TypeRange(), body->getArgument(0), body->getArgument(1), body->getArgument(2),
                          body->getArgument(3), c, body->getArgument(5),
                          fp8gemm::ScaleAttr::get(&context, 1, kBlockK, layout(p.sfa_layout)),
                          fp8gemm::ScaleAttr::get(&context, p.sfb_block_rows, kBlockK, layout(p.sfb_layout)),
                          fp8gemm::ConfigAttr(), SymbolRefAttr());
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

/// Rows of D depend on nothing but their own rows of A, so they are tasks.
static void runTasks(Kernel kernel, const fp8gemm_cpu_problem &p, const Operands &operands, int32_t threads) {
  llvm::StdThreadPool pool(llvm::hardware_concurrency(threads));
  for (int64_t first = 0; first < p.m; first += kTaskRows)
    pool.async([&, first] {
      int64_t count = std::min(kTaskRows, p.m - first);
      Descriptor a = operands.a.part(false, first, count), b = operands.b.whole();
      Descriptor sfa = operands.sfa.part(isMnMajor(p.sfa_layout), first, count), sfb = operands.sfb.whole();
      Descriptor c = operands.c.part(false, first, count), d = operands.d.part(false, first, count);
      kernel(&a, &sfa, &b, &sfb, &c, &d);
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

  Operands operands = operandsOf(p);
  OwningOpRef<ModuleOp> module = buildModule(context, p, operands);
  if (failed(verify(*module)))
    return errors;
  for (const Operand *operand : {&operands.a, &operands.sfa, &operands.b, &operands.sfb, &operands.c, &operands.d})
    if (std::string error = checkOperand(*operand); !error.empty())
      return error;
  if (std::string error = checkOverlap(p, operands); !error.empty())
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
