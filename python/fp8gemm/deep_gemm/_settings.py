# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Which pack serves, and the settings of the process."""

import os
import sys
from collections import defaultdict

import torch

from fp8gemm._pack import Pack, load

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
    chosen = wanted if isinstance(wanted, Pack) else load(wanted)
    known = defaultdict(list)
    for problem in chosen.problems:
        if problem.batch_invariant or not batch_invariant:
            known[problem.grouping, problem.n, problem.k, problem.recipe].append((problem.sfa, problem.sfb))
    pack, layouts = chosen, dict(known)
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
    """Makes `import deep_gemm` mean this module, for programs that can't be changed."""
    from fp8gemm import deep_gemm

    for name, module in list(sys.modules.items()):
        if name == deep_gemm.__name__ or name.startswith(deep_gemm.__name__ + "."):
            sys.modules["deep_gemm" + name.removeprefix(deep_gemm.__name__)] = module


def set_num_sms(new_num_sms):
    """SMs that a launch may use at most; the others are left to other kernels."""
    limit = _multiprocessors()
    if not 0 < new_num_sms <= limit:
        raise ValueError(f"expected a number of SMs in [1, {limit}], got {new_num_sms}")
    options["num_sms"] = 0 if new_num_sms == limit else new_num_sms


def get_num_sms():
    return options["num_sms"] or _multiprocessors()


def _multiprocessors():
    return torch.cuda.get_device_properties(torch.cuda.current_device()).multi_processor_count


def set_pdl(new_enable_pdl):
    """Programmatic dependent launch, of kernels that can."""
    options["dependent"] = bool(new_enable_pdl)


def get_pdl():
    return options["dependent"]


def set_mk_alignment_for_contiguous_layout(new_value):
    """Rows that each group starts at a multiple of. The pack must have been compiled for it (`align`)."""
    global alignment
    alignment = int(new_value)


def get_mk_alignment_for_contiguous_layout():
    return alignment


def get_theoretical_mk_alignment_for_contiguous_layout(expected_m=None):
    """On Hopper 128, whatever is expected."""
    return HOPPER_ALIGNMENT


def set_tc_util(new_tc_util):
    if new_tc_util != 100:
        raise NotImplementedError(f"expected 100, got {new_tc_util}: kernels are chosen when a pack is compiled")


def get_tc_util():
    return 100


def set_ignore_compile_dims(new_value):
    """No effect: nothing is compiled here."""


def set_block_size_multiple_of(new_value):
    if new_value not in (1, (1, 1)):
        raise NotImplementedError(f"expected 1, got {new_value}: tiles are chosen when a pack is compiled")
