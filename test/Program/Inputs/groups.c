/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 * Runs groups.mlir, and prints what it emits. */

#include <stdio.h>

void _mlir_ciface_emit(float value) { printf("%.9g\n", (double)value); }
void _mlir_ciface_groups(void);

int main(void) {
  _mlir_ciface_groups();
  return 0;
}
