# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
# The Debian packages, by CPack: one for each component of FP8GemmInstall.cmake. scripts/package.sh makes them.
#
#   libfp8gemm-runtime0      libfp8gemm_runtime.so.0: what a program that launches kernels needs
#   libfp8gemm-runtime-dev   its headers, for CMake and pkg-config
#   libfp8gemm0              libfp8gemm.so.0, libfp8gemm_cpu.so.0: the compiler in process, the oracle
#   libfp8gemm-dev           C++ headers and static libraries, for Debian's libmlir-22-dev
#   fp8gemm-tools            fp8gemm-compile, -inspect, -opt, -run, -lsp-server, and their completion; libfp8gemm_sim.so, which fp8gemm-run opens

set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_NAME fp8gemm)
set(CPACK_PACKAGE_VENDOR "The fp8gemm authors")
set(CPACK_PACKAGE_CONTACT "The fp8gemm authors <fp8gemm@localhost>")
set(CPACK_PACKAGE_VERSION ${PROJECT_VERSION})
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_OUTPUT_FILE_PREFIX ${PROJECT_BINARY_DIR}/package)
set(CPACK_STRIP_FILES ON)

set(CPACK_DEB_COMPONENT_INSTALL ON)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_RELEASE 1)
set(CPACK_DEBIAN_COMPRESSION_TYPE xz)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS_PRIVATE_DIRS ${CMAKE_LIBRARY_OUTPUT_DIRECTORY})
set(CPACK_DEBIAN_PACKAGE_GENERATE_SHLIBS ON)
set(CPACK_DEBIAN_PACKAGE_GENERATE_SHLIBS_POLICY ">=")

set(CPACK_COMPONENTS_ALL runtime runtime-dev)
if(FP8GEMM_BUILD_COMPILER)
  list(APPEND CPACK_COMPONENTS_ALL compiler compiler-dev)
endif()
list(APPEND CPACK_COMPONENTS_ALL tools)

# fp8gemm_package(<component> <section> <one line> [DEPENDS <components, of the same version>] [NEEDS <other packages>]
# [RECOMMENDS <other packages>])
macro(fp8gemm_package component section summary)
  cmake_parse_arguments(ARG "" "NEEDS;RECOMMENDS" "DEPENDS" ${ARGN})
  string(TOUPPER ${component} upper)
  fp8gemm_package_name(${component} CPACK_DEBIAN_${upper}_PACKAGE_NAME)
  set(CPACK_DEBIAN_${upper}_PACKAGE_SECTION ${section})
  set(CPACK_COMPONENT_${upper}_DESCRIPTION "${summary}")
  set(needs ${ARG_NEEDS})
  foreach(other IN LISTS ARG_DEPENDS)
    fp8gemm_package_name(${other} name)
    list(APPEND needs "${name} (= ${PROJECT_VERSION}-1)")
  endforeach()
  list(JOIN needs ", " CPACK_DEBIAN_${upper}_PACKAGE_DEPENDS)
  set(CPACK_DEBIAN_${upper}_PACKAGE_RECOMMENDS "${ARG_RECOMMENDS}")
endmacro()

fp8gemm_package(runtime libs "FP8 matrix products on NVIDIA Hopper: runtime library
 Loads kernel files and packs that fp8gemm compiled ahead of time, and launches them. Needs the CUDA driver only.")
fp8gemm_package(runtime-dev libdevel "FP8 matrix products on NVIDIA Hopper: runtime, development files
 C and C++ headers, and files for CMake and pkg-config." DEPENDS runtime)
fp8gemm_package(compiler libs "FP8 matrix products on NVIDIA Hopper: compiler library
 The compiler behind C functions, and the oracle that computes products on the CPU.")
fp8gemm_package(compiler-dev libdevel "FP8 matrix products on NVIDIA Hopper: compiler, development files
 Headers and static libraries of the dialects, passes and pipelines, to embed in another MLIR compiler."
  DEPENDS compiler runtime-dev NEEDS "libmlir-22-dev, llvm-22-dev, mlir-22-tools")
set(tools_need runtime)
if(FP8GEMM_BUILD_COMPILER)
  list(APPEND tools_need compiler)
endif()
fp8gemm_package(tools devel "FP8 matrix products on NVIDIA Hopper: tools
 fp8gemm-compile makes kernel files and packs (with ptxas of a CUDA toolkit), fp8gemm-inspect tells what is in them,
 fp8gemm-run runs them on a GPU, or what they compute on the CPU." DEPENDS ${tools_need})

include(CPack)
