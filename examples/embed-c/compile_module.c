/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 * compile_module INPUT.mlir OUTPUT.cubin: compiles the products of a module, writes the first one's kernel file, and
 * prints its contents. C11. */

#include "fp8gemm-c/Mlir.h"
#include "mlir-c/Diagnostics.h"

#include <stdio.h>
#include <stdlib.h>

static char *readFile(const char *path) {
  FILE *file = fopen(path, "rb");
  char *text = calloc(1, 1 << 20);
  if (!file || !text || fread(text, 1, (1 << 20) - 1, file) == 0) {
    fprintf(stderr, "cannot read '%s'\n", path);
    exit(1);
  }
  fclose(file);
  return text;
}

/* Receives the diagnostics of MLIR and fp8gemm. */
static MlirLogicalResult sayDiagnostic(MlirDiagnostic diagnostic, void *isError) {
  *(int *)isError |= mlirDiagnosticGetSeverity(diagnostic) == MlirDiagnosticError;
  return mlirLogicalResultSuccess();
}

int main(int argc, char **argv) {
  if (argc != 3) {
    fprintf(stderr, "expected two files: compile_module INPUT.mlir OUTPUT.cubin\n");
    return 1;
  }
  MlirDialectRegistry registry = mlirDialectRegistryCreate();
  fp8gemmRegisterAllDialects(registry);
  MlirContext context = mlirContextCreateWithRegistry(registry, /*threadingEnabled=*/false);
  mlirDialectRegistryDestroy(registry);
  int hadErrors = 0;
  mlirContextAttachDiagnosticHandler(context, sayDiagnostic, &hadErrors, /*deleteUserData=*/NULL);

  char *text = readFile(argv[1]);
  MlirModule module = mlirModuleCreateParse(context, mlirStringRefCreateFromCString(text));
  Fp8GemmResult *kernels = fp8gemmCompileModule(module, /*options=*/NULL);
  int failed = fp8gemmResultGetStatus(kernels) != Fp8GemmSuccess;
  if (failed) {
    fprintf(stderr, "status %d, errors reported: %d: %s\n", (int)fp8gemmResultGetStatus(kernels), hadErrors,
            fp8gemmResultGetMessage(kernels));
  } else {
    size_t size = 0;
    const void *bytes = fp8gemmResultGetFile(kernels, 0, &size);
    FILE *output = fopen(argv[2], "wb");
    failed = !output || fwrite(bytes, 1, size, output) != size || fclose(output) != 0;
    Fp8GemmResult *content = fp8gemmInspect(bytes, size, Fp8GemmText);
    printf("%zu kernels; the first: %s", fp8gemmResultGetFileCount(kernels),
           (const char *)fp8gemmResultGetData(content));
    fp8gemmResultDestroy(content);
  }
  fp8gemmResultDestroy(kernels);
  if (!mlirModuleIsNull(module))
    mlirModuleDestroy(module);
  mlirContextDestroy(context);
  free(text);
  return failed;
}
