// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// fp8gemm_program_run on a GPU that is faked (RuntimeFakeGpu.cpp): its memory is the host's.

#include "CApi.h"
#include "RuntimeGemmFixture.h"
#include "RuntimeTestPack.h"
#include "fp8gemm/program.h"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <thread>

using namespace fp8gemm;
using namespace fp8gemm::test;

namespace {

constexpr uint8_t kOne = 0x38, kTwo = 0x40; // e4m3
constexpr uint16_t kPoison = 0xffff;

template <int rank> struct MemRef {
  const void *allocated = nullptr, *aligned = nullptr;
  int64_t offset = 0, sizes[rank] = {}, strides[rank] = {};
};

/// Rows that lie `gap` elements apart from each other, from an odd address of elements on.
template <typename T> struct Matrix {
  int64_t rows, columns, stride;
  std::vector<T> elements;
  Matrix(int64_t rows, int64_t columns, T value, T gapValue = T(), int64_t gap = 3)
      : rows(rows), columns(columns), stride(columns + gap), elements(size_t(1 + rows * stride), gapValue) {
    for (int64_t row = 0; row < rows; ++row)
      std::fill_n(&at(row, 0), columns, value);
  }
  T &at(int64_t row, int64_t column) { return elements[size_t(1 + row * stride + column)]; }
  MemRef<2> memref() const { return {elements.data(), elements.data(), 1, {rows, columns}, {stride, 1}}; }
};

/// N = 16, K = 144.
class Program : public testing::Test {
protected:
  void SetUp() override {
    fake() = FakeCuda();
    fake().paramBytes = CubinSpec().paramBytes;
    ManifestSpec manifest;
    manifest.n = 16, manifest.k = 144;
    open(makeKernelFile(manifest));
    problem.size = sizeof(problem);
    problem.n = 16, problem.k = 144;
    problem.d_type = FP8GEMM_BF16;
    problem.sfb_block_rows = 128;
    problem.sfa_layout = FP8GEMM_MN_MAJOR;
    problem.groups = 1;
  }
  void TearDown() override { fp8gemm_program_set_stream(nullptr); }

  void open(const std::string &contents, bool isPack = false) {
    bytes.assign((contents.size() + 15) / 16, {});
    std::memcpy(bytes.data(), contents.data(), contents.size());
    file = {bytes.data(), contents.size(), nullptr, isPack, nullptr};
  }

  int32_t run(uint32_t onDevice = 0) {
    auto am = a.memref(), sfam = sfa.memref(), bm = b.memref(), sfbm = sfb.memref(), dm = d.memref();
    return fp8gemm_program_run(&file, &problem, onDevice, &am, &sfam, &bm, &sfbm, nullptr, nullptr, &dm, nullptr);
  }
  void expectError(fp8gemm_status status, const std::string &part) {
    EXPECT_EQ(run(), status);
    EXPECT_NE(std::string(fp8gemm_program_last_error()).find(part), std::string::npos) << fp8gemm_program_last_error();
    EXPECT_TRUE(fake().launches.empty());
  }

