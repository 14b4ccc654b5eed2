/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 * A C11 user of the runtime, built with -Wpedantic -Werror: opens a kernel file, prints
 * what it is, tries to load it, and runs it with M = 0. Prints the status of each. */

#include "fp8gemm/runtime.h"

#include <stdio.h>

int main(int argc, char **argv) {
  fp8gemm_kernel *kernel = NULL;
  if (argc != 2)
    return 2;
  fp8gemm_status status = fp8gemm_kernel_open(argv[1], &kernel);
  printf("open %d", (int)status);
  if (status != FP8GEMM_OK) {
    printf(" %s\n", fp8gemm_last_error());
    return 1;
  }
  fp8gemm_kernel_info info = {.size = sizeof(info)};
  status = fp8gemm_kernel_get_info(kernel, &info);
  printf("\ninfo %d %s n=%lld\n", (int)status, info.name, (long long)info.n);
  fp8gemm_gemm_args args = {.size = sizeof(args), .m = 0};
  status = fp8gemm_gemm(kernel, &args, NULL);
  printf("gemm %d\n", (int)status);
  status = fp8gemm_kernel_load(kernel);
  printf("load %d %s\n", (int)status, status == FP8GEMM_OK ? "" : fp8gemm_last_error());
  fp8gemm_kernel_close(kernel);
  return 0;
}
