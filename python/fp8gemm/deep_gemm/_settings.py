# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Which pack serves, and the settings of the process."""

import os

import torch

from fp8gemm._pack import Pack, load
from fp8gemm.deep_gemm import _arguments, _fallback

HOPPER_ALIGNMENT = 128  # of groups in the contiguous layouts

pack = None  # the pack in use
options = {"num_sms": 0, "dependent": False, "batch_invariant": False}  # of every launch
alignment = HOPPER_ALIGNMENT
# (grouping, n, k, recipe) of a product to the layouts of its scales that the pack takes: [(sfa, sfb)].
layouts = {}


_loaded = {None}  # numbers of the devices that its kernels are loaded on; host memory has none


def use(wanted, batch_invariant=False):
    """Serves all functions of this module from a pack, or the file of one. Its kernels are loaded now where CUDA is
    initialised, on the current device; else, and on other devices, by the first function that is given a tensor there.
    batch_invariant: only by kernels with which a row of d has the same bits for every M."""
    global pack, layouts, _loaded
    _arguments.flag("batch_invariant", batch_invariant)
    chosen = wanted if isinstance(wanted, Pack) else load(wanted)
    if torch.cuda.is_initialized():
        chosen.load(torch.cuda.current_device())
        _loaded = {None, torch.cuda.current_device()}
    else:
        _loaded = {None}
    pack, layouts = chosen, chosen._scale_layouts(batch_invariant)
    options["batch_invariant"] = batch_invariant
    return chosen


def current(device):
    """The pack in use, its kernels loaded on that device."""
    if pack is None:
        path = os.environ.get("FP8GEMM_PACK")
        if not path:
            raise RuntimeError('expected a pack: call fp8gemm.deep_gemm.use("model.fp8pack"), or set FP8GEMM_PACK')
        use(path)
    if device.index not in _loaded:
        pack.load(device)
        _loaded.add(device.index)
    return pack


def prepare(device):
    """Loads the kernels on that device before a product needs them, for programs that first lay out their weights' scales."""
    if device.index not in _loaded and (pack is not None or os.environ.get("FP8GEMM_PACK")):
        current(device)


def set_num_sms(new_num_sms):
    """SMs that a launch may use at most; the others are left to other kernels."""
    limit = _multiprocessors()
    number = _arguments.count("new_num_sms", new_num_sms, 1, limit)
    options["num_sms"] = 0 if number == limit else number
    _fallback.mirror("set_num_sms", number)


def get_num_sms():
    return options["num_sms"] or _multiprocessors()


def _multiprocessors():
    return torch.cuda.get_device_properties(torch.cuda.current_device()).multi_processor_count


def set_pdl(new_enable_pdl):
    """Programmatic dependent launch, of kernels that can."""
    options["dependent"] = _arguments.flag("new_enable_pdl", new_enable_pdl)
    _fallback.mirror("set_pdl", new_enable_pdl)


def get_pdl():
    return options["dependent"]


def set_mk_alignment_for_contiguous_layout(new_value):
    """Rows that each group starts at a multiple of. The pack must have been compiled for it (`align`)."""
    global alignment
    alignment = _arguments.count("new_value", new_value, 1)
    _fallback.mirror("set_mk_alignment_for_contiguous_layout", alignment)


def get_mk_alignment_for_contiguous_layout():
    return alignment


def get_theoretical_mk_alignment_for_contiguous_layout(expected_m=None, num_groups=None):
    """On Hopper 128, whatever is expected: rows of all groups if their number is given, else of one."""
    if expected_m is not None:
        _arguments.count("expected_m", expected_m)
    if num_groups is not None:
        _arguments.count("num_groups", num_groups, least=1)
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
