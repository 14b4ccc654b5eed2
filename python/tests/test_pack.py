# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Packs: what is in them, and how they are opened and closed."""

import ast
import dataclasses
import importlib.metadata
import inspect
import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from arrays import CapsuleArray, rows

import fp8gemm
from conftest import PROBLEMS, ROOT

WITHOUT = {"max_m"}


def test_problems_are_those_of_the_list(pack_path):
    pack = fp8gemm.load(pack_path)
    entries = [problem.entry() for problem in pack.problems]
    wanted = [{key: value for key, value in problem.items() if key not in WITHOUT} for problem in PROBLEMS]
    assert sorted(map(str, map(sorted, (e.items() for e in entries)))) == \
        sorted(map(str, map(sorted, (e.items() for e in wanted))))
    assert pack.path == str(pack_path) and repr(len(PROBLEMS)) in repr(pack)


def test_problem_has_words(pack_path):
    problem = next(p for p in fp8gemm.load(pack_path).problems if p.grouping == "k_count")
    assert (problem.m, problem.n, problem.k, problem.groups) == (128, 256, None, 3)
    assert (problem.recipe, problem.c, problem.d_type, problem.flat) == ("1d1d", "in_place", "f32", True)


def test_missing_file():
    with pytest.raises(fp8gemm.Error, match="cannot open '/nowhere'"):
        fp8gemm.load("/nowhere")
    with pytest.raises(ValueError, match="expected 'path' without a null, got 'a"):
        fp8gemm.load("a\0b")


def test_names_that_are_not_utf8(pack_path, tmp_path, driver):
    """They work, in messages their bytes are \\xNN."""
    name = os.fsencode(tmp_path) + b"/caf\xe9.fp8pack"
    for path in (name, os.fsdecode(name)):
        with pytest.raises(fp8gemm.Error, match=r"cannot open '.*caf\\xe9.fp8pack'"):
            fp8gemm.load(path)
    Path(os.fsdecode(name)).write_bytes(pack_path.read_bytes())
    for path in (name, os.fsdecode(name), Path(os.fsdecode(name))):
        with fp8gemm.load(path) as pack:
            assert os.fsencode(pack.path) == name and r"caf\xe9" in repr(pack).encode().decode()
            with pytest.raises(fp8gemm.NotInPackError, match=r"of pack '.*caf\\xe9.fp8pack'"):
                pack.gemm(*(CapsuleArray(rows(shape, dtype)) for shape, dtype in (
                    ((4, 512), "float8_e4m3fn"), ((4, 4), np.float32), ((8, 512), "float8_e4m3fn"), ((1, 4), np.float32),
                    ((4, 8), "bfloat16"))), stream=0)


@pytest.mark.parametrize("error, arguments, keywords", [
    (TypeError, (5,), {}), (TypeError, (None,), {}), (TypeError, (), {}), (TypeError, ("a", "b"), {}), (ValueError, ("a\0b",), {}),
    (TypeError, ("a",), {"mode": "r"})])
def test_what_is_no_path(error, arguments, keywords):
    with pytest.raises(error, match="path|null|mode|argument"):
        fp8gemm.Pack(*arguments, **keywords)


def test_version():
    assert fp8gemm.__version__ == importlib.metadata.version("fp8gemm")


