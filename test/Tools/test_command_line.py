# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""What every tool does alike: --version, --help and its examples, `-` for standard input, colours, completion."""

import os
import pty
import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
BIN = ROOT / "build" / "bin"
LLVM = Path("/usr/lib/llvm-22/bin")
COMPLETION = ROOT / "scripts" / "fp8gemm-completion.bash"
TOOLS = ["fp8gemm-compile", "fp8gemm-inspect", "fp8gemm-lsp-server", "fp8gemm-opt", "fp8gemm-run"]
pytestmark = pytest.mark.skipif(not all((BIN / tool).exists() for tool in TOOLS), reason=f"no tools in {BIN}: build them")
LIST = '{"gpu": "h200-sxm", "problems": [{"op": "gemm", "n": 256, "k": 512, "max_m": 8}]}'
PROBLEM = ["--op=gemm", "--n=256", "--k=512"]
# The options of every program over LLVM's command line, and ours that LLVM's tools have, too.
GENERIC = {"--help", "--help-hidden", "--help-list", "--help-list-hidden", "--print-all-options", "--print-options", "--version", "-o",
           "--load-pass-plugin", "--verify-each"}


def run(tool, *arguments, **options):
    return subprocess.run([BIN / tool, *arguments], capture_output=True, **{"text": True, **options})


def options_of(text):
    """Options of a pass, which are no options of the tool, are further to the right."""
    return set(re.findall(r"^ {2}(?: {4})?(--?[A-Za-z][\w-]*)", text, re.M))


@pytest.fixture(scope="module")
def kernel(tmp_path_factory):
    path = tmp_path_factory.mktemp("kernel") / "gemm.cubin"
    done = run("fp8gemm-compile", *PROBLEM, "-o", path)
    assert done.returncode == 0, done.stderr
    return path


@pytest.mark.parametrize("tool", TOOLS)
def test_version(tool):
    version = re.search(r"project\(fp8gemm VERSION (\S+)", (ROOT / "CMakeLists.txt").read_text()).group(1)
    done = run(tool, "--version")
    assert done.returncode == 0 and re.fullmatch(rf"{tool} {re.escape(version)}\nLLVM 22\.1\.\d+\n", done.stdout), done.stdout


@pytest.mark.parametrize("tool", TOOLS)
def test_help(tool):
    done = run(tool, "--help")
    assert done.returncode == 0 and "EXAMPLES:\n" in done.stdout and "--version" in done.stdout
    llvm = options_of(subprocess.run([LLVM / "llc", "--help-hidden"], capture_output=True, text=True).stdout)
    assert len(llvm) > 1000
    assert not (options_of(done.stdout) & llvm) - GENERIC


def test_examples_of_help(tmp_path):
    """All in one folder, as each tool's use the files of those before."""
    path = os.pathsep.join([str(BIN), os.environ["PATH"]])
    ran = 0
    for tool in ("fp8gemm-compile", "fp8gemm-inspect", "fp8gemm-opt", "fp8gemm-run"):
        text = run(tool, "--help").stdout
        for example in re.findall(r"^  ((?:echo|fp8gemm-).*)", text[text.index("EXAMPLES:"):], re.M):
            if example.endswith("# on a GPU"):
                continue
            done = subprocess.run(["bash", "-c", example], cwd=tmp_path, env={**os.environ, "PATH": path}, capture_output=True, text=True)
            assert done.returncode == 0, f"{example}\n{done.stderr}"
            ran += 1
    assert ran >= 15


def test_inspect_reads_standard_input(kernel, tmp_path):
    for options in ((), ("--json",)):
        piped = run("fp8gemm-inspect", "-", *options, input=kernel.read_bytes(), text=False)
        named = run("fp8gemm-inspect", kernel, *options, text=False)
        assert piped.returncode == 0 and piped.stdout.replace(b"<stdin>", os.fsencode(kernel)) == named.stdout
    done = run("fp8gemm-inspect", "-", input="junk")
    assert done.returncode == 1 and done.stderr.startswith("fp8gemm-inspect: error: <stdin>: ")


