#include "claims/because.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <initializer_list>
#include <nlohmann/json.hpp>

#include "base/shares.hpp"
#include "base/units.hpp"

namespace rehearse {
namespace {

using nlohmann::json;

using Lines = std::vector<std::string>;

constexpr std::size_t kOperatorsShown = 4;
constexpr double kLeastShare = 5e-4;  // what would be printed as 0.0 %

std::string seconds(double value) { return to_text(Seconds{value}); }
std::string bytes(double value) { return to_text(Bytes{value}); }
std::string percent(double share) { return percent_text(share); }

// "48.4 % at the peak's pace, 2.1 % network": in print they add up where they do.
std::string shares_text(const std::vector<std::pair<double, std::string>>& parts) {
  std::vector<double> shares;
  shares.reserve(parts.size());
  for (const auto& [share, what] : parts) shares.push_back(share);
  const std::vector<std::string> texts = percent_texts(shares);
  std::string text;
  for (std::size_t at = 0; at < parts.size(); ++at) {
    text += fmt::format("{}{} {}", at == 0 ? "" : ", ", texts[at], parts[at].second);
  }
  return text;
}

// Whether all of it was measured: what is absent explains nothing. Paths are JSON pointers.
bool has(const json& quantities, std::initializer_list<const char*> paths) {
  return std::all_of(paths.begin(), paths.end(), [&](const char* path) {
    const json::json_pointer pointer(path);
    return quantities.contains(pointer) && !quantities[pointer].is_null();
  });
}

Lines path_lines(const std::string& what, const json& terms) {
  const double length = terms["length_s"];
  if (length <= 0) return {};
  std::string text = fmt::format("{} {} = ", what, seconds(length));
  text += fmt::format("compute {}", seconds(terms["compute_s"]));
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
  if (!quantities.contains("critical_path") || !quantities["critical_path"].contains(target))
    return {};
  return path_lines(what, quantities["critical_path"][target]);
}

Lines ttft_lines(const json& quantities) {
  const char* const what = quantities.contains("serving")
                               ? "the first token with the largest TTFT is there at"
                               : "largest TTFT";
  Lines lines = path_to("to_first_tokens", what, quantities);
  if (!has(quantities, {"/layout/pipeline", "/batch/micro_batches"})) return lines;
  const int micro_batches = quantities["batch"]["micro_batches"];
  const int stages = quantities["layout"]["pipeline"];
  const int chunks = quantities["layout"].value("virtual_stages", 1);
  // Chunks take micro-batches in groups of as many as there are stages: a smaller one waits.
  const bool whole_groups = chunks == 1 || micro_batches % stages == 0;
  if (stages > 1 && whole_groups) {
    const int slots = micro_batches * chunks + stages - 1;
    lines.push_back(
        fmt::format("pipeline bubble: {} stages{} take {} micro-batches in {} slots, so {} of the "
                    "prefill is filling",
                    stages, chunks > 1 ? fmt::format(" of {} chunks", chunks) : "", micro_batches,
                    slots, percent(static_cast<double>(stages - 1) / slots)));
  }
  return lines;
}

// Where the peak goes. The five shares of a GPU's time; what is busy is slower than the peak by
// work that the model does not ask for (padding), by the kernels' efficiency, by memory-bound
// operators and by launches.
Lines throughput_lines(const json& quantities) {
  if (!has(quantities, {"/throughput/tokens_per_ms_per_gpu", "/utilization/mfu", "/utilization/hfu",
                        "/utilization/compute_busy_fraction", "/utilization/bubble_fraction",
                        "/utilization/no_work_fraction", "/communication/exposed_fraction",
                        "/communication/peer_wait_fraction"})) {
    return {};
  }
  const json& use = quantities["utilization"];
  const double mfu = use["mfu"];
  const double rate = quantities["throughput"]["tokens_per_ms_per_gpu"];
  if (mfu <= 0) return {};
  Lines lines = {
      fmt::format("physical ceiling at 100 % MFU: {:.4g} tokens/ms per GPU; reached: {:.4g}, {}",
                  rate / mfu, rate, percent(mfu))};
  const double hfu = use["hfu"];
  const double busy = use["compute_busy_fraction"];
  const json& waits = quantities["communication"];
  std::vector<std::pair<double, std::string>> parts = {{mfu, "at the peak's pace"}};
  if (hfu - mfu > kLeastShare) {
    parts.emplace_back(hfu - mfu, "for padding and what several ranks compute alike");
  }
  // GPUs of unequal kinds have no one efficiency.
  if (has(quantities, {"/device/usable_flops_per_s", "/device/peak_flops_per_s"})) {
    const json& device = quantities["device"];
    const double efficiency =
        device["usable_flops_per_s"].get<double>() / device["peak_flops_per_s"].get<double>();
    parts.emplace_back(hfu / efficiency - hfu,
                       fmt::format("lost to the kernels' {} of the peak", percent(efficiency)));
    parts.emplace_back(busy - hfu / efficiency, "to memory-bound operators and launches");
  } else {
    parts.emplace_back(busy - hfu, "lost to slower kernels, memory-bound operators and launches");
  }
  parts.emplace_back(waits["exposed_fraction"], "network");
  parts.emplace_back(waits["peer_wait_fraction"], "slower peer");
  parts.emplace_back(use["bubble_fraction"], "pipeline bubble");
  parts.emplace_back(use["no_work_fraction"], "no work");
  if (has(quantities, {"/utilization/host_fraction"})) {
    parts.emplace_back(use["host_fraction"], "host");
  }
  lines.push_back("a GPU's time: " + shares_text(parts));
  return lines;
}

Lines communication_lines(const json& quantities) {
  if (!has(quantities,
           {"/communication/by_axis", "/makespan_s", "/utilization/compute_busy_fraction"}))
    return {};
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
  if (!has(quantities, {"/memory/peak_bytes", "/memory/binding_rank", "/memory/by_category"}))
    return {};
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
  if (!has(quantities, {"/ranks/0", "/layout"})) return {};
  const json& rank = quantities["ranks"][0];
  const json& layout = quantities["layout"];
  const int experts = rank.value("expert_shards", 0);
  const int cut = rank.value("expert_tensor", 1);
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
  if (!has(quantities, {"/parameters", "/dimensions"})) return {};
  const json& count = quantities["parameters"];
  const json& model = quantities["dimensions"];
  const auto billions = [&count](const char* part) {
    return fmt::format("{:.4g} G", count[part].get<double>() / 1e9);
  };
  std::string text = fmt::format("{} parameters: ", billions("total"));
  if (count.contains("experts")) {
    text += fmt::format("experts {} ({} layers x {} experts of width {}), ", billions("experts"),
                        model["layers"].get<int>(), model["experts"].get<int>(),
                        model["expert_width"].get<int>());
  }
  if (count.contains("dense_ffn")) text += fmt::format("dense FFN {}, ", billions("dense_ffn"));
  text += fmt::format("attention {}, embedding {}; {} active per token", billions("attention"),
                      billions("embedding"), billions("active"));
  if (model.contains("top_k")) text += fmt::format(" (top {})", model["top_k"].get<int>());
  return {text};
}

Lines operator_lines(const json& quantities) {
  if (!has(quantities, {"/operators"}) || quantities["operators"].empty()) return {};
  std::string text = "a GPU's time:";
  const json& operators = quantities["operators"];
  for (std::size_t at = 0; at < std::min(operators.size(), kOperatorsShown); ++at) {
    text +=
        fmt::format("{} {} {}", at == 0 ? "" : ",", operators[at]["operator"].get<std::string>(),
                    percent(operators[at]["fraction"]));
  }
  return {text};
}

// What the best layout is, in place of the plan's.
Lines search_lines(const json& quantities) {
  if (!has(quantities, {"/search/best/layout", "/search/best/batch/micro_batches",
                        "/search/best/throughput/tokens_per_ms_per_gpu",
                        "/throughput/tokens_per_ms_per_gpu"})) {
    return {};
  }
  const json& search = quantities["search"];
  const json& best = search["best"];
  const json& layout = best["layout"];
  return {fmt::format(
      "of {} layouts of the same {} GPUs the best is tensor {} x pipeline {} x data {} x expert {} "
      "with {} micro-batches: {:.4g} tokens/ms per GPU, the plan's {:.4g}",
      search["considered"].get<int>(), layout["gpus"].get<int>(), layout["tensor"].get<int>(),
      layout["pipeline"].get<int>(), layout["data"].get<int>(), layout["expert"].get<int>(),
      best["batch"]["micro_batches"].get<int>(),
      best["throughput"]["tokens_per_ms_per_gpu"].get<double>(),
      quantities["throughput"]["tokens_per_ms_per_gpu"].get<double>())};
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
    {"itl_s", end_lines},
    {"decode_step_s", end_lines},
    {"cost", throughput_lines},
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
    {"search", search_lines},
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
