# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""What bench.py measured: a table for each set, with geometric means and the ratios that the set is to tell."""

import math

import grouped_shapes
import races
import shapes
from races import PEERS

# TFLOPS that dense e4m3 attains, and TB/s that a copy or read attains, by what the device's name contains.
GPUS = {"H200": (1600.0, 4.3), "H100": (1600.0, 3.0)}


def roof_of(machine):
    """(TFLOPS, TB/s) that a GPU attains, by its name."""
    gpu = (machine or {}).get("gpu", "")
    return next((numbers for key, numbers in GPUS.items() if key in gpu), GPUS["H100"])


def geometric_mean(values):
    values = list(values)
    return math.exp(sum(map(math.log, values)) / len(values)) if values else None


def show(value, digits=1):
    return "–" if value is None else f"{value:.{digits}f}"


def row_of(problem, variant, result, label, tflops, bandwidth):
    """The numbers of one line of the table; of groups M and K are what they hold."""
    us = result.get("us", {})
    ours, floor = us.get(label), shapes.floor_us(problem, tflops, bandwidth)
    rows, columns = shapes.used(problem)
    row = {"m": rows, "n": problem.n, "k": columns}
    if problem.groups != shapes.Groups():
        row.update(groups=problem.groups.count, told=shapes.told_by(problem), variant=variant)
    row = {**row, "ours": ours, "floor": floor, "read": us.get("read"),
           "tflops": shapes.flops(problem) / ours / 1e6 if ours else None,
           "gbps": shapes.bytes_once(problem) / ours / 1e3 if ours else None,
           "percent_of_floor": 100 * floor / ours if ours else None}
    energies = result.get("mj", {})
    row["mj"] = energies.get(label)
    for peer in PEERS + ("read",):
        row[peer] = us.get(peer)
        row["x " + peer] = us[peer] / ours if ours and peer in us else None
        row["mj " + peer] = energies[peer] / row["mj"] if row["mj"] and peer in energies else None
    return row


def print_table(name, rows, notes):
    peers = [p for p in PEERS if any(row[p] for row in rows)] + ["read"]
    columns = {"m": "M", "n": "N", "k": "K"}
    if any("groups" in row for row in rows):
        columns = {"groups": "groups", "told": "described by", **columns}
    if any(row.get("variant") for row in rows):
        columns["variant"] = "variant"
    # The energy of a call, and after a peer's time that of its over ours.
    has_energy = {p: any(row["mj " + p] for row in rows) for p in peers}
    own = ["mj"] if any(row["mj"] for row in rows) else []
    head = [*columns.values(), "ours us", "TFLOPS", "GB/s"] + ["mJ"] * len(own)
    for peer in peers:
        head += [peer, "x"] + ["x mJ"] * has_energy[peer]
    lines = [head + ["floor", "% of floor"]]
    for row in rows:
        line = [str(row[c]) for c in columns] + [show(row["ours"]), show(row["tflops"], 0), show(row["gbps"], 0)]
        line += [show(row[c], 2) for c in own]
        for peer in peers:
            line += [show(row[peer]), show(row["x " + peer], 2)] + [show(row["mj " + peer], 2)] * has_energy[peer]
        lines.append(line + [show(row["floor"]), show(row["percent_of_floor"], 0)])
    means = {p: geometric_mean(r["x " + p] for r in rows if r["x " + p]) for p in PEERS + ("read",)}
    energy = {p: geometric_mean(r["mj " + p] for r in rows if r["mj " + p]) for p in peers}
    share = geometric_mean(r["percent_of_floor"] for r in rows if r["percent_of_floor"])
    line = ["geometric mean"] + [""] * (len(columns) + 2 + len(own))
    for peer in peers:
        line += ["", show(means[peer], 3)] + [show(energy[peer], 3)] * has_energy[peer]
    lines.append(line + ["", show(share, 0)])
    print(f"\n### {name} (microseconds; x = the peer's time over ours)\n")
    print("| " + " | ".join(lines[0]) + " |\n|" + "---|" * len(lines[0]))
    for line in lines[1:]:
        print("| " + " | ".join(line) + " |")
    for note in notes:
        print("- " + note)
    return {**{"x " + p: mean for p, mean in means.items()}, **{"mj " + p: mean for p, mean in energy.items()},
            "percent_of_floor": share}


