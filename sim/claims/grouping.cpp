#include "claims/grouping.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <iterator>
#include <set>

namespace rehearse {
namespace {

long count_of(const std::vector<Scenario>& scenarios, std::string Scenario::*part,
              const std::string& name) {
  return std::count_if(scenarios.begin(), scenarios.end(),
                       [&](const Scenario& each) { return each.*part == name; });
}

// Scenarios of one alternative in few words: a reading stands for all its platforms when all are
// there, and a platform for all readings.
std::string place_text(const std::vector<Scenario>& here, const std::vector<Scenario>& all) {
  if (here.size() == all.size()) return all.size() == 1 ? to_text(all.front()) : "everywhere";
  std::vector<std::string> parts;
  const auto add = [&](const std::string& part) {
    if (std::find(parts.begin(), parts.end(), part) == parts.end()) parts.push_back(part);
  };
  const auto whole = [&](std::string Scenario::*part, const std::string& name) {
    return count_of(here, part, name) == count_of(all, part, name);
  };
  for (const Scenario& each : here) {
    if (whole(&Scenario::reading, each.reading)) {
      add(each.reading);
    } else if (whole(&Scenario::platform, each.platform)) {
      add("all on " + each.platform);
    } else {
      add(to_text({each.reading, each.platform, {}}));
    }
  }
  return fmt::format("{}", fmt::join(parts, "; "));
}

std::vector<Scenario> with(const std::string& alternative, const std::vector<Scenario>& all) {
  std::vector<Scenario> some;
  std::copy_if(all.begin(), all.end(), std::back_inserter(some),
               [&](const Scenario& each) { return each.alternative == alternative; });
  return some;
}

// The same of several: "everywhere with pipeline-4; declared-dense with gpus-16".
std::string where_text(const std::vector<Scenario>& here, const std::vector<Scenario>& all) {
  if (with(all.front().alternative, all).size() == all.size()) return place_text(here, all);
  std::vector<std::string> parts;
  std::set<std::string> told;
  for (const Scenario& each : here) {
    if (!told.insert(each.alternative).second) continue;
    const std::vector<Scenario> of_it = with(each.alternative, all);
    // A scenario alone names its alternative itself.
    const std::string place = place_text(with(each.alternative, here), of_it);
    parts.push_back(of_it.size() == 1 ? place : fmt::format("{} with {}", place, each.alternative));
  }
  return fmt::format("{}", fmt::join(parts, "; "));
}

ClaimOutcome outcome_of(const std::vector<const Finding*>& findings) {
  ClaimOutcome outcome;
  outcome.claim = findings.front()->judgement.claim;
  std::vector<Scenario> all;
  for (const Finding* const each : findings) {
    if (each->judgement.scenario) all.push_back(*each->judgement.scenario);
  }
  std::vector<std::vector<Scenario>> scenarios;  // of each line
  for (const Finding* const each : findings) {
    const Judgement& judgement = each->judgement;
    outcome.holds = outcome.holds && judgement.verdict == Verdict::kHolds;
    outcome.in_part = outcome.in_part || judgement.verdict == Verdict::kHolds;
    outcome.worst = std::max(outcome.worst, judgement.verdict);
    std::size_t at = 0;
    while (at < outcome.lines.size() && (outcome.lines[at].verdict != judgement.verdict ||
                                         outcome.lines[at].reason != judgement.reason ||
                                         outcome.lines[at].change != each->change)) {
      ++at;
    }
    if (at == outcome.lines.size()) {
      outcome.lines.push_back(
          {judgement.verdict, "", judgement.reason, each->fails, each->change, each->because});
      scenarios.emplace_back();
    }
    if (judgement.scenario) scenarios[at].push_back(*judgement.scenario);
  }
  outcome.in_part = outcome.in_part && !outcome.holds;
  for (std::size_t at = 0; at < outcome.lines.size(); ++at) {
    if (!all.empty()) outcome.lines[at].where = where_text(scenarios[at], all);
  }
  return outcome;
}

}  // namespace

std::vector<ClaimOutcome> by_claim(const CheckReport& report) {
  std::vector<ClaimOutcome> outcomes;
  std::vector<const Finding*> same;
  for (const Finding& finding : report.findings) {
    if (!same.empty() && same.front()->judgement.claim != finding.judgement.claim) {
      outcomes.push_back(outcome_of(same));
      same.clear();
    }
    same.push_back(&finding);
  }
  if (!same.empty()) outcomes.push_back(outcome_of(same));
  return outcomes;
}

}  // namespace rehearse
