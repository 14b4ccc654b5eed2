// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// One product.

#include "Arguments.h"
#include "Operands.h"

using namespace fp8gemm;
using namespace fp8gemm::python;

PyObject *python::gemm(Pack &pack, PyObject *const *args, Py_ssize_t count, PyObject *keywords) {
  constexpr auto at = [](const char *name) { return indexOf(kGemmParameters, name); };
  enum : size_t {
    Stream = at("stream"),
    NumSms = at("num_sms")
  };
  static const Signature signature(kGemm);
  PyObject *values[kGemmParameters.size()];
  Place place;
  Options options;
  Inputs in;
  Result out;
  fp8gemm_gemm_args call = {};
  fp8gemm_problem problem = {};
  problem.size = sizeof(problem);
  if (!signature.bind(args, count, keywords, values) || !place.setStream(values[Stream]) ||
      !readEpilogue(values, kGemm, problem) ||
      !options.read(values + NumSms) || !in.read(values, kGemm, place, problem))
    return nullptr;

  const Extents extents = {1, in.a.shape[0], in.b.shape[0], in.a.shape[1], problem.gated != 0};
  const int64_t m = extents.m;
  problem.k = extents.k;
  problem.batch_invariant = options.batchInvariant;
  if (!expectShape(in.b, kGemmParameters[B].shape, extents) ||
      !expectShape(in.sfa, kGemmParameters[Sfa].shape, extents) || !in.readScalesOfB(extents.blocks(), problem) ||
      !readScales(in.sfa, true, in.sfaLayouts) || !readMatrix(in.a, in.aMatrix) || !readMatrix(in.b, in.bMatrix) ||
      !out.read(values, kGemm, extents, place, problem) ||
      !readVectors(values, kGemm, extents, place, problem, call))
    return nullptr;

  if (m == 0)
    return out.object.release();
  int choice[3];
  fp8gemm_kernel *kernel = pack.find(problem, m, {&in.sfaLayouts, &in.sfbLayouts, &out.sfdLayouts}, choice);
  if (!kernel)
    return nullptr;
  call.size = sizeof(call);
  call.m = m;
  call.a = matrixOf(in.aMatrix);
  call.sfa = matrixOf(storedScales(in.sfa, in.sfaLayouts, choice[0]));
  call.b = matrixOf(in.bMatrix);
  call.sfb = matrixOf(storedScales(in.sfb, in.sfbLayouts, choice[1]));
  call.c = matrixOf(out.cMatrix);
  call.d = matrixOf(out.dMatrix);
  if (out.sfdLayouts.count)
    call.sfd = matrixOf(storedScales(out.sfd, out.sfdLayouts, choice[2]));
  call.num_sms = uint32_t(options.numSms);
  if (options.dependent) {
    fp8gemm_kernel_info info;
    if (!getInfo(kernel, info))
      return nullptr;
    call.flags = options.flags(info);
  }
  auto launch = [&] { return fp8gemm_gemm(kernel, &call, place.stream); };
  return enqueue(pack, place, launch) ? out.object.release() : nullptr;
}
