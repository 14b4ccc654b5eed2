#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Adds up the results of all test runners.

    sum_tests.py FOLDER RUNNER...

FOLDER contains one NAME.xml (JUnit) and one NAME.status (exit status) per program;
NAME begins with its RUNNER. A program that failed without naming a failed test, or
a RUNNER without results, counts as one failure. The last line of the output is
`N passed, N failed, N skipped`; the exit status is 0 only if none failed.
"""

import re
import sys
import xml.etree.ElementTree as ElementTree
from collections import Counter
from pathlib import Path


def reason(element):
    """The reason why a test was skipped, without the location that GoogleTest and pytest prepend."""
    text = element.get("message") or element.text or ""
    if text == "collection skipped":  # a whole file of pytest
        found = re.search(r"Skipped: (.*)['\"]\)$", element.text or "", re.S)
        text = found.group(1) if found else text
    return (text.strip().splitlines() or ["no reason given"])[-1]


def read(path):
    """(passed, failed tests, {reason: skipped tests}) of one JUnit file."""
    passed, failed, skipped = 0, [], {}
    for case in ElementTree.parse(path).iter("testcase"):
        name = f"{case.get('classname', '')}.{case.get('name')}"
        if case.find("failure") is not None or case.find("error") is not None:
            failed.append(name)
        elif case.find("skipped") is not None:
            skipped.setdefault(reason(case.find("skipped")), []).append(name)
        elif case.get("status") == "notrun":  # GoogleTest's DISABLED_
            skipped.setdefault("disabled", []).append(name)
        else:
            passed += 1
    return passed, failed, skipped


def summarise(folder, runners):
    """(passed, failed tests, Counter of skips by reason) over all files of `folder`."""
    passed, failed, skips = 0, [], Counter()
    for runner in runners:
        ran = 0
        for status_file in sorted(folder.glob(f"{runner}*.status")):
            status = int(status_file.read_text())
            here, why = None, f"exited with status {status}"
            try:
                here = read(status_file.with_suffix(".xml"))
            except (OSError, ElementTree.ParseError) as error:
                why += f" and left no results ({error})"
            if here:
                passed += here[0]
                failed += [f"{runner}: {name}" for name in here[1]]
                skips.update({text: len(names) for text, names in here[2].items()})
                ran += here[0] + len(here[1]) + sum(map(len, here[2].values()))
            if not here or (status and not here[1]):
                failed.append(f"{status_file.stem}: {why}")
        if not ran:
            failed.append(f"{runner}: no test ran")
    return passed, failed, skips


def main():
    if len(sys.argv) < 3:
        print(__doc__, file=sys.stderr)
        return 2
    passed, failed, skips = summarise(Path(sys.argv[1]), sys.argv[2:])
    for text, count in skips.most_common():
        print(f"skipped {count}: {text}")
    for name in failed:
        print(f"FAILED {name}")
    print(f"{passed} passed, {len(failed)} failed, {sum(skips.values())} skipped")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
