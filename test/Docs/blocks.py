# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Fenced blocks of the documents: which commands they show, what these print, and how that is compared.

- A block with lines `$ COMMAND` shows a session: each command is run, and what it prints (stdout and stderr) must be
  what stands below it. A `...` line stands for any lines, `...` at a line's end for its rest. MASKS says which numbers vary.
- A block of the language `sh` shows commands: each line is run and must succeed.
- A block of the language `mlir` shows IR, as `<!-- printed by: COMMAND -->` above it prints it, or as it stands in the
  file of `<!-- from: FILE -->`. It has its own names for values and `!types`, each of which stands for one thing, and comments.
- A block of the language `python` is run, with what earlier blocks of its document left; run_python.py says what `<!-- with: NAME -->`
  above it adds.
- Another block below `<!-- from: FILE -->` is in the file; one without a language is a diagnostic that the file, a test, expects.
- `<!-- not run: WHY -->` above a block says why it is none of that.
"""

import re
import textwrap
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[2]
DOCUMENTS = sorted({ROOT / "README.md", ROOT / "benchmark" / "README.md", ROOT / "python" / "README.md",
                    *(ROOT / "docs").glob("*.md"), *(ROOT / "examples").rglob("README*")})

# (what varies, where, by what it is replaced)
MASKS = [
    ("times of this machine", r" *\d+\.\d+ s\b", " # s"),
    ("the version of LLVM", r"\bLLVM \d+\.\d+\.\d+", "LLVM #"),
    ("the version of ptxas", r"\bptxas \d+\.\d+\.\d+", "ptxas #"),
    ("the size of machine code, by ptxas", r"\d+ bytes, of which the cubin \d+", "# bytes, of which the cubin #"),
    ("the size of machine code, by ptxas", r"(kernels?), \d+ bytes", r"\1, # bytes"),
    ("places in generated IR", r"<stdin>:\d+:\d+", "<stdin>:#:#"),
    ("the last bits of libm's functions, in the operands", r"worst error \d\.\d+ of its bound", "worst error # of its bound"),
    ("the same", r"relative error of a row \d\.\d+", "relative error of a row #"),
]
MARK = re.compile(r"<!-- (not run|printed by|from|with): (.+?) -->")


class Block(NamedTuple):
    document: Path
    line: int       # of the fence
    language: str
    text: str
    mark: str       # "not run", "printed by", "from", "with" or ""
    what: str       # of the mark

    @property
    def name(self):
        return f"{self.document.relative_to(ROOT).as_posix()}:{self.line}"

    @property
    def is_session(self):
        return re.search(r"^\$ ", self.text, re.M) is not None


def blocks_of(document, text=None):
    text = document.read_text() if text is None else text
    found, lines = [], text.splitlines()
    begin = None
    for number, line in enumerate(lines):
        if not line.lstrip().startswith("```"):
            continue
        if begin is None:
            begin = number
            continue
        above = next((other for other in reversed(lines[:begin]) if other.strip()), "")
        mark = MARK.fullmatch(above.strip())
        found.append(Block(document, begin + 1, lines[begin].strip()[3:].strip(), textwrap.dedent("\n".join(lines[begin + 1:number]) + "\n"),
                           *(mark.groups() if mark else ("", ""))))
        begin = None
    return found


def joined(text):
    """Lines, with those that a backslash continues as one."""
    return re.sub(r"\\\n\s*", " ", text).splitlines()


def session(block):
    """[(command, what it is to print)]"""
    steps = []
    for line in joined(block.text):
        if line.startswith("$ "):
            steps.append((line[2:], []))
        else:
            steps[-1][1].append(line)
    return [(command, "\n".join(lines).strip("\n") + "\n" if lines else None) for command, lines in steps]


def commands(block):
    return [line for line in joined(block.text) if line.strip() and not line.startswith("#")]


def masked(text):
    for _, pattern, replacement in MASKS:
        text = re.sub(pattern, replacement, text)
    return "\n".join(line.rstrip() for line in text.rstrip().splitlines()) + "\n"


def pattern_of(shown):
    """A regular expression of what a session shows."""
    pattern = ""
    for line in masked(shown).splitlines():
        if line.strip() == "...":
            pattern += r"(?:.*\n)*"
        elif line.endswith("..."):
            pattern += re.escape(line[:-3]) + ".*\n"
        else:
            pattern += re.escape(line) + "\n"
    return pattern


def prints(printed, shown):
    return re.fullmatch(pattern_of(shown), masked(printed)) is not None


def expects(test, message):
    """Whether a test expects a diagnostic, but for its kind and operation."""
    message = re.sub(r"^(error|remark|note|warning): |'[\w.]+' op ", "", " ".join(message.split()))
    return message in " ".join(test.split())


NAME = re.compile(r"(%[A-Za-z_][\w]*|![a-z_]+(?![\w.]))|(\.\.\.)|\s+|([^\s%!.]+|.)")


def shows(ir, printed):
    """Whether IR of a document is part of what was printed, but for the names of its values and types."""
    pattern, groups = [], {}
    ir = re.sub(r"//.*", "", ir)
    for name, rest, text in NAME.findall(ir):
        if name and name in groups:
            pattern.append(f"(?P={groups[name]})")
        elif name:
            groups[name] = f"n{len(groups)}"
            pattern.append(f"(?P<{groups[name]}>{'%[^ ,)=]+?' if name.startswith('%') else '[^ ].*?'})")
        elif rest:
            pattern.append(".*?")
        elif text:
            pattern.append(re.escape(text))
    match = re.search(r"\s*".join(pattern), printed, re.S)
    if not match:
        return False
    values = [match[group] for name, group in groups.items() if name.startswith("%")]
    return len(set(values)) == len(values)  # two names are two values
