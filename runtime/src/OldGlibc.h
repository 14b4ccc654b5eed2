// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Included first in each file of the Python wheel (scripts/cmake/FP8GemmOldGlibc.cmake), which loads with glibc 2.28: the few
// functions whose symbol is newer in the glibc that it is built with, by their older symbol.

#ifndef FP8GEMM_RUNTIME_SRC_OLDGLIBC_H
#define FP8GEMM_RUNTIME_SRC_OLDGLIBC_H

#include <sys/stat.h>

// The version of a processor's first symbols, and its _STAT_VER.
#if defined(__x86_64__)
#define FP8GEMM_FIRST_GLIBC "GLIBC_2.2.5"
#define FP8GEMM_STAT_VERSION 1
#elif defined(__aarch64__)
#define FP8GEMM_FIRST_GLIBC "GLIBC_2.17"
#define FP8GEMM_STAT_VERSION 0
#endif

// In libdl.so.2 until glibc 2.33, in libc.so.6 from 2.34 on.
__asm__(".symver dlopen, dlopen@" FP8GEMM_FIRST_GLIBC);
__asm__(".symver dlsym, dlsym@" FP8GEMM_FIRST_GLIBC);
__asm__(".symver dlerror, dlerror@" FP8GEMM_FIRST_GLIBC);

// fstat was an inline function over this one until glibc 2.32.
extern "C" int __fxstat(int version, int file, struct stat *status) noexcept;
inline int fp8gemmFstat(int file, struct stat *status) { return __fxstat(FP8GEMM_STAT_VERSION, file, status); }
#define fstat fp8gemmFstat

#endif // FP8GEMM_RUNTIME_SRC_OLDGLIBC_H
