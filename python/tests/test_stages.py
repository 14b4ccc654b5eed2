# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Where rows go and how they come back, beside the same one pair at a time."""

import pytest

torch = pytest.importorskip("torch")

from fp8gemm.layers import _routing, _stages  # noqa: E402


def pairs(tokens, experts, chosen=3, seed=0):
    random = torch.Generator().manual_seed(seed)
    return torch.randint(-2, experts + 2, (tokens, chosen), generator=random, dtype=torch.int32)


@pytest.mark.parametrize("tokens, experts, align", [(0, 4, 1), (1, 1, 1), (40, 300, 8), (170, 7, 1), (171, 7, 16), (900, 5, 128)])
def test_pairs_are_arranged_in_their_order(tokens, experts, align):
    ids = pairs(tokens, experts)
    found, ends, places = _routing.arrange(ids, experts, _routing.room(ids.numel(), experts, align), align)
    of_expert = [[(t, j) for t in range(tokens) for j in range(ids.shape[1]) if ids[t, j] == e] for e in range(experts)]
    start, wanted = 0, torch.full(ids.shape, -1)
    for expert, own in enumerate(of_expert):
        for row, (t, j) in enumerate(own, start):
            assert found[row] == t
            wanted[t, j] = row
        assert ends[expert] == start + len(own)
        start = -(-int(ends[expert]) // align) * align
    assert torch.equal(places, wanted)


def test_slots_are_filled_in_their_order():
    ids, capacity, used = pairs(700, 4), 300, [0] * 4
    places, missed = _routing.slots(ids, 4, capacity)
    for t, own in enumerate(ids.tolist()):
        lost = False
        for j, expert in enumerate(own):
            exists = 0 <= expert < 4
            fits = exists and used[expert] < capacity
            assert places[t, j] == (expert * capacity + used[expert] if fits else -1)
            lost |= exists and not fits
            if exists:
                used[expert] += 1
        assert missed[t] == lost


@pytest.mark.parametrize("kind", [torch.bfloat16, torch.float32, torch.float16])
@pytest.mark.parametrize("width", [8, 6])
@pytest.mark.parametrize("has_weights, has_added", [(True, True), (True, False), (False, False)])
def test_sums_of_rows(kind, width, has_weights, has_added):
    random = torch.Generator().manual_seed(1)
    rows = torch.randn(50, width, generator=random).to(kind)
    rows[::7, ::3] = float("nan")
    rows[3], rows[4, :4] = float("-inf"), torch.tensor([0.0, -0.0, 1e-40, 3e38]).to(kind)
    places = torch.randint(-1, 50, (30, 4), generator=random)
    places[0], places[1] = -1, torch.tensor([4, 4, -1, 4])
    weights = torch.rand(30, 4, generator=random) if has_weights else None
    added = torch.randn(30, width, generator=random).to(kind) if has_added else None
    wanted = torch.zeros(30, width)
    for t in range(30):
        for j in range(4):
            if places[t, j] >= 0:
                row = rows[places[t, j]].float()
                wanted[t] += row * weights[t, j] if has_weights else row
    if has_added:
        wanted += added.float()
    assert torch.equal(_stages.combine(rows, places, weights, added).nan_to_num(7), wanted.to(kind).nan_to_num(7))
    assert torch.equal(torch.isnan(_stages.combine(rows, places, weights, added)), torch.isnan(wanted))


def test_no_rows():
    assert torch.equal(_stages.combine(torch.empty(0, 8, dtype=torch.bfloat16), torch.full((2, 3), -1)), torch.zeros(2, 8, dtype=torch.bfloat16))
