#include "claims/because.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/units.hpp"

namespace rehearse {
namespace {

using nlohmann::json;

using Lines = std::vector<std::string>;

constexpr std::size_t kOperatorsShown = 4;

std::string seconds(double value) { return to_text(Seconds{value}); }
std::string bytes(double value) { return to_text(Bytes{value}); }
std::string percent(double share) { return fmt::format("{:.1f} %", 100 * share); }

Lines path_lines(const std::string& what, const json& terms) {
  const double length = terms["length_s"];
  if (length <= 0) return {};
  std::string text =
      fmt::format("{} {} = compute {}", what, seconds(length), seconds(terms["compute_s"]));
  for (const json& axis : terms["communication"]) {
    text += fmt::format(" + {} communication {}", axis["axis"].get<std::string>(),
                        seconds(axis["time_s"]));
  }
  if (terms["launch_s"] > 0) text += fmt::format(" + launches {}", seconds(terms["launch_s"]));
  std::string longest = "on it longest:";
  const json& operators = terms["operators"];
  for (std::size_t at = 0; at < std::min(operators.size(), kOperatorsShown); ++at) {
    longest +=
        fmt::format("{} {} {}", at == 0 ? "" : ",", operators[at]["operator"].get<std::string>(),
                    percent(operators[at]["fraction"]));
  }
  return {text + " (critical path)", longest};
}

Lines path_to(const char* target, const std::string& what, const json& quantities) {
  if (!quantities.contains("critical_path")) return {};
  return path_lines(what, quantities["critical_path"][target]);
}

Lines ttft_lines(const json& quantities) {
  Lines lines = path_to("to_first_tokens", "largest TTFT", quantities);
  const json& batch = quantities["batch"];
  const int stages = quantities["layout"]["pipeline"];
  if (stages > 1) {
    const int micro_batches = batch["micro_batches"];
    lines.push_back(
        fmt::format("pipeline bubble: {} stages take {} micro-batches in {} slots, so {} of the "
                    "prefill is filling",
                    stages, micro_batches, micro_batches + stages - 1,
                    percent(static_cast<double>(stages - 1) / (micro_batches + stages - 1))));
  }
  return lines;
}

// Where the peak goes. The shares of a GPU's time: busy, waiting, bubble; what is busy is slower
// than the peak by the kernels' efficiency, by memory-bound operators and by launches.
Lines throughput_lines(const json& quantities) {
  const json& use = quantities["utilization"];
  const json& device = quantities["device"];
  const double mfu = use["mfu"];
  const double rate = quantities["throughput"]["tokens_per_ms_per_gpu"];
  if (mfu <= 0) return {};
  const double efficiency =
      device["usable_flops_per_s"].get<double>() / device["peak_flops_per_s"].get<double>();
  const double busy = use["compute_busy_fraction"];
  return {
      fmt::format("physical ceiling at 100 % MFU: {:.4g} tokens/ms per GPU; reached: {:.4g}, {}",
                  rate / mfu, rate, percent(mfu)),
      fmt::format("a GPU's time: {} at the peak's pace, {} lost to the kernels' {} of the peak, {} "
                  "to memory-bound "
                  "operators and launches, {} waiting for communication, {} in pipeline bubbles",
                  percent(mfu), percent(mfu / efficiency - mfu), percent(efficiency),
                  percent(busy - mfu / efficiency),
                  percent(quantities["communication"]["exposed_fraction"]),
                  percent(use["bubble_fraction"]))};
}

Lines communication_lines(const json& quantities) {
  const json& communication = quantities["communication"];
  const double makespan = quantities["makespan_s"];
  const double busy = quantities["utilization"]["compute_busy_fraction"];
  std::string text = fmt::format("compute {} per GPU", seconds(busy * makespan));
  for (const json& axis : communication["by_axis"]) {
    text += fmt::format("; {} {} for {} sent, {} of it waited for", axis["axis"].get<std::string>(),
                        seconds(axis["busy_s"]), bytes(axis["bytes_per_rank"]),
                        seconds(axis["exposed_s"]));
  }
  return {text};
}

Lines memory_lines(const json& quantities) {
  const json& memory = quantities["memory"];
  std::vector<std::pair<double, std::string>> parts;
  for (const json& each : memory["by_category"]) {
    if (each["bytes"] > 0) parts.emplace_back(each["bytes"], each["category"].get<std::string>());
  }
  std::stable_sort(parts.begin(), parts.end(),
                   [](const auto& a, const auto& b) { return a.first > b.first; });
  std::string text = fmt::format("peak {} on rank {} =", bytes(memory["peak_bytes"]),
                                 memory["binding_rank"].get<int>());
  for (std::size_t at = 0; at < parts.size(); ++at) {
    text += fmt::format("{} {} {}", at == 0 ? "" : " +", parts[at].second, bytes(parts[at].first));
  }
  return {text};
}

Lines rank_lines(const json& quantities) {
  const json& rank = quantities["ranks"][0];
  const json& layout = quantities["layout"];
  const int experts = rank["expert_shards"];
  const int cut = rank["expert_tensor"];
  std::string held = fmt::format("{} layers, {} heads", rank["layers"].get<int>(),
                                 rank["attention_heads"].get<int>());
  if (experts > 0) held += fmt::format(", {} experts", experts);
  if (experts > 0 && cut > 1) held += fmt::format(" (1/{} of each)", cut);
  return {fmt::format(
      "rank 0 holds {}, {} of weights, for {} requests; weights divide by tensor {} x "
      "pipeline {} x expert {}, data-parallel replicas are copies",
      held, bytes(rank["weight_bytes"]), rank["requests"].get<int>(), layout["tensor"].get<int>(),
      layout["pipeline"].get<int>(), layout["expert"].get<int>())};
}

Lines parameter_lines(const json& quantities) {
  const json& count = quantities["parameters"];
  const json& model = quantities["dimensions"];
  return {fmt::format(
      "{:.4g} G parameters: experts {:.4g} G ({} layers x {} experts of width {}), "
      "attention {:.4g} G, embedding {:.4g} G; {:.4g} G active per token (top {})",
      count["total"].get<double>() / 1e9, count["experts"].get<double>() / 1e9,
      model["layers"].get<int>(), model["experts"].get<int>(), model["expert_width"].get<int>(),
      count["attention"].get<double>() / 1e9, count["embedding"].get<double>() / 1e9,
      count["active"].get<double>() / 1e9, model["top_k"].get<int>())};
}

Lines operator_lines(const json& quantities) {
  std::string text = "a GPU's time:";
  const json& operators = quantities["operators"];
  for (std::size_t at = 0; at < std::min(operators.size(), kOperatorsShown); ++at) {
    text +=
        fmt::format("{} {} {}", at == 0 ? "" : ",", operators[at]["operator"].get<std::string>(),
                    percent(operators[at]["fraction"]));
  }
  return {text};
}

Lines end_lines(const json& quantities) { return path_to("to_end", "makespan", quantities); }

struct Topic {
  const char* quantity;
  Lines (*lines)(const json& quantities);
};

constexpr Topic kTopics[] = {
    {"ttft_s", ttft_lines},
    {"makespan_s", end_lines},
    {"tpot_s", end_lines},
    {"throughput", throughput_lines},
    {"utilization", throughput_lines},
    {"communication", communication_lines},
    {"memory", memory_lines},
    {"ranks", rank_lines},
    {"groups", rank_lines},
    {"parameters", parameter_lines},
    {"per_token", parameter_lines},
    {"dimensions", parameter_lines},
    {"operators", operator_lines},
};

}  // namespace

Lines because(const std::string& quantity, const json& quantities) {
  for (const Topic& topic : kTopics) {
    if (quantity == topic.quantity) return topic.lines(quantities);
  }
  return {};
}

Lines because_of_everything(const json& quantities) {
  Lines all;
  for (const char* const quantity :
       {"ttft_s", "makespan_s", "throughput", "communication", "memory", "operators"}) {
    const Lines lines = because(quantity, quantities);
    all.insert(all.end(), lines.begin(), lines.end());
  }
  return all;
}

}  // namespace rehearse
