# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""What reaches the launch of one product, and what is refused before it."""

import gc
import sys
import threading
from dataclasses import dataclass

import ml_dtypes
import numpy as np
import pytest
from arrays import IS_COPIED, READ_ONLY, CapsuleArray, ExchangeArray, FakeArray, ManagedArray, aligned, columns, rows

import fp8gemm

E4M3, E5M2, BF16, F32 = ml_dtypes.float8_e4m3fn, ml_dtypes.float8_e5m2, ml_dtypes.bfloat16, np.float32


@dataclass
class Operands:
    """Of the first problem: n = k = 256."""

    a: object
    sfa: object
    b: object
    sfb: object
    d: object

    def __iter__(self):
        return iter((self.a, self.sfa, self.b, self.sfb, self.d))


def operands(library=ExchangeArray, m=12, **changes):
    made = dict(a=rows((m, 256), E4M3), sfa=columns((m, 2), F32), b=rows((256, 256), E4M3), sfb=rows((2, 2), F32),
                d=rows((m, 256), BF16))
    made.update(changes)
    return Operands(**{name: values if isinstance(values, FakeArray) else library(values) for name, values in made.items()})


@pytest.mark.parametrize("library", [ExchangeArray, CapsuleArray, ManagedArray])
def test_operands_reach_the_launch(pack, driver, library):
    driver.reset([8, 8, 8, 8, 4, 8, 4])  # a, b, sfa; sfb and its leading dimension; d; M
    o = operands(library)
    assert pack.gemm(*o, stream=0) is o.d
    a, b, sfa, d = (driver.maps[i] for i in (0, 1, 2, 3))
    assert [x["address"] for x in (a, b, sfa, d)] == [x.address for x in (o.a, o.b, o.sfa, o.d)]
    assert a["extents"] == [256, 12] and b["extents"] == [256, 256] and d["extents"] == [256, 12]
    assert sfa["extents"] == [12, 2] and sfa["strides"] == [48]
    launch, = driver.launches
    assert launch["params"][3:5] == [o.sfb.address, 2] and launch["params"][6] == 12
    assert launch["stream"] == 0 and not launch["dependent"]


def test_leading_dimensions_are_strides(pack, driver):
    o = operands(a=rows((12, 512), E4M3)[:, :256], b=rows((256, 272), E4M3)[:, :256],
                 sfa=columns((20, 2), F32)[:12], d=rows((12, 264), BF16)[:, :256])
    pack.gemm(*o)
    assert [x["strides"][0] for x in driver.maps] == [512, 272, 80, 528]


def test_row_major_scales_find_their_kernel(pack, driver):
    a, b = ExchangeArray(rows((5, 384), E4M3)), ExchangeArray(rows((192, 384), E4M3))
    sfa, sfb = ExchangeArray(rows((5, 3), F32)), ExchangeArray(rows((2, 3), F32))
    d = pack.gemm(a, sfa, b, sfb)
    assert d.values.shape == (5, 192) and d.values.dtype == BF16
    assert [x["address"] for x in driver.maps] == [a.address, b.address, d.address]


def test_ambiguous_scales_are_what_the_pack_has(pack, driver):
    # One K block: a column is both, and so is sfb. The pack has mn_major and k_major of them.
    a, b = ExchangeArray(rows((5, 128), E4M3)), ExchangeArray(rows((128, 128), E4M3))
    pack.gemm(a, ExchangeArray(rows((5, 1), F32)), b, ExchangeArray(rows((1, 1), F32)))
    assert driver.maps[2]["extents"] == [5, 1]
    # And one of both kinds, each the other way.
    driver.reset([8, 8, 8, 4, 8, 4, 8, 4])  # a, b; sfa and its leading dimension, sfb and its; d; M
    sfa, sfb = ExchangeArray(rows((5, 1), F32)), ExchangeArray(rows((3, 1), F32))
    pack.gemm(a, sfa, ExchangeArray(rows((320, 128), E4M3)), sfb)
    assert driver.launches[0]["params"][2:6] == [sfa.address, 1, sfb.address, 4]


