// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The runtime for C++17: adds owners and exceptions to runtime.h, whose comments document each call.
// Only this header and libfp8gemm_runtime are needed; the structs are those of C, and their
// `size` is filled in here. Programs without exceptions use runtime.h.

#ifndef FP8GEMM_RUNTIME_HPP
#define FP8GEMM_RUNTIME_HPP

#if !defined(__cpp_exceptions)
#error "fp8gemm/runtime.hpp reports errors by exceptions; without them include fp8gemm/runtime.h"
#endif

#include "fp8gemm/runtime.h"

#include <cstddef>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

namespace fp8gemm {

/// A call that failed: what() is the runtime's message.
class Error : public std::runtime_error {
public:
  Error(fp8gemm_status status, const char *message) : std::runtime_error(message), failed(status) {}

  fp8gemm_status status() const noexcept { return failed; }

private:
  fp8gemm_status failed;
};

/// Throws an Error for `status` unless it is success.
inline void check(fp8gemm_status status) {
  if (status != FP8GEMM_OK)
    throw Error(status, fp8gemm_last_error());
}

/// A non-owning reference to a kernel; pass it by value.
class KernelRef {
public:
  explicit KernelRef(fp8gemm_kernel *kernel) noexcept : kernel(kernel) {}

  fp8gemm_kernel_info info() const {
    fp8gemm_kernel_info info{};
    info.size = sizeof(info);
    check(fp8gemm_kernel_get_info(kernel, &info));
    return info;
  }

  void load() const { check(fp8gemm_kernel_load(kernel)); }

  void gemm(fp8gemm_gemm_args args, CUstream_st *stream) const {
    args.size = sizeof(args);
    check(fp8gemm_gemm(kernel, &args, stream));
  }

  void quantize(fp8gemm_quantize_args args, CUstream_st *stream) const {
    args.size = sizeof(args);
    check(fp8gemm_quantize(kernel, &args, stream));
  }

  void groupedGemm(fp8gemm_grouped_gemm_args args, CUstream_st *stream) const {
    args.size = sizeof(args);
    check(fp8gemm_grouped_gemm(kernel, &args, stream));
  }

  std::string ringReport() const {
    const char *report = fp8gemm_kernel_ring_report(kernel);
    if (!report)
      throw Error(fp8gemm_last_status(), fp8gemm_last_error());
    return report;
  }

  fp8gemm_kernel *get() const noexcept { return kernel; }

private:
  fp8gemm_kernel *kernel;
};

/// An open kernel file. Can be moved, not copied; a moved-from object may only be assigned to or destroyed.
class Kernel {
public:
  explicit Kernel(const std::string &path) {
    fp8gemm_kernel *opened = nullptr;
    check(fp8gemm_kernel_open(path.c_str(), &opened));
    kernel.reset(opened);
  }
  /// Bytes of a kernel file, which are copied.
  Kernel(const void *bytes, std::size_t size) {
    fp8gemm_kernel *opened = nullptr;
    check(fp8gemm_kernel_open_memory(bytes, size, &opened));
    kernel.reset(opened);
  }

  KernelRef ref() const noexcept { return KernelRef(kernel.get()); }
  fp8gemm_kernel_info info() const { return ref().info(); }
  void load() const { ref().load(); }
  void gemm(const fp8gemm_gemm_args &args, CUstream_st *stream) const { ref().gemm(args, stream); }
  void quantize(const fp8gemm_quantize_args &args, CUstream_st *stream) const { ref().quantize(args, stream); }
  void groupedGemm(const fp8gemm_grouped_gemm_args &args, CUstream_st *stream) const {
    ref().groupedGemm(args, stream);
  }
  std::string ringReport() const { return ref().ringReport(); }

private:
  struct Close {
    void operator()(fp8gemm_kernel *opened) const noexcept { fp8gemm_kernel_close(opened); }
  };
  std::unique_ptr<fp8gemm_kernel, Close> kernel;
};

/// An open pack, with the same rules.
class Pack {
public:
  explicit Pack(const std::string &path) {
    fp8gemm_pack *opened = nullptr;
    check(fp8gemm_pack_open(path.c_str(), &opened));
    pack.reset(opened);
  }
  /// Bytes of a pack, aligned to 16, which the caller owns and must keep alive.
  Pack(const void *bytes, std::size_t size) {
    fp8gemm_pack *opened = nullptr;
    check(fp8gemm_pack_open_memory(bytes, size, &opened));
    pack.reset(opened);
  }

  std::vector<fp8gemm_problem> problems() const {
    std::vector<fp8gemm_problem> problems(fp8gemm_pack_problem_count(pack.get()));
    for (std::size_t i = 0; i < problems.size(); ++i) {
      problems[i].size = sizeof(fp8gemm_problem);
      check(fp8gemm_pack_get_problem(pack.get(), i, &problems[i]));
    }
    return problems;
  }

  /// All kernels, or those of some problems, into the current context.
  void load() const { check(fp8gemm_pack_load(pack.get(), nullptr, 0)); }
  void load(std::vector<fp8gemm_problem> problems) const {
    for (fp8gemm_problem &problem : problems)
      problem.size = sizeof(problem);
    if (!problems.empty()) // a null pointer would mean all
      check(fp8gemm_pack_load(pack.get(), problems.data(), problems.size()));
  }

  /// Lives as long as the pack.
  KernelRef find(fp8gemm_problem problem, std::int64_t m) const {
    problem.size = sizeof(problem);
    fp8gemm_kernel *found = fp8gemm_pack_find(pack.get(), &problem, m);
    if (!found)
      throw Error(fp8gemm_last_status(), fp8gemm_last_error());
    return KernelRef(found);
  }

  fp8gemm_pack *get() const noexcept { return pack.get(); }

private:
  struct Close {
    void operator()(fp8gemm_pack *opened) const noexcept { fp8gemm_pack_close(opened); }
  };
  std::unique_ptr<fp8gemm_pack, Close> pack;
};

} // namespace fp8gemm

#endif // FP8GEMM_RUNTIME_HPP
