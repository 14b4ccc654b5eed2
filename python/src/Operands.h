// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Arrays as operands of the runtime: strides say how each dimension is stored.

#ifndef FP8GEMM_PYTHON_SRC_OPERANDS_H
#define FP8GEMM_PYTHON_SRC_OPERANDS_H

#include "CApi.h"
#include "Device.h"
#include "Pack.h"
#include "Parameters.h"
#include "Tensor.h"

namespace fp8gemm::python {

constexpr int64_t kBlock = 128;
inline int64_t ceilDiv(int64_t value, int64_t by) { return (value + by - 1) / by; }

/// What the extents of shapes are in a call.
struct Extents {
  int64_t g = 1, m = 0, n = 0, k = 0;
  bool isGated = false;
  int64_t weights = 1; ///< matrices of b

  int64_t columns() const { return isGated ? n / 2 : n; } ///< of c and d
  int64_t blocks() const { return ceilDiv(k, kBlock); }
  int64_t columnBlocks() const { return ceilDiv(columns(), kBlock); }
  int64_t of(Extent extent) const;
};

/// Whether an array has the shape of its parameter. False with an error set.
bool expectShape(const Tensor &tensor, const Shape &shape, const Extents &extents);

/// A matrix, or one of each group, whose rows are stored whole. False with an error set.
bool readMatrix(const Tensor &tensor, fp8gemm_tensor &matrix);

/// The layouts that scales may have, [rows, K blocks] as Python sees them (or of each group). `byTma`: scales of single
/// rows, which have to be aligned if they are mn_major. False with an error set.
bool readScales(const Tensor &tensor, bool byTma, Layouts &layouts);

/// Scales as stored in the chosen layout.
fp8gemm_tensor storedScales(const Tensor &tensor, const Layouts &layouts, int choice);

inline fp8gemm_matrix matrixOf(const fp8gemm_tensor &tensor) { return {tensor.data, tensor.leading_dimension}; }

/// Calls the runtime, `launch`, with the context of the call's device, while other Python threads run. False with an
/// error set.
template <typename Launch> bool enqueue(Pack &pack, const Place &place, Launch launch) {
  DeviceScope scope;
  if (!scope.enter(place.device))
    return false;
  pack.isLoaded = true;
  fp8gemm_status status;
  {
    Unlocked others;
    status = launch();
  }
  return !status || raise(status);
}

/// a, sfa, b, sfb of any product: types, the shapes that follow from each other, layouts.
struct Inputs {
  Tensor a, sfa, b, sfb;
  Layouts sfaLayouts, sfbLayouts;
  fp8gemm_tensor aMatrix = {}, bMatrix = {};

  /// The four, with the ranks of their parameters.
  bool read(PyObject *const *values, const Function &function, Place &place, fp8gemm_problem &problem);

  /// Reads sfb for `n` rows of b, and whether its scales are for 128 of them or for one. `problem.n` is set.
  bool readScalesOfB(int64_t blocks, fp8gemm_problem &problem);
};

/// What a function was given for a parameter; null: nothing, or it has none of that name.
PyObject *valueOf(PyObject *const *values, const Function &function, std::string_view name);

/// d: the caller's, or a new one of the requested type ("bf16", "f32"; bf16 by default; with sfd e4m3), its scales sfd,
/// and c. Sets types and use of C in `problem`.
struct Result {
  Tensor d, sfd, c;
  Layouts sfdLayouts; ///< none without sfd
  fp8gemm_tensor dMatrix = {}, cMatrix = {};
  Object object; ///< of d

  bool read(PyObject *const *values, const Function &function, const Extents &extents, Place &place,
            fp8gemm_problem &problem);

private:
  bool readScalesOfD(PyObject *given, const Shape &shape, const Extents &extents, Place &place);
  bool readD(PyObject *given, PyObject *typeName, const Shape &shape, const Extents &extents, Place &place,
             fp8gemm_problem &problem);
  bool readC(PyObject *given, const Shape &shape, const Extents &extents, Place &place, fp8gemm_problem &problem);
};

/// The fields of kEpilogue, which a quantisation has, too, into `problem`. False with an error set.
bool readEpilogue(PyObject *const *values, const Function &function, fp8gemm_problem &problem);

/// A vector that some products have: where it is, or null where none is given. Sets its field of `problem`. False with an
/// error set.
bool readVector(const format::OperandRow &row, PyObject *const *values, const Function &function,
                const Extents &extents, Place &place, fp8gemm_problem &problem, const void *&data);

/// All of them, into the struct of arguments. False with an error set.
template <typename Args>
bool readVectors(PyObject *const *values, const Function &function, const Extents &extents, Place &place,
                 fp8gemm_problem &problem, Args &args) {
  for (const format::ArgumentPlace &at : format::Arguments<Args>::kPlaces) {
    const format::OperandRow &row = *format::rowOf(at.operand);
    const void *data = nullptr;
    if (!format::isOptionalVector(row))
      continue;
    if (!readVector(row, values, function, extents, place, problem, data))
      return false;
    format::writeArgument(args, at, {const_cast<void *>(data), 0, 0});
  }
  return true;
}

/// num_sms, dependent and batch_invariant, of every launch.
struct Options {
  int64_t numSms = 0;
  bool dependent = false, batchInvariant = false;

  /// These three of the arguments, in this order.
  bool read(PyObject *const *given);

  /// FP8GEMM_DEPENDENT_LAUNCH where it is wanted and the kernel can.
  uint32_t flags(const fp8gemm_kernel_info &info) const;
};

/// False with an error set.
bool getInfo(const fp8gemm_kernel *kernel, fp8gemm_kernel_info &info);

} // namespace fp8gemm::python

#endif // FP8GEMM_PYTHON_SRC_OPERANDS_H
