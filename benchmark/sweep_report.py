# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""What a sweep's results say of the model, and the measurements that the repository keeps.

Both are JSON of one form: `fields` names the numbers of each `config`; `shapes` holds for
each (m, n, k) its `candidates`: config, measured time `us` (absent or null if there is
none) and, of a run, modelled time, `chosen` (by the model), error and notes.
"""

import collections
import concurrent.futures
import json
import math

import result_files
import shapes

CLOSE = 1.03          # the choice may be so much slower than the fastest ...
WANTED_SHARE = 0.92   # ... on so large a share of the shapes
CLIFF, CLIFF_US = 1.05, 0.3  # time(M) may be so much more than time(M') for M' > M

Judgement = collections.namedtuple("Judgement", "shape chosen best ratio why")
Judged = collections.namedtuple("Judged", "judgements within share")


def load(path):
    """The results of sweep.py run, or what sweep.py keep wrote."""
    loaded = result_files.read(path)
    for key in ("fields", "shapes", "modelled_on"):
        if key not in loaded:
            raise result_files.BadResults(f"expected '{key}' in '{path}', got none: is it of sweep.py run or keep?")
    return loaded


def remodel(results, candidates_of, jobs=None):
    """Let modelled times and choices be those that `candidates_of(problem, gpu)` tells.

    A choice that was not measured is added, without a time.
    """
    def ask(shape):
        return candidates_of(shapes.problem_of(shape), results["modelled_on"])

    with concurrent.futures.ThreadPoolExecutor(jobs) as pool:
        answers = list(pool.map(ask, results["shapes"]))
    for shape, answer in zip(results["shapes"], answers):
        if list(answer[0]["config"]) != results["fields"]:
            raise ValueError(f"expected the fields {', '.join(answer[0]['config'])} in the results, got "
                             f"{', '.join(results['fields'])}: add to each config what it had of the others")
        today = {tuple(c["config"].values()): c for c in answer}
        measured = {tuple(c["config"]): c for c in shape["candidates"]}
        for config, candidate in measured.items():
            candidate["modelled_us"] = today.get(config, {}).get("modelled_us")
            candidate["chosen"] = today.get(config, {}).get("chosen", False)
        for config, candidate in today.items():
            if candidate["chosen"] and config not in measured:
                shape["candidates"].append({"config": list(config), "modelled_us": candidate["modelled_us"],
                                            "chosen": True, "us": None, "note": "not measured"})


def judge(shape):
    """The choice of a shape against the fastest; `ratio` is None where they can't be compared, and `why` says so."""
    timed = [c for c in shape["candidates"] if c.get("us")]
    best = min(timed, key=lambda c: c["us"], default=None)
    chosen = next((c for c in shape["candidates"] if c.get("chosen")), None)
    if not best or not chosen or not chosen.get("us"):
        why = "nothing is chosen" if not chosen else f"the choice has no time: {chosen.get('note') or 'not measured'}"
        return Judgement(shape, chosen, best, None, shape.get("note") or why)
    return Judgement(shape, chosen, best, chosen["us"] / best["us"], "")


def judge_all(results):
    """A choice without a time counts as one that is not close."""
    judgements = [judge(shape) for shape in results["shapes"]]
    within = sum(j.ratio is not None and j.ratio <= CLOSE for j in judgements)
    return Judged(judgements, within, within / len(judgements) if judgements else 0.0)


def cliffs(results):
    """[(n, k, m, us, more_m, more_us)]: where the choice for more rows takes clearly less time."""
    by_nk = collections.defaultdict(list)
    for judgement in judge_all(results).judgements:
        if judgement.ratio is not None and "groups" not in judgement.shape:
            by_nk[judgement.shape["n"], judgement.shape["k"]].append((judgement.shape["m"], judgement.chosen["us"]))
    found = []
    for (n, k), times in sorted(by_nk.items()):
        least = None  # (us, m) of the fastest with more rows
        for m, us in sorted(times, reverse=True):
            if least and us > CLIFF * least[0] + CLIFF_US:
                found.append((n, k, m, us, least[1], least[0]))
            least = min(least or (us, m), (us, m))
    return found


def differing(results):
    """Indices of the fields that are not the same everywhere."""
    configs = [c["config"] for shape in results["shapes"] for c in shape["candidates"]]
    return [i for i in range(len(results["fields"])) if len({config[i] for config in configs}) > 1]


