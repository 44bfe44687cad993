#include "claims/audit.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <tuple>

namespace rehearse {
namespace {

using nlohmann::json;

bool is_about_the_document(const Claim& claim) {
  return claim.expect && quantities_of(*claim.expect).empty();
}

Source source_of(const Claim& claim, const json& facts) {
  for (const Expression* const path : quantities_of(*claim.expect)) {
    if (!facts.contains(path->path.front().name)) return Source::kRun;
  }
  return Source::kFacts;
}

std::vector<std::string> chosen(const std::vector<std::string>& wanted,
                                const std::vector<std::string>& all) {
  if (wanted.empty()) return all;
  std::vector<std::string> both;
  for (const std::string& each : all) {
    if (std::find(wanted.begin(), wanted.end(), each) != wanted.end()) both.push_back(each);
  }
  return both;
}

// "3.57 times", "4.2 %": how far the found value is from the claimed one.
std::string distance(double found, double claimed) {
  const double ratio = std::abs(found) > std::abs(claimed) ? found / claimed : claimed / found;
  if (!std::isfinite(ratio) || ratio < 0) return {};
  if (ratio >= 1.5) return fmt::format("{:.3g} times", ratio);
  return fmt::format("{:.2g} %", 100 * std::abs(found - claimed) / std::abs(claimed));
}

std::string how_it_differs(const Outcome& outcome) {
  const std::string found = to_text(outcome.found, outcome.unit);
  const std::string claimed = to_text(outcome.claimed, outcome.unit);
  const double* const a = std::get_if<double>(&outcome.found);
  const double* const b = std::get_if<double>(&outcome.claimed);
  if (a == nullptr || b == nullptr) return fmt::format("found {}, not {}", found, claimed);
  const std::string by = distance(*a, *b);
  return fmt::format("found {}, {}{} {}", found, by.empty() ? "" : by + " ",
                     *a > *b ? "more than" : "less than", claimed);
}

Judgement judgement_of(const Claim& claim, const std::optional<Scenario>& scenario,
                       const Outcome& outcome) {
  Judgement judgement;
  judgement.claim = &claim;
  judgement.scenario = scenario;
  judgement.found = outcome.found;
  judgement.unit = outcome.unit;
  judgement.claimed = outcome.claimed_text;
  const Verdict otherwise = scenario ? Verdict::kRefuted : Verdict::kInconsistent;
  judgement.verdict = outcome.holds ? Verdict::kHolds : otherwise;
  judgement.reason = outcome.holds ? fmt::format("found {}", to_text(outcome.found, outcome.unit))
                                   : how_it_differs(outcome);
  return judgement;
}

Judgement not_modelled(const Claim& claim, const std::optional<Scenario>& scenario,
                       const std::string& missing) {
  Judgement judgement;
  judgement.claim = &claim;
  judgement.scenario = scenario;
  judgement.verdict = Verdict::kNotModelled;
  judgement.reason = missing;
  return judgement;
}

}  // namespace

std::string to_text(const Scenario& scenario) {
  std::string text = scenario.reading;
  const auto add = [&](const std::string& part) {
    if (!part.empty()) text += (text.empty() ? "" : ", ") + part;
  };
  add(scenario.platform);
  if (!scenario.alternative.empty()) add("with " + scenario.alternative);
  return text;
}

const char* to_text(Verdict verdict) {
  switch (verdict) {
    case Verdict::kHolds:
      return "holds";
    case Verdict::kRefuted:
      return "refuted";
    case Verdict::kInconsistent:
      return "inconsistent";
    case Verdict::kNotModelled:
      return "not modelled";
  }
  return "";
}

Audit::Audit(const Claims& claims, std::vector<std::string> readings,
             std::vector<std::string> platforms, const json& facts_skeleton,
             const json& result_skeleton)
    : claims_(claims), readings_(std::move(readings)), platforms_(std::move(platforms)) {
  json skeleton = facts_skeleton;
  skeleton.update(result_skeleton);
  for (const Claim& claim : claims_.claims) {
    if (!claim.expect) continue;
    check_quantities(*claim.expect, skeleton);
    if (is_about_the_document(claim)) {
      evaluate(*claim.expect, skeleton);  // refuses what has no value
      continue;
    }
    const Source source = source_of(claim, facts_skeleton);
    for (const Scenario& scenario : scenarios_of(claim)) {
      const auto [known, added] = scenarios_.try_emplace(scenario, source);
      known->second = std::max(known->second, source);
    }
  }
}

std::vector<Scenario> Audit::scenarios_of(const Claim& claim) const {
  std::vector<Scenario> all;
  for (const std::string& reading : chosen(claim.under, readings_)) {
    for (const std::string& platform : chosen(claim.on, platforms_)) {
      all.push_back({reading, platform, claim.with});
    }
  }
  return all;
}

std::vector<Judgement> Audit::judge(const std::map<Scenario, json>& quantities) const {
  std::vector<Judgement> judgements;
  for (const Claim& claim : claims_.claims) {
    if (!claim.expect) {
      judgements.push_back(not_modelled(claim, std::nullopt, claim.not_modelled));
      continue;
    }
    if (is_about_the_document(claim)) {
      judgements.push_back(
          judgement_of(claim, std::nullopt, evaluate(*claim.expect, json::object())));
      continue;
    }
    for (const Scenario& scenario : scenarios_of(claim)) {
      const json& found = quantities.at(scenario);
      if (found.is_string()) {
        judgements.push_back(
            not_modelled(claim, scenario, "cannot be simulated: " + found.get<std::string>()));
        continue;
      }
      judgements.push_back(judgement_of(claim, scenario, evaluate(*claim.expect, found)));
    }
  }
  return judgements;
}

}  // namespace rehearse
