// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Where the structs of the C API have the fields of Problem.h and the operands of Operands.h: for the runtime, compiled
// programs and the Python package.

#ifndef FP8GEMM_RUNTIME_FORMAT_CAPI_H
#define FP8GEMM_RUNTIME_FORMAT_CAPI_H

#include "fp8gemm/Operands.h"
#include "fp8gemm/runtime.h"

namespace fp8gemm::format {

//===----------------------------------------------------------------------===//
// Fields of problems in fp8gemm_kernel_info
//===----------------------------------------------------------------------===//

struct InfoPlace {
  const Field *field;
  size_t offset, bytes;
};

#define FP8GEMM_INFO(field, member)                                                                                    \
  InfoPlace { fieldNamed(field), offsetof(fp8gemm_kernel_info, member), sizeof(fp8gemm_kernel_info::member) }
/// All fields but batch_invariant, which is a plan's.
constexpr InfoPlace kInfoPlaces[] = {
    FP8GEMM_INFO("n", n),
    FP8GEMM_INFO("k", k),
    FP8GEMM_INFO("m", m),
    FP8GEMM_INFO("grouping", grouping),
    FP8GEMM_INFO("groups", groups),
    FP8GEMM_INFO("align", group_align),
    FP8GEMM_INFO("flattened", flat),
    FP8GEMM_INFO("a_type", a_type),
    FP8GEMM_INFO("b_type", b_type),
    FP8GEMM_INFO("d_type", d_type),
    FP8GEMM_INFO("c", c_use),
    FP8GEMM_INFO("bias", bias),
    FP8GEMM_INFO("gated", gated),
    FP8GEMM_INFO("recipe", sfb_block_rows),
    FP8GEMM_INFO("sfa", sfa_layout),
    FP8GEMM_INFO("sfb", sfb_layout),
    FP8GEMM_INFO("x_type", x_type),
    FP8GEMM_INFO("power_of_two", power_of_two),
    FP8GEMM_INFO("row_scale", row_scale),
    FP8GEMM_INFO("activation", activation),
    FP8GEMM_INFO("sfd", sfd_layout),
    FP8GEMM_INFO("weights", weights),
};
#undef FP8GEMM_INFO
static_assert(std::size(kInfoPlaces) == std::size(kFields) - 1);

inline void writeProblem(const Problem &problem, fp8gemm_kernel_info &info) {
  for (const InfoPlace &place : kInfoPlaces) {
    const char *member = reinterpret_cast<const char *>(&problem) + place.field->offset;
    std::memcpy(reinterpret_cast<char *>(&info) + place.offset, member, place.bytes);
  }
}

inline Problem readProblem(const fp8gemm_kernel_info &info) {
  Problem problem;
  for (const InfoPlace &place : kInfoPlaces)
    std::memcpy(reinterpret_cast<char *>(&problem) + place.field->offset,
                reinterpret_cast<const char *>(&info) + place.offset, place.bytes);
  return problem;
}

//===----------------------------------------------------------------------===//
// Operands in structs of arguments
//===----------------------------------------------------------------------===//

struct ArgumentPlace {
  Operand operand;
  size_t offset;
};

/// The places of a struct, and the type that matrices have in it. Vectors are pointers.
template <typename Args> struct Arguments;

#define FP8GEMM_ARGUMENT(operand, member) ArgumentPlace{Operand::operand, offsetof(Args, member)}
template <> struct Arguments<fp8gemm_gemm_args> {
  using Args = fp8gemm_gemm_args;
  using Matrix = fp8gemm_matrix;
  static constexpr ArgumentPlace kPlaces[] = {FP8GEMM_ARGUMENT(A, a),   FP8GEMM_ARGUMENT(ScaleA, sfa),
                                              FP8GEMM_ARGUMENT(B, b),   FP8GEMM_ARGUMENT(ScaleB, sfb),
                                              FP8GEMM_ARGUMENT(C, c),   FP8GEMM_ARGUMENT(D, d),
                                              FP8GEMM_ARGUMENT(Bias, bias), FP8GEMM_ARGUMENT(RowScale, row_scale),
                                              FP8GEMM_ARGUMENT(ScaleD, sfd)};
};
template <> struct Arguments<fp8gemm_grouped_gemm_args> {
  using Args = fp8gemm_grouped_gemm_args;
  using Matrix = fp8gemm_tensor;
  static constexpr ArgumentPlace kPlaces[] = {
      FP8GEMM_ARGUMENT(A, a),           FP8GEMM_ARGUMENT(ScaleA, sfa),         FP8GEMM_ARGUMENT(B, b),
      FP8GEMM_ARGUMENT(ScaleB, sfb),    FP8GEMM_ARGUMENT(C, c),                FP8GEMM_ARGUMENT(D, d),
      FP8GEMM_ARGUMENT(Groups, groups), FP8GEMM_ARGUMENT(Workspace, workspace), FP8GEMM_ARGUMENT(Bias, bias),
      FP8GEMM_ARGUMENT(RowScale, row_scale), FP8GEMM_ARGUMENT(ScaleD, sfd)};
};
template <> struct Arguments<fp8gemm_quantize_args> {
  using Args = fp8gemm_quantize_args;
  using Matrix = fp8gemm_matrix;
  static constexpr ArgumentPlace kPlaces[] = {FP8GEMM_ARGUMENT(X, x), FP8GEMM_ARGUMENT(A, q),
                                              FP8GEMM_ARGUMENT(ScaleA, scales)};
};
#undef FP8GEMM_ARGUMENT

/// Whether the struct has a place for each operand that such problems have.
template <typename Args> constexpr bool hasPlacesOf(GroupingSet groupings) {
  for (const OperandRow &row : kOperands) {
    bool isThere = !(row.of & groupings);
    for (const ArgumentPlace &place : Arguments<Args>::kPlaces)
      isThere |= place.operand == row.operand;
    if (!isThere)
      return false;
  }
  return true;
}
static_assert(hasPlacesOf<fp8gemm_gemm_args>(kNotGrouped));
static_assert(hasPlacesOf<fp8gemm_grouped_gemm_args>(kOfRows | kAlongK));
static_assert(hasPlacesOf<fp8gemm_quantize_args>(kQuantize));

// A fp8gemm_matrix is the start of a fp8gemm_tensor, and a pointer is the start of both.
static_assert(offsetof(fp8gemm_tensor, data) == 0 && offsetof(fp8gemm_matrix, data) == 0 &&
              offsetof(fp8gemm_tensor, leading_dimension) == offsetof(fp8gemm_matrix, leading_dimension));

template <typename Args> constexpr size_t bytesOf(const ArgumentPlace &place) {
  return isMatrix(*rowOf(place.operand)) ? sizeof(typename Arguments<Args>::Matrix) : sizeof(void *);
}

/// An argument; of strides that it has none of, 0.
template <typename Args> fp8gemm_tensor readArgument(const Args &args, const ArgumentPlace &place) {
  fp8gemm_tensor tensor{};
  std::memcpy(&tensor, reinterpret_cast<const char *>(&args) + place.offset, bytesOf<Args>(place));
  return tensor;
}

template <typename Args> void writeArgument(Args &args, const ArgumentPlace &place, const fp8gemm_tensor &tensor) {
  std::memcpy(reinterpret_cast<char *>(&args) + place.offset, &tensor, bytesOf<Args>(place));
}

//===----------------------------------------------------------------------===//
// Fields of fp8gemm_problem
//===----------------------------------------------------------------------===//

inline void set(fp8gemm_problem &problem, const Field &field, int64_t value) {
  Problem fields = fromC(problem);
  set(fields, field, value);
  problem = toC<fp8gemm_problem>(fields);
}

} // namespace fp8gemm::format

#endif // FP8GEMM_RUNTIME_FORMAT_CAPI_H
