# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""What DeepGEMM has and this doesn't, and why."""

_BF16 = "fp8gemm computes products of block-scaled FP8 only"
_BLACKWELL = "it is for compute capability 10.0, fp8gemm for 9.0"
_OTHER = "it is no block-scaled FP8 product"
_CUBLAS = "fp8gemm does not come with cuBLAS; call torch.matmul or torch._scaled_mm"

_REASONS = {
    "k_grouped_fp8_gemm_tn_contiguous": _BLACKWELL,
    "get_mn_major_tma_aligned_packed_ue8m0_tensor": _BLACKWELL,
    "get_k_grouped_mn_major_tma_aligned_packed_ue8m0_tensor": _BLACKWELL,
    "fp8_gemm_nt_skip_head_mid": "its fused epilogue is not built",
    **{name: _BF16 for name in (
        "bf16_gemm_nt", "bf16_gemm_nn", "bf16_gemm_tn", "bf16_gemm_tt", "m_grouped_bf16_gemm_nt_contiguous",
        "m_grouped_bf16_gemm_nn_contiguous", "m_grouped_bf16_gemm_nt_masked", "bf16_m_grouped_gemm_nt_masked",
        "k_grouped_bf16_gemm_tn_contiguous", "bf16_mega_moe")},
    **{name: _CUBLAS for name in ("cublaslt_gemm_nt", "cublaslt_gemm_nn", "cublaslt_gemm_tn", "cublaslt_gemm_tt")},
    **{name: _OTHER for name in (
        "einsum", "fp8_einsum", "fp8_mqa_logits", "fp8_paged_mqa_logits", "fp8_fp4_mqa_logits",
        "fp8_fp4_paged_mqa_logits", "get_paged_mqa_logits_metadata", "tf32_hc_prenorm_gemm", "fp8_fp4_mega_moe",
        "get_symm_buffer_for_mega_moe", "transform_weights_for_mega_moe")},
}


def missing(name, module):
    """Raises AttributeError, with the reason for the names above: programs ask whether a name is there, and take another
    way where it isn't."""
    reason = f": {_REASONS[name]}" if name in _REASONS else ""
    raise AttributeError(f"module '{module}' has no attribute '{name}'{reason}")
