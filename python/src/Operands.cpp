// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "Operands.h"
#include "Arguments.h"

#include <algorithm>

using namespace fp8gemm;
using namespace fp8gemm::python;

/// TMA's alignment.
constexpr int64_t kAlignment = 16;

static int64_t alignUp(int64_t value, int64_t to) { return ceilDiv(value, to) * to; }

int64_t Extents::of(Extent extent) const {
  switch (extent) {
  case Extent::G:
    return g;
  case Extent::Weights:
    return weights;
  case Extent::M:
    return m;
  case Extent::N:
    return n;
  case Extent::Columns:
    return columns();
  case Extent::K:
    return k;
  case Extent::Blocks:
    return blocks();
  case Extent::ColumnBlocks:
    return columnBlocks();
  case Extent::Other:
    break;
  }
  return 0;
}

bool python::expectShape(const Tensor &tensor, const Shape &shape, const Extents &extents) {
  const int64_t first = extents.of(shape.extents[0]), second = extents.of(shape.extents[1]);
  std::string text = shape.text;
  if (extents.isGated && shape.extents[shape.rank - 1] == Extent::Columns)
    text.insert(text.rfind('N') + 1, "/2");
  if (extents.isGated && shape.extents[shape.rank - 1] == Extent::ColumnBlocks)
    text.replace(text.rfind("N/"), std::string_view("N/128").size(), "N/256");
  return shape.rank == 1   ? tensor.expectShape({first}, text.c_str())
         : shape.rank == 2 ? tensor.expectShape({first, second}, text.c_str())
                           : tensor.expectShape({first, second, extents.of(shape.extents[2])}, text.c_str());
}

bool python::readMatrix(const Tensor &tensor, fp8gemm_tensor &matrix) {
  int64_t rows = tensor.extent(-2), columns = tensor.extent(-1);
  if (columns > 1 && tensor.step(-1) != 1) {
    PyErr_Format(PyExc_ValueError,
                 "expected '%s' row-major (stride 1 in the last dimension), got shape %s and strides %s", tensor.name,
                 text(tensor.shape, tensor.rank).c_str(), text(tensor.stride, tensor.rank).c_str());
    return false;
  }
  // The stride of a dimension of one means nothing; what is passed on has to be aligned all the same.
  matrix.data = tensor.data;
  matrix.leading_dimension = rows > 1 ? tensor.step(-2) : alignUp(columns, kAlignment);
  matrix.group_stride = tensor.rank > 2 ? tensor.step(-3) : 0;
  return true;
}

bool python::readScales(const Tensor &tensor, bool byTma, Layouts &layouts) {
  if (!tensor.expectF32())
    return false;
  constexpr int64_t kAlignedScales = kAlignment / 4;
  int64_t rows = tensor.extent(-2), blocks = tensor.extent(-1), rowStep = tensor.step(-2), blockStep = tensor.step(-1);
  auto add = [&](fp8gemm_scale_layout layout, int64_t leading) {
    layouts.layout[layouts.count] = layout;
    layouts.leading[layouts.count++] = leading;
  };
  if (rows <= 1 || rowStep == 1) {
    int64_t leading = blocks > 1 ? blockStep : alignUp(rows, kAlignedScales);
    if (leading >= rows && (!byTma || leading % kAlignedScales == 0))
      add(FP8GEMM_MN_MAJOR, leading);
  }
  if (blocks <= 1 || blockStep == 1)
    add(FP8GEMM_K_MAJOR, rows > 1 ? rowStep : blocks);
  // The usual layout first; MN-major last if TMA can't read it from where it begins (the runtime says so).
  bool isMisaligned = reinterpret_cast<uintptr_t>(tensor.data) % kAlignment != 0;
  if (layouts.count == 2 && (!byTma || isMisaligned)) {
    std::swap(layouts.layout[0], layouts.layout[1]);
    std::swap(layouts.leading[0], layouts.leading[1]);
  }
  if (layouts.count)
    return true;
  PyErr_Format(
      PyExc_ValueError,
      "expected '%s' with stride 1 along its rows (mn_major%s) or along its K blocks (k_major), got shape %s and "
      "strides %s",
      tensor.name, byTma ? ", the other stride a multiple of 4" : "", text(tensor.shape, tensor.rank).c_str(),
      text(tensor.stride, tensor.rank).c_str());
  return false;
}

fp8gemm_tensor python::storedScales(const Tensor &tensor, const Layouts &layouts, int choice) {
  return {tensor.data, layouts.leading[choice], tensor.rank > 2 ? tensor.step(-3) : 0};
}

bool Inputs::read(PyObject *const *values, const Function &function, Place &place, fp8gemm_problem &problem) {
  const std::pair<size_t, Tensor *> operands[] = {{A, &a}, {Sfa, &sfa}, {B, &b}, {Sfb, &sfb}};
  for (auto [index, tensor] : operands)
    if (!tensor->read(values[index], function.parameters[index].name, function.parameters[index].shape.rank, place))
      return false;
  return a.readElement(problem.a_type) && b.readElement(problem.b_type);
}

