# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
# How the compiler's libraries and tools are built against Debian's LLVM/MLIR:
# RTTI on, exceptions off, the shared libMLIR and libLLVM.

# Debian's MLIR libraries ask for the shared libLLVM or libMLIR, also when they are linked statically; a program with
# both would hold two copies of LLVM's registries. All dialects come with the targets that MLIR serialises for.
if(FP8GEMM_STATIC_MLIR)
  llvm_map_components_to_libnames(static_llvm AMDGPUAsmParser AMDGPUCodeGen AMDGPUDesc AMDGPUInfo NVPTXCodeGen NVPTXDesc
    NVPTXInfo SPIRVCodeGen SPIRVDesc SPIRVInfo native nativecodegen asmparser bitreader bitwriter core coverage
    frontendopenmp irreader linker orcjit passes support target targetparser transformutils)
  add_library(fp8gemm_static_llvm INTERFACE)
  target_link_libraries(fp8gemm_static_llvm INTERFACE ${static_llvm})
  get_property(mlir_libraries GLOBAL PROPERTY MLIR_ALL_LIBS)
  foreach(library IN LISTS mlir_libraries)
    get_target_property(type ${library} TYPE)
    if(type STREQUAL "STATIC_LIBRARY" AND NOT library MATCHES "^MLIR.*Test")
      list(APPEND FP8GEMM_MLIR_LIBRARIES ${library}) # of which the linker takes what is used
    endif()
    get_target_property(needed ${library} INTERFACE_LINK_LIBRARIES)
    if(needed)
      list(TRANSFORM needed REPLACE "^(LLVM|MLIR)$" fp8gemm_static_llvm)
      list(TRANSFORM needed REPLACE "^.<LINK_ONLY:(LLVM|MLIR)>$" "$<LINK_ONLY:fp8gemm_static_llvm>")
      set_target_properties(${library} PROPERTIES INTERFACE_LINK_LIBRARIES "${needed}")
    endif()
  endforeach()
  find_library(FP8GEMM_STATIC_ZLIB libz.a REQUIRED)
  find_library(FP8GEMM_STATIC_ZSTD libzstd.a REQUIRED)
  get_target_property(needed LLVMSupport INTERFACE_LINK_LIBRARIES)
  list(TRANSFORM needed REPLACE ".*ZLIB::ZLIB.*" ${FP8GEMM_STATIC_ZLIB})
  list(TRANSFORM needed REPLACE ".*zstd::libzstd_shared.*" ${FP8GEMM_STATIC_ZSTD})
  list(FILTER needed EXCLUDE REGEX "z3")
  set_target_properties(LLVMSupport PROPERTIES INTERFACE_LINK_LIBRARIES "${needed}")
endif()

# Debian's loader doesn't look where Debian has libMLIR.so.
set(FP8GEMM_INSTALL_RPATH)
if(NOT FP8GEMM_STATIC_MLIR)
  set(FP8GEMM_INSTALL_RPATH ${LLVM_LIBRARY_DIRS})
endif()

# A shared libMLIR of clang's, as Debian's, names traits as clang does; so do our files if GCC compiles them.
set(FP8GEMM_TYPE_NAMES)
if(NOT FP8GEMM_STATIC_MLIR AND CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  get_target_property(libmlir MLIR LOCATION)
  file(STRINGS ${libmlir} clang_name LIMIT_COUNT 1 REGEX "DesiredTypeName = mlir::OpTrait::SymbolTable<Empty>")
  if(clang_name)
    set(FP8GEMM_TYPE_NAMES ${CMAKE_CURRENT_LIST_DIR}/gcc)
  endif()
endif()

separate_arguments(LLVM_DEFINITIONS_LIST NATIVE_COMMAND ${LLVM_DEFINITIONS})

# fp8gemm_compile_options(<target>): what every compiler target is built with.
function(fp8gemm_compile_options target)
  target_include_directories(${target} PUBLIC
    $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}/include>
    $<BUILD_INTERFACE:${PROJECT_BINARY_DIR}/include>)
  target_include_directories(${target} SYSTEM PUBLIC
    $<BUILD_INTERFACE:${LLVM_INCLUDE_DIRS}>
    $<BUILD_INTERFACE:${MLIR_INCLUDE_DIRS}>)
  target_compile_definitions(${target} PUBLIC ${LLVM_DEFINITIONS_LIST})
  target_compile_options(${target} PRIVATE -fno-exceptions -Wall -Wextra -Wno-unused-parameter -Wno-comment)
  if(FP8GEMM_TYPE_NAMES)
    target_include_directories(${target} PRIVATE ${FP8GEMM_TYPE_NAMES})
  endif()
endfunction()

# Most of a file's time goes into MLIR's headers.
if(FP8GEMM_PRECOMPILED_HEADERS)
  file(WRITE ${PROJECT_BINARY_DIR}/headers.cpp "")
  add_library(fp8gemm_headers STATIC ${PROJECT_BINARY_DIR}/headers.cpp)
  fp8gemm_compile_options(fp8gemm_headers)
  target_precompile_headers(fp8gemm_headers PRIVATE ${CMAKE_CURRENT_LIST_DIR}/MlirHeaders.h)
  # With CCACHE_SLOPPINESS=pch_defines,time_macros ccache keeps what uses them.
  target_compile_options(fp8gemm_headers PRIVATE "$<$<CXX_COMPILER_ID:Clang>:SHELL:-Xclang -fno-pch-timestamp>")
