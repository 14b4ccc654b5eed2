// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The output of `help()`, except for the products (Parameters.h). The first line is the signature, as inspect reads it.

#ifndef FP8GEMM_PYTHON_SRC_DOCS_H
#define FP8GEMM_PYTHON_SRC_DOCS_H

namespace fp8gemm::python::docs {

constexpr char kClose[] =
    "close($self)\n--\n\nUnloads its kernels and unmaps the file. Launches must be complete, and "
    "captured graphs that\ncontain them destroyed. A pack that was used and never closed stays loaded.";

constexpr char kSetPack[] =
    "set_pack(pack)\n--\n\nSets the pack that the functions of this module use in the whole process; None: none.";
constexpr char kGetPack[] = "get_pack()\n--\n\nThe pack set by set_pack, or None.";

} // namespace fp8gemm::python::docs

#endif // FP8GEMM_PYTHON_SRC_DOCS_H
