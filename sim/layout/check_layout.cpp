// The rules that a layout must keep, each with its message.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <numeric>

#include "base/error.hpp"
#include "layout/layout.hpp"
#include "layout/layout_rules.hpp"
#include "model/attention_kind.hpp"
#include "model/weights.hpp"

namespace rehearse {
namespace {

struct Refusal {
  std::string field;
  std::string message;
};

[[noreturn]] void fail(const std::string& field, const std::string& message) {
  throw Refusal{field, message};
}

// The rules that look neither at degrees nor at the model.
void check_axes(const Layout& layout) {
  if (rank_order(layout.order).empty()) {
    fail("layout.order",
         fmt::format("layout.order = \"{}\" is not a permutation of tp-cp-ep-dp-pp", layout.order));
  }
  if (layout.context != 1) {
    fail("layout.context", fmt::format("layout.context = {}: context parallelism is not modelled; "
                                       "it must be 1",
                                       layout.context));
  }
}

class Checker {
 public:
  Checker(const Plan& plan, const Model& model) : plan_(plan), model_(model) {}

  void check(int gpus, const std::string& platform) {
    kept_ = 0;
    check_grid(gpus, platform);
    for (const auto rule :
         {&Checker::check_attention, &Checker::check_stages, &Checker::check_ffn,
          &Checker::check_experts, &Checker::check_blocks, &Checker::check_batch}) {
      ++kept_;
      (this->*rule)();
    }
  }

  // Kinds of rules that check() has found kept.
  int kept() const { return kept_; }

 private:
  static void require_divides(const std::string& field, int degree, const std::string& what,
                              int size) {
    if (size % degree != 0) {
      fail(field,
           fmt::format("{} = {} does not divide the model's {} {}", field, degree, size, what));
    }
  }

  void check_grid(int gpus, const std::string& platform) const {
    check_axes(plan_.layout);
    const Layout& layout = plan_.layout;
    if (layout.gpus() > gpus) {
      fail("layout", fmt::format("the layout needs {} GPUs (tensor {} x pipeline {} x data {} x "
                                 "expert {}), the platform {} has {}",
                                 layout.gpus(), layout.tensor, layout.pipeline, layout.data,
                                 layout.expert, platform, gpus));
    }
  }

  void check_attention() const {
    const int tensor = plan_.layout.tensor;
    for (int at = 0; at < static_cast<int>(model_.attention.size()); ++at) {
      if (layers_with_attention(model_, at) == 0)
        continue;  // of predictions alone: asked by who runs them
      const Attention& attention = model_.attention[at];
      const std::string refusal = kind_of(attention).refusal(attention, tensor);
      if (refusal.empty()) continue;
      const bool several = model_.attention.size() > 1;
      fail("layout.tensor",
           several ? fmt::format("{} ({})", refusal, name_of(attention)) : refusal);
    }
    require_divides("layout.tensor", tensor, "hidden dimensions", model_.hidden);
  }

  void check_stages() const {
    const Layout& layout = plan_.layout;
    if (layout.pipeline > model_.layers) {
      fail("layout.pipeline", fmt::format("layout.pipeline = {} exceeds the model's {} layers: a "
                                          "stage holds at least one",
                                          layout.pipeline, model_.layers));
    }
    check_virtual_stages();
    const std::vector<int>& stages = layout.layers_per_stage;
    if (stages.empty()) return;
    if (static_cast<int>(stages.size()) != layout.stages()) {
      const std::string needed =
          layout.virtual_stages == 1
              ? fmt::format("layout.pipeline = {} needs as many", layout.pipeline)
              : fmt::format("layout.pipeline = {} and layout.virtual_stages = {} need {}",
                            layout.pipeline, layout.virtual_stages, layout.stages());
      fail("layout.layers_per_stage",
           fmt::format("layout.layers_per_stage has {} entries, {}", stages.size(), needed));
    }
    const int sum = std::accumulate(stages.begin(), stages.end(), 0);
    if (sum != model_.layers) {
      fail("layout.layers_per_stage",
           fmt::format("layout.layers_per_stage adds up to {} layers, the "
                       "model has {}",
                       sum, model_.layers));
    }
    for (const int count : stages) {
      if (count < 1) {
        fail("layout.layers_per_stage",
             fmt::format("layout.layers_per_stage has a stage of {} layers: at least 1", count));
      }
    }
  }

