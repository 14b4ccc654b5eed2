// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Nothing but a name to link to: libcuda.so.1 (see CMakeLists.txt).
