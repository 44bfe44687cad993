#include "search/search_text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

namespace rehearse {
namespace {

using Json = nlohmann::ordered_json;

std::string layout_cells(const SearchRow& row) {
  const Layout& at = row.candidate.layout;
  return fmt::format("{:>4} {:>3} {:>3} {:>3} {:>3} {:>3} {:>3} {:>4}", at.gpus(), at.tensor,
                     at.pipeline, at.data, at.expert, at.expert_tensor,
                     at.sequence_parallel ? "yes" : "no", row.candidate.micro_batches);
}

std::string rest_of(const SearchInputs& inputs, const SearchRow& row) {
  std::string text;
  if (inputs.space.platforms.size() > 1) {
    text += "  " + inputs.space.platforms[row.candidate.platform].path;
  }
  if (inputs.space.order.size() > 1) text += "  " + row.candidate.layout.order;
  if (inputs.space.collectives.size() > 1) {
    for (const auto& [op, algorithm] : row.candidate.collectives) {
      text += fmt::format("  {}={}", op, algorithm);
    }
  }
  return text;
}

std::string table_row(const SearchInputs& inputs, const std::string& place, const SearchRow& row) {
  std::string text = fmt::format("{:>5} {} {}", place, row.pareto ? "*" : " ", layout_cells(row));
  for (const Objective& objective : inputs.goals.objectives) {
    const double value = row.values[objective.quantity];
    text += std::isnan(value) ? fmt::format(" {:>18}", "-") : fmt::format(" {:>18.5g}", value);
  }
  return text + rest_of(inputs, row) + "\n";
}

Json layout_json(const SearchInputs& inputs, const Candidate& candidate) {
  const Layout& at = candidate.layout;
  Json collectives = Json::object();
  for (const auto& [op, algorithm] : candidate.collectives) collectives[op] = algorithm;
  return {{"platform", inputs.space.platforms[candidate.platform].path},
          {"gpus", at.gpus()},
          {"tensor", at.tensor},
          {"pipeline", at.pipeline},
          {"data", at.data},
          {"expert", at.expert},
          {"expert_tensor", at.expert_tensor},
          {"sequence_parallel", at.sequence_parallel},
          {"order", at.order},
          {"micro_batches", candidate.micro_batches},
          {"decode_micro_batches", candidate.decode_micro_batches},
          {"collectives", collectives}};
}

Json row_json(const SearchInputs& inputs, const SearchRow& row) {
  Json json;
  json["layout"] = layout_json(inputs, row.candidate);
  json["pareto"] = row.pareto;
  Json& values = json["values"] = Json::object();
  for (std::size_t at = 0; at < row.values.size(); ++at) {
    // A cost without a price is absent.
    if (!std::isnan(row.values[at])) values[quantities()[at].name] = row.values[at];
  }
  return json;
}

}  // namespace

std::vector<std::pair<std::string, long>> by_count(const Exclusions& excluded) {
  std::vector<std::pair<std::string, long>> all(excluded.begin(), excluded.end());
  std::stable_sort(all.begin(), all.end(),
                   [](const auto& a, const auto& b) { return a.second > b.second; });
  return all;
}

std::string exclusions_text(const Exclusions& excluded, std::size_t most) {
  const auto all = by_count(excluded);
  std::string text;
  long rest = 0;
  for (std::size_t at = 0; at < all.size(); ++at) {
    if (at < most) {
      text += fmt::format("  {:>8}  {}\n", all[at].second, all[at].first);
    } else {
      rest += all[at].second;
    }
  }
  if (rest > 0) text += fmt::format("  {:>8}  for {} other reasons\n", rest, all.size() - most);
  return text;
}

std::string search_table(const SearchInputs& inputs, const SearchResult& result) {
  constexpr std::size_t kReasons = 5;
  long lost = 0;
  for (const auto& [reason, count] : result.excluded) lost += count;
  std::string text = fmt::format("{} layouts considered, {} legal, {} excluded{}\n",
                                 result.considered, result.legal, lost, lost > 0 ? ":" : "");
  text += exclusions_text(result.excluded, kReasons);
  if (!result.complete) text += "stopped: what follows is only what is known so far\n";
  text += fmt::format("{:>5}   {:>4} {:>3} {:>3} {:>3} {:>3} {:>3} {:>3} {:>4}", "", "GPUs", "tp",
                      "pp", "dp", "ep", "etp", "sp", "mb");
  for (const Objective& objective : inputs.goals.objectives) {
    text += fmt::format(" {:>18}", objective.name);
  }
  text += "\n";
  for (std::size_t at = 0; at < result.ranking.size(); ++at) {
    text += table_row(inputs, std::to_string(at + 1), result.ranking[at]);
  }
  for (const SearchRow& row : result.reference) text += table_row(inputs, "plan", row);
  text += "* in the Pareto set.";
  for (const Objective& objective : inputs.goals.objectives) {
    const SearchQuantity& quantity = quantities()[objective.quantity];
    text += fmt::format(" {}: {}, {} is better.", objective.name, quantity.name,
                        quantity.more_is_better ? "more" : "less");
  }
  text += "\n";
  for (const SearchRow& row : result.failures) {
    text += fmt::format("failed: {}: {}\n", row.key, row.failure);
  }
  return text;
}

std::string search_json(const SearchInputs& inputs, const SearchResult& result,
                        const std::map<std::string, std::string>& identity) {
  Json json;
  for (const auto& [name, value] : identity) json[name] = value;
  json["complete"] = result.complete;
  Json& objectives = json["objectives"] = Json::array();
  for (const Objective& objective : inputs.goals.objectives) {
    const SearchQuantity& quantity = quantities()[objective.quantity];
    objectives.push_back({{"name", objective.name},
                          {"quantity", quantity.name},
                          {"better", quantity.more_is_better ? "more" : "less"}});
  }
  Json& constraints = json["constraints"] = Json::array();
  for (const Constraint& each : inputs.goals.constraints) constraints.push_back(each.text);
  Json& excluded = json["excluded"] = Json::array();
  for (const auto& [reason, count] : by_count(result.excluded)) {
    excluded.push_back({{"reason", reason}, {"layouts", count}});
  }
  json["considered"] = result.considered;
  json["legal"] = result.legal;
  Json& ranking = json["ranking"] = Json::array();
  for (const SearchRow& row : result.ranking) ranking.push_back(row_json(inputs, row));
  Json& failures = json["failures"] = Json::array();
  for (const SearchRow& row : result.failures) {
    failures.push_back({{"layout", layout_json(inputs, row.candidate)}, {"failure", row.failure}});
  }
  if (!result.reference.empty()) json["plan_layout"] = row_json(inputs, result.reference[0]);
  return json.dump(2) + "\n";
}

}  // namespace rehearse
