# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""All functions on a Hopper GPU, element by element against float64; graphs, torch.compile, threads and streams."""

import os
import shutil
import threading

import pytest

os.environ.setdefault("XLA_PYTHON_CLIENT_PREALLOCATE", "false")

torch = pytest.importorskip("torch")

import fp8gemm  # noqa: E402
import fp8gemm.deep_gemm as dg  # noqa: E402
import fp8gemm.torch as ft  # noqa: E402
from conftest import GPU_PACK, has_hopper  # noqa: E402
from gpu_reference import check, exact, operands, random  # noqa: E402

pytestmark = [pytest.mark.skipif(not has_hopper(), reason="needs a Hopper GPU"),
              pytest.mark.skipif(not GPU_PACK.exists(), reason=f"needs {GPU_PACK.name} (stage_gpu_tests.sh)")]

G, N, K = 4, 1024, 1536  # of the groups of rows
BF16, F32 = torch.bfloat16, torch.float32


@pytest.fixture(scope="module")
def pack():
    pack = fp8gemm.load(GPU_PACK)
    pack.load(torch.device("cuda", 0))
    fp8gemm.set_pack(pack)
    dg.use(pack)
    yield pack
    fp8gemm.set_pack(None)


def nan(*shape, dtype=BF16):
    return torch.full(shape, float("nan"), device="cuda", dtype=dtype)


MS = [1, 3, 64, 129, 777, 4096]
DENSE = [dict(n=2112, k=7168), dict(n=7168, k=2048), dict(n=576, k=528, layout="k_major"),
         dict(n=1024, k=512, a_type=torch.float8_e5m2)]


@pytest.mark.parametrize("m", MS)
@pytest.mark.parametrize("problem", DENSE, ids=lambda p: f"n{p['n']}k{p['k']}")
def test_gemm(pack, m, problem):
    a, b = operands(m, **problem)
    d = nan(m, problem["n"], dtype=F32 if "a_type" in problem else BF16)
    assert pack.gemm(*a, *b, d) is d
    check(d, a, b)
    again = pack.gemm(*a, *b, d_type="f32" if "a_type" in problem else None)
    assert torch.equal(again, d)


@pytest.mark.parametrize("m", [1, 129, 1000])
def test_gemm_adds(pack, m):
    a, b = operands(m, 1536, 1024)
    c = random(m, 1536, seed=9).to(BF16)
    check(pack.gemm(*a, *b, c=c), a, b, c)
    a, b = operands(m, 2112, 4096, by_row=True)
    d = random(m, 2112, seed=9)
    c = d.clone()
    pack.gemm(*a, *b, d, d)
    check(d, a, b, c)


def test_strided_operands(pack):
    m, n, k = 200, 2112, 7168
    (a, sfa), b = operands(m, n, k)
    wide, out = torch.zeros(m, k + 256, dtype=a.dtype, device="cuda"), nan(m, n + 64)
    wide[:, 128:128 + k] = a
    d = out[:, :n]
    pack.gemm(wide[:, 128:128 + k], sfa, *b, d)
    check(d, (a, sfa), b)
    assert out[:, n:].isnan().all()


def test_options_keep_the_bits(pack):
    a, b = operands(4096, 2112, 7168)
    d = pack.gemm(*a, *b)
    for options in (dict(num_sms=60), dict(dependent=True), dict(stream=torch.cuda.current_stream()), dict(stream=0)):
        torch.cuda.synchronize()
        again = pack.gemm(*a, *b, **options)
        torch.cuda.synchronize()
        assert torch.equal(again, d)


def test_batch_invariance(pack):
    (a, sfa), b = operands(1000, 2112, 7168)
    d = pack.gemm(a, sfa, *b, batch_invariant=True)
    check(d, (a, sfa), b)
    for rows in (slice(0, 1), slice(7, 40), slice(300, 600)):
        part = pack.gemm(a[rows], ft.mn_major(sfa[rows].contiguous()), *b, batch_invariant=True)
        assert torch.equal(part, d[rows])