bool Inputs::readScalesOfB(int64_t blocks, fp8gemm_problem &problem) {
  int64_t n = b.extent(-2), rows = sfb.extent(-2);
  problem.sfb_block_rows = rows == ceilDiv(n, kBlock) ? kBlock : 1;
  if ((problem.sfb_block_rows == 1 && rows != n) || sfb.extent(-1) != blocks ||
      (b.rank == 3 && sfb.shape[0] != b.shape[0])) {
    PyErr_Format(PyExc_ValueError, "expected 'sfb' of shape %s[%lld, %lld] (128x128) or %s[%lld, %lld] (1x128), got %s",
                 b.rank == 3 ? "[matrices of b] + " : "", (long long)ceilDiv(n, kBlock), (long long)blocks,
                 b.rank == 3 ? "[matrices of b] + " : "", (long long)n, (long long)blocks,
                 text(sfb.shape, sfb.rank).c_str());
    return false;
  }
  problem.n = n;
  return readScales(sfb, problem.sfb_block_rows == 1, sfbLayouts);
}

static bool isSame(const Tensor &x, const Tensor &y) {
  for (int i = 0; i < x.rank; ++i)
    if (x.shape[i] > 1 && x.stride[i] != y.stride[i])
      return false;
  return x.data == y.data;
}

PyObject *python::valueOf(PyObject *const *values, const Function &function, std::string_view name) {
  for (const Parameter &parameter : function)
    if (parameter.name == name)
      return values[&parameter - function.begin()];
  return nullptr;
}

static const Shape &shapeOf(const Function &function, std::string_view name) {
  for (const Parameter &parameter : function)
    if (parameter.name == name)
      return parameter.shape;
  return kAny;
}

bool Result::readScalesOfD(PyObject *given, const Shape &shape, const Extents &extents, Place &place) {
  return isMissing(given) || (sfd.read(given, "sfd", shape.rank, place, /*isWritten=*/true) &&
                              expectShape(sfd, shape, extents) && readScales(sfd, /*byTma=*/true, sfdLayouts));
}

bool Result::readD(PyObject *given, PyObject *typeName, const Shape &shape, const Extents &extents, Place &place,
                   fp8gemm_problem &problem) {
  const bool isQuantised = sfdLayouts.count != 0;
  bool isF32 = false;
  if (!readWord(typeName, "d_type", "bf16", "f32", "\"bf16\" or \"f32\"", isF32))
    return false;
  if (isQuantised && !isMissing(typeName)) {
    PyErr_Format(PyExc_ValueError, "expected 'd_type' to be None with 'sfd', since d is float8_e4m3fn, got %R", typeName);
    return false;
  }
  if (isMissing(given)) {
    dlpack::DataType type = isQuantised ? dlpack::DataType{dlpack::kFloat8E4M3FN, 8, 1}
                                        : dlpack::DataType{isF32 ? dlpack::kFloat : dlpack::kBfloat, uint8_t(isF32 ? 32 : 16), 1};
    const int64_t sizes[] = {extents.of(shape.extents[0]), extents.of(shape.extents[1]), extents.of(shape.extents[2])};
    object = place.allocate("d", type, shape.rank, sizes);
    if (!object)
      return false;
  } else {
    object = Object::borrow(given);
  }
  if (!d.read(object.get(), "d", shape.rank, place, /*isWritten=*/true) || !expectShape(d, shape, extents) ||
      !d.readResultElement(isQuantised, problem.d_type) || !readMatrix(d, dMatrix))
    return false;
  if (!isMissing(typeName) && isF32 != (problem.d_type == FP8GEMM_F32)) {
    PyErr_Format(PyExc_ValueError, "expected 'd_type' to be that of 'd', %s, or None, got %R", nameOf(d.type).c_str(),
                 typeName);
    return false;
  }
  return true;
}

bool Result::readC(PyObject *given, const Shape &shape, const Extents &extents, Place &place, fp8gemm_problem &problem) {
  problem.c_use = FP8GEMM_NO_C;
  if (isMissing(given))
    return true;
  if (sfdLayouts.count) {
    PyErr_SetString(PyExc_ValueError, "expected no 'c' with 'sfd', since a quantised d is no sum with one, got both");
    return false;
  }
  fp8gemm_type type;
  if (!c.read(given, "c", shape.rank, place) || !expectShape(c, shape, extents) ||
      !c.readResultElement(/*isQuantised=*/false, type) || !readMatrix(c, cMatrix))
    return false;
  if (type != problem.d_type) {
    PyErr_Format(PyExc_TypeError, "expected 'c' of the type of 'd', %s, got %s", nameOf(d.type).c_str(),
                 nameOf(c.type).c_str());
    return false;
  }
  problem.c_use = isSame(c, d) ? FP8GEMM_C_IN_PLACE : FP8GEMM_C_APART;
  return true;
}

