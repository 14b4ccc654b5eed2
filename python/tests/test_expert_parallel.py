# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Experts on several ranks: the rows that meet there and the sums that come back, against each token's own experts one after the
other. The ranks are processes without a GPU; products are PyTorch's."""

import functools
import json
import os
import subprocess
import sys
import time

import pytest

torch = pytest.importorskip("torch")

from conftest import COMPILER, Driver  # noqa: E402
from ranks import ReferenceProducts, product, run  # noqa: E402
from torch_arrays import allocate_for_driver, on_cuda  # noqa: E402

import fp8gemm  # noqa: E402
import fp8gemm.expert_parallel as ep  # noqa: E402
import fp8gemm.torch as ft  # noqa: E402
from fp8gemm.expert_parallel._ranks import Pending  # noqa: E402

E4M3, BF16 = torch.float8_e4m3fn, torch.bfloat16
EXPERTS, TOP_K, HIDDEN, WIDTH, MOST = 12, 3, 144, 80, 16
WAYS = "gather", "exchange", "slots"


@functools.cache
def weights():
    """Of all experts: w13, its scales, w2, its scales."""
    random = torch.Generator().manual_seed(0)
    w13 = torch.randn(EXPERTS, 2 * WIDTH, HIDDEN, generator=random)
    w2 = torch.randn(EXPERTS, HIDDEN, WIDTH, generator=random)
    return *ep.quantize_experts(w13), *ep.quantize_experts(w2)


def layer(rank=0, world=1, options={}, products=ReferenceProducts()):
    local = EXPERTS // world
    own = [weight[rank * local:(rank + 1) * local] for weight in weights()]
    experts = ep.Experts(*own, products=products)
    return ep.ExpertParallelMoE(experts, **{**dict(total_experts=EXPERTS, top_k=TOP_K, max_tokens=MOST), **options})


def tokens(rank, count, distribution="any"):
    """x, ids, weights of a rank."""
    random = torch.Generator().manual_seed(100 + rank)
    x = torch.randn(count, HIDDEN, generator=random).to(BF16)
    ids = torch.rand(count, EXPERTS, generator=random).argsort(1)[:, :TOP_K]
    if distribution == "some":
        ids = torch.where(torch.rand(ids.shape, generator=random) < 0.4, -1, ids)
    elif distribution == "last":
        ids = EXPERTS - 1 - torch.arange(TOP_K).expand(ids.shape)
    elif distribution == "none":
        ids = torch.full_like(ids, -1)
    return x, ids.int(), torch.rand(count, TOP_K, generator=random)


def expert(values, scales, number):
    w13, s13, w2, s2 = (weight[number] for weight in weights())
    gate, up = product(values, scales, w13, s13).float().chunk(2, -1)
    return product(*ft.quantize_per_token(gate * torch.sigmoid(gate) * up), w2, s2).float()


