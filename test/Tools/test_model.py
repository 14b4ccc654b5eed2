# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""fp8gemm-compile --model: which products engines ask for, of models with their public dimensions."""

import json
import subprocess

import pytest
from tools import COMPILER, PTXAS, expect_error

pytestmark = pytest.mark.skipif(not COMPILER.exists(), reason=f"no {COMPILER}")

FP8 = {"quantization_config": {"quant_method": "fp8", "fmt": "e4m3", "weight_block_size": [128, 128], "activation_scheme": "dynamic"}}
LATENT = {"q_lora_rank": 1536, "kv_lora_rank": 512, "qk_nope_head_dim": 128, "qk_rope_head_dim": 64, "v_head_dim": 128,
          "hidden_size": 7168, "intermediate_size": 18432, "moe_intermediate_size": 2048, "n_shared_experts": 1}
DEEPSEEK_V3 = {"model_type": "deepseek_v3", **LATENT, "num_attention_heads": 128, "n_routed_experts": 256, "first_k_dense_replace": 3, **FP8}
KIMI_K2 = {"model_type": "kimi_k2", **LATENT, "num_attention_heads": 64, "n_routed_experts": 384, "first_k_dense_replace": 1, **FP8}
QWEN3_32B = {"model_type": "qwen3", "hidden_size": 5120, "num_attention_heads": 64, "num_key_value_heads": 8, "head_dim": 128,
             "intermediate_size": 25600, **FP8}
QWEN3_235B = {"model_type": "qwen3_moe", "hidden_size": 4096, "num_attention_heads": 64, "num_key_value_heads": 4, "head_dim": 128,
              "intermediate_size": 12288, "moe_intermediate_size": 1536, "num_experts": 128, "decoder_sparse_step": 1,
              "mlp_only_layers": [], **FP8}
GLM_4_5 = {"model_type": "glm4_moe", "hidden_size": 5120, "num_attention_heads": 96, "num_key_value_heads": 8, "head_dim": 128,
           "intermediate_size": 12288, "moe_intermediate_size": 1536, "n_routed_experts": 160, "n_shared_experts": 1,
           "first_k_dense_replace": 3, **FP8}
MINIMAX_M2 = {"model_type": "minimax_m2", "hidden_size": 3072, "num_attention_heads": 48, "num_key_value_heads": 8, "head_dim": 128,
              "intermediate_size": 1536, "num_local_experts": 256, "shared_intermediate_size": 0, **FP8}


def compile_model(config, *options):
    return subprocess.run([COMPILER, "--model=-", *options], input=json.dumps(config), capture_output=True, text=True, timeout=60)


def products(config, *options):
    """The list, and the layers of each entry."""
    done = compile_model(config, *options)
    assert done.returncode == 0, done.stderr
    problems = json.loads(done.stdout)["problems"]
    layers = [line.partition(": ")[0] for line in done.stderr.splitlines()]
    assert len(layers) == len(problems) and len(set(map(json.dumps, problems))) == len(problems)
    return list(zip(layers, problems))


def dense(config, *options):
    """(N, K) of the products that are not grouped, by layer, the first if there are two; an entry may be several layers'."""
    found = {}
    for layers, p in products(config, *options):
        for layer in layers.split(", ") if p["op"] == "gemm" else ():
            found.setdefault(layer, (p["n"], p["k"]))
    return found


def groups(config, *options):
    """(layer, grouping, sfa, groups, N, K) of the others."""
    return [(layer.removeprefix("mlp.experts."), p["grouping"], p.get("sfa", "mn_major"), p["groups"], p["n"], p["k"])
            for layer, p in products(config, *options) if p["op"] == "grouped_gemm"]


