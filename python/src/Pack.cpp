// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "Pack.h"
#include "Arguments.h"
#include "Device.h"
#include "Docs.h"
#include "Parameters.h"

using namespace fp8gemm;
using namespace fp8gemm::python;

PyObject *python::raise(fp8gemm_status status) {
  PyObject *type = status == FP8GEMM_INVALID_ARGUMENT ? PyExc_ValueError : errorType();
  setError(type, fp8gemm_last_error());
  return nullptr;
}

//===----------------------------------------------------------------------===//
// Open, find
//===----------------------------------------------------------------------===//

Pack::~Pack() {
  // Of one that was loaded, launches may be running, or wait in a captured graph: that one stays until the process
  // ends.
  if (!isLoaded)
    fp8gemm_pack_close(handle);
}

bool Pack::open(const char *name) {
  fp8gemm_status status;
  {
    Unlocked others; // it reads the whole file
    status = fp8gemm_pack_open(name, &handle);
  }
  if (status)
    return raise(status);
  path = name;
  for (size_t i = 0, count = fp8gemm_pack_problem_count(handle); i < count; ++i) {
    fp8gemm_problem problem = {};
    problem.size = sizeof(problem);
    if (fp8gemm_status failed = fp8gemm_pack_get_problem(handle, i, &problem))
      return raise(failed);
    problems.push_back(format::fromC(problem));
  }
  return true;
}

bool Pack::close() {
  if (users) {
    PyErr_Format(PyExc_RuntimeError, "expected a pack that no call uses, got one that %d calls use", users);
    return false;
  }
  fp8gemm_pack_close(handle);
  handle = nullptr;
  isLoaded = false;
  return true;
}

bool Pack::expectOpen() const {
  if (!handle)
    PyErr_SetString(PyExc_ValueError, "expected an open pack, got a closed one");
  return handle;
}

bool Pack::has(const fp8gemm_problem &wanted) const { return fp8gemm_pack_find(handle, &wanted, 0); }

static void raiseNotInPack(const Pack &pack, const fp8gemm_problem &problem) {
  const std::string entry = print(relevant(format::fromC(problem)));
  Object error = callPython("fp8gemm._problems", "not_in_pack", "(Nsn)", PyUnicode_DecodeFSDefault(pack.path.c_str()),
                            entry.c_str(), Py_ssize_t(pack.problems.size()));
  if (error)
    PyErr_SetObject(reinterpret_cast<PyObject *>(Py_TYPE(error.get())), error.get());
}

fp8gemm_kernel *Pack::find(fp8gemm_problem &problem, int64_t m, const Choice &layouts, int (&choice)[3]) {
  auto countOf = [&](int which) { return layouts[which] && layouts[which]->count ? layouts[which]->count : 1; };
  auto layoutOf = [&](int which) {
    return layouts[which] && layouts[which]->count ? layouts[which]->layout[choice[which]] : FP8GEMM_K_MAJOR;
  };
  auto choose = [&](int number) {
    for (int which = 2; which >= 0; number /= countOf(which--))
      choice[which] = number % countOf(which);
    problem.sfa_layout = layoutOf(0);
    problem.sfb_layout = layoutOf(1);
    if (layouts[2] && layouts[2]->count)
      problem.sfd_layout = layoutOf(2) == FP8GEMM_MN_MAJOR ? FP8GEMM_SFD_MN_MAJOR : FP8GEMM_SFD_K_MAJOR;
  };
  const int all = countOf(0) * countOf(1) * countOf(2);
  int found = all;
  for (int number = 0; all > 1 && number < found; ++number) {
    choose(number);
    if (has(problem))
      found = number;
  }
  choose(found % all); // the usual ones, if the pack has none, for the error
  fp8gemm_kernel *kernel = fp8gemm_pack_find(handle, &problem, m);
  if (!kernel)
    raiseNotInPack(*this, problem);
  return kernel;
}

