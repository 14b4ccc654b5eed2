# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Runs the Python blocks of a document, one after the other in one namespace and in this folder. There is no GPU: tensors are in host memory,
and launches go to the fake driver. Prints [line of the block, what was wrong or null] of each, in JSON.

    FP8GEMM_LIBCUDA=libRuntimeFakeGpu.so run_python.py DOCUMENT

`<!-- with: NAME -->` above a block names what it finds that the text around it only describes: a function of SETUPS.
"""

import json
import os
import sys
import traceback
from pathlib import Path

sys.path += [str(Path(__file__).parent), str(Path(__file__).parents[2] / "python" / "tests")]

from blocks import blocks_of  # noqa: E402

MISSING = "not installed: "


def pack():
    """model.fp8pack, for the product of 256 x 256."""
    import fp8gemm

    return fp8gemm.compile([{"op": "gemm", "n": 256, "k": 256, "max_m": 64}], "model.fp8pack")


def arrays():
    """The operands of that product, in arrays of a library that has DLPack's exchange API."""
    import ml_dtypes
    import numpy as np
    from arrays import ExchangeArray, columns, rows

    pack().close()
    fp8, on = ml_dtypes.float8_e4m3fn, ExchangeArray
    return dict(a=on(rows((16, 256), fp8)), sfa=on(columns((16, 2), np.float32)), b=on(rows((256, 256), fp8)), sfb=on(rows((2, 2), np.float32)))


def tensors():
    """A linear layer and its input, of PyTorch; a default pack for it."""
    torch = torch_on_driver()

    import fp8gemm

    fp8gemm.set_pack(pack())
    return dict(torch=torch, linear=torch.nn.Linear(256, 256), x=torch.randn(16, 256).bfloat16())


def model():
    """A model of two linear layers, one of which stays as it is, and how a user trains it."""
    torch = torch_on_driver()

    class Model(torch.nn.Module):
        def __init__(self, config=None):
            super().__init__()
            self.up, self.lm_head = torch.nn.Linear(256, 128), torch.nn.Linear(128, 100)

        def forward(self, x):
            return self.lm_head(torch.relu(self.up(x)).to(self.lm_head.weight.dtype))

    x = torch.randn(16, 256).bfloat16()
    return dict(torch=torch, Model=Model, config=None, model=Model(), x=x, tokens=16, target=torch.zeros(16, 100), criterion=torch.nn.MSELoss())


def checkpoint():
    """Of that model, as engines store it: `up` in blocks."""
    found = model()
    import fp8gemm.torch as ft

    state = found["model"].state_dict()
    state["up.weight"], state["up.weight_scale_inv"] = ft.quantize_per_block(state["up.weight"])
    return dict(found, checkpoint=state)


def experts():
    """The weights of 256 small experts, all of them of this process."""
    torch = torch_on_driver()
    import fp8gemm.expert_parallel as ep
    import fp8gemm.torch as ft

    weights = (*ep.quantize_experts(torch.randn(256, 64, 32)), *ep.quantize_experts(torch.randn(256, 32, 32)))
    return dict(zip(("w13", "w13_scales", "w2", "w2_scales"), weights), torch=torch, ep=ep, ft=ft)


SETUPS = {setup.__name__: setup for setup in (arrays, tensors, model, checkpoint, experts)}
made = []  # lives as long as this process


def torch_on_driver():
    import torch
    from torch_arrays import allocate_for_driver, launch_on_driver

    if not made:
        import pytest

        made.append(torch.library.Library("fp8gemm", "FRAGMENT"))
        launch_on_driver(made[0])
        allocate_for_driver(pytest.MonkeyPatch())
    return torch


def run(block, names):
    """What was wrong, or None."""
    try:
        if block.mark == "with":
            names.update(SETUPS[block.what]())
        exec(compile(block.text, block.name, "exec"), names)
    except ModuleNotFoundError as error:
        return MISSING + error.name if error.name == "torch" else traceback.format_exc()
    except Exception:
        return traceback.format_exc()


def main(document):
    answers, names = os.fdopen(os.dup(1), "w"), {}
    os.dup2(2, 1)  # what blocks print
    for block in blocks_of(Path(document)):
        if block.language == "python" and block.mark in ("", "with"):
            print(json.dumps([block.line, run(block, names)]), file=answers, flush=True)


if __name__ == "__main__":
    main(sys.argv[1])