@pytest.mark.parametrize("m", [1, 7, 64, 129, 1000])
def test_bias(pack, m):
    a, b = operands(m, 1024, 512)
    bias = 8 * random(1024, seed=3).to(BF16)
    d = pack.gemm(*a, *b, nan(m, 1024), bias=bias)
    check(d, a, b, bias=bias)
    assert torch.equal(pack.gemm(*a, *b, bias=bias), d)
    # The last columns of a tile are beyond those of D.
    a, b = operands(m, 1032, 528, layout="k_major")
    bias = 8 * random(1040, seed=4)[2:1034]
    check(pack.gemm(*a, *b, nan(m, 1032, dtype=F32), bias=bias), a, b, bias=bias)
    a, b = operands(m, 1536, 1024)
    c, bias = 8 * random(m, 1536, seed=5).to(BF16), 8 * random(1536, seed=6)
    check(pack.gemm(*a, *b, nan(m, 1536), c, bias=bias), a, b, c, bias)
    d, bias = 8 * random(m, 1536, seed=7), bias.to(BF16)
    c = d.clone()
    check(pack.gemm(*a, *b, d, d, bias=bias), a, b, c, bias)


@pytest.mark.parametrize("by, dtype", [("index", BF16), ("end", F32)])
def test_bias_of_groups(pack, by, dtype):
    m, starts, sizes = 512, [0, 256, 256, 384], [200, 0, 128, 77]
    a, b, d, bias = ft.quantize_per_token(random(m, K)), experts(), nan(m, N), 8 * random(N, seed=8).to(dtype)
    groups = torch.full((m,), -1, dtype=torch.int32, device="cuda")
    for group, (start, size) in enumerate(zip(starts, sizes)):
        groups[start:start + size] = group
    ends = torch.tensor([start + size for start, size in zip(starts, sizes)], dtype=torch.int32, device="cuda")
    pack.grouped_gemm_contiguous(*a, *b, ends if by == "end" else groups, d, by=by, bias=bias)
    for group, (start, size) in enumerate(zip(starts, sizes)):
        rows = slice(start, start + size)
        check(d[rows], (a[0][rows], a[1][rows]), of_group(b, group), bias=bias)
    assert d[groups < 0].isnan().all()


def test_bias_masked_and_batched(pack):
    m, counts = 256, [200, 0, 256, 1]
    a, b, d, bias = ft.quantize_per_token(random(G, m, K)), experts(), nan(G, m, N), 8 * random(N, seed=9)
    pack.grouped_gemm_masked(*a, *b, torch.tensor(counts, dtype=torch.int32, device="cuda"), d, bias=bias)
    every = pack.grouped_gemm_masked(*a, *b, None, bias=bias.to(BF16))
    for group, count in enumerate(counts):
        check(d[group, :count], (a[0][group, :count], a[1][group, :count]), of_group(b, group), bias=bias)
        check(every[group], of_group(a, group), of_group(b, group), bias=bias.to(BF16))
        assert d[group, count:].isnan().all()


def experts():
    return ft.quantize_per_block(random(G, N, K, seed=5))


def of_group(pair, group):
    return pair[0][group], pair[1][group]


@pytest.mark.parametrize("by", ["index", "end"])
def test_contiguous(pack, by):
    sizes = [200, 0, 128, 77]
    starts = [0, 256, 256, 384]
    m = 512
    a, b, d = ft.quantize_per_token(random(m, K)), experts(), nan(m, N)
    ends = torch.tensor([start + size for start, size in zip(starts, sizes)], dtype=torch.int32, device="cuda")
    groups = torch.full((m,), -1, dtype=torch.int32, device="cuda")
    for group, (start, size) in enumerate(zip(starts, sizes)):
        groups[start:start + size] = group
    pack.grouped_gemm_contiguous(*a, *b, ends if by == "end" else groups, d, by=by, check_groups=True)
    through_ours = nan(m, N)
    dg.m_grouped_fp8_gemm_nt_contiguous(a, b, through_ours, ends if by == "end" else groups, use_psum_layout=by == "end")
    for group, (start, size) in enumerate(zip(starts, sizes)):
        rows = slice(start, start + size)
        check(d[rows], (a[0][rows], a[1][rows]), of_group(b, group))
        assert torch.equal(through_ours[rows], d[rows])
    assert d[groups < 0].isnan().all()


