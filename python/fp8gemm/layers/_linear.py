# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""A linear layer in FP8."""

import torch
from torch import Tensor, nn

import fp8gemm.torch as ft
from fp8gemm._scalars import count
from fp8gemm.layers import _checkpoint
from fp8gemm.layers._words import expect_type, type_name

ALIGNMENT = 16  # of both sizes: rows of the weight and of its transpose, in bytes
_TRAINED = torch.bfloat16, torch.float32
_BIAS = {torch.bfloat16: "bf16", torch.float32: "f32"}
_LENGTH = 16  # lengths of groups along K are multiples of it


class _Product(torch.autograd.Function):
    """x [T, K] bfloat16, values [N, K] float8_e4m3fn, their scales, and bias [N] or None -> x values^T + bias, [T, N] bfloat16.

    The gradient of the weight goes to `weight`, which the values were made of, or None; or is added to `main_grad`.
    """

    @staticmethod
    def forward(ctx, x, weight, values, scales, bias, main_grad):
        ctx.save_for_backward(x if ctx.needs_input_grad[1] else None, values, scales)
        ctx.weight_type, ctx.bias_type = (None if given is None else given.dtype for given in (weight, bias))
        ctx.main_grad = main_grad
        return torch.ops.fp8gemm.gemm(*torch.ops.fp8gemm.quantize(x, dependent=True), values, scales, bias=bias, dependent=True)

    @staticmethod
    def backward(ctx, dy):
        x, values, scales = ctx.saved_tensors
        of_x, of_weight, _, _, of_bias, _ = ctx.needs_input_grad
        dx = dw = db = None
        if of_x:
            # A block of 128 x 128 has one scale in the transpose, too.
            turned, of_turned = values.view(torch.uint8).mT.contiguous().view(values.dtype), scales.mT.contiguous()
            dx = torch.ops.fp8gemm.gemm(*torch.ops.fp8gemm.quantize(dy), turned, of_turned)
        if of_weight:
            into = torch.zeros(values.shape, dtype=torch.float32, device=dy.device) if ctx.main_grad is None else ctx.main_grad
            _add_weight_gradient(dy, x, into)
            dw = into.to(ctx.weight_type) if ctx.main_grad is None else None
        if of_bias:
            db = dy.sum(0, dtype=torch.float32).to(ctx.bias_type)
        return dx, dw, None, None, db, None


