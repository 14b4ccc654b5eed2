// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "Error.h"

#include <cstdarg>
#include <cstdio>

static thread_local char message[1024] = "no error";
static thread_local fp8gemm_status lastStatus = FP8GEMM_OK;

fp8gemm_status fp8gemm::runtime::fail(fp8gemm_status status, const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  std::vsnprintf(message, sizeof(message), format, arguments);
  va_end(arguments);
  return lastStatus = status;
}

const char *fp8gemm_last_error(void) { return message; }

fp8gemm_status fp8gemm_last_status(void) { return lastStatus; }
