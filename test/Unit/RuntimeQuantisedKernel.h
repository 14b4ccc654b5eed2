// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Made kernels of a quantised D, for tests.

#ifndef FP8GEMM_TEST_UNIT_RUNTIMEQUANTISEDKERNEL_H
#define FP8GEMM_TEST_UNIT_RUNTIMEQUANTISEDKERNEL_H

#include "RuntimeTestKernel.h"

namespace fp8gemm::test {

inline const format::Field *const kSfd = format::findField("sfd");

/// D of e4m3, whose scales the kernel is passed last: pointer, leading dimension, and group stride where it has groups.
inline ManifestSpec quantised(format::Grouping grouping, format::ScaleOfD layout) {
  ManifestSpec spec;
  if (grouping != format::Grouping::None)
    spec = grouped(grouping);
  spec.d = format::ElementType::F8E4M3FN;
  spec.fields.push_back({kSfd, int64_t(layout)});
  for (ParamSpec &param : spec.params)
    if (param.operand == format::Operand::D)
      param.element = format::ElementType::F8E4M3FN;
  spec.params.push_back({format::ParamKind::Pointer, format::Operand::ScaleD});
  spec.params.push_back({format::ParamKind::LeadingDimension, format::Operand::ScaleD});
  if (format::factsOf(grouping).ofD)
    spec.params.push_back({format::ParamKind::GroupStride, format::Operand::ScaleD});
  return spec;
}

} // namespace fp8gemm::test

#endif // FP8GEMM_TEST_UNIT_RUNTIMEQUANTISEDKERNEL_H
