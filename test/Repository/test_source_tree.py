# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The rules of rules.py hold for every file, and each of them finds what it is for."""

from pathlib import Path

import pytest
import rules

ROOT = Path(__file__).resolve().parents[2]
ROOMS = [".ci", "benchmark", "docs", "examples", "include", "lib", "python", "runtime", "scripts", "test", "tools"]


def source_files():
    for room in ROOMS:
        for path in sorted((ROOT / room).rglob("*")):
            if path.is_file() and "__pycache__" not in path.parts and not path.suffix == ".pyc":
                yield path
    yield from (ROOT / "CMakeLists.txt", ROOT / "README.md")


@pytest.mark.parametrize("rule", rules.RULES, ids=lambda rule: rule.__name__)
def test_tree(rule):
    complaints = []
    for path in source_files():
        try:
            text = path.read_text()
        except UnicodeDecodeError:
            continue  # a test's binary input
        name = path.relative_to(ROOT).as_posix()
        complaints += [f"{name}: {complaint}" for complaint in rule(name, text)]
    assert not complaints, "\n".join(complaints)


@pytest.mark.parametrize("path, text", [
    ("lib/Dialect/FP8Gemm/IR/X.cpp", '#include "fp8gemm/Dialect/Hopper/IR/Hopper.h"\n'),
    ("include/fp8gemm/Dialect/Hopper/IR/X.td", 'include "fp8gemm/Dialect/FP8Gemm/IR/FP8GemmOps.td"\n'),
    ("lib/Config/Config.cpp", '#include "llvm/ADT/SmallVector.h"\n'),
    ("lib/Config/Config.cpp", '#include "fp8gemm/Dialect/Hopper/IR/Hopper.h"\n'),
    ("runtime/src/Runtime.cpp", "#include <mlir/IR/Types.h>\n"),
    ("runtime/src/Runtime.cpp", '#include "fp8gemm/Config/Config.h"\n'),
    ("lib/Target/Pack.cpp", '#include "runtime/src/Driver.h"\n'),
    ("lib/Conversion/FP8GemmToLinalg/X.cpp", '#include "fp8gemm/Config/Config.h"\n'),
    ("lib/Conversion/FP8GemmToRuntime/X.cpp", '#include "fp8gemm/Config/Config.h"\n'),
    ("runtime/program/X.cpp", '#include "Kernel.h"\n'),
    ("tools/fp8gemm-opt.cpp", '#include "mlir/IR/PatternMatch.h"\n'),
    ("python/fp8gemm/compile.py", "import mlir.ir\n"),
    ("lib/Pipelines/Compiler.cpp", '#include "PackFile.h"\n'),
    ("lib/Pipelines/Compiler.cpp", '#include "Manifest_generated.h"\n'),
    ("lib/Pipelines/Problem.cpp", '#include "llvm/Support/JSON.h"\n'),
    ("include/fp8gemm/Pipelines/Compiler.h", '#include "fp8gemm/Pack/PackBuilder.h"\n'),
    ("lib/Pipelines/Program.cpp", '#include "fp8gemm/Simulator/Passes.h"\n'),
    ("lib/Pack/Inspect.cpp", '#include "fp8gemm/Driver/Compile.h"\n'),
    ("lib/Simulator/Library.cpp", '#include "fp8gemm/Driver/Compile.h"\n'),
    ("lib/Simulator/Library.cpp", '#include "fp8gemm/Pack/PackBuilder.h"\n'),
    ("runtime/src/Pack.cpp", '#include "fp8gemm/Pack/PackBuilder.h"\n'),
])
def test_closed_door(path, text):
    assert rules.closed_doors(path, text)


