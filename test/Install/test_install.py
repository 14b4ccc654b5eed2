# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""What is installed can be used by programs of other projects: CMake, pkg-config, a folder of theirs."""

import os
import re
import shutil
import struct
from pathlib import Path

import numpy as np
import pytest
from conftest import BUILD, ROOT

LIBRARIES = {"libfp8gemm_runtime.so.0": ("runtime/src/exports.map", "FP8GEMM_0.1"),
             "libfp8gemm.so.0": ("lib/CAPI/exports.map", "FP8GEMM_C_0.1"),
             "libfp8gemm_cpu.so.0": ("lib/Execution/exports.map", "FP8GEMM_CPU_0")}


def bf16(bits):
    return struct.unpack("<f", struct.pack("<I", int(bits, 16) << 16))[0]


def expected_layer(rows):
    """What examples/embed computes: y = x * weight^T, the scales 0.5 and 2."""
    values = np.array([1, 2, -1, 0.5])
    def matrix(rows, period):
        index = np.arange(rows * 256)
        return values[(index // 256 + index % period) % 4].reshape(rows, 256)
    return matrix(rows, 3) @ matrix(128, 5).T


@pytest.fixture(scope="module")
def toy(tree, tmp_path_factory):
    """examples/embed, built in a folder where nothing else is."""
    example = tmp_path_factory.mktemp("embed") / "embed"
    shutil.copytree(ROOT / "examples" / "embed", example)
    tree.cmake(example, example / "build", "-DCMAKE_BUILD_TYPE=Release")
    return example


def test_embedded_compiler_is_short():
    assert sum(path.read_text().count("\n") for path in (ROOT / "examples" / "embed").iterdir()) <= 200


def test_embedded_compiler(tree, toy, tmp_path):
    output = tree.run(toy / "build" / "toy", toy / "layer.mlir", "layer.cubin", status=(0, 77), cwd=tmp_path)
    y = [bf16(word) for word in re.search(r"cpu: y = (\w+) (\w+) (\w+)", output).groups()]
    wanted = expected_layer(2)
    np.testing.assert_allclose(y, [wanted[0, 0], wanted[0, 1], wanted[1, 2]], rtol=2**-8)
    assert re.search(r"gpu: all 12800 elements are the same|no GPU ran the kernel: \w+", output), output
    # The same kernel as of the same problem on the command line, to the byte.
    tree.run(tree.prefix / "bin" / "fp8gemm-compile", "--op=gemm", "--m=any", "--n=128", "--k=256", "-o", "other.cubin",
             cwd=tmp_path)
    assert (tmp_path / "layer.cubin").read_bytes() == (tmp_path / "other.cubin").read_bytes()


def test_embedded_compiler_reports_errors(tree, toy, tmp_path):
    """By MLIR's diagnostics, and its own status."""
    layer = tmp_path / "layer.mlir"
    layer.write_text((toy / "layer.mlir").read_text().replace("memref<1x2xf32>", "memref<2x2xf32>"))
    output = tree.run(toy / "build" / "toy", layer, tmp_path / "layer.cubin", status=1)
    assert "error: 'fp8gemm.gemm' op expected" in output and not (tmp_path / "layer.cubin").exists()


def test_c_program(tree, clean_example):
    example = clean_example("embed-c")
    tree.cmake(example, example / "build")
    program, gemm = example / "build" / "compile_module", ROOT / "examples" / "gemm.mlir"
    output = tree.run(program, gemm, example / "c.cubin")
    assert re.search(r"1 kernels; the first:.*fp8gemm_1d2d.*registers", output, re.S), output
    tree.run(tree.prefix / "bin" / "fp8gemm-compile", gemm, "-o", example / "tool.cubin")
    assert (example / "c.cubin").read_bytes() == (example / "tool.cubin").read_bytes()

    wrong = example / "wrong.mlir"
    wrong.write_text("func.func @nothing() { return }")
    output = tree.run(program, wrong, example / "c.cubin", status=1)
    assert "status 4, errors reported: 1: expected a module with a product of fp8gemm or a kernel, got none" in output
    wrong.write_text("func.func @nothing() {")
    assert "status 1, errors reported: 1: expected a module, got null" in tree.run(program, wrong, "x", status=1)
    # Modules with all needed dialects of upstream can be read, and errors of a product are reported.
    wrong.write_text(gemm.read_text().replace("56x16", "56x17"))
    assert "errors reported: 1" in tree.run(program, wrong, "x", status=1)


def test_pkg_config(tree, runtime_tree, tmp_path):
    """A C11 program of the runtime, without CMake."""
    for installed in (tree, runtime_tree):
        flags = installed.run("pkg-config", "--cflags", "--libs", "fp8gemm-runtime").split()
        assert installed.run("pkg-config", "--modversion", "fp8gemm-runtime").strip() == "0.1.0"
        installed.run("cc", "-std=c11", "-Wall", "-Wextra", "-Wpedantic", "-Werror",
                      ROOT / "test" / "Install" / "subdirectory" / "user.c", *flags, "-o", tmp_path / "user")
        assert "fp8gemm 100, status 3" in installed.run(tmp_path / "user",
                                                        env={"LD_LIBRARY_PATH": str(installed.libraries)})


def test_runtime_needs_no_llvm(runtime_tree, tmp_path):
    project = tmp_path / "project"
    shutil.copytree(ROOT / "test" / "Install" / "subdirectory", project)
    lists = project / "CMakeLists.txt"
    lists.write_text("cmake_minimum_required(VERSION 3.20)\nproject(user C CXX)\n"
                     "find_package(FP8Gemm 0.1 REQUIRED CONFIG COMPONENTS Runtime)\n"
                     "add_executable(user user.c)\ntarget_link_libraries(user PRIVATE FP8Gemm::Runtime)\n")
    runtime_tree.cmake(project, tmp_path / "build", "-DCMAKE_DISABLE_FIND_PACKAGE_MLIR=ON")
    runtime_tree.run(tmp_path / "build" / "user")
    lists.write_text(lists.read_text().replace("Runtime)\nadd", "Compiler)\nadd"))
    output = runtime_tree.cmake(project, tmp_path / "none", configure_status=1)
    assert "FP8Gemm" in output and "Compiler" in output


def test_other_versions_are_refused(runtime_tree, tmp_path):
    lists = tmp_path / "CMakeLists.txt"
    for version, status in (("0.2", 1), ("1.0", 1), ("0.1.0", 0)):
        lists.write_text("cmake_minimum_required(VERSION 3.20)\nproject(user C CXX)\n"
                         f"find_package(FP8Gemm {version} REQUIRED CONFIG COMPONENTS Runtime)\n")
        runtime_tree.run("cmake", "-S", tmp_path, "-B", tmp_path / "build", f"-DCMAKE_PREFIX_PATH={runtime_tree.prefix}",
                         status=status)


def test_missing_mlir_is_told(tree, tmp_path):
    (tmp_path / "CMakeLists.txt").write_text("cmake_minimum_required(VERSION 3.20)\nproject(user C CXX)\n"
                                             "find_package(FP8Gemm 0.1 REQUIRED CONFIG)\n")
    output = tree.cmake(tmp_path, tmp_path / "build", "-DCMAKE_DISABLE_FIND_PACKAGE_MLIR=ON", configure_status=1)
    assert "needs MLIR 22.1, got none" in output.replace("\n", " ")


@pytest.mark.parametrize("compiler", ["OFF", "ON"])
def test_as_a_folder_of_another_project(tree, tmp_path, compiler):
    """Configured with the compiler; built without it."""
    options = (f"-DFP8GEMM={ROOT}", f"-DFP8GEMM_BUILD_COMPILER={compiler}")
    source = ROOT / "test" / "Install" / "subdirectory"
    if compiler == "ON":
        tree.run("cmake", "-S", source, "-B", tmp_path, "-G", "Ninja", *options)
        return
    tree.cmake(source, tmp_path, *options, target="user")
    assert "status 3" in tree.run(tmp_path / "user")
    assert not list(tmp_path.glob("bin")) and (tmp_path / "fp8gemm" / "lib").exists()


def test_tree_can_be_moved(tree, tmp_path):
    """No file names the build or the checkout; the tools find their libraries beside them."""
    for path in tree.prefix.rglob("*"):
        if path.suffix in (".cmake", ".pc", ".h", ".hpp", ".inc", ".td"):
            assert str(ROOT) not in path.read_text(), path
    for tool in (tree.prefix / "bin").iterdir():
        assert str(BUILD) not in tree.run("ldd", tool), tool
    kernel = tmp_path / "gemm.cubin"
    tree.run(tree.prefix / "bin" / "fp8gemm-compile", "--op=gemm", "--m=any", "--n=128", "--k=256", "-o", kernel)
    output = tree.run(tree.prefix / "bin" / "fp8gemm-run", kernel, "--m=4", "--device=cpu", "--check")
    assert "held: 4 of 4 rows" in output


@pytest.mark.parametrize("name", LIBRARIES)
def test_symbols_have_versions(tree, name):
    """Each library shows the functions of its exports.map, under their version, and nothing else."""
    path, version = LIBRARIES[name]
    lines = tree.run("nm", "-D", "--defined-only", tree.libraries / name).splitlines()
    shown = {line.split()[-1] for line in lines if " A " not in line}
    wanted = set(re.findall(r"^ +(\w+);$", (ROOT / path).read_text(), re.M))
    assert shown == {f"{function}@@{version}" for function in wanted}
    assert re.search(r"SONAME\s+(\S+)", tree.run("objdump", "-p", tree.libraries / name)).group(1) == name


def test_quickstart_builds_what_is_installed(tree):
    """`cmake --install build` needs nothing that scripts/quickstart.sh has not built."""
    target = re.search(r"^build_targets (\S+)$", (ROOT / "scripts" / "quickstart.sh").read_text(), re.M).group(1)
    made = set(tree.run("ninja", "-C", BUILD, "-t", "commands", target).split())
    copied = set()
    # build/python is the Python package's own build.
    for script in (path for path in BUILD.rglob("cmake_install.cmake") if BUILD / "python" not in path.parents):
        for files in re.findall(r"file\(INSTALL [^)]*?TYPE (?:EXECUTABLE|SHARED_LIBRARY|STATIC_LIBRARY|MODULE)[^)]*? FILES([^)]*)\)", script.read_text(), re.S):
            copied |= {os.path.relpath(Path(name).resolve(), BUILD) for name in re.findall(r'"([^"]+)"', files)}
    assert len(copied) > 20 and not copied - made


@pytest.mark.parametrize("tool", ["fp8gemm-compile", "fp8gemm-inspect", "fp8gemm-lsp-server", "fp8gemm-opt", "fp8gemm-run"])
def test_completion_is_installed(tree, tool):
    """Where bash-completion looks for it."""
    completion = tree.prefix / "share" / "bash-completion" / "completions" / tool
    output = tree.run("bash", "-c", f"source '{completion}'; COMP_WORDS=({tool} --versi); COMP_CWORD=1; _fp8gemm '{tree.prefix}/bin/{tool}'; echo ${{COMPREPLY[@]}}")
    assert output == "--version\n"