def test_inspect_turns_a_pack_of_standard_input_into_files(tmp_path):
    pack = run("fp8gemm-compile", "--pack=-", "--quiet", "-o", "-", input=LIST.encode(), text=False)
    assert pack.returncode == 0, pack.stderr
    def inspect(*options):
        return run("fp8gemm-inspect", "-", *options, input=pack.stdout, text=False, cwd=tmp_path)
    assert inspect("--extract=kernels", "--object=model.o", "--symbol=model").returncode == 0
    assert list((tmp_path / "kernels").glob("*.cubin")) and (tmp_path / "model.o").exists()
    unnamed = inspect("--object=other.o")
    assert unnamed.returncode == 1 and b"expected --symbol=NAME with a pack from stdin" in unnamed.stderr


def test_run_reads_standard_input(kernel):
    options = ["--m=4", "--device=cpu", "--check"]
    piped = run("fp8gemm-run", "-", *options, input=kernel.read_bytes(), text=False)
    assert piped.returncode == 0, piped.stderr
    assert piped.stdout == run("fp8gemm-run", kernel, *options, text=False).stdout
    done = run("fp8gemm-run", "-", *options, input="junk")
    assert done.returncode == 2 and done.stderr.startswith("fp8gemm-run: error: ")


def test_simulator_reads_standard_input():
    ir = run("fp8gemm-compile", *PROBLEM, "--emit=hopper").stdout
    done = run("fp8gemm-run", "-", "--m=8", "--device=sim", input=ir)
    assert done.returncode == 0 and "check    held" in done.stdout, done.stderr


# What prints on stderr: an error of a tool's own, a diagnostic of MLIR's, progress.
SPEAKING = [(["fp8gemm-compile", "no.mlir"], "error: "),
            (["fp8gemm-compile", "--op=gemm", "--n=8", "--k=17"], "error: "),
            (["fp8gemm-compile", *PROBLEM, "--m=no"], "error: "),
            (["fp8gemm-compile", "--pack=no.json", "-o", "x.fp8pack"], "error: "),
            (["fp8gemm-inspect", "no.fp8pack"], "error: "),
            (["fp8gemm-opt", "bad.mlir"], "error: "),
            (["fp8gemm-run", "no.cubin", "--m=1"], "error: "),
            (["fp8gemm-compile", "--pack=list.json", "-o", "x.fp8pack"], "kernels")]


def said(command, folder, terminal, **environment):
    """What a command prints on stderr, which is a terminal or a pipe."""
    (folder / "bad.mlir").write_text("func.func @f( {")
    (folder / "list.json").write_text(LIST)
    environment = {**{key: value for key, value in os.environ.items() if key != "NO_COLOR"}, "TERM": "xterm-256color", **environment}
    if not terminal:
        return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True).stderr
    ours, theirs = pty.openpty()
    process = subprocess.Popen(command, cwd=folder, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=theirs)
    os.close(theirs)
    text = b""
    try:
        while part := os.read(ours, 4096):
            text += part
    except OSError:  # the other side is closed
        pass
    process.wait()
    os.close(ours)
    return text.decode()


@pytest.mark.parametrize("command, text", SPEAKING, ids=lambda value: " ".join(value)[:40] if isinstance(value, list) else "")
def test_colors(tmp_path, command, text):
    """None in a pipe, and none where NO_COLOR is set and not empty."""
    command = [str(BIN / command[0]), *command[1:]]
    assert text in re.sub(r"\x1b\[[\d;]*m", "", said(command, tmp_path, terminal=True))
    assert "\x1b" not in said(command, tmp_path, terminal=False)
    assert "\x1b" not in said(command, tmp_path, terminal=True, NO_COLOR="1")


def test_colors_of_a_terminal(tmp_path):
    command = [str(BIN / "fp8gemm-compile"), "no.mlir"]
    assert "\x1b" in said(command, tmp_path, terminal=True) and "\x1b" in said(command, tmp_path, terminal=True, NO_COLOR="")


