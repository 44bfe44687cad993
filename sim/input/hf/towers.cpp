// The towers are vision transformers of one width, counted from transformers' modules of the same
// names. Each count equals the Hub's count of a checkpoint less its language model: Gemma 3 12B
// 421,290,864, Mistral Small 3.2 438,958,080, Llama 4 Scout 871,932,416.
#include "input/hf/towers.hpp"

#include <fmt/format.h>

#include <optional>

namespace rehearse {
namespace {

// The dimensions of a tower; a missing one says so.
class Tower {
 public:
  Tower(const JsonObject& object, double text_hidden)
      : object_(object), text_hidden_(text_hidden) {}

  double operator[](const char* key) {
    const int value = object_.integer_or(0, key);
    if (value < 0) object_.refuse(key, "must be at least 0");
    if (value == 0) complete_ = false;
    return value;
  }
  double text_hidden() const { return text_hidden_; }
  std::size_t listed(const char* key) const {
    const nlohmann::json* const list = object_.find(key);
    return list != nullptr && list->is_array() ? list->size() : 0;
  }
  bool complete() const { return complete_; }

 private:
  const JsonObject& object_;
  double text_hidden_;
  bool complete_ = true;
};

double square(double value) { return value * value; }

// Q, K, V, output and both matrices of the FFN with biases, two LayerNorms.
double biased_layer(double hidden, double width) {
  return 4 * (square(hidden) + hidden) + 2 * hidden * width + width + hidden + 4 * hidden;
}

double positions(double image, double patch) { return patch == 0 ? 0 : square(image / patch); }

// SigLIP and Gemma 3's projector.
double siglip(Tower& tower) {
  const double hidden = tower["hidden_size"];
  const double patch = tower["patch_size"];
  const double patches = 3 * square(patch) * hidden + hidden;
  return tower["num_hidden_layers"] * biased_layer(hidden, tower["intermediate_size"]) + patches +
         positions(tower["image_size"], patch) * hidden + 2 * hidden +
         hidden * tower.text_hidden() + hidden;
}

// Pixtral: no biases, a gated FFN; Mistral 3's projector merges 2 x 2 patches.
double pixtral(Tower& tower) {
  const double hidden = tower["hidden_size"];
  const double layer = 4 * square(hidden) + 3 * hidden * tower["intermediate_size"] + 2 * hidden;
  const double projector =
      hidden + 4 * square(hidden) + hidden * tower.text_hidden() + square(tower.text_hidden());
  return tower["num_hidden_layers"] * layer + 3 * square(tower["patch_size"]) * hidden + hidden +
         projector;
}

double llama4(Tower& tower) {
  const double hidden = tower["hidden_size"];
  const double width = tower["intermediate_size"];
  const double patch = tower["patch_size"];
  const double output = tower["vision_output_dim"];
  const double embedding = 3 * square(patch) * hidden + hidden +
                           (positions(tower["image_size"], patch) + 1) * hidden + 4 * hidden;
  return tower["num_hidden_layers"] * biased_layer(hidden, width) + embedding +
         width * tower["projector_input_dim"] + tower["projector_input_dim"] * output +
         output * tower.text_hidden();
}

// Qwen3-VL: a merger of 2 x 2 patches at the end, and one for each deepstack layer.
double qwen3(Tower& tower) {
  const double hidden = tower["hidden_size"];
  const double merged = square(tower["spatial_merge_size"]) * hidden;
  const double patches = 3 * tower["temporal_patch_size"] * square(tower["patch_size"]);
  const double merger =
      square(merged) + merged + merged * tower["out_hidden_size"] + tower["out_hidden_size"];
  const double deep = static_cast<double>(tower.listed("deepstack_visual_indexes"));
  return tower["depth"] * biased_layer(hidden, tower["intermediate_size"]) + patches * hidden +
         hidden + tower["num_position_embeddings"] * hidden + 2 * hidden + merger +
         deep * (2 * merged + merger);
}

constexpr struct {
  std::string_view model_type;
  double (*count)(Tower& tower);
} kTowers[] = {{"siglip_vision_model", siglip}, {"pixtral", pixtral},
               {"llama4_vision_model", llama4}, {"qwen3_vl", qwen3},
               {"qwen3_vl_moe", qwen3},         {"qwen3_5", qwen3},
               {"qwen3_5_moe", qwen3}};

std::optional<double> count(const JsonObject& object, double text_hidden) {
  const std::string type = object.string_or("", "model_type");
  for (const auto& each : kTowers) {
    if (type != each.model_type) continue;
    Tower tower(object, text_hidden);
    const double parameters = each.count(tower);
    return tower.complete() ? std::optional(parameters) : std::nullopt;
  }
  return std::nullopt;
}

}  // namespace

void read_towers(FamilyReader& reader) {
  const HfConfig& config = reader.config();
  for (const char* const key :
       {"vision_config", "audio_config", "vit_config", "visual_config", "vision_tower_config"}) {
    if (!config.has(key)) continue;
    const JsonObject object = config.object(key);
    const auto parameters = count(object, reader.model().hidden());
    if (!parameters) {
      reader.note(fmt::format("{}: only the language model is counted and simulated", key));
      continue;
    }
    proto::Tower& tower = *reader.model().add_tower();
    tower.set_name(std::string(key).substr(0, std::string(key).find('_')));
    tower.set_parameters(*parameters);
    reader.note(
        fmt::format("{}: its {:.2f} billion weights are counted, nothing of it is simulated", key,
                    *parameters / 1e9));
  }
}

}  // namespace rehearse
