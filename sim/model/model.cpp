#include "model/model.hpp"

#include <fmt/format.h>

namespace rehearse {
namespace {

struct DtypeRow {
  Dtype dtype;
  const char* name;
  double bytes;
};
constexpr DtypeRow kDtypes[] = {{Dtype::kFp32, "fp32", 4}, {Dtype::kBf16, "bf16", 2},
                                {Dtype::kFp16, "fp16", 2}, {Dtype::kFp8, "fp8", 1},
                                {Dtype::kInt8, "int8", 1}, {Dtype::kFp4, "fp4", 0.5}};

const DtypeRow& row_of(Dtype dtype) {
  for (const DtypeRow& row : kDtypes) {
    if (row.dtype == dtype) return row;
  }
  throw InternalError(fmt::format("Dtype {} is not in kDtypes", static_cast<int>(dtype)));
}

// Q and output: hidden x (heads x head_dim) each; K and V: hidden x (kv_heads x head_dim) each.
// (GQA: Ainslie et al. 2023, arXiv:2305.13245.)
double attention_parameters(const Model& model) {
  const double hidden = model.hidden;
  const double query = static_cast<double>(model.attention.heads) * model.attention.head_dim;
  const double key = static_cast<double>(model.attention.kv_heads) * model.attention.head_dim;
  const double biases = model.attention.bias ? query + 2 * key + hidden : 0;
  return 2 * hidden * query + 2 * hidden * key + biases;
}

// 3 h f gated (Shazeer 2020, arXiv:2002.05202, "SwiGLU"), 2 h f plain.
double ffn_parameters(const FeedForward& ffn, double hidden) {
  const double inward = ffn.gated ? 2 : 1;  // matrices from hidden to width
  const double biases = ffn.bias ? inward * ffn.width + hidden : 0;
  return (inward + 1) * hidden * ffn.width + biases;
}

void check_at_least(int least, int value, const Model& model, const std::string& field) {
  if (value < least) {
    throw InputError(model.where.at(field),
                     fmt::format("{} = {}: must be at least {}", field, value, least));
  }
}

void check_attention(const Model& model) {
  const Attention& attention = model.attention;
  check_at_least(1, attention.heads, model, "attention.heads");
  check_at_least(1, attention.kv_heads, model, "attention.kv_heads");
  check_at_least(1, attention.head_dim, model, "attention.head_dim");
  if (attention.heads % attention.kv_heads != 0) {
    throw InputError(model.where.at("attention.kv_heads"),
                     fmt::format("attention.kv_heads = {} does not divide attention.heads = {}",
                                 attention.kv_heads, attention.heads));
  }
}

void check_moe(const Model& model) {
  const MixtureOfExperts& moe = *model.moe;
  check_at_least(1, moe.experts, model, "moe.experts");
  check_at_least(1, moe.top_k, model, "moe.top_k");
  if (moe.top_k > moe.experts) {
    throw InputError(
        model.where.at("moe.top_k"),
        fmt::format("moe.top_k = {}: a token visits at most the moe.experts = {} of its layer",
                    moe.top_k, moe.experts));
  }
  check_at_least(1, moe.expert.width, model, "moe.expert.width");
  check_at_least(0, moe.shared_experts, model, "moe.shared_experts");
  if (moe.shared_experts > 0) check_at_least(1, moe.shared.width, model, "moe.shared.width");
  check_at_least(0, moe.first_dense_layers, model, "moe.first_dense_layers");
  if (moe.first_dense_layers > model.layers) {
    throw InputError(model.where.at("moe.first_dense_layers"),
                     fmt::format("moe.first_dense_layers = {}: the model has {} layers",
                                 moe.first_dense_layers, model.layers));
  }
}

void check_dense(const Model& model) {
  const bool needed = !model.moe || model.moe->first_dense_layers > 0;
  if (needed && !model.dense) {
    const std::string why = model.moe ? fmt::format("the first {} layers have no experts",
                                                    model.moe->first_dense_layers)
                                      : "the model has no experts";
    throw InputError(model.where.at(model.moe ? "moe.first_dense_layers" : "dense"),
                     fmt::format("dense is missing: {}, so the FFN must be given", why));
  }
  if (!needed && model.dense) {
    throw InputError(model.where.at("dense"),
                     "dense is given, but every layer has experts: remove it, or say with "
                     "moe.first_dense_layers which layers have it");
  }
  if (model.dense) check_at_least(1, model.dense->width, model, "dense.width");
}

}  // namespace

double bytes_per_element(Dtype dtype) { return row_of(dtype).bytes; }

const char* to_text(Dtype dtype) { return row_of(dtype).name; }

std::optional<Dtype> dtype_named(const std::string& name) {
  for (const DtypeRow& row : kDtypes) {
    if (name == row.name) return row.dtype;
  }
  return std::nullopt;
}

ParameterCount count_parameters(const Model& model) {
  const double hidden = model.hidden;
  const double dense_layers = model.moe ? model.moe->first_dense_layers : model.layers;
  ParameterCount count;
  count.embedding = model.vocab * hidden;
  count.lm_head = model.tied_embeddings ? 0 : count.embedding;
  count.attention = model.layers * attention_parameters(model);
  count.norms = (2.0 * model.layers + 1) * hidden;
  if (model.dense) count.dense_ffn = dense_layers * ffn_parameters(*model.dense, hidden);
  double idle_experts = 0;
  if (model.moe) {
    const MixtureOfExperts& moe = *model.moe;
    const double moe_layers = model.layers - dense_layers;
    const double expert = ffn_parameters(moe.expert, hidden);
    count.router = moe_layers * hidden * moe.experts;
    count.experts = moe_layers * moe.experts * expert;
    count.shared_experts = moe_layers * moe.shared_experts * ffn_parameters(moe.shared, hidden);
    idle_experts = moe_layers * (moe.experts - moe.top_k) * expert;
  }
  count.total = count.embedding + count.lm_head + count.attention + count.router + count.experts +
                count.shared_experts + count.dense_ffn + count.norms;
  count.active = count.total - idle_experts;
  return count;
}

Bytes kv_bytes_per_token(const Model& model) {
  return {2.0 * model.layers * model.attention.kv_heads * model.attention.head_dim *
          bytes_per_element(model.kv_dtype)};
}

void validate(const Model& model) {
  check_at_least(1, model.layers, model, "layers");
  check_at_least(1, model.hidden, model, "hidden");
  check_at_least(1, model.vocab, model, "vocab");
  check_attention(model);
  if (model.moe) check_moe(model);
  check_dense(model);
}

}  // namespace rehearse