  struct alignas(16) Piece {
    char bytes[16];
  };
  std::vector<Piece> bytes;
  fp8gemm_program_file file{};
  fp8gemm_problem problem{};
  Matrix<uint8_t> a{5, 144, kOne, 0x7f}, b{16, 144, kTwo, 0x7f};
  Matrix<float> sfa{2, 5, 0.5f, NAN}, sfb{1, 2, 1.0f, NAN};
  Matrix<uint16_t> d{5, 16, 0, kPoison};
};

// Rows lie apart and where TMA can't read them; what is between D's rows stays.
TEST_F(Program, CopiesHostMemory) {
  a.at(3, 143) = kTwo;
  ASSERT_EQ(run(), FP8GEMM_OK) << fp8gemm_program_last_error();
  for (int64_t row = 0; row < 5; ++row)
    for (int64_t column = 0; column < 16; ++column)
      EXPECT_EQ(d.at(row, column), row == 3 ? 0x4311 : 0x4310) << row; // 145 and 144
  for (int64_t row = 0; row < 4; ++row)
    EXPECT_EQ(d.at(row, 16), kPoison);
  EXPECT_EQ(std::count(fake().calls.begin(), fake().calls.end(), "cuStreamSynchronize"), 1);
}

TEST_F(Program, UsesDeviceMemoryWhereItIs) {
  a = Matrix<uint8_t>(5, 144, kOne, 0, 0), b = Matrix<uint8_t>(16, 144, kTwo, 0, 0);
  alignas(16) static uint8_t onDevice[16 * 144];
  alignas(16) static float scales[2 * 8];
  alignas(16) static uint16_t result[5 * 16];
  std::fill_n(onDevice, 16 * 144, kOne);
  MemRef<2> am{onDevice, onDevice, 0, {5, 144}, {144, 1}}, bm{onDevice, onDevice, 0, {16, 144}, {144, 1}};
  MemRef<2> sfam{scales, scales, 0, {2, 8}, {8, 1}}, sfbm{scales, scales, 0, {1, 2}, {2, 1}};
  MemRef<2> dm{result, result, 0, {5, 16}, {16, 1}};
  fake().streams[stream(0x70)] = fake().current;
  fp8gemm_program_set_stream(stream(0x70));
  ASSERT_EQ(fp8gemm_program_run(&file, &problem, 127, &am, &sfam, &bm, &sfbm, nullptr, nullptr, &dm, nullptr), FP8GEMM_OK)
      << fp8gemm_program_last_error();
  ASSERT_EQ(fake().launches.size(), 1u);
  EXPECT_EQ(fake().launches[0].config.hStream, stream(0x70));
  EXPECT_EQ(fake().maps[0].address, onDevice);
  EXPECT_EQ(std::count(fake().calls.begin(), fake().calls.end(), "cuStreamSynchronize"), 0);
}

TEST_F(Program, ChecksOpenSizes) {
  a = Matrix<uint8_t>(4, 144, kOne);
  expectError(FP8GEMM_INVALID_ARGUMENT, "expected 'a' to have 5 rows, as 'd', got 4");
  a = Matrix<uint8_t>(5, 144, kOne), sfa = Matrix<float>(2, 4, 1);
  expectError(FP8GEMM_INVALID_ARGUMENT, "expected 'sfa' to have 5 columns at least, got 4");
  sfa = Matrix<float>(3, 8, 1);
  expectError(FP8GEMM_INVALID_ARGUMENT, "expected 'sfa' to have 2 K blocks, got 3");
}

TEST_F(Program, RefusesAnotherKernel) {
  problem.n = 24, b = Matrix<uint8_t>(24, 144, kOne), d = Matrix<uint16_t>(5, 24, 0);
  expectError(FP8GEMM_INVALID_ARGUMENT, "expected a kernel for the operation's n = 24, got 'gemm_test' for 16");
  problem.n = 16, problem.sfb_block_rows = 1, sfb = Matrix<float>(16, 2, 1);
  expectError(FP8GEMM_INVALID_ARGUMENT, "recipe = 1d1d, got 'gemm_test' for 1d2d");
}

TEST_F(Program, ReadsProblemsOfItsTime) {
  // A program that was compiled before there was quantisation: its problem ends where that begins.
  problem.size = offsetof(fp8gemm_problem, x_type);
  problem.x_type = fp8gemm_x_type(77), problem.power_of_two = 77;
  EXPECT_EQ(run(), FP8GEMM_OK) << fp8gemm_program_last_error();
  fake().launches.clear();
  problem.size = sizeof(problem) + 8;
  expectError(FP8GEMM_INVALID_ARGUMENT, "expected a problem of 80 to 112 bytes, got 120");
  problem.size = sizeof(problem), problem.x_type = FP8GEMM_X_BF16;
  expectError(FP8GEMM_INVALID_ARGUMENT, "expected the problem of a product, got that of a quantisation");
}

TEST_F(Program, ReportsTheDriver) {
  fake().failures["cuMemAllocAsync"] = 1;
  expectError(FP8GEMM_DRIVER_ERROR, "cuMemAllocAsync failed: CUDA_ERROR_INVALID_VALUE");
  fake().failures.clear();
  fake().major = 8;
  expectError(FP8GEMM_UNSUPPORTED_DEVICE, "9.0");
}

TEST_F(Program, ReportsFiles) {
  std::memset(bytes.data(), 1, 100);
  expectError(FP8GEMM_INVALID_FILE, "kernel file is damaged");
  file = {nullptr, 0, "/nonexistent.fp8pack", 1, nullptr};
  expectError(FP8GEMM_IO_ERROR, "/nonexistent.fp8pack");
  file.path = nullptr;
  expectError(FP8GEMM_INVALID_ARGUMENT, "expected a file's bytes or its path, got neither");
}

TEST_F(Program, DoesNothingWithoutRows) {
  a.rows = d.rows = 0;
  file = {nullptr, 0, "/nonexistent", 0, nullptr};
  EXPECT_EQ(run(), FP8GEMM_OK);
  EXPECT_TRUE(fake().calls.empty());
}

TEST_F(Program, OpensOnce) {
  for (int round = 0; round < 50; ++round) {
    file.opened = nullptr;
    fake().liveLibraries = 0;
    std::atomic<int> waiting{4};
    std::vector<std::thread> threads;
    for (int i = 0; i < 4; ++i)
      threads.emplace_back([&] {
        Matrix<uint16_t> result(5, 16, 0);
        auto am = a.memref(), sfam = sfa.memref(), bm = b.memref(), sfbm = sfb.memref(), dm = result.memref();
        for (--waiting; waiting > 0;) // all at once
          std::this_thread::yield();
        EXPECT_EQ(fp8gemm_program_run(&file, &problem, 0, &am, &sfam, &bm, &sfbm, nullptr, nullptr, &dm, nullptr), FP8GEMM_OK);
        EXPECT_EQ(result.at(4, 15), 0x4310);
      });
    for (std::thread &thread : threads)
      thread.join();
    EXPECT_EQ(fake().liveLibraries, 1); // one for each kernel that is loaded
  }
}

// A pack has one kernel for each number of rows.
TEST_F(Program, TakesThePacksKernelForM) {
  PackSpec spec = twoProblems();
  for (ManifestSpec &kernel : spec.kernels)
    kernel.n = kernel.n == 512 ? 24 : 16, kernel.k = 144;
  open(makePack(spec), /*isPack=*/true);
  ASSERT_EQ(run(), FP8GEMM_OK) << fp8gemm_program_last_error();
  a = Matrix<uint8_t>(100, 144, kOne), d = Matrix<uint16_t>(100, 16, 0), sfa = Matrix<float>(2, 100, 0.5f);
  ASSERT_EQ(run(), FP8GEMM_OK) << fp8gemm_program_last_error();
  ASSERT_EQ(fake().launches.size(), 2u);
  EXPECT_EQ(fake().launches[0].config.sharedMemBytes, 10000u);
  EXPECT_EQ(fake().launches[1].config.sharedMemBytes, 11000u);
  problem.k = 160, a = Matrix<uint8_t>(5, 160, kOne), b = Matrix<uint8_t>(16, 160, kOne);
  d = Matrix<uint16_t>(5, 16, 0), sfa = Matrix<float>(2, 5, 1);
  fake().launches.clear();
  expectError(FP8GEMM_NOT_IN_PACK, "");
}

// Whatever vector a problem has: it is copied to the device and passed to the kernel.
TEST_F(Program, Vectors) {
  for (const format::OperandRow &row : format::kOperands) {
    if (!isOptionalVector(row))
      continue;
    SCOPED_TRACE(row.name);
    bool isColumn = format::isColumn(row);
    int64_t type = row.elementField->words.end()[-1].value;
    ManifestSpec manifest;
    manifest.n = 16, manifest.k = 144;
    manifest.fields.push_back({row.presence, type});
    manifest.params.push_back({format::ParamKind::Pointer, row.operand});
    open(makeMatchingKernelFile(manifest));
    format::set(problem, *row.presence, type);
    std::vector<float> values(16, 3);
    MemRef<1> vector{values.data(), values.data(), 0, {16}, {1}};
    MemRef<2> column{values.data(), values.data(), 0, {5, 1}, {1, 1}};
    fake().paramBytes.clear();
    fake().kernel = [](void **params) { EXPECT_EQ((*static_cast<float **>(params[7]))[4], 3); };
    const void *operands[format::kOperandCount] = {};
    auto am = a.memref(), sfam = sfa.memref(), bm = b.memref(), sfbm = sfb.memref(), dm = d.memref();
    operands[size_t(format::Operand::A)] = &am, operands[size_t(format::Operand::ScaleA)] = &sfam;
    operands[size_t(format::Operand::B)] = &bm, operands[size_t(format::Operand::ScaleB)] = &sfbm;
    operands[size_t(format::Operand::D)] = &dm, operands[size_t(row.operand)] = isColumn ? static_cast<const void *>(&column) : &vector;
    auto run = [&](uint32_t count) { return fp8gemm_program_run_operands(&file, &problem, 0, operands, count); };
    auto expect = [&](int32_t status, const std::string &part) {
      EXPECT_EQ(status, FP8GEMM_INVALID_ARGUMENT);
      EXPECT_NE(std::string(fp8gemm_program_last_error()).find(part), std::string::npos) << fp8gemm_program_last_error();
    };
    ASSERT_EQ(run(format::kOperandCount), FP8GEMM_OK) << fp8gemm_program_last_error();
    EXPECT_EQ(fake().launches.size(), 1u);
    const std::string missing = "expected operand '" + std::string(row.name) + "', got a null pointer";
    expect(run(uint32_t(row.operand)), missing); // one that ends before it
    ++vector.sizes[0], ++column.sizes[0];
    expect(run(format::kOperandCount),
           "expected '" + std::string(row.name) + (isColumn ? "' to have 5 rows" : "' to have 16 columns"));
    operands[size_t(row.operand)] = nullptr;
    expect(run(format::kOperandCount), missing);
    format::set(problem, *row.presence, 0);
    expect(run(format::kOperandCount), "expected a kernel for the operation's " + std::string(row.presence->name));
    fake().launches.clear();
  }
}

// Rows of no group keep what D held, so D goes to the device first; the description goes, too.
TEST_F(Program, Groups) {
  open(makeMatchingKernelFile(grouped(format::Grouping::RowEnd)));
  problem.n = 512, problem.k = 256, problem.grouping = FP8GEMM_ROW_END, problem.groups = 4, problem.group_align = 1;
  std::vector<uint8_t> a(5 * 256, kOne), b(4 * 512 * 256, kTwo);
  std::vector<float> sfa(2 * 5, 1), sfb(4 * 4 * 2, 1);
  std::vector<uint16_t> d(5 * 512, 0x1234);
  std::vector<int32_t> ends{1, 2, 3, 4};
  MemRef<2> am{a.data(), a.data(), 0, {5, 256}, {256, 1}}, sfam{sfa.data(), sfa.data(), 0, {2, 5}, {5, 1}};
  MemRef<3> bm{b.data(), b.data(), 0, {4, 512, 256}, {512 * 256, 256, 1}};
  MemRef<3> sfbm{sfb.data(), sfb.data(), 0, {4, 4, 2}, {8, 2, 1}};
  MemRef<2> dm{d.data(), d.data(), 0, {5, 512}, {512, 1}};
  MemRef<1> groups{ends.data(), ends.data(), 0, {4}, {1}};
  fake().kernel = [](void **params) {
    const FakeMap &d = fake().maps[static_cast<cuda::CUtensorMap *>(params[6])->opaque[0]];
    EXPECT_EQ(*static_cast<uint16_t *>(d.address), 0x1234);
    const int32_t *ends = *static_cast<int32_t **>(params[7]);
    EXPECT_EQ(std::vector<int32_t>(ends, ends + 4), (std::vector<int32_t>{1, 2, 3, 4}));
    static_cast<uint16_t *>(d.address)[0] = 7;
  };
  fake().paramBytes.clear();
  ASSERT_EQ(fp8gemm_program_run(&file, &problem, 0, &am, &sfam, &bm, &sfbm, &groups, nullptr, &dm, nullptr), FP8GEMM_OK)
      << fp8gemm_program_last_error();
  EXPECT_EQ(d[0], 7);
  EXPECT_EQ(d[1], 0x1234);
  groups.sizes[0] = 3;
  EXPECT_EQ(fp8gemm_program_run(&file, &problem, 0, &am, &sfam, &bm, &sfbm, &groups, nullptr, &dm, nullptr),
            FP8GEMM_INVALID_ARGUMENT);
  EXPECT_STREQ(fp8gemm_program_last_error(), "expected 'groups' to have 4 entries, got 3");
}

TEST_F(Program, FailureEndsTheProcess) {
  file = {nullptr, 0, "/nonexistent", 0, nullptr};
  int32_t status = run();
  EXPECT_EXIT(fp8gemm_program_fail(status), testing::ExitedWithCode(1), "error: .*/nonexistent");
}

TEST_F(Program, FailureCallsTheHandler) {
  file = {nullptr, 0, "/nonexistent", 0, nullptr};
  int32_t status = run();
  auto handler = [](int32_t status, const char *message, void *context) {
    std::fprintf(stderr, "%s %d: %s\n", static_cast<const char *>(context), status, message);
    std::_Exit(7);
  };
  char name[] = "handled";
  EXPECT_EXIT((fp8gemm_program_set_handler(handler, name), fp8gemm_program_fail(status)), testing::ExitedWithCode(7),
              "handled 2: .*/nonexistent");
}

} // namespace
