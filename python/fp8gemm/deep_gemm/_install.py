# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""`import deep_gemm` as this package, for programs that can't be changed."""

import os
import sys
import warnings
from pathlib import Path

from fp8gemm.deep_gemm import _fallback

_PACKAGE = __package__


def install(fallback=None):
    """Makes `import deep_gemm` mean this module, for programs that can't be changed: here, and in the processes that this
    one starts from now on (by sys.path and the environment). Those take their pack from FP8GEMM_PACK.

    fallback: where names come from that fp8gemm has none of. None: they are absent. "deep_gemm": from the DeepGEMM that is
    installed, or vLLM's copy; ImportError if there is none. "auto": from that, if there is one."""
    _fallback.choose(fallback)
    other = sys.modules.get("deep_gemm")
    if other is not None and other is not sys.modules[_PACKAGE] and Path(other.__file__ or "").parent.parent != _fallback.STAND_IN:
        warnings.warn(f"deep_gemm was imported from {other.__file__} before: modules that did so go on with that one; install "
                      "the stand-in first", RuntimeWarning, stacklevel=2)
    for name, module in list(sys.modules.items()):
        if name == _PACKAGE or name.startswith(_PACKAGE + "."):
            sys.modules["deep_gemm" + name.removeprefix(_PACKAGE)] = module
    folder = str(_fallback.STAND_IN)
    inherited = [entry for entry in os.environ.get("PYTHONPATH", "").split(os.pathsep) if entry]
    for paths in (sys.path, inherited):
        if folder not in paths:
            paths.insert(0, folder)
    os.environ["PYTHONPATH"] = os.pathsep.join(inherited)
    os.environ["FP8GEMM_FALLBACK"] = fallback or "none"


def from_environment():
    """The same in a process configured by its environment: FP8GEMM_FALLBACK is "none", "deep_gemm" or (unset) "auto"."""
    fallback = os.environ.get("FP8GEMM_FALLBACK") or "auto"
    install(None if fallback == "none" else fallback)


def plugin():
    """What vLLM and SGLang call in each of their processes, where fp8gemm is installed: nothing without FP8GEMM_PACK."""
    if os.environ.get("FP8GEMM_PACK"):
        from_environment()
