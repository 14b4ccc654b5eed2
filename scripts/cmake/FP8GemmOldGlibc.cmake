# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
# All targets after this load with glibc 2.28, as wheels of manylinux_2_28 do, although they are built with a newer one
# (x86-64 and aarch64; test_wheel.py looks at the symbols). In glibc 2.28 dlopen is in libdl.so.2, which therefore is always linked.
include(CheckCXXSymbolExists)
check_cxx_symbol_exists(__GLIBC__ features.h FP8GEMM_HAS_GLIBC)
if(FP8GEMM_HAS_GLIBC AND CMAKE_SYSTEM_PROCESSOR MATCHES "^(x86_64|aarch64)$")
  add_compile_options($<$<COMPILE_LANGUAGE:CXX>:-include${PROJECT_SOURCE_DIR}/runtime/src/OldGlibc.h>)
  link_libraries("-Wl,--push-state,--no-as-needed,-l:libdl.so.2,--pop-state")
endif()