def describe(results, candidate, indices):
    return " ".join(f"{results['fields'][i]}={candidate['config'][i]}" for i in indices) if candidate else "–"


def geometric_mean(values):
    return math.exp(sum(map(math.log, values)) / len(values))


def print_report(results):
    indices, judged = differing(results), judge_all(results)
    print("\n| M | N | K | model's choice | modelled us | measured us | fastest | us | choice / fastest |\n" + "|---" * 9 + "|")
    for j in judged.judgements:
        problem = shapes.problem_of(j.shape)
        grouped = problem.groups != shapes.Groups()
        m = f"{problem.groups.count} x {problem.m} {shapes.told_by(problem)}" if grouped else problem.m
        cells = [m, problem.n, problem.k, describe(results, j.chosen, indices)]
        cells += ["–" if not j.chosen or not j.chosen.get(key) else f"{j.chosen[key]:.1f}" for key in ("modelled_us", "us")]
        cells += [describe(results, j.best, indices) if j.best is not j.chosen else "the same",
                  f"{j.best['us']:.1f}" if j.best else "–", f"{j.ratio:.3f}" if j.ratio else j.why]
        print("| " + " | ".join(map(str, cells)) + " |")
    print(f"\nThe model's choice is within {100 * (CLOSE - 1):.0f} % of the fastest on {judged.within} of "
          f"{len(judged.judgements)} shapes ({100 * judged.share:.0f} %).")
    timed = [c for shape in results["shapes"] for c in shape["candidates"] if c.get("us") and c.get("modelled_us")]
    if timed:
        ratios = sorted(c["modelled_us"] / c["us"] for c in timed)
        print(f"Modelled / measured time of {len(ratios)} schedules: {ratios[0]:.2f} to {ratios[-1]:.2f}, geometric mean "
              f"{geometric_mean(ratios):.3f}, 90 % of them from {ratios[len(ratios) // 20]:.2f} to "
              f"{ratios[-1 - len(ratios) // 20]:.2f}.")
    failures = [(shapes.problem_of(s), describe(results, c, indices), c["note"]) for s in results["shapes"]
                for c in s["candidates"] if not c.get("us") and c.get("note")]
    for problem, config, note in failures:
        print(f"- no time: {shapes.name_of(problem)}: {config}: {note[:160]}")
    for n, k, m, us, more_m, more_us in cliffs(results):
        print(f"- cliff: N = {n}, K = {k}: {us:.1f} us for M = {m}, {more_us:.1f} us for M = {more_m}")
    return judged


def told(problem):
    """A problem's fields, without the usual kind."""
    usual = list(shapes.Kind())
    return {key: value for key, value in shapes.fields(problem).items() if key != "kind" or value != usual}


def keep(results, path):
    """Add the measured times to those of a file; of a schedule that it has, the newer one counts."""
    kept = load(path) if path.exists() else {"shapes": [], **{key: results[key] for key in ("modelled_on", "fields")}}
    for key in ("modelled_on", "fields"):
        if kept[key] != results[key]:
            raise SystemExit(f"expected {key} of {path}, {kept[key]}, got {results[key]}")
    by_problem = {shapes.problem_of(shape): shape["candidates"] for shape in kept["shapes"]}
    for shape in results["shapes"]:
        timed = [{"config": c["config"], "us": round(c["us"], 2)} for c in shape["candidates"] if c.get("us")]
        if timed:
            known = by_problem.get(shapes.problem_of(shape), [])
            by_config = {tuple(c["config"]): c for c in known + timed}
            by_problem[shapes.problem_of(shape)] = sorted(by_config.values(), key=lambda c: c["us"])
    lines = [json.dumps({**told(problem), "candidates": candidates}, separators=(",", ":"))
             for problem, candidates in sorted(by_problem.items(), key=lambda item: (item[0].n, item[0].k, item[0].m))]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f'{{"modelled_on": {json.dumps(kept["modelled_on"])}, "machine": {json.dumps(results.get("machine"))},\n'
                    f' "fields": {json.dumps(kept["fields"])},\n "shapes": [\n' + ",\n".join(lines) + "\n]}\n")
    print(f"{path}: {len(lines)} shapes, {path.stat().st_size} bytes")