//===----------------------------------------------------------------------===//
// The Python type
//===----------------------------------------------------------------------===//

namespace {

struct PackObject {
  PyObject_HEAD Pack *pack;
};

} // namespace

static PyTypeObject *packType = nullptr;

Pack *python::packOf(PyObject *object) {
  if (PyObject_TypeCheck(object, packType))
    return reinterpret_cast<PackObject *>(object)->pack;
  PyErr_Format(PyExc_TypeError, "expected a pack of fp8gemm.load, got %R", object);
  return nullptr;
}

static PyObject *packNew(PyTypeObject *type, PyObject *arguments, PyObject *keywords) {
  static char path[] = "path", *names[] = {path, nullptr};
  PyObject *given = nullptr, *bytes = nullptr;
  if (!PyArg_ParseTupleAndKeywords(arguments, keywords, "O:Pack", names, &given))
    return nullptr;
  if (!PyUnicode_FSConverter(given, &bytes)) {
    if (PyErr_ExceptionMatches(PyExc_TypeError)) {
      PyErr_Clear();
      PyErr_Format(PyExc_TypeError, "expected 'path' to be a str, bytes or os.PathLike, got %R", given);
    } else if (PyErr_ExceptionMatches(PyExc_ValueError) && !PyErr_ExceptionMatches(PyExc_UnicodeError)) {
      PyErr_Clear();
      PyErr_Format(PyExc_ValueError, "expected 'path' without a null, got %R", given);
    }
    return nullptr;
  }
  Object encoded(bytes);
  auto allocate = reinterpret_cast<allocfunc>(PyType_GetSlot(type, Py_tp_alloc));
  Object made(allocate(type, 0));
  if (!made)
    return nullptr;
  auto *object = reinterpret_cast<PackObject *>(made.get());
  object->pack = new Pack;
  return object->pack->open(PyBytes_AsString(bytes)) ? made.release() : nullptr;
}

static void packDealloc(PyObject *object) {
  PyTypeObject *type = Py_TYPE(object);
  delete reinterpret_cast<PackObject *>(object)->pack;
  reinterpret_cast<freefunc>(PyType_GetSlot(type, Py_tp_free))(object);
  Py_DECREF(reinterpret_cast<PyObject *>(type));
}

static PyObject *packLoad(PyObject *self, PyObject *argument) {
  Pack &pack = *reinterpret_cast<PackObject *>(self)->pack;
  int64_t device = 0;
  DeviceScope scope;
  if (!pack.expectOpen() || !readCount(argument, "device", 0, INT32_MAX, device) || !scope.enter(int(device)))
    return nullptr;
  pack.isLoaded = true;
  fp8gemm_status status;
  ++pack.users;
  {
    Unlocked others;
    status = fp8gemm_pack_load(pack.handle, nullptr, 0);
  }
  --pack.users;
  return status ? raise(status) : Py_NewRef(Py_None);
}

static PyObject *packClose(PyObject *self, PyObject *) {
  return reinterpret_cast<PackObject *>(self)->pack->close() ? Py_NewRef(Py_None) : nullptr;
}

/// The value of a field as Python has it: a word, a number, None for any, True or False.
static Object valueOf(const format::Field &field, int64_t value) {
  if (const format::Word *word = wordOf(field, value))
    return Object(PyUnicode_FromString(word->name));
  if (field.kind == format::Kind::Flag)
    return Object(PyBool_FromLong(long(value)));
  bool isNothing = value == -1 || field.kind == format::Kind::Word; // any; a word that this problem has none of
  return isNothing ? Object::borrow(Py_None) : Object(PyLong_FromLongLong(value));
}

/// A dictionary of all fields.
static Object dictionaryOf(const format::Problem &problem) {
  Object fields(PyDict_New());
  for (const format::Field &field : format::kFields) {
    Object value = valueOf(field, get(problem, field));
    if (!fields || !value || PyDict_SetItemString(fields.get(), field.name, value.get()) != 0)
      return Object();
  }
  return fields;
}