def test_colors_of_scripts(tmp_path):
    functions = re.search(r"^bold\(\) .*?^say\(\) .*?$", (ROOT / "scripts" / "setup.sh").read_text(), re.M | re.S).group()
    command = ["bash", "-c", functions + "\nexec 1>&2; say text"]
    assert said(command, tmp_path, terminal=True) == "\r\n\x1b[1m== text\x1b[0m\r\n"
    assert said(command, tmp_path, terminal=True, NO_COLOR="1") == "\r\n== text\r\n"
    assert said(command, tmp_path, terminal=False) == "\n== text\n"
    for script in sorted((ROOT / "scripts").glob("*.sh")):
        assert script.read_text().count("\\033") == (2 if script.name == "setup.sh" else 0), script


def completions(*words, folder=ROOT):
    """What bash offers at the end of a line, whose `=` are words of their own."""
    words = [part for word in words for part in re.split(r"(=)", word) if part] + ([""] if words[-1] == "" else [])
    array = " ".join(f"'{word}'" for word in words)
    script = (f"source '{COMPLETION}'; COMP_WORDS=({array}); COMP_CWORD={len(words) - 1}; _fp8gemm '{BIN / words[0]}'; "
              "printf '%s\\n' \"${COMPREPLY[@]}\"")
    done = subprocess.run(["bash", "-c", script], cwd=folder, capture_output=True, text=True)
    assert done.returncode == 0 and not done.stderr, done.stderr
    return done.stdout.split()


@pytest.mark.parametrize("tool", TOOLS)
def test_completion_knows_every_option(tool):
    def bare(words):
        return {word.strip("-=") for word in words}
    assert bare(options_of(run(tool, "--help").stdout)) == bare(completions(tool, "-"))
    bound = subprocess.run(["bash", "-c", f"source '{COMPLETION}'; complete -p {tool}"], capture_output=True, text=True)
    assert bound.stdout == f"complete -F _fp8gemm {tool}\n"


def test_completion_of_values():
    assert completions("fp8gemm-compile", "--emit") == ["--emit="]
    assert completions("fp8gemm-compile", "--emit=") == sorted("mlir config hopper nvvm llvm ptx sass manifest cubin".split())
    assert completions("fp8gemm-compile", "--emit=h") == ["hopper"]
    assert completions("fp8gemm-compile", "--op=gro") == ["grouped_gemm"]
    assert completions("fp8gemm-compile", "--c=") == ["apart", "in_place", "none"]
    assert completions("fp8gemm-compile", "--explain") == ["--explain", "--explain="]
    assert completions("fp8gemm-compile", "--debug") == ["--debug-rings", "--debug-rings="]
    assert completions("fp8gemm-compile", "--quie") == ["--quiet"]
    assert completions("fp8gemm-run", "--device=") == ["cpu", "gpu", "sim"]
    assert completions("fp8gemm-run", "--che") == ["--check"]
    assert completions("fp8gemm-opt", "--fp8gemm-sel") == ["--fp8gemm-select-config"]


def test_completion_of_files(tmp_path):
    (tmp_path / "gemm.mlir").touch()
    assert completions("fp8gemm-compile", "ge", folder=tmp_path) == ["gemm.mlir"]
    assert completions("fp8gemm-compile", "-o", "ge", folder=tmp_path) == ["gemm.mlir"]
    assert completions("fp8gemm-compile", "--pack=ge", folder=tmp_path) == ["gemm.mlir"]


