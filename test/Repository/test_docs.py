# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""What the documents say of the tree is true: links lead somewhere, examples are the files."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
DOCUMENTS = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_links(document):
    links = re.findall(r"\]\(([^)#]+)[^)]*\)", document.read_text())
    dead = [link for link in links if "://" not in link and not (document.parent / link).exists()]
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
