// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What vLLM and SGLang ask of DeepGEMM for a model, read in their layers: which matrices are merged, which side of a
// matrix is split, and how groups and scales are stored where they call it. docs/Serving.md has the table.

#include "fp8gemm/Pack/ModelProblems.h"

#include "Json.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/FormatVariadic.h"

#include <limits>
#include <map>

using namespace llvm;

namespace fp8gemm {

namespace {

/// Rows and columns of a weight that share a scale, and the rows that groups start at multiples of.
constexpr int64_t kBlock = 128;
/// Rows that plans of groups are modelled up to, of each group.
constexpr int64_t kMaxGroupRows = 4096, kMaxMaskedRows = 1024;

template <typename... Ts> Error error(const Ts &...parts) {
  return createStringError((Twine() + ... + Twine(parts)).str());
}

/// How the attention of an architecture is built, and where its experts are written down.
enum class Attention { GroupedQuery, Latent };
struct Architecture {
  StringRef type; ///< model_type
  Attention attention;
  StringRef experts;     ///< key of their number; empty: none
  StringRef expertWidth; ///< key of their intermediate size
  bool hasDenseLayers;   ///< beside experts, at least where the configuration says so
};
constexpr Architecture kArchitectures[] = {
    {"deepseek_v3", Attention::Latent, "n_routed_experts", "moe_intermediate_size", true},
    {"deepseek_v32", Attention::Latent, "n_routed_experts", "moe_intermediate_size", true},
    {"kimi_k2", Attention::Latent, "n_routed_experts", "moe_intermediate_size", true},
    {"glm4_moe", Attention::GroupedQuery, "n_routed_experts", "moe_intermediate_size", true},
    {"qwen3", Attention::GroupedQuery, "", "", true},
    {"qwen3_moe", Attention::GroupedQuery, "num_experts", "moe_intermediate_size", true},
    {"minimax_m2", Attention::GroupedQuery, "num_local_experts", "intermediate_size", false},
};

class Model {
public:
  Model(const json::Object &config, const ModelOptions &options) : config(config), options(options) {}

  Expected<ModelProblems> read(const json::Object &whole);

private:
  Error checkFormat(const json::Object &whole);
  Error checkSplit();
  Error addLatentAttention();
  Error addGroupedQueryAttention();
  Error addDense(StringRef layer, int64_t width, int64_t parts);
  Error addMlps();
  Error addExperts(int64_t experts, int64_t width);

  /// A number of the configuration; the first that is missing or wrong is `wrong`.
  int64_t number(StringRef key, std::optional<int64_t> orElse = std::nullopt, int64_t least = 1);
  /// A share of what is split into `parts`: an error where it does not come out as a multiple of `unit`.
  Expected<int64_t> share(StringRef layer, StringRef side, int64_t whole, int64_t parts, int64_t unit);
  bool isSkipped(StringRef layer) const;
  /// A product, unless it is there or is not quantised.
  void add(StringRef layer, json::Object problem);
  void addGemm(StringRef layer, int64_t n, int64_t k) {
    add(layer, json::Object{{"op", "gemm"}, {"n", n}, {"k", k}, {"max_m", options.maxM}});
  }
  void addGroups(StringRef layer, StringRef grouping, bool isSfaMnMajor, int64_t groups, int64_t n, int64_t k);