def test_masked_and_batched(pack):
    m, counts = 256, [200, 0, 256, 1]
    a, b, d = ft.quantize_per_token(random(G, m, K)), experts(), nan(G, m, N)
    on_device = torch.tensor(counts, dtype=torch.int32, device="cuda")
    pack.grouped_gemm_masked(*a, *b, on_device, d, expected_m=128)
    through_ours = nan(G, m, N)
    dg.m_grouped_fp8_gemm_nt_masked((a[0], a[1].contiguous()), b, through_ours, on_device, 128)
    every = pack.grouped_gemm_masked(*a, *b, None)
    for group, count in enumerate(counts):
        check(d[group, :count], (a[0][group, :count], a[1][group, :count]), of_group(b, group))
        check(every[group], of_group(a, group), of_group(b, group))
        assert d[group, count:].isnan().all()
        assert torch.equal(through_ours[group, :count], d[group, :count])


def joined(parts, dimension=0):
    """torch.cat of FP8, as bytes."""
    return torch.cat([part.view(torch.uint8) for part in parts], dimension).view(parts[0].dtype)


def k_groups(lengths, m=512, n=768):
    """The sides of each group, as (values, scales) pairs, and the lengths on the device."""
    sides = [[ft.quantize_per_token(random(rows, k, seed=rows + i)) for i, k in enumerate(lengths) if k]
             for rows in (m, n)]
    return sides, torch.tensor(lengths, dtype=torch.int32, device="cuda")


def check_k_groups(d, c, sides, lengths):
    pairs = iter(zip(*sides))
    for group, k in enumerate(lengths):
        if k:
            check(d[group], *next(pairs), c[group])
        else:
            assert torch.equal(d[group], c[group])


def test_k_groups_side_by_side(pack):
    lengths = [272, 0, 1024, 128]
    sides, on_device = k_groups(lengths)
    operands = [part for side in sides for part in
                (joined([values for values, _ in side], 1), ft.mn_major(torch.cat([scales for _, scales in side], 1)))]
    d = random(G, 512, 768, seed=3)
    c = d.clone()
    pack.grouped_gemm_k(*operands, on_device, d, d)
    check_k_groups(d, c, sides, lengths)


def test_k_groups_flat(pack):
    lengths = [256, 0, 1024, 128]
    sides, on_device = k_groups(lengths)
    (a, sfa), (b, sfb) = [(joined([values.flatten() for values, _ in side]),
                           ft.mn_major(torch.cat([scales for _, scales in side], 1))) for side in sides]
    c = random(G, 512, 768, seed=3)
    d = c.clone()
    pack.grouped_gemm_k(a, sfa, b, sfb, on_device, d, d)
    check_k_groups(d, c, sides, lengths)
    through_ours = torch.empty_like(c)
    dg.k_grouped_fp8_gemm_nt_contiguous((a, sfa), (b, sfb), through_ours, lengths, on_device, c)
    assert torch.equal(through_ours, d)


def test_deep_gemm_einsum(pack):
    """Heads of a token beside each other, scales as engines store them: token by token, or MN-major."""
    m = 77
    a, b = ft.quantize_per_token(random(G, m, K)), experts()
    heads = a[0].transpose(0, 1).contiguous(), a[1].transpose(0, 1).contiguous()
    for sfa in (heads[1], dg.get_mn_major_tma_aligned_tensor(a[1]).transpose(0, 1)):
        d = nan(m, G, N)
        dg.fp8_einsum("bhr,hdr->bhd", (heads[0], sfa), b, d)
        for group in range(G):
            check(d[:, group], of_group(a, group), of_group(b, group))