@pytest.mark.parametrize("path, text", [
    ("lib/Conversion/FP8GemmToHopper/X.cpp",
     '#include "fp8gemm/Dialect/Hopper/IR/Hopper.h"\n#include "fp8gemm/Dialect/FP8Gemm/IR/FP8Gemm.h"\n'),
    ("lib/Target/Manifest.cpp", '#include "runtime/format/KernelFile.h"\n'),
    ("runtime/src/Runtime.cpp", '#include "fp8gemm/runtime.h"\n'),
    ("lib/Config/Config.cpp", '#include "fp8gemm/Config/Config.h"\n'),
    ("lib/Config/Config.cpp", '#include "fp8gemm/Problem.h"\n'),
    ("lib/Pack/PackBuilder.cpp", '#include "PackFile.h"\n#include "fp8gemm/Pipelines/Compiler.h"\n'),
    ("lib/Simulator/Library.cpp", '#include "fp8gemm/Pipelines/Pipelines.h"\n'),
])
def test_open_door(path, text):
    assert not rules.closed_doors(path, text)


def test_one_order():
    call = "  buildNVVMPipeline(manager, options);\n"
    assert rules.one_order("lib/Driver/Compile.cpp", call) and rules.one_order("tools/fp8gemm-x.cpp", call)
    assert not rules.one_order("lib/Pipelines/Pipelines.cpp", call)
    assert not rules.one_order("lib/Driver/Compile.cpp", "buildLoweringPipeline(manager, options);\n")


@pytest.mark.parametrize("path, text", [
    ("lib/X.cpp", 'func->setAttr("hopper.launch", launch);\n'),
    ("lib/X.cpp", 'auto launch = kernel->getAttrOfType<LaunchAttr>("hopper.launch");\n'),
    ("lib/X.cpp", 'auto param = kernel.getArgAttrOfType<hopper::ParamAttr>(index, "hopper.param");\n'),
    ("lib/X.cpp", 'return func->hasAttr("hopper.debug_rings");\n'),
    ("test/X.mlir", "scf.for %i = %c0 to %n step %c1 {\n} {hopper.unroll = 2}\n"),
    ("test/X.mlir", "llvm.func @f() attributes {nvvm.kernel, hopper.waits_for_previous} {\n"),
])
def test_discardable_attributes(path, text):
    assert rules.attributes(path, text)


@pytest.mark.parametrize("path, text", [
    ("lib/X.cpp", 'check(tiles, "hopper.for_tiles");\n'),
    ("lib/X.cpp", 'return kernel.getLaunchAttr();\n'),
    ("test/X.mlir", "} consumers(2) registers(232) |%warpgroup| {\n  hopper.fence wgmma\n}\n"),
    ("test/Dialect/Hopper/attributes.mlir", "module attributes {hopper.lunch} {\n"),
])
def test_other_attributes(path, text):
    assert not rules.attributes(path, text)


@pytest.mark.parametrize("line", [
    "static int calls = 0;", "  static llvm::DenseMap<Type, int> seen;", "thread_local SmallVector<Value> stack;", "int calls;",
    "std::string name = \"x\";", "  static std::mutex lock;", "Cache *cache = nullptr;", "int table[kSize];"])
def test_state(line):
    assert rules.stateless("lib/Conversion/X.cpp", f"{line}\n")
    assert not rules.stateless("lib/Driver/X.cpp", f"{line}\n")


@pytest.mark.parametrize("line", [
    "static constexpr int64_t kBlockK = 128;", "static const Table table[] = {", "  int calls = 0;", "static int count(Value value) {",
    "using namespace mlir;", "struct X;", "LogicalResult X::verify() {", "  static FailureOr<X> compute(KernelOp kernel);"])
def test_no_state(line):
    assert not rules.stateless("lib/Conversion/X.cpp", f"{line}\n")


def test_hopper_ops():
    files = sorted((ROOT / "include/fp8gemm/Dialect/Hopper/IR").glob("*.td"))
    assert not rules.hopper_ops([file.read_text() for file in files])
    op = 'def Hopper_XOp : Hopper_Op<"x"> {\n}\n'
    assert not rules.hopper_ops([op * 38, op]) and rules.hopper_ops([op * 39, op])