def test_deepseek_v3():
    """As in examples/deepseek-v3.json; then a GPU of eight."""
    assert dense(DEEPSEEK_V3) == {
        "self_attn.fused_qkv_a_proj": (2112, 7168), "self_attn.q_b_proj": (24576, 1536), "self_attn.kv_b_proj": (32768, 512),
        "self_attn.o_proj": (7168, 16384), "mlp.gate_up_proj": (36864, 7168), "mlp.down_proj": (7168, 18432),
        "mlp.shared_experts.gate_up_proj": (4096, 7168), "mlp.shared_experts.down_proj": (7168, 2048)}
    assert dense(DEEPSEEK_V3, "--tp=8") == {
        "self_attn.fused_qkv_a_proj": (2112, 7168), "self_attn.q_b_proj": (3072, 1536), "self_attn.kv_b_proj": (4096, 512),
        "self_attn.o_proj": (7168, 2048), "mlp.gate_up_proj": (4608, 7168), "mlp.down_proj": (7168, 2304),
        "mlp.shared_experts.gate_up_proj": (512, 7168), "mlp.shared_experts.down_proj": (7168, 256)}


@pytest.mark.parametrize("engine, ends", [("vllm", 3), ("sglang", 0)])
def test_forms_of_experts(engine, ends):
    """By ends, with scales as tokens come and as activations are quantised; by an index of each row; masked."""
    found = groups(DEEPSEEK_V3, "--tp=8", "--ep=8", f"--engine={engine}")
    up, down = (32, 4096, 7168), (32, 7168, 2048)
    by_end = [("w13", "row_end", "k_major", *up), ("w13", "row_end", "mn_major", *up), ("w2", "row_end", "mn_major", *down)]
    assert found == by_end[:ends] + [("w13", "row_index", "mn_major", *up), ("w2", "row_index", "mn_major", *down),
                                     ("w13", "row_count", "mn_major", *up), ("w2", "row_count", "mn_major", *down)]
    entries = [p for _, p in products(DEEPSEEK_V3, "--tp=8", "--ep=8", f"--engine={engine}", "--max-m=16384") if p["op"] != "gemm"]
    assert all(p.get("align") == (None if p["grouping"] == "row_count" else 128) for p in entries)
    assert {p["max_m"] for p in entries} == {4096, 1024}


@pytest.mark.parametrize("config, options, expected", [
    (KIMI_K2, ["--tp=8"], {"self_attn.q_b_proj": (1536, 1536), "self_attn.kv_b_proj": (2048, 512), "self_attn.o_proj": (7168, 1024)}),
    (KIMI_K2, ["--tp=8", "--ep=16"], {"mlp.shared_experts.gate_up_proj": (4096, 7168)}),  # whole on each GPU, too
    (QWEN3_32B, [], {"self_attn.qkv_proj": (10240, 5120), "self_attn.o_proj": (5120, 8192), "mlp.gate_up_proj": (51200, 5120),
                     "mlp.down_proj": (5120, 25600)}),
    (QWEN3_32B, ["--tp=4"], {"self_attn.qkv_proj": (2560, 5120), "mlp.down_proj": (5120, 6400)}),
    (QWEN3_32B, ["--tp=8"], {"self_attn.qkv_proj": (1280, 5120), "mlp.down_proj": (5120, 3200)}),
    (QWEN3_235B, ["--tp=8", "--ep=8"], {"self_attn.qkv_proj": (1280, 4096), "self_attn.o_proj": (4096, 1024)}),  # a head of keys each
    (GLM_4_5, ["--tp=4"], {"self_attn.qkv_proj": (3584, 5120), "mlp.gate_up_proj": (6144, 5120), "mlp.shared_experts.gate_up_proj": (768, 5120)}),
    (MINIMAX_M2, ["--tp=4", "--ep=4"], {"self_attn.qkv_proj": (2048, 3072), "self_attn.o_proj": (3072, 1536)}),
])
def test_dense(config, options, expected):
    found = dense(config, *options)
    assert expected.items() <= found.items()
    assert any(layer.startswith("mlp.gate_up") for layer in found) == (config not in (QWEN3_235B, MINIMAX_M2))


