// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include <fp8gemm/runtime.h>

#include <stdio.h>

int main(void) {
  fp8gemm_kernel *kernel = NULL;
  fp8gemm_status status = fp8gemm_kernel_open("/dev/null", &kernel);
  printf("fp8gemm %u, status %d: %s\n", (unsigned)fp8gemm_version(), (int)status, fp8gemm_last_error());
  return status == FP8GEMM_INVALID_FILE ? 0 : 1;
}