bool Result::read(PyObject *const *values, const Function &function, const Extents &extents, Place &place,
                  fp8gemm_problem &problem) {
  auto given = [&](std::string_view name) { return valueOf(values, function, name); };
  const Shape &shape = shapeOf(function, "d");
  if (!readScalesOfD(given("sfd"), shapeOf(function, "sfd"), extents, place) ||
      !readD(given("d"), given("d_type"), shape, extents, place, problem) ||
      !readC(given("c"), shape, extents, place, problem))
    return false;
  if (problem.power_of_two && !sfdLayouts.count) {
    PyErr_SetString(PyExc_ValueError, "expected 'power_of_two' with 'sfd' only, got no 'sfd'");
    return false;
  }
  return true;
}

/// One of a field's words; what is missing keeps the field's value.
static bool readFieldWord(PyObject *given, const format::Field &field, fp8gemm_problem &problem) {
  if (!given)
    return true;
  std::string words;
  Py_ssize_t size = 0;
  const char *text = PyUnicode_Check(given) ? PyUnicode_AsUTF8AndSize(given, &size) : nullptr;
  for (const format::Word &word : field.words) {
    if (text && std::string_view(text, size_t(size)) == word.name) {
      format::set(problem, field, word.value);
      return true;
    }
    words += std::string(words.empty() ? "\"" : ", \"") + word.name + '"';
  }
  if (!PyErr_Occurred())
    PyErr_Format(text ? PyExc_ValueError : PyExc_TypeError, "expected '%s' to be one of %s, got %R", field.name,
                 words.c_str(), given);
  return false;
}

bool python::readEpilogue(PyObject *const *values, const Function &function, fp8gemm_problem &problem) {
  for (const Parameter &parameter : kEpilogue) {
    const format::Field *field = format::findField(parameter.name);
    bool isVector = !field || format::findOperand(parameter.name);
    if (isVector)
      continue;
    PyObject *given = valueOf(values, function, parameter.name);
    bool isSet = false;
    if (field->kind == format::Kind::Word ? !readFieldWord(given, *field, problem)
                                          : !readBool(given, parameter.name, isSet))
      return false;
    if (field->kind != format::Kind::Word)
      format::set(problem, *field, isSet);
  }
  return true;
}

/// Whether a function of the table can be given each vector that its problems may have.
template <size_t N> constexpr bool hasVectors(const std::array<Parameter, N> &parameters, format::GroupingSet groupings) {
  for (const format::OperandRow &row : format::kOperands)
    if (format::isOptionalVector(row) && (row.presence->mayHave & groupings))
      indexOf(parameters, row.name); // no constant without it
  return true;
}
static_assert(hasVectors(kGemmParameters, format::kNotGrouped) && hasVectors(kContiguousParameters, format::kOfRows) &&
              hasVectors(kMaskedParameters, format::kOfRows) && hasVectors(kKParameters, format::kAlongK));

bool python::readVector(const format::OperandRow &row, PyObject *const *values, const Function &function,
                        const Extents &extents, Place &place, fp8gemm_problem &problem, const void *&data) {
  const Parameter *parameter = std::find_if(function.begin(), function.end(), [&](const Parameter &some) {
    return std::string_view(some.name) == row.name;
  });
  PyObject *given = parameter == function.end() ? nullptr : values[parameter - function.begin()];
  data = nullptr;
  format::set(problem, *row.presence, 0);
  if (isMissing(given))
    return true;
  Tensor vector;
  std::string_view element;
  if (!vector.read(given, row.name, parameter->shape.rank, place) || !expectShape(vector, parameter->shape, extents) ||
      !vector.readElementOf(row.elementField->words, element))
    return false;
  int64_t step = 1; // of dimensions, from the innermost one
  for (int i = vector.rank - 1; i >= 0; step *= vector.shape[i--])
    if (vector.shape[i] > 1 && vector.stride[i] != step) {
      PyErr_Format(PyExc_ValueError, "expected '%s' to be contiguous, got a stride of %lld", row.name,
                   (long long)vector.stride[i]);
      return false;
    }
  format::set(problem, *row.presence, format::valueOfElement(*row.elementField, element));
  data = vector.data;
  return true;
}

bool Options::read(PyObject *const *given) {
  return readCount(given[0], "num_sms", 0, INT32_MAX, numSms) && readBool(given[1], "dependent", dependent) &&
         readBool(given[2], "batch_invariant", batchInvariant);
}

uint32_t Options::flags(const fp8gemm_kernel_info &info) const {
  return dependent && info.dependent_launch ? FP8GEMM_DEPENDENT_LAUNCH : 0;
}

bool python::getInfo(const fp8gemm_kernel *kernel, fp8gemm_kernel_info &info) {
  info.size = sizeof(info);
  fp8gemm_status status = fp8gemm_kernel_get_info(kernel, &info);
  return status == FP8GEMM_OK || raise(status);
}