def wanted(x, ids, factors, ranks, added=None):
    """The sum of each rank's experts, rounded; these are added in turn. With `ranks` None: one sum, rounded once."""
    out = torch.zeros(x.shape)
    for t in range(len(x)):
        values, scales = ft.quantize_per_token(x[t:t + 1])
        for rank in range(ranks or 1):
            part = torch.zeros(HIDDEN)
            for number, factor in zip(ids[t].tolist(), factors[t]):
                if number >= 0 and (ranks is None or number // (EXPERTS // ranks) == rank):
                    part = part + expert(values, scales, number)[0] * factor
            out[t] = part if ranks is None else out[t] + part.to(BF16).float()
    return (out if added is None else out + added.float()).to(BF16)


def compute(rank, way, counts, distribution, options, settings):
    moe = layer(rank, len(counts), settings)
    return moe(*tokens(rank, counts[rank], distribution), way=way, check=True, **options), int(moe.missed)


def shared(x):
    return (x.float() * 0.5).to(BF16)


# Ranks, their numbers of tokens, and which experts these choose.
CASES = [((5, 5), "any", dict(rows=5)), ((7, 3), "some", {}), ((0, 4), "any", dict(parts=2)), ((6, 6), "last", dict(parts=3, shared=shared)),
         ((3, 1), "none", {}), ((0, 0), "any", {}), ((4, 1, 2), "any", dict(parts=2, shared=shared)), ((MOST,), "some", dict(parts=2))]


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("counts, distribution, options", CASES)
def test_result_is_the_sum_of_the_experts(way, counts, distribution, options):
    for align in (1, 32) if way != "slots" else (1,):
        got = run(len(counts), compute, way, counts, distribution, options, dict(align=align))
        for rank, (count, result) in enumerate(zip(counts, got)):
            assert isinstance(result, tuple), result
            given = tokens(rank, count, distribution)
            extra = shared(given[0]) if "shared" in options else None
            # Of the same bits on any number of ranks as the order of the sums says.
            assert torch.equal(result[0], wanted(*given, None if way == "slots" else len(counts), extra))
            assert result[1] == 0


def nan_tokens(rank):
    x, ids, factors = tokens(rank, 4)
    x[1] = float("nan")
    return layer(rank, 2)(x, ids, factors, way="slots")


def test_tokens_of_nan_use_slots():
    """Their scales are NaN, not those of unused slots: other tokens at the same experts stay what they are."""
    for rank, out in enumerate(run(2, nan_tokens)):
        x, ids, factors = tokens(rank, 4)
        others = [0, 2, 3]
        assert out[1].isnan().all()
        assert torch.equal(out[others], wanted(x, ids, factors, None)[others])


def test_too_few_slots_show():
    x, ids, factors = tokens(0, 8, "last")
    ids[6] = torch.tensor([0, 1, 2])
    moe = layer(options=dict(capacity=5))
    out = moe(x, ids, factors, way="slots")
    fits = [0, 1, 2, 3, 4, 6]  # 7 choose the last experts
    assert torch.equal(out[fits], wanted(x, ids, factors, None)[fits])
    assert out[[5, 7]].isnan().all() and int(moe.missed) == 2


#
# Shapes
#


def shapes_without_data(rank, calls):
    """Calls on tensors that have no data, with the operators of fp8gemm; what needs data raises."""
    from torch._subclasses.fake_tensor import FakeTensorMode
    from torch.testing._internal.distributed.fake_pg import FakeStore

    torch.distributed.destroy_process_group()
    torch.distributed.init_process_group("fake", rank=rank, world_size=2, store=FakeStore())
    ep.ExpertParallelMoE._agree = lambda moe: None  # is not part of a call
    found = []
    with FakeTensorMode():
        local = EXPERTS // 2
        experts = ep.Experts(torch.empty(local, 2 * WIDTH, HIDDEN, dtype=E4M3), torch.empty(local, 2, 2),
                             torch.empty(local, HIDDEN, WIDTH, dtype=E4M3), torch.empty(local, 2, 1))
        moe = ep.ExpertParallelMoE(experts, total_experts=EXPERTS, top_k=TOP_K, max_tokens=MOST)
        x, ids, factors = torch.empty(5, HIDDEN, dtype=BF16), torch.empty(5, TOP_K, dtype=torch.int64), torch.empty(5, TOP_K)
        for way, parts in calls:
            try:
                out = moe(x, ids, factors, way=way, parts=parts)
                found.append((tuple(out.shape), out.dtype))
            except Exception as error:
                found.append(str(error))
    return found


def test_shapes_depend_on_shapes_except_for_exchange():
    calls = [("gather", 1), ("gather", 2), ("slots", 1), ("slots", 2), ("exchange", 1)]
    found, = run(1, shapes_without_data, calls)
    assert found[:4] == [((5, HIDDEN), BF16)] * 4
    assert "local_scalar_dense" in found[4]  # reads a number of rows


#
# DeepEP
#


def deep_ep_rows(counts, capacity, align):
    """Of each expert so many rows; -> expert of each row, x."""
    numbers = [number for number, count in enumerate(counts) for _ in range(count)]
    return numbers, torch.randn(len(numbers), HIDDEN, generator=torch.Generator().manual_seed(1)).to(BF16)


def test_masked_layout_of_deep_ep():
    """low_latency_dispatch(use_fp8=True): values [E, R * n, H], scales [E, R * n, H / 128] stored transposed, int32 counts."""
    counts, most = [3, 0, 5, 1] + [0] * 8, 6
    numbers, x = deep_ep_rows(counts, most, 1)
    values, scales = ft.quantize_per_token(x, layout="k_major")
    a = torch.full((EXPERTS, most, HIDDEN), 448.0).to(E4M3)
    sfa = torch.full((EXPERTS, 2, most), float("nan")).transpose(1, 2)
    for number, count in enumerate(counts):
        rows = [i for i, of in enumerate(numbers) if of == number]
        a[number, :count], sfa[number, :count] = values[rows], scales[rows]
    y = layer().experts.masked(a, sfa, torch.tensor(counts, dtype=torch.int32), expected_m=1)
    assert y.shape == (EXPERTS, most, HIDDEN) and y.dtype == BF16
    for number, count in enumerate(counts):
        assert torch.equal(y[number, :count].float(), expert(a[number, :count], sfa[number, :count], number).to(BF16).float())


def test_expanded_layout_of_deep_ep():
    """dispatch(do_expand=True, expert_alignment=128): values [N, H], row-major scales [N, H / 128], aligned ends."""
    counts, align = [3, 0, 130, 1] + [0] * 7 + [2], 128
    numbers, x = deep_ep_rows(counts, None, align)
    values, scales = ft.quantize_per_token(x, layout="k_major")
    starts, ends, last = [], [], 0
    for count in counts:
        starts.append(-(-last // align) * align)
        last = starts[-1] + count
        ends.append(last)
    rows = -(-last // align) * align
    a, sfa = torch.full((rows, HIDDEN), 448.0).to(E4M3), torch.full((rows, 2), float("nan"))
    place = torch.tensor([start + i for start, count in zip(starts, counts) for i in range(count)])
    a.view(torch.uint8)[place], sfa[place] = values.view(torch.uint8), scales
    y = layer().experts.contiguous(a, sfa, torch.tensor(ends, dtype=torch.int32), align=align)
    want = torch.stack([expert(values[i:i + 1], scales[i:i + 1], number)[0] for i, number in enumerate(numbers)])
    assert torch.equal(y[place].float(), want.to(BF16).float())


#
# What goes wrong
#


def texts(results):
    assert all(isinstance(result, Exception) for result in results), results
    return [str(result) for result in results]


def construct(rank, world, of_rank):
    return bool(layer(rank, world, of_rank.get(rank, {})))


@pytest.mark.parametrize("world, settings, error", [
    (2, {0: dict(max_tokens=8), 1: {}}, "expected the same 'max_tokens' on all ranks, got 8 on rank 0 and 16 on rank 1"),
    (2, {1: dict(top_k=2)}, "expected the same 'top_k' on all ranks, got 3 on rank 0 and 2 on rank 1"),
    (3, {2: dict(align=32)}, "expected the same 'align' on all ranks, got 1 on rank 0 and 32 on rank 2"),
    (2, {1: dict(total_experts=13)}, "expected 'total_experts' to be a multiple of the number of ranks, 2, got 13"),
    (2, {1: dict(capacity=17)}, "expected 'capacity' of at most 'max_tokens' = 16, got 17"),
    (2, {0: dict(total_experts=24), 1: dict(total_experts=24)}, "expected 24 / 2 = 12 'experts' on each rank, got 6"),
    (2, {1: dict(max_tokens=0)}, "expected 'max_tokens' to be a positive integer, got 0")])
def test_settings_that_are_wrong_on_one_rank_are_errors_on_all(world, settings, error):
    for rank, text in enumerate(texts(run(world, construct, world, settings))):
        at_fault = f"expected legal settings on every rank, got on rank {max(settings)}: {error}"
        assert text.startswith((error, at_fault)), text


def call(rank, world, of_rank):
    moe = layer(rank, world)
    options = dict(of_rank.get(rank, {}))
    x, ids, factors = tokens(rank, options.pop("count", 4))
    ids[0, 0] = options.pop("id", 0)
    return moe(x.to(options.pop("type", BF16)), ids, factors, check=True, **options)


@pytest.mark.parametrize("calls, error", [
    ({1: dict(rows=8)}, "expected the same 'rows' on all ranks, got 16 on rank 0 and 8 on rank 1"),
    ({0: dict(way="slots")}, "expected the same 'way' on all ranks, got slots on rank 0 and gather on rank 1"),
    ({1: dict(way="slot")}, "expected 'way' to be one of gather, exchange, slots, got 'slot'"),
    ({1: dict(count=17)}, "expected T <= rows <= max_tokens = 16, got T = 17 and rows = 16"),
    ({1: dict(parts=17)}, "expected 'parts' from 1 to rows = 16, got 17"),
    ({1: dict(id=EXPERTS)}, f"expected 'ids' from -1 to {EXPERTS - 1}, got 0 to {EXPERTS}"),
    ({1: dict(type=torch.int32)}, f"expected 'x' of shape [T, H] = (4, {HIDDEN}), of bfloat16")])
def test_calls_that_are_wrong_on_one_rank_are_errors_on_all(calls, error):
    for text in texts(run(2, call, 2, calls)):
        assert text.startswith(error) or text.startswith(f"expected a legal call on every rank, got on rank {max(calls)}: {error}"), text


def fails(rank, way, how):
    moe = layer(rank, 2)
    x, ids, factors = tokens(rank, 4)
    if rank == 1:
        if how == "dies":
            os._exit(3)
        time.sleep(30)
    started = time.monotonic()
    try:
        moe(x, ids, factors, way=way)
    except RuntimeError as error:
        return str(error), time.monotonic() - started


@pytest.mark.parametrize("way, collective", [("gather", "gathering of rows"), ("exchange", "exchange of sizes"), ("slots", "exchange of slots")])
@pytest.mark.parametrize("how", ("dies", "hangs"))
def test_a_rank_that_fails_is_an_error_on_the_others(way, collective, how):
    (text, seconds), = run(2, functools.partial(fails, way=way, how=how), timeout=1, awaited=1)
    assert text.startswith(f"expected every rank to take part in the {collective} within the group's time-out, got: ")
    assert seconds < 10


@pytest.mark.parametrize("name, index, error", [
    ("w13", 0, "expected 'w13' of shape [E, 2I, H] = (12, 160, 144) and float8_e4m3fn, got (12, 159, 144) of float8_e4m3fn"),
    ("w13_scales", 1, "expected 'w13_scales' of shape [E, ceil(2I/128), ceil(H/128)] = (12, 2, 2) and float32, got (12, 1, 2) of float32"),
    ("w2", 2, "expected 'w2' of shape [E, H, I] = (12, 144, 80) and float8_e4m3fn, got (12, 143, 80) of float8_e4m3fn")])
def test_weights_of_a_wrong_shape(name, index, error):
    given = list(weights())
    given[index] = given[index][:, :-1]
    with pytest.raises(ValueError) as raised:
        ep.Experts(*given)
    assert str(raised.value) == error


#
# Kernels
#


class OnDriver(ep.Products):
    """fp8gemm's functions for tensors on the fake driver, which computes nothing."""

    def contiguous(self, *operands, **options):
        return torch.zeros(fp8gemm.grouped_gemm_contiguous(*map(on_cuda, operands), by="end", **options).shape)

    def masked(self, *operands, **options):
        return torch.zeros(fp8gemm.grouped_gemm_masked(*map(on_cuda, operands), **options).shape)


class OneOfTwo:
    """The first of two ranks, to which the other one sends what it is sent."""

    size, rank, alone = 2, 0, False

    def every(self, fact, name=""):
        return [fact, fact]

    def exchange(self, name, rows, sent=None, received=None):
        return Pending(name, rows)


@pytest.mark.parametrize("ranks", (1, 2))
def test_pack_of_the_problems_has_what_is_asked(ranks, fake_driver, tmp_path, monkeypatch):
    if not COMPILER.exists():
        pytest.skip("no fp8gemm-compile")
    problems = ep.problems(EXPERTS // ranks, HIDDEN, WIDTH, ranks=ranks, max_m=16)
    assert [problem.get("weights") for problem in problems if problem["groups"] > EXPERTS // ranks] == [EXPERTS // 2] * 2 * (ranks > 1)
    (tmp_path / "list.json").write_text(json.dumps({"gpu": "h200-sxm", "problems": problems}))
    subprocess.run([COMPILER, f"--pack={tmp_path}/list.json", "-o", tmp_path / "moe.fp8pack", "--quiet"], check=True,
                   env={"FP8GEMM_VENV": sys.prefix, **os.environ})
    pack = fp8gemm.load(tmp_path / "moe.fp8pack")
    pack.load(0)
    allocate_for_driver(monkeypatch)
    fp8gemm.set_pack(pack)
    driver = Driver(fake_driver)
    try:
        if ranks > 1:
            monkeypatch.setattr(ep, "Ranks", lambda group: OneOfTwo())
        moe = layer(world=ranks, products=OnDriver())
        for launches, way in enumerate(WAYS if ranks == 1 else ("slots",)):
            assert moe(*tokens(0, 5), way=way).shape == (5, HIDDEN)
            assert len(driver.launches) == 2 * (launches + 1)
    finally:
        fp8gemm.set_pack(None)
        pack.close()
