# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""vLLM's Triton products, from its own files, those of its wheel that engines.py stages. What they import of the rest of vLLM is replaced here; what its
compiled kernels do between the products is the caller's."""

import ast
import functools
import importlib.util
import sys
import types

import torch
from engines import FUSED, UTILS

BLOCK = [128, 128]


class Replaced(types.ModuleType):
    """A module with the members that are needed; any other name is a class that nothing can be done with."""

    def __getattr__(self, name):
        if name.startswith("__"):
            raise AttributeError(name)
        return type(name, (), {})


def replace(name, **members):
    made = Replaced(name)
    made.__path__ = []
    vars(made).update(members)
    sys.modules[name] = made
    parent, _, last = name.rpartition(".")
    if parent:
        setattr(sys.modules.get(parent) or replace(parent), last, made)
    return made


def own(folder, path):
    name = path.removesuffix(".py").replace("/", ".")
    spec = importlib.util.spec_from_file_location(name, folder / path)
    loaded = importlib.util.module_from_spec(spec)
    sys.modules[name] = loaded
    spec.loader.exec_module(loaded)
    return loaded


def own_function(folder, path, name, **globals_):
    """One function of a file whose other imports are not needed."""
    tree = ast.parse((folder / path).read_text())
    tree.body = [node for node in tree.body if isinstance(node, ast.FunctionDef) and node.name == name]
    globals_["functools"] = functools
    exec(compile(tree, path, "exec"), globals_)
    return globals_[name]


def align(ids, experts, block, rows, expert_of_block, total, *_):
    """What vLLM's compiled kernel does: the pairs of each expert, padded to blocks with a number that is no pair."""
    flat = ids.flatten().long()
    counts = torch.bincount(flat, minlength=experts)
    padded = (counts + block - 1) // block * block
    expert, order = flat.sort(stable=True)
    within = torch.arange(len(flat), device=ids.device) - (counts.cumsum(0) - counts)[expert]
    rows.fill_(len(flat))
    rows[(padded.cumsum(0) - padded)[expert] + within] = order.int()
    blocks = torch.arange(experts, device=ids.device).repeat_interleave(padded // block)
    expert_of_block.zero_()
    expert_of_block[:len(blocks)] = blocks.int()
    total.fill_(padded.sum())


class Engine:
    """vLLM's functions. quantize(x) -> values and scales [rows, K/128], silu_and_mul(out [rows, I], x [rows, 2I]) and sum_rows(out [T, H],
    x [T, k, H]) are what its compiled kernels do. Pairs are aligned once for each tensor of ids, so that no graph has it."""

    def __init__(self, folder, quantize, silu_and_mul, sum_rows, device_name):
        import triton
        import triton.language as tl

        platform = types.SimpleNamespace(
            is_rocm=lambda: False, is_xpu=lambda: False, is_cuda_alike=lambda: True, is_device_capability=lambda number: number == 90,
            fp8_dtype=lambda: torch.float8_e4m3fn)
        once = lambda *_, **__: None
        logger = types.SimpleNamespace(info=once, warning=once, info_once=once, warning_once=once)
        replace("vllm.envs", VLLM_BATCH_INVARIANT=False, VLLM_TUNED_CONFIG_FOLDER=None)
        replace("vllm._custom_ops", moe_align_block_size=align, moe_sum=lambda x, out: sum_rows(out, x))
        replace("vllm.logger", init_logger=lambda name: logger)
        replace("vllm.platforms", current_platform=platform)
        replace("vllm.triton_utils", tl=tl, triton=triton)
        replace("vllm.triton_utils.allocation")
        replace("vllm.utils.math_utils", next_power_of_2=triton.next_power_of_2, round_up=lambda x, y: -(-x // y) * y)
        replace("vllm.utils.platform_utils", get_device_name_as_file_name=lambda: device_name)
        replace("vllm.utils.torch_utils", direct_register_custom_op=once)
        for name in ("vllm.utils.deep_gemm", "vllm.model_executor.parameter", "vllm.model_executor.utils"):
            replace(name)
        fused, utils = FUSED.replace("/", "."), UTILS.replace("/", ".")
        for name in ("quant_utils", "w8a8_utils"):
            replace(f"{utils}.{name}")
        replace(fused, get_config=lambda: None)
        replace(f"{fused}.modular_kernel", FusedMoEExpertsModular=types.SimpleNamespace(adjust_N_for_activation=lambda n, _: n // 2))
        replace(f"{fused}.activation", MoEActivation=types.SimpleNamespace(SILU="silu", from_str=str),
                apply_moe_activation=lambda _, out, x: silu_and_mul(out, x))
        replace(f"{fused}.config", FUSED_MOE_UNQUANTIZED_CONFIG=None, _get_config_dtype_str=lambda **_: "fp8_w8a8")
        replace(f"{fused}.utils", enable_swap_ab=own_function(folder, f"{FUSED}/utils.py", "enable_swap_ab", current_platform=platform),
                resolve_moe_use_td=lambda: False, warn_if_moe_use_td_ineffective=once,
                moe_kernel_quantize_input=lambda A, **_: quantize(A))
        own(folder, f"{FUSED}/moe_align_block_size.py")
        self.fused, self.fp8 = own(folder, f"{FUSED}/fused_moe.py"), own(folder, f"{UTILS}/fp8_utils.py")
        self.aligned, self.bf16 = {}, tl.bfloat16
        aligns = self.fused.moe_align_block_size

        def once_for(ids, block, *rest, **options):
            key = ids.data_ptr(), tuple(ids.shape), block
            if key not in self.aligned:
                self.aligned[key] = aligns(ids, block, *rest, **options)
            return self.aligned[key]

        self.fused.moe_align_block_size = once_for

    def linear(self, values, scales, weight, weight_scales):
        return self.fp8.w8a8_triton_block_scaled_mm(values, weight, scales, weight_scales, BLOCK, torch.bfloat16)

    def experts(self, x, ids, factors, w13, s13, w2, s2):
        return self.fused.fused_experts_impl(x, w13, w2, factors, ids, use_fp8_w8a8=True, w1_scale=s13, w2_scale=s2, block_shape=BLOCK)

    def first_product(self, values, scales, ids, w13, s13, w2_shape):
        """-> [T, k, 2I]: the row of each token and each of its experts."""
        tokens, count = ids.shape
        config = self.fused.try_get_optimal_moe_config(w13.size(), w2_shape, count, "fp8_w8a8", tokens, block_shape=BLOCK)
        rows = self.fused.moe_align_block_size(ids, config["BLOCK_SIZE_M"], len(w13))
        out = torch.empty(tokens, count, w13.shape[1], dtype=torch.bfloat16, device=values.device)
        self.fused.invoke_fused_moe_triton_kernel(values, w13, out, scales, s13, None, *rows, False, count, config, self.bf16, True, False, False,
                                                  False, False, BLOCK)
        return out