def test_damaged_file(pack_path, tmp_path):
    content = bytearray(pack_path.read_bytes())
    content[len(content) // 2] ^= 1
    damaged = tmp_path / "damaged.fp8pack"
    damaged.write_bytes(content)
    with pytest.raises(fp8gemm.Error, match="damaged.fp8pack"):
        fp8gemm.load(damaged)


def test_closed_pack_is_refused(pack_path):
    with fp8gemm.load(pack_path) as pack:
        pass
    with pytest.raises(ValueError, match="expected an open pack, got a closed one"):
        pack.load(0)
    with pytest.raises(ValueError, match="expected an open pack"):
        pack.gemm(None, None, None, None)
    pack.close()


def test_load_takes_a_device(pack, fake_driver):
    class Device:
        index = 0

    class Host:
        type, index = "cpu", 0

    pack.load(Device())
    for wrong in ("first", None, True, Host()):
        with pytest.raises(TypeError, match="expected 'device' to be the number of a CUDA device, or to have one as 'index', got"):
            pack.load(wrong)
    with pytest.raises(ValueError, match=r"expected 'device' in \[0, 2147483647\], got -1"):
        pack.load(-1)


def test_default_pack(pack):
    with pytest.raises(RuntimeError, match="expected a default pack: call fp8gemm.set_pack"):
        fp8gemm.gemm(1, 2, 3, 4)
    fp8gemm.set_pack(pack)
    assert fp8gemm.get_pack() is pack
    with pytest.raises(TypeError, match="missing required argument 'sfb'"):
        fp8gemm.gemm(1, 2, 3)
    fp8gemm.set_pack(None)
    assert fp8gemm.get_pack() is None
    with pytest.raises(TypeError, match="expected a pack of fp8gemm.load, got 'x'"):
        fp8gemm.set_pack("x")


def test_missing_problem_says_how_to_compile_it(pack):
    message = message_of_missing(pack, 8, 512)
    assert '{"op": "gemm", "n": 8, "k": 512, "d_type": "f32", "sfa": "k_major"}' in message
    assert f"fp8gemm-compile --pack=PROBLEMS.json -o {pack.path}" in message


def message_of_missing(pack, n, k, **options):
    a, b = (CapsuleArray(rows((extent, k), "float8_e4m3fn")) for extent in (4, n))
    sfa, sfb, d = (CapsuleArray(rows(shape, np.float32)) for shape in ((4, -(-k // 128)), (-(-n // 128), -(-k // 128)), (4, n // 2 if options else n)))
    with pytest.raises(fp8gemm.NotInPackError) as caught:
        pack.gemm(a, sfa, b, sfb, d, stream=0, **options)
    return str(caught.value)


@pytest.mark.parametrize("n, k, options, reason", [
    (4, 512, {}, "'n' to be a positive multiple of 8, got 4"), (256, 0, {}, "'k' to be a positive multiple of 16, got 0"),
    (0, 256, {}, "'n' to be a positive multiple of 8, got 0"), (24, 256, dict(gated=True, activation="silu"), "'n' to be a positive multiple of 16, got 24")])
def test_problem_that_no_pack_has(pack, n, k, options, reason):
    message = message_of_missing(pack, n, k, **options)
    assert message.endswith(f"; no pack can have it: expected {reason}") and "fp8gemm-compile" not in message


def test_stubs_are_the_table():
    """_native.pyi is what scripts/python_stubs.py prints, and its names, order and defaults are those of the functions."""
    written = (Path(fp8gemm.__file__).parent / "_native.pyi").read_text()
    printed = subprocess.run([sys.executable, ROOT / "scripts" / "python_stubs.py"], capture_output=True, text=True, check=True).stdout
    assert written == printed, "run scripts/python_stubs.py >python/fp8gemm/_native.pyi"
    tree = ast.parse(written)
    methods = next(node for node in tree.body if isinstance(node, ast.ClassDef) and node.name == "Pack").body
    found = 0
    for owner, nodes in ((fp8gemm, tree.body), (fp8gemm.Pack, methods)):
        for node in nodes:
            if not isinstance(node, ast.FunctionDef) or "gemm" not in node.name:
                continue
            parameters = inspect.signature(getattr(owner, node.name)).parameters
            names = [arg.arg for arg in (*node.args.args, *node.args.kwonlyargs)]
            defaults = [ast.literal_eval(value) for value in (*node.args.defaults, *node.args.kw_defaults)]
            wanted = [parameter for name, parameter in parameters.items() if name != "self"]
            assert [name for name in names if name != "self"] == [parameter.name for parameter in wanted]
            assert defaults == [p.default for p in wanted if p.default is not inspect.Parameter.empty]
            found += 1
    assert found == 8


@pytest.mark.parametrize("name", ["gemm", "grouped_gemm_contiguous", "grouped_gemm_masked", "grouped_gemm_k"])
def test_help_tells_of_each_parameter(name):
    """In the order of the signature, each once."""
    text = getattr(fp8gemm.Pack, name).__doc__
    told = [line.split()[0] for line in text.splitlines() if re.match(r"  \w", line)]
    assert told == [name for name in inspect.signature(getattr(fp8gemm, name)).parameters]
    assert text.count("Raises TypeError") == 1


def test_fields_are_those_of_problem():
    """The dataclass has what the table has."""
    from fp8gemm import _native
    fields = {field.name for field in dataclasses.fields(fp8gemm.Problem)}
    for grouping, op, usual, needed in _native._problem_fields():
        assert {"flat" if name == "flattened" else name for name in usual} == fields
        assert usual["grouping"] == grouping and set(needed) <= set(usual) and op in ("gemm", "grouped_gemm", "k_grouped_gemm", "quantize")