  void check_virtual_stages() const {
    const Layout& layout = plan_.layout;
    if (layout.virtual_stages == 1) return;
    if (layout.pipeline == 1) {
      fail("layout.virtual_stages", fmt::format("layout.virtual_stages = {} needs a pipeline of "
                                                "several ranks, layout.pipeline = 1",
                                                layout.virtual_stages));
    }
    if (layout.stages() > model_.layers) {
      fail("layout.virtual_stages",
           fmt::format("layout.virtual_stages = {} cuts the model's {} layers into {} stages: a "
                       "stage holds at least one",
                       layout.virtual_stages, model_.layers, layout.stages()));
    }
  }

  void check_ffn() const {
    const int tensor = plan_.layout.tensor;
    for (const FeedForward& dense : model_.dense) {
      if (dense.linear) continue;  // of the hidden dimensions, which divide
      require_divides("layout.tensor", tensor, "dense FFN columns", dense.width);
    }
    if (model_.moe && model_.moe->shared_experts > 0) {
      require_divides("layout.tensor", tensor, "shared expert columns", model_.moe->shared.width);
    }
  }

  void check_experts() const {
    const Layout& layout = plan_.layout;
    if (layout.expert_tensor != 0 && layout.expert_tensor != 1 &&
        layout.expert_tensor != layout.tensor) {
      fail("layout.expert_tensor", fmt::format("layout.expert_tensor = {} must be 1 or the tensor "
                                               "degree {}",
                                               layout.expert_tensor, layout.tensor));
    }
    if (!model_.moe) {
      if (layout.expert > 1) {
        fail("layout.expert",
             fmt::format("layout.expert = {}, but the model {} has no experts: it must be 1",
                         layout.expert, model_.name));
      }
      return;
    }
    check_dealt(expert_group_size(layout));
    require_divides("layout.tensor", expert_tensor_degree(layout), "expert columns",
                    model_.moe->expert.width);
  }

  // The experts of a layer and their copies are dealt to `ranks` ranks, as many to each.
  void check_dealt(int ranks) const {
    const std::int64_t experts = model_.moe->experts;
    const std::int64_t copies = plan_.placement.redundant_experts;
    const char* const field = "placement.redundant_experts";
    if (copies > experts * (ranks - 1)) {
      fail(field, fmt::format("{} = {}: {} experts can have at most {} copies more on {} ranks, "
                              "one of each everywhere",
                              field, copies, experts, experts * (ranks - 1), ranks));
    }
    if ((experts + copies) % ranks == 0) return;
    if (copies > 0) {
      fail(field, fmt::format("{} = {}: {} experts and their copies are not a multiple of the {} "
                              "ranks that hold them",
                              field, copies, experts + copies, ranks));
    }
    fail("layout.expert", fmt::format("layout.expert = {} spreads experts over {} ranks, which "
                                      "does not divide the model's {} experts",
                                      plan_.layout.expert, ranks, experts));
  }

