// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Loading and launching, against a fake driver: what the driver is asked, and what a
// errors are reported to the caller.

#include "RuntimeGemmFixture.h"

#include <fstream>
#include <thread>

using namespace fp8gemm;
using namespace fp8gemm::test;

namespace {

//===----------------------------------------------------------------------===//
// Opening and describing
//===----------------------------------------------------------------------===//

TEST_F(Gemm, OpenNeedsNoDriver) {
  open();
  EXPECT_TRUE(fake().calls.empty());
}

TEST_F(Gemm, InfoIsTheManifest) {
  open();
  fp8gemm_kernel_info info{};
  info.size = sizeof(info);
  ASSERT_EQ(fp8gemm_kernel_get_info(kernel, &info), FP8GEMM_OK);
  EXPECT_STREQ(info.name, "gemm_test");
  EXPECT_STREQ(info.chip, "sm_90a");
  EXPECT_EQ(info.m, -1);
  EXPECT_EQ(info.n, 4096);
  EXPECT_EQ(info.k, 7168);
  EXPECT_EQ(info.sfa_layout, FP8GEMM_MN_MAJOR);
  EXPECT_EQ(info.sfb_layout, FP8GEMM_K_MAJOR);
  EXPECT_EQ(info.threads, 384u);
  EXPECT_EQ(info.smem_bytes, 200000u);
  EXPECT_EQ(info.registers, 168u);
  EXPECT_STREQ(info.config, "config text");
  EXPECT_STREQ(info.ptxas_version, "13.0.88");
  info.size = 8;
  expect(fp8gemm_kernel_get_info(kernel, &info), FP8GEMM_INVALID_ARGUMENT, "in fp8gemm_kernel_info, got 8");
}

TEST_F(Gemm, OpenSaysWhatIsWrongWithAFile) {
  std::string path = std::string(FP8GEMM_TEST_DIR) + "/runtime-damaged.cubin", bytes = makeKernelFile();
  bytes[100] ^= 1;
  std::ofstream(path, std::ios::binary) << bytes;
  expect(fp8gemm_kernel_open(path.c_str(), &kernel), FP8GEMM_INVALID_FILE, path + ": kernel file is damaged");
  expect(fp8gemm_kernel_open("/nonexistent/x.cubin", &kernel), FP8GEMM_IO_ERROR, "No such file or directory");
  expect(fp8gemm_kernel_open(FP8GEMM_TEST_DIR, &kernel), FP8GEMM_IO_ERROR, "expected a regular file");
  expect(fp8gemm_kernel_open_memory(nullptr, 3, &kernel), FP8GEMM_INVALID_ARGUMENT, "got null");
  expect(fp8gemm_kernel_open(nullptr, &kernel), FP8GEMM_INVALID_ARGUMENT, "got null");
  expect(fp8gemm_kernel_open(path.c_str(), nullptr), FP8GEMM_INVALID_ARGUMENT, "got null");
  EXPECT_EQ(kernel, nullptr);
}

TEST_F(Gemm, OpenRefusesMoreParametersThanALaunchHolds) {
  ManifestSpec manifest;
  CubinSpec cubin;
  manifest.params.resize(25, {format::ParamKind::ExtentM, format::Operand::None});
  cubin.paramBytes.resize(25, 4);
  std::string bytes = makeKernelFile(manifest, cubin);
  expect(fp8gemm_kernel_open_memory(bytes.data(), bytes.size(), &kernel), FP8GEMM_INVALID_FILE,
         "expected at most 24 kernel parameters, got 25");
}

//===----------------------------------------------------------------------===//
// Launching
//===----------------------------------------------------------------------===//

TEST_F(Gemm, GridIsTheSmallerOfSmsAndTiles) {
  open();
  for (auto [m, grid] : {std::pair<int64_t, unsigned>{1, 32}, {128, 32}, {129, 64}, {513, 132}, {4096, 132}}) {
    fp8gemm_gemm_args args = goodArgs(m);
    args.sfa.leading_dimension = 4096;
    ASSERT_EQ(fp8gemm_gemm(kernel, &args, nullptr), FP8GEMM_OK) << fp8gemm_last_error();
    const cuda::CUlaunchConfig &config = fake().launches.back().config;
    EXPECT_EQ(config.gridDimX, grid) << "m = " << m;
    EXPECT_EQ(config.gridDimY * config.gridDimZ, 1u);
    EXPECT_EQ(config.blockDimX, 384u);
    EXPECT_EQ(config.sharedMemBytes, 200000u);
    EXPECT_EQ(config.numAttrs, 0u);
  }
}

TEST_F(Gemm, SmsComeFromTheDevice) {
  fake().sms = 78;
  open();
  ASSERT_EQ(run(), FP8GEMM_OK);
  EXPECT_EQ(fake().launches.back().config.gridDimX, 78u);
}

TEST_F(Gemm, GridIsWholeClusters) {
  ManifestSpec manifest;
  manifest.clusterM = 2;
  open(manifest);
  // 32 columns of tiles; two rows of tiles a cluster, the last of 3 rows with an empty one.
  for (auto [m, grid] : {std::pair<int64_t, unsigned>{128, 64}, {256, 64}, {384, 120}, {4096, 120}}) {
    fp8gemm_gemm_args args = goodArgs(m);
    args.sfa.leading_dimension = 4096;
    ASSERT_EQ(fp8gemm_gemm(kernel, &args, nullptr), FP8GEMM_OK) << fp8gemm_last_error();
    EXPECT_EQ(fake().launches.back().config.gridDimX, grid) << "m = " << m; // 60 clusters at once
    EXPECT_EQ(fake().launches.back().cluster, 2u);
  }
  EXPECT_EQ(fake().askedCluster, 2u);
}

TEST_F(Gemm, SplitKIsNotPersistent) {
  ManifestSpec manifest;
  manifest.splitK = 4;
  open(manifest);
  fp8gemm_gemm_args args = goodArgs(512);
  ASSERT_EQ(fp8gemm_gemm(kernel, &args, nullptr), FP8GEMM_OK) << fp8gemm_last_error();
  EXPECT_EQ(fake().launches.back().config.gridDimX, 4u * 4 * 32); // every tile has its cluster
  EXPECT_EQ(fake().launches.back().cluster, 4u);
}

TEST_F(Gemm, RefusesADeviceWithoutRoomForACluster) {
  ManifestSpec manifest;
  manifest.clusterN = 8;
  fake().activeClusters = 0;
  open(manifest);
  EXPECT_EQ(run(), FP8GEMM_UNSUPPORTED_DEVICE);
}

TEST_F(Gemm, TensorMapsDescribeTheStorage) {
  open();
  ASSERT_EQ(run(1000), FP8GEMM_OK) << fp8gemm_last_error();
  ASSERT_EQ(fake().maps.size(), 4u);
  auto expectMap = [](const FakeMap &map, int type, uintptr_t data, std::vector<uint64_t> extents, uint64_t stride,
                      std::vector<uint32_t> box, int swizzle, int promotion) {
    EXPECT_EQ(map.type, type);
    EXPECT_EQ(map.address, address(data));
    EXPECT_EQ(map.extents, extents);
    EXPECT_EQ(map.strides, std::vector<uint64_t>{stride});
    EXPECT_EQ(map.box, box);
    EXPECT_EQ(map.elementStrides, (std::vector<uint32_t>{1, 1}));
    EXPECT_EQ(map.interleave, cuda::CU_TENSOR_MAP_INTERLEAVE_NONE);
    EXPECT_EQ(map.swizzle, swizzle);
    EXPECT_EQ(map.promotion, promotion);
    EXPECT_EQ(map.oobFill, cuda::CU_TENSOR_MAP_FLOAT_OOB_FILL_NONE);
  };
  // Innermost extent first, strides in bytes.
  expectMap(fake().maps[0], cuda::CU_TENSOR_MAP_DATA_TYPE_UINT8, 0x1'0000'0000, {7168, 1000}, 7168, {128, 128},
            cuda::CU_TENSOR_MAP_SWIZZLE_128B, cuda::CU_TENSOR_MAP_L2_PROMOTION_L2_256B);
  expectMap(fake().maps[1], cuda::CU_TENSOR_MAP_DATA_TYPE_UINT8, 0x3'0000'0000, {7168, 4096}, 7184, {128, 128},
            cuda::CU_TENSOR_MAP_SWIZZLE_128B, cuda::CU_TENSOR_MAP_L2_PROMOTION_L2_128B);
  expectMap(fake().maps[2], cuda::CU_TENSOR_MAP_DATA_TYPE_FLOAT32, 0x2'0000'0000, {1000, 56}, 4096, {128, 1},
            cuda::CU_TENSOR_MAP_SWIZZLE_NONE, cuda::CU_TENSOR_MAP_L2_PROMOTION_NONE);
  expectMap(fake().maps[3], cuda::CU_TENSOR_MAP_DATA_TYPE_BFLOAT16, 0x5'0000'0000, {4096, 1000}, 8192, {64, 64},
            cuda::CU_TENSOR_MAP_SWIZZLE_128B, cuda::CU_TENSOR_MAP_L2_PROMOTION_NONE);
}

TEST_F(Gemm, ParametersFollowTheManifest) {
  open();
  ASSERT_EQ(run(777), FP8GEMM_OK) << fp8gemm_last_error();
  const FakeLaunch &launch = fake().launches.back();
  ASSERT_EQ(launch.params.size(), 7u);
  EXPECT_EQ(as<uint64_t>(launch.params[0]), 0u); // index of the map
  EXPECT_EQ(as<uint64_t>(launch.params[2]), 2u);
  EXPECT_EQ(as<void *>(launch.params[3]), address(0x4'0000'0000));
  EXPECT_EQ(as<int64_t>(launch.params[4]), 56);
  EXPECT_EQ(as<uint64_t>(launch.params[5]), 3u);
  EXPECT_EQ(as<int32_t>(launch.params[6]), 777);
  EXPECT_EQ(reinterpret_cast<uintptr_t>(launch.function), 0x300u);
  EXPECT_EQ(launch.config.hStream, nullptr);
}

TEST_F(Gemm, KMajorScalesOfAByPointer) {
  ManifestSpec manifest;
  manifest.sfa = format::ScaleLayout::KMajor;
  manifest.params[2] = {format::ParamKind::Pointer, format::Operand::ScaleA};
  CubinSpec cubin;
  cubin.paramBytes[2] = 8;
  fake().paramBytes = cubin.paramBytes;
  open(manifest, cubin);
  fp8gemm_gemm_args args = goodArgs();
  args.sfa = {address(0x2'0000'0004), 57}; // neither 16-byte aligned, nor of rows of 16 bytes
  ASSERT_EQ(fp8gemm_gemm(kernel, &args, nullptr), FP8GEMM_OK) << fp8gemm_last_error();
  EXPECT_EQ(as<void *>(fake().launches.back().params[2]), address(0x2'0000'0004));
  args.sfa.leading_dimension = 55;
  expect(fp8gemm_gemm(kernel, &args, nullptr), FP8GEMM_INVALID_ARGUMENT,
         "leading dimension of 'sfa' to be at least its row length of 56 elements, got 55");
}

TEST_F(Gemm, MnMajorScalesOfB) {
  ManifestSpec manifest;
  manifest.sfb = format::ScaleLayout::MnMajor;
  open(manifest);
  fp8gemm_gemm_args args = goodArgs();
  args.sfb.leading_dimension = 32; // ceil(4096 / 128)
  EXPECT_EQ(fp8gemm_gemm(kernel, &args, nullptr), FP8GEMM_OK) << fp8gemm_last_error();
  args.sfb.leading_dimension = 31;
  expect(fp8gemm_gemm(kernel, &args, nullptr), FP8GEMM_INVALID_ARGUMENT, "row length of 32 elements, got 31");
}

TEST_F(Gemm, NoRowsIsANoOp) {
  open();
  fp8gemm_gemm_args args = {sizeof(args), 0, {}, {}, {}, {}, {}, {}, 0, 0, nullptr, nullptr, {nullptr, 0}};
  EXPECT_EQ(fp8gemm_gemm(kernel, &args, nullptr), FP8GEMM_OK);
  EXPECT_TRUE(fake().calls.empty());
}

//===----------------------------------------------------------------------===//
// Bad arguments
//===----------------------------------------------------------------------===//

TEST_F(Gemm, NullPointersAreNamed) {
  open();
  expectBadArgs([](auto &a) { a.a.data = nullptr; }, "expected 'a' to be a device pointer, got null");
  expectBadArgs([](auto &a) { a.sfa.data = nullptr; }, "expected 'sfa' to be a device pointer, got null");
  expectBadArgs([](auto &a) { a.b.data = nullptr; }, "expected 'b' to be a device pointer, got null");
  expectBadArgs([](auto &a) { a.sfb.data = nullptr; }, "expected 'sfb' to be a device pointer, got null");
  expectBadArgs([](auto &a) { a.d.data = nullptr; }, "expected 'd' to be a device pointer, got null");
  expect(fp8gemm_gemm(kernel, nullptr, nullptr), FP8GEMM_INVALID_ARGUMENT, "got null");
  fp8gemm_gemm_args args = goodArgs();
  expect(fp8gemm_gemm(nullptr, &args, nullptr), FP8GEMM_INVALID_ARGUMENT, "got null");
  expect(fp8gemm_kernel_load(nullptr), FP8GEMM_INVALID_ARGUMENT, "expected a kernel, got null");
}

TEST_F(Gemm, AlignmentIsChecked) {
  open();
  expectBadArgs([](auto &a) { a.a.data = address(0x10008); }, "the pointer of 'a' to be a multiple of 16 bytes");
  expectBadArgs([](auto &a) { a.sfa.data = address(0x2'0000'0004); },
                "the pointer of 'sfa' to be a multiple of 16 bytes");
  expectBadArgs([](auto &a) { a.sfb.data = address(0x40002); }, "the pointer of 'sfb' to be a multiple of 4 bytes");
  expectBadArgs([](auto &a) { a.b.leading_dimension = 7176; },
                "'b' to be a multiple of 16 bytes (16 elements), got 7176");
  expectBadArgs([](auto &a) { a.d.leading_dimension = 4100; },
                "'d' to be a multiple of 16 bytes (8 elements), got 4100");
  expectBadArgs([](auto &a) { a.sfa.leading_dimension = 1002; }, "'sfa' to be a multiple of 16 bytes (4 elements)");
}

TEST_F(Gemm, LeadingDimensionsCoverTheRows) {
  open();
  expectBadArgs([](auto &a) { a.a.leading_dimension = 7152; }, "row length of 7168 elements, got 7152");
  expectBadArgs([](auto &a) { a.b.leading_dimension = 0; }, "row length of 7168 elements, got 0");
  expectBadArgs([](auto &a) { a.d.leading_dimension = -4096; }, "row length of 4096 elements, got -4096");
  expectBadArgs([](auto &a) { a.sfa.leading_dimension = 996; }, "row length of 1000 elements, got 996");
  expectBadArgs([](auto &a) { a.sfb.leading_dimension = 55; }, "row length of 56 elements, got 55");
}

TEST_F(Gemm, MIsChecked) {
  open();
  expectBadArgs([](auto &a) { a.m = -1; }, "expected m in [0, 2^31 - 1], got -1");
  expectBadArgs([](auto &a) { a.m = int64_t(1) << 31; }, "expected m in [0, 2^31 - 1], got 2147483648");
  ManifestSpec manifest;
  manifest.m = 512;
  open(manifest);
  expectBadArgs([](auto &) {}, "expected m = 512, the only one that kernel 'gemm_test' was compiled for, got 1000");
  expectBadArgs([](auto &a) { a.m = 0; }, "expected m = 512");
  EXPECT_EQ(run(512), FP8GEMM_OK);
}

TEST_F(Gemm, TilesAreCountedIn32Bits) {
  ManifestSpec manifest;
  manifest.tileM = manifest.tileN = 1;
  open(manifest);
  fake().sms = 4095;
  auto args = [](int64_t m) {
    fp8gemm_gemm_args args = goodArgs(m);
    args.sfa.leading_dimension = 1 << 20;
    args.a.data = address(0x100'0000'0000);
    args.d.data = address(0x200'0000'0000);
    return args;
  };
  // 4096 columns; after its last tile each CTA counts one further.
  fp8gemm_gemm_args most = args((1 << 19) - 1), more = args(1 << 19);
  EXPECT_EQ(fp8gemm_gemm(kernel, &most, nullptr), FP8GEMM_OK) << fp8gemm_last_error();
  expect(
      fp8gemm_gemm(kernel, &more, nullptr), FP8GEMM_INVALID_ARGUMENT,
      "expected at most 2147479552 clusters' work for kernel 'gemm_test', which counts it in 32 bits, got 2147483648 "
      "with tiles of 1 x 1; split the product, or compile it with larger tiles");
  // One more CTA, and the one beyond the last tile would be negative.
  fake() = FakeCuda();
  fake().paramBytes = CubinSpec().paramBytes;
  fake().sms = 4096;
  open(manifest);
  expect(fp8gemm_gemm(kernel, &most, nullptr), FP8GEMM_INVALID_ARGUMENT, "expected at most 2147479551 clusters' work");
}

//===----------------------------------------------------------------------===//
// Devices, contexts, streams
//===----------------------------------------------------------------------===//

TEST_F(Gemm, LoadsOncePerDevice) {
  open();
  ASSERT_EQ(fp8gemm_kernel_load(kernel), FP8GEMM_OK);
  EXPECT_EQ(fake().loadedCode, "\x7f"
                               "ELF");
  EXPECT_EQ(fake().loadedEntry, "gemm_test");
  EXPECT_EQ(fake().smemOfDevice.at(0), 200000);
  size_t before = fake().calls.size();
  ASSERT_EQ(run(), FP8GEMM_OK);
  // What a launch costs: the device, four maps, the launch.
  EXPECT_EQ(fake().calls.size(), before + 6);

  fake().device = 3;
  fake().sms = 114;
  fake().current = context(0x103);
  ASSERT_EQ(run(), FP8GEMM_OK);
  EXPECT_EQ(fake().smemOfDevice.at(3), 200000);
  EXPECT_EQ(fake().launches.back().config.gridDimX, 114u);
  EXPECT_EQ(fake().liveLibraries, 1);
  fp8gemm_kernel_close(kernel);
  kernel = nullptr;
  EXPECT_EQ(fake().liveLibraries, 0);
}

TEST_F(Gemm, OtherComputeCapabilities) {
  open();
  for (auto [major, minor, text] :
       {std::tuple<int, int, const char *>{8, 0, "of 8.0"}, {10, 0, "of 10.0"}, {9, 1, "of 9.1"}}) {
    fake().major = major;
    fake().minor = minor;
    expect(run(), FP8GEMM_UNSUPPORTED_DEVICE, text);
    expect(fp8gemm_kernel_load(kernel), FP8GEMM_UNSUPPORTED_DEVICE, "expected a device of compute capability 9.0");
  }
  EXPECT_EQ(fake().liveLibraries, 0);
}

TEST_F(Gemm, SharedMemoryOfTheDevice) {
  fake().smemOptin = 166912;
  open();
  expect(run(), FP8GEMM_UNSUPPORTED_DEVICE,
         "expected 200000 bytes of shared memory per CTA for kernel 'gemm_test', got 166912");
}

TEST_F(Gemm, NoCurrentContext) {
  fake().current = nullptr;
  open();
  expect(run(), FP8GEMM_NO_CONTEXT, "make a live CUDA context current on this thread");
  expect(fp8gemm_kernel_load(kernel), FP8GEMM_NO_CONTEXT, "cuCtxGetDevice failed");
}

TEST_F(Gemm, StreamOfAnotherContext) {
  open();
  fake().streams[stream(0x7000)] = context(0x100);
  fake().streams[stream(0x8000)] = context(0x999);
  EXPECT_EQ(run(1000, stream(0x7000)), FP8GEMM_OK) << fp8gemm_last_error();
  EXPECT_EQ(fake().launches.back().config.hStream, stream(0x7000));
  expect(run(1000, stream(0x8000)), FP8GEMM_WRONG_CONTEXT,
         "expected a stream of the current context 0x100, got one of context 0x999");
  // The streams that every context has.
  EXPECT_EQ(run(1000, stream(cuda::CU_STREAM_LEGACY)), FP8GEMM_OK);
  EXPECT_EQ(run(1000, stream(cuda::CU_STREAM_PER_THREAD)), FP8GEMM_OK);
  EXPECT_EQ(fake().launches.size(), 3u);
}

TEST_F(Gemm, EveryFailingCallIsReported) {
  fake().streams[stream(0x7000)] = context(0x100);
  for (const char *call : {"cuCtxGetDevice", "cuDeviceGetAttribute", "cuDeviceGetName", "cuLibraryLoadData",
                           "cuLibraryGetKernel", "cuKernelSetAttribute", "cuKernelGetFunction", "cuCtxGetCurrent",
                           "cuStreamGetCtx", "cuTensorMapEncodeTiled", "cuLaunchKernelEx"}) {
    open();
    fake().failures = {{call, 1}};
    expect(run(1000, stream(0x7000)), FP8GEMM_DRIVER_ERROR, call);
    expect(run(1000, stream(0x7000)), FP8GEMM_DRIVER_ERROR, "CUDA_ERROR_INVALID_VALUE (1: invalid argument)");
    EXPECT_TRUE(fake().launches.empty());
    // A failure leaves no state: the next try works.
    fake().failures.clear();
    EXPECT_EQ(run(1000, stream(0x7000)), FP8GEMM_OK) << call << ": " << fp8gemm_last_error();
    fake().launches.clear();
  }
  fp8gemm_kernel_close(kernel);
  kernel = nullptr;
  EXPECT_EQ(fake().liveLibraries, 0);
}

TEST_F(Gemm, FailedEncodingNamesTheOperand) {
  open();
  fake().failures = {{"cuTensorMapEncodeTiled", 1}};
  expect(run(), FP8GEMM_DRIVER_ERROR, "cuTensorMapEncodeTiled for 'a' failed");
}

TEST_F(Gemm, UnknownDriverErrorsAreReported) {
  open();
  fake().failures = {{"cuLaunchKernelEx", 700}};
  expect(run(), FP8GEMM_DRIVER_ERROR, "unknown error (700: no text); this or an earlier kernel failed on the GPU");
}

TEST_F(Gemm, ThreadsShareAKernel) {
  open();
  std::vector<std::thread> threads;
  for (int i = 0; i < 8; ++i)
    threads.emplace_back([&] {
      for (int j = 0; j < 50; ++j)
        EXPECT_EQ(run(), FP8GEMM_OK);
    });
  for (std::thread &thread : threads)
    thread.join();
  EXPECT_EQ(fake().launches.size(), 400u);
  EXPECT_EQ(fake().liveLibraries, 1);
}

TEST_F(Gemm, MessagesArePerThread) {
  open();
  expectBadArgs([](auto &a) { a.m = -1; }, "expected m in");
  EXPECT_EQ(fp8gemm_last_status(), FP8GEMM_INVALID_ARGUMENT);
  std::string there;
  std::thread([&] {
    there = fp8gemm_last_error();
    EXPECT_EQ(fp8gemm_last_status(), FP8GEMM_OK);
  }).join();
  EXPECT_EQ(there, "no error");
}

//===----------------------------------------------------------------------===//
// A C program in a process of its own, with another driver or none
//===----------------------------------------------------------------------===//

std::string runProgram(const std::string &environment, const std::string &file) {
  std::string command = "env " + environment + " " FP8GEMM_C_PROGRAM " " + file + " 2>&1", output;
  FILE *pipe = popen(command.c_str(), "r");
  char buffer[512];
  while (size_t got = fread(buffer, 1, sizeof(buffer), pipe))
    output.append(buffer, got);
  pclose(pipe);
  return output;
}

TEST(CProgram, RunsWithAndWithoutADriver) {
  std::string file = std::string(FP8GEMM_TEST_DIR) + "/runtime-c.cubin";
  std::ofstream(file, std::ios::binary) << makeKernelFile();
  auto expect = [&](const std::string &environment, const std::string &load) {
    std::string output = runProgram(environment, file);
    // Opening, describing and M = 0 need no GPU.
    EXPECT_NE(output.find("open 0\ninfo 0 gemm_test n=4096\ngemm 0\n" + load), std::string::npos) << output;
  };
  expect("FP8GEMM_LIBCUDA=" FP8GEMM_FAKE_LIBCUDA, "load 0");
  expect("FP8GEMM_LIBCUDA=/nonexistent/libcuda.so.1",
         "load 4 expected a CUDA driver, got none: /nonexistent/libcuda.so.1");
  expect("FP8GEMM_LIBCUDA=libm.so.6",
         "load 4 expected a CUDA driver of version 12.0 or later (525), got one without cuInit");
  expect("FAKE_CUDA_INIT=100 FP8GEMM_LIBCUDA=" FP8GEMM_FAKE_LIBCUDA,
         "load 4 cuInit failed: CUDA_ERROR_NO_DEVICE (100: no CUDA-capable device is detected); check nvidia-smi");
}

TEST(CProgram, SaysWhatIsWrongWithAFile) {
  std::string file = std::string(FP8GEMM_TEST_DIR) + "/runtime-plain.cubin";
  std::ofstream(file, std::ios::binary) << makeCubin();
  EXPECT_NE(runProgram("", file).find("open 3 " + file + ": expected a kernel file"), std::string::npos);
}

} // namespace
