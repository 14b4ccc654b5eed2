// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Some seconds of RuntimeFuzz, from files that are right.

#include "RuntimeTestPack.h"

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <gtest/gtest.h>

using namespace fp8gemm;
using namespace fp8gemm::test;

namespace {

/// A kernel file whose problem's values start 4 bytes later, where no int64 may be read: the first one, N, is their number.
std::string moveValues() {
  ManifestSpec eight;
  eight.n = 8;
  std::string file = makeMatchingKernelFile(eight);
  char *manifest = file.data() + file.find("F8GM") - sizeof(flatbuffers::uoffset_t);
  const auto *problem = reinterpret_cast<const flatbuffers::Table *>(format::GetManifest(manifest)->problem());
  auto field = problem->GetOptionalFieldOffset(format::StoredProblem::VT_FIELDS);
  char *place = const_cast<char *>(reinterpret_cast<const char *>(problem)) + field;
  flatbuffers::WriteScalar(place, flatbuffers::ReadScalar<flatbuffers::uoffset_t>(place) + 4);
  return file;
}

/// Of one kind each: recipe, use of C, groups; packs of one and of many.
void writeCorpus(const std::string &folder) {
  std::filesystem::remove_all(folder);
  std::filesystem::create_directories(folder);
  auto write = [&](const std::string &name, bool isPack, const std::string &bytes) {
    for (char mended : {0, 2})
      std::ofstream(folder + "/" + name + (mended ? "-mended" : ""), std::ios::binary)
          << char(mended | char(isPack)) << bytes;
  };
  PackSpec all = twoProblems();
  auto add = [&](const std::string &name, ManifestSpec manifest) {
    write(name, false, makeMatchingKernelFile(manifest));
    manifest.entry += "_" + name;
    all.kernels.push_back(manifest);
    bool alongK = manifest.grouping == format::Grouping::KCount;
    all.plans.push_back({{{1, uint32_t(all.kernels.size() - 1)}}, alongK ? 0u : 4096u, false});
  };
  ManifestSpec split, added;
  split.splitK = 4;
  split.sfbRows = 1;
  split.waits = true;
  add("split-k", split);
  added.c = format::CUse::InPlace;
  added.d = added.params[5].element = format::ElementType::F32;
  added.params[5].box = {64, 32};
  add("in-place", added);
  for (int grouping = 1; grouping <= int(format::Grouping::KCount); ++grouping)
    add("grouping-" + std::to_string(grouping), grouped(format::Grouping(grouping)));
  write("gemm", false, makeKernelFile());
  write("moved-values", false, moveValues());
  ManifestSpec debug;
  debug.debug.limitMs = 1000;
  write("debug", false, makeKernelFile(debug));
  write("two", true, makePack(twoProblems()));
  write("all", true, makePack(all));
}

TEST(Fuzz, ReadersTakeAnything) {
  const std::string folder = std::string(FP8GEMM_TEST_DIR) + "/fuzz-corpus";
  writeCorpus(folder);
#ifdef FP8GEMM_FUZZ
  // Exits with another status where a sanitizer complains, and after 5 s of one input. New inputs stay out of the
  // corpus that was written: they go to the first folder.
  const std::string found = std::string(FP8GEMM_TEST_DIR) + "/fuzz-found";
  std::filesystem::create_directories(found);
  std::string command = FP8GEMM_FUZZ " " + found + " " + folder +
                        " -max_total_time=6 -timeout=5 -artifact_prefix=" + found +
                        "-failing- -print_final_stats=1 2>&1";
  std::string output;
  FILE *pipe = popen(command.c_str(), "r");
  char buffer[512];
  while (size_t got = fread(buffer, 1, sizeof(buffer), pipe))
    output.append(buffer, got);
  EXPECT_EQ(pclose(pipe), 0) << output;
  size_t executed = output.find("stat::number_of_executed_units: ");
  ASSERT_NE(executed, std::string::npos) << output;
  std::puts(output.substr(executed, output.find('\n', executed) - executed).c_str());
#else
  GTEST_SKIP() << "no clang with libFuzzer (clang-22, libclang-rt-22-dev) when this was configured";
#endif
}

} // namespace