def test_one_row(pack, driver):
    # Strides of a dimension of one mean nothing.
    a = np.lib.stride_tricks.as_strided(rows((1, 256), E4M3), strides=(1, 1))
    o = operands(m=1, a=a, sfa=columns((4, 2), F32)[:1])
    pack.gemm(*o)
    assert driver.maps[0]["extents"] == [256, 1] and driver.maps[2]["strides"] == [16]


def test_c_in_place_and_apart(pack, driver):
    # 1d1d, d += ...
    a, b = ExchangeArray(rows((8, 256), E4M3)), ExchangeArray(rows((256, 256), E4M3))
    sfa, sfb = ExchangeArray(columns((8, 2), F32)), ExchangeArray(columns((256, 2), F32))
    d = ExchangeArray(rows((8, 256), F32))
    assert pack.gemm(a, sfa, b, sfb, d, d) is d
    with pytest.raises(fp8gemm.NotInPackError, match='"c": "apart"'):
        pack.gemm(a, sfa, b, sfb, d, ExchangeArray(rows((8, 256), F32)))
    # 1d2d, d = c + ..., allocated
    driver.reset()
    a, b = ExchangeArray(rows((5, 384), E4M3)), ExchangeArray(rows((192, 384), E4M3))
    sfa, sfb = ExchangeArray(rows((5, 3), F32)), ExchangeArray(rows((2, 3), F32))
    c = ExchangeArray(rows((5, 192), F32))
    d = pack.gemm(a, sfa, b, sfb, c=c, d_type="f32")
    assert d is not c and d.values.dtype == F32
    assert len(driver.launches) == 1


def test_bias_reaches_the_launch(pack, driver):
    driver.reset([8, 8, 8, 8, 4, 8, 8, 4])  # as above; the bias is after d
    bias = ExchangeArray(rows((256,), BF16))
    o = operands()
    assert pack.gemm(*o, bias=bias) is o.d
    launch, = driver.launches
    assert launch["params"][6] == bias.address


def test_row_scale_reaches_the_launch(pack, driver):
    driver.reset([8, 8, 8, 8, 4, 8, 8, 4, 4])  # as above; the column and its leading dimension are after d
    row_scale = ExchangeArray(rows((12,), F32))
    o = operands()
    assert pack.gemm(*o, row_scale=row_scale) is o.d
    launch, = driver.launches
    assert launch["params"][6:9] == [row_scale.address, 1, 12]


BAD_ROW_SCALE = [
    (ValueError, r"expected 'row_scale' of shape \[M\] = \(12,\), got \(256,\)", rows((256,), F32)),
    (ValueError, r"expected 'row_scale' of 1 dimensions, got shape \(12, 1\)", rows((12, 1), F32)),
    (ValueError, r"expected 'row_scale' to be contiguous, got a stride of 2", rows((24,), F32)[::2]),
    (TypeError, r"expected 'row_scale' of float32, got bfloat16", rows((12,), BF16)),
]


@pytest.mark.parametrize("error, message, row_scale", BAD_ROW_SCALE, ids=[message[:40] for _, message, _ in BAD_ROW_SCALE])
def test_bad_row_scale(pack, driver, error, message, row_scale):
    with pytest.raises(error, match=message):
        pack.gemm(*operands(), row_scale=ExchangeArray(row_scale))
    assert not driver.launches


def test_gated_d_has_half_of_the_columns(pack, driver):
    with pytest.raises(ValueError, match=r"expected 'd' of shape \[M, N/2\] = \(12, 128\), got \(12, 256\)"):
        pack.gemm(*operands(), gated=True)
    with pytest.raises(TypeError, match="expected 'gated' to be True or False, got 1"):
        pack.gemm(*operands(), gated=1)
    with pytest.raises(fp8gemm.NotInPackError, match='"gated": true'):
        pack.gemm(*operands(d=rows((12, 128), BF16)), gated=True)


