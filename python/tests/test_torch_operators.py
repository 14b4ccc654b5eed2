# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""PyTorch's operators on the fake driver: what they launch for operands as programs have them, and that their fake kernels
refuse and return what they do. 3 groups, n = k = 256."""

import random

import pytest

torch = pytest.importorskip("torch")
# A fake tensor of a CUDA device needs no GPU, but its device type.
needs_cuda = pytest.mark.skipif(not torch.backends.cuda.is_built(), reason="this PyTorch is not built for CUDA")

from torch_arrays import OnCuda, allocate_for_driver, filled, on_cuda  # noqa: E402

import fp8gemm  # noqa: E402
import fp8gemm.torch as ft  # noqa: E402
from fp8gemm import _fake  # noqa: E402

E4M3, E5M2, BF16, F32, I32 = torch.float8_e4m3fn, torch.float8_e5m2, torch.bfloat16, torch.float32, torch.int32


@pytest.fixture
def launched(pack, driver, monkeypatch):
    """The operators serve from the pack; what they launch is in the driver."""
    allocate_for_driver(monkeypatch)
    fp8gemm.set_pack(pack)
    yield driver
    fp8gemm.set_pack(None)


def mn_major(*shape):
    return ft.mn_major(torch.rand(shape))


def fp8(*shape, dtype=E4M3):
    return torch.zeros(shape).to(dtype)


# The operators: (function, fake kernel, arguments, options).
def calls(m=16):
    dense = dict(a=fp8(m, 256), sfa=mn_major(m, 2), b=fp8(256, 256), sfb=torch.rand(2, 2))
    rows = dict(a=fp8(384, 256), sfa=mn_major(384, 2), b=fp8(3, 256, 256), sfb=torch.rand(3, 2, 2))
    masked = dict(a=fp8(3, m, 256), sfa=mn_major(3, m, 2), b=fp8(3, 256, 256), sfb=torch.rand(3, 2, 2))
    index, groups = dict(groups=torch.zeros(384, dtype=I32)), torch.zeros(3, dtype=I32)
    added = dict(dense, sfb=mn_major(256, 2), d=torch.zeros(m, 256))
    along_k = dict(a=fp8(128 * 512), sfa=mn_major(128, 4), b=fp8(256 * 512), sfb=mn_major(256, 4), lengths=groups, d=torch.zeros(3, 128, 256))
    d2, d3 = torch.zeros(m, 256, dtype=BF16), torch.zeros(3, m, 256, dtype=BF16)
    biased = dict(dense, c=None, bias=torch.zeros(256, dtype=BF16))
    ends = dict(rows, groups=groups, bias=torch.zeros(256))
    return {"gemm": (ft._gemm, _fake.gemm, dense, {}), "with a bias": (of_last("bias", ft._gemm), of_last("bias", _fake.gemm), biased, {}),
            "with factors": (of_last("row_scale", ft._gemm), of_last("row_scale", _fake.gemm), dict(dense, c=None, row_scale=torch.zeros(m)), {}),
            "groups with a bias": (of_last("bias", ft._contiguous), of_last("bias", _fake.contiguous), ends, dict(by="end")),
            "groups with factors": (of_last("row_scale", ft._masked), of_last("row_scale", _fake.masked),
                                    dict(masked, counts=groups, row_scale=torch.zeros(3, m)), {}), "gemm_out": (ft._gemm_out, _fake.gemm_out, dict(dense, d=d2), {}),
            "gemm_add_": (ft._gemm_add, _fake.gemm_out, added, {}),
            "grouped_gemm_contiguous_add_": (ft._contiguous_add, _fake.contiguous_out, dict(rows, **index, d=torch.zeros(384, 256)), {}),
            "grouped_gemm_masked_add_": (ft._masked_add, _fake.masked_out, dict(masked, counts=groups, d=torch.zeros(3, m, 256)), {}),
            "groups plus c": (ft._contiguous, _fake.contiguous, dict(rows, groups=groups, c=torch.zeros(384, 256, dtype=BF16)), dict(by="end")),
            "masked plus c": (ft._masked_out, _fake.masked_out, dict(masked, counts=groups, d=d3, c=d3.clone()), {}),
            "grouped_gemm_contiguous": (ft._contiguous, _fake.contiguous, dict(rows, **index), {}),
            "by end": (ft._contiguous, _fake.contiguous, dict(rows, groups=groups), dict(by="end")),
            "grouped_gemm_contiguous_out": (ft._contiguous_out, _fake.contiguous_out, dict(rows, **index, d=torch.zeros(384, 256, dtype=BF16)), {}),
            "gated": (ft._masked, _fake.masked, dict(masked, counts=groups), dict(gated=True, activation="silu")),
            "gated_out": (ft._gemm_out, _fake.gemm_out, dict(dense, d=torch.zeros(m, 128, dtype=BF16)), dict(gated=True, activation="silu")),
            "gemm_quantized": (ft._gemm_quantized, _fake.gemm_quantized, dense, dict(layout="k_major", gated=True, activation="silu")),
            "contiguous_quantized": (ft._contiguous_quantized, _fake.contiguous_quantized, dict(rows, groups=groups),
                                     dict(by="end", gated=True, activation="silu")),
            "masked_quantized": (ft._masked_quantized, _fake.masked_quantized, dict(masked, counts=groups), dict(gated=True, activation="silu")),
            "grouped_gemm_masked": (ft._masked, _fake.masked, dict(masked, counts=groups), {}),
            "grouped_gemm_masked_out": (ft._masked_out, _fake.masked_out, dict(masked, counts=groups, d=d3), dict(expected_m=4)),
            "grouped_gemm_k_add_": (ft._k_add, _fake.k_out, along_k, {})}


def of_last(name, function):
    """With this one as the last of the arguments."""
    return lambda *arguments, **options: function(*arguments[:-1], **{name: arguments[-1]}, **options)


def on_device(arguments):
    return [x if x is None else on_cuda(x) for x in arguments.values()]


def outcome(function, arguments, options):
    """What a call gives, or how it refuses."""
    try:
        return function(*arguments, **options)
    except (TypeError, ValueError) as error:
        return type(error), str(error)
    except fp8gemm.NotInPackError:
        return None


def described(result):
    if isinstance(result, tuple) and isinstance(result[0], torch.Tensor):
        return tuple(map(described, result))
    return result if not isinstance(result, torch.Tensor) else (tuple(result.shape), result.dtype, result.stride())


@pytest.mark.parametrize("name", calls())
def test_fake_kernels_give_what_is_launched(launched, name):
    for m in (16, 1) if name not in ("grouped_gemm_contiguous", "by end", "groups with a bias", "groups plus c", "grouped_gemm_contiguous_add_") else (16,):
        real, fake, arguments, options = calls(m)[name]
        assert described(outcome(fake, arguments.values(), options)) == described(outcome(real, on_device(arguments), options))
        assert len(launched.launches) == 1
        launched.reset()


def test_no_rows(launched):
    for name in ("gemm", "gemm_out", "gemm_add_", "grouped_gemm_masked", "grouped_gemm_masked_out"):
        real, fake, arguments, options = calls(0)[name]
        result = outcome(real, on_device(arguments), options)
        assert described(outcome(fake, arguments.values(), options)) == described(result)
        assert result is None or result.numel() == 0
    assert launched.launches == []


def changed(draw, x):
    """A tensor that differs in one thing that a trace sees."""
    kind = draw.randrange(3)
    if kind == 0:
        return torch.zeros(x.shape, dtype=draw.choice((F32, BF16, torch.float64, torch.float16, I32, torch.int64, torch.int8, torch.bool)))
    shape = list(x.shape)
    if kind == 1:
        shape[draw.randrange(len(shape))] += draw.choice((-1, 1, 16, 128))
    else:
        shape = draw.choice((shape[1:], [1, *shape], [*shape, 2], [1, 1, *shape]))
    return torch.zeros(shape).to(x.dtype)


def alike(of_fake, of_real):
    """The same words; what the real kernel can't tell before it looks for a kernel is left out."""
    return of_fake == of_real or of_real is None


