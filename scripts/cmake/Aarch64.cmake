# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
# A toolchain file: Debian's compiler for aarch64 (g++-aarch64-linux-gnu). Libraries, CMake packages and what Python's headers say of the
# processor come from FP8GEMM_SYSROOT, a Debian for it that scripts/aarch64_wheel.sh makes.
set(CMAKE_SYSTEM_NAME Linux)
set(CMAKE_SYSTEM_PROCESSOR aarch64)
set(CMAKE_C_COMPILER aarch64-linux-gnu-gcc)
set(CMAKE_CXX_COMPILER aarch64-linux-gnu-g++)
set(CMAKE_CXX_FLAGS_INIT "-idirafter ${FP8GEMM_SYSROOT}/usr/include")
set(CMAKE_FIND_ROOT_PATH ${FP8GEMM_SYSROOT})
set(CMAKE_FIND_ROOT_PATH_MODE_PROGRAM NEVER)
set(CMAKE_FIND_ROOT_PATH_MODE_LIBRARY ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_PACKAGE ONLY)
set(CMAKE_TRY_COMPILE_PLATFORM_VARIABLES FP8GEMM_SYSROOT)