def test_activation_is_a_word(pack, driver):
    with pytest.raises(ValueError, match="""expected 'activation' to be one of "none", "relu", "silu", "gelu", "gelu_tanh", got 'swish'"""):
        pack.gemm(*operands(), activation="swish")
    with pytest.raises(TypeError, match="expected 'activation' to be one of .*, got 1"):
        pack.gemm(*operands(), activation=1)
    with pytest.raises(fp8gemm.NotInPackError, match='"activation": "silu"'):
        pack.gemm(*operands(), activation="silu")
    assert not driver.launches


BAD_BIAS = [
    (ValueError, r"expected 'bias' of shape \[N\] = \(256,\), got \(128,\)", rows((128,), BF16)),
    (ValueError, r"expected 'bias' of 1 dimensions, got shape \(1, 256\)", rows((1, 256), BF16)),
    (ValueError, r"expected 'bias' to be contiguous, got a stride of 2", rows((512,), BF16)[::2]),
    (TypeError, r"expected 'bias' of bfloat16 or float32, got int32", rows((256,), np.int32)),
    (fp8gemm.NotInPackError, r'"bias": "f32"', rows((256,), F32)),
    (ValueError, r"expected the pointer of 'bias' to be a multiple of 4 bytes", rows((258,), BF16)[1:257]),
]


@pytest.mark.parametrize("error, message, bias", BAD_BIAS, ids=[message[:40] for _, message, _ in BAD_BIAS])
def test_bad_bias(pack, driver, error, message, bias):
    with pytest.raises(error, match=message):
        pack.gemm(*operands(), bias=ExchangeArray(bias))
    assert driver.launches == []


def test_bytes_are_e4m3(pack, driver):
    o = operands(a=rows((12, 256), np.uint8), b=rows((256, 256), np.uint8))
    pack.gemm(*o)
    assert len(driver.launches) == 1


def test_options_reach_the_launch(pack, driver):
    o = operands(m=64)
    pack.gemm(*o)
    pack.gemm(*o, num_sms=1, dependent=True)
    full, limited = driver.launches
    assert full["grid"] > limited["grid"] == 1
    assert not full["dependent"] and limited["dependent"]


def test_batch_invariance_is_asked_for(pack, driver):
    pack.gemm(*operands(), batch_invariant=True)
    assert len(driver.launches) == 1
    a, b = ExchangeArray(rows((5, 384), E4M3)), ExchangeArray(rows((192, 384), E4M3))
    with pytest.raises(fp8gemm.NotInPackError, match='"sfa": "k_major", "batch_invariant": true}'):
        pack.gemm(a, ExchangeArray(rows((5, 3), F32)), b, ExchangeArray(rows((2, 3), F32)), batch_invariant=True)


def test_no_rows_do_nothing(pack, driver):
    pack.gemm(*operands(m=0))
    assert driver.launches == []


@pytest.mark.parametrize("stream, handle", [(None, 2), (1, 1), (type("Stream", (), {"cuda_stream": 1})(), 1),
                                            (type("Stream", (), {"ptr": 1})(), 1),
                                            (type("Stream", (), {"__cuda_stream__": lambda self: (0, 1)})(), 1)])
def test_streams(pack, driver, monkeypatch, stream, handle):
    monkeypatch.setattr(ExchangeArray, "current_stream", 2)
    pack.gemm(*operands(), stream=stream)
    assert driver.launches[0]["stream"] == handle


def test_producers_are_told_the_stream(pack, driver):
    o = operands(CapsuleArray)
    pack.gemm(*o, stream=0)
    pack.gemm(*o, stream=2)
    assert o.a.streams == [1, 2]  # DLPack's 1 is the default stream


def test_older_capsules(pack, driver):
    o = operands(lambda values: CapsuleArray(values, version=0))
    pack.gemm(*o, stream=0)
    assert len(driver.launches) == 1


