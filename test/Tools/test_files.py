# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Files that the tools read and write: what can't be read is refused without waiting, what can't be written is reported before
the work, and a file is there whole or not at all."""

import os
import subprocess

import pytest

from tools import COMPILER, INSPECTOR, OPT, PTXAS, ROOT, RUNNER, expect_error, product, run, write_list

pytestmark = [
    pytest.mark.skipif(not COMPILER.exists(), reason=f"{COMPILER} is not built"),
    pytest.mark.skipif(not PTXAS, reason="no ptxas"),
]

GEMM = ROOT / "examples" / "gemm.mlir"
NOW = ["bash", "-c", 'ulimit -f "$1"; shift; exec "$@"', "-"]  # with a limit of file sizes, in KiB

READERS = {
    "compile": lambda path: [COMPILER, path, "-o", "-"],
    "compile --pack": lambda path: [COMPILER, f"--pack={path}", "-o", "/dev/null"],
    "inspect": lambda path: [INSPECTOR, path],
    "run": lambda path: [RUNNER, path, "--m=1", "--device=cpu"],
    "run --device=sim": lambda path: [RUNNER, path, "--m=1", "--device=sim"],
    "opt": lambda path: [OPT, path],
    "opt embed-pack": lambda path: [OPT, GEMM, f"--convert-fp8gemm-to-runtime=pack={path} embed-pack"],
}


@pytest.mark.parametrize("kind", ["pipe", "device", "folder", "none"])
@pytest.mark.parametrize("reader", READERS)
def test_inputs_that_are_no_files(reader, kind, tmp_path):
    path = {"device": "/dev/zero", "folder": tmp_path}.get(kind, tmp_path / kind)
    if kind == "pipe":
        os.mkfifo(path)
    expected = "No such file" if kind == "none" else "expected a regular file"
    expect_error(run(*READERS[reader](path)), str(path), expected)


def test_a_pipe_of_the_shell_is_read():
    done = run("bash", "-c", f"'{COMPILER}' <(cat '{GEMM}') --emit=mlir")
    assert done.returncode == 0 and "fp8gemm.gemm" in done.stdout, done.stderr


def test_a_byte_order_mark_is_no_part_of_a_text(tmp_path):
    def mark(path, text):
        path.write_bytes(b"\xef\xbb\xbf" + text.encode())
        return path

    gemm = mark(tmp_path / "gemm.mlir", GEMM.read_text())
    for command in ([COMPILER, gemm, "--emit=mlir"], [OPT, gemm],
                    [COMPILER, f"--pack={gemm}", "--max-m=1", "-o", tmp_path / "pack"],
                    [COMPILER, f"--pack={mark(tmp_path / 'list.json', write_list(tmp_path / 'plain', [product()]).read_text())}",
                     "-o", tmp_path / "pack"]):
        done = run(*command)
        assert done.returncode == 0, done.stderr
    hopper = run(COMPILER, "--op=gemm", "--n=64", "--k=64", "--emit=hopper").stdout
    done = run(RUNNER, mark(tmp_path / "hopper.mlir", hopper), "--m=1", "--device=sim")
    assert done.returncode == 0, done.stderr


@pytest.fixture(scope="module")
def pack(tmp_path_factory):
    folder = tmp_path_factory.mktemp("pack")
    done = run(COMPILER, f"--pack={write_list(folder / 'list.json', [product()])}", "-o", folder / "model.fp8pack")
    assert done.returncode == 0, done.stderr
    return folder / "model.fp8pack"


# Each with an input that is wrong, too: what is said of the output is said first.
FILE_WRITERS = {
    "pack": lambda out: [COMPILER, "--pack=/none", "-o", out],
    "cubin": lambda out: [COMPILER, "/none", "-o", out],
    "hopper": lambda out: [COMPILER, "/none", "--emit=hopper", "-o", out],
    "object": lambda out: [INSPECTOR, "/none", f"--object={out}"],
    "c-header": lambda out: [INSPECTOR, "/none", f"--c-header={out}"],
    "opt": lambda out: [OPT, "/none", "-o", out],
}


@pytest.mark.parametrize("writer", FILE_WRITERS)
def test_files_that_can_not_be_written(writer, tmp_path):
    (tmp_path / "file").write_text("")
    for out, why in {tmp_path: "expected a file, got a folder", tmp_path / "none" / "x": "expected a folder",
                     tmp_path / "file" / "x": "Not a directory", "/proc/x": "No such file", tmp_path / ("x" * 256): "too long"}.items():
        expect_error(run(*FILE_WRITERS[writer](out)), f"cannot write '{out}': ", why)
    assert list(tmp_path.iterdir()) == [tmp_path / "file"]


@pytest.mark.parametrize("command", [[COMPILER, "/none", "-o"], [INSPECTOR, "/none", "--extract"]], ids=["compile", "extract"])
def test_folders_that_can_not_be_written(command, tmp_path):
    (tmp_path / "file").write_text("")
    for out in (f"{tmp_path}/file/", f"{tmp_path}/file/x/", "/proc/x/"):
        expect_error(run(*command, out), f"cannot write '{out}': ")


def test_a_name_of_any_length_that_a_file_may_have(tmp_path):
    out = tmp_path / ("x" * 255)
    assert run(COMPILER, GEMM, "--emit=mlir", "-o", out).returncode == 0
    assert list(tmp_path.iterdir()) == [out]


def test_links_and_pipes_as_outputs(tmp_path):
    target, link, pipe = tmp_path / "target", tmp_path / "link", tmp_path / "pipe"
    target.write_text("old")
    link.symlink_to("target")
    os.mkfifo(pipe)
    assert run(COMPILER, GEMM, "--emit=mlir", "-o", link).returncode == 0
    assert link.is_symlink() and "fp8gemm.gemm" in target.read_text()
    expect_error(run(COMPILER, GEMM, "--emit=mlir", "-o", pipe), f"cannot write '{pipe}'")  # nobody reads it
    reader = subprocess.Popen(["cat", pipe], stdout=subprocess.PIPE, text=True)
    text = run("bash", "-c", f"exec 3<>'{pipe}'; '{COMPILER}' '{GEMM}' --emit=mlir -o '{pipe}'")
    assert text.returncode == 0 and "fp8gemm.gemm" in reader.communicate()[0]
    # What stdout is stays what it is.
    with open(tmp_path / "out", "w") as out:
        done = subprocess.run([COMPILER, GEMM, "--emit=mlir", "-o", "/dev/stdout"], stdout=out, timeout=60)
    assert done.returncode == 0 and (tmp_path / "out").read_text() == target.read_text()
    assert os.readlink("/dev/stdout") == "/proc/self/fd/1"


def test_a_pack_that_is_open_stays_as_it_is(pack, tmp_path):
    with open(pack, "rb") as opened:
        before = opened.read()
        assert run(COMPILER, f"--pack={write_list(tmp_path / 'list.json', [product(n=72)])}", "-o", pack).returncode == 0
        opened.seek(0)
        assert opened.read() == before != pack.read_bytes()


def test_a_limit_of_file_sizes(tmp_path):
    """No signal ends a tool, no temporary file is left, and what was there stays."""
    folder = tmp_path / "out"
    folder.mkdir()
    listed = write_list(tmp_path / "list.json", [product()])
    for name, command in {"a.fp8pack": [COMPILER, f"--pack={listed}"], "a.cubin": [COMPILER, GEMM],
                          "a.nvvm.mlir": [COMPILER, GEMM, "--emit=nvvm"],
                          "b.mlir": [OPT, GEMM, "--fp8gemm-to-nvvm"]}.items():
        (folder / name).write_text("old")
        limit = 1 if name.endswith(".mlir") else 16  # PTX and the cubin go through files in memory
        done = run(*NOW, limit, *command, "-o", folder / name)
        expect_error(done, "File too large")
        assert [path.name for path in folder.iterdir()] == [name] and (folder / name).read_text() == "old", name
        (folder / name).unlink()
    # On the way to a cache it costs the cache only.
    done = run(*NOW, 16, COMPILER, f"--pack={listed}", "-o", "/dev/null", f"--cache={tmp_path / 'cache'}")
    assert "killed" not in done.stderr and "Stack dump" not in done.stderr and not list(tmp_path.glob("cache/*.tmp"))
    with open(tmp_path / "stdout", "w") as out:
        done = subprocess.run([*NOW, "1", COMPILER, GEMM, "--emit=nvvm"], stdout=out, stderr=subprocess.PIPE, text=True, timeout=60)
    expect_error(done, "cannot write '<stdout>': File too large")


@pytest.mark.parametrize("tool", ["compile", "inspect", "inspect --json", "run", "run --help", "opt", "compile --help"])
def test_a_full_disk_behind_stdout(tool, pack, tmp_path):
    hopper = tmp_path / "a.mlir"
    if tool == "run":
        assert run(COMPILER, "--op=gemm", "--n=64", "--k=64", "--emit=hopper", "-o", hopper).returncode == 0
    command = {"compile": [COMPILER, GEMM, "--emit=mlir"], "inspect": [INSPECTOR, pack], "inspect --json": [INSPECTOR, pack, "--json"],
               "run": [RUNNER, hopper, "--m=1", "--device=sim"], "run --help": [RUNNER, "--help"], "opt": [OPT, GEMM],
               "compile --help": [COMPILER, "--help"]}[tool]
    with open("/dev/full", "w") as full:
        done = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True, timeout=60)
    assert done.returncode in (1, 2) and "No space left on device" in done.stderr and "Stack dump" not in done.stderr, done
