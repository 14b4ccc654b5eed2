// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Products of groups, in one launch.

#include "Arguments.h"
#include "Operands.h"

using namespace fp8gemm;
using namespace fp8gemm::python;

namespace {

/// The common part of the three functions.
struct GroupedCall {
  PyObject *workspaceGiven = nullptr;
  bool checkGroups = false, hasOwnStream = false;
  int64_t expectedM = 0;
  Options options;
  Place place;
  Inputs in;
  Result out;
  fp8gemm_problem problem = {};
  fp8gemm_grouped_gemm_args args = {};

  GroupedCall() {
    problem.size = sizeof(problem);
    args.size = sizeof(args);
  }

  /// `options`: num_sms, dependent, batch_invariant, check_groups, workspace.
  bool readOptions(PyObject *stream, PyObject *const *options);
  /// False with an error set where the runtime cannot count them.
  bool setGroups(int64_t groups);
  /// The same for groups that may share matrices of b; sets how many there are.
  bool setGroups(int64_t groups, int64_t weights);

  /// int32 in device memory, `entries` of them; -1: any, which it is set to.
  bool readGroups(PyObject *given, const char *name, int64_t &entries, const char *rule);

  /// Finds the kernel for `m` rows expected of a group, and launches it: a new reference to d, or null.
  PyObject *launch(Pack &pack, int64_t m);

private:
  /// The caller's, or a new one where the kernel needs any: `needed` bytes at least.
  bool readWorkspace(int64_t needed);

  Object workspace; ///< goes back to its library when the launch is enqueued, for what follows in the stream
};

} // namespace

bool GroupedCall::readOptions(PyObject *stream, PyObject *const *given) {
  workspaceGiven = given[4];
  hasOwnStream = !isMissing(stream);
  if (!place.setStream(stream) || !options.read(given) || !readBool(given[3], "check_groups", checkGroups))
    return false;
  problem.batch_invariant = options.batchInvariant;
  return true;
}

bool GroupedCall::setGroups(int64_t groups) {
  if (groups > INT32_MAX) {
    PyErr_Format(PyExc_ValueError, "expected at most %d groups, got %lld", INT32_MAX, static_cast<long long>(groups));
    return false;
  }
  problem.groups = uint32_t(groups);
  return true;
}

bool GroupedCall::setGroups(int64_t groups, int64_t weights) {
  if (!setGroups(groups))
    return false;
  if (weights != groups && (weights < 1 || groups % weights != 0)) {
    PyErr_Format(PyExc_ValueError,
                 "expected 'b' to have a matrix for each of %lld groups, or a number of matrices that divides them, got %lld",
                 (long long)groups, (long long)weights);
    return false;
  }
  problem.weights = weights == groups ? 0 : uint32_t(weights);
  return true;
}

bool GroupedCall::readGroups(PyObject *given, const char *name, int64_t &entries, const char *rule) {
  Tensor groups;
  if (!groups.read(given, name, 1, place))
    return false;
  if (entries == -1 && !setGroups(entries = groups.shape[0]))
    return false;
  if (!groups.expectI32() || !groups.expectShape({entries}, rule))
    return false;
  if (entries > 1 && groups.stride[0] != 1) {
    PyErr_Format(PyExc_ValueError, "expected '%s' to be contiguous, got a stride of %lld", name,
                 (long long)groups.stride[0]);
    return false;
  }
  args.groups = static_cast<const int32_t *>(groups.data);
  return true;
}

bool GroupedCall::readWorkspace(int64_t needed) {
  dlpack::DataType bytes = {dlpack::kUInt, 8, 1};
  if (isMissing(workspaceGiven)) {
    if (needed == 0)
      return true;
    if (hasOwnStream) {
      PyErr_Format(PyExc_ValueError,
                   "expected 'workspace' together with 'stream': %lld bytes (uint8) that are this launch's until it is "
                   "complete",
                   (long long)needed);
      return false;
    }
    workspace = place.allocate("workspace", bytes, 1, &needed);
  } else {
    workspace = Object::borrow(workspaceGiven);
  }
  Tensor tensor;
  if (!workspace || !tensor.read(workspace.get(), "workspace", 1, place, /*isWritten=*/true))
    return false;
  if (!tensor.isA(bytes.code, bytes.bits) || tensor.shape[0] < needed || (needed > 1 && tensor.stride[0] != 1)) {
    PyErr_Format(PyExc_ValueError, "expected 'workspace' of at least %lld contiguous uint8, got %lld of %s",
                 (long long)needed, (long long)tensor.shape[0], nameOf(tensor.type).c_str());
    return false;
  }
  if (needed) {
    args.workspace = tensor.data;
    args.workspace_bytes = size_t(tensor.shape[0]);
  }
  return true;
}

