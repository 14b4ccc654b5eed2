// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// NVIDIA's command-line tools, run as child processes: ptxas makes machine code,
// nvdisasm prints it. No MLIR.

#ifndef FP8GEMM_TARGET_CUDATOOLS_H
#define FP8GEMM_TARGET_CUDATOOLS_H

#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Error.h"

#include <cstdint>
#include <string>
#include <vector>

namespace fp8gemm::target {

/// Where findTool searches, in order; for help texts.
extern const char *const kToolSearchOrder;

/// Path of a tool: `given` if it is not empty, else the first of $CUDA_PATH/bin,
/// $PATH, the virtual environment ($FP8GEMM_VENV, else the one that
/// scripts/setup.sh makes) and /usr/local/cuda/bin.
llvm::Expected<std::string> findTool(llvm::StringRef name, llvm::StringRef given = "");

/// The report of `ptxas -v` on a kernel.
struct ResourceUsage {
  int64_t registers = 0;       ///< per thread, at launch
  int64_t stackBytes = 0;      ///< stack frame or other local memory per thread
  int64_t spillStoreBytes = 0; ///< per thread
  int64_t spillLoadBytes = 0;
  int64_t staticSmemBytes = 0;
  std::vector<std::string> performance; ///< C75xx warnings
  std::vector<std::string> warnings;    ///< other warnings

  int64_t spillBytes() const { return spillStoreBytes + spillLoadBytes; }
};

/// Reads the report that `ptxas -v` writes.
ResourceUsage parsePtxasReport(llvm::StringRef report);

struct Cubin {
  std::string bytes;
  ResourceUsage usage;
  std::string ptxasVersion; ///< "13.0.88"
};

/// "13.0.88", the version of the ptxas that assemble() runs for that path: if it is empty, the first of CUDA 12.8 or
/// later in findTool's places. An error if that path has an older one.
llvm::Expected<std::string> ptxasVersion(llvm::StringRef path);

struct PtxasOptions {
  std::string path; ///< empty: see ptxasVersion; with FP8GEMM_NVPTXCOMPILER: in process
  std::string chip = "sm_90a";
  bool lineinfo = false;
};

/// Assembles PTX. If ptxas fails, the error is its output.
llvm::Expected<Cubin> assemble(llvm::StringRef ptx, const PtxasOptions &options);

/// The machine code of a cubin as text, by nvdisasm or else cuobjdump.
llvm::Expected<std::string> disassemble(llvm::StringRef cubin);

} // namespace fp8gemm::target

#endif // FP8GEMM_TARGET_CUDATOOLS_H
