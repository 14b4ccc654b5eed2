# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
# The runtime's tests need no GPU: they bring a driver of their own.
fp8gemm_unit_test(RuntimeKernelFileTest SOURCES RuntimeKernelFileTest.cpp RuntimePackFileTest.cpp LINK fp8gemm_format)

add_library(RuntimeFakeDriver SHARED RuntimeFakeDriver.cpp)
target_include_directories(RuntimeFakeDriver PRIVATE ${CMAKE_SOURCE_DIR}/runtime/src)
target_compile_options(RuntimeFakeDriver PRIVATE -Wall -Wextra)

add_executable(RuntimeCProgram RuntimeCProgram.c)
set_target_properties(RuntimeCProgram PROPERTIES C_STANDARD 11 C_EXTENSIONS OFF
  RUNTIME_OUTPUT_DIRECTORY ${CMAKE_CURRENT_BINARY_DIR})
target_compile_options(RuntimeCProgram PRIVATE -Wall -Wextra -Wpedantic -Werror)
target_link_libraries(RuntimeCProgram PRIVATE fp8gemm_runtime)

fp8gemm_unit_test(RuntimeGemmTest SOURCES RuntimeAbiTest.cpp RuntimeContextTest.cpp RuntimeGemmTest.cpp
  RuntimeGroupedTest.cpp RuntimeLaunchTest.cpp RuntimePackTest.cpp RuntimeRecipesTest.cpp RuntimeTensorMapTest.cpp
  LINK fp8gemm_runtime_static DEPENDS RuntimeFakeDriver RuntimeCProgram)
target_compile_definitions(RuntimeGemmTest PRIVATE
  FP8GEMM_PROJECT_VERSION="${PROJECT_VERSION}"
  FP8GEMM_FAKE_LIBCUDA="$<TARGET_FILE:RuntimeFakeDriver>"
  FP8GEMM_C_PROGRAM="$<TARGET_FILE:RuntimeCProgram>")

fp8gemm_unit_test(RuntimeCudaHeaderTest SOURCES RuntimeCudaHeaderTest.cpp)
target_include_directories(RuntimeCudaHeaderTest PRIVATE ${CMAKE_SOURCE_DIR}/runtime/src)
find_path(CUDA_INCLUDE cuda.h HINTS ENV CUDA_PATH PATHS /usr/local/cuda PATH_SUFFIXES include)
if(CUDA_INCLUDE)
  target_include_directories(RuntimeCudaHeaderTest SYSTEM PRIVATE ${CUDA_INCLUDE})
endif()

add_library(RuntimeFakeGpu SHARED RuntimeFakeGpu.cpp RuntimeFakeDriver.cpp RuntimeFakeReport.cpp)
target_include_directories(RuntimeFakeGpu PRIVATE ${CMAKE_SOURCE_DIR}/runtime/src)
target_compile_options(RuntimeFakeGpu PRIVATE -Wall -Wextra)

fp8gemm_unit_test(RuntimeRunTest SOURCES RuntimeRunTest.cpp LINK fp8gemm_run_support fp8gemm_format
  DEPENDS RuntimeFakeGpu fp8gemm-run)
target_compile_definitions(RuntimeRunTest PRIVATE
  FP8GEMM_FAKE_GPU="$<TARGET_FILE:RuntimeFakeGpu>"
  FP8GEMM_RUN="$<TARGET_FILE:fp8gemm-run>")
if(FP8GEMM_BUILD_COMPILER)
  target_compile_definitions(RuntimeRunTest PRIVATE FP8GEMM_HAS_CPU)
endif()

fp8gemm_unit_test(RuntimeLaunchCostTest SOURCES RuntimeLaunchCostTest.cpp LINK fp8gemm_format
  DEPENDS launch-cost null_driver)
target_compile_definitions(RuntimeLaunchCostTest PRIVATE
  FP8GEMM_LAUNCH_COST="$<TARGET_FILE:launch-cost>"
  FP8GEMM_NULL_DRIVER="$<TARGET_FILE:null_driver>")