endif()

# fp8gemm_precompiled_headers(<target>): uses them, with FP8GEMM_PRECOMPILED_HEADERS. They are a library's code, so that
# a program's must be that, too.
function(fp8gemm_precompiled_headers target)
  if(FP8GEMM_PRECOMPILED_HEADERS)
    target_precompile_headers(${target} REUSE_FROM fp8gemm_headers)
    target_compile_options(${target} PRIVATE "$<$<CXX_COMPILER_ID:Clang>:SHELL:-Xclang -fno-pch-timestamp>")
    get_target_property(type ${target} TYPE)
    if(type STREQUAL "EXECUTABLE")
      target_compile_options(${target} PRIVATE -fPIC)
    endif()
  endif()
endfunction()

# fp8gemm_library(<name> SOURCES ... [DEPENDS <tablegen targets>] [LINK <own libraries>] [MLIR <static libraries>])
# MLIR names the static libraries that the library uses; with the shared libMLIR
# (the default) they are not linked one by one.
function(fp8gemm_library name)
  cmake_parse_arguments(ARG "" "" "SOURCES;DEPENDS;LINK;MLIR" ${ARGN})
  add_library(${name} STATIC ${ARG_SOURCES})
  fp8gemm_compile_options(${name})
  fp8gemm_precompiled_headers(${name})
  if(ARG_DEPENDS)
    add_dependencies(${name} ${ARG_DEPENDS})
  endif()
  target_compile_features(${name} INTERFACE cxx_std_17)
  # Headers of ours, of which only fp8gemm/Problem.h is installed.
  list(TRANSFORM ARG_LINK REPLACE "^fp8gemm_format$" "$<BUILD_INTERFACE:fp8gemm_format>")
  target_link_libraries(${name} PUBLIC ${ARG_LINK})
  if(FP8GEMM_STATIC_MLIR)
    target_link_libraries(${name} PUBLIC ${ARG_MLIR})
  else()
    target_link_libraries(${name} PUBLIC MLIR LLVM)
  endif()
  fp8gemm_public(${name} ${name} FP8GemmCompilerTargets compiler)
  set_property(GLOBAL APPEND PROPERTY FP8GEMM_LIBRARIES ${name})
endfunction()

# fp8gemm_public_group(<name> <own libraries>): FP8Gemm::<name> links all of these.
function(fp8gemm_public_group name)
  add_library(fp8gemm-${name} INTERFACE)
  target_link_libraries(fp8gemm-${name} INTERFACE ${ARGN})
  fp8gemm_public(fp8gemm-${name} ${name} FP8GemmCompilerTargets compiler)
endfunction()

# fp8gemm_c_library(<name> <public name> SOURCES ... LINK ...): a shared library that shows the C functions of
# exports.map beside its CMakeLists.txt, and no C++.
function(fp8gemm_c_library name public_name)
  cmake_parse_arguments(ARG "" "" "SOURCES;LINK" ${ARGN})
  add_library(${name} SHARED ${ARG_SOURCES})
  fp8gemm_compile_options(${name})
  target_link_libraries(${name} PRIVATE ${ARG_LINK})
  target_link_options(${name} PRIVATE -Wl,--version-script=${CMAKE_CURRENT_SOURCE_DIR}/exports.map)
  if(NOT CMAKE_CXX_FLAGS MATCHES "-fsanitize=") # whose functions the program has
    target_link_options(${name} PRIVATE -Wl,--no-undefined)
  endif()
  if(FP8GEMM_STATIC_MLIR)
    target_link_libraries(${name} PRIVATE ${FP8GEMM_MLIR_LIBRARIES})
  endif()
  set_target_properties(${name} PROPERTIES
    VERSION ${PROJECT_VERSION} SOVERSION ${PROJECT_VERSION_MAJOR}
    LINK_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/exports.map INSTALL_RPATH "${FP8GEMM_INSTALL_RPATH}"
    CXX_VISIBILITY_PRESET hidden VISIBILITY_INLINES_HIDDEN ON)
  fp8gemm_public(${name} ${public_name} FP8GemmCompilerTargets compiler)
endfunction()

# fp8gemm_tool(<name> SOURCES ... LINK ...)
function(fp8gemm_tool name)
  cmake_parse_arguments(ARG "" "" "SOURCES;LINK" ${ARGN})
  add_executable(${name} ${ARG_SOURCES})
  fp8gemm_compile_options(${name})
  fp8gemm_precompiled_headers(${name})
  target_link_libraries(${name} PRIVATE ${ARG_LINK})
  if(FP8GEMM_STATIC_MLIR)
    target_link_libraries(${name} PRIVATE ${FP8GEMM_MLIR_LIBRARIES})
  endif()
  set_property(GLOBAL APPEND PROPERTY FP8GEMM_TOOLS ${name}) # what check-lit builds first
  set_target_properties(${name} PROPERTIES INSTALL_RPATH "${FP8GEMM_INSTALL_RPATH}")
endfunction()
