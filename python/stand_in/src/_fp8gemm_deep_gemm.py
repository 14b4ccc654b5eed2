# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Imported when Python starts, by fp8gemm_deep_gemm.pth: where FP8GEMM_PACK names a pack, `import deep_gemm` means
fp8gemm.deep_gemm, before whatever else has that name, which stays installed as what is fallen back on."""

import os
import sys

if os.environ.get("FP8GEMM_PACK"):
    folders = [os.path.join(path, "fp8gemm", "_stand_in") for path in sys.path]
    sys.path[:0] = [folder for folder in folders if os.path.isdir(folder)][:1]
