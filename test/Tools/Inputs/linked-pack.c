/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 * A program that a pack is linked into: opens it, and prints how many problems it has. */

#include "fp8gemm/runtime.h"
#include "my_model.h"

#include <stdio.h>

int main(void) {
  fp8gemm_pack *pack = NULL;
  if (fp8gemm_pack_open_memory(my_model, my_model_size, &pack) != FP8GEMM_OK) {
    puts(fp8gemm_last_error());
    return 1;
  }
  printf("%zu problems in %zu bytes\n", fp8gemm_pack_problem_count(pack), my_model_size);
  fp8gemm_pack_close(pack);
  return 0;
}
