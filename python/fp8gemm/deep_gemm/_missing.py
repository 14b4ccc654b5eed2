# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Names that are not fp8gemm's: another DeepGEMM's, PyTorch's, or absent, with the reason."""

from fp8gemm.deep_gemm import _fallback

_BF16 = "fp8gemm computes products of block-scaled FP8, and PyTorch dense ones of bfloat16"
_BLACKWELL = "it is for compute capability 10.0, fp8gemm for 9.0"
_OTHER = "it is no block-scaled FP8 product"
_CUBLAS = "fp8gemm does not come with cuBLAS; call torch.matmul or torch._scaled_mm"
_ELSEWHERE = '; install(fallback="deep_gemm") takes it from DeepGEMM, where that is installed'

_REASONS = {
    "k_grouped_fp8_gemm_tn_contiguous": _BLACKWELL,
    "get_mn_major_tma_aligned_packed_ue8m0_tensor": _BLACKWELL,
    "get_k_grouped_mn_major_tma_aligned_packed_ue8m0_tensor": _BLACKWELL,
    "pack_ue8m0_to_int": _BLACKWELL,
    "transform_ue4m3_sf_into_required_layout": _BLACKWELL,
    "fp8_gemm_nt_skip_head_mid": "its fused epilogue is not built",
    **{name: _BF16 for name in (
        "m_grouped_bf16_gemm_nt_contiguous", "m_grouped_bf16_gemm_nn_contiguous", "m_grouped_bf16_gemm_nt_masked",
        "bf16_m_grouped_gemm_nt_masked", "k_grouped_bf16_gemm_tn_contiguous", "bf16_mega_moe")},
    **{name: _CUBLAS for name in ("cublaslt_gemm_nt", "cublaslt_gemm_nn", "cublaslt_gemm_tn", "cublaslt_gemm_tt")},
    **{name: _OTHER for name in (
        "einsum", "fp8_mqa_logits", "fp8_paged_mqa_logits", "fp8_fp4_mqa_logits", "fp8_fp4_paged_mqa_logits",
        "get_mqa_logits_metadata", "get_paged_mqa_logits_metadata", "tf32_hc_prenorm_gemm", "mega_mhc", "bf16_mega_gate")},
    **{name: "expert parallel kernels that communicate are not built" for name in (
        "SymmBuffer", "get_symm_buffer_for_mega_moe", "transform_weights_for_mega_moe", "get_block_m_for_mega_moe",
        "mega_moe_pre_dispatch", "mega_moe_pre_dispatch_sm90", "fp8_mega_moe", "fp8_fp4_mega_moe")},
    **{name: _BLACKWELL for name in (
        "NVFP4SymmBuffer", "nvfp4_mega_moe", "fp4_fp4_mega_moe", "get_block_m_for_nvfp4_mega_moe",
        "fp8_fp4_sparse_mqa_logits", "fp8_fp4_paged_sparse_mqa_logits", "get_sparse_mqa_logits_metadata",
        "get_paged_sparse_mqa_logits_metadata")},
}


def reason(name):
    """Why that name is absent."""
    return _REASONS.get(name, "") and _REASONS[name] + _ELSEWHERE


def resolve(name, module, path=""):
    """What a module has by a name that is not in it: the other DeepGEMM's (by the path of its submodule), PyTorch's. Else
    raises AttributeError: programs ask whether a name is there, and take another way where it isn't."""
    if not name.startswith("_"):
        found = _fallback.attribute(f"{path}.{name}" if path else name)
        if found is not None:
            return found
        from fp8gemm.deep_gemm import _bf16  # which needs the functions of this package

        if not path and name in _bf16.PUBLIC:
            return _bf16.PUBLIC[name]
    because = f": {reason(name)}" if reason(name) else ""
    raise AttributeError(f"module '{module}' has no attribute '{name}'{because}")
