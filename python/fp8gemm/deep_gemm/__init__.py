# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The Hopper FP8 functions of DeepGEMM's interface (versions 2.6 to 2.8), over packs.

    import fp8gemm.deep_gemm as deep_gemm     # for: import deep_gemm
    deep_gemm.use("model.fp8pack")            # or the environment: FP8GEMM_PACK

Names, arguments and meaning are DeepGEMM's on compute capability 9.0; it is an independent implementation. What differs:

- Nothing is compiled. A product that the pack has no kernels for raises fp8gemm.NotInPackError, which names it and says how to
  compile it. Settings that steer compilation (compiled_dims, ignore_compile_dims) have no effect.
- ensure_zero_padding has no effect, and c that isn't d is copied into it.
- Rows of grouped_layout -1 keep what d held; DeepGEMM computes those in the last block of a group.
- FP8 is K-major: nn, tn and tt take what is K-major by its strides, as DeepGEMM does on Hopper.
- Dense products of bfloat16 are PyTorch's.
- Other names are absent (hasattr is false), and the AttributeError has the reason; or, with install(fallback="deep_gemm"), those
  of the DeepGEMM that is installed, or of vLLM's.
"""

from fp8gemm.deep_gemm import testing, utils
from fp8gemm.deep_gemm._einsum import fp8_einsum
from fp8gemm.deep_gemm._gemm import (
    fp8_gemm_nn,
    fp8_gemm_nt,
    fp8_gemm_tn,
    fp8_gemm_tt,
    k_grouped_fp8_gemm_nt_contiguous,
    m_grouped_fp8_gemm_nn_contiguous,
    m_grouped_fp8_gemm_nt_contiguous,
    m_grouped_fp8_gemm_nt_masked,
)
from fp8gemm.deep_gemm._install import install
from fp8gemm.deep_gemm._missing import resolve as _resolve
from fp8gemm.deep_gemm._settings import (
    get_num_sms,
    get_pdl,
    get_tc_util,
    set_block_size_multiple_of,
    set_ignore_compile_dims,
    set_num_sms,
    set_pdl,
    set_tc_util,
    use,
)
from fp8gemm.deep_gemm.utils import *  # noqa: F403
from fp8gemm.deep_gemm.utils.layout import transform_sf_into_required_layout

# Other names of the same functions. Those of FP4 take FP8 here.
fp8_fp4_gemm_nt, fp8_fp4_gemm_nn = fp8_gemm_nt, fp8_gemm_nn
fp8_fp4_gemm_tn, fp8_fp4_gemm_tt = fp8_gemm_tn, fp8_gemm_tt
m_grouped_fp8_fp4_gemm_nt_contiguous = m_grouped_fp8_gemm_nt_contiguous
m_grouped_fp8_fp4_gemm_nn_contiguous = m_grouped_fp8_gemm_nn_contiguous
m_grouped_fp8_fp4_gemm_nt_masked = fp8_m_grouped_gemm_nt_masked = m_grouped_fp8_gemm_nt_masked

__version__ = "2.8.1"  # the interface's


def __getattr__(name):
    return _resolve(name, __name__)
