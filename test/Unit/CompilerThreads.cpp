// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Threads call libfp8gemm's C functions at the same time, in random order: packs with a cache that all of them share and
// some of them delete from, packs without one, modules, plans, explanations, contents of files, wrong input; the runtime
// opens the packs. Each answer must be the one that a single thread got. Built with ThreadSanitizer; CompilerThreadsTest
// runs it for seconds, scripts/threads.sh for longer.
//
//   CompilerThreads [--seconds=60] [--threads=4] [--race]     --race: what must be reported

#include "fp8gemm-c/Mlir.h"
#include "fp8gemm/runtime.h"

#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <functional>
#include <memory>
#include <random>
#include <string>
#include <thread>
#include <vector>

namespace {

using Result = std::unique_ptr<Fp8GemmResult, decltype(&fp8gemmResultDestroy)>;
Result own(Fp8GemmResult *result) { return {result, fp8gemmResultDestroy}; }

/// Status, message and data of a result: what two calls can be compared by.
std::string all(const Result &result) {
  std::string text = std::to_string(fp8gemmResultGetStatus(result.get())) + fp8gemmResultGetMessage(result.get()) + "\n";
  for (size_t i = 0; i < fp8gemmResultGetFileCount(result.get()); ++i) {
    size_t size = 0;
    const void *bytes = fp8gemmResultGetFile(result.get(), i, &size);
    text.append(static_cast<const char *>(bytes), size);
  }
  return text;
}

const std::vector<std::string> kLists = {
    R"({"op": "gemm", "k": 256, "max_m": 2, "n": 64})",
    R"({"op": "gemm", "k": 384, "max_m": 2, "n": 72, "recipe": "1d1d", "d_type": "f32", "c": "in_place"})",
    R"({"op": "grouped_gemm", "k": 256, "max_m": 2, "n": 64, "groups": 3, "grouping": "row_end"})",
    R"({"gpu": "h20", "problems": [{"op": "gemm", "k": 256, "max_m": 2, "n": 64},
                                   {"op": "gemm", "k": 256, "max_m": 2, "n": 80}]})",
};
const std::vector<std::string> kWrong = {"{", "[]", R"({"op": "gemm", "n": 64})", R"({"op": "gemm", "n": 7, "k": 256})"};

std::string module(int n) {
  std::string columns = std::to_string(n), blocks = std::to_string((n + 127) / 128);
  return "func.func @f(%a: memref<64x256xf8E4M3FN>, %sfa: memref<2x64xf32>, %b: memref<" + columns +
         "x256xf8E4M3FN>, %sfb: memref<" + blocks + "x2xf32>, %d: memref<64x" + columns +
         "xbf16>) {\n  fp8gemm.gemm %a scaled_by %sfa <1x128, mn_major>, %b scaled_by %sfb <128x128, k_major> into %d : "
         "memref<64x256xf8E4M3FN>, memref<2x64xf32>, memref<" +
         columns + "x256xf8E4M3FN>, memref<" + blocks + "x2xf32>, memref<64x" + columns + "xbf16>\n  return\n}\n";
}

std::string compile(const std::string &problems, const std::string &cache, unsigned jobs) {
  Fp8GemmCompileOptions options = {};
  options.size = sizeof(options);
  options.cache = cache.empty() ? nullptr : cache.c_str();
  options.jobs = jobs;
  return all(own(fp8gemmCompile(problems.data(), problems.size(), &options)));
}

std::string compileModule(int n) {
  MlirDialectRegistry registry = mlirDialectRegistryCreate();
  fp8gemmRegisterAllDialects(registry);
  fp8gemmRegisterAllPasses();
  MlirContext context = mlirContextCreateWithRegistry(registry, /*threadingEnabled=*/n % 16 == 0);
  mlirDialectRegistryDestroy(registry);
  const std::string text = module(n);
  MlirModule parsed = mlirModuleCreateParse(context, mlirStringRefCreate(text.data(), text.size()));
  std::string answer = all(own(fp8gemmCompileModule(parsed, nullptr)));
  if (!mlirModuleIsNull(parsed))
    mlirModuleDestroy(parsed);
  mlirContextDestroy(context);
  return answer;
}

std::string plan(const std::string &problem, Fp8GemmForm form) {
  return all(own(fp8gemmPlan(problem.data(), problem.size(), "h200-sxm", form)));
}

std::string explain(const std::string &problem, Fp8GemmForm form) {
  return all(own(fp8gemmExplain(problem.data(), problem.size(), nullptr, 128, 5, form)));
}

std::string inspect(const std::string &file, Fp8GemmForm form) {
  return all(own(fp8gemmInspect(file.data(), file.size(), form)));
}