static PyObject *packProblems(PyObject *self, PyObject *) {
  const Pack &pack = *reinterpret_cast<PackObject *>(self)->pack;
  Object list(PyList_New(0));
  for (const format::Problem &problem : pack.problems) {
    Object fields = dictionaryOf(problem);
    if (!list || !fields || PyList_Append(list.get(), fields.get()) != 0)
      return nullptr;
  }
  return list.release();
}

PyObject *python::problemFields(PyObject *, PyObject *) {
  Object list(PyList_New(0));
  for (const format::Problem &problem : format::usualProblems()) {
    Object usual = dictionaryOf(problem), needed(PyList_New(0));
    for (const format::Field &field : format::kFields)
      if (Object name(PyUnicode_FromString(field.name)); field.mustHave & setOf(problem))
        if (!needed || !name || PyList_Append(needed.get(), name.get()) != 0)
          return nullptr;
    if (!list || !usual || !needed)
      return nullptr;
    Object entry(Py_BuildValue("(ssOO)", nameOf(format::kGroupingWords, problem.grouping),
                                factsOf(problem).op, usual.get(), needed.get()));
    if (!entry || PyList_Append(list.get(), entry.get()) != 0)
      return nullptr;
  }
  return list.release();
}

static PyObject *packPath(PyObject *self, void *) {
  return PyUnicode_DecodeFSDefault(reinterpret_cast<PackObject *>(self)->pack->path.c_str());
}

PyObject *python::callWith(Pack &pack, Launcher launch, PyObject *const *args, Py_ssize_t count, PyObject *keywords) {
  if (!pack.expectOpen())
    return nullptr;
  ++pack.users;
  PyObject *result = launch(pack, args, count, keywords);
  --pack.users;
  return result;
}

template <Launcher launch>
static PyObject *method(PyObject *self, PyObject *const *args, Py_ssize_t count, PyObject *keywords) {
  return callWith(*reinterpret_cast<PackObject *>(self)->pack, launch, args, count, keywords);
}

template <typename T> static PyCFunction asFunction(T function) {
  return reinterpret_cast<PyCFunction>(reinterpret_cast<void (*)()>(function));
}

bool python::addPackType(PyObject *module) {
  constexpr int kFast = METH_FASTCALL | METH_KEYWORDS;
  static PyMethodDef methods[] = {
      {"_load", packLoad, METH_O, nullptr},
      {"_problems", packProblems, METH_NOARGS, nullptr},
      {"close", packClose, METH_NOARGS, docs::kClose},
      {"gemm", asFunction(method<gemm>), kFast, docOf(kGemm)},
      {"quantize", asFunction(method<quantize>), kFast, docOf(kQuantize)},
      {"grouped_gemm_contiguous", asFunction(method<groupedGemmContiguous>), kFast, docOf(kContiguous)},
      {"grouped_gemm_masked", asFunction(method<groupedGemmMasked>), kFast, docOf(kMasked)},
      {"grouped_gemm_k", asFunction(method<groupedGemmK>), kFast, docOf(kK)},
      {}};
  static PyGetSetDef properties[] = {{"path", packPath, nullptr, "The file that it was loaded from.", nullptr}, {}};
  static PyType_Slot slots[] = {{Py_tp_new, reinterpret_cast<void *>(packNew)},
                                {Py_tp_dealloc, reinterpret_cast<void *>(packDealloc)},
                                {Py_tp_methods, methods},
                                {Py_tp_getset, properties},
                                {}};
  static PyType_Spec spec = {"fp8gemm._native.Pack", sizeof(PackObject), 0, Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE,
                             slots};
  packType = reinterpret_cast<PyTypeObject *>(PyType_FromModuleAndSpec(module, &spec, nullptr));
  return packType && PyModule_AddObjectRef(module, "Pack", reinterpret_cast<PyObject *>(packType)) == 0;
}
