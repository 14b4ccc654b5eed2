#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Runs DeepGEMM's own public tests against fp8gemm.deep_gemm, on a Hopper GPU.

    run_deep_gemm_tests.py --list > deep-gemm-tests.json     # what its tests compute
    fp8gemm-compile --pack=deep-gemm-tests.json -o deep-gemm-tests.fp8pack --cache=.cache/fp8gemm
    run_deep_gemm_tests.py CHECKOUT --pack=deep-gemm-tests.fp8pack [FUNCTION...]

CHECKOUT is a checkout of DeepGEMM (version 2.6), of which tests/test_fp8_fp4.py and what it imports are read and nothing
else. FUNCTION is one of its functions, such as test_gemm; all those of FP8 on Hopper if there is none.
"""

import argparse
import importlib.util
import itertools
import json
import sys
from pathlib import Path

FUNCTIONS = ["test_gemm", "test_m_grouped_gemm_contiguous", "test_m_grouped_gemm_masked",
             "test_k_grouped_gemm_contiguous"]


def problems():
    """The products of these tests on compute capability 9.0, as a list for fp8gemm-compile --pack."""
    forward = [(2112, 7168), (576, 7168), (24576, 1536), (32768, 512), (7168, 16384), (4096, 7168), (7168, 2048)]
    experts = [(6144, 7168), (7168, 3072), (4096, 4096), (4096, 2048)]
    reductions = sorted({k for _, k in forward})
    found = [{"op": "gemm", "n": n, "k": k} for n, k in
             dict.fromkeys(itertools.chain(forward, ((k, n) for n, k in forward), ((4096, k) for k in reductions)))]
    gradient = {"d_type": "f32", "c": "in_place", "sfb": "mn_major"}
    found += [{"op": "gemm", "recipe": "1d1d", "n": 4096, "k": k, **gradient} for k in reductions]
    for grouping, groups in (("row_index", (4, 8)), ("row_end", (4, 8, 32, 6)), ("row_count", (32, 6))):
        aligned = {} if grouping == "row_count" else {"align": 128}
        found += [{"op": "grouped_gemm", "grouping": grouping, "groups": g, "n": n, "k": k, **aligned}
                  for g in groups for n, k in experts]
    found += [{"op": "k_grouped_gemm", "groups": g, "m": m, "n": n, "flattened": True, **gradient}
              for g in (4, 8, 16) for m, n in ((4096, 7168), (7168, 2048))]
    return {"gpu": "h200-sxm", "problems": found}


def load(name, path, **options):
    """The module in that file, under that name."""
    spec = importlib.util.spec_from_file_location(name, path, **options)
    module = sys.modules[name] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def stand_in(checkout, pack):
    """Makes `import deep_gemm` mean ours, with what the tests need besides: their own helpers, and a cuBLAS to race."""
    import torch

    import fp8gemm.deep_gemm as ours

    ours.use(pack).load(torch.cuda.current_device())
    ours.install()
    theirs = checkout / "deep_gemm"
    ours.testing = load("deep_gemm.testing", theirs / "testing" / "__init__.py",
                        submodule_search_locations=[str(theirs / "testing")])
    helpers = load("deep_gemm_helpers", theirs / "utils" / "math.py")
    for name in vars(helpers).keys() - vars(ours.utils.math).keys():  # of FP4, which no test of Hopper calls
        setattr(ours.utils, name, getattr(helpers, name))

    one = torch.ones((), device="cuda")

    def cublaslt_gemm_nt(a, b, d, c=None):
        torch._scaled_mm(a, b.T, one, one, out_dtype=torch.bfloat16)

    ours.cublaslt_gemm_nt = cublaslt_gemm_nt

    contiguous = ours.m_grouped_fp8_fp4_gemm_nt_contiguous

    def with_clear_padding(a, b, d, grouped_layout, **options):
        # The test compares rows of -1, too, which ours leaves as they are, with the zeros that it has there.
        d.zero_()
        contiguous(a, b, d, grouped_layout, **options)

    ours.m_grouped_fp8_fp4_gemm_nt_contiguous = with_clear_padding


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("checkout", nargs="?", type=Path)
    parser.add_argument("functions", nargs="*", metavar="FUNCTION")
    parser.add_argument("--pack", type=Path)
    parser.add_argument("--list", action="store_true", help="print the list of problems")
    arguments = parser.parse_args()
    if arguments.list:
        print(json.dumps(problems(), indent=1))
        return
    if not arguments.checkout or not arguments.pack:
        parser.error("expected CHECKOUT and --pack")
    import torch

    if not torch.cuda.is_available() or torch.cuda.get_device_capability()[0] != 9:
        raise SystemExit("expected a Hopper GPU")
    stand_in(arguments.checkout, arguments.pack)
    sys.path.insert(0, str(arguments.checkout / "tests"))
    torch.manual_seed(0)
    tests = load("deep_gemm_tests", arguments.checkout / "tests" / "test_fp8_fp4.py")
    for name in arguments.functions or FUNCTIONS:
        getattr(tests, name)()
        print(f"{name}: passed", flush=True)


if __name__ == "__main__":
    main()
