// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "Gpu.h"

#include <chrono>
#include <thread>

namespace fp8gemm::run {

void Gpu::check(cuda::CUresult result, const char *call) const {
  if (result != cuda::CUDA_SUCCESS)
    throw std::runtime_error(driver->describe(result, call));
}

void Gpu::wait() const {
  using Clock = std::chrono::steady_clock;
  std::chrono::duration<double> limit(watchdogSeconds);
  for (auto start = Clock::now(); watchdogSeconds > 0;) {
    cuda::CUresult result = cu.streamQuery(stream);
    if (result != cuda::CUDA_ERROR_NOT_READY)
      break; // the driver says more of an error where it waits
    if (Clock::now() - start > limit)
      throw Hang("expected the GPU to be done within " + std::to_string(int64_t(watchdogSeconds)) +
                 " s (--watchdog), but it still runs");
    std::this_thread::sleep_for(std::chrono::microseconds(50));
  }
  check(driver->streamSynchronize(stream), "cuStreamSynchronize");
}

Gpu::Gpu(double watchdogSeconds) : watchdogSeconds(watchdogSeconds) {
  std::string error;
  driver = cuda::Driver::get(error);
  if (!driver || !cu.load(*driver, error))
    throw std::runtime_error(error);
  cuda::CUdevice device = 0;
  check(cu.deviceGet(&device, 0), "cuDeviceGet");
  char text[128] = "";
  check(driver->deviceGetName(text, sizeof(text), device), "cuDeviceGetName");
  int sms = 0;
  check(driver->deviceGetAttribute(&sms, cuda::CU_DEVICE_ATTRIBUTE_MULTIPROCESSOR_COUNT, device),
        "cuDeviceGetAttribute");
  name = std::string(text) + ", " + std::to_string(sms) + " SMs";
  cuda::CUcontext context = nullptr;
  check(cu.primaryCtxRetain(&context, device), "cuDevicePrimaryCtxRetain");
  check(cu.ctxSetCurrent(context), "cuCtxSetCurrent");
  check(cu.streamCreate(&stream, 0), "cuStreamCreate");
}

Gpu::~Gpu() {
  for (cuda::CUdeviceptr allocation : allocations)
    cu.memFree(allocation);
}

cuda::CUdeviceptr Gpu::allocate(size_t bytes) {
  cuda::CUdeviceptr pointer = 0;
  check(cu.memAlloc(&pointer, bytes), "cuMemAlloc");
  allocations.push_back(pointer);
  return pointer;
}

void *Gpu::upload(const Matrix &matrix, const Matrix &contents) {
  cuda::CUdeviceptr &pointer = matrices[&matrix];
  if (!pointer)
    pointer = allocate(matrix.bytes.size());
  check(driver->memcpyHtoD(pointer, contents.bytes.data(), contents.bytes.size()), "cuMemcpyHtoD");
  return reinterpret_cast<void *>(pointer + Matrix::kGuardBytes);
}

void Gpu::download(const Matrix &matrix, Matrix &contents) {
  check(cu.memcpyDtoH(contents.bytes.data(), matrices.at(&matrix), contents.bytes.size()), "cuMemcpyDtoH");
}

void Gpu::run(const std::function<void(cuda::CUstream)> &launch) {
  launch(stream);
  wait();
}

std::vector<double> Gpu::time(int calls, const std::function<void(cuda::CUstream)> &launch) {
  constexpr size_t kFlush = size_t(512) << 20, kChunk = size_t(4) << 20;
  cuda::CUdeviceptr written = allocate(kFlush), read = allocate(kFlush), sink = allocate(kChunk);
  cuda::CUevent start = nullptr, stop = nullptr;
  check(cu.eventCreate(&start, 0), "cuEventCreate");
  check(cu.eventCreate(&stop, 0), "cuEventCreate");
  check(cu.memsetD8Async(read, 1, kFlush, stream), "cuMemsetD8Async");
  std::vector<double> microseconds;
  for (int i = -2; i < calls; ++i) { // the first two warm up
    check(cu.memsetD8Async(written, uint8_t(i), kFlush, stream), "cuMemsetD8Async");
    // Reads 512 MB and writes but one chunk, over and over.
    for (size_t offset = 0; offset < kFlush; offset += kChunk)
      check(cu.memcpyDtoDAsync(sink, read + offset, kChunk, stream), "cuMemcpyDtoDAsync");
    check(cu.eventRecord(start, stream), "cuEventRecord");
    launch(stream);
    check(cu.eventRecord(stop, stream), "cuEventRecord");
    wait();
    float milliseconds = 0;
    check(cu.eventElapsedTime(&milliseconds, start, stop), "cuEventElapsedTime");
    if (i >= 0)
      microseconds.push_back(milliseconds * 1e3);
  }
  return microseconds;
}

double Gpu::timeHost(const std::function<void(cuda::CUstream)> &launch) {
  constexpr int kLaunches = 200; // the driver queues about 1000 before it blocks
  run(launch);
  auto start = std::chrono::steady_clock::now();
  for (int i = 0; i < kLaunches; ++i)
    launch(stream);
  std::chrono::duration<double, std::micro> spent = std::chrono::steady_clock::now() - start;
  wait();
  return spent.count() / kLaunches;
}

} // namespace fp8gemm::run