/// What the runtime finds in a pack.
std::string open(const std::string &bytes) {
  // At a multiple of 64, as the runtime wants it.
  std::unique_ptr<void, decltype(&std::free)> aligned(std::aligned_alloc(64, (bytes.size() + 63) / 64 * 64), std::free);
  std::memcpy(aligned.get(), bytes.data(), bytes.size());
  fp8gemm_pack *pack = nullptr;
  if (fp8gemm_pack_open_memory(aligned.get(), bytes.size(), &pack) != FP8GEMM_OK)
    return fp8gemm_last_error();
  std::string text;
  for (size_t i = 0; i < fp8gemm_pack_problem_count(pack); ++i) {
    fp8gemm_problem problem = {};
    problem.size = sizeof(problem);
    fp8gemm_pack_get_problem(pack, i, &problem);
    for (int64_t m : {1, 2, 1000}) {
      fp8gemm_kernel_info info = {};
      info.size = sizeof(info);
      fp8gemm_kernel_get_info(fp8gemm_pack_find(pack, &problem, m), &info);
      text += std::to_string(problem.n) + " " + std::to_string(m) + " " + info.name + "\n";
    }
  }
  fp8gemm_pack_close(pack);
  return text;
}

/// The bytes of a pack, of what all() made of its result.
std::string bytesOf(const std::string &answer) { return answer.substr(answer.find('\n') + 1); }

struct Call {
  const char *name;
  std::function<std::string(bool shared)> make; ///< shared: by one of many threads
  std::string expected;
  std::atomic<size_t> count{0};

  Call(const char *name, std::function<std::string(bool)> make) : name(name), make(std::move(make)) {}
};

unsigned long option(int argc, char **argv, const std::string &name, unsigned long usual) {
  for (int i = 1; i < argc; ++i)
    if (std::string(argv[i]).rfind(name + "=", 0) == 0)
      return std::strtoul(argv[i] + name.size() + 1, nullptr, 10);
  return usual;
}

} // namespace

int main(int argc, char **argv) {
  const auto seconds = option(argc, argv, "--seconds", 60), threadCount = option(argc, argv, "--threads", 4);
  const bool race = argc > 1 && std::strcmp(argv[argc - 1], "--race") == 0;
  char folder[] = "/tmp/fp8gemm-threads-XXXXXX";
  if (!mkdtemp(folder)) {
    std::perror("mkdtemp");
    return 2;
  }
  const std::string cache = std::string(folder) + "/cache";

  std::vector<std::unique_ptr<Call>> calls;
  auto add = [&](const char *name, std::function<std::string(bool)> make) {
    calls.push_back(std::make_unique<Call>(name, std::move(make)));
  };
  std::vector<std::string> packs;
  for (const std::string &list : kLists) {
    packs.push_back(bytesOf(compile(list, "", 1)));
    for (unsigned jobs : {1, 3})
      add("packs with a cache", [&, jobs](bool shared) { return compile(list, shared ? cache : "", jobs); });
    add("packs without a cache", [&](bool) { return compile(list, "", 1); });
  }
  for (const std::string &list : kWrong)
    add("wrong problems", [&](bool) { return compile(list, "", 1); });
  for (int n : {64, 72})
    add("modules", [n](bool) { return compileModule(n); });
  for (Fp8GemmForm form : {Fp8GemmText, Fp8GemmJson}) {
    add("plans", [&, form](bool) { return plan(kLists[0], form); });
    add("explanations", [&, form](bool) { return explain(kLists[2], form); });
    for (const std::string &pack : packs)
      add("contents", [&, form](bool) { return inspect(pack, form); });
  }
  add("contents", [&](bool) { return inspect(packs[0].substr(0, 1000), Fp8GemmText); });
  for (const std::string &pack : packs)
    add("opened packs", [&](bool) { return open(pack); });
  for (auto &call : calls)
    call->expected = call->make(/*shared=*/false);

  std::atomic<size_t> wrong{0};
  size_t raced = 0; // nothing guards it
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(seconds);
  std::vector<std::thread> threads;
  for (size_t i = 0; i != threadCount; ++i)
    threads.emplace_back([&, i] {
      std::mt19937 random(i);
      while (std::chrono::steady_clock::now() < end) {
        if (race)
          ++raced;
        if (random() % 8 == 0) { // others may be about to read it
          std::error_code ignored;
          for (const auto &file : std::filesystem::directory_iterator(cache, ignored))
            if (random() % 2)
              std::filesystem::remove(file.path(), ignored);
        }
        Call &call = *calls[random() % calls.size()];
        std::string got = call.make(/*shared=*/true);
        ++call.count;
        if (got != call.expected && wrong++ == 0)
          std::fprintf(stderr, "%s: expected\n%.1000s\ngot\n%.1000s\n", call.name, call.expected.c_str(), got.c_str());
      }
    });
  for (std::thread &thread : threads)
    thread.join();
  std::filesystem::remove_all(folder);

  for (size_t i = 0; i < calls.size(); ++i) {
    size_t count = 0;
    for (size_t same = i; same < calls.size(); ++same)
      if (std::strcmp(calls[same]->name, calls[i]->name) == 0)
        count += calls[same]->count.exchange(0);
    if (count)
      std::printf("%6zu %s\n", count, calls[i]->name);
  }
  std::printf("%lu threads, %lu s: %zu wrong answers\n", threadCount, seconds, wrong.load());
  return wrong != 0;
}