def test_deep_gemm_bf16(pack):
    a, b, c = random(77, 512).to(BF16), random(256, 512, seed=1).to(BF16), random(77, 256, seed=2)
    wanted = a.double() @ b.double().T
    for dtype, tolerance in ((BF16, 2**-7), (F32, 2**-14)):
        for added in (None, c.to(dtype)):
            d = nan(77, 256, dtype=dtype)
            dg.bf16_gemm_nn(a, b.T, d, c=added)
            expected = wanted if added is None else wanted + added.double()
            assert (d.double() - expected).abs().max() <= tolerance * expected.abs().max()


def test_deep_gemm_loads_with_the_pack(pack):
    """The first launch after use() can be captured."""
    a, b = operands(33, 2112, 7168)
    d, graph = nan(33, 2112), torch.cuda.CUDAGraph()
    with fp8gemm.load(GPU_PACK) as fresh:
        dg.use(fresh)
        with torch.cuda.graph(graph):
            dg.fp8_gemm_nt(a, b, d)
        graph.replay()
        torch.cuda.synchronize()
        dg.use(pack)
        check(d, a, b)
        del graph


def test_deep_gemm_dense(pack):
    a, b = operands(777, 2112, 7168)
    d = nan(777, 2112)
    dg.fp8_gemm_nt((a[0], a[1].contiguous()), b, d)
    check(d, a, b)
    for name, left, right in (("nn", a, (b[0].T, b[1].T)), ("tt", (a[0].T, a[1].T), b),
                              ("tn", (a[0].T, a[1].T), (b[0].T, b[1].T))):
        again = nan(777, 2112)
        getattr(dg, f"fp8_gemm_{name}")(left, right, again)
        assert torch.equal(again, d)
    a, b = operands(777, 2112, 4096, by_row=True)
    c = random(777, 2112, seed=2)
    d = nan(777, 2112, dtype=F32)
    dg.fp8_gemm_nt(a, b, d, c=c, recipe=(1, 1, 128))
    check(d, a, b, c)
    dg.set_num_sms(64)
    assert dg.get_num_sms() == 64
    a, b = operands(4096, 2112, 7168)
    limited, full = nan(4096, 2112), nan(4096, 2112)
    dg.fp8_gemm_nt(a, b, limited)
    dg.set_num_sms(torch.cuda.get_device_properties(0).multi_processor_count)
    dg.fp8_gemm_nt(a, b, full)
    assert torch.equal(limited, full)


@pytest.mark.parametrize("m", [1, 128, 777])
def test_graph(pack, m):
    (a, sfa), (b, sfb) = operands(m, 2112, 7168)
    d = nan(m, 2112)
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        pack.gemm(a, sfa, b, sfb, d)
        made = pack.gemm(a, sfa, b, sfb)
    assert d.isnan().all()
    for seed in (0, 7):
        (new_a, new_sfa), _ = operands(m, 2112, 7168, seed=seed)
        a.copy_(new_a)
        sfa.copy_(new_sfa)
        graph.replay()
        check(d, (new_a, new_sfa), (b, sfb))
        assert torch.equal(made, d)


def test_graph_of_k_groups(pack):
    """Its workspace is the graph's."""
    lengths = [256, 0, 1024, 128]
    sides, on_device = k_groups(lengths)
    (a, sfa), (b, sfb) = [(joined([values.flatten() for values, _ in side]),
                           ft.mn_major(torch.cat([scales for _, scales in side], 1))) for side in sides]
    d = torch.zeros(G, 512, 768, device="cuda")
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        pack.grouped_gemm_k(a, sfa, b, sfb, on_device, d, d)
    graph.replay()
    check_k_groups(d, torch.zeros_like(d), sides, lengths)


