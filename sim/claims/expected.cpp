#include "claims/expected.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <set>
#include <utility>

namespace rehearse {
namespace {

using nlohmann::json;

json json_of(const std::optional<Value>& value) {
  if (!value) return nullptr;
  return std::visit([](const auto& each) { return json(each); }, *value);
}

bool is_near(double a, double b, double tolerance) {
  return std::abs(a - b) <= tolerance * std::max(std::abs(a), std::abs(b));
}

bool is_near(const json& a, const json& b, double tolerance) {
  if (a.is_number() && b.is_number()) return is_near(a.get<double>(), b.get<double>(), tolerance);
  if (!a.is_array() || !b.is_array()) return a == b;
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [&](const json& x, const json& y) { return is_near(x, y, tolerance); });
}

}  // namespace

std::string scenario_key(const Judgement& judgement) {
  return judgement.scenario ? to_text(*judgement.scenario) : "document";
}

std::string expected_json(const std::vector<Judgement>& judgements) {
  json claims = json::object();
  for (const Judgement& each : judgements) {
    claims[each.claim->id][scenario_key(each)] = {{"verdict", to_text(each.verdict)},
                                                  {"found", json_of(each.found)}};
  }
  const json file = {{"tolerance", Expected{}.tolerance}, {"judgements", claims}};
  return file.dump(1, ' ', false, json::error_handler_t::replace) + "\n";
}

std::string change_of(const Judgement& judgement, const Expected& expected) {
  const auto claim = expected.judgements.find(judgement.claim->id);
  if (claim == expected.judgements.end()) return "not in the record";
  const auto found = claim->second.find(scenario_key(judgement));
  if (found == claim->second.end()) return "not in the record";
  const ExpectedJudgement& recorded = found->second;
  if (recorded.verdict != judgement.verdict) {
    return fmt::format("was {}, now {}", to_text(recorded.verdict), to_text(judgement.verdict));
  }
  const json now = json_of(judgement.found);
  if (is_near(recorded.found, now, expected.tolerance)) return {};
  return fmt::format("found {}, now {}", recorded.found.dump(), now.dump());
}

std::vector<std::string> missing_from(const std::vector<Judgement>& judgements,
                                      const Expected& expected) {
  std::set<std::pair<std::string, std::string>> made;
  for (const Judgement& each : judgements) made.emplace(each.claim->id, scenario_key(each));
  std::vector<std::string> missing;
  for (const auto& [claim, scenarios] : expected.judgements) {
    for (const auto& [scenario, recorded] : scenarios) {
      if (made.count({claim, scenario}) == 0)
        missing.push_back(fmt::format("{} ({})", claim, scenario));
    }
  }
  return missing;
}

}  // namespace rehearse
