// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The message of fp8gemm_last_error.

#ifndef FP8GEMM_RUNTIME_SRC_ERROR_H
#define FP8GEMM_RUNTIME_SRC_ERROR_H

#include "fp8gemm/runtime.h"

#include <exception>
#include <new>

namespace fp8gemm::runtime {

/// Sets this thread's message, cut where it is too long, and returns `status`.
/// Allocates nothing.
fp8gemm_status fail(fp8gemm_status status, const char *format, ...) __attribute__((format(printf, 2, 3)));

/// Runs `body`, so that no exception leaves the library.
template <typename Body> fp8gemm_status guarded(Body body) {
  try {
    return body();
  } catch (const std::bad_alloc &) {
    return fail(FP8GEMM_OUT_OF_MEMORY, "out of host memory");
  } catch (const std::exception &error) {
    return fail(FP8GEMM_OUT_OF_MEMORY, "the host lacks a resource: %s", error.what());
  }
}

} // namespace fp8gemm::runtime

#endif // FP8GEMM_RUNTIME_SRC_ERROR_H
