// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Packs: mapping, loading, and finding the kernel for a problem and an M.

#include "Abi.h"
#include "Kernel.h"
#include "PackFile.h"
#include "TensorMaps.h"

#include <algorithm>
#include <cerrno>
#include <cinttypes>
#include <cstring>
#include <fcntl.h>
#include <memory>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

using namespace fp8gemm;
using namespace fp8gemm::runtime;

namespace {

/// A file in memory, read-only; nothing of an empty one.
class Mapping {
public:
  Mapping() = default;
  Mapping(const Mapping &) = delete;
  ~Mapping() {
    if (address)
      munmap(address, size);
  }

  fp8gemm_status open(const char *path);
  const void *data() const { return address; }
  size_t bytes() const { return size; }

private:
  void *address = nullptr;
  size_t size = 0;
};

/// Room for the weights and activations of a model of some hundred products.
constexpr size_t kSetsOfMaps = 512;

struct Plan {
  format::Problem problem;
  struct Interval {
    int64_t first; ///< up to the next one's
    fp8gemm_kernel *kernel;
  };
  std::vector<Interval> intervals;
};

} // namespace

struct fp8gemm_pack {
  Mapping mapping; ///< of a file
  format::PackFile file;
  std::unique_ptr<fp8gemm_kernel[]> kernels;
  std::unique_ptr<TensorMapCache> maps; ///< of all kernels
  std::vector<Plan> plans;              ///< by problem

  const Plan *find(const format::Problem &problem) const;
};

//===----------------------------------------------------------------------===//
// Open, close
//===----------------------------------------------------------------------===//

fp8gemm_status Mapping::open(const char *path) {
  auto failed = [&] { return fail(FP8GEMM_IO_ERROR, "cannot open '%s': %s", path, std::strerror(errno)); };
  struct Descriptor {
    int number;
    ~Descriptor() {
      if (number >= 0)
        ::close(number);
    }
  } file{::open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)}; // a named pipe would be waited for
  struct stat status {};
  if (file.number < 0 || fstat(file.number, &status) != 0)
    return failed();
  if (!S_ISREG(status.st_mode))
    return fail(FP8GEMM_IO_ERROR, "cannot open '%s': expected a regular file", path);
  if (status.st_size == 0)
    return FP8GEMM_OK;
  void *mapped = mmap(nullptr, size_t(status.st_size), PROT_READ, MAP_PRIVATE, file.number, 0);
  if (mapped == MAP_FAILED)
    return failed();
  address = mapped;
  size = size_t(status.st_size);
  return FP8GEMM_OK;
}

static fp8gemm_status open(std::unique_ptr<fp8gemm_pack> opened, const void *bytes, size_t size, const char *name,
                           fp8gemm_pack **pack) {
  std::string error = format::readPack(bytes, size, opened->file);
  const format::PackFile &file = opened->file;
  for (size_t i = 0; error.empty() && i < file.kernels.size(); ++i)
    error = checkRoom(file.kernels[i].manifest());
  if (!error.empty())
    return fail(FP8GEMM_INVALID_FILE, "%s: %s", name, error.c_str());
  opened->maps = std::make_unique<TensorMapCache>(kSetsOfMaps);
  opened->kernels = std::make_unique<fp8gemm_kernel[]>(file.kernels.size());
  for (size_t i = 0; i < file.kernels.size(); ++i) {
    opened->kernels[i].code = file.kernels[i].cubin.data();
    opened->kernels[i].describe(file.kernels[i].manifest());
    opened->kernels[i].isPacked = true;
    opened->kernels[i].maps = opened->maps.get();
  }
  for (const format::Plan *plan : *file.index->plans()) {
    opened->plans.push_back({file.problemOf(*plan), {}});
    for (const format::Interval *interval : *plan->intervals())
      opened->plans.back().intervals.push_back({interval->first(), &opened->kernels[interval->kernel()]});
  }
  std::sort(opened->plans.begin(), opened->plans.end(),
            [](const Plan &lhs, const Plan &rhs) { return lhs.problem < rhs.problem; });
  *pack = opened.release();
  return FP8GEMM_OK;
}

fp8gemm_status fp8gemm_pack_open(const char *path, fp8gemm_pack **pack) {
  return guarded([&] {
    if (!path || !pack)
      return fail(FP8GEMM_INVALID_ARGUMENT, "expected a path and a place for the pack, got null");
    auto opened = std::make_unique<fp8gemm_pack>();
    if (fp8gemm_status status = opened->mapping.open(path))
      return status;
    const void *bytes = opened->mapping.data();
    size_t size = opened->mapping.bytes();
    return open(std::move(opened), bytes, size, path, pack);
  });
}

fp8gemm_status fp8gemm_pack_open_memory(const void *bytes, size_t size, fp8gemm_pack **pack) {
  return guarded([&] {
    if (!bytes || !pack)
      return fail(FP8GEMM_INVALID_ARGUMENT, "expected bytes and a place for the pack, got null");
    if (reinterpret_cast<uintptr_t>(bytes) % format::kPackAlignment)
      return fail(FP8GEMM_INVALID_ARGUMENT, "expected bytes of a pack from a multiple of %d on, got address %p",
                  int(format::kPackAlignment), bytes);
    return open(std::make_unique<fp8gemm_pack>(), bytes, size, "pack in memory", pack);
  });
}

