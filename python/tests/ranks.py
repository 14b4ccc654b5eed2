# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Processes of torch.distributed on one machine without a GPU, forked from this one, for tests of what happens between them; and
products in PyTorch."""

import datetime
import multiprocessing
import tempfile
import time
import traceback

import torch
import torch.distributed as dist

import fp8gemm.torch as ft

SECONDS = 60  # after which a test is over, whatever its processes do


def run(world, function, *args, timeout=20, awaited=None):
    """[what function(rank, *args) returns or raises on each rank], or on the first `awaited` ones; then all are ended."""
    fork = multiprocessing.get_context("fork")
    with tempfile.TemporaryDirectory() as folder:
        pipes = [fork.Pipe(duplex=False) for _ in range(world)]
        started = [fork.Process(target=_rank, args=(rank, world, f"{folder}/store", timeout, pipes[rank][1], function, args))
                   for rank in range(world)]
        for process in started:
            process.start()
        for _, theirs in pipes:
            theirs.close()
        deadline, results = time.monotonic() + SECONDS, []
        for ours, _ in pipes[:awaited]:
            results.append(ours.recv() if ours.poll(max(0, deadline - time.monotonic())) else TimeoutError("no result"))
        for process in started:
            process.kill()
            process.join()
    return results


def _rank(rank, world, store, timeout, pipe, function, args):
    torch.set_num_threads(1)
    dist.init_process_group("gloo", init_method=f"file://{store}", rank=rank, world_size=world,
                            timeout=datetime.timedelta(seconds=timeout))
    try:
        result = function(rank, *args)
    except Exception as error:
        traceback.print_exc()
        result = type(error)(str(error))
    pipe.send(result)
    pipe.close()
    time.sleep(SECONDS)  # until all others are done: run() ends it


class ReferenceProducts:
    """In float64, rounded to bfloat16. Rows of no group are NaN, so that one that is used shows."""

    def contiguous(self, a, sfa, b, sfb, ends, *, align, expected_m, num_sms):
        d = torch.full((a.shape[0], b.shape[1]), float("nan"), dtype=torch.bfloat16)
        end = 0
        for group, last in enumerate(ends.tolist()):
            start, end = -(-end // align) * align, last
            assert start <= end <= len(a)
            d[start:end] = product(a[start:end], sfa[start:end], b[group], sfb[group])
        return d

    def masked(self, a, sfa, b, sfb, counts, *, expected_m, num_sms):
        d = torch.full((*a.shape[:2], b.shape[1]), float("nan"), dtype=torch.bfloat16)
        for group, count in enumerate(counts.tolist()):
            assert 0 <= count <= a.shape[1]
            d[group, :count] = product(a[group, :count], sfa[group, :count], b[group % len(b)], sfb[group % len(b)])
        return d


def product(a, sfa, b, sfb):
    return (ft.dequantize(a, sfa).double() @ ft.dequantize(b, sfb).double().T).bfloat16()
