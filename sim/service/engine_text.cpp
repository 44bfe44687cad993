#include "service/engine_text.hpp"

#include <fmt/format.h>

namespace rehearse {
namespace {

const char* origin(bool chosen) { return chosen ? "" : " (default)"; }
const char* on(bool yes) { return yes ? "on" : "off"; }

std::string memory_text(const PlannedEngine& engine, const EngineChoice& chosen) {
  const serving::EngineSettings& settings = engine.settings;
  const std::string pool =
      fmt::format("{} blocks of {} tokens", settings.kv_blocks, settings.block_tokens);
  if (chosen.kv_blocks) return pool + " on each rank";
  const KvRoom& room = engine.room;
  std::string text = fmt::format(
      "{} on each rank: {} usable of a GPU ({:.3g} of its memory) less weights {}, activations {}, "
      "communication {}",
      pool, to_text(room.usable), room.fraction, to_text(room.weights), to_text(room.activations),
      to_text(room.buffers));
  if (room.prediction.value > 0) {
    text += fmt::format(" (of the weights {} predict)", to_text(room.prediction));
  }
  if (room.states.value > 0) text += fmt::format(", states {}", to_text(room.states));
  return text;
}

}  // namespace

std::string engine_text(const PlannedEngine& engine, const EngineChoice& chosen, bool is_brief) {
  const serving::EngineSettings& settings = engine.settings;
  std::string text =
      fmt::format("  scheduler {}, {} rank{} in {} stage{}\n", settings.scheduler, settings.ranks,
                  settings.ranks == 1 ? "" : "s", settings.stages, settings.stages == 1 ? "" : "s");
  std::string defaults;
  const auto line = [&](const char* name, const std::string& value, bool is_chosen) {
    if (is_brief && !is_chosen) {
      defaults += fmt::format("{}{} {}", defaults.empty() ? "" : "; ", name, value);
    } else {
      text += fmt::format("  {:<20} {}{}\n", name, value, origin(is_chosen));
    }
  };
  line("max_tokens_per_pass", fmt::format("{}", settings.max_tokens),
       chosen.max_tokens_per_pass.has_value());
  line("max_sequences", fmt::format("{}", settings.max_sequences),
       chosen.max_sequences.has_value());
  line("max_model_len",
       settings.max_model_len > 0 ? fmt::format("{}", settings.max_model_len) : "no limit",
       chosen.max_model_len.has_value());
  line("chunked_prefill", on(settings.chunked_prefill), chosen.chunked_prefill.has_value());
  line("prefix_cache", on(settings.prefix_cache), chosen.prefix_cache.has_value());
  line("asynchronous", on(settings.asynchronous), chosen.asynchronous.has_value());
  line("cuda_graphs",
       settings.graph_sizes.empty()
           ? "no padding"
           : fmt::format("{} sizes up to {} tokens", settings.graph_sizes.size(),
                         settings.graph_sizes.back()),
       chosen.cuda_graphs.has_value());
  line(
      "host",
      fmt::format("{} a step, {} a request in it", to_text(serving::to_seconds(settings.host.step)),
                  to_text(serving::to_seconds(settings.host.request))),
      chosen.host_per_step || chosen.host_per_request);
  line(
      "speculative",
      settings.speculation.drafts > 0
          ? fmt::format("{} tokens a step, {}", settings.speculation.drafts,
                        engine.drafts_by_prediction ? "by the model's own prediction (mtp)"
                                                    : "by a lookup of n-grams, which takes no time")
          : "none",
      chosen.speculative.has_value());
  line("keys and values", memory_text(engine, chosen),
       chosen.kv_blocks || chosen.memory_fraction || chosen.block_tokens);
  if (!defaults.empty()) text += fmt::format("  by default: {}\n", defaults);
  return text;
}

}  // namespace rehearse
