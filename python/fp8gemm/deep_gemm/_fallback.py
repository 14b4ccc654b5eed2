# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Another DeepGEMM, for the names that fp8gemm has none of: logits of attention, groups of bfloat16, kernels of one model.

It is loaded under a name of its own, since `deep_gemm` may be the stand-in, when such a name is first asked for.
"""

import importlib
import sys
import warnings
from importlib.machinery import PathFinder
from importlib.util import find_spec, module_from_spec, spec_from_file_location
from pathlib import Path

STAND_IN = Path(__file__).resolve().parents[1] / "_stand_in"  # the folder that install() puts into sys.path
_ALIAS = "_fp8gemm_fallback_deep_gemm"
_VENDORED = "vllm.third_party.deep_gemm"

choice = None  # None, "auto" or "deep_gemm"
_module = None  # once it is loaded
_settings = {}  # functions of both, to what they were last called with


def choose(wanted):
    """None: no other. "deep_gemm": the one that is installed, or vLLM's; ImportError if there is none. "auto": if there is."""
    global choice, _module
    if wanted not in (None, "auto", "deep_gemm"):
        raise ValueError(f"expected 'fallback' to be None, \"auto\" or \"deep_gemm\", got {wanted!r}")
    if wanted == "deep_gemm" and not _origin():
        raise ImportError('expected another DeepGEMM for fallback="deep_gemm", got none: install deep_gemm or vllm beside '
                          "fp8gemm")
    choice, _module = wanted, None


def attribute(name):
    """What the other one has by that name, which may be one of a submodule, or None."""
    global _module
    if choice is None:
        return None
    if _module is None:
        _module = _load()
        for function, value in _settings.items() if _module else ():
            _apply(function, value)
    found = _module
    for part in name.split("."):
        found = getattr(found, part, None)
    return found


def mirror(function, value):
    """Sets what both have, here once it is loaded."""
    _settings[function] = value
    if _module:
        _apply(function, value)


def _apply(function, value):
    if hasattr(_module, function):
        getattr(_module, function)(value)


def _origin():
    """Where it is: the specification of a package outside the stand-in, or the name of vLLM's."""
    paths = [path for path in sys.path if Path(path or ".").resolve() != STAND_IN]
    found = PathFinder.find_spec("deep_gemm", paths)
    if found and found.origin:
        return found
    vllm = find_spec("vllm") if "vllm" not in sys.modules else sys.modules["vllm"].__spec__
    below = [str(Path(path) / "third_party") for path in (vllm.submodule_search_locations or ())] if vllm else []
    return _VENDORED if PathFinder.find_spec("deep_gemm", below) else None


def _load():
    """The module; False where there is none, or none that works here, which "auto" only warns of."""
    origin = _origin()
    try:
        if origin is None:
            return False
        if isinstance(origin, str):
            return importlib.import_module(origin)
        spec = spec_from_file_location(_ALIAS, origin.origin, submodule_search_locations=origin.submodule_search_locations)
        module = sys.modules[_ALIAS] = module_from_spec(spec)
        spec.loader.exec_module(module)
        return module
    except Exception as error:  # whatever a build of it meets: no library, no CUDA, another PyTorch
        sys.modules.pop(_ALIAS, None)
        message = f"expected a DeepGEMM that loads, to fall back on, got {type(error).__name__}: {error}"
        if choice == "deep_gemm":
            raise ImportError(message) from error
        warnings.warn(f"{message}; its functions look absent", RuntimeWarning, stacklevel=2)
        return False