PyObject *GroupedCall::launch(Pack &pack, int64_t m) {
  if (args.m == 0)
    return readWorkspace(0) ? out.object.release() : nullptr;
  int choice[3];
  fp8gemm_kernel_info info;
  fp8gemm_kernel *kernel = pack.find(problem, m, {&in.sfaLayouts, &in.sfbLayouts, &out.sfdLayouts}, choice);
  if (!kernel || !getInfo(kernel, info) || !readWorkspace(int64_t(info.workspace_bytes)))
    return nullptr;
  args.a = in.aMatrix;
  args.sfa = storedScales(in.sfa, in.sfaLayouts, choice[0]);
  args.b = in.bMatrix;
  args.sfb = storedScales(in.sfb, in.sfbLayouts, choice[1]);
  args.c = out.cMatrix;
  args.d = out.dMatrix;
  if (out.sfdLayouts.count)
    args.sfd = storedScales(out.sfd, out.sfdLayouts, choice[2]);
  args.num_sms = uint32_t(options.numSms);
  args.flags = options.flags(info) | (checkGroups ? FP8GEMM_CHECK_GROUPS : 0);
  auto launch = [&] { return fp8gemm_grouped_gemm(kernel, &args, place.stream); };
  return enqueue(pack, place, launch) ? out.object.release() : nullptr;
}

//===----------------------------------------------------------------------===//
// Groups of rows
//===----------------------------------------------------------------------===//

PyObject *python::groupedGemmContiguous(Pack &pack, PyObject *const *args, Py_ssize_t count, PyObject *keywords) {
  constexpr auto at = [](const char *name) { return indexOf(kContiguousParameters, name); };
  enum : size_t {
    Groups = at("groups"),
    By = at("by"),
    Align = at("align"),
    ExpectedM = at("expected_m"),
    Stream = at("stream"),
    NumSms = at("num_sms")
  };
  static const Signature signature(kContiguous);
  PyObject *values[kContiguousParameters.size()];
  GroupedCall call;
  Inputs &in = call.in;
  fp8gemm_problem &problem = call.problem;
  int64_t align = kBlock;
  bool byEnd = false;
  if (!signature.bind(args, count, keywords, values) || !call.readOptions(values[Stream], values + NumSms) ||
      !readEpilogue(values, kContiguous, problem) ||
      !readWord(values[By], "by", "index", "end", "\"index\" (the group of each row) or \"end\" (of each group's rows)",
                byEnd) ||
      !readCount(values[Align], "align", 1, INT32_MAX, align) ||
      !readCount(values[ExpectedM], "expected_m", 0, INT32_MAX, call.expectedM) ||
      !in.read(values, kContiguous, call.place, problem))
    return nullptr;

  // Ends say how many groups there are; indices are numbers of matrices.
  int64_t entries = byEnd ? -1 : in.a.shape[0];
  if (!call.readGroups(values[Groups], "groups", entries, byEnd ? "[G]" : "[M]"))
    return nullptr;
  const int64_t groups = byEnd ? entries : in.b.shape[0];
  const Extents extents = {groups, in.a.shape[0], in.b.shape[1], in.a.shape[1], problem.gated != 0, in.b.shape[0]};
  const int64_t m = extents.m;
  constexpr auto &parameters = kContiguousParameters;
  problem.k = extents.k;
  if (!call.setGroups(groups, extents.weights))
    return nullptr;
  problem.group_align = uint32_t(align);
  problem.grouping = byEnd ? FP8GEMM_ROW_END : FP8GEMM_ROW_INDEX;
  if (!expectShape(in.b, parameters[B].shape, extents) || !expectShape(in.sfa, parameters[Sfa].shape, extents) ||
      !in.readScalesOfB(extents.blocks(), problem) || !readScales(in.sfa, true, in.sfaLayouts) ||
      !readMatrix(in.a, in.aMatrix) || !readMatrix(in.b, in.bMatrix) ||
      !call.out.read(values, kContiguous, extents, call.place, problem) ||
      !readVectors(values, kContiguous, extents, call.place, problem, call.args))
    return nullptr;
  call.args.m = m;
  return call.launch(pack, call.expectedM ? call.expectedM : ceilDiv(m, groups > 0 ? groups : 1));
}

PyObject *python::groupedGemmMasked(Pack &pack, PyObject *const *args, Py_ssize_t count, PyObject *keywords) {
  constexpr auto at = [](const char *name) { return indexOf(kMaskedParameters, name); };
  enum : size_t {
    Counts = at("counts"),
    ExpectedM = at("expected_m"),
    Stream = at("stream"),
    NumSms = at("num_sms")
  };
  static const Signature signature(kMasked);
  PyObject *values[kMaskedParameters.size()];
  GroupedCall call;
  Inputs &in = call.in;
  fp8gemm_problem &problem = call.problem;
  if (!signature.bind(args, count, keywords, values) || !call.readOptions(values[Stream], values + NumSms) ||
      !readEpilogue(values, kMasked, problem) ||
      !readCount(values[ExpectedM], "expected_m", 0, INT32_MAX, call.expectedM) ||
      !in.read(values, kMasked, call.place, problem))
    return nullptr;

  const Extents extents = {in.a.shape[0], in.a.shape[1], in.b.shape[1], in.a.shape[2], problem.gated != 0, in.b.shape[0]};
  const int64_t m = extents.m;
  int64_t groups = extents.g;
  constexpr auto &parameters = kMaskedParameters;
  bool isBatched = values[Counts] == Py_None;
  problem.k = extents.k;
  if (!call.setGroups(groups, extents.weights))
    return nullptr;
  problem.grouping = isBatched ? FP8GEMM_BATCHED : FP8GEMM_ROW_COUNT;
  if (!expectShape(in.b, parameters[B].shape, extents) || !expectShape(in.sfa, parameters[Sfa].shape, extents) ||
      !in.readScalesOfB(extents.blocks(), problem) || !readScales(in.sfa, true, in.sfaLayouts) ||
      !readMatrix(in.a, in.aMatrix) || !readMatrix(in.b, in.bMatrix) ||
      (!isBatched && !call.readGroups(values[Counts], "counts", groups, "[G]")) ||
      !call.out.read(values, kMasked, extents, call.place, problem) ||
      !readVectors(values, kMasked, extents, call.place, problem, call.args))
    return nullptr;
  call.args.m = m;
  return call.launch(pack, call.expectedM ? call.expectedM : m);
}