@pytest.mark.parametrize("name", calls())
def test_fake_kernels_refuse_what_the_real_ones_do(launched, name):
    draw, refused = random.Random(name), 0
    for _ in range(60):
        real, fake, arguments, options = calls()[name]
        if draw.random() < 0.15:
            options = {**options, draw.choice(("num_sms", "expected_m") if "gemm_m" in name else ("num_sms",)): draw.choice((-1, 2**40))}
        else:
            changing = draw.choice(list(arguments))
            arguments[changing] = changed(draw, arguments[changing]) if arguments[changing] is not None else None
        of_fake, of_real = outcome(fake, arguments.values(), options), outcome(real, on_device(arguments), options)
        refused += isinstance(of_real, tuple)
        assert alike(described(of_fake), described(of_real)), arguments.keys()
    assert refused > 30


def test_fake_kernels_of_wrong_words():
    _, fake, arguments, _ = calls()["grouped_gemm_contiguous"]
    for message, options in (("expected 'by' to be \"index\"", dict(by="ends")), (r"expected 'align' in \[1, ", dict(align=0)),
                             ("expected 'expected_m' in", dict(expected_m=-1))):
        with pytest.raises(ValueError, match=message):
            fake(*arguments.values(), **options)
    with pytest.raises(TypeError, match="expected 'dtype' to be bfloat16 or float32, got torch.float16"):
        fake(*arguments.values(), dtype=torch.float16)


