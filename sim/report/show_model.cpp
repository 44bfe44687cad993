// A model as text: dimensions, layers, parameters by kind, bytes of tokens and sequences.
#include "report/show_model.hpp"

#include <fmt/format.h>

#include "graph/model_flops.hpp"
#include "model/attention_kind.hpp"
#include "model/weights.hpp"

namespace rehearse {
namespace {

std::string billions(double count) { return fmt::format("{:.3f} B", count / 1e9); }

// Where layers differ: their pattern, and what each kind of attention holds.
std::string kinds_text(const Model& model) {
  const bool plain =
      model.pattern.empty() && kind_of(model.attention[0]).name == std::string("grouped_query");
  if (plain) return {};
  std::string text = fmt::format("  layers {}\n", layers_text(model));
  for (int at = 0; at < static_cast<int>(model.attention.size()); ++at) {
    const Attention& attention = model.attention[at];
    const SequenceCache cache = kind_of(attention).cache(model, attention, 1);
    std::string kept;
    if (cache.of_token().value > 0) kept += fmt::format(", {} a token", to_text(cache.of_token()));
    for (const SequenceCache::Window& window : cache.windows) {
      kept += fmt::format(" of {:.0f} tokens at most", window.tokens);
    }
    if (cache.index.value > 0) kept += fmt::format(", index {} a token", to_text(cache.index));
    if (cache.state.value > 0) kept += fmt::format(", state {}", to_text(cache.state));
    text += fmt::format("    {}: {} layers, {}{}\n", name_of(attention),
                        layers_with_attention(model, at), billions(attention_parameters(model, at)),
                        kept);
  }
  return text;
}

// What total and active do not count.
std::string beside_text(const Model& model, const ParameterCount& count) {
  std::string text;
  if (count.mtp > 0) {
    text +=
        fmt::format("  prediction of further tokens: {} beside them, run only to draft tokens\n",
                    billions(count.mtp));
  }
  if (count.extra > 0) text += fmt::format("  without an operator: {}\n", billions(count.extra));
  for (const Tower& tower : model.towers) {
    text += fmt::format("  {}: {} beside them, not simulated\n", tower.name,
                        billions(tower.parameters));
  }
  return text;
}

}  // namespace

std::string model_text(const Model& model) {
  const ParameterCount count = count_parameters(model);
  const AttentionHeads heads = attention_heads(model);
  std::string text = fmt::format(
      "Model {}\n"
      "  {} layers, hidden {}, {} attention heads x {} ({} KV heads), vocabulary {}{}\n",
      model.name, model.layers, model.hidden, heads.query, heads.dimensions, heads.key_value,
      model.vocab, model.tied_embeddings ? ", tied embeddings" : "");
  text += kinds_text(model);
  if (model.moe) {
    const MixtureOfExperts& moe = *model.moe;
    text += fmt::format("  {} experts per layer, {} per token, width {}{}", moe.experts, moe.top_k,
                        moe.expert.width, moe.expert.gated ? " gated" : " plain");
    if (moe.shared_experts > 0) {
      text += fmt::format(", {} shared of width {}", moe.shared_experts, moe.shared.width);
    }
    text += "\n";
  }
  text += fmt::format(
      "  parameters {} total, {} active per token ({} at {})\n"
      "    embedding {}, LM head {}, attention {}, router {}, experts {}, shared experts {}, "
      "dense FFN {}, norms {}\n"
      "  KV cache {} per token ({})\n",
      billions(count.total), billions(count.active), to_text(stored_bytes(model)),
      storage_text(model), billions(count.embedding), billions(count.lm_head),
      billions(count.attention), billions(count.router), billions(count.experts),
      billions(count.shared_experts), billions(count.dense_ffn), billions(count.norms),
      to_text(kv_bytes_per_token(model)), to_text(model.kv_dtype));
  text += beside_text(model, count);
  for (const std::string& note : model.notes) text += fmt::format("  note: {}\n", note);
  return text;
}

std::string show_model(const Model& model, int context) {
  const SequenceCache cache = sequence_cache(model, 0, model.layers, 1);
  const TokenFlops flops = token_flops(model, context);
  std::string text = model_text(model);
  text += fmt::format("At a context of {} tokens\n", context);
  text += fmt::format("  a sequence keeps {} of keys and values",
                      to_text(cache.keys_and_values(1, context)));
  if (cache.index.value > 0) text += fmt::format(", {} of index", to_text(cache.index * context));
  if (cache.state.value > 0) text += fmt::format(", {} of state", to_text(cache.state));
  text += fmt::format(
      "\n  a token takes {:.3f} GFLOP in prefill, on average over the prompt, {:.3f} in decode\n",
      flops.prefill.value / 1e9, flops.decode.value / 1e9);
  return text;
}

}  // namespace rehearse
