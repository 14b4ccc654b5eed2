// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A quantisation.

#include "Arguments.h"
#include "Operands.h"

using namespace fp8gemm;
using namespace fp8gemm::python;

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
  bool dependent = false;
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
  if (!expectShape(q, kQuantizeParameters[Q].shape, extents) ||
      !expectShape(scales, kQuantizeParameters[Scales].shape, extents) || !readScales(scales, true, layouts) ||
      !readMatrix(x, xMatrix) || !readMatrix(q, qMatrix))
    return nullptr;
  if (extents.m == 0)
    return Py_NewRef(values[Q]);
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
