# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
# The runtime's tests need no GPU: they bring a driver of their own.
fp8gemm_unit_test(RuntimeKernelFileTest SOURCES ProblemTest.cpp RuntimeKernelFileTest.cpp RuntimePackFileTest.cpp
  LINK fp8gemm_format)

add_library(RuntimeFakeDriver SHARED RuntimeFakeDriver.cpp)
target_include_directories(RuntimeFakeDriver PRIVATE ${PROJECT_SOURCE_DIR}/runtime/src)
target_compile_options(RuntimeFakeDriver PRIVATE -Wall -Wextra)

add_executable(RuntimeCProgram RuntimeCProgram.c)
set_target_properties(RuntimeCProgram PROPERTIES C_STANDARD 11 C_EXTENSIONS OFF
  RUNTIME_OUTPUT_DIRECTORY ${CMAKE_CURRENT_BINARY_DIR})
target_compile_options(RuntimeCProgram PRIVATE -Wall -Wextra -Wpedantic -Werror)
target_link_libraries(RuntimeCProgram PRIVATE fp8gemm_runtime)

fp8gemm_unit_test(RuntimeGemmTest SOURCES OperandsTest.cpp RuntimeAbiTest.cpp RuntimeContextTest.cpp RuntimeCppTest.cpp RuntimeGemmTest.cpp
  RuntimeGroupedTest.cpp RuntimeHugeTest.cpp RuntimeLaunchTest.cpp RuntimePackTest.cpp RuntimeQuantisedTest.cpp RuntimeQuantizeTest.cpp RuntimeRecipesTest.cpp RuntimeRingReportTest.cpp
  RuntimeTensorMapCacheTest.cpp RuntimeTensorMapTest.cpp LINK fp8gemm_runtime_static DEPENDS RuntimeFakeDriver RuntimeCProgram)
target_compile_definitions(RuntimeGemmTest PRIVATE
  FP8GEMM_PROJECT_VERSION="${PROJECT_VERSION}"
  FP8GEMM_FAKE_LIBCUDA="$<TARGET_FILE:RuntimeFakeDriver>"
  FP8GEMM_C_PROGRAM="$<TARGET_FILE:RuntimeCProgram>")

fp8gemm_unit_test(RuntimeCudaHeaderTest SOURCES RuntimeCudaHeaderTest.cpp)
target_include_directories(RuntimeCudaHeaderTest PRIVATE ${PROJECT_SOURCE_DIR}/runtime/src)
find_path(CUDA_INCLUDE cuda.h HINTS ENV CUDA_PATH PATHS /usr/local/cuda PATH_SUFFIXES include)
if(CUDA_INCLUDE)
  target_include_directories(RuntimeCudaHeaderTest SYSTEM PRIVATE ${CUDA_INCLUDE})
endif()

add_library(RuntimeFakeGpu SHARED RuntimeFakeGpu.cpp RuntimeFakeDriver.cpp RuntimeFakeReport.cpp)
target_include_directories(RuntimeFakeGpu PRIVATE ${PROJECT_SOURCE_DIR}/runtime/src ${PROJECT_SOURCE_DIR}/runtime/format)
target_compile_options(RuntimeFakeGpu PRIVATE -Wall -Wextra)

fp8gemm_unit_test(RuntimeRunTest SOURCES RuntimeRunTest.cpp LINK fp8gemm_run_support fp8gemm_format
  DEPENDS RuntimeFakeGpu fp8gemm-run)
target_compile_definitions(RuntimeRunTest PRIVATE
  FP8GEMM_FAKE_GPU="$<TARGET_FILE:RuntimeFakeGpu>"
  FP8GEMM_RUN="$<TARGET_FILE:fp8gemm-run>")
if(FP8GEMM_BUILD_COMPILER)
  target_compile_definitions(RuntimeRunTest PRIVATE FP8GEMM_HAS_CPU)
endif()

fp8gemm_unit_test(RuntimeProgramTest SOURCES RuntimeProgramTest.cpp RuntimeQuantisedProgramTest.cpp LINK fp8gemm_program_static
  DEPENDS RuntimeFakeGpu)
target_compile_definitions(RuntimeProgramTest PRIVATE FP8GEMM_FAKE_LIBCUDA="$<TARGET_FILE:RuntimeFakeGpu>")

fp8gemm_unit_test(RuntimeLaunchCostTest SOURCES RuntimeLaunchCostTest.cpp LINK fp8gemm_format fp8gemm_seal
  DEPENDS launch-cost null_driver)
target_compile_definitions(RuntimeLaunchCostTest PRIVATE
  FP8GEMM_LAUNCH_COST="$<TARGET_FILE:launch-cost>"
  FP8GEMM_NULL_DRIVER="$<TARGET_FILE:null_driver>")

# The runtime under ThreadSanitizer, with a driver that synchronises nothing. GCC's sanitizer needs a process
# without much address space randomisation, which RuntimeThreadsTest sees to.
get_target_property(runtime_sources fp8gemm_runtime_static SOURCES)
list(TRANSFORM runtime_sources PREPEND ${PROJECT_SOURCE_DIR}/runtime/)
add_library(RuntimeThreadsDriver SHARED RuntimeThreadsDriver.cpp
  ${PROJECT_SOURCE_DIR}/benchmark/launch_cost/NullDriver.cpp)