GEMM = str(ROOT / "examples" / "gemm.mlir")
REFUSED = [
    ("fp8gemm-compile", ["--op=gem", "--n=8", "--k=16"], "expected --op to be one of gemm, grouped_gemm, k_grouped_gemm, quantize, got 'gem'"),
    ("fp8gemm-compile", [*PROBLEM, "--a-type=f16"], "expected --a-type to be one of e4m3, e5m2, got 'f16'"),
    ("fp8gemm-compile", [*PROBLEM, "--emit=cuda"],
     "expected --emit to be one of mlir, config, hopper, nvvm, llvm, ptx, sass, manifest, cubin, got 'cuda'"),
    ("fp8gemm-compile", [*PROBLEM, "--plan=xml"], "expected --plan to be one of text, json, got 'xml'"),
    ("fp8gemm-compile", ["--model=config.json", "--engine=trt"], "expected --engine to be one of vllm, sglang, got 'trt'"),
    ("fp8gemm-compile", [*PROBLEM, "--nope=1"], "unknown option '--nope=1'; see fp8gemm-compile --help"),
    ("fp8gemm-compile", ["a.mlir", "b.mlir"], "expected one file, got 'a.mlir' and 'b.mlir'"),
    ("fp8gemm-compile", [GEMM, "--n=4"], f"expected --n only with --op, got it with '{GEMM}'"),
    ("fp8gemm-compile", [GEMM, "--gated"], f"expected --gated only with --op, got it with '{GEMM}'"),
    ("fp8gemm-compile", [GEMM, "--sfa=k_major"], f"expected --sfa only with --op, got it with '{GEMM}'"),
    ("fp8gemm-compile", [*PROBLEM, "--max-m=8"], "expected --max-m only with --plan, --model and --pack=MODULE.mlir"),
    ("fp8gemm-compile", [*PROBLEM, "--candidates=3"], "expected --candidates only with --explain"),
    ("fp8gemm-compile", [*PROBLEM, "--report", "--emit=ptx"], "expected --report only with kernel files (--emit=cubin)"),
    ("fp8gemm-compile", [*PROBLEM, "--report", "--explain"], "expected --report only with kernel files (--emit=cubin)"),
    ("fp8gemm-compile", [GEMM, "--gpu=a100"], "expected 'gpu' to be one of h100-sxm, h100-pcie, h200-sxm, h20, got 'a100'"),
    ("fp8gemm-inspect", [], "expected MODEL.fp8pack or KERNEL.cubin, got none"),
    ("fp8gemm-inspect", ["a", "b"], "expected one file, got 'a' and 'b'"),
    ("fp8gemm-inspect", ["a", "--nope"], "unknown option '--nope'; see fp8gemm-inspect --help"),
]


@pytest.mark.parametrize("tool, arguments, message", REFUSED, ids=range(len(REFUSED)))
def test_refused(tool, arguments, message, tmp_path):
    """One line, in the tools' own words; nothing is accepted and ignored."""
    done = run(tool, *arguments, cwd=tmp_path)
    assert done.returncode == 1 and done.stderr == f"{tool}: error: {message}\n" and not list(tmp_path.iterdir()), done.stderr


def test_accepted(tmp_path):
    """Values apart from their options, which may look like options; and what begins with them."""
    for arguments in (["--op", "gemm", "-n", "256", "--k", "512", "-o", "-", "--emit", "ptx"], ["-op=gemm", "-n=256", "-k=512", "-o", "--x", "-emit=ptx"],
                      ["--op=gemm", "--n=256", "--k=512", "--emit=ptx", "-o", "y", "--"]):
        done = run("fp8gemm-compile", *arguments, cwd=tmp_path)
        assert done.returncode == 0, done.stderr
    assert sorted(path.name for path in tmp_path.iterdir()) == ["--x", "y"]


def test_a_file_of_arguments(tmp_path):
    """LLVM reads it; what is in it may have a file, too."""
    arguments = tmp_path / "arguments.txt"
    arguments.write_text(" ".join(PROBLEM))
    done = run("fp8gemm-compile", f"@{arguments}", "--emit=mlir")
    assert done.returncode == 0 and "fp8gemm.gemm" in done.stdout
    module = tmp_path / "module.mlir"
    module.write_text(done.stdout)
    arguments.write_text("--emit=mlir")
    done = run("fp8gemm-compile", f"@{arguments}", module)
    assert done.returncode == 0 and "fp8gemm.gemm" in done.stdout, done.stderr
