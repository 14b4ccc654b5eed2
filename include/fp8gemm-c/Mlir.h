/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 * libfp8gemm for programs that use MLIR through its C interface (mlir-c). The library and the program must share one
 * libMLIR.so: Debian's, which exports no C functions. So the program links the archives of the mlir-c functions that it
 * calls (libMLIRCAPIIR.a ...), and libMLIR.so; the archives are thin, and several libraries may contain them. A
 * statically linked MLIR, as in most Python wheels, is a different one: its contexts must not be passed here. See
 * docs/Embedding.md.
 *
 * A context, with everything that belongs to it, may be used by one thread at a time. */

#ifndef FP8GEMM_C_MLIR_H
#define FP8GEMM_C_MLIR_H

#include "fp8gemm-c/Compile.h"
#include "mlir-c/IR.h"

#ifdef __cplusplus
extern "C" {
#endif

/* The dialects, as mlir-c names them: for mlirDialectHandleRegisterDialect, -LoadDialect, -InsertDialect. */
FP8GEMM_C_API MlirDialectHandle mlirGetDialectHandle__fp8gemm__(void);
FP8GEMM_C_API MlirDialectHandle mlirGetDialectHandle__hopper__(void);

/* Both dialects, the dialects that the pipelines read or create, and their interfaces for one-shot-bufferize. */
FP8GEMM_C_API void fp8gemmRegisterAllDialects(MlirDialectRegistry registry);

/* All passes and pipelines of fp8gemm, for mlirParsePassPipeline: "builtin.module(fp8gemm-to-cubin{gpu=h200-sxm})".
 * Needed once per process; repeating it is harmless. */
FP8GEMM_C_API void fp8gemmRegisterAllPasses(void);

/* The kernel files of all products and kernels in `module`, at any level, in their order. The module
 * is not changed. Errors go to the context's diagnostic handlers and to the result's message. A null `module` is an
 * invalid argument, and so are the options for packs, `cache` and `jobs`. */
FP8GEMM_C_API Fp8GemmResult *fp8gemmCompileModule(MlirModule module, const Fp8GemmCompileOptions *options);

#ifdef __cplusplus
}
#endif

#endif /* FP8GEMM_C_MLIR_H */
