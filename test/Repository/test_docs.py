# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""What the documents say of the tree is true: links lead somewhere, examples are the files."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
DOCUMENTS = [ROOT / "README.md", ROOT / "benchmark" / "README.md", *sorted((ROOT / "docs").glob("*.md"))]


def anchors(document):
    """Of its headings, as GitHub makes them."""
    headings = re.findall(r"^#+ (.*)$", document.read_text(), re.M)
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_links(document):
    dead = []
    for path, anchor in re.findall(r"\]\(([^)#]*)#?([^)]*)\)", re.sub(r"`[^`]*`", "", document.read_text())):
        target = document.parent / path if path else document
        if "://" not in path and (not target.exists() or anchor and anchor not in anchors(target)):
            dead.append(f"{path}#{anchor}")
    assert not dead


def test_readme_example_is_the_file():
    example = re.search(r"```mlir\n(?://.*\n)*(func\.func.*?)```", (ROOT / "README.md").read_text(), re.S).group(1)
    assert (ROOT / "examples" / "gemm.mlir").read_text().endswith(example)


def test_readme_names_scripts_that_exist():
    names = set(re.findall(r"^scripts/[\w.]+", (ROOT / "README.md").read_text(), re.M))
    assert names and all((ROOT / name).exists() for name in names)


@pytest.mark.parametrize("document, letter, folder", [("RingProtocol.md", "R", "Dialect/Hopper/check-rings"),
                                                      ("KernelLint.md", "L", "Target/check-kernel")])
def test_every_rule_has_a_test(document, letter, folder):
    rules = re.findall(rf"^- \*\*{letter}(\d+)\*\*", (ROOT / "docs" / document).read_text(), re.M)
    tests = "".join(path.read_text() for path in sorted((ROOT / "test" / folder).glob("*.mlir")))
    assert [int(rule) for rule in rules] == list(range(1, len(rules) + 1))
    assert not [rule for rule in rules if not re.search(rf"breaks {letter}{rule}: ", tests)
                or not re.search(rf"@{letter.lower()}{rule}_", tests)]
