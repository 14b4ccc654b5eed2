// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// How a program of the compiler's wheel starts (see OldGlibc.cpp): until glibc 2.33 a program's constructors were called by a function
// of its own, which crt1.o no longer has.

#define HIDDEN __attribute__((visibility("hidden")))

extern "C" {
using Constructor = void (*)(int, char **, char **);
extern HIDDEN Constructor __preinit_array_start[], __preinit_array_end[], __init_array_start[], __init_array_end[];
HIDDEN void _init();

static void construct(int argc, char **argv, char **environment) {
  for (Constructor *next = __preinit_array_start; next != __preinit_array_end; ++next)
    (*next)(argc, argv, environment);
  _init();
  for (Constructor *next = __init_array_start; next != __init_array_end; ++next)
    (*next)(argc, argv, environment);
}

using Main = int (*)(int, char **, char **);
int fp8gemm_old_start(Main, int, char **, Constructor, void (*)(), void (*)(), void *);
__asm__(".symver fp8gemm_old_start, __libc_start_main@GLIBC_2.2.5");

HIDDEN int __libc_start_main(Main main, int argc, char **argv, Constructor, void (*)(), void (*finish)(), void *stack) {
  return fp8gemm_old_start(main, argc, argv, construct, nullptr, finish, stack);
}
}