def test_offsets_and_missing_strides(pack, driver):
    o = operands(lambda values: CapsuleArray(values, offset=512))
    o.a, o.b = (CapsuleArray(x.values, version=0, without_strides=True) for x in (o.a, o.b))
    pack.gemm(*o, stream=0)
    assert [x["address"] for x in driver.maps] == [x.address for x in (o.a, o.b, o.sfa, o.d)]
    assert driver.maps[0]["strides"] == [256]


def test_a_pack_in_use_is_not_closed(pack, driver):
    """Closed while another thread launches: refused, or after it."""
    o, failures = operands(), []

    def work():
        try:
            for _ in range(2000):
                pack.gemm(*o)
        except ValueError as error:
            failures.append(str(error))

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    while True:
        try:
            pack.close()
            break
        except RuntimeError as error:
            assert "expected a pack that no call uses" in str(error)
    for thread in threads:
        thread.join()
    assert set(failures) <= {"expected an open pack, got a closed one"}


REFUSED = [
    (ValueError, r"expected 'sfa' of shape \[M, ceil\(K/128\)\] = \(12, 2\), got \(11, 2\)", dict(sfa=columns((11, 2), F32))),
    (ValueError, r"expected 'b' of shape \[N, K\] = \(256, 256\), got \(256, 240\)", dict(b=rows((256, 240), E4M3))),
    (ValueError, r"expected 'sfb' of shape \[2, 2\] \(128x128\) or \[256, 2\] \(1x128\), got \(3, 2\)", dict(sfb=rows((3, 2), F32))),
    (ValueError, r"expected 'd' of shape \[M, N\] = \(12, 256\), got \(12, 128\)", dict(d=rows((12, 128), BF16))),
    (ValueError, r"expected 'a' row-major .* got shape \(12, 256\) and strides \(1, 12\)", dict(a=columns((12, 256), E4M3))),
    (ValueError, r"expected 'sfa' with stride 1 along .* strides \(6, 3\)", dict(sfa=rows((12, 6), F32)[:, ::3])),
    (ValueError, r"expected 'a' of 2 dimensions, got shape \(1, 12, 256\)", dict(a=rows((1, 12, 256), E4M3))),
    (ValueError, r"expected 'd' not to overlap 'b'", dict(d=(shared := rows((256, 256), np.uint8))[:24].view(BF16).reshape(12, 256),
                                                           b=shared)),
    (ValueError, r"expected 'b' on the device of 'a', cuda:0, got cuda:1", dict(b=ExchangeArray(rows((256, 256), E4M3), device=1))),
    (ValueError, r"expected 'a' on a CUDA device, got DLPack's device type 1 \(CPU\)", dict(a=ExchangeArray(rows((12, 256), E4M3), device_type=1))),
    (ValueError, r"expected 'd' to be writable, got a read-only array", dict(d=CapsuleArray(rows((12, 256), BF16), flags=READ_ONLY))),
    (ValueError, r"expected 'd' to be writable, got a copy", dict(d=CapsuleArray(rows((12, 256), BF16), flags=IS_COPIED))),
    (ValueError, r"expected 'b' in version 1 of DLPack, got 2", dict(b=CapsuleArray(rows((256, 256), E4M3), version=2))),
    (ValueError, r"expected 'sfa' with stride 1 along its rows \(mn_major, the other stride a multiple of 4\).* strides \(1, 13\)",
     dict(sfa=aligned(np.zeros((2, 13), F32)).T[:12])),
    (TypeError, r"expected 'a' of float8_e4m3fn, float8_e5m2, or uint8 .*, got float32", dict(a=rows((12, 256), F32))),
    (TypeError, r"expected 'sfa' of float32, got float64", dict(sfa=columns((12, 2), np.float64))),
    (TypeError, r"expected 'd' of bfloat16 or float32, got int32", dict(d=rows((12, 256), np.int32))),
    (ValueError, r"expected the pointer of 'a' to be a multiple of 16 bytes", dict(a=rows((3088,), E4M3)[4:3076].reshape(12, 256))),
    (ValueError, r"expected the pointer of 'sfa' to be a multiple of 16 bytes", dict(sfa=columns((16, 2), F32)[1:13])),
    (ValueError, r"expected the leading dimension of 'd' to be a multiple of 16 bytes", dict(d=rows((12, 260), BF16)[:, :256])),
    (fp8gemm.NotInPackError, r'"a_type": "e5m2"', dict(a=rows((12, 256), E5M2))),
    (fp8gemm.NotInPackError, r'"sfa": "k_major"', dict(sfa=rows((12, 2), F32))),
]