target_include_directories(RuntimeThreadsDriver PRIVATE ${PROJECT_SOURCE_DIR}/runtime/src)
target_compile_options(RuntimeThreadsDriver PRIVATE -Wall -Wextra -Wno-unused-parameter -fsanitize=thread)
add_executable(RuntimeThreads RuntimeThreads.cpp RuntimeTensorMapCacheTest.cpp ${runtime_sources}
  ${PROJECT_SOURCE_DIR}/runtime/src/Driver.cpp)
target_include_directories(RuntimeThreads PRIVATE ${PROJECT_SOURCE_DIR}/runtime/include ${PROJECT_SOURCE_DIR}/runtime/src)
target_compile_options(RuntimeThreads PRIVATE -Wall -Wextra -g -fsanitize=thread)
target_compile_definitions(RuntimeThreads PRIVATE
  FP8GEMM_THREADS_DRIVER="$<TARGET_FILE:RuntimeThreadsDriver>")
target_link_options(RuntimeThreads PRIVATE -fsanitize=thread)
target_link_libraries(RuntimeThreads PRIVATE fp8gemm_format GTest::gtest GTest::gtest_main ${CMAKE_DL_LIBS})
add_dependencies(RuntimeThreads RuntimeThreadsDriver)
set_target_properties(RuntimeThreads PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_CURRENT_BINARY_DIR})
fp8gemm_unit_test(RuntimeThreadsTest SOURCES RuntimeThreadsTest.cpp DEPENDS RuntimeThreads)
target_compile_definitions(RuntimeThreadsTest PRIVATE FP8GEMM_THREADS="$<TARGET_FILE:RuntimeThreads>")

# libFuzzer is clang's: RuntimeFuzz is built by it, whichever compiler builds the rest.
find_program(FUZZ_CXX NAMES clang++-22 clang++)
if(FUZZ_CXX AND NOT DEFINED FUZZ_CXX_WORKS)
  file(WRITE ${CMAKE_CURRENT_BINARY_DIR}/fuzz-check.cpp
    "#include <cstdint>\n#include <cstddef>\nextern \"C\" int LLVMFuzzerTestOneInput(const uint8_t *, size_t) { return 0; }\n")
  execute_process(COMMAND ${FUZZ_CXX} -fsanitize=fuzzer,address,undefined ${CMAKE_CURRENT_BINARY_DIR}/fuzz-check.cpp
    -o ${CMAKE_CURRENT_BINARY_DIR}/fuzz-check RESULT_VARIABLE failed OUTPUT_QUIET ERROR_QUIET)
  if(failed EQUAL 0)
    set(FUZZ_CXX_WORKS TRUE CACHE INTERNAL "Whether FUZZ_CXX links libFuzzer")
  endif()
endif()
fp8gemm_unit_test(RuntimeFuzzTest SOURCES RuntimeFuzzTest.cpp LINK fp8gemm_format)
if(FUZZ_CXX_WORKS)
  set(fuzz ${CMAKE_CURRENT_BINARY_DIR}/RuntimeFuzz)
  set(fuzz_sources ${CMAKE_CURRENT_SOURCE_DIR}/RuntimeFuzz.cpp ${runtime_sources}
    ${PROJECT_SOURCE_DIR}/runtime/src/Driver.cpp)
  file(GLOB fuzz_headers CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/runtime/*/*.h ${PROJECT_SOURCE_DIR}/runtime/include/*/*.h)
  get_property(format_directory TARGET fp8gemm_format PROPERTY INTERFACE_SYSTEM_INCLUDE_DIRECTORIES)
  list(REMOVE_ITEM format_directory /usr/include)
  list(TRANSFORM format_directory PREPEND -isystem)
  add_custom_command(OUTPUT ${fuzz}
    COMMAND ${FUZZ_CXX} -std=c++17 -O1 -g -fsanitize=fuzzer,address,undefined -fno-sanitize-recover=undefined
      -DFP8GEMM_NULL_DRIVER="$<TARGET_FILE:null_driver>" -I${PROJECT_SOURCE_DIR}/runtime/include
      -I${PROJECT_SOURCE_DIR}/runtime/src -I${PROJECT_SOURCE_DIR}/runtime/format ${format_directory}
      ${fuzz_sources} -o ${fuzz}
    DEPENDS ${fuzz_sources} ${fuzz_headers} ${CMAKE_CURRENT_SOURCE_DIR}/RuntimeMend.h fp8gemm_schemas VERBATIM)
  add_custom_target(fuzz DEPENDS ${fuzz})
  add_dependencies(fuzz null_driver)
  add_dependencies(RuntimeFuzzTest fuzz)
  target_compile_definitions(RuntimeFuzzTest PRIVATE FP8GEMM_FUZZ="${fuzz}")
endif()
