#include "service/room_advice.hpp"

#include <fmt/format.h>

#include <limits>
#include <optional>
#include <utility>

#include "layout/layout.hpp"
#include "layout/memory_rule.hpp"
#include "routing/token_routing.hpp"
#include "service/engine_of_plan.hpp"

namespace rehearse {
namespace {

class RoomAdviser {
 public:
  RoomAdviser(const Plan& plan, const EngineChoice& choice, const Model& model,
              const Platform& platform, std::string field, int first_gpu)
      : plan_(plan),
        choice_(choice),
        model_(model),
        platform_(platform),
        field_(std::move(field)),
        first_gpu_(first_gpu) {}

  std::string advice() const {
    if (const std::optional<std::string> smaller = smaller_passes()) return *smaller;
    if (const std::optional<std::string> share = usual_share()) return *share;
    if (const std::optional<std::string> more = more_gpus()) return *more;
    return "neither smaller passes nor a doubled degree of the layout makes room: GPUs with more "
           "memory or a model of fewer bytes do";
  }

 private:
  // Tokens of the pool, of a plan that fits and is one.
  std::optional<std::int64_t> tokens_of(const Plan& plan, const EngineChoice& choice) const {
    try {
      const PlannedEngine engine = engine_of(plan, choice, model_, platform_, field_, first_gpu_);
      return std::int64_t{engine.settings.kv_blocks} * engine.settings.block_tokens;
    } catch (const InputError&) {
      return std::nullopt;
    }
  }

  std::optional<std::string> smaller_passes() const {
    constexpr int kLargest = 8192;
    constexpr int kSmallest = 512;  // below, a pass no longer fills a GPU
    for (int tokens = kLargest; tokens >= kSmallest; tokens /= 2) {
      if (choice_.max_tokens_per_pass && tokens >= *choice_.max_tokens_per_pass) continue;
      EngineChoice smaller = choice_;
      smaller.max_tokens_per_pass = tokens;
      if (const std::optional<std::int64_t> room = tokens_of(plan_, smaller)) {
        return fmt::format("{}.max_tokens_per_pass={} would make room for {} tokens", field_,
                           tokens, *room);
      }
    }
    return std::nullopt;
  }

  // Where the plan gives the engine less of a GPU's memory than engines take by themselves.
  std::optional<std::string> usual_share() const {
    constexpr double kUsual = 0.9;  // vllm/config/cache.py: gpu_memory_utilization
    if (choice_.memory_fraction.value_or(plan_.memory_fraction) >= kUsual) return std::nullopt;
    EngineChoice more = choice_;
    more.memory_fraction = kUsual;
    const std::optional<std::int64_t> room = tokens_of(plan_, more);
    if (!room) return std::nullopt;
    return fmt::format("{}.memory_fraction={} would make room for {} tokens", field_, kUsual,
                       *room);
  }

  std::optional<std::string> more_gpus() const {
    constexpr int kMostTimes = 64;
    const int there = static_cast<int>(platform_.gpus.size()) - first_gpu_;
    const std::string layout = field_.substr(0, field_.rfind(".engine")) == "serve"
                                   ? "layout"
                                   : field_.substr(0, field_.rfind(".engine")) + ".layout";
    for (int times = 2; times <= kMostTimes; times *= 2) {
      for (const auto& [degree, name] :
           {std::pair{&Layout::tensor, "tensor"}, std::pair{&Layout::pipeline, "pipeline"},
            std::pair{&Layout::expert, "expert"}}) {
        Plan plan = plan_;
        plan.layout.*degree *= times;
        plan.layout.layers_per_stage.clear();
        plan.serve->replicas = 1;
        const int gpus = plan.layout.gpus();
        // Experts that are not loaded alike are placed on the platform's own servers.
        if (gpus > there && routes_tokens(plan, model_)) continue;
        constexpr int kAny = std::numeric_limits<int>::max();
        if (!layout_refusal(plan, model_, kAny, "").empty()) continue;
        if (const std::optional<std::int64_t> room = tokens_of(plan, choice_)) {
          return fmt::format("{}.{}={} ({} GPUs a replica{}) would make room for {} tokens", layout,
                             name, plan.layout.*degree, gpus,
                             gpus > there ? fmt::format("; the platform has {}", there) : "",
                             *room);
        }
      }
    }
    return std::nullopt;
  }

  const Plan& plan_;
  const EngineChoice& choice_;
  const Model& model_;
  const Platform& platform_;
  std::string field_;
  int first_gpu_;
};

}  // namespace

std::string room_advice(const Plan& plan, const EngineChoice& choice, const Model& model,
                        const Platform& platform, const std::string& field, int first_gpu) {
  return RoomAdviser(plan, choice, model, platform, field, first_gpu).advice();
}

}  // namespace rehearse