def _add_weight_gradient(dy, x, into):
    """into [N, K] float32 += dy^T x. The sum is over tokens, so both are quantised for 128 tokens of a column; the product is that of one group
    along K, whose length is data: one kernel serves any number of tokens."""
    tokens = x.shape[0]
    padded = -(-tokens // _LENGTH) * _LENGTH
    sides = [ft.quantize_per_token(nn.functional.pad(side, (0, 0, 0, padded - tokens)).mT) for side in (dy, x)]
    length = torch.full((1,), padded, dtype=torch.int32, device=x.device)
    torch.ops.fp8gemm.grouped_gemm_k_add_(*sides[0], *sides[1], length, into.unsqueeze(0))


class Linear(nn.Linear):
    """y = x W^T + bias in FP8, with x and y in bfloat16: a torch.nn.Linear whose products are kernels of the pack of `fp8gemm.set_pack`.

    in_features, out_features  K and N, multiples of 16
    dtype   float8_e4m3fn: W is only used; `weight` [N, K] has `weight_scale_inv` [ceil(N/128), ceil(K/128)] float32 beside it.
            bfloat16 or float32 (None: PyTorch's default): W is trained, and quantised in each call.
    fuse_wgrad_accumulation  the gradient of `weight` is added to `weight.main_grad`, [N, K] float32, by the kernel, and `weight.grad` stays
            None, as Megatron-LM has it; not with torch.compile

    x [..., K] is quantised for 128 elements of a row, W for 128 x 128. The gradients of x and W are products in FP8 as well: dy is quantised
    like x, and for the gradient of W both dy and x for 128 tokens; that one is summed in float32. Under autocast, a float32 x is rounded to
    bfloat16.

    State dicts: `weight` and `weight_scale_inv` load as they are in a layer that is only used, and are dequantised in one that is trained; a
    plain `weight` is quantised in a layer that is only used.
    """

    def __init__(self, in_features: int, out_features: int, bias: bool = True, device=None, dtype: torch.dtype | None = None, *,
                 fuse_wgrad_accumulation: bool = False):
        in_features, out_features = (count(name, size, least=-2**31) for name, size in (("in_features", in_features), ("out_features", out_features)))
        _expect(illegal_sizes(in_features, out_features))
        is_trained = dtype != _checkpoint.VALUES
        own = dtype or torch.get_default_dtype() if is_trained else torch.bfloat16
        _expect(None if own in _TRAINED else f"expected 'dtype' to be float8_e4m3fn, bfloat16 or float32, got {own}")
        _expect("expected a trained weight for 'fuse_wgrad_accumulation', got float8_e4m3fn" if fuse_wgrad_accumulation and not is_trained
                else None)
        super().__init__(in_features, out_features, bias, device, own)
        self.fuse_wgrad_accumulation = fuse_wgrad_accumulation
        self._begin(None if is_trained else ft.quantize_per_block(self.weight.detach()))

    @classmethod
    def of(cls, linear: nn.Linear, *, trainable: bool = False) -> "Linear":
        """The same layer in FP8: with `trainable`, of the same parameters; otherwise W is quantised now."""
        expect_type("linear", linear, nn.Linear)
        _expect(unusable(linear))
        made = cls.__new__(cls)
        nn.Module.__init__(made)
        made.in_features, made.out_features, made.fuse_wgrad_accumulation = linear.in_features, linear.out_features, False
        made.weight, made.bias = linear.weight, linear.bias
        made.train(linear.training)
        made._begin(None if trainable else ft.quantize_per_block(linear.weight.detach()))
        return made

    def _begin(self, values_and_scales):
        values, scales = values_and_scales or (None, None)
        if values is not None:
            self.weight = nn.Parameter(values, requires_grad=False)
        self.register_parameter(_checkpoint.SCALES, None if scales is None else nn.Parameter(scales, requires_grad=False))

    @property
    def is_trained(self) -> bool:
        return self.weight_scale_inv is None

    def forward(self, x: Tensor) -> Tensor:
        if x.dtype == torch.float32 and torch.is_autocast_enabled(x.device.type):
            x = x.to(torch.bfloat16)
        if x.dtype != torch.bfloat16:
            raise TypeError(f"expected 'x' of bfloat16, got {type_name(x)}")
        if x.dim() < 1 or x.shape[-1] != self.in_features:
            raise ValueError(f"expected 'x' of shape [..., {self.in_features}], got {tuple(x.shape)}")
        main_grad = self._main_grad() if self.fuse_wgrad_accumulation and torch.is_grad_enabled() else None
        values, scales = ft.quantize_per_block(self.weight.detach()) if self.is_trained else (self.weight, self.weight_scale_inv)
        y = _Product.apply(x.reshape(-1, self.in_features), self.weight if self.is_trained else None, values, scales, self.bias, main_grad)
        return y.view(*x.shape[:-1], self.out_features)

    def _main_grad(self):
        found = getattr(self.weight, "main_grad", None)
        if found is None or found.dtype != torch.float32 or found.shape != self.weight.shape:
            raise ValueError(f"expected 'weight.main_grad' of float32 and of shape {tuple(self.weight.shape)} with 'fuse_wgrad_accumulation', got "
                             f"{None if found is None else f'{type_name(found)} of shape {tuple(found.shape)}'}")
        return found

    def _apply(self, fn, recurse=True):
        """Quantised weights go to other devices with the model, but keep their types, whatever `model.bfloat16()` asks of others."""
        if self.is_trained:
            return super()._apply(fn, recurse)

        def moved(tensor):
            result = fn(tensor)
            is_kept = tensor is self.weight or tensor is self.weight_scale_inv
            return tensor.to(result.device) if is_kept and result.dtype != tensor.dtype else result

        return super()._apply(moved, recurse)

    def _load_from_state_dict(self, state, prefix, local_metadata, strict, missing, unexpected, errors):
        try:
            self._convert(state, prefix)
        except _checkpoint.UnreadableError as error:
            errors.append(str(error))
            return
        super()._load_from_state_dict(state, prefix, local_metadata, strict, missing, unexpected, errors)

    def _convert(self, state, prefix):
        """The weight of a state dict becomes one of this layer's kind."""
        found = _checkpoint.read(state, prefix)
        if found is None:
            return
        if not self.is_trained:
            state[f"{prefix}weight"], state[f"{prefix}{_checkpoint.SCALES}"] = _checkpoint.quantized(*found)
        elif found[1] is not None:
            state[f"{prefix}weight"] = ft.dequantize(*found).to(self.weight.dtype)
            del state[f"{prefix}{_checkpoint.SCALES}"]

    def problems(self, max_m: int = 8192) -> list[dict]:
        """The entries of a pack's list for this layer; max_m: the largest number of rows of x that the kernels are chosen for."""
        n, k, max_m = self.out_features, self.in_features, count("max_m", max_m, least=1)
        bias = {} if self.bias is None else {"bias": _BIAS[self.bias.dtype]}
        used = [{"op": "quantize", "k": k}, {"op": "gemm", "n": n, "k": k, "max_m": max_m, **bias}]
        if not self.is_trained:
            return used
        return distinct(used + [{"op": "quantize", "k": n}, {"op": "gemm", "n": k, "k": n, "max_m": max_m},
                                {"op": "k_grouped_gemm", "m": n, "n": k, "groups": 1, "sfb": "mn_major", "d_type": "f32", "c": "in_place"}])

    def extra_repr(self) -> str:
        return f"{super().extra_repr()}, weight={type_name(self.weight)}"


def distinct(entries):
    """Each entry of a list once, where it is first: a list of a pack has none twice."""
    return [entry for i, entry in enumerate(entries) if entry not in entries[:i]]


def illegal_sizes(k, n):
    """Why there is no layer of these sizes, or None."""
    if k < 1 or n < 1 or k % ALIGNMENT or n % ALIGNMENT:
        return f"expected 'in_features' and 'out_features' to be multiples of {ALIGNMENT}, got {k} and {n}; FP8 rows begin at multiples of 16 bytes"
    return None


def unusable(linear):
    """Why a torch.nn.Linear cannot become one of these, or None."""
    if linear.weight.dtype not in _TRAINED:
        return f"expected 'weight' of bfloat16 or float32, got {type_name(linear.weight)}"
    if linear.bias is not None and linear.bias.dtype not in _BIAS:
        return f"expected 'bias' of bfloat16 or float32, got {type_name(linear.bias)}"
    return illegal_sizes(linear.in_features, linear.out_features)


def _expect(fault):
    if fault:
        raise ValueError(fault)
