// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// toy LAYER.mlir LAYER.cubin: compiles a toy.linear to a kernel file with fp8gemm, and runs it. Exit status: 0 if GPU
// and CPU agree, 77 if there is no suitable GPU, 1 for errors.

#include "fp8gemm/Dialect/FP8Gemm/IR/FP8Gemm.h"
#include "fp8gemm/Execution/Execution.h"
#include "fp8gemm/InitAll.h"
#include "fp8gemm/Pipelines/Compiler.h"
#include "fp8gemm/runtime.hpp"
#include "mlir/IR/PatternMatch.h"
#include "mlir/Parser/Parser.h"
#include "mlir/Transforms/WalkPatternRewriteDriver.h"

#include <cstdio>
#include <dlfcn.h>
#include <fstream>

#include "ToyDialect.h.inc"
#define GET_OP_CLASSES
#include "ToyDialect.cpp.inc"
#include "ToyOps.h.inc"
#define GET_OP_CLASSES
#include "ToyOps.cpp.inc"

void toy::ToyDialect::initialize() {
  addOperations<
#define GET_OP_LIST
#include "ToyOps.cpp.inc"
      >();
}

/// toy.linear -> fp8gemm.gemm
struct LowerLinear : mlir::OpRewritePattern<toy::LinearOp> {
  using OpRewritePattern::OpRewritePattern;
  mlir::LogicalResult matchAndRewrite(toy::LinearOp op, mlir::PatternRewriter &rewriter) const override {
    auto ofX = fp8gemm::ScaleAttr::get(getContext(), 1, 128, fp8gemm::ScaleLayout::mn_major);
    auto ofWeight = fp8gemm::ScaleAttr::get(getContext(), 128, 128, fp8gemm::ScaleLayout::k_major);
    fp8gemm::ScaledMatrix x(op.getX(), op.getXScales(), ofX), weight(op.getWeight(), op.getWeightScales(), ofWeight);
    fp8gemm::GemmOp::create(rewriter, op.getLoc(), x, weight, op.getY());
    rewriter.eraseOp(op);
    return mlir::success();
  }
};

static std::string compileLayer(const char *path) {
  mlir::DialectRegistry registry;
  fp8gemm::registerAllDialects(registry);
  registry.insert<toy::ToyDialect>();
  mlir::MLIRContext context(registry);
  auto module = mlir::parseSourceFile<mlir::ModuleOp>(path, &context); // errors are printed by MLIR
  if (!module)
    return "";
  context.loadDialect<fp8gemm::FP8GemmDialect>(); // what the lowering makes: a pass says getDependentDialects instead
  mlir::RewritePatternSet patterns(&context);
  patterns.add<LowerLinear>(&context);
  mlir::walkAndApplyPatterns(*module, std::move(patterns));
  mlir::FailureOr<std::vector<fp8gemm::target::Kernel>> kernels = fp8gemm::compile(*module);
  return succeeded(kernels) ? kernels->front().file : "";
}

/// The few functions of the CUDA driver that copy memory to the GPU and back; loaded at run time, if there is a GPU.
struct Cuda {
  Cuda() : library(dlopen("libcuda.so.1", RTLD_NOW)) {
    if (!library)
      throw std::runtime_error(dlerror());
  }
  template <typename... Types> void call(const char *name, Types... arguments) {
    auto function = reinterpret_cast<int (*)(Types...)>(dlsym(library, name));
    if (int status = function ? function(arguments...) : 1)
      throw std::runtime_error(std::string(name) + ": error " + std::to_string(status));
  }
  void *upload(const void *bytes, size_t size) {
    void *memory = nullptr;
    call("cuMemAlloc_v2", &memory, size);
    call("cuMemcpyHtoD_v2", memory, bytes, size);
    return memory;
  }
  void *library;
};

static bool runLayer(const std::string &file, int64_t m) {
  fp8gemm::Kernel kernel(file.data(), file.size());
  fp8gemm_kernel_info info = kernel.info();
  int64_t n = info.n, k = info.k;
  std::printf("%s: %u registers, %u bytes of shared memory\n", info.name, info.registers, info.smem_bytes);

  const uint8_t values[] = {0x38, 0x40, 0xB8, 0x30}; // 1, 2, -1, 0.5
  std::vector<uint8_t> x(m * k), weight(n * k);
  for (int64_t i = 0; i < m * k; ++i)
    x[i] = values[(i / k + i % 3) % 4];
  for (int64_t i = 0; i < n * k; ++i)
    weight[i] = values[(i / k + i % 5) % 4];
  std::vector<float> xScales(k / 128 * m, 0.5f), weightScales(n / 128 * (k / 128), 2.0f);
  std::vector<uint16_t> onCpu(m * n), onGpu(m * n); // bf16

  fp8gemm_cpu_problem oracle{m, n, k, FP8GEMM_CPU_E4M3, FP8GEMM_CPU_E4M3, FP8GEMM_CPU_BF16, 128, FP8GEMM_CPU_MN_MAJOR};
  oracle.a.data = x.data(), oracle.a.leading_dimension = k;
  oracle.sfa.data = xScales.data(), oracle.sfa.leading_dimension = m;
  oracle.b.data = weight.data(), oracle.b.leading_dimension = k;
  oracle.sfb.data = weightScales.data(), oracle.sfb.leading_dimension = k / 128;
  oracle.d.data = onCpu.data(), oracle.d.leading_dimension = n;
  char message[1024] = "";
  if (fp8gemm_cpu_gemm(&oracle, /*threads=*/0, message, sizeof(message)) != 0)
    throw std::runtime_error(message);
  std::printf("cpu: y = %04x %04x %04x ... (bf16)\n", onCpu[0], onCpu[1], onCpu[n + 2]);

  try {
    Cuda cuda;
    int device = 0;
    void *context = nullptr;
    cuda.call("cuInit", 0u);
    cuda.call("cuDeviceGet", &device, 0);
    cuda.call("cuDevicePrimaryCtxRetain", &context, device);
    cuda.call("cuCtxSetCurrent", context);
    kernel.load(); // refuses a GPU that is not a Hopper
    fp8gemm_gemm_args args{};
    args.m = m;
    args.a = {cuda.upload(x.data(), x.size()), k}, args.b = {cuda.upload(weight.data(), weight.size()), k};
    args.sfa = {cuda.upload(xScales.data(), xScales.size() * 4), m};
    args.sfb = {cuda.upload(weightScales.data(), weightScales.size() * 4), k / 128};
    args.d = {cuda.upload(onGpu.data(), onGpu.size() * 2), n};
    kernel.gemm(args, /*stream=*/nullptr);
    cuda.call("cuMemcpyDtoH_v2", static_cast<void *>(onGpu.data()), args.d.data, onGpu.size() * 2);
  } catch (const std::exception &error) {
    std::printf("no GPU ran the kernel: %s\n", error.what());
    return false;
  }
  if (onGpu != onCpu)
    throw std::runtime_error("expected the GPU to compute what the CPU does");
  std::printf("gpu: all %zu elements are the same\n", onGpu.size());
  return true;
}

int main(int argc, char **argv) try {
  if (argc != 3)
    throw std::runtime_error("expected two files: toy LAYER.mlir LAYER.cubin");
  std::string file = compileLayer(argv[1]);
  if (file.empty())
    return 1;
  std::ofstream(argv[2], std::ios::binary) << file;
  return runLayer(file, /*m=*/100) ? 0 : 77;
} catch (const std::exception &error) {
  std::fprintf(stderr, "toy: error: %s\n", error.what());
  return 1;
}
