// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// gpu.module -> PTX -> cubin + manifest.

#ifndef FP8GEMM_TARGET_TARGET_H
#define FP8GEMM_TARGET_TARGET_H

#include "fp8gemm/Target/Kernel.h"
#include "mlir/Dialect/GPU/IR/GPUDialect.h"
#include "mlir/Support/LLVM.h"

namespace mlir {
class DialectRegistry;
namespace LLVM {
class LLVMFuncOp;
} // namespace LLVM
} // namespace mlir

namespace llvm::json {
class OStream;
} // namespace llvm::json

namespace flatbuffers {
struct String;
} // namespace flatbuffers

namespace fp8gemm::hopper {
class EntryOp;
} // namespace fp8gemm::hopper

namespace fp8gemm::format {
struct Manifest;
struct Problem;
} // namespace fp8gemm::format

namespace fp8gemm::target {

/// The target GPU architecture. Its code runs only on compute capability 9.0.
constexpr llvm::StringLiteral kChip = "sm_90a";

struct SerializeOptions {
  std::string ptxas; ///< empty: see findTool
  std::string chip = kChip.str();
  bool allowSpills = false;
  bool lineinfo = false;
};

/// Registers the translations to LLVM IR of the dialects in a kernel.
void registerTranslations(mlir::DialectRegistry &registry);

/// The kernel of a gpu.module; an error on the module if there is not exactly one.
mlir::FailureOr<mlir::LLVM::LLVMFuncOp> findKernel(mlir::gpu::GPUModuleOp module);

/// PTX of a gpu.module in the LLVM dialect.
mlir::FailureOr<std::string> translateToPtx(mlir::gpu::GPUModuleOp module, llvm::StringRef chip = kChip);

/// The kernel of a gpu.module with only its PTX.
mlir::FailureOr<Kernel> translate(mlir::gpu::GPUModuleOp module, const SerializeOptions &options);

/// Compiles a gpu.module in the LLVM dialect. Spills, local memory and C75xx
/// warnings are errors on the kernel unless they are allowed.
mlir::FailureOr<Kernel> serialize(mlir::gpu::GPUModuleOp module, const SerializeOptions &options);

/// The manifest of the kernel that `entry` describes, as a finished flatbuffer; an error on the entry if it lacks a
/// fact.
mlir::FailureOr<std::string> buildManifest(hopper::EntryOp entry, llvm::StringRef chip, const Cubin &cubin);

/// The kernel in a gpu.binary that fp8gemm-serialize-kernels made: no PTX.
mlir::FailureOr<Kernel> readKernel(mlir::gpu::BinaryOp binary);

/// The manifest as JSON, for reading and tests.
std::string printManifest(llvm::StringRef manifest);

/// The same within other JSON: an object; and the attributes of an object.
void printManifest(llvm::json::OStream &json, const format::Manifest &manifest);
void printProblem(llvm::json::OStream &json, const format::Problem &problem);

/// A text of a file, which may hold any bytes, as JSON can: what is not UTF-8 becomes U+FFFD. Empty for null.
std::string jsonText(const flatbuffers::String *text);

/// A short report of the schedule and the resources.
void printReport(const Kernel &kernel, llvm::raw_ostream &os);

} // namespace fp8gemm::target

#endif // FP8GEMM_TARGET_TARGET_H
