# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""What expert_parallel.py has torchrun start on each GPU: the configurations of one plan, one after the other.

    torchrun ... expert_parallel_worker.py FOLDER RESULTS PLAN.json

Rank 0 appends a line of JSON to RESULTS before each configuration, and one with what was measured after it. What raises on any rank is
the configuration's result; what hangs ends the process, with a traceback.
"""

import datetime
import faulthandler
import json
import os
import statistics
import sys
import time

import torch
import torch._dynamo
import torch.distributed as dist

import fp8gemm
import fp8gemm.expert_parallel as ep
import fp8gemm.torch as ft

SECONDS = 60  # of one configuration, with what DeepGEMM compiles for it
COMPILE_SECONDS = 100  # of torch.compile
STAGES = "quantize", "swiglu_quantize", "combine"
POOL = 8  # different inputs of the endurance test
CHECKED_EVERY = 100  # iterations of it


class Layer:
    """The experts of one model: all on this GPU, of which the rank's share is a slice."""

    def __init__(self, model, ranks, rank, device):
        self.model, self.ranks, self.rank, self.device = model, ranks, rank, device
        experts, hidden, width = model["experts"], model["hidden"], model["width"]
        shapes = {"w13": (2 * width, hidden), "w2": (hidden, width)}
        self.weights = []
        for n, k in shapes.values():
            values = torch.empty(experts, n, k, dtype=torch.float8_e4m3fn, device=device)
            scales = torch.empty(experts, -(-n // 128), -(-k // 128), device=device)
            random = torch.Generator(device).manual_seed(n)
            for expert in range(experts):
                normal = torch.randn(n, k, generator=random, device=device) / k**0.5
                values[expert], scales[expert] = ep.quantize_experts(normal.unsqueeze(0))
            self.weights += [values, scales]
        self.local = experts // ranks
        self.alone = [dist.new_group([other]) for other in range(ranks)][rank]
        self.stages = {name: getattr(ep, name) for name in STAGES}

    def tokens(self, count, seed=0):
        """x, ids, weights of this rank: uniformly distributed choices."""
        random = torch.Generator(self.device).manual_seed(1000 * seed + self.rank)
        x = torch.randn(count, self.model["hidden"], generator=random, device=self.device).bfloat16()
        scores = torch.randn(count, self.model["experts"], generator=random, device=self.device)
        weights, ids = scores.softmax(-1).topk(self.model["top_k"])
        return x, ids.int(), weights.contiguous()

    def moe(self, tokens, *, alone=False, stages=None, **options):
        functions = stages or self.stages
        own = slice(None) if alone else slice(self.rank * self.local, (self.rank + 1) * self.local)
        experts = ep.Experts(*(weight[own] for weight in self.weights), activate=functions["swiglu_quantize"])
        return ep.ExpertParallelMoE(experts, total_experts=self.model["experts"], top_k=self.model["top_k"], max_tokens=tokens,
                                    group=self.alone if alone else None, quantize=functions["quantize"], combine=functions["combine"],
                                    **options)

    def call(self, way, tokens, **options):
        """A call, and its inputs. Ways are those of ExpertParallelMoE, "gather-2" with two parts, "one" GPU, and peers."""
        inputs = self.tokens(tokens)
        if way.startswith("deepgemm"):
            from expert_parallel_peers import DeepGemm
            return DeepGemm(self, way.removeprefix("deepgemm-"), tokens), inputs
        name, _, parts = way.partition("-")
        moe = self.moe(tokens, alone=name == "one", **options)
        of_moe = dict(way="gather" if name == "one" else name, parts=int(parts or 1))
        return lambda *inputs: moe(*inputs, **of_moe), inputs


def captured(call):
    """A function that replays it."""
    for _ in range(3):
        call()
    torch.cuda.synchronize()
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph, capture_error_mode="thread_local"):
        result = call()
    return graph, result


def microseconds(call):
    """Of one call: the median of groups of calls, of about 20 ms in all."""
    start, end = torch.cuda.Event(enable_timing=True), torch.cuda.Event(enable_timing=True)

    def of(calls):
        start.record()
        for _ in range(calls):
            call()
        end.record()
        end.synchronize()
        return 1000 * start.elapsed_time(end) / calls

    for _ in range(3):
        call()
    count = every(int(min(20, max(2, 4000 / of(2)))))[0]  # equally many on all ranks
    return statistics.median(of(count) for _ in range(7))


def every(value):
    """That of all ranks."""
    found = [None] * dist.get_world_size()
    dist.all_gather_object(found, value, group=HOST)
    return found


def distance(got, wanted):
    return float((got.float() - wanted.float()).norm() / wanted.float().norm())


def sample(layer, inputs, count=4):
    """The first tokens' experts one by one, in float32 from the quantised weights."""
    x, ids, weights = (given[:count] for given in inputs)
    out = torch.zeros(x.shape, device=layer.device)
    w13, s13, w2, s2 = layer.weights
    for t in range(len(x)):
        for choice in range(ids.shape[1]):
            expert = int(ids[t, choice])
            gate, up = (x[t].float() @ ft.dequantize(w13[expert], s13[expert]).T).chunk(2, -1)
            y = (torch.nn.functional.silu(gate) * up) @ ft.dequantize(w2[expert], s2[expert]).T
            out[t] += weights[t, choice] * y
    return out


def timed(layer, way, tokens):
    call, inputs = layer.call(way, tokens)
    wanted = sample(layer, inputs)
    result = call(*inputs)
    found = {"error": distance(result[:len(wanted)], wanted)}
    enqueue = lambda: call(*inputs)
    if way != "exchange":
        graph, replayed = captured(enqueue)
        replayed.fill_(float("nan"))
        graph.replay()
        found["replays"] = torch.equal(replayed, result)
        enqueue = graph.replay
    dist.barrier()
    found["us"] = microseconds(enqueue)
    return found


def bits(layer, tokens):
    """Which ways give the same bits, without torch.compile."""
    got = {}
    for way in ("gather", "gather-2", "exchange", "slots", "one"):
        call, inputs = layer.call(way, tokens, stages={name: getattr(ep, name) for name in STAGES})
        got[way] = call(*inputs)
    return {"error": distance(got["gather"], got["one"]), "gather = exchange": torch.equal(got["gather"], got["exchange"]),
            "gather = gather-2": torch.equal(got["gather"], got["gather-2"]), "slots = one": torch.equal(got["slots"], got["one"])}


def compile_stages(layer):
    """torch.compile of what is between the products, for all forms and for any number of tokens; only if it works everywhere."""
    compiled = {name: torch.compile(getattr(ep, name)) for name in STAGES}
    started = time.time()
    for tokens in (64, 16, 1024):
        for way in ("gather", "slots", "one")[:2 if tokens > 64 else 3]:
            call, inputs = layer.call(way, tokens, stages=compiled)
            call(*inputs)
    torch.cuda.synchronize()
    return {"stages": compiled, "seconds": time.time() - started}


def endure(layer, way, tokens, iterations):
    """Replays of a graph with changing inputs; every so often the result is compared."""
    call, inputs = layer.call(way, tokens)
    pool = [layer.tokens(tokens, seed) for seed in range(POOL)]
    wanted = [call(*given).clone() for given in pool]
    graph, result = captured(lambda: call(*inputs))
    wrong = torch.zeros((), dtype=torch.int64, device=layer.device)
    for iteration in range(iterations):
        at = iteration * 5 % POOL
        for space, given in zip(inputs, pool[at]):
            space.copy_(given)
        graph.replay()
        if iteration % CHECKED_EVERY == 0:
            wrong += (result != wanted[at]).any()
            torch.cuda.synchronize()
            faulthandler.dump_traceback_later(SECONDS, exit=True)
    torch.cuda.synchronize()
    return {"iterations": iterations, "wrong": int(wrong)}


def measure(layer, item):
    kind, tokens = item["kind"], item["tokens"] // layer.ranks
    if kind == "compile":
        return compile_stages(layer)
    if kind == "time":
        return timed(layer, item["way"], tokens)
    return bits(layer, tokens) if kind == "bits" else endure(layer, item["way"], tokens, item["iterations"])


def main(folder, results, plan):
    global HOST
    plan = json.loads(open(plan).read())
    device = torch.device("cuda", int(os.environ["LOCAL_RANK"]))
    torch.cuda.set_device(device)
    faulthandler.dump_traceback_later(2 * SECONDS, exit=True)
    dist.init_process_group("nccl", device_id=device, timeout=datetime.timedelta(seconds=COMPILE_SECONDS))
    HOST = dist.new_group(backend="gloo", timeout=datetime.timedelta(seconds=COMPILE_SECONDS))
    torch._dynamo.config.recompile_limit = 64
    pack = fp8gemm.load(f"{folder}/{plan['pack']}")
    pack.load(device.index)
    fp8gemm.set_pack(pack)
    rank = dist.get_rank()
    layer = Layer(plan["model"], dist.get_world_size(), rank, device)

    def write(item, **more):
        if rank == 0:
            with open(results, "a") as file:
                print(json.dumps({**item, **more}), file=file, flush=True)

    for item in plan["items"]:
        faulthandler.dump_traceback_later(COMPILE_SECONDS if item["kind"] == "compile" else SECONDS, exit=True)
        if any(every(time.time() > plan["until"])):
            break
        write(item, state="started")
        try:
            found, fault = measure(layer, item), None
        except Exception as error:
            found, fault = None, f"{type(error).__name__}: {str(error).splitlines()[0][:200] if str(error) else ''}"
        stages = found.pop("stages", None) if found else None
        of_ranks = every((found, fault))
        faults = [f"rank {other}: {theirs}" for other, (_, theirs) in enumerate(of_ranks) if theirs]
        if faults:
            write(item, state="failed", fault=faults[0])
        else:
            write(item, state="done", ranks=[found for found, _ in of_ranks])
            layer.stages = stages or layer.stages
        torch.cuda.empty_cache()
    faulthandler.cancel_dump_traceback_later()
    sys.stdout.flush()
    os._exit(0)  # whatever a library would still wait for


if __name__ == "__main__":
    main(*sys.argv[1:])
