// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "Tool.h"

#include "fp8gemm/InitAll.h"
#include "mlir/IR/DialectRegistry.h"
#include "mlir/InitAllDialects.h"
#include "mlir/Tools/mlir-lsp-server/MlirLspServerMain.h"

static constexpr const char kExamples[] = R"(
EXAMPLES:
  VS Code:  "mlir.server_path": "fp8gemm-lsp-server"
  Neovim:   vim.lsp.config("mlir_lsp_server", { cmd = { "fp8gemm-lsp-server" } })
)";

int main(int argc, char **argv) {
  llvm::cl::OptionCategory category("fp8gemm-lsp-server");
  fp8gemm::startTool(category);
  llvm::cl::extrahelp help(kExamples);
  mlir::DialectRegistry registry;
  mlir::registerAllDialects(registry); // what programs hold beside products
  fp8gemm::registerAllDialects(registry);
  return mlir::failed(mlir::MlirLspServerMain(argc, argv, registry));
}