@pytest.mark.parametrize("config, options, expected", [
    (DEEPSEEK_V3, ["--tp=8"], [("w13", 256, 512, 7168), ("w2", 256, 7168, 256)]),
    (DEEPSEEK_V3, ["--tp=8", "--ep=16"], [("w13", 16, 4096, 7168), ("w2", 16, 7168, 2048)]),  # two engines' worth
    (DEEPSEEK_V3, ["--engine=sglang", "--tp=8", "--ep=4"], [("w13", 64, 2048, 7168), ("w2", 64, 7168, 1024)]),
    (KIMI_K2, ["--tp=1", "--ep=32"], [("w13", 12, 4096, 7168), ("w2", 12, 7168, 2048)]),
    (QWEN3_235B, ["--tp=4"], [("w13", 128, 768, 4096), ("w2", 128, 4096, 384)]),
    (QWEN3_235B, ["--tp=8", "--ep=8"], [("w13", 16, 3072, 4096), ("w2", 16, 4096, 1536)]),
    (GLM_4_5, ["--tp=8", "--ep=8"], [("w13", 20, 3072, 5120), ("w2", 20, 5120, 1536)]),
    (MINIMAX_M2, ["--tp=4"], [("w13", 256, 768, 3072), ("w2", 256, 3072, 384)]),
    (QWEN3_32B, [], []),
])
def test_experts(config, options, expected):
    assert list(dict.fromkeys((layer, *rest) for layer, _, _, *rest in groups(config, *options))) == expected


def test_indexer_of_deepseek_v32():
    found = dense({**DEEPSEEK_V3, "model_type": "deepseek_v32", "index_n_heads": 64, "index_head_dim": 128}, "--tp=8")
    assert found["self_attn.indexer.wq_b"] == (8192, 1536) and found["self_attn.indexer.wk"] == (128, 7168)


def test_what_is_not_quantised_is_left_out():
    skipped = ["lm_head", "model.layers.*.self_attn", "mlp.gate", "model.layers.3.mlp.down_proj"]
    config = {**QWEN3_32B, "quantization_config": {**FP8["quantization_config"], "modules_to_not_convert": skipped}}
    assert set(dense(config)) == {"mlp.gate_up_proj", "mlp.down_proj"}  # that of other layers is quantised
    expect_error(compile_model({**config, "quantization_config": {**config["quantization_config"], "ignored_layers": ["mlp"]}}),
                 "expected at least one layer in FP8, got all in 'modules_to_not_convert'")


def test_models_that_see():
    """Their text is inside."""
    config = {"model_type": "qwen3_vl", "text_config": {k: v for k, v in QWEN3_32B.items() if k != "quantization_config"}, **FP8}
    assert dense(config) == dense(QWEN3_32B)


@pytest.mark.parametrize("config, options, message", [
    (QWEN3_235B, ["--tp=8"], "mlp.experts.w2: expected K of a GPU, 1536 / 8, to be a multiple of 128, got 192; choose another --tp or --ep"),
    (GLM_4_5, ["--tp=5"], "self_attn.qkv_proj: expected heads of a GPU, 96 / 5, to be a whole number, got 19.20"),
    (GLM_4_5, ["--tp=16"], "mlp.shared_experts.gate_up_proj: expected N of a GPU, 1536 / 16, to be a multiple of 128, got 96"),
    (QWEN3_32B, ["--tp=16"], "mlp.gate_up_proj: expected N of a GPU, 25600 / 16, to be a multiple of 128, got 1600"),
    (QWEN3_235B, ["--tp=3"], "self_attn.qkv_proj: expected heads of a GPU, 64 / 3, to be a whole number, got 21.33"),
    ({**QWEN3_32B, "num_key_value_heads": 6}, ["--tp=8"], "self_attn.qkv_proj: expected --tp to be a multiple of the 6 heads of keys, got 8"),
    (KIMI_K2, ["--tp=128"], "self_attn.q_b_proj: expected heads of a GPU, 64 / 128, to be a whole number, got 0.50"),
    ({**KIMI_K2, "qk_rope_head_dim": 32}, ["--tp=64"], "self_attn.q_b_proj: expected N of a GPU, 10240 / 64, to be a multiple of 128, got 160"),
    (KIMI_K2, ["--tp=1", "--ep=7"], "mlp.experts: expected experts of a GPU, 384 / 7, to be a whole number, got 54.86"),
    (DEEPSEEK_V3, ["--tp=8", "--ep=4"], "expected --ep to be a multiple of --tp = 8 (the GPUs of all tensor and data parallel ranks), got 4"),
    (DEEPSEEK_V3, ["--tp=8", "--ep=3", "--engine=sglang"], ", or to divide it, got 3"),
    (QWEN3_32B, ["--ep=2"], "expected --ep=1 with a model without experts, got 2"),
])
def test_splits_that_blocks_do_not_survive(config, options, message):
    expect_error(compile_model(config, *options), message)


