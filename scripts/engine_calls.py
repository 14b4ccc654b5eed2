#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""What fp8gemm.deep_gemm answers at each place where a serving engine calls DeepGEMM.

    engine_calls.py FOLDER... [--fallback] [--summary]

FOLDER is an unpacked wheel of vLLM or SGLang (unzip vllm-*.whl '*.py' -d FOLDER): its source is read, not run. A place "runs"
where the name is there and takes these arguments; "falls back" where the engine asks first (getattr, hasattr, except
ImportError); "delegates" with --fallback where another DeepGEMM would answer; else it "raises", with the reason. Needs fp8gemm
and PyTorch, no GPU. Status 1 if a place raises that every model comes to.
"""

import argparse
import ast
import collections
import inspect
import re
import sys
from pathlib import Path

from fp8gemm import deep_gemm
from fp8gemm.deep_gemm import _missing

# What belongs to some models, GPUs or options only, by path and name; the rest is every model's.
FEATURES = [(pattern, re.compile(pattern_text)) for pattern, pattern_text in (
    ("Mega MoE", r"mega_?moe|mega_gate|SymmBuffer|flashinfer_moe_ep|locality|muse_spark|models/kimi_k3|step5"),
    ("compute capability 10.0 and 12.0", r"fp4(?!_(paged_)?mqa)|mxfp8|ue8m0|ue4m3|sm120|modelopt|sparse_mqa|mega_mhc|mx_scales|paged_sparse"),
    ("attention of DeepSeek-V3.2 and V4", r"mqa_logits|/dsa|dsa_|dsv4|indexer"),
    ("layers of DeepSeek-V4 and dots3", r"deepseek_v4|hc_prenorm|mhc|dots|fp8_einsum|fused_inv_rope"),
    ("BF16 experts", r"grouped_bf16"),
    ("batch-invariant mode", r"batch_invariant"),
    ("cuBLASLt", r"cublaslt"),
)]
EVERY_MODEL = "every model"
# Arguments that a name is there for but does not take, where they are written down.
REFUSED = {("enable_overlap", True): "no kernel signals its tiles", ("recipe_a", (1, 32)): "scales of 128 elements only",
           ("recipe", (1, 32, 32)): "scales of 128 elements only"}

Place = collections.namedtuple("Place", "path line name feature answer reason")
CATCHES = {"ImportError", "ModuleNotFoundError", "AttributeError", "Exception", None}


def dotted(node):
    """a.b.c of an expression, or None."""
    if isinstance(node, ast.Attribute):
        inner = dotted(node.value)
        return inner and f"{inner}.{node.attr}"
    return node.id if isinstance(node, ast.Name) else None


def called(node, name):
    return isinstance(node, ast.Call) and (dotted(node.func) or "").rpartition(".")[2] == name


class Module(ast.NodeVisitor):
    """The places of one file. `known`: dotted names of functions of other files that pass their arguments on, to
    (name in DeepGEMM, keywords that they add)."""

    def __init__(self, tree, module, known):
        self.module, self.known = module, known
        self.modules, self.names = {}, {}  # local name -> path below deep_gemm; local name -> name, or (name, keywords)
        self.found, self.forwards = [], {}
        self.guarded = 0
        for node in ast.walk(tree):  # what is imported in a function is used in it
            self.bind(node)
        self.questions = {self.asked(node) for node in ast.walk(tree) if called(node, "hasattr")}
        self.visit(tree)

    def bind(self, node):
        if isinstance(node, ast.Import):
            for alias in node.names:
                if alias.name.partition(".")[0] == "deep_gemm":
                    self.modules[alias.asname or "deep_gemm"] = alias.name.partition(".")[2] if alias.asname else ""
        elif isinstance(node, ast.ImportFrom) and not node.level:
            root, _, below = (node.module or "").partition(".")
            for alias in node.names:
                if root == "deep_gemm":
                    self.names[alias.asname or alias.name] = f"{below}.{alias.name}".lstrip("."), ()
                elif forwarded := self.known.get(f"{node.module}.{alias.name}"):
                    self.names[alias.asname or alias.name] = forwarded
        elif isinstance(node, ast.Assign) and len(node.targets) == 1 and isinstance(node.targets[0], ast.Name):
            target, values = node.targets[0].id, node.value.values if isinstance(node.value, ast.BoolOp) else [node.value]
            if called(node.value, "_import_deep_gemm"):
                self.modules[target] = ""
            elif name := self.asked(values[0]):
                self.names[target] = name, ()

    def asked(self, node):
        """The name that getattr or hasattr is asked for."""
        if (called(node, "getattr") or called(node, "hasattr")) and len(node.args) > 1 and \
                dotted(node.args[0]) in self.modules and isinstance(node.args[1], ast.Constant):
            return node.args[1].value
        return None

    def resolve(self, node):
        """(name in DeepGEMM, keywords) of what is called, or None."""
        text = dotted(node) or ""
        if text in self.names:
            return self.names[text]
        root, _, below = text.partition(".")
        if root in self.modules and below:
            return f"{self.modules[root]}.{below}".lstrip("."), ()
        return None

    def place(self, node, name, how, call=None, extra=(), guarded=False):
        self.found.append((node.lineno, name, how, guarded or bool(self.guarded), call, extra))

    def visit_Try(self, node):
        caught = {dotted(kind) if kind else None for handler in node.handlers
                  for kind in (handler.type.elts if isinstance(handler.type, ast.Tuple) else [handler.type])}
        self.guarded += bool(caught & CATCHES)
        for inner in node.body:
            self.visit(inner)
        self.guarded -= bool(caught & CATCHES)
        for inner in (*node.handlers, *node.orelse, *node.finalbody):
            self.visit(inner)

    def visit_ImportFrom(self, node):
        if not node.level and (node.module or "").partition(".")[0] == "deep_gemm":
            for alias in node.names:
                self.place(node, self.names[alias.asname or alias.name][0], "import")

    def visit_FunctionDef(self, node):
        """A function that passes all its arguments on is its callers' place, too."""
        self.generic_visit(node)
        if not node.args.vararg or not node.args.kwarg:
            return
        for call in (inner for inner in ast.walk(node) if isinstance(inner, ast.Call)):
            if any(isinstance(x, ast.Starred) for x in call.args) and (target := self.resolve(call.func)):
                self.forwards[f"{self.module}.{node.name}"] = target[0], tuple(k.arg for k in call.keywords if k.arg)

    def visit_Call(self, node):
        if name := self.asked(node):
            self.place(node, name, "ask")
        elif target := self.resolve(node.func):
            self.place(node, target[0], "call", node, target[1], target[0] in self.questions)
        self.generic_visit(node)


