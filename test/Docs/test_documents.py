# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""What the documents show is what the tools print: blocks.py says what is run, and how it is compared.

The blocks of a document are run one after the other in a folder of its own that looks like the checkout with its build, so a
later block may use the files of an earlier one.
"""

import ast
import json
import os
import re
import subprocess
import sys

import pytest
import run_python
from blocks import DOCUMENTS, ROOT, Block, blocks_of, commands, expects, masked, prints, session, shows

BUILD = ROOT / "build"
RUN_PYTHON = ROOT / "test" / "Docs" / "run_python.py"
TOOLS = ("fp8gemm-compile", "fp8gemm-inspect", "fp8gemm-opt", "fp8gemm-run")
BLOCKS = [block for document in DOCUMENTS for block in blocks_of(document)]
LLVM = "/usr/lib/llvm-22/bin"
needs_build = pytest.mark.skipif(not all((BUILD / "bin" / tool).exists() for tool in TOOLS), reason=f"no tools in {BUILD}: build them")


def sandbox(folder):
    """A folder with what the checkout and its build hold; what is written in it or its build/ stays there."""
    (folder / "build").mkdir(parents=True)
    for original, copy in ((ROOT, folder), (BUILD, folder / "build")):
        for entry in original.iterdir():
            if entry.is_dir() and entry.name not in ("build", ".git"):
                (copy / entry.name).symlink_to(entry)
    return folder


class Shell:
    def __init__(self, folder):
        self.folder = folder
        path = os.pathsep.join([str(BUILD / "bin"), str(ROOT / ".venv" / "bin"), LLVM, os.environ.get("PATH", "")])
        self.environment = {**os.environ, "PATH": path, "HOME": str(folder), "PYTHONDONTWRITEBYTECODE": "1"}

    def run(self, command):
        """(status, stdout and stderr as they come)"""
        done = subprocess.run(["bash", "-o", "pipefail", "-c", command], cwd=self.folder, env=self.environment, stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=300)
        return done.returncode, done.stdout


@pytest.fixture(scope="module")
def shells(tmp_path_factory):
    made = {}

    def shell_of(document):
        if document not in made:
            made[document] = Shell(sandbox(tmp_path_factory.mktemp("document") / "checkout"))
        return made[document]
    return shell_of


def run_session(shell, block):
    for command, shown in session(block):
        status, printed = shell.run(command)
        assert prints(printed, shown or ""), f"$ {command}\n--- shown\n{masked(shown or '')}--- printed\n{masked(printed)}"
        failed = re.search("error:|FAILED", printed) is not None
        assert (status != 0) == failed, f"$ {command}: status {status}\n{printed}"


def run_commands(shell, block):
    for command in commands(block):
        status, printed = shell.run(command)
        assert status == 0, f"{command}: status {status}\n{printed}"


def find_ir(shell, block):
    assert block.mark, "expected <!-- printed by: COMMAND --> or <!-- from: FILE --> above IR, got neither"
    status, source = shell.run(block.what) if block.mark == "printed by" else (0, (ROOT / block.what).read_text())
    assert status == 0, source
    assert shows(block.text, source), f"{block.what}:\n{source}"


def find_text(_, block):
    assert expects((ROOT / block.what).read_text(), block.text), block.what


RUNNERS = [(lambda block: block.is_session, run_session), (lambda block: block.language == "sh", run_commands),
           (lambda block: block.language == "mlir", find_ir),
           (lambda block: block.language != "mlir" and block.mark == "from", find_text)]
SHOWN = [(block, run) for block in BLOCKS for asked, run in RUNNERS if asked(block)]


@needs_build
@pytest.mark.parametrize("block, run", SHOWN, ids=[block.name for block, _ in SHOWN])
def test_block(shells, block, run):
    if block.mark == "not run":
        pytest.skip(f"document not run: {block.what}")
    run(shells(block.document), block)


def test_marks_are_of_blocks():
    """Each mark is above a block, and says something of it."""
    for document in DOCUMENTS:
        marks = [line for line in document.read_text().splitlines() if line.strip().startswith("<!--")]
        assert len(marks) == sum(bool(block.mark) for block in blocks_of(document)), document
    for block in BLOCKS:
        allowed = {"mlir": ("printed by", "from", "not run"), "sh": ("not run", ""), "python": ("not run", "from", "with", "")}.get(
            block.language, ("not run", "from", ""))
        assert block.mark in allowed, block.name


PYTHON = [block for block in BLOCKS if block.language == "python" and block.mark != "from"]


@pytest.fixture(scope="module")
def interpreters(shells):
    """{line of a block of Python: what was wrong or None} of a document."""
    made = {}

    def answers_of(document):
        if document not in made:
            shell = shells(document)
            environment = {**shell.environment, "FP8GEMM_LIBCUDA": str(BUILD / "lib" / "libRuntimeFakeGpu.so")}
            done = subprocess.run([sys.executable, RUN_PYTHON, document], cwd=shell.folder, env=environment, capture_output=True, text=True, timeout=300)
            made[document] = dict(map(json.loads, done.stdout.splitlines())), done.stderr
        return made[document]
    return answers_of


@needs_build
@pytest.mark.parametrize("block", PYTHON, ids=[block.name for block in PYTHON])
def test_python(interpreters, block):
    if block.mark == "not run":
        pytest.skip(f"document not run: {block.what}")
    pytest.importorskip("fp8gemm")
    answers, printed = interpreters(block.document)
    assert block.line in answers, printed
    wrong = answers[block.line]
    if wrong and wrong.startswith(run_python.MISSING):
        pytest.skip(wrong)
    assert wrong is None, f"{wrong}\n{printed}"


def test_what_is_wrong_with_python_is_said(monkeypatch):
    """Errors of a block, and of a name that the package lacks; only PyTorch may be missing."""
    run = lambda text, mark="", what="": run_python.run(Block(ROOT / "docs" / "Python.md", 1, "python", text, mark, what), {})
    assert run("x = 1\n") is None
    assert "ZeroDivisionError" in run("x = 1\n1 / 0\n") and "SyntaxError" in run("x = = 1\n")
    assert "KeyError: 'nothing'" in run("x = 1\n", "with", "nothing")
    assert "No module named 'fp8gemm_nothing'" in run("import fp8gemm_nothing\n")
    monkeypatch.setitem(sys.modules, "torch", None)
    assert run("import torch\n") == "not installed: torch"


def names_of(tree):
    """(module of fp8gemm, name) of what Python takes by an import's alias."""
    aliases = {alias.asname or alias.name: alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names
               if alias.name.split(".")[0] == "fp8gemm"}
    return [(aliases[node.value.id], node.attr) for node in ast.walk(tree)
            if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id in aliases]


