# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
# The installed files, their places, and the targets of find_package(FP8Gemm). Targets have the same names
# (FP8Gemm::Runtime ...) in a build that adds this folder. docs/Embedding.md tells how they are used.
#
# Components, which the packages are made of (Packages.cmake): runtime and runtime-dev need no LLVM; compiler (the
# shared libraries) and compiler-dev; tools.

include(GNUInstallDirs)
include(CMakePackageConfigHelpers)
set(FP8GEMM_CMAKE_INSTALL_DIR ${CMAKE_INSTALL_LIBDIR}/cmake/FP8Gemm)

# fp8gemm_public(<target> <name> <export set> <component>): FP8Gemm::<name> is the target, also where it is
# installed. The component of a static library, and of a shared one's headers and link, is <component>-dev.
function(fp8gemm_public target name set component)
  add_library(FP8Gemm::${name} ALIAS ${target})
  set_target_properties(${target} PROPERTIES EXPORT_NAME ${name})
  set(export EXPORT ${set})
  if(FP8GEMM_STATIC_MLIR AND set STREQUAL FP8GemmCompilerTargets)
    set(export) # only the shared libraries of this build can be linked, through their C interface
    get_target_property(type ${target} TYPE)
  endif()
  if(FP8GEMM_INSTALL AND NOT type MATCHES "STATIC|INTERFACE")
    install(TARGETS ${target} ${export}
      ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR} COMPONENT ${component}-dev
      LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR} COMPONENT ${component} NAMELINK_COMPONENT ${component}-dev
      INCLUDES DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
    get_target_property(type ${target} TYPE)
    if(NOT type STREQUAL INTERFACE_LIBRARY)
      set_property(GLOBAL APPEND PROPERTY FP8GEMM_INSTALLED ${target})
    endif()
  endif()
endfunction()

# fp8gemm_install_tool(<target>): with its completion, which bash-completion looks for by the tool's name.
function(fp8gemm_install_tool target)
  if(FP8GEMM_INSTALL)
    install(TARGETS ${target} RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR} COMPONENT tools)
    install(FILES ${PROJECT_SOURCE_DIR}/scripts/fp8gemm-completion.bash RENAME ${target}
      DESTINATION ${CMAKE_INSTALL_DATADIR}/bash-completion/completions COMPONENT tools)
    set_property(GLOBAL APPEND PROPERTY FP8GEMM_INSTALLED ${target})
  endif()
endfunction()

function(fp8gemm_install_export set component)
  install(EXPORT ${set} NAMESPACE FP8Gemm:: DESTINATION ${FP8GEMM_CMAKE_INSTALL_DIR} COMPONENT ${component})
endfunction()

# fp8gemm_install_pkg_config(<name> <component>): for those who don't use CMake.
function(fp8gemm_install_pkg_config name component)
  file(RELATIVE_PATH FP8GEMM_PC_TO_PREFIX /prefix/${CMAKE_INSTALL_LIBDIR}/pkgconfig /prefix)
  string(REGEX REPLACE "/$" "" FP8GEMM_PC_TO_PREFIX "${FP8GEMM_PC_TO_PREFIX}")
  configure_file(${PROJECT_SOURCE_DIR}/scripts/cmake/${name}.pc.in ${PROJECT_BINARY_DIR}/package/${name}.pc @ONLY)
  install(FILES ${PROJECT_BINARY_DIR}/package/${name}.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig
    COMPONENT ${component})
endfunction()