//===----------------------------------------------------------------------===//
// Groups of K
//===----------------------------------------------------------------------===//

/// a [M, K], b [N, K]; or, flat, the packed matrices of the groups, one after the other.
static bool readSidesOfK(GroupedCall &call, int64_t &m, int64_t &n, int64_t &k) {
  Inputs &in = call.in;
  m = in.sfa.shape[0];
  n = in.sfb.shape[0];
  call.problem.flat = in.a.rank == 1;
  if (in.a.rank > 2) {
    PyErr_Format(PyExc_ValueError, "expected 'a' of shape [M, K], or flat, got %s",
                 text(in.a.shape, in.a.rank).c_str());
    return false;
  }
  if (!call.problem.flat) {
    k = in.a.shape[1];
    return in.a.expectShape({m, k}, "[rows of sfa, K]") && in.b.expectShape({n, k}, "[rows of sfb, K of a]") &&
           readMatrix(in.a, in.aMatrix) && readMatrix(in.b, in.bMatrix);
  }
  k = m > 0 ? in.a.shape[0] / m : 0;
  if (!in.a.expectShape({m * k}, "[rows of sfa * K]") || !in.b.expectShape({n * k}, "[rows of sfb * K of a]"))
    return false;
  for (const Tensor *flat : {&in.a, &in.b})
    if (flat->shape[0] > 1 && flat->stride[0] != 1) {
      PyErr_Format(PyExc_ValueError, "expected '%s' to be contiguous, got a stride of %lld", flat->name,
                   (long long)flat->stride[0]);
      return false;
    }
  in.aMatrix.data = in.a.data;
  in.bMatrix.data = in.b.data;
  return true;
}

PyObject *python::groupedGemmK(Pack &pack, PyObject *const *args, Py_ssize_t count, PyObject *keywords) {
  constexpr auto at = [](const char *name) { return indexOf(kKParameters, name); };
  enum : size_t {
    Lengths = at("lengths"),
    Stream = at("stream"),
    NumSms = at("num_sms")
  };
  static const Signature signature(kK);
  PyObject *values[kKParameters.size()];
  GroupedCall call;
  Inputs &in = call.in;
  fp8gemm_problem &problem = call.problem;
  if (!signature.bind(args, count, keywords, values) || !call.readOptions(values[Stream], values + NumSms) ||
      !in.read(values, kK, call.place, problem))
    return nullptr;

  int64_t m = 0, n = 0, k = 0;
  Tensor lengths;
  if (!readSidesOfK(call, m, n, k) || !lengths.read(values[Lengths], "lengths", 1, call.place))
    return nullptr;
  int64_t groups = lengths.shape[0];
  const Extents extents = {groups, m, n, k};
  problem.grouping = FP8GEMM_K_COUNT;
  if (!call.setGroups(groups))
    return nullptr;
  problem.m = m;
  problem.n = n;
  problem.sfb_block_rows = 1;
  for (const Tensor *scales : {&in.sfa, &in.sfb})
    if (scales->shape[1] < ceilDiv(k, kBlock)) {
      PyErr_Format(PyExc_ValueError, "expected '%s' of at least ceil(K/128) = %lld columns, got shape %s", scales->name,
                   (long long)ceilDiv(k, kBlock), text(scales->shape, scales->rank).c_str());
      return nullptr;
    }
  if (!call.readGroups(values[Lengths], "lengths", groups, "[G]") || !readScales(in.sfa, true, in.sfaLayouts) ||
      !readScales(in.sfb, true, in.sfbLayouts) ||
      !call.out.read(values, kK, extents, call.place, problem))
    return nullptr;
  // Kernels for any K, or for this one.
  auto takes = [&](int64_t some) {
    problem.k = some;
    for (int first = 0; first < in.sfaLayouts.count; ++first)
      for (int second = 0; second < in.sfbLayouts.count; ++second) {
        problem.sfa_layout = in.sfaLayouts.layout[first];
        problem.sfb_layout = in.sfbLayouts.layout[second];
        if (pack.has(problem))
          return true;
      }
    return false;
  };
  if (!takes(k))
    problem.k = -1;
  call.args.m = m;
  call.args.k = k;
  return call.launch(pack, m);
}