def test_licence():
    line = f"# {rules.SPDX}\n"
    assert not rules.licence("scripts/x.py", "#!/usr/bin/env python3\n" + line)
    assert rules.licence("scripts/x.py", "import os\n" + line)
    assert rules.licence("lib/X.cpp", "")


def test_length():
    assert not rules.length("lib/X.cpp", "\n" * 500)
    assert rules.length("lib/X.cpp", "\n" * 501)
    assert rules.length("tools/fp8gemm-x.cpp", "\n" * 101)


@pytest.mark.parametrize("path, text", [
    ("docs/X.md", "The barrier stands behind the store.\n"),
    ("docs/X.md", "Reads on the GPU alone.\n"),
    ("docs/X.md", "Whoever launches it is faster.\n"),
    ("docs/X.md", "- What others get of a build: nothing.\n"),
    ("docs/X.md", "It ends. What is left is zero.\n"),
    ("include/X.td", "  let summary = \"groups, told to the launcher\";\n"),
    ("lib/X.cpp", "/// Rows of nobody keep their bits.\n"),
    ("lib/X.cpp", "  return fail(\"expected zeros behind it\");\n"),
    ("lib/X.cpp", "/* of D that are\n * nobody's */\n"),
    ("python/x.py", 'def f():\n    """The kernels alone."""\n'),
    ("python/x.py", "x = 1  # as told by the strides\n"),
    ("scripts/x.sh", "# behind the build\n"),
    ("test/X/x.mlir", "// expected-error @+1 {{a barrier behind the fence}}\n"),
])
def test_odd_english(path, text):
    assert rules.english(path, text)


@pytest.mark.parametrize("path, text", [
    ("docs/X.md", "Left alone, packed groups fall behind.\n"),
    ("docs/X.md", "# What is supported\nWhich kernel serves which M? What is it?\n"),
    ("docs/X.md", "| what | why |\nThe plan says what serves which M.\n"),
    ("lib/X.cpp", "  Value behind = told[alone]; // the rest\n"),
    ("python/x.py", 'row = {"told": 1, "alone": behind}  # by `told`\n'),
])
def test_plain_english(path, text):
    assert not rules.english(path, text)


RUN = "// RUN: fp8gemm-opt %s | FileCheck %s\n"


@pytest.mark.parametrize("text", [
    RUN + "// CHECK: a\n// CHEC: b\n",
    RUN + "// CHECK: a\n// CHECK-NXT: b\n",
    RUN + "// CHECK a\n",
    RUN + "// COM: nothing is checked\n",
    "// RUN: fp8gemm-opt %s | FileCheck %s --check-prefix=PTX\n// CHECK: a\n",
    "// RUN: fp8gemm-opt %s | FileCheck %s --check-prefixes=PTX,SASS\n// PTX: a\n",
    "// RUN: fp8gemm-opt %s -verify-diagnostics\n// expected-eror @below {{x}}\n",
    "// RUN: fp8gemm-opt %s -verify-diagnostics\n// exected-error @below {{x}}\n",
    "// RUN: fp8gemm-opt %s\n// expected-error @below {{x}}\n",
])
def test_mistyped_check(text):
    assert rules.check_prefixes("test/X/x.mlir", text)


@pytest.mark.parametrize("text", [
    RUN + "// CHECK-LABEL: a\n// CHECK-COUNT-4: b\n// CHECK-SAME{LITERAL}: [[\n// Prose: more.\n",
    "// RUN: fp8gemm-opt %s \\\n// RUN:   | FileCheck %s --check-prefix=PTX\n// PTX: a\n",
    RUN + "// RUN: FileCheck %s --check-prefix=ONE <x\n// RUN: FileCheck %s --check-prefix=TWO <x\n// CHECK: a\n// ONE: b\n// TWO: c\n",
    RUN.replace("%s |", "--pass='expected-m=1' |") + "// CHECK: a\n",
    "// RUN: fp8gemm-opt %s -split-input-file -verify-diagnostics\n// expected-error @+1 {{x}}\n",
])
def test_right_check(text):
    assert not rules.check_prefixes("test/X/x.mlir", text)
