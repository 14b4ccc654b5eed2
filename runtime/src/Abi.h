// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Structs of the C API between programs and libraries of different versions, by their `size`.

#ifndef FP8GEMM_RUNTIME_SRC_ABI_H
#define FP8GEMM_RUNTIME_SRC_ABI_H

#include "Error.h"

#include <algorithm>
#include <cstddef>
#include <cstring>

namespace fp8gemm::runtime {

/// The name of a struct, and its size in the first version: all fields before that always exist.
template <typename T> struct Versioned;
template <> struct Versioned<fp8gemm_gemm_args> {
  static constexpr const char *name = "fp8gemm_gemm_args";
  static constexpr size_t firstSize = offsetof(fp8gemm_gemm_args, num_sms);
};
template <> struct Versioned<fp8gemm_grouped_gemm_args> {
  static constexpr const char *name = "fp8gemm_grouped_gemm_args";
  static constexpr size_t firstSize = offsetof(fp8gemm_grouped_gemm_args, bias);
};
template <> struct Versioned<fp8gemm_quantize_args> {
  static constexpr const char *name = "fp8gemm_quantize_args";
  static constexpr size_t firstSize = sizeof(fp8gemm_quantize_args);
};
template <> struct Versioned<fp8gemm_kernel_info> {
  static constexpr const char *name = "fp8gemm_kernel_info";
  static constexpr size_t firstSize = offsetof(fp8gemm_kernel_info, dependent_launch);
};
template <> struct Versioned<fp8gemm_problem> {
  static constexpr const char *name = "fp8gemm_problem";
  static constexpr size_t firstSize = offsetof(fp8gemm_problem, x_type);
};

/// No struct grows beyond this: a larger size is one that was never set.
constexpr size_t kMaxStructBytes = 4096;

/// Whether `size` can be that of a T of some version.
template <typename T> fp8gemm_status checkSize(size_t size) {
  if (size >= Versioned<T>::firstSize && size <= kMaxStructBytes && size % alignof(T) == 0)
    return FP8GEMM_OK;
  return fail(FP8GEMM_INVALID_ARGUMENT,
              "expected size = %zu (sizeof) in %s, got %zu; a program of another version has at least %zu", sizeof(T),
              Versioned<T>::name, size, Versioned<T>::firstSize);
}

/// The caller's struct as this library's: fields that it lacks are 0, those that are unknown here must be.
template <typename T> fp8gemm_status readStruct(const T *from, T &to) {
  size_t size = from->size;
  if (fp8gemm_status status = checkSize<T>(size))
    return status;
  to = T{};
  std::memcpy(&to, from, std::min(size, sizeof(T)));
  const char *bytes = reinterpret_cast<const char *>(from);
  if (size > sizeof(T) && !std::all_of(bytes + sizeof(T), bytes + size, [](char byte) { return byte == 0; }))
    return fail(FP8GEMM_INVALID_ARGUMENT,
                "expected zeros after the %zu bytes of %s that version %d.%d.%d of this library knows, got something "
                "else: the program asks for what a later version does; update libfp8gemm_runtime",
                sizeof(T), Versioned<T>::name, FP8GEMM_VERSION_MAJOR, FP8GEMM_VERSION_MINOR, FP8GEMM_VERSION_PATCH);
  return FP8GEMM_OK;
}

/// Fills the caller's struct, whose size was checked: as much as it has room for, then zeros.
template <typename T> void writeStruct(T from, T *to) {
  from.size = to->size;
  size_t known = std::min(from.size, sizeof(T));
  std::memset(reinterpret_cast<char *>(to) + known, 0, from.size - known);
  std::memcpy(to, &from, known);
}

} // namespace fp8gemm::runtime

#endif // FP8GEMM_RUNTIME_SRC_ABI_H
