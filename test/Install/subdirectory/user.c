// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include <fp8gemm/runtime.h>

#include <stdio.h>

int main(int argc, char *argv[]) {
  fp8gemm_kernel *kernel = NULL;
  (void)argc;
  /* The program itself: a file, but not a kernel's. */
  fp8gemm_status status = fp8gemm_kernel_open(argv[0], &kernel);
  printf("fp8gemm %u, status %d: %s\n", (unsigned)fp8gemm_version(), (int)status, fp8gemm_last_error());
  return status == FP8GEMM_INVALID_FILE ? 0 : 1;
}