@needs_cuda
def test_traced_arguments():
    """On fake tensors, as torch.compile and torch.export call them."""
    from torch._subclasses.fake_tensor import FakeTensorMode

    ops = torch.ops.fp8gemm
    with FakeTensorMode():
        for name, (_, _, arguments, options) in calls().items():
            made = [x if x is None else torch.empty_strided(x.shape, x.stride(), dtype=x.dtype, device="cuda") for x in arguments.values()]
            op = {"by end": ops.grouped_gemm_contiguous, "with a bias": of_last("bias", ops.gemm), "with factors": of_last("row_scale", ops.gemm),
                  "groups with a bias": of_last("bias", ops.grouped_gemm_contiguous), "groups with factors": of_last("row_scale", ops.grouped_gemm_masked), "gated": ops.grouped_gemm_masked,
                  "groups plus c": ops.grouped_gemm_contiguous, "masked plus c": ops.grouped_gemm_masked_out, "gated_out": ops.gemm_out, "contiguous_quantized": ops.grouped_gemm_contiguous_quantized,
                  "masked_quantized": ops.grouped_gemm_masked_quantized}.get(name) or getattr(ops, name)
            d = op(*made, **options)
            if name.endswith("quantized"):
                assert [x.dtype for x in d] == [E4M3, F32] and d[0].is_contiguous() and d[1].shape == (*d[0].shape[:-1], d[0].shape[-1] // 128)
            elif d is not None:
                assert d.device == made[0].device and d.dtype == BF16 and d.is_contiguous()
                assert "plus c" in name or op(*made, **options, dtype=F32).dtype == F32
            for wrong, message in ((made[1].cpu(), "expected 'sfa' on a CUDA device, got cpu"),
                                   (torch.empty_strided(made[1].shape, made[1].stride(), device="cuda:1"),
                                    "expected 'sfa' on the device of 'a', cuda:0, got cuda:1"),
                                   (made[1].half(), "expected 'sfa' of float32, got float16")):
                with pytest.raises((TypeError, ValueError), match=message):
                    op(made[0], wrong, *made[2:], **options)


@pytest.mark.parametrize("name, vector", [
    ("with a bias", torch.zeros(257, dtype=BF16)[1:]), ("with a bias", torch.zeros(256, 2, dtype=BF16)[:, 1]), ("with factors", torch.zeros(16, 3)[:, 2]),
    ("groups with a bias", torch.zeros(512)[1::2]), ("groups with factors", torch.zeros(16, 3).T)])
def test_vectors_as_they_are_stored(launched, name, vector):
    real, _, arguments, options = calls()[name]
    real(*on_device({**arguments, next(reversed(arguments)): vector}), **options)
    assert len(launched.launches) == 1


@pytest.mark.parametrize("message, d", [
    ("expected 'd' row-major", lambda: torch.zeros(256, 16, dtype=BF16).T),
    (r"expected strides of 'd' to be multiples of 16 bytes \(8 elements\), got \(260, 1\)", lambda: torch.zeros(16, 260, dtype=BF16)[:, :256])])
def test_results_as_they_can_not_be_stored(launched, message, d):
    real, fake, arguments, _ = calls()["gemm_out"]
    arguments["d"] = d()
    with pytest.raises(ValueError, match=message):
        fake(*arguments.values())
    with pytest.raises(ValueError, match="expected 'd' row-major|expected the leading dimension of 'd' to be a multiple of 16 bytes"):
        real(*on_device(arguments))
    assert launched.launches == []


@needs_cuda
def test_sizes_as_symbols():
    from torch.fx.experimental.proxy_tensor import make_fx
    from torch._subclasses.fake_tensor import FakeTensorMode
    from torch.fx.experimental.symbolic_shapes import ShapeEnv

    def tokens(values, sfa, b, sfb, chosen):
        kept = chosen.nonzero()[:, 0]  # a number of rows that only the data tells
        return torch.ops.fp8gemm.gemm(values[kept], sfa[kept], b, sfb)

    _, _, arguments, _ = calls()["gemm"]
    with FakeTensorMode(shape_env=ShapeEnv(allow_dynamic_output_shape_ops=True), allow_non_fake_inputs=True):
        made = [torch.empty_strided(x.shape, x.stride(), dtype=x.dtype, device="cuda") for x in arguments.values()]
        chosen = torch.zeros(16, device="cuda")
        assert "fp8gemm.gemm" in str(make_fx(tokens, tracing_mode="symbolic")(*made, chosen).graph)
        with pytest.raises(ValueError, match="expected 'sfa' of shape"):
            make_fx(torch.ops.fp8gemm.gemm, tracing_mode="symbolic")(made[0], made[1][:7], *made[2:])


VIEWS = {"sfa": {"a slice of rows": lambda x: ft.mn_major(torch.rand(x.shape[-2] + 3, 2))[3:],
                 "each second block": lambda x: torch.rand(x.shape[-2], 4)[:, ::2],
                 "MN-major, odd steps": lambda x: torch.rand(2, x.shape[-2] + 1).T[1:],
                 "one row for all": lambda x: torch.rand(1, 2).expand(x.shape[-2], 2)},
         "a": {"transposed": lambda x: x.T.contiguous().T, "begins at 4": lambda x: fp8(16 * 256 + 4)[4:].view(16, 256),
               "520 apart": lambda x: fp8(16, 520)[:, :256], "one row for all": lambda x: x[:1].expand(16, 256)},
         "sfb": {"transposed": lambda x: x.T.contiguous().T, "each second": lambda x: torch.rand(4, 4)[::2, ::2]}}


@pytest.mark.parametrize("name, view", [(name, view) for name in VIEWS for view in VIEWS[name]])
def test_views_that_are_read_are_copied(launched, name, view):
    """Operators take any strides, and memory from anywhere on, of what they read."""
    real, fake, arguments, _ = calls()["gemm"]
    arguments[name] = VIEWS[name][view](arguments[name])
    space = on_cuda(torch.zeros(1 << 20, dtype=torch.uint8))
    given = list(arguments.values())
    for i, x in enumerate(given):  # where they begin counts, too
        begin = i * (1 << 18) + x.storage_offset() * x.element_size() % 16
        given[i] = filled(space[begin:][:(1 << 17)].view(x.dtype).as_strided(x.shape, x.stride()), x)
        assert isinstance(given[i], OnCuda)
    assert real(*given).shape == fake(*arguments.values()).shape == (16, 256)
    launch, = launched.launches
    a, _, sfa = launched.maps[:3]
    assert a["address"] % 16 == 0 and sfa["address"] % 16 == 0 and a["strides"][0] % 16 == 0 and sfa["strides"][0] % 16 == 0


def test_views_of_other_operands_are_copied(launched):
    real, _, arguments, _ = calls()["grouped_gemm_masked"]
    arguments.update(a=fp8(16, 3, 264)[:, :, :256].transpose(0, 1), b=fp8(3, 256, 256).mT.contiguous().mT,
                     counts=torch.zeros(6, dtype=I32)[::2], sfa=mn_major(3, 17, 2)[:, 1:], sfb=torch.rand(2, 2).expand(3, 2, 2))
    real(*on_device(arguments))
    real, _, arguments, _ = calls()["grouped_gemm_k_add_"]
    arguments.update(lengths=torch.zeros(6, dtype=I32)[::2], sfa=torch.rand(128, 4), sfb=mn_major(257, 4)[1:])
    given = on_device(arguments)
    real(*given)
    assert len(launched.launches) == 2

