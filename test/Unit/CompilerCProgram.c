/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 * A C11 user of libfp8gemm, built with -Wpedantic -Werror: prints what would serve a problem. */

#include "fp8gemm-c/Compile.h"

#include <stdio.h>
#include <string.h>

int main(void) {
  const char *problem = "{\"op\": \"gemm\", \"n\": 264, \"k\": 256, \"max_m\": 2}";
  Fp8GemmResult *result = fp8gemmPlan(problem, strlen(problem), "h100-sxm", Fp8GemmText);
  int failed = fp8gemmResultGetStatus(result) != Fp8GemmSuccess;
  puts(failed ? fp8gemmResultGetMessage(result) : (const char *)fp8gemmResultGetData(result));
  fp8gemmResultDestroy(result);
  return failed;
}
