#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Time products in sequence, as in a model's layers: a CUDA graph of launches, and the same as dependent launches.

    chain.py --kernels build/kernels --set forward-1 --set forward-128 --peers deepgemm

Each link has its own B and D, so that the weights come from memory; all read the same A. The time of a link is that of
the graph's replay by CUDA events, divided by the links; contenders take turns, and the median counts. Both graphs must
give the same bits as single launches.
"""

import argparse
import json
import statistics
import sys
from pathlib import Path

import races
import shapes

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "test" / "Execution"))
import runtime_binding

BYTES_OF_WEIGHTS = 400 << 20  # several times an L2
LINKS = (8, 64)  # at least and at most


def links_of(problem):
    fewest, most = LINKS
    return min(most, max(fewest, BYTES_OF_WEIGHTS // (problem.n * problem.k)))


class Ours:
    def __init__(self, data, path, flags):
        import contenders
        import torch
        self.one = contenders.Ours(data, path)
        a, sfa, b, sfb = self.one.keep
        count = links_of(data.problem)
        self.weights = [b.clone() for _ in range(count)]
        self.outputs = [torch.full_like(self.one.output, float("nan")) for _ in range(count)]
        m = data.problem.m
        self.arguments = [self.one.kernel.arguments(
            m, *((t.data_ptr(), t.shape[1]) for t in (a, sfa, weights, sfb, output)), flags=flags)
            for weights, output in zip(self.weights, self.outputs)]
        self.one()

    def enqueue(self, stream):
        for arguments in self.arguments:
            self.one.kernel.launch(arguments, stream)


class DeepGemm:
    def __init__(self, data, dependent):
        import contenders
        import deep_gemm
        import torch
        self.one = contenders.DeepGemm(data)
        count = links_of(data.problem)
        self.a = (data.a, deep_gemm.get_mn_major_tma_aligned_tensor(data.sfa))
        self.weights = [(data.b.clone(), data.sfb) for _ in range(count)]
        self.outputs = [torch.full_like(self.one.output, float("nan")) for _ in range(count)]
        self.set_pdl = lambda: deep_gemm.set_pdl(dependent)

    def enqueue(self, stream):
        self.set_pdl()
        for weights, output in zip(self.weights, self.outputs):
            self.one.multiply(self.a, weights, output)


def contenders_of(data, kernels, peers):
    for label, path in kernels.items():
        yield label, lambda: Ours(data, path, 0)
        yield f"{label}, dependent", lambda: Ours(data, path, runtime_binding.DEPENDENT_LAUNCH)
    for peer in peers:
        yield peer, lambda: DeepGemm(data, False)
        yield f"{peer}, dependent", lambda: DeepGemm(data, True)


def measure(problem, kernels, peers, rounds):
    """{contender: microseconds of a link}, {contender: why it has none}."""
    import contenders
    import torch
    data = contenders.Data(problem)
    graphs, notes = {}, {}
    for name, build in contenders_of(data, kernels, peers):
        try:
            contender, graph, stream = build(), torch.cuda.CUDAGraph(), torch.cuda.Stream()
            torch.cuda.synchronize()
            with torch.cuda.graph(graph, stream=stream):
                contender.enqueue(stream.cuda_stream)
            graph.replay()
            torch.cuda.synchronize()
            wrong = sum(not torch.equal(output, contender.one.output) for output in contender.outputs)
            if wrong:
                raise ArithmeticError(f"{wrong} of {len(contender.outputs)} links have other bits than a single launch")
            graphs[name] = (graph, contender)
        except Exception as error:  # a peer that can't must not cost the others their turn
            notes[name] = f"{type(error).__name__}: {error}"[:200]
    samples = {name: [] for name in graphs}
    for _ in range(rounds):
        for name, (graph, contender) in graphs.items():
            start, stop = (torch.cuda.Event(enable_timing=True) for _ in range(2))
            start.record()
            graph.replay()
            stop.record()
            torch.cuda.synchronize()
            samples[name].append(start.elapsed_time(stop) * 1e3 / len(contender.outputs))
    return {name: statistics.median(times) for name, times in samples.items()}, notes


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kernels", type=Path, default=Path("build/kernels"), help="folder that kernels.py filled")
    parser.add_argument("--set", action="append", required=True, choices=list(shapes.SETS))
    parser.add_argument("--labels", default="default", help="kernels of the index to time: a regular expression, or all")
    parser.add_argument("--peers", default="", help="deepgemm, or nothing")
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--json", type=Path, help="write all numbers here")
    arguments = parser.parse_args()
    index = json.loads((arguments.kernels / "index.json").read_text())
    peers = [peer for peer in arguments.peers.split(",") if peer]
    answer, failed = {}, False
    for name in arguments.set:
        rows = []
        for problem in shapes.SETS[name]:
            files = races.choose_kernels(index, problem, arguments.labels)
            times, notes = measure(problem, {label: arguments.kernels / file for label, file in files.items()}, peers,
                                   arguments.rounds)
            failed |= any(who.split(",")[0] not in peers for who in notes) or not files
            rows.append((shapes.name_of(problem), times, notes))
            print(f"{shapes.name_of(problem)}: {notes}" if notes else shapes.name_of(problem), file=sys.stderr, flush=True)
        answer[name] = rows
        print_table(name, rows)
    if arguments.json:
        arguments.json.write_text(json.dumps(answer, indent=1) + "\n")
    return failed


def print_table(name, rows):
    columns = list(dict.fromkeys(column for _, times, _ in rows for column in times))
    print(f"\n## {name}: microseconds of a link\n\n| shape | {' | '.join(columns)} |\n|---|{'---|' * len(columns)}")
    for shape, times, _ in rows:
        print(f"| {shape} | {' | '.join(f'{times[c]:.2f}' if c in times else '-' for c in columns)} |")
    for column in columns[1:]:
        ratios = [times[column] / times[columns[0]] for _, times, _ in rows if column in times and columns[0] in times]
        print(f"geometric mean of {column} / {columns[0]}: {statistics.geometric_mean(ratios):.3f}")
    print(flush=True)


if __name__ == "__main__":
    sys.exit(main())