void fp8gemm_pack_close(fp8gemm_pack *pack) { delete pack; }

//===----------------------------------------------------------------------===//
// Problems
//===----------------------------------------------------------------------===//

size_t fp8gemm_pack_problem_count(const fp8gemm_pack *pack) { return pack ? pack->plans.size() : 0; }

fp8gemm_status fp8gemm_pack_get_problem(const fp8gemm_pack *pack, size_t index, fp8gemm_problem *problem) {
  if (!pack || !problem)
    return fail(FP8GEMM_INVALID_ARGUMENT, "expected a pack and a place for the problem, got null");
  if (fp8gemm_status status = checkSize<fp8gemm_problem>(problem->size))
    return status;
  if (index >= pack->plans.size())
    return fail(FP8GEMM_INVALID_ARGUMENT, "expected a problem below %zu, got %zu", pack->plans.size(), index);
  writeStruct(format::toC<fp8gemm_problem>(pack->plans[index].problem), problem);
  return FP8GEMM_OK;
}

const Plan *fp8gemm_pack::find(const format::Problem &problem) const {
  auto found = std::lower_bound(plans.begin(), plans.end(), problem,
                                [](const Plan &plan, const format::Problem &wanted) { return plan.problem < wanted; });
  if (found == plans.end())
    return nullptr;
  // A batch-invariant plan directly follows the other plan of its problem, and serves in its place.
  format::Problem served = found->problem;
  if (!problem.batchInvariant)
    served.batchInvariant = 0;
  return served == problem ? &*found : nullptr;
}

static fp8gemm_status notFound(const fp8gemm_pack &pack, const format::Problem &problem) {
  size_t sameSize = std::count_if(pack.plans.begin(), pack.plans.end(), [&](const Plan &plan) {
    return plan.problem.n == problem.n && plan.problem.k == problem.k;
  });
  return fail(
      FP8GEMM_NOT_IN_PACK,
      "expected one of the pack's %zu problems (fp8gemm-inspect lists them), got %s; %zu of them have this n and k",
      pack.plans.size(), format::print(problem).c_str(), sameSize);
}

fp8gemm_kernel *fp8gemm_pack_find(fp8gemm_pack *pack, const fp8gemm_problem *problem, int64_t m) {
  if (!pack || !problem) {
    fail(FP8GEMM_INVALID_ARGUMENT, "expected a pack and a problem, got null");
    return nullptr;
  }
  fp8gemm_problem wanted;
  if (readStruct(problem, wanted))
    return nullptr;
  if (m < 0 && wanted.grouping != FP8GEMM_K_COUNT) {
    fail(FP8GEMM_INVALID_ARGUMENT, "expected m >= 0, got %" PRId64, m);
    return nullptr;
  }
  const format::Problem sought = relevant(format::fromC(wanted));
  const Plan *plan = pack->find(sought);
  if (!plan) {
    notFound(*pack, sought);
    return nullptr;
  }
  // The last one that starts at m or before; for m = 0, which launches nothing, the first one.
  auto after = std::upper_bound(plan->intervals.begin() + 1, plan->intervals.end(), m,
                                [](int64_t rows, const Plan::Interval &interval) { return rows < interval.first; });
  return (after - 1)->kernel;
}

//===----------------------------------------------------------------------===//
// Load
//===----------------------------------------------------------------------===//

static fp8gemm_status load(const Plan &plan, const cuda::Driver &driver) {
  for (const Plan::Interval &interval : plan.intervals)
    if (fp8gemm_status status = interval.kernel->loadInContext(driver))
      return status;
  return FP8GEMM_OK;
}

/// The plans of the caller's problems; of all for null.
static fp8gemm_status findPlans(const fp8gemm_pack &pack, const fp8gemm_problem *problems, size_t count,
                                std::vector<const Plan *> &plans) {
  if (!problems)
    for (const Plan &plan : pack.plans)
      plans.push_back(&plan);
  for (size_t i = 0; problems && i < count; ++i) {
    // As far apart as they are large in the caller's version.
    const char *place = reinterpret_cast<const char *>(problems) + i * problems->size;
    fp8gemm_problem problem;
    if (fp8gemm_status status = readStruct(reinterpret_cast<const fp8gemm_problem *>(place), problem))
      return status;
    if (problem.size != problems->size)
      return fail(FP8GEMM_INVALID_ARGUMENT, "expected the same size in all problems, got %zu and %zu", problems->size,
                  problem.size);
    const format::Problem sought = relevant(format::fromC(problem));
    plans.push_back(pack.find(sought));
    if (!plans.back())
      return notFound(pack, sought);
  }
  return FP8GEMM_OK;
}

fp8gemm_status fp8gemm_pack_load(fp8gemm_pack *pack, const fp8gemm_problem *problems, size_t count) {
  return guarded([&] {
    if (!pack)
      return fail(FP8GEMM_INVALID_ARGUMENT, "expected a pack, got null");
    std::vector<const Plan *> plans;
    if (fp8gemm_status status = findPlans(*pack, problems, count, plans))
      return status;
    std::string error;
    const cuda::Driver *driver = cuda::Driver::get(error);
    if (!driver)
      return fail(FP8GEMM_NO_DRIVER, "%s", error.c_str());
    for (const Plan *plan : plans)
      if (fp8gemm_status status = load(*plan, *driver))
        return status;
    return FP8GEMM_OK;
  });
}