@pytest.mark.parametrize("error, message, changes", REFUSED, ids=[message[:40] for _, message, _ in REFUSED])
def test_refused(pack, driver, error, message, changes):
    with pytest.raises(error, match=message):
        pack.gemm(*operands(**changes))
    assert driver.launches == []


@pytest.mark.parametrize("error, message, options", [
    (TypeError, "unexpected keyword argument 'streem'", dict(streem=1)),
    (TypeError, "multiple values for argument 'd'", dict(d=None)),
    (TypeError, "expected 'num_sms' to be an integer, got 'all'", dict(num_sms="all")),
    (ValueError, r"expected 'num_sms' in \[0, 2147483647\], got -1", dict(num_sms=-1)),
    (TypeError, "expected 'dependent' to be True or False, got 1", dict(dependent=1)),
    (ValueError, r"expected 'num_sms' in \[0, 2147483647\], got 1180591620717411303424", dict(num_sms=2**70)),
    (TypeError, "expected 'num_sms' to be an integer, got True", dict(num_sms=True)),
    (TypeError, "expected 'num_sms' to be an integer, got 1.0", dict(num_sms=1.0)),
    (TypeError, "expected 'stream' to be None, a handle or a stream", dict(stream="s")),
    (TypeError, "expected 'stream' to be None, a handle or a stream .*, got True", dict(stream=True)),
    (TypeError, "expected 'stream' to be None, a handle or a stream", dict(stream=type("Stream", (), {"__cuda_stream__": lambda self: 3})())),
    (TypeError, "expected 'stream' to be None, a handle or a stream", dict(stream=type("Stream", (), {"cuda_stream": "0"})())),
    (ValueError, r"expected 'stream' to be 0, 1 or 2 \(default streams\) or the handle of one, got 3", dict(stream=3)),
    (ValueError, "expected 'stream' to be 0, 1 or 2 .*, got -1", dict(stream=-1)),
    (ValueError, "expected 'stream' to be 0, 1 or 2 .*, got 1180591620717411303424", dict(stream=2**70)),
    (ValueError, "expected 'd_type' to be that of 'd', bfloat16, or None, got 'f32'", dict(d_type="f32")),
    (TypeError, "expected 'd_type' to be \"bf16\" or \"f32\", got 32", dict(d_type=32)),
    (ValueError, "expected 'd_type' to be \"bf16\" or \"f32\", got '\\\\udcff'", dict(d_type="\udcff")),
])
def test_wrong_options(pack, driver, error, message, options):
    with pytest.raises(error, match=message):
        pack.gemm(*operands(), **options)


def test_no_array(pack):
    o = operands()
    with pytest.raises(TypeError, match="expected 'b' to be an array that supports DLPack, got int"):
        pack.gemm(o.a, o.sfa, 3, o.sfb)


class Broken(CapsuleArray):
    """Whose library answers what DLPack does not have."""

    def __init__(self, values, device=(2, 0), capsule=None, error=None):
        super().__init__(values)
        self.answers = device, capsule, error

    def __dlpack_device__(self):
        return self.answers[0]

    def __dlpack__(self, **_):
        if self.answers[2]:
            raise self.answers[2]
        return self.answers[1]


