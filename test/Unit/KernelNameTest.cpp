// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Products that differ in one field of their schedules have kernels of their own.

#include "fp8gemm/Config/Config.h"
#include "fp8gemm/InitAll.h"
#include "fp8gemm/Pipelines/Compiler.h"
#include "mlir/Dialect/GPU/IR/GPUDialect.h"
#include "mlir/Pass/PassManager.h"

#include <gtest/gtest.h>

using namespace fp8gemm;
using config::Config;
using config::Field;

namespace {

constexpr int64_t kN = 4096, kK = 7168;

config::Problem problem() {
  config::Problem problem;
  problem.n = kN, problem.k = kK;
  return problem;
}

bool isLegal(const Config &config) { return config::check(problem(), config::knownGpus().front(), config).empty(); }

/// A schedule with room around each of its fields.
Config middling() {
  Config config;
  config.tileM = 128, config.tileN = 64, config.stages = 4, config.consumers = 1, config.rasterGroup = 4;
  config.clusterM = config.clusterN = config.splitK = config.partials = 1, config.swapAb = 0;
  return config::complete(problem(), config::knownGpus().front(), config, 4096);
}

/// The same but for `field`, which has another legal value.
std::optional<Config> withOther(Config config, const Field &field) {
  const int64_t usual = config.*field.member;
  for (int64_t &value = config.*field.member = field.least; value <= 256; ++value)
    if (value != usual && isLegal(config))
      return config;
  return std::nullopt;
}

std::string nameOf(const Config &schedule) {
  mlir::DialectRegistry registry;
  registerAllDialects(registry);
  mlir::MLIRContext context(registry);
  format::Problem gemm;
  gemm.n = kN, gemm.k = kK;
  mlir::OwningOpRef<mlir::ModuleOp> module = buildModule(context, gemm);
  PipelineOptions options;
  options.config = config::toString(schedule);
  mlir::PassManager manager(&context);
  buildConfigPipeline(manager, options);
  buildHopperPipeline(manager, options);
  if (failed(manager.run(*module)))
    return {};
  return (*module->getOps<mlir::gpu::GPUModuleOp>().begin()).getName().str();
}

TEST(KernelName, FollowsFromEveryFieldOfTheSchedule) {
  const Config schedule = middling();
  ASSERT_TRUE(isLegal(schedule));
  const std::string name = nameOf(schedule);
  ASSERT_EQ(name.rfind("fp8gemm_", 0), 0u) << name;
  for (const Field &field : config::kFields) {
    std::optional<Config> other = withOther(schedule, field);
    ASSERT_TRUE(other) << "no other legal value of " << field.name;
    const std::string otherName = nameOf(*other);
    EXPECT_FALSE(otherName.empty()) << field.name;
    EXPECT_NE(otherName, name) << field.name;
  }
}

/// Whatever the roles ask for where nobody says it: the name is as short as ever.
TEST(KernelName, LeavesOutWhatIsUsual) {
  for (const config::Candidate &candidate : config::enumerate(problem(), config::knownGpus().front(), 4096)) {
    for (const Field &field : config::kFields)
      if (int64_t usual = config::usualValue(problem(), candidate.config, field);
          field.member == &Config::producerRegisters || field.member == &Config::consumerRegisters) {
        EXPECT_EQ(candidate.config.*field.member, usual) << config::toString(candidate.config);
      }
  }
  EXPECT_EQ(nameOf(middling()).find("registers"), std::string::npos);
}

} // namespace
