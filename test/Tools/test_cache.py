# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""What is in a cache of kernels is used only where it is the kernel that is asked for; what is wrong with a cache costs a
warning and time, never the pack."""

import os
import socket

import pytest

from tools import COMPILER, PTXAS, product, run, write_list

pytestmark = [
    pytest.mark.skipif(not COMPILER.exists(), reason=f"{COMPILER} is not built"),
    pytest.mark.skipif(not PTXAS, reason="no ptxas"),
]


def build(folder, cache, *options, problems=(product(),)):
    """The pack's bytes, and stderr."""
    pack = folder / "pack"
    done = run(COMPILER, f"--pack={write_list(folder / 'list.json', problems)}", "-o", pack, f"--cache={cache}", "--quiet", *options)
    assert done.returncode == 0, done.stderr
    return pack.read_bytes(), done.stderr


@pytest.fixture(scope="module")
def kept(tmp_path_factory):
    """The pack, the name of its only kernel in a cache, and other kernels that are good, too."""
    folder = tmp_path_factory.mktemp("kept")
    pack, stderr = build(folder, folder / "cache")
    assert stderr == ""
    (entry,) = (folder / "cache").iterdir()
    build(folder, folder / "other", problems=[product(n=72)])
    build(folder, folder / "debug", "--debug-rings")
    schedule = folder / "schedule.cubin"
    done = run(COMPILER, "--op=k_grouped_gemm", "--groups=2", "--m=64", "--n=64", "--gpu=h200-sxm",
               "--config=tile_m = 64, tile_n = 64, stages = 3", "-o", schedule)
    assert done.returncode == 0, done.stderr
    kernels = {name: next((folder / name).iterdir()).read_bytes() for name in ("other", "debug")}
    return pack, entry, {"good": entry.read_bytes(), "schedule": schedule.read_bytes(), **kernels}


def listen(path):
    """A socket; the system's limit of its name is short."""
    before = os.getcwd()
    os.chdir(path.parent)
    with socket.socket(socket.AF_UNIX) as made:
        made.bind(path.name)
    os.chdir(before)


BAD = {
    "another problem's": (lambda path, kernels: path.write_bytes(kernels["other"]), "expected a kernel of {\"op\": \"k_grouped_gemm\", \"n\": 64"),
    "another schedule's": (lambda path, kernels: path.write_bytes(kernels["schedule"]), "expected a kernel of the schedule tile_m"),
    "a debug build's": (lambda path, kernels: path.write_bytes(kernels["debug"]), "expected a kernel of "),
    "empty": (lambda path, kernels: path.write_bytes(b""), "an empty file"),
    "text": (lambda path, kernels: path.write_text("hello\n"), "a file without an ELF header"),
    "cut off": (lambda path, kernels: path.write_bytes(kernels["good"][:2000]), "truncated"),
    "one bit": (lambda path, kernels: path.write_bytes(kernels["good"][:999] + b"?" + kernels["good"][1000:]), "damaged"),
    "a named pipe": (lambda path, kernels: os.mkfifo(path), "expected a regular file, got a named pipe"),
    "a device": (lambda path, kernels: path.symlink_to("/dev/zero"), "expected a regular file, got a device"),
    "a socket": (lambda path, kernels: listen(path), "cannot read"),
    "a link to itself": (lambda path, kernels: path.symlink_to(path), "Too many levels of symbolic links"),
}


@pytest.mark.parametrize("name", BAD)
def test_an_entry_that_is_not_the_kernel(name, kept, tmp_path):
    pack, entry, kernels = kept
    make, reason = BAD[name]
    bad = tmp_path / "cache" / entry.name
    bad.parent.mkdir()
    make(bad, kernels)
    got, stderr = build(tmp_path, bad.parent)
    assert got == pack
    assert stderr.count("warning: ") == stderr.count("\n") == 1, stderr
    assert f"'{bad}' of the cache is not used, and its kernel is compiled again: " in stderr and reason in stderr, stderr
    # It is mended: a file is in its place, and nothing beside it.
    assert bad.read_bytes() == kernels["good"] and not bad.is_symlink()
    assert list(bad.parent.iterdir()) == [bad]
    assert build(tmp_path, bad.parent) == (pack, "")


def test_an_entry_that_can_not_be_replaced(kept, tmp_path):
    pack, entry, _ = kept
    bad = tmp_path / "cache" / entry.name
    bad.mkdir(parents=True)
    got, stderr = build(tmp_path, bad.parent)
    assert got == pack
    assert "expected a regular file, got a folder" in stderr and f"cannot write '{bad}'" in stderr, stderr
    assert stderr.count("warning: ") == stderr.count("\n") == 2
    assert list(bad.parent.iterdir()) == [bad]


def test_many_bad_entries_are_one_warning(tmp_path):
    problems = [product(), product(n=72)]
    pack, stderr = build(tmp_path, tmp_path / "cache", problems=problems)
    one, two = (tmp_path / "cache").iterdir()
    first, second = one.read_bytes(), two.read_bytes()
    one.write_bytes(second)
    two.write_bytes(first)
    got, stderr = build(tmp_path, tmp_path / "cache", problems=problems)
    assert got == pack and stderr.count("warning: ") == stderr.count("\n") == 1, stderr


@pytest.mark.parametrize("cache", ["/proc", "/proc/none/cache"])
def test_a_folder_that_can_not_be_written_to(cache, kept, tmp_path):
    got, stderr = build(tmp_path, cache)
    assert got == kept[0]
    assert stderr.count("warning: ") == stderr.count("\n") == 1, stderr
    assert "kernels that the cache does not hold are compiled, but not kept" in stderr


def test_a_cache_in_a_file(tmp_path):
    done = run(COMPILER, f"--pack={write_list(tmp_path / 'list.json', [product()])}", "-o", tmp_path / "pack", f"--cache={tmp_path / 'list.json'}")
    assert done.returncode == 1 and "expected a folder to keep kernels in, got" in done.stderr


@pytest.mark.parametrize("umask", [0o022, 0o000])
def test_permissions_are_those_of_the_umask(umask, tmp_path):
    cache, folder, pack = tmp_path / "a" / "cache", tmp_path / "b" / "kernels", tmp_path / "pack"
    listed = write_list(tmp_path / "list.json", [product()])
    keep = lambda: os.umask(umask)
    assert run(COMPILER, f"--pack={listed}", "-o", pack, f"--cache={cache}", preexec_fn=keep).returncode == 0
    assert run(COMPILER, "--op=gemm", "--n=64", "--k=64", "-o", f"{folder}/", preexec_fn=keep).returncode == 0
    for made in (cache.parent, cache, folder.parent, folder):
        assert made.stat().st_mode & 0o777 == 0o777 & ~umask, made
    for made in (pack, *cache.iterdir(), *folder.iterdir()):
        assert made.stat().st_mode & 0o777 == 0o666 & ~umask, made
