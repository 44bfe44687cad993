// Which layer has which attention and which FFN: one entry for each layer from the config's own
// lists or from its family's rule; in the message, as repeated runs.
#include <fmt/format.h>

#include <algorithm>

#include "base/utf8.hpp"
#include "input/hf/family_reader.hpp"

namespace rehearse {
namespace {

using nlohmann::json;

constexpr const char* kFull = "full";
constexpr const char* kSliding = "sliding";

// transformers' older names are accepted, too.
std::string layer_type_of(const std::string& written) {
  if (written == "attention" || written == "full_attention") return kFull;
  if (written == "sliding_attention") return kSliding;
  if (written == "chunked_attention") return "chunked";
  if (written == "linear_attention") return "linear";
  if (written == "mamba") return "linear";
  return {};
}

// How often the `period` layers from `at` on stand in a row.
int times_of(const std::vector<LayerParts>& layers, std::size_t at, std::size_t period) {
  int times = 1;
  for (std::size_t next = at + period; next + period <= layers.size(); next += period) {
    if (!std::equal(layers.begin() + at, layers.begin() + at + period, layers.begin() + next))
      break;
    ++times;
  }
  return times;
}

void add_layer(const LayerParts& parts, proto::Layers& layers) {
  if (layers.layer_size() > 0) {
    proto::Layer& last = *layers.mutable_layer(layers.layer_size() - 1);
    const bool alike =
        last.attention() == parts.attention &&
        std::equal(last.ffn().begin(), last.ffn().end(), parts.ffn.begin(), parts.ffn.end());
    if (alike) return last.set_count(last.count() + 1);
  }
  proto::Layer& layer = *layers.add_layer();
  if (!parts.attention.empty()) layer.set_attention(parts.attention);
  for (const std::string& ffn : parts.ffn) layer.add_ffn(ffn);
  layer.set_count(1);
}

// Greedy: from the first layer on, what repeats over the most layers.
void write_pattern(const std::vector<LayerParts>& layers, proto::Model& model) {
  constexpr std::size_t kLongestPeriod = 16;
  std::size_t at = 0;
  while (at < layers.size()) {
    std::size_t best_period = 1;
    int best_times = times_of(layers, at, 1);
    for (std::size_t period = 2; period <= kLongestPeriod && at + 2 * period <= layers.size();
         ++period) {
      const int times = times_of(layers, at, period);
      if (times > 1 && times * period > best_times * best_period) {
        best_period = period;
        best_times = times;
      }
    }
    proto::Layers& run = *model.add_pattern();
    for (std::size_t of = at; of < at + best_period; ++of) add_layer(layers[of], run);
    if (best_period == 1) {
      run.mutable_layer(0)->set_count(best_times);
    } else {
      run.set_times(best_times);
    }
    for (proto::Layer& layer : *run.mutable_layer()) {
      if (layer.count() == 1) layer.clear_count();
    }
    at += best_period * best_times;
  }
}

}  // namespace

std::vector<std::string> FamilyReader::read_layer_types() {
  if (!config_.has("layer_types")) return {};
  std::vector<std::string> types;
  for (const json& written : config_.list("layer_types", layers(), true)) {
    const std::string type =
        written.is_string() ? layer_type_of(written.get<std::string>()) : std::string();
    if (type.empty()) {
      config_.refuse("layer_types",
                     fmt::format("{} is not read, only \"full_attention\", \"sliding_attention\", "
                                 "\"chunked_attention\", \"linear_attention\" and \"mamba\"",
                                 shortened(written.dump())));
    }
    types.push_back(type);
  }
  types.resize(layers());
  return types;
}

// Tokens of the window; 0: there is none.
int FamilyReader::read_window() const {
  const bool stated_null = config_.says("sliding_window") && !config_.has("sliding_window");
  int window = stated_null ? 0 : traits().window;
  if (config_.has("sliding_window")) window = config_.integer("sliding_window", {0, kLargestWidth});
  // Qwen's configs carry a window that use_sliding_window turns off.
  const bool off = traits().windows == Windows::kQwen || traits().windows == Windows::kQwenMoe;
  if (!config_.boolean_or(!off, "use_sliding_window")) window = 0;
  // One as long as the context is none.
  if (model_.has_longest_context() && window >= model_.longest_context()) window = 0;
  return window;
}

// Which layers slide where no layer_types say it.
std::vector<std::string> FamilyReader::usual_types(int window) const {
  const Windows windows = traits().windows;
  const int full_every = config_.integer_or(
      traits().full_every, "sliding_window_pattern|_sliding_window_pattern", kLayerCounts);
  constexpr int kQwenFirst = 28;  // transformers' Qwen classes
  const int first = config_.integer_or(kQwenFirst, "max_window_layers", kSomeLayers);
  if (window > 0 && windows == Windows::kNone) {
    config_.refuse(
        "sliding_window",
        "which layers of this model type have it is not known: layer_types would say it");
  }
  std::vector<std::string> types;
  types.reserve(layers());
  for (int layer = 0; layer < layers(); ++layer) {
    const bool slides = windows == Windows::kAll || (windows == Windows::kQwen && layer >= first) ||
                        (windows == Windows::kQwenMoe && layer % 2 == 0 && layer < first) ||
                        (windows == Windows::kPattern && (layer + 1) % full_every != 0);
    types.emplace_back(slides && window > 0 ? kSliding : kFull);
  }
  return types;
}

void FamilyReader::read_windows(const proto::Attention& heads) {
  std::vector<std::string> types = read_layer_types();
  const int window = read_window();
  const std::vector<std::string> usual = usual_types(types.empty() ? window : 0);
  if (types.empty()) types = usual;
  for (int layer = 0; layer < layers(); ++layer) {
    std::string& type = types[layer];
    if (type != kFull && type != kSliding) {
      config_.refuse("layer_types", fmt::format("this model type has no {} attention", type));
    }
    if (type == kSliding && window == 0) {
      if (!model_.has_longest_context()) config_.refuse("sliding_window", "sliding layers need it");
      type = kFull;
    }
    parts_[layer].attention = type;
  }
  for (const char* const kind : {kFull, kSliding}) {
    if (std::find(types.begin(), types.end(), kind) == types.end()) continue;
    proto::Attention& attention = add_attention(kind, "num_attention_heads");
    attention.MergeFrom(heads);
    attention.set_name(kind);
    if (kind == std::string(kSliding)) attention.set_window(window);
  }
}

void FamilyReader::write_layers() {
  const LayerParts& last = parts_.back();
  int dense = 0;
  while (dense < layers() && parts_[dense].ffn == std::vector<std::string>{kDense}) ++dense;
  bool plain = model_.attention_size() == 1 && model_.dense_size() <= 1 && !last.attention.empty();
  for (int layer = 0; layer < layers(); ++layer) {
    const LayerParts& each = parts_[layer];
    const bool experts = layer >= dense && each.ffn == std::vector<std::string>{kExperts};
    plain = plain && each.attention == last.attention && (layer < dense || experts);
  }
  if (!plain) return write_pattern(parts_, model_);
  if (model_.has_moe() && dense > 0) model_.mutable_moe()->set_first_dense_layers(dense);
  if (!model_.has_prediction()) model_.mutable_attention(0)->clear_name();
}

}  // namespace rehearse
