# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The module that `import deep_gemm` finds in a process whose parent called fp8gemm.deep_gemm.install(), or where the
distribution fp8gemm-deep-gemm is installed: fp8gemm.deep_gemm."""

import importlib.util
import sys
from pathlib import Path

if importlib.util.find_spec("fp8gemm") is None:  # the parent had it by its own sys.path
    sys.path.append(str(Path(__file__).parents[3]))

from fp8gemm.deep_gemm._install import from_environment  # noqa: E402

from_environment()