def ratios_of(name, cases, rows):
    """What a set is to tell: [{"of", "over", "most", "ratios": {case: ratio}, "geometric_mean", "worst"}]."""
    found = []
    for of, over, most in grouped_shapes.RATIOS.get(name, []):
        ratios = {}
        for case, ours in zip(cases, rows):
            above = ours[of]["ours"] if of in ours else None
            below = ours[of]["read"] if over == "read" and of in ours else ours.get(over, {}).get("ours")
            if above and below:
                ratios[shapes.name_of(case[of])] = above / below
        found.append({"of": of, "over": over, "most": most, "ratios": ratios,
                      "geometric_mean": geometric_mean(ratios.values()), "worst": max(ratios.values(), default=None)})
    return found


def print_ratios(found):
    for ratio in found:
        each = ", ".join(f"{name} {value:.3f}" for name, value in ratio["ratios"].items())
        print(f"- {ratio['of']} / {ratio['over']}: geometric mean {show(ratio['geometric_mean'], 3)}, worst "
              f"{show(ratio['worst'], 3)}, wanted at most {ratio['most']}: {each or 'no times'}")


def print_sweep(items, results):
    """A line for each shape that has several schedules, the fastest first."""
    lines = []
    for item, result in zip(items, results):
        for variant in item["variants"]:
            part, labels = races.of_variant(result, variant), races.labels_of(item, variant)
            us, name = part.get("us", {}), races.contender(item["id"], variant) if variant else item["id"]
            timed = sorted((us[label], label) for label in labels if label in us)
            if len(labels) > 1 and timed:
                lines.append(f"- {name}: " + ", ".join(f"{time:.1f} {label}" for time, label in timed))
                failed = [label for label in labels if label not in us]
                lines += [f"  - {label}: {part.get('notes', {}).get(label, 'no result')[:160]}" for label in failed]
    if lines:
        print("\n### schedules (microseconds)\n\n" + "\n".join(lines))


def lines_of(case, item, result, tflops, bandwidth):
    """{variant: (row, raw, notes)} of a case."""
    lines = {}
    for variant, problem in case.items():
        part, labels = races.of_variant(result, variant), races.labels_of(item, variant)
        timed = [label for label in labels if label in part.get("us", {})]
        label = "default" if "default" in timed else min(timed, key=part.get("us", {}).get, default="default")
        notes = [f"{result['status']}: {result['note']}"] if result.get("note") else []
        notes += [f"{who}: {note}" for who, note in part.get("notes", {}).items() if who in PEERS or label not in timed]
        notes += [] if labels else ["no kernel in the index"]
        row = row_of(problem, variant, part, label, tflops, bandwidth)
        lines[variant] = row, dict(part, label=label, kernels=labels), notes
    return lines


def report(sets, items, results, arguments, machine):
    """Print the tables; the same as a dictionary."""
    gpu = (machine or {}).get("gpu", "")
    known = roof_of(machine)
    tflops, bandwidth = arguments.tflops or known[0], arguments.bandwidth or known[1]
    by_id = {item["id"]: (item, result) for item, result in zip(items, results)}
    methods = sorted({r["method"] for r in results if "method" in r})
    print(f"\n{gpu or 'no GPU'}; torch {(machine or {}).get('torch', '?')}, CUDA {(machine or {}).get('cuda', '?')}; "
          f"kernel time from {' and '.join(methods) or 'nothing'}, median of {arguments.rounds}; "
          f"floor at {tflops:g} TFLOPS and {bandwidth:g} TB/s")
    for why in sorted({r["method_note"] for r in results if r.get("method_note")}):
        print(f"CUPTI was not usable, CUDA events were: {why}")
    answer = {"machine": machine, "tflops": tflops, "terabytes_per_second": bandwidth, "rounds": arguments.rounds, "sets": {}}
    for name, cases in sets.items():
        lines = [lines_of(case, *by_id[races.case_id(name, case)], tflops, bandwidth) for case in cases]
        notes = {}
        for case, line in zip(cases, lines):
            for variant, (_, _, said) in line.items():
                for note in said:
                    notes.setdefault(note, []).append(races.contender(variant, shapes.name_of(case[variant])))
        everywhere = sum(map(len, lines))
        listed = [f"{', '.join(whose) if len(whose) < everywhere else 'all'}: {note}" for note, whose in notes.items()]
        rows = [row for line in lines for row, _, _ in line.values()]
        means = print_table(name, rows, listed)
        ratios = ratios_of(name, cases, [{variant: row for variant, (row, _, _) in line.items()} for line in lines])
        print_ratios(ratios)
        answer["sets"][name] = {"rows": rows, "geometric_means": means, "ratios": ratios,
                                "raw": [raw for line in lines for _, raw, _ in line.values()]}
    print_sweep(items, results)
    return answer