def has_name(module, name):
    path = ROOT / "python" / module.replace(".", "/")
    source = path / "__init__.py" if path.is_dir() else path.with_suffix(".py")
    return re.search(rf"\b{name}\b", source.read_text()) is not None


def test_python_names_what_the_package_has():
    """Of blocks that are not run, too, and where PyTorch is missing."""
    names = [(block.name, *name) for block in BLOCKS if block.language == "python" for name in names_of(ast.parse(block.text, block.name))]
    assert names and [name for name in names if not has_name(*name[1:])] == []
    assert not has_name("fp8gemm.torch", "Nothing")


def test_commands_are_found():
    """A block that looks like commands is one: else nobody would run it."""
    for block in BLOCKS:
        if block.language == "" and not block.is_session:
            typed = [line for line in block.text.splitlines()
                     if line.split(" ")[0].startswith(("build/", "fp8gemm-", "scripts/", "benchmark/", "cmake", "cc", "pip", "mlir-opt"))
                     and not line.startswith("fp8gemm-run: error")]
            assert not typed, f"{block.name}: expected the language sh, or '$ ' before commands, got {typed}"


@pytest.mark.parametrize("printed, shown, same", [
    ("a 1.25 s\nb\n", "a 7.1 s\nb\n", True),
    ("a 1\n", "a 2\n", False),
    ("a\nb\nc\nd\n", "a\n...\nd\n", True),
    ("a\nd\n", "a\n...\nd\n", True),
    ("a\nb\n", "a\n...\nd\n", False),
    ("a b c\n", "a ...\n", True),
    ("a\nb\n", "a\n", False),
    ("LLVM 22.1.8\n", "LLVM 22.1.9\n", True),
])
def test_comparison(printed, shown, same):
    assert prints(printed, shown) == same


@pytest.mark.parametrize("ir, same", [
    ("%x = f %y : !a, !b", True),
    ("%x = f %y : !a, !b // said\n %z = g %x : !b", True),
    ("%x = f %y : !a, !b ... : !b", True),
    ("%x = f %y : !a, !b\n %z = g %y : !b", False),
    ("%x = f %y : !a, !b\n %z = g %x : !a", False),
    ("%x = h %y", False),
    ("%x = f %x", False),
])
def test_ir_comparison(ir, same):
    assert shows(ir, "%0 = f %arg0 : memref<2x3xf32>, i8\n  %1 = g %0 : i8\n") == same