@pytest.mark.parametrize("config, message", [
    ([], "expected a model's config.json, an object, got []"),
    ({**QWEN3_32B, "model_type": "gpt2"}, "expected 'model_type' to be one of deepseek_v3, deepseek_v32, kimi_k2, glm4_moe, qwen3, "),
    ({k: v for k, v in QWEN3_32B.items() if k != "model_type"}, "minimax_m2, got none; other models need a list of problems, --pack"),
    ({k: v for k, v in QWEN3_32B.items() if k != "quantization_config"}, "expected 'quantization_config', of a checkpoint in FP8, got none"),
    ({**QWEN3_32B, "quantization_config": {"quant_method": "awq"}}, 'weight_block_size [128, 128], got "awq" and none'),
    ({**QWEN3_32B, "quantization_config": {"quant_method": "fp8", "weight_block_size": [1, 32]}}, 'got "fp8" and [1,32]'),
    ({**QWEN3_32B, "hidden_size": "big"}, "expected 'hidden_size' to be an integer from 1 to 2^31 - 1, got \"big\""),
    ({**QWEN3_32B, "intermediate_size": 2**40}, "expected 'intermediate_size' to be an integer"),
    ({**QWEN3_235B, "num_experts": 0}, "expected 'num_experts' to be an integer from 1"),
    ({k: v for k, v in KIMI_K2.items() if k != "kv_lora_rank"}, "expected 'kv_lora_rank' to be an integer from 1 to 2^31 - 1, got none"),
])
def test_configurations_that_are_wrong(config, message):
    expect_error(compile_model(config), message)


@pytest.mark.parametrize("options, message", [
    (["--tp=0"], "expected --tp to be an integer from 1 to"), (["--ep=x"], "expected --ep to be an integer from 1 to"),
    (["--n=5"], "with --model, got --n"), (["--pack=x.json"], "expected --model, --pack or FILE.mlir, got two of them"),
    (["--max-m=0"], "expected --max-m"), (["--gpu=b200"], "b200"),
])
def test_options_that_are_wrong(options, message):
    expect_error(compile_model(QWEN3_32B, *options), message)


def test_options_of_models_alone():
    done = subprocess.run([COMPILER, "--pack=-", "--tp=2", "-o", "x.fp8pack"], input="", capture_output=True, text=True, timeout=60)
    expect_error(done, "expected --engine, --tp and --ep only with --model")


def test_batch_invariant():
    assert all(p["batch_invariant"] and p["max_m"] == 64 for _, p in products(QWEN3_32B, "--batch-invariant", "--max-m=64"))


@pytest.mark.skipif(not PTXAS, reason="no ptxas")
def test_the_list_is_a_packs(tmp_path):
    """What is compiled is what is listed, and the layers are named while it is."""
    small = {**QWEN3_32B, "hidden_size": 256, "num_attention_heads": 2, "num_key_value_heads": 2, "intermediate_size": 256}
    listed, pack, same = tmp_path / "list.json", tmp_path / "model.fp8pack", tmp_path / "list.fp8pack"
    done = compile_model(small, "--max-m=8", "--gpu=h200-sxm", "-o", str(listed))
    assert done.returncode == 0 and done.stdout == "", done.stderr
    done = compile_model(small, "--max-m=8", "--gpu=h200-sxm", "-o", str(pack), f"--cache={tmp_path / 'cache'}")
    assert done.returncode == 0 and "self_attn.qkv_proj tile" in done.stderr, done.stderr
    subprocess.run([COMPILER, f"--pack={listed}", "-o", same, f"--cache={tmp_path / 'cache'}", "--quiet"], check=True, timeout=60)
    assert pack.read_bytes() == same.read_bytes()