# fp8gemm_install_package(): headers, and what find_package and pkg-config read. The target `fp8gemm-installed` builds all that
# `cmake --install` copies, and nothing else.
macro(fp8gemm_install_package)
  get_property(FP8GEMM_INSTALLED GLOBAL PROPERTY FP8GEMM_INSTALLED)
  add_custom_target(fp8gemm-installed DEPENDS ${FP8GEMM_INSTALLED})
  get_property(FP8GEMM_LIBRARIES GLOBAL PROPERTY FP8GEMM_LIBRARIES)
  string(REPLACE ";" " " FP8GEMM_LIBRARIES "${FP8GEMM_LIBRARIES}")
  configure_package_config_file(${PROJECT_SOURCE_DIR}/scripts/cmake/FP8GemmConfig.cmake.in
    ${PROJECT_BINARY_DIR}/package/FP8GemmConfig.cmake INSTALL_DESTINATION ${FP8GEMM_CMAKE_INSTALL_DIR})
  # Before 1.0 a minor version may change the C++ interface.
  write_basic_package_version_file(${PROJECT_BINARY_DIR}/package/FP8GemmConfigVersion.cmake
    COMPATIBILITY SameMinorVersion)
  install(FILES ${PROJECT_BINARY_DIR}/package/FP8GemmConfig.cmake
    ${PROJECT_BINARY_DIR}/package/FP8GemmConfigVersion.cmake
    DESTINATION ${FP8GEMM_CMAKE_INSTALL_DIR} COMPONENT runtime-dev)
  fp8gemm_install_export(FP8GemmRuntimeTargets runtime-dev)
  fp8gemm_install_pkg_config(fp8gemm-runtime runtime-dev)
  install(DIRECTORY ${PROJECT_SOURCE_DIR}/runtime/include/fp8gemm DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}
    COMPONENT runtime-dev FILES_MATCHING PATTERN "*.h" PATTERN "*.hpp")

  if(FP8GEMM_BUILD_COMPILER AND NOT FP8GEMM_STATIC_MLIR)
    fp8gemm_install_export(FP8GemmCompilerTargets compiler-dev)
    fp8gemm_install_pkg_config(fp8gemm compiler-dev)
    install(DIRECTORY ${PROJECT_SOURCE_DIR}/runtime/format/fp8gemm DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}
      COMPONENT compiler-dev)
    install(DIRECTORY ${PROJECT_SOURCE_DIR}/include/ DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}
      COMPONENT compiler-dev FILES_MATCHING PATTERN "*.h" PATTERN "*.td")
    install(DIRECTORY ${PROJECT_BINARY_DIR}/include/ DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}
      COMPONENT compiler-dev FILES_MATCHING PATTERN "*.h.inc" PATTERN CMakeFiles EXCLUDE)
  endif()
  foreach(component runtime runtime-dev compiler compiler-dev tools)
    fp8gemm_package_name(${component} package)
    install(FILES ${PROJECT_SOURCE_DIR}/LICENSE DESTINATION ${CMAKE_INSTALL_DATADIR}/doc/${package} RENAME copyright
      COMPONENT ${component})
  endforeach()
  include(FP8GemmPackages)
  if(FP8GEMM_COMPILER_WHEEL)
    fp8gemm_install_compiler_wheel()
  endif()
endmacro()

# fp8gemm_install_compiler_wheel(): what python/compiler/pyproject.toml puts into the wheel, which loads with glibc 2.28: there threads and
# dlopen are in libraries that are linked here. Files, since a wheel has no links.
function(fp8gemm_install_compiler_wheel)
  if(NOT CMAKE_SYSTEM_PROCESSOR STREQUAL "x86_64")
    message(FATAL_ERROR "FP8GEMM_COMPILER_WHEEL: expected x86_64, whose older symbols python/compiler/OldGlibc.cpp names, "
      "got ${CMAKE_SYSTEM_PROCESSOR}")
  endif()
  add_library(fp8gemm_old_glibc OBJECT python/compiler/OldGlibc.cpp)
  add_library(fp8gemm_old_glibc_start OBJECT python/compiler/OldGlibcStart.cpp)
  set_target_properties(fp8gemm_old_glibc fp8gemm_old_glibc_start PROPERTIES POSITION_INDEPENDENT_CODE ON)
  set(old_libraries "-Wl,--push-state,--no-as-needed,-l:libpthread.so.0,-l:libdl.so.2,--pop-state")
  target_sources(fp8gemm PRIVATE $<TARGET_OBJECTS:fp8gemm_old_glibc>)
  target_link_libraries(fp8gemm PRIVATE ${old_libraries})
  foreach(tool fp8gemm-compile fp8gemm-inspect fp8gemm-opt)
    target_sources(${tool} PRIVATE $<TARGET_OBJECTS:fp8gemm_old_glibc> $<TARGET_OBJECTS:fp8gemm_old_glibc_start>)
    target_link_libraries(${tool} PRIVATE ${old_libraries})
    install(PROGRAMS $<TARGET_FILE:${tool}> DESTINATION fp8gemm_compiler/bin COMPONENT wheel)
  endforeach()
  install(PROGRAMS $<TARGET_FILE:fp8gemm> RENAME $<TARGET_SONAME_FILE_NAME:fp8gemm> DESTINATION fp8gemm_compiler/lib COMPONENT wheel)
  install(FILES ${PROJECT_SOURCE_DIR}/LICENSE DESTINATION fp8gemm_compiler COMPONENT wheel)
endfunction()

# fp8gemm_package_name(<component> <variable>): as Debian names them.
function(fp8gemm_package_name component variable)
  set(runtime libfp8gemm-runtime${PROJECT_VERSION_MAJOR})
  set(runtime-dev libfp8gemm-runtime-dev)
  set(compiler libfp8gemm${PROJECT_VERSION_MAJOR})
  set(compiler-dev libfp8gemm-dev)
  set(tools fp8gemm-tools)
  set(${variable} ${${component}} PARENT_SCOPE)
endfunction()
