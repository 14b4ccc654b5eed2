// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// #fp8gemm.config as the config of a hopper.kernel. A library of its own, for programs that read kernels but build none.

#include "fp8gemm/Conversion/Passes.h"
#include "fp8gemm/Dialect/FP8Gemm/IR/FP8Gemm.h"
#include "fp8gemm/Dialect/FP8Gemm/Transforms/SelectConfig.h"
#include "fp8gemm/Dialect/Hopper/IR/Hopper.h"

using namespace mlir;
using namespace fp8gemm;

namespace {
struct DescribeConfig : hopper::ConfigInterface::ExternalModel<DescribeConfig, ConfigAttr> {
  std::string describe(Attribute attribute) const { return config::describe(configOf(cast<ConfigAttr>(attribute))); }
};
} // namespace

void fp8gemm::registerConfigInterface(DialectRegistry &registry) {
  registry.addExtension(
      +[](MLIRContext *context, FP8GemmDialect *) { ConfigAttr::attachInterface<DescribeConfig>(*context); });
}
