# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The generic form of any operation, with something missing or too much, is an error, not a crash.

Verifiers read operands, attributes and regions that only the short form is sure to have. The .td files say which
operations there are, and tests of the dialects have each of them. From its generic form an operand, an attribute, a
region or a block is left out, or an operand, a region or a result is added.
"""

import re
import subprocess

import pytest
from tools import OPT, ROOT

OPERATIONS = {f"{dialect}.{name}" for dialect, folder in (("hopper", "Hopper"), ("fp8gemm", "FP8Gemm"))
              for td in ROOT.glob(f"include/fp8gemm/Dialect/{folder}/IR/*.td")
              for name in re.findall(r'^def \w+Op : \w*Op\w*<(?:\w+_Dialect, )?"([\w.]+)"', td.read_text(), re.M)}
FILES = [*(f"Hopper/{name}.mlir" for name in ("ops", "tiles", "fragments", "group-ops", "invalid-groups", "invalid-panels",
                                              "check-rings/clusters", "check-rings/group-tables", "check-rings/exchange")),
         *(f"FP8Gemm/{name}.mlir" for name in ("ops", "grouped-ops", "quantize-ops", "quantised", "epilogue"))]
HEAD = re.compile(r'( *)((?:%\d+(?::(\d+))? = )?)"((?:hopper|fp8gemm)\.[\w.]+)"\(([^)]*)\)(?: <\{(.*)\}>)?( : \(.*| \(\{)$')
SEGMENTS = re.compile(r"operandSegmentSizes = array<i32: ([\d, ]+)>")


def elements(text):
    """Those of a list that stand between commas outside of all brackets."""
    found, depth = [""], 0
    for before, character in zip(" " + text, text):
        depth += (character in "<([{") - (character in ")]}" or (character == ">" and before != "-"))
        if character == "," and depth == 0:
            found.append("")
        else:
            found[-1] += character
    return [element.strip() for element in found if element.strip()]


def changed(lines, at):
    """(what was done, the text) for each change of the operation that starts in line `at`."""
    indent, results, count, name, operands, attributes, rest = HEAD.match(lines[at]).groups()
    operands, attributes = elements(operands), elements(attributes or "")
    end = at if rest != " ({" else next(i for i in range(at, len(lines)) if lines[i].startswith(indent + "})"))
    regions = [] # each the lines within its braces
    for line in lines[at + 1:end + 1]:
        if not regions or line == indent + "}, {":
            regions.append([])
        if not line.startswith(indent + "}"):
            regions[-1].append(line)
    types = re.search(r" : \((.*)\) -> (.*)$", lines[end])
    operand_types, result_types = elements(types[1]), types[2]

    def text(operands=operands, operand_types=operand_types, attributes=attributes, regions=regions, results=results,
             result_types=result_types):
        head = f'{indent}{results}"{name}"({", ".join(operands)})' + (f' <{{{", ".join(attributes)}}}>' if attributes else "")
        inner = ", ".join("{\n" + "\n".join(region) + "\n}" for region in regions)
        tail = (f" ({inner})" if regions else "") + f' : ({", ".join(operand_types)}) -> {result_types}'
        return "\n".join([*lines[:at], head + tail, *lines[end + 1:]])

    def with_segments(change):
        return [SEGMENTS.sub(lambda sizes: "operandSegmentSizes = array<i32: "
                             + ", ".join(map(str, change([int(size) for size in sizes[1].split(",")]))) + ">", attribute)
                for attribute in attributes]

    yield "no operands", text(operands=[], operand_types=[], attributes=with_segments(lambda sizes: [0] * len(sizes)))
    yield "nothing", text(operands=[], operand_types=[], attributes=[], regions=[])
    for i in range(len(operands)):
        fewer = dict(operands=operands[:i] + operands[i + 1:], operand_types=operand_types[:i] + operand_types[i + 1:])
        yield f"without operand {i}", text(**fewer)

        def without(sizes):
            segment = next(s for s in range(len(sizes)) if sum(sizes[:s + 1]) > i)
            return [size - (s == segment) for s, size in enumerate(sizes)]
        if SEGMENTS.search(", ".join(attributes)):
            yield f"without operand {i} and its segment", text(**fewer, attributes=with_segments(without))
    if operands:
        yield "an operand more", text(operands=[*operands, operands[0]], operand_types=[*operand_types, operand_types[0]])
    for i, attribute in enumerate(attributes):
        yield f"without {attribute.split(' = ')[0]}", text(attributes=attributes[:i] + attributes[i + 1:])
    for i in range(len(regions)):
        for what, region in (("empty", []), ("with an empty block", ["^bb0:"]), ("with another end", ['"test.end"() : () -> ()'])):
            yield f"region {i} {what}", text(regions=regions[:i] + [region] + regions[i + 1:])
        yield f"without region {i}", text(regions=regions[:i] + regions[i + 1:])
    yield "a region more", text(regions=[*regions, []])
    more = "(" + ", ".join([*elements(result_types.strip("()") if result_types.startswith("(") else result_types), "index"]) + ")"
    yield "a result more", text(result_types=more, results=f"%more:{int(count or bool(results)) + 1} = " if not results
                                else re.sub(r"(%\d+)(:\d+)? =", rf"\1:{int(count or 1) + 1} =", results))


def tops(lines):
    """The functions and kernels of a module, each by itself: modules are long."""
    for start, line in enumerate(lines):
        if top := re.match(r'(  )"func\.func"|(    )"(hopper\.(kernel|entry)|llvm\.func)"', line):
            indent = top[1] or top[2]
            end = next(i for i in range(start, len(lines)) if lines[i].startswith(indent + "})")) if line.endswith("({") else start
            text = lines[start:end + 1]
            yield text if top[1] else ['"gpu.module"() <{sym_name = "m"}> ({', *text, "}) : () -> ()"]


def cases():
    """{operation: [(what was done, module)]}: of each operation in each other one that it stands in, the first place."""
    found = {}
    for file in FILES:
        done = subprocess.run([OPT, "--split-input-file", "--mlir-print-op-generic", "--mlir-print-local-scope",
                               ROOT / "test" / "Dialect" / file], capture_output=True, text=True)
        assert done.returncode in (0, 1) and done.stdout, done.stderr # files may have errors in other modules
        for module in done.stdout.split("// -----\n"):
            for lines in tops(module.strip().split("\n")):
                around = {} # {indentation: operation}
                for at, line in enumerate(lines):
                    if not (operation := re.match(r'( *)(?:%\S+ = )?"([\w.]+)"', line)):
                        continue
                    indent, name = len(operation[1]), operation[2]
                    around = {outer: what for outer, what in around.items() if outer < indent} | {indent: name}
                    place = (name, around[max(around.keys() - {indent}, default=indent)])
                    if HEAD.match(line) and place not in found:
                        found[place] = list(changed(lines, at))
    named = {}
    for (name, _), changes in found.items():
        named.setdefault(name, []).extend(changes)
    return named


@pytest.fixture(scope="module")
def changes():
    return cases()


def run(modules):
    return subprocess.run([OPT, "--split-input-file", "--allow-unregistered-dialect", "-"], input="\n// -----\n".join(modules),
                          capture_output=True, text=True)


def test_every_operation_is_changed(changes):
    assert len(OPERATIONS) > 40 and OPERATIONS <= changes.keys(), OPERATIONS - changes.keys()


def test_changed_generic_forms_are_errors(changes):
    modules = {f"{name}: {what}": module for name, places in changes.items() for what, module in places}
    done = run(modules.values())
    if done.returncode not in (0, 1):
        crashes = [name for name, module in modules.items() if run([module]).returncode not in (0, 1)]
        pytest.fail(f"crashes of {crashes}")
    assert done.stderr.count("error: ") > len(modules) / 2
