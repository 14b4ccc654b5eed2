# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
# CompilerThreads: libfp8gemm's C functions and the parts of the compiler that could have state of several compilations,
# under clang's ThreadSanitizer. Dialects and conversions work on one MLIRContext and have no variables outside of it
# (test/Repository), so they are linked as they are, like the simulator, programs and raising. libMLIR and libLLVM are
# Debian's, and RuntimeThreads has the runtime. MLIR's headers take most of a file's time, so they are compiled once.
if(NOT FUZZ_CXX_WORKS OR FP8GEMM_STATIC_MLIR)
  return()
endif()

set(directory ${CMAKE_CURRENT_BINARY_DIR}/CompilerThreads.dir)
set(includes ${PROJECT_SOURCE_DIR}/include ${PROJECT_BINARY_DIR}/include ${PROJECT_SOURCE_DIR}/runtime/include
  ${PROJECT_SOURCE_DIR}/runtime/format ${PROJECT_BINARY_DIR}/runtime/format)
list(TRANSFORM includes PREPEND -I)
set(flags -std=c++17 -O1 -gline-tables-only -fsanitize=thread -fno-exceptions -fPIC -Wno-everything
  ${LLVM_DEFINITIONS_LIST} -DFP8GEMM_DEFAULT_VENV="${FP8GEMM_VENV}" -DFP8GEMM_VERSION="${PROJECT_VERSION}"
  ${includes} -isystem ${LLVM_INCLUDE_DIRS})
set(launcher ${CMAKE_COMMAND} -E env CCACHE_SLOPPINESS=pch_defines,time_macros ${CMAKE_CXX_COMPILER_LAUNCHER})

set(generated FP8GemmIncGen FP8GemmPassesIncGen HopperIncGen HopperPassesIncGen FP8GemmConversionPassesIncGen
  FP8GemmTargetPassesIncGen fp8gemm_schemas)
set(header ${PROJECT_SOURCE_DIR}/scripts/cmake/MlirHeaders.h)
set(pch ${directory}/headers.pch)
file(MAKE_DIRECTORY ${directory})
add_custom_command(OUTPUT ${pch}
  COMMAND ${launcher} ${FUZZ_CXX} ${flags} -Xclang -fno-pch-timestamp -fpch-instantiate-templates -x c++-header ${header}
    -MD -MF ${pch}.d -o ${pch}
  DEPENDS ${header} ${generated} DEPFILE ${pch}.d VERBATIM)

set(files ${CMAKE_CURRENT_SOURCE_DIR}/CompilerThreads.cpp)
foreach(library FP8GemmSupport FP8GemmConfig FP8GemmCudaTools FP8GemmTarget FP8GemmDialects FP8GemmPassPipelines FP8GemmCompiler
    FP8GemmPack FP8GemmDriver fp8gemm)
  get_target_property(sources ${library} SOURCES)
  get_target_property(source_directory ${library} SOURCE_DIR)
  list(TRANSFORM sources PREPEND ${source_directory}/)
  list(APPEND files ${sources})
endforeach()
set(objects)
foreach(file IN LISTS files)
  file(RELATIVE_PATH object ${PROJECT_SOURCE_DIR} ${file})
  string(REPLACE / . object ${object})
  set(object ${directory}/${object}.o)
  # Plain C++ has no use for MLIR's headers.
  set(use_pch -include-pch ${pch})
  if(file MATCHES "/lib/Config/|/lib/Support/|CudaTools|ChildProcess|NvPtx")
    set(use_pch)
  endif()
  # The test itself is not a library's code.
  set(exceptions)
  if(file MATCHES "/test/")
    set(use_pch)
    set(exceptions -fexceptions)
  endif()
  add_custom_command(OUTPUT ${object}
    COMMAND ${launcher} ${FUZZ_CXX} ${flags} ${exceptions} ${use_pch} -Xclang -fno-pch-timestamp
      -MD -MF ${object}.d -c ${file} -o ${object}
    DEPENDS ${file} ${pch} DEPFILE ${object}.d VERBATIM)
  list(APPEND objects ${object})
endforeach()

set(libraries FP8GemmDialect HopperDialect FP8GemmTransforms HopperTransforms FP8GemmDescribeConfig FP8GemmToHopper
  HopperToNVVM FP8GemmCheckKernel FP8GemmInitAll FP8GemmProgram FP8GemmToRuntime FP8GemmCpuPipeline FP8GemmBufferization FP8GemmToLinalg
  HopperSimulator LinalgToFP8Gemm fp8gemm_runtime_static fp8gemm_driver)
list(TRANSFORM libraries REPLACE "(.+)" "$<TARGET_FILE:\\1>" OUTPUT_VARIABLE archives)
set(program ${CMAKE_CURRENT_BINARY_DIR}/CompilerThreads)
add_custom_command(OUTPUT ${program}
  COMMAND ${FUZZ_CXX} -fsanitize=thread -Wl,--build-id ${objects} -Wl,--start-group ${archives} -Wl,--end-group $<TARGET_FILE:MLIRCAPIIR>
    -o ${program} $<TARGET_FILE:MLIR> $<TARGET_FILE:LLVM> -Wl,-rpath,${LLVM_LIBRARY_DIRS} -lpthread -ldl
  DEPENDS ${objects} ${libraries} VERBATIM)
add_custom_target(compiler-threads DEPENDS ${program})
fp8gemm_unit_test(CompilerThreadsTest SOURCES CompilerThreadsTest.cpp DEPENDS compiler-threads)
target_compile_definitions(CompilerThreadsTest PRIVATE FP8GEMM_COMPILER_THREADS="${program}")