@pytest.mark.parametrize("error, message, answers", [
    (ValueError, "expected 'b' to be an array that its library shows through DLPack, got TypeError|TypeError", dict(device=3)),
    (TypeError, "expected __dlpack__ of 'b' to give a capsule of DLPack, got 'x'", dict(capsule="x")),
    (ValueError, "expected 'b' to be an array that .*, got BufferError: no", dict(error=BufferError("no"))),
    (ValueError, r"'b' .*Float8_e4m3fn is not supported by dlpack; PyTorch's DLPack has FP8 since 2.10: .*view\(torch.uint8\)",
     dict(error=BufferError("Float8_e4m3fn is not supported by dlpack"))),
    (KeyboardInterrupt, "^$", dict(error=KeyboardInterrupt())),
])
def test_broken_libraries(pack, driver, error, message, answers):
    o = operands(CapsuleArray)
    with pytest.raises((error, TypeError) if "|" in message else error, match=message):
        pack.gemm(o.a, o.sfa, Broken(o.b.values, **answers), o.sfb, o.d, stream=0)
    assert driver.launches == []


def test_column_of_scales_begins_anywhere(pack, driver):
    """One K block is k_major and mn_major; TMA reads the latter from multiples of 16 bytes only."""
    a, b, d = ExchangeArray(rows((5, 128), E4M3)), ExchangeArray(rows((320, 128), E4M3)), ExchangeArray(rows((5, 320), BF16))
    sfa, sfb = ExchangeArray(rows((9, 1), F32)[1:6]), ExchangeArray(rows((3, 1), F32))
    driver.reset([8, 8, 8, 4, 8, 4, 8, 4])  # a, b; sfa and its leading dimension, sfb and its; d; M
    pack.gemm(a, sfa, b, sfb, d)  # by a kernel for k_major
    assert driver.launches[0]["params"][2:4] == [sfa.address, 1]


def test_c_in_place_of_one_row(pack, driver):
    """A stride of a dimension of one means nothing."""
    a, b, d = ExchangeArray(rows((1, 256), E4M3)), ExchangeArray(rows((256, 256), E4M3)), ExchangeArray(rows((1, 256), F32))
    c = ExchangeArray(np.lib.stride_tricks.as_strided(d.values, strides=(4, 4)))
    pack.gemm(a, ExchangeArray(columns((4, 2), F32)[:1]), b, ExchangeArray(columns((256, 2), F32)), d, c)
    assert len(driver.launches) == 1


def test_d_is_needed_without_the_exchange_api(pack):
    o = operands(CapsuleArray)
    with pytest.raises(TypeError, match="expected 'd', got None"):
        pack.gemm(o.a, o.sfa, o.b, o.sfb, stream=0)
    with pytest.raises(TypeError, match="expected 'stream': arrays doesn't tell"):
        pack.gemm(*o)


def test_wrong_d_type(pack):
    o = operands()
    with pytest.raises(ValueError, match='expected \'d_type\' to be "bf16" or "f32", got \'f16\''):
        pack.gemm(o.a, o.sfa, o.b, o.sfb, d_type="f16")


def test_no_reference_is_lost(pack, driver):
    everything = operands(), operands(CapsuleArray)
    bad = operands(d=rows((12, 128), BF16))

    def use():
        for o in everything:
            pack.gemm(*o, stream=0)
            pack.gemm(*o, num_sms=2, stream=0)
        with pytest.raises(ValueError):
            pack.gemm(*bad)

    use()
    gc.collect()
    before = [sys.getrefcount(x) for o in everything for x in o] + [sys.getrefcount(pack)]
    for _ in range(50):
        use()
    gc.collect()
    assert [sys.getrefcount(x) for o in everything for x in o] + [sys.getrefcount(pack)] == before


def test_threads(pack, driver):
    def work():
        o = operands()
        for _ in range(100):
            pack.gemm(*o)

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(driver.launches) == 800