  const json::Object &config;
  const ModelOptions &options;
  const Architecture *architecture = nullptr;
  std::vector<std::string> skipped; ///< layers that are not quantised
  std::string wrong;
  json::Array problems;
  std::vector<std::string> layers;
  std::map<std::string, size_t> known; ///< the text of a problem, to its index
};

std::string print(const json::Value *value) {
  std::string text;
  raw_string_ostream os(text);
  if (value)
    os << *value;
  return value ? text : "none";
}

int64_t Model::number(StringRef key, std::optional<int64_t> orElse, int64_t least) {
  const json::Value *value = config.get(key);
  if (orElse && (!value || value->getAsNull()))
    return *orElse;
  std::optional<int64_t> number = value ? value->getAsInteger() : std::nullopt;
  if (number && *number >= least && *number <= std::numeric_limits<int32_t>::max())
    return *number;
  if (wrong.empty())
    wrong =
        ("expected '" + key + "' to be an integer from " + Twine(least) + " to 2^31 - 1, got " + print(value)).str();
  return 1;
}

Expected<int64_t> Model::share(StringRef layer, StringRef side, int64_t whole, int64_t parts, int64_t unit) {
  // A whole matrix ends with a part of a block if it likes.
  if (whole % parts == 0 && (parts == 1 || whole / parts % unit == 0))
    return whole / parts;
  std::string rule = unit == 1 ? "a whole number" : "a multiple of " + std::to_string(unit);
  std::string got = formatv(whole % parts == 0 ? "{0:f0}" : "{0:f2}", double(whole) / double(parts));
  return error(layer, ": expected ", side, " of a GPU, ", whole, " / ", parts, ", to be ", rule, ", got ", got,
               "; choose another --tp or --ep");
}

/// An entry without a layer's number stands for all of them: a layer, or what it is part of.
bool Model::isSkipped(StringRef layer) const {
  return any_of(skipped, [&](StringRef entry) {
    entry.consume_front("model.layers.*.");
    StringRef rest = layer;
    return rest.consume_front(entry) && (rest.empty() || rest.starts_with("."));
  });
}

void Model::add(StringRef layer, json::Object problem) {
  if (isSkipped(layer))
    return;
  if (options.batchInvariant)
    problem["batch_invariant"] = true;
  json::Value value(std::move(problem));
  auto [place, isNew] = known.try_emplace(print(&value), problems.size());
  if (isNew) {
    problems.push_back(std::move(value));
    layers.push_back(layer.str());
  } else if (std::string &named = layers[place->second]; !is_contained(split(named, ", "), layer)) {
    named += (", " + layer).str();
  }
}

void Model::addGroups(StringRef layer, StringRef grouping, bool isSfaMnMajor, int64_t groups, int64_t n, int64_t k) {
  json::Object problem{{"op", "grouped_gemm"},
                       {"grouping", grouping},
                       {"groups", groups},
                       {"n", n},
                       {"k", k},
                       {"max_m", std::min(options.maxM, grouping == "row_count" ? kMaxMaskedRows : kMaxGroupRows)}};
  if (grouping != "row_count")
    problem["align"] = kBlock;
  if (!isSfaMnMajor)
    problem["sfa"] = "k_major";
  add(layer, std::move(problem));
}

//
// Layers
//

/// Queries and keys through vectors of low rank, each one matrix for all heads.
Error Model::addLatentAttention() {
  const int64_t hidden = number("hidden_size"), heads = number("num_attention_heads"),
                qRank = number("q_lora_rank", 0, 0);
  const int64_t kvRank = number("kv_lora_rank"), nope = number("qk_nope_head_dim"), rope = number("qk_rope_head_dim");
  const int64_t v = number("v_head_dim"), tp = options.tp;
  if (!wrong.empty())
    return error(wrong);
  const StringRef queries = qRank ? "self_attn.q_b_proj" : "self_attn.q_proj";
  Expected<int64_t> localHeads = share(queries, "heads", heads, tp, 1);
  if (!localHeads)
    return localHeads.takeError();
  Expected<int64_t> q = share(queries, "N", heads * (nope + rope), tp, kBlock);
  Expected<int64_t> kv = share("self_attn.kv_b_proj", "N", heads * (nope + v), tp, kBlock);
  Expected<int64_t> o = share("self_attn.o_proj", "K", heads * v, tp, kBlock);
  if (!q || !kv || !o)
    return joinErrors(joinErrors(q.takeError(), kv.takeError()), o.takeError());
  if (qRank)
    addGemm("self_attn.fused_qkv_a_proj", qRank + kvRank + rope, hidden);
  else
    addGemm("self_attn.kv_a_proj_with_mqa", kvRank + rope, hidden);
  addGemm(queries, *q, qRank ? qRank : hidden);
  addGemm("self_attn.kv_b_proj", *kv, kvRank);
  addGemm("self_attn.o_proj", hidden, *o);
  if (config.get("index_n_heads") && qRank) { // DeepSeek-V3.2: which keys are attended to; on every GPU whole
    const int64_t width = number("index_head_dim"), n = number("index_n_heads") * width;
    addGemm("self_attn.indexer.wq_b", n, qRank);
    addGemm("self_attn.indexer.wk", width, hidden);
  }
  return wrong.empty() ? Error::success() : error(wrong);
}

/// Queries, keys and values in one matrix. A GPU has at least one head of keys.
Error Model::addGroupedQueryAttention() {
  const int64_t hidden = number("hidden_size"), heads = number("num_attention_heads");
  const int64_t kvHeads = number("num_key_value_heads", heads), tp = options.tp;
  const int64_t width = number("head_dim", std::max<int64_t>(hidden / heads, 1));
  if (!wrong.empty())
    return error(wrong);
  const StringRef qkv = "self_attn.qkv_proj";
  if (kvHeads < tp && tp % kvHeads)
    return error(qkv, ": expected --tp to be a multiple of the ", kvHeads, " heads of keys, got ", tp);
  Expected<int64_t> localHeads = share(qkv, "heads", heads, tp, 1);
  Expected<int64_t> localKvHeads = share(qkv, "heads of keys", std::max(kvHeads, tp), tp, 1);
  if (!localHeads || !localKvHeads)
    return joinErrors(localHeads.takeError(), localKvHeads.takeError());
  for (auto [side, local] : {std::pair<StringRef, int64_t>{"N of queries", *localHeads}, {"N of keys", *localKvHeads}})
    if (Expected<int64_t> rows = share(qkv, side, local * width * tp, tp, kBlock); !rows)
      return rows.takeError();
  Expected<int64_t> o = share("self_attn.o_proj", "K", heads * width, tp, kBlock);
  if (!o)
    return o.takeError();
  addGemm(qkv, (*localHeads + 2 * *localKvHeads) * width, hidden);
  addGemm("self_attn.o_proj", hidden, *o);
  return Error::success();
}

/// Gate and up in one matrix, and down.
Error Model::addDense(StringRef layer, int64_t width, int64_t parts) {
  const int64_t hidden = number("hidden_size");
  Expected<int64_t> local = share((layer + ".gate_up_proj").str(), "N", width, parts, kBlock);
  if (!local)
    return local.takeError();
  addGemm((layer + ".gate_up_proj").str(), 2 * *local, hidden);
  addGemm((layer + ".down_proj").str(), hidden, *local);
  return Error::success();
}

/// All forms in which groups are called: by ends or an index of each row with scales as tokens are sent (row-major) or
/// as activations are quantised (MN-major), and masked, for which both engines store scales MN-major.
Error Model::addExperts(int64_t experts, int64_t width) {
  const int64_t hidden = number("hidden_size"), tp = options.tp, ep = options.ep;
  const bool isVllm = options.engine == ModelOptions::Engine::Vllm;
  // With experts on several GPUs vLLM splits none of them; SGLang what is left of the GPUs.
  const int64_t parts = ep == 1 ? tp : isVllm ? 1 : std::max<int64_t>(tp / ep, 1);
  const StringRef up = "mlp.experts.w13", down = "mlp.experts.w2";
  Expected<int64_t> local = share(down, "K", width, parts, kBlock);
  Expected<int64_t> groups = share("mlp.experts", "experts", experts, ep, 1);
  if (!local || !groups)
    return joinErrors(local.takeError(), groups.takeError());
  const int64_t n = 2 * *local;
  if (isVllm) {
    addGroups(up, "row_end", /*isSfaMnMajor=*/false, *groups, n, hidden);
    addGroups(up, "row_end", true, *groups, n, hidden);
    addGroups(down, "row_end", true, *groups, hidden, *local);
  }
  // Serving by SGLang, warm-up by vLLM.
  addGroups(up, "row_index", true, *groups, n, hidden);
  addGroups(down, "row_index", true, *groups, hidden, *local);
  addGroups(up, "row_count", true, *groups, n, hidden);
  addGroups(down, "row_count", true, *groups, hidden, *local);
  return Error::success();
}

Error Model::addMlps() {
  const bool hasExperts = !architecture->experts.empty();
  // Which layers are dense: the first ones, those of a list, or all but each so manieth.
  const json::Array *only = config.getArray("mlp_only_layers");
  const bool isDense =
      !hasExperts ||
      (architecture->hasDenseLayers &&
       (number("first_k_dense_replace", 0, 0) > 0 || (only && !only->empty()) || number("decoder_sparse_step", 1) > 1));
  if (isDense)
    if (Error wrong = addDense("mlp", number("intermediate_size"), options.tp))
      return wrong;
  if (!hasExperts)
    return Error::success();
  const int64_t experts = number(architecture->experts), width = number(architecture->expertWidth);
  const int64_t shared = number("n_shared_experts", 0, 0) * width;
  if (!wrong.empty())
    return error(wrong);
  if (shared) {
    // Beside experts on several GPUs it is split as the rest, or whole on each, depending on the options of the engine.
    if (options.ep > 1)
      if (Error wrong = addDense("mlp.shared_experts", shared, 1))
        return wrong;
    if (options.ep == 1 || (options.tp > 1 && shared % (options.tp * kBlock) == 0))
      if (Error wrong = addDense("mlp.shared_experts", shared, options.tp))
        return wrong;
  }
  return addExperts(experts, width);
}

//
// The configuration
//

/// That weights have a scale for each 128 x 128 block, and which layers have none.
Error Model::checkFormat(const json::Object &whole) {
  const json::Object *format = whole.getObject("quantization_config");
  if (!format)
    format = config.getObject("quantization_config");
  if (!format)
    return error("expected 'quantization_config', of a checkpoint in FP8, got none");
  const json::Value *blocks = format->get("weight_block_size");
  const json::Array *sizes = blocks ? blocks->getAsArray() : nullptr;
  if (format->getString("quant_method") != "fp8" || !sizes || sizes->size() != 2 ||
      any_of(*sizes, [](const json::Value &size) { return size.getAsInteger() != kBlock; }))
    return error("expected 'quantization_config' with quant_method \"fp8\" and weight_block_size [128, 128], got ",
                 print(format->get("quant_method")), " and ", print(blocks));
  for (StringRef key : {"modules_to_not_convert", "ignored_layers"})
    if (const json::Array *names = format->getArray(key))
      for (const json::Value &name : *names)
        if (std::optional<StringRef> text = name.getAsString(); text && none_of(*text, isDigit))
          skipped.push_back(text->str());
  return Error::success();
}

Error Model::checkSplit() {
  const int64_t tp = options.tp, ep = options.ep;
  if (ep > 1 && architecture->experts.empty())
    return error("expected --ep=1 with a model without experts, got ", ep);
  if (ep > 1 && ep % tp && (options.engine == ModelOptions::Engine::Vllm || tp % ep))
    return error("expected --ep to be a multiple of --tp = ", tp, " (the GPUs of all tensor and data parallel ranks)",
                 options.engine == ModelOptions::Engine::Vllm ? "" : ", or to divide it", ", got ", ep);
  return Error::success();
}

Expected<ModelProblems> Model::read(const json::Object &whole) {
  std::optional<StringRef> type = config.getString("model_type");
  architecture = find_if(kArchitectures, [&](const Architecture &known) { return type == known.type; });
  if (architecture == std::end(kArchitectures)) {
    SmallVector<StringRef> names(map_range(kArchitectures, [](const Architecture &known) { return known.type; }));
    return error("expected 'model_type' to be one of ", join(names, ", "), ", got ", print(config.get("model_type")),
                 "; other models need a list of problems, --pack");
  }
  if (Error error = checkFormat(whole))
    return error;
  if (Error error = checkSplit())
    return error;
  if (Error error = architecture->attention == Attention::Latent ? addLatentAttention() : addGroupedQueryAttention())
    return error;
  if (Error error = addMlps())
    return error;
  if (!wrong.empty())
    return error(wrong);
  if (problems.empty())
    return error("expected at least one layer in FP8, got all in 'modules_to_not_convert'");
  return ModelProblems{json::Object{{"gpu", options.gpu}, {"problems", std::move(problems)}}, std::move(layers)};
}

} // namespace

Expected<ModelProblems> readModelProblems(StringRef config, StringRef name, const ModelOptions &options) {
  auto named = [&](Error cause) { return createStringError(name + ": " + toString(std::move(cause))); };
  Expected<json::Value> value = parseJson(config);
  if (!value)
    return named(value.takeError());
  const json::Object *whole = value->getAsObject();
  if (!whole)
    return named(error("expected a model's config.json, an object, got ", print(&*value)));
  const json::Object *text = whole->getObject("text_config"); // of models that see and hear
  Expected<ModelProblems> problems = Model(text ? *text : *whole, options).read(*whole);
  return problems ? std::move(problems) : Expected<ModelProblems>(named(problems.takeError()));
}

} // namespace fp8gemm