@pytest.mark.parametrize("backend", ["aot_eager", "inductor"])
def test_compiled(pack, backend):
    if backend == "inductor" and not shutil.which(os.environ.get("CC", "cc")) and not shutil.which("gcc"):
        pytest.skip("PyTorch's inductor needs a C compiler")
    (_, _), (b, sfb) = operands(1, 2112, 7168)

    def layer(x, out):
        values, sfa = ft.quantize_per_token(x)
        d = torch.ops.fp8gemm.gemm(values, sfa, b, sfb)
        torch.ops.fp8gemm.gemm_out(values, sfa, b, sfb, out)
        return torch.relu(d) + out

    x, out, other = random(200, 7168), nan(200, 2112), nan(200, 2112)
    wanted = layer(x, out)
    got = torch.compile(layer, fullgraph=True, backend=backend)(x, other)
    # The compiled quantisation may round a value to its neighbour; the product is the same function.
    assert (got.float() - wanted.float()).abs().max() <= 0.02 * wanted.abs().max()
    assert (other.float() - out.float()).abs().max() <= 0.02 * out.abs().max()


def test_operators_are_what_they_say(pack):
    """PyTorch's own checks of schemas, fake kernels and mutation."""
    (a, sfa), (b, sfb) = operands(20, 2112, 7168)
    inputs = a.view(torch.uint8), sfa, b.view(torch.uint8), sfb  # its checks can't compare FP8
    torch.library.opcheck(torch.ops.fp8gemm.gemm, inputs)
    torch.library.opcheck(torch.ops.fp8gemm.gemm_out, (*inputs, nan(20, 2112).zero_()))


def test_operators(pack):
    """Their results are the functions' to the bit."""
    ops = torch.ops.fp8gemm
    a, b = operands(129, 1024, 512, a_type=torch.float8_e5m2)
    assert torch.equal(ops.gemm(*a, *b, dtype=F32), pack.gemm(*a, *b, d_type="f32"))
    a, b = operands(129, 1536, 1024)
    c, d = random(129, 1536).to(BF16), nan(129, 1536)
    ops.gemm_out(*a, *b, d, c)
    assert torch.equal(d, pack.gemm(*a, *b, c=c)) and torch.equal(ops.gemm(*a, *b, c), d)
    a, b = operands(129, 2112, 4096, by_row=True)
    d, wanted = torch.ones(129, 2112, device="cuda"), torch.ones(129, 2112, device="cuda")
    ops.gemm_add_(*a, *b, d)
    assert torch.equal(d, pack.gemm(*a, *b, wanted, wanted))
    a, b = ft.quantize_per_token(random(G, 256, K)), experts()
    counts = torch.tensor([256, 128, 256, 256], dtype=torch.int32, device="cuda")
    wanted, d = pack.grouped_gemm_masked(*a, *b, counts, torch.zeros(G, 256, N, device="cuda", dtype=BF16)), nan(G, 256, N)
    ops.grouped_gemm_masked_out(*a, *b, counts, d)
    for got in (d, ops.grouped_gemm_masked(*a, *b, counts)):
        assert torch.equal(got[0], wanted[0]) and torch.equal(got[1, :128], wanted[1, :128])


def test_cupy(pack):
    cupy = pytest.importorskip("cupy")
    a, b = operands(129, 2112, 7168)
    wanted = pack.gemm(*a, *b)
    torch.cuda.synchronize()
    d = cupy.zeros((129, 2112), cupy.uint16)
    out = torch.from_dlpack(d).view(BF16)  # CuPy has no bf16
    arrays = [cupy.from_dlpack(part.view(torch.uint8) if part.element_size() == 1 else part) for part in (*a, *b)]
    pack.gemm(*arrays, out)
    with cupy.cuda.Stream() as stream:
        d.fill(0)
        pack.gemm(*arrays, out, stream=stream)
    cupy.cuda.Device().synchronize()
    assert torch.equal(out, wanted)


