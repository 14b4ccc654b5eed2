# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Which pack serves, and the settings of the process."""

import os
import sys
from pathlib import Path

import torch

from fp8gemm._pack import Pack, load
from fp8gemm.deep_gemm import _arguments

HOPPER_ALIGNMENT = 128  # of groups in the contiguous layouts

pack = None  # the pack in use
options = {"num_sms": 0, "dependent": False, "batch_invariant": False}  # of every launch
alignment = HOPPER_ALIGNMENT
# (grouping, n, k, recipe) of a product to the layouts of its scales that the pack takes: [(sfa, sfb)].
layouts = {}


def use(wanted, batch_invariant=False):
    """Serves all functions of this module from a pack, or the file of one. Load it on the device before you capture a graph.
    batch_invariant: only by kernels with which a row of d has the same bits for every M."""
    global pack, layouts
    _arguments.flag("batch_invariant", batch_invariant)
    chosen = wanted if isinstance(wanted, Pack) else load(wanted)
    pack, layouts = chosen, chosen._scale_layouts(batch_invariant)
    options["batch_invariant"] = batch_invariant
    return chosen


def current():
    """The pack in use."""
    if pack is None:
        path = os.environ.get("FP8GEMM_PACK")
        if not path:
            raise RuntimeError('expected a pack: call fp8gemm.deep_gemm.use("model.fp8pack"), or set FP8GEMM_PACK')
        use(path)
    return pack


def install():
    """Makes `import deep_gemm` mean this module, for programs that can't be changed: here, and in the processes that this
    one starts from now on (by sys.path and PYTHONPATH). Those take their pack from FP8GEMM_PACK."""
    from fp8gemm import deep_gemm

    for name, module in list(sys.modules.items()):
        if name == deep_gemm.__name__ or name.startswith(deep_gemm.__name__ + "."):
            sys.modules["deep_gemm" + name.removeprefix(deep_gemm.__name__)] = module
    folder = str(Path(deep_gemm.__file__).parents[1] / "_stand_in")
    inherited = [entry for entry in os.environ.get("PYTHONPATH", "").split(os.pathsep) if entry]
    for paths in (sys.path, inherited):
        if folder not in paths:
            paths.insert(0, folder)
    os.environ["PYTHONPATH"] = os.pathsep.join(inherited)


def set_num_sms(new_num_sms):
    """SMs that a launch may use at most; the others are left to other kernels."""
    limit = _multiprocessors()
    number = _arguments.count("new_num_sms", new_num_sms, 1, limit)
    options["num_sms"] = 0 if number == limit else number


def get_num_sms():
    return options["num_sms"] or _multiprocessors()


def _multiprocessors():
    return torch.cuda.get_device_properties(torch.cuda.current_device()).multi_processor_count


def set_pdl(new_enable_pdl):
    """Programmatic dependent launch, of kernels that can."""
    options["dependent"] = _arguments.flag("new_enable_pdl", new_enable_pdl)


def get_pdl():
    return options["dependent"]


def set_mk_alignment_for_contiguous_layout(new_value):
    """Rows that each group starts at a multiple of. The pack must have been compiled for it (`align`)."""
    global alignment
    alignment = _arguments.count("new_value", new_value, 1)


def get_mk_alignment_for_contiguous_layout():
    return alignment


def get_theoretical_mk_alignment_for_contiguous_layout(expected_m=None):
    """On Hopper 128, whatever is expected."""
    if expected_m is not None:
        _arguments.count("expected_m", expected_m)
    return HOPPER_ALIGNMENT


def set_tc_util(new_tc_util):
    if _arguments.count("new_tc_util", new_tc_util, 1, 100) != 100:
        raise NotImplementedError(f"expected 100, got {new_tc_util}: kernels are chosen when a pack is compiled")


def get_tc_util():
    return 100


def set_ignore_compile_dims(new_value):
    """No effect: nothing is compiled here."""
    _arguments.flag("new_value", new_value)


def set_block_size_multiple_of(new_value):
    if new_value not in (1, (1, 1), [1, 1]):
        raise NotImplementedError(f"expected 1, got {new_value!r}: tiles are chosen when a pack is compiled")
