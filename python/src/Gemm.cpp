// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// One product.

#include "Arguments.h"
#include "Device.h"
#include "Operands.h"

using namespace fp8gemm;
using namespace fp8gemm::python;

static fp8gemm_matrix matrixOf(const fp8gemm_tensor &tensor) { return {tensor.data, tensor.leading_dimension}; }

PyObject *python::gemm(Pack &pack, PyObject *const *args, Py_ssize_t count, PyObject *keywords) {
  enum { A, Sfa, B, Sfb, D, C, DType, Stream, NumSms, Dependent, BatchInvariant, Count };
  static const Signature signature(
      "gemm", 4, 6, {"a", "sfa", "b", "sfb", "d", "c", "d_type", "stream", "num_sms", "dependent", "batch_invariant"});
  PyObject *values[Count];
  Place place;
  Options options;
  Inputs in;
  Result out;
  fp8gemm_problem problem = {};
  problem.size = sizeof(problem);
  if (!signature.bind(args, count, keywords, values) || !place.setStream(values[Stream]) ||
      !options.read(values + NumSms) || !in.a.read(values[A], "a", 2, place) ||
      !in.sfa.read(values[Sfa], "sfa", 2, place) || !in.b.read(values[B], "b", 2, place) ||
      !in.sfb.read(values[Sfb], "sfb", 2, place) || !in.readTypes(problem))
    return nullptr;

  int64_t m = in.a.shape[0], n = in.b.shape[0], k = in.a.shape[1], blocks = ceilDiv(k, kBlock);
  const int64_t shape[] = {m, n};
  problem.k = k;
  problem.batch_invariant = options.batchInvariant;
  if (!in.b.expectShape({n, k}, "[N, K]") || !in.sfa.expectShape({m, blocks}, "[M, ceil(K/128)]") ||
      !in.readScalesOfB(blocks, problem) || !readScales(in.sfa, true, in.sfaLayouts) || !readMatrix(in.a, in.aMatrix) ||
      !readMatrix(in.b, in.bMatrix) ||
      !out.read(values[D], values[C], values[DType], 2, shape, "[M, N]", place, problem))
    return nullptr;

  if (m == 0)
    return out.object.release();
  int choice[2];
  fp8gemm_kernel *kernel = pack.find(problem, m, in.sfaLayouts, in.sfbLayouts, choice);
  if (!kernel)
    return nullptr;
  fp8gemm_gemm_args call = {};
  call.size = sizeof(call);
  call.m = m;
  call.a = matrixOf(in.aMatrix);
  call.sfa = matrixOf(storedScales(in.sfa, in.sfaLayouts, choice[0]));
  call.b = matrixOf(in.bMatrix);
  call.sfb = matrixOf(storedScales(in.sfb, in.sfbLayouts, choice[1]));
  call.c = matrixOf(out.cMatrix);
  call.d = matrixOf(out.dMatrix);
  call.num_sms = uint32_t(options.numSms);
  if (options.dependent) {
    fp8gemm_kernel_info info;
    if (!getInfo(kernel, info))
      return nullptr;
    call.flags = options.flags(info);
  }
  DeviceScope scope;
  if (!scope.enter(place.device))
    return nullptr;
  pack.isLoaded = true;
  fp8gemm_status status;
  {
    Unlocked others;
    status = fp8gemm_gemm(kernel, &call, place.stream);
  }
  return status ? raise(status) : out.object.release();
}
