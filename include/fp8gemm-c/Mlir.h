/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 * libfp8gemm for programs that hold MLIR by its C interface (mlir-c). The library and the program must share one
 * libMLIR.so: Debian's, which shows no C functions. So the program links the archives of the mlir-c functions that it
 * calls (libMLIRCAPIIR.a ...), and libMLIR.so; they are thin, and those of several libraries get along. An MLIR linked
 * statically, as in most Python wheels, is another one: its contexts must not come here. docs/Embedding.md shows how.
 *
 * A context, with all that belongs to it, may be used by one thread at a time. */

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

/* Both, the dialects that the pipelines read or make, and what one-shot-bufferize must know of them. */
FP8GEMM_C_API void fp8gemmRegisterAllDialects(MlirDialectRegistry registry);

/* All passes and pipelines of fp8gemm, for mlirParsePassPipeline: "builtin.module(fp8gemm-to-cubin{gpu=h200-sxm})".
 * Once a process; more often does no harm. */
FP8GEMM_C_API void fp8gemmRegisterAllPasses(void);

/* The kernel files of all products and kernels in `module`, whichever level each is at, in their order. The module
 * stays as it is. Errors go to the context's diagnostic handlers, and are the result's message. A null `module` is an
 * invalid argument, and so are options for packs: `cache` and `jobs`. */
FP8GEMM_C_API Fp8GemmResult *fp8gemmCompileModule(MlirModule module, const Fp8GemmCompileOptions *options);

#ifdef __cplusplus
}
#endif

#endif /* FP8GEMM_C_MLIR_H */
