// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A quantisation.

#include "Arguments.h"
#include "Operands.h"

using namespace fp8gemm;
using namespace fp8gemm::python;

/// A row of scales is for a row of q, or for 128. False with an error set.
static bool expectScales(const Tensor &scales, const Extents &extents, bool &isOfBlocks) {
  const int64_t rows = scales.shape[0], blocks = extents.blocks(), rowBlocks = ceilDiv(extents.m, kBlock);
  isOfBlocks = rows != extents.m;
  if (scales.shape[1] == blocks && (rows == extents.m || rows == rowBlocks))
    return true;
  PyErr_Format(
      PyExc_ValueError,
      "expected 'scales' of shape [M, ceil(K/128)] = (%lld, %lld) or [ceil(M/128), ceil(K/128)] = (%lld, %lld), "
      "got %s",
      (long long)extents.m, (long long)blocks, (long long)rowBlocks, (long long)blocks,
      text(scales.shape, scales.rank).c_str());
  return false;
}

/// Whether the pack has a kernel for one of the layouts.
static bool hasKernel(const Pack &pack, fp8gemm_problem problem, const Layouts &layouts, uint32_t blockRows) {
  problem.sfb_block_rows = blockRows;
  for (int i = 0; i < layouts.count; ++i) {
    problem.sfa_layout = layouts.layout[i];
    if (pack.has(problem))
      return true;
  }
  return false;
}

PyObject *python::quantize(Pack &pack, PyObject *const *args, Py_ssize_t count, PyObject *keywords) {
  constexpr auto at = [](const char *name) { return indexOf(kQuantizeParameters, name); };
  enum : size_t {
    X = at("x"),
    Q = at("q"),
    Scales = at("scales"),
    Stream = at("stream"),
    NumSms = at("num_sms"),
    Dependent = at("dependent")
  };
  static const Signature signature(kQuantize);
  PyObject *values[kQuantizeParameters.size()];
  Place place;
  int64_t numSms = 0;
  bool dependent = false, isOfBlocks = false;
  Tensor x, q, scales;
  Layouts layouts;
  fp8gemm_tensor xMatrix = {}, qMatrix = {};
  fp8gemm_problem problem = {};
  problem.size = sizeof(problem);
  if (!signature.bind(args, count, keywords, values) || !place.setStream(values[Stream]) ||
      !readEpilogue(values, kQuantize, problem) || !readCount(values[NumSms], "num_sms", 0, INT32_MAX, numSms) ||
      !readBool(values[Dependent], "dependent", dependent) || !x.read(values[X], "x", 2, place) ||
      !q.read(values[Q], "q", 2, place, /*isWritten=*/true) ||
      !scales.read(values[Scales], "scales", 2, place, /*isWritten=*/true) || !x.readQuantizedElement(problem.x_type) ||
      !q.readElement(problem.a_type))
    return nullptr;
  if (problem.gated && x.shape[1] % 2 != 0) {
    PyErr_Format(PyExc_ValueError, "expected 'x' of shape [M, 2 * K] with gated, got %s",
                 text(x.shape, x.rank).c_str());
    return nullptr;
  }
  const Extents extents = {1, x.shape[0], 0, problem.gated ? x.shape[1] / 2 : x.shape[1]};
  problem.k = extents.k;
  if (!expectShape(q, kQuantizeParameters[Q].shape, extents) || !expectScales(scales, extents, isOfBlocks) ||
      !readScales(scales, !isOfBlocks, layouts) || !readMatrix(x, xMatrix) || !readMatrix(q, qMatrix))
    return nullptr;
  if (extents.m == 0)
    return Py_NewRef(values[Q]);
  // Of one row they are the same.
  const bool isOnlyOfBlocks =
      extents.m == 1 && !hasKernel(pack, problem, layouts, 1) && hasKernel(pack, problem, layouts, kBlock);
  problem.sfb_block_rows = isOfBlocks || isOnlyOfBlocks ? kBlock : 1;
  int choice[3];
  fp8gemm_kernel *kernel = pack.find(problem, extents.m, {&layouts, nullptr, nullptr}, choice);
  fp8gemm_kernel_info info;
  if (!kernel || !getInfo(kernel, info))
    return nullptr;
  fp8gemm_quantize_args call = {};
  call.size = sizeof(call);
  call.m = extents.m;
  call.x = matrixOf(xMatrix);
  call.q = matrixOf(qMatrix);
  call.scales = matrixOf(storedScales(scales, layouts, choice[0]));
  call.num_sms = uint32_t(numSms);
  call.flags = dependent && info.dependent_launch ? FP8GEMM_DEPENDENT_LAUNCH : 0;
  auto launch = [&] { return fp8gemm_quantize(kernel, &call, place.stream); };
  return enqueue(pack, place, launch) ? Py_NewRef(values[Q]) : nullptr;
}
