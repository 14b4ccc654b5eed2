# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""PyTorch without a GPU: quantisation against numpy, and operators on fake tensors."""

import ml_dtypes
import numpy as np
import pytest

torch = pytest.importorskip("torch")

import torch_host  # noqa: E402

import fp8gemm.torch as ft  # noqa: E402

E4M3, E5M2 = torch.float8_e4m3fn, torch.float8_e5m2
NUMPY = {E4M3: (ml_dtypes.float8_e4m3fn, np.float32(448)), E5M2: (ml_dtypes.float8_e5m2, np.float32(57344))}


def bits(tensor):
    return tensor.view(torch.uint8).numpy()


def expected(x, block_rows, dtype, power_of_two):
    """In numpy, block by block."""
    kind, largest = NUMPY[dtype]
    rows, columns = x.shape
    values = np.zeros(x.shape, kind)
    scales = np.zeros((-(-rows // block_rows), -(-columns // 128)), np.float32)
    for i in range(scales.shape[0]):
        for j in range(scales.shape[1]):
            part = np.s_[i * block_rows:(i + 1) * block_rows, j * 128:(j + 1) * 128]
            scale = np.maximum(np.abs(x[part]).max() / largest, np.finfo(np.float32).tiny)
            if power_of_two:
                mantissa, exponent = np.frexp(scale)
                scale = np.ldexp(np.float32(1), exponent if mantissa > 0.5 else exponent - 1)
            scales[i, j] = scale
            values[part] = (x[part] / scale).astype(kind)
    return values.view(np.uint8), scales


@pytest.mark.parametrize("power_of_two", [False, True])
@pytest.mark.parametrize("dtype", [E4M3, E5M2])
@pytest.mark.parametrize("shape", [(1, 128), (5, 300), (256, 256), (130, 144)])
@pytest.mark.parametrize("quantize, block_rows", [(ft.quantize_per_token, 1), (ft.quantize_per_block, 128)])
def test_quantised_as_numpy_does(quantize, block_rows, shape, dtype, power_of_two):
    x = torch.randn(shape, generator=torch.Generator().manual_seed(1)) * 3
    x[0, :7] = 0
    x[-1, -3:] *= 1e-30
    values, scales = quantize(x, dtype=dtype, power_of_two=power_of_two)
    wanted_values, wanted_scales = expected(x.numpy(), block_rows, dtype, power_of_two)
    assert np.array_equal(scales.numpy(), wanted_scales)
    assert np.array_equal(bits(values), wanted_values)
    assert (ft.dequantize(values, scales) - x).abs().max() <= x.abs().max() / (16 if dtype == E4M3 else 8)


def test_bf16_is_quantised_as_f32():
    x = torch.randn(3, 256).bfloat16()
    for quantize in (ft.quantize_per_token, ft.quantize_per_block):
        for of_bf16, of_f32 in zip(quantize(x), quantize(x.float())):
            assert torch.equal(of_bf16.float(), of_f32.float())


def test_blocks_of_zeros_and_nans():
    x = torch.zeros(2, 256)
    x[1, 200] = float("nan")
    values, scales = ft.quantize_per_token(x)
    assert scales[0, 0] > 0 and not bits(values)[0].any()
    assert values.float()[1, 128:].isnan().all() and not values.float()[1, :128].isnan().any()


def test_scale_layouts():
    x = torch.randn(2, 5, 384)
    assert ft.quantize_per_token(x)[1].stride() == (24, 1, 8)
    assert ft.quantize_per_token(x, layout="k_major")[1].stride() == (15, 3, 1)
    assert ft.quantize_per_block(x)[1].is_contiguous()
    scales = torch.randn(5, 3)
    stored = ft.mn_major(scales)
    assert torch.equal(stored, scales) and stored.stride() == (1, 8) and ft.mn_major(stored) is stored
    with pytest.raises(ValueError, match="expected 'layout'"):
        ft.quantize_per_token(x, layout="row")


def arguments(device="cuda", m=4):
    return (torch.empty(m, 256, dtype=E4M3, device=device), torch.empty(2, m, device=device).T,
            torch.empty(512, 256, dtype=E4M3, device=device), torch.empty(4, 2, device=device))


def test_operators_are_traced_whole():
    from torch._subclasses.fake_tensor import FakeTensorMode
    from torch.fx.experimental.proxy_tensor import make_fx

    def step(a, sfa, b, sfb):
        d = torch.ops.fp8gemm.gemm(a, sfa, b, sfb)
        torch.ops.fp8gemm.gemm_out(a, sfa, b, sfb, d)
        return d * 2

    with FakeTensorMode():
        graph = make_fx(step)(*arguments())
    called = [str(node.target) for node in graph.graph.nodes if node.op == "call_function"]
    assert called[:2] == ["fp8gemm.gemm.default", "fp8gemm.gemm_out.default"]


def test_operators_are_for_cuda():
    with pytest.raises(NotImplementedError, match="CPU"):
        torch.ops.fp8gemm.gemm(*arguments("cpu"))


def test_operators_pass_everything_on(monkeypatch):
    calls = []

    class Recorder:
        def __getattr__(self, name):
            return lambda *args, **options: calls.append((name, args, options))

    monkeypatch.setattr(ft, "_native", Recorder())
    some = dict(num_sms=7, dependent=True, batch_invariant=True)
    groups = dict(expected_m=9, **some)
    f32 = dict(dtype=torch.float32)
    operands = "a", "sfa", "b", "sfb"
    ft._gemm(*operands, "c", **f32, **some)
    ft._gemm_out(*operands, "d", "c", **some)
    ft._gemm_add(*operands, "d", **some)
    ft._contiguous(*operands, "g", "c", by="end", align=64, **f32, **groups)
    ft._contiguous_out(*operands, "g", "d", "c", by="end", align=64, **groups)
    ft._contiguous_add(*operands, "g", "d", by="end", align=64, **groups)
    ft._masked(*operands, "g", "c", **f32, **groups)
    ft._masked_out(*operands, "g", "d", "c", **groups)
    ft._masked_add(*operands, "g", "d", **groups)
    ft._k_add(*operands, "g", "d", **some)
    word, rows = dict(d_type="f32"), dict(by="end", align=64)
    assert calls == [
        ("gemm", (*operands, None, "c"), {**word, **some}),
        ("gemm", (*operands, "d", "c"), some),
        ("gemm", (*operands, "d", "d"), some),
        ("grouped_gemm_contiguous", (*operands, "g", None, "c"), {**rows, **word, **groups}),
        ("grouped_gemm_contiguous", (*operands, "g", "d", "c"), {**rows, **groups}),
        ("grouped_gemm_contiguous", (*operands, "g", "d", "d"), {**rows, **groups}),
        ("grouped_gemm_masked", (*operands, "g", None, "c"), {**word, **groups}),
        ("grouped_gemm_masked", (*operands, "g", "d", "c"), groups),
        ("grouped_gemm_masked", (*operands, "g", "d", "d"), groups),
        ("grouped_gemm_k", (*operands, "g", "d", "d"), some),
    ]


@pytest.fixture
def on_the_host():
    """The operators, computed on the host by PyTorch."""
    with torch.library._scoped_library("fp8gemm", "FRAGMENT") as library:
        torch_host.register(library)
        yield


def test_compiled(on_the_host):
    b, sfb = ft.quantize_per_block(torch.randn(384, 256))

    def layer(x, out):
        values, sfa = ft.quantize_per_token(x)
        torch.ops.fp8gemm.gemm_out(values, sfa, b, sfb, out)
        return torch.relu(torch.ops.fp8gemm.gemm(values, sfa, b, sfb)) + out

    compiled = torch.compile(layer, fullgraph=True, dynamic=True, backend="aot_eager")
    for rows in (200, 130):
        x, out, other = torch.randn(rows, 256), *(torch.zeros(rows, 384).bfloat16() for _ in range(2))
        assert torch.equal(compiled(x, other), layer(x, out)) and torch.equal(other, out)


def test_casts_of_wrong_arguments():
    x = torch.randn(4, 256)
    for error, message, call in (
            (TypeError, "expected 'x' to be a torch.Tensor, got ndarray", lambda: ft.quantize_per_token(x.numpy())),
            (TypeError, "expected 'x' of a floating type, got torch.int64", lambda: ft.quantize_per_block(x.long())),
            (ValueError, r"expected 'x' of at least 2 dimensions, got shape \(256,\)", lambda: ft.quantize_per_token(x[0])),
            (TypeError, "expected 'power_of_two' to be True or False, got 1", lambda: ft.quantize_per_token(x, power_of_two=1)),
            (ValueError, r"expected 'scales' of shape \(4, 2\) or \(1, 2\), got \(4, 3\)", lambda: ft.dequantize(x, torch.ones(4, 3))),
            (ValueError, "expected 'scales' of at least 2 dimensions", lambda: ft.mn_major(torch.ones(4)))):
        with pytest.raises(error, match=message):
            call()


@pytest.mark.parametrize("view", [
    lambda: torch.empty_strided((8, 3), (1, 8)).copy_(torch.rand(8, 3))[1:8], lambda: torch.rand(33)[1:].as_strided((8, 4), (1, 8)),
    lambda: torch.rand(8, 1), lambda: torch.rand(1, 4), lambda: torch.rand(1, 4).expand(8, 4), lambda: torch.rand(6, 8)[:, ::2],
    lambda: torch.rand(2, 3, 9).mT[:, 1:], lambda: torch.rand(2, 4, 6).transpose(0, 1)])
def test_mn_major_of_any_view(view):
    scales = view()
    made = ft.mn_major(scales)
    assert torch.equal(made, scales) and made.data_ptr() % 16 == 0 and made.stride(-2) == 1
    assert all(step % 4 == 0 for i, step in enumerate(made.stride()) if i != made.dim() - 2) and ft.mn_major(made) is made