  // Of a matrix that is quantised in blocks a rank holds whole ones: engines refuse to load others
  // (vllm-project/vllm#25292, QwenLM/Qwen3#1485).
  void check_blocks() const {
    const auto in_blocks = [](const PartStorage& rule) {
      return rule.storage.block_outputs > 1 || rule.storage.block_inputs > 1;
    };
    if (std::none_of(model_.storage.begin(), model_.storage.end(), in_blocks)) return;
    for (int index = 0; index < kWeightParts; ++index) {
      const auto part = static_cast<WeightPart>(index);
      const int degree = degree_of(part);
      if (degree == 1) continue;
      Storage checked;  // a run of layers is stored alike
      for (int layer = 0; layer < model_.layers; ++layer) {
        if (!has_part(model_, part, layer)) continue;
        const Storage storage = storage_of(model_, part, layer);
        if (storage == checked) continue;
        check_blocks_of(part, layer, degree, storage);
        checked = storage;
      }
    }
  }

  int degree_of(WeightPart part) const {
    return of_routed_experts(part) ? expert_tensor_degree(plan_.layout) : plan_.layout.tensor;
  }

  void check_blocks_of(WeightPart part, int layer, int degree, const Storage& storage) const {
    const Weights whole = weights_of(model_, part, layer, 1);
    const Weights held = weights_of(model_, part, layer, degree);
    const bool rows = held.matrices[0].inputs != whole.matrices[0].inputs;
    const bool columns = held.matrices[0].outputs != whole.matrices[0].outputs;
    const int block = rows ? storage.block_inputs : storage.block_outputs;
    if (block <= 1 || (!rows && !columns)) return;             // router and norms are whole on each
    if (of_routed_experts(part) && is_mxfp4(storage)) return;  // dealt in whole blocks
    for (std::size_t at = 0; at < held.matrices.size(); ++at) {
      const auto side = [&](const Weights& of) {
        return rows ? of.matrices[at].inputs : of.matrices[at].outputs;
      };
      if (std::fmod(side(held), block) == 0) continue;
      const bool expert = of_routed_experts(part);
      const char* const what = rows ? "rows" : "columns";
      fail(
          "layout.tensor",
          fmt::format("layout.tensor = {} cuts the {} {} of {} to {}, which are no whole blocks of "
                      "{}, the blocks that the weights are quantised in{}",
                      plan_.layout.tensor, side(whole), what, to_text(part), side(held), block,
                      expert ? "; layout.expert_tensor = 1 leaves experts whole" : ""));
    }
  }

  void check_batch() const {
    const int largest = share_of(plan_.batch.sequences, plan_.layout.dense_data(), 0).count;
    const auto check_cut = [&](const std::string& field, int parts) {
      if (parts > largest) {
        fail(field,
             fmt::format("{} = {} exceeds the {} sequences of a data-parallel replica ({} over "
                         "{} replicas)",
                         field, parts, largest, plan_.batch.sequences, plan_.layout.dense_data()));
      }
    };
    check_cut("batch.micro_batches", plan_.batch.micro_batches);
    if (plan_.batch.decode_micro_batches != 0) {
      check_cut("batch.decode_micro_batches", plan_.batch.decode_micro_batches);
    }
  }

  const Plan& plan_;
  const Model& model_;
  int kept_ = 0;
};

}  // namespace

void check_layout(const Plan& plan, const Model& model, int gpus, const std::string& platform) {
  try {
    Checker(plan, model).check(gpus, platform);
  } catch (const Refusal& refusal) {
    throw InputError(plan.where.at(refusal.field), refusal.message);
  }
}

void check_whatever_degrees(const Plan& plan) {
  try {
    check_axes(plan.layout);
  } catch (const Refusal& refusal) {
    throw InputError(plan.where.at(refusal.field), refusal.message);
  }
}

std::string layout_refusal(const Plan& plan, const Model& model, int gpus,
                           const std::string& platform) {
  return broken_rule(plan, model, gpus, platform).reason;
}

BrokenRule broken_rule(const Plan& plan, const Model& model, int gpus,
                       const std::string& platform) {
  Checker checker(plan, model);
  try {
    checker.check(gpus, platform);
  } catch (const Refusal& refusal) {
    return {refusal.message, checker.kept(), refusal.field};
  }
  return {{}, checker.kept()};
}

}  // namespace rehearse
