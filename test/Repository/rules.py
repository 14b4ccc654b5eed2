# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Rules of the source tree: which room may include which, and what every file must hold.

Each rule takes a file's path (relative to the checkout) and its text, and returns
its complaints. docs/Design.md says why the doors are closed.
"""

import io
import re
import tokenize

# (files, what they must not include, but for). Paths and includes are regular expressions.
CLOSED_DOORS = [
    (r"(lib|include/fp8gemm)/Dialect/FP8Gemm/", r"fp8gemm/Dialect/Hopper/", "the dialects meet only in lib/Conversion"),
    (r"(lib|include/fp8gemm)/Dialect/Hopper/", r"fp8gemm/Dialect/FP8Gemm/", "the dialects meet only in lib/Conversion"),
    (r"(lib|include/fp8gemm)/Target/", r"fp8gemm/Dialect/FP8Gemm/", "the target reads lowered kernels only"),
    (r"lib/Target/CheckKernel/", r"fp8gemm/Conversion/|(\.\./)+Conversion/", "a check that shared code with the lowering would believe it"),
    (r"lib/Conversion/HopperToNVVM/", r"fp8gemm/Dialect/FP8Gemm/|fp8gemm/Config/", "the lowering knows the hopper dialect only"),
    (r"lib/Conversion/FP8GemmToLinalg/", r"fp8gemm/Dialect/Hopper/|fp8gemm/Config/", "the oracle shares no code with the hopper path"),
    (r"lib/Conversion/(FP8GemmToRuntime|LinalgToFP8Gemm)/", r"fp8gemm/Dialect/Hopper/|fp8gemm/Config/", "host code knows no kernels"),
    (r"runtime/program/", r"(Abi|Call|CudaDriver|Error|Facts|Kernel|Launch|TensorMaps)\.h", "compiled programs use the runtime's C API"),
    (r"(lib|include/fp8gemm)/Config/", r"mlir/|llvm/|fp8gemm/(?!Config/|Problem\.h)", "the config model is plain C++"),
    (r"(lib|include/fp8gemm)/Pipelines/", r"(KernelFile|PackFile|ManifestChecks|StoredProblem|\w+_generated)\.h|llvm/Support/JSON|fp8gemm/(Pack|Driver|Simulator)/",
     "the pass list knows no file format, and nobody who uses it"),
    (r"(lib|include/fp8gemm)/(Pack|Simulator)/", r"fp8gemm/Driver/", "what the tools share is on top"),
    (r"(lib|include/fp8gemm)/Simulator/", r"fp8gemm/Pack/", "the simulator knows no file format"),
    (r"runtime/", r"mlir/|llvm/|torch/|fp8gemm/(Config|Conversion|Dialect|Driver|Pack|Pipelines|Target)/", "the runtime knows no compiler"),
    (r"(lib|include|tools)/", r"(\.\./)*runtime/(?!format/|include/)", "compiler and runtime share only the manifest format"),
    (r"(lib|include)/", r"fp8gemm/runtime\.h|runtime/include/|(.*/)?CApi\.h", "the compiler doesn't run kernels"),
    (r"tools/", r"mlir/(IR/PatternMatch|Transforms/DialectConversion|IR/Builders)", "tools hold no compiler logic"),
    (r"python/", r"(mlir|llvmlite|triton)\b", "the Python package holds no compiler logic"),
]

SOURCE = re.compile(r"\.(c|cpp|h|td|py|sh|cmake|fbs|in|mlir|test)$|(^|/)CMakeLists\.txt$|^\.ci/")
DOCUMENT = re.compile(r"\.(md|td|fbs)$")
LIT_TEST = re.compile(r"^test/.*\.(mlir|test)$")
SPDX = "SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception"
MAX_LINES = 500
MAX_TOOL_LINES = 100

# What lit and FileCheck understand.
LIT_KEYWORDS = {"RUN", "REQUIRES", "UNSUPPORTED", "XFAIL", "DEFINE", "REDEFINE", "END", "COM"}
CHECK_SUFFIXES = r"(-NEXT|-SAME|-NOT|-DAG|-LABEL|-EMPTY|-COUNT-\d+)?(\{LITERAL\})?"
DIAGNOSTIC = re.compile(r"expected-((error|warning|note|remark)(-re)?|no-diagnostics)$")


def includes(path, text):
    if path.endswith(".py"):
        return re.findall(r"^\s*(?:import|from)\s+(\S+)", text, re.M)
    return re.findall(r'^\s*(?:#\s*)?include\s+[<"]([^>"]+)[>"]', text, re.M)


def closed_doors(path, text):
    return [f"includes {name}: {why}" for room, closed, why in CLOSED_DOORS if re.match(room, path)
            for name in includes(path, text) if re.match(closed, name)]


def one_order(path, text):
    """The steps of lowering stand in kLoweringSteps: who wants them takes them from there."""
    if not re.match(r"(lib|include|tools)/", path) or re.match(r"(lib|include/fp8gemm)/Pipelines/", path):
        return []
    return [f"calls {name}: the order of the steps is that of kLoweringSteps"
            for name in re.findall(r"build(?:Config|Hopper|NVVM|LLVM)Pipeline\b", text)]


STATELESS = re.compile(r"(lib|include/fp8gemm)/(Dialect|Conversion)/|lib/Target/CheckKernel/")
VARIABLE = re.compile(r"^(?:\s*(?:static|thread_local|inline)\s+(?:static\s+|thread_local\s+|inline\s+)*|"
                      r"(?!\s|template\b|using\b|return\b|extern\b|typedef\b|friend\b|struct\b|class\b|enum\b|namespace\b|static_assert\b))"
                      r"(?!.*\b(?:const|constexpr)\b)[\w:<>,*& ]*[\w>*&] +[*&]?(\w+)(?:\[\w*\])*(?: *[={].*|;)$", re.M)


def stateless(path, text):
    """What works on one MLIRContext has no variables that another compilation could see: CompilerThreads trusts it."""
    if not STATELESS.match(path) or not path.endswith((".cpp", ".h")):
        return []
    return [f"{name} is a variable of all compilations: expected a constant, or a member of the dialect or pass" for name in VARIABLE.findall(text)]


def licence(path, text):
    """The SPDX line is the first, or follows `#!`. Tests of one behaviour go without."""
    if not SOURCE.search(path) or LIT_TEST.match(path):
        return []
    lines = text.splitlines()[:2]
    if lines and lines[0].startswith("#!"):
        lines = lines[1:]
    return [] if lines and lines[0].endswith(SPDX) else [f"expected '{SPDX}' in the first line"]


def length(path, text):
    limit = MAX_TOOL_LINES if re.match(r"tools/[^/]+\.cpp$", path) else MAX_LINES
    lines = text.count("\n")
    return [f"expected at most {limit} lines, got {lines}"] if SOURCE.search(path) and lines > limit else []


def check_prefixes(path, text):
    """A mistyped `CHEC:` or `expected-eror` would check nothing."""
    if not LIT_TEST.match(path):
        return []
    runs = re.sub(r"\\\n\s*(//|#)\s*RUN:", " ", text)  # a continued line, joined
    runs = "; ".join(re.findall(r"RUN:(.*)", runs))
    prefixes = set()
    for command in re.findall(r"FileCheck\b[^|;&]*", runs):
        if re.search(r"%s\b", command):  # else the checks are in another file
            named = re.search(r"--?check-prefix(?:es)?[= ]([\w,-]+)", command)
            prefixes.update(named.group(1).split(",") if named else ["CHECK"])
    known = re.compile("(" + "|".join(map(re.escape, sorted(prefixes))) + ")" + CHECK_SUFFIXES + "$") if prefixes else None
    complaints, used = [], set()
    for number, line in enumerate(text.splitlines(), 1):
        word = re.match(r"\s*(?://|#|;)\s*([A-Z][A-Z0-9_]*(?:-[A-Z0-9_]+)*(?:\{\w+\})?)\s*(:)?", line)
        if word:
            name, colon = word.groups()
            check = known.match(name) if known else None
            if check:
                used.add(check.group(1))
                if not colon:
                    complaints.append(f"line {number}: expected ':' after {name}")
            elif colon and name not in LIT_KEYWORDS and name != "SPDX":
                complaints.append(f"line {number}: {name}: is no prefix of a RUN line")
        for name in re.findall(r"//\s*(expected-[\w-]+|[a-z]+(?:-[a-z]+)+(?=\s*(?:@|\{\{)))", line):
            if not DIAGNOSTIC.match(name):
                complaints.append(f"line {number}: {name} is no diagnostic that -verify-diagnostics knows")
    complaints += [f"no line checks {prefix}" for prefix in sorted(prefixes - used)]
    if re.search(r"//\s*expected-", text) and "-verify-diagnostics" not in runs:
        complaints.append("expected-... without -verify-diagnostics")
    return complaints


# A reader learns them all: a new operation takes the place of another, or is a kind of one.
MAX_HOPPER_OPS = 39
# An attribute of the dialect on an operation that does not define it, in C++ and in IR.
# The dialect refuses them, which these test.
DISCARDABLE_TESTS = {"test/Dialect/Hopper/attributes.mlir", "test/Repository/test_source_tree.py"}
DISCARDABLE = re.compile(r"""[sg]et\w*Attr\w*(?:<[^>]*>)?\(\s*(?:\w+,\s*)?"hopper\.|(?:has|remove)\w*Attr\("hopper\.|"""
                         r"""[{,]\s*hopper\.\w+(?:\s*=|[,}])""", re.M)


def attributes(path, text):
    """The facts of a kernel are inherent attributes: a discardable one would be ignored where it is misspelt."""
    if not re.match(r"(lib|include|tools|test|docs|python|examples|runtime)/|README", path) or path in DISCARDABLE_TESTS:
        return []
    return [f"line {text.count(chr(10), 0, match.start()) + 1}: expected no discardable attribute of the hopper dialect, got {match[0].strip()}"
            for match in DISCARDABLE.finditer(text)]


def hopper_ops(texts):
    """The complaint about the number of operations that `texts`, the .td files of the dialect, define."""
    count = sum(len(re.findall(r"^def \w+ : Hopper_Op<", text, re.M)) for text in texts)
    return [f"expected at most {MAX_HOPPER_OPS} operations of the hopper dialect, got {count}"] if count > MAX_HOPPER_OPS else []


# (words that readers from outside stumble over, what to write instead, idioms that are allowed)
ODD_WORDS = [
    ("behind", "after, beyond, following", "(fall|falls|fell|lag|lags) behind"),
    ("alone", "only, by itself", r"(leave|leaves|left|let) (\w+ )?alone|stand-alone"),
    ("told", "given as, described by, passed", "told apart"),
    ("of nobody|nobody's", "padding, unused", None),
    ("whoever|whom", "the caller, the reader, a program that", None),
]
# (files, lines that may say it nevertheless)
ALLOWED_LINES = [
    (r"test/Repository/", "."),  # this file and its test
]
# A sentence of a document whose subject is a clause: "What others get of a build: ..."
CLAUSE = re.compile(r"(?:[-*] |\d+\. )?(?:[^|`]*[.:;] )?(?:What|Who) [^?]*$")
COMMENT_OR_STRING = re.compile(r'//[^\n]*|/\*.*?\*/|"(?:[^"\\\n]|\\.)*"', re.S)


def prose(path, text):
    """[(line, text)]: all of a document; comments and strings of other files."""
    if DOCUMENT.search(path):
        return list(enumerate(text.splitlines(), 1))
    if path.endswith(".py"):
        kinds = {tokenize.COMMENT, tokenize.STRING, getattr(tokenize, "FSTRING_MIDDLE", tokenize.STRING)}
        found = [(token.start[0], token.string) for token in tokenize.generate_tokens(io.StringIO(text).readline) if token.type in kinds]
    elif re.search(r"\.(c|cpp|h|hpp|mlir)$", path):
        found = [(text.count("\n", 0, match.start()) + 1, match[0]) for match in COMMENT_OR_STRING.finditer(text)]
    else:
        found = [(number, match[0]) for number, line in enumerate(text.splitlines(), 1) for match in re.finditer("(#|//).*", line)]
    return [(first + i, re.sub("`[^`]*`", "", line)) for first, words in found if re.search(r"\s", words)  # one word is a name
            for i, line in enumerate(words.splitlines())]


def english(path, text):
    allowed = [re.compile(lines) for files, lines in ALLOWED_LINES if re.match(files, path)]
    complaints = []
    for number, line in prose(path, text):
        if any(lines.search(line) for lines in allowed):
            continue
        for words, instead, idioms in ODD_WORDS:
            for word in re.findall(rf"\b(?:{words})\b", re.sub(idioms, "", line, flags=re.I) if idioms else line, re.I):
                complaints.append(f"line {number}: expected another word for '{word}' ({instead}): {line.strip()}")
        if path.endswith(".md") and not line.startswith("#") and CLAUSE.match(line):
            complaints.append(f"line {number}: expected a sentence whose subject is no clause: {line.strip()}")
    return complaints


RULES = [closed_doors, one_order, stateless, attributes, licence, length, check_prefixes, english]