def literals(call):
    """Keywords of a call whose values are written down, those that it has at times included."""
    keywords = [k for k in call.keywords if k.arg] + [
        k for star in call.keywords if not star.arg for inner in ast.walk(star.value) if called(inner, "dict")
        for k in inner.keywords if k.arg]
    found = {}
    for keyword in keywords:
        try:
            found[keyword.arg] = ast.literal_eval(keyword.value)
        except ValueError:
            pass
    return found


def answer(name, how, guarded, call, extra, fallback):
    """(answer, reason) of fp8gemm.deep_gemm."""
    value = deep_gemm
    for part in name.split("."):
        value = getattr(value, part, None)
    if value is None:
        if how == "ask" or guarded:
            return "falls back", "the engine asks first"
        reason = _missing.reason(name.rpartition(".")[2]) or "no such name"
        return ("delegates", "another DeepGEMM has it") if fallback else ("raises", reason)
    if call is None or not callable(value):
        return "runs", ""
    arguments = [x for x in call.args if not isinstance(x, ast.Starred)]
    is_open = len(arguments) < len(call.args) or any(not k.arg for k in call.keywords)
    keywords = {k.arg: k for k in call.keywords if k.arg} | {k: k for k in extra}
    keywords.pop("is_deep_gemm_e8m0_used", None)  # vLLM's own, which its function takes out
    try:
        signature = inspect.signature(value)
        (signature.bind_partial if is_open else signature.bind)(*arguments, **keywords)
    except TypeError as error:
        return "raises", str(error)
    reasons = [f"{k}={v}: {REFUSED[k, v]}" for k, v in literals(call).items() if isinstance(v, (bool, int, tuple)) and (k, v) in REFUSED]
    if reasons and any(k in keywords for k in literals(call)):
        return "raises", "; ".join(reasons)
    return "runs", "; ".join(f"not with {reason}" for reason in reasons)


def places(folders, fallback=False):
    """Those of all files below the folders."""
    sources = {}
    for folder in folders:
        for path in sorted(Path(folder).rglob("*.py")):
            text = path.read_text(errors="replace")
            # Their own copy of DeepGEMM, and what is of other processors, call no one here.
            if "deep_gemm" in text and not re.search(r"third_party/deep_gemm/|/xpu/|/amd/|_rocm|/test/", path.as_posix()):
                sources[path.relative_to(folder).as_posix()] = ast.parse(text)
    known, found = {}, []
    for _ in range(2):  # the second time with what passes arguments on
        found = [(path, Module(tree, path.removesuffix(".py").replace("/", "."), known)) for path, tree in sources.items()]
        known = {name: target for _, module in found for name, target in module.forwards.items()}
    for path, module in found:
        for line, name, how, guarded, call, extra in sorted(module.found, key=lambda place: place[:2]):
            feature = next((f for f, pattern in FEATURES if pattern.search(f"/{path}:{name}")), EVERY_MODEL)
            yield Place(path, line, name, feature, *answer(name, how, guarded, call, extra, fallback))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folders", nargs="+", type=Path, metavar="FOLDER")
    parser.add_argument("--fallback", action="store_true", help="as with install(fallback=\"deep_gemm\")")
    parser.add_argument("--summary", action="store_true", help="only the numbers of each feature")
    arguments = parser.parse_args()
    for folder in arguments.folders:
        if not folder.is_dir():
            parser.error(f"expected the folder of an unpacked wheel, got '{folder}'")
    found = list(places(arguments.folders, arguments.fallback))
    if not found:
        parser.error(f"expected calls of deep_gemm in {', '.join(map(str, arguments.folders))}, got none")
    for place in () if arguments.summary else found:
        reason = f": {place.reason}" if place.reason else ""
        print(f"{place.path}:{place.line}: {place.name} ({place.feature}) {place.answer}{reason}")
    counts = collections.Counter((place.feature, place.answer) for place in found)
    for feature in sorted({place.feature for place in found}):
        print(f"{feature}: " + ", ".join(f"{counts[feature, a]} {a}" for a in ("runs", "falls back", "delegates", "raises") if counts[feature, a]))
    sys.exit(counts[EVERY_MODEL, "raises"] > 0)


if __name__ == "__main__":
    main()