def test_jax(pack):
    jax = pytest.importorskip("jax")
    if jax.default_backend() != "gpu":
        pytest.skip("JAX without a GPU")
    torch.cuda.set_device(0)  # JAX makes the last device current as it starts
    a, b = operands(129, 2112, 7168)
    wanted = pack.gemm(*a, *b)
    left, right = jax.numpy.asarray(a[0].float().cpu().numpy()), jax.numpy.asarray(b[0].float().cpu().numpy())
    left, right = left.astype(jax.numpy.float8_e4m3fn), right.astype(jax.numpy.float8_e4m3fn)
    out = nan(129, 2112)
    jax.block_until_ready((left, right))
    pack.gemm(left, a[1], right, b[1], out, stream=torch.cuda.current_stream())
    assert torch.equal(out, wanted)


def test_threads_and_streams(pack):
    """8 threads, each with two streams and another problem on each; each result has the bits of a separate run."""
    problems = [dict(n=2112, k=7168), dict(n=7168, k=2048), dict(n=576, k=528, layout="k_major")]
    cases = []
    for index in range(16):
        a, b = operands(17 + 60 * index, **problems[index % 3], seed=index)
        cases.append((a, b, pack.gemm(*a, *b)))
    torch.cuda.synchronize()
    wrong = []

    def work(number):
        try:
            streams = [torch.cuda.Stream() for _ in range(2)]
            results = []
            for _ in range(50):
                for index, stream in enumerate(streams):
                    a, b, wanted = cases[2 * number + index]
                    with torch.cuda.stream(stream):
                        results.append((pack.gemm(*a, *b), wanted))
            for stream in streams:
                stream.synchronize()
            wrong.extend(1 for got, wanted in results if not torch.equal(got, wanted))
        except BaseException as error:  # to the test's thread
            wrong.append(error)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


def test_thread_without_a_context(pack):
    """The first thing that a thread does with CUDA is a launch."""
    a, b = operands(64, 2112, 7168)
    wanted, d = pack.gemm(*a, *b), nan(64, 2112)
    torch.cuda.synchronize()
    failure = []

    def work():
        try:
            pack.gemm(*a, *b, d, stream=0)
        except BaseException as error:
            failure.append(error)

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    torch.cuda.synchronize()
    assert not failure and torch.equal(d, wanted)


@pytest.mark.skipif(not has_hopper(2), reason="needs two Hopper GPUs")
def test_second_device(pack):
    a, b = operands(64, 2112, 7168)
    wanted = pack.gemm(*a, *b)
    moved = [part.to("cuda:1") for part in (*a, *b)]
    moved[1] = ft.mn_major(moved[1])
    assert torch.cuda.current_device() == 0
    d = pack.gemm(*moved)
    assert d.device.index == 1 and torch.equal(d.cpu(), wanted.cpu()) and torch.cuda.current_device() == 0
    with pytest.raises(ValueError, match="expected 'b' on the device of 'a', cuda:1, got cuda:0"):
        pack.gemm(moved[0], moved[1], *b)


def test_host_tensors_are_refused(pack):
    a, b = operands(4, 2112, 7168)
    with pytest.raises(ValueError, match=r"expected 'b' on a CUDA device, got DLPack's device type 1 \(CPU\)"):
        pack.gemm(*a, b[0].cpu(), b[1])


def test_quantised_as_on_the_host(pack):
    x = random(130, 300)
    for quantize in (ft.quantize_per_token, ft.quantize_per_block):
        for here, there in zip(quantize(x), quantize(x.cpu())):
            assert torch.equal(here.cpu().contiguous().view(torch.uint8), there.contiguous().view(torch.uint8))
    assert exact(*ft.quantize_per_token(x)).shape == x.shape
