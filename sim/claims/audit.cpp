#include "claims/audit.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <tuple>

#include "claims/quantities.hpp"
#include "claims/skeletons.hpp"

namespace rehearse {
namespace {

using nlohmann::json;

// Each is a simulation.
constexpr std::size_t kMostScenarios = 10000;

bool is_about_the_document(const Claim& claim) {
  return claim.expect && !claim.given && paths_in(*claim.expect).empty();
}

Source source_of(const Comparison& comparison, const Skeletons& skeletons) {
  Source source = Source::kFacts;
  for (const Expression* const path : paths_in(comparison)) {
    const std::string& name = path->path.front().name;
    if (skeletons.facts.contains(name)) continue;
    source = std::max(source, skeletons.search.contains(name) ? Source::kSearch : Source::kRun);
  }
  return source;
}

Source source_of(const Claim& claim, const Skeletons& skeletons) {
  const Source source = source_of(*claim.expect, skeletons);
  return claim.given ? std::max(source, source_of(*claim.given, skeletons)) : source;
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

// What is more than the claimed quantity can ever be refutes where it is not enough, and else shows
// nothing.
void weigh_bound(const Outcome& outcome, Judgement& judgement) {
  if (!outcome.holds) {
    judgement.reason += ", and that is an upper bound";
    return;
  }
  judgement.verdict = Verdict::kNotModelled;
  judgement.reason = fmt::format("an upper bound is no evidence: {} is the most that it can be",
                                 to_text(outcome.found, outcome.unit));
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
  if (claim.evidence == Evidence::kUpperBound) weigh_bound(outcome, judgement);
  if (claim.given) judgement.reason += ", given " + claim.given->text;
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

// Under its condition, if it has one.
Judgement judge_in(const Claim& claim, const Scenario& scenario, const json& quantities) {
  if (claim.given) {
    const Outcome condition = evaluate(*claim.given, quantities);
    if (!condition.holds) {
      return not_modelled(claim, scenario,
                          fmt::format("it is claimed given {}: found {}", claim.given->text,
                                      to_text(condition.found, condition.unit)));
    }
  }
  const Outcome outcome = evaluate(*claim.expect, quantities);
  Judgement judgement = judgement_of(claim, scenario, outcome);
  if (judgement.verdict == Verdict::kNotModelled) return judgement;
  judgement.band = error_band(*claim.expect, quantities, outcome);
  if (judgement.band && judgement.band->within) {
    judgement.reason +=
        fmt::format(", within the expected error of {:.0f} %", 100 * judgement.band->error);
  }
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
             std::vector<std::string> platforms, const Skeletons& skeletons)
    : claims_(claims), readings_(std::move(readings)), platforms_(std::move(platforms)) {
  json skeleton = skeletons.facts;
  skeleton.update(skeletons.result);
  skeleton.update(skeletons.search);
  for (const Claim& claim : claims_.claims) {
    if (!claim.expect) continue;
    check_quantities(*claim.expect, skeleton);
    if (claim.given) check_quantities(*claim.given, skeleton);
    if (is_about_the_document(claim)) {
      evaluate(*claim.expect, skeleton);  // refuses what has no value
      continue;
    }
    const Source source = source_of(claim, skeletons);
    for (const Scenario& scenario : scenarios_of(claim)) {
      const auto [known, added] = scenarios_.try_emplace(scenario, source);
      known->second = std::max(known->second, source);
    }
  }
}

std::vector<Scenario> Audit::scenarios_of(const Claim& claim) const {
  const std::vector<std::string> readings = chosen(claim.under, readings_);
  const std::vector<std::string> platforms = chosen(claim.on, platforms_);
  const std::size_t alternatives = std::max<std::size_t>(1, claim.with.size());
  if (readings.size() * platforms.size() * alternatives > kMostScenarios) {
    throw InputError(
        claim.where,
        fmt::format("claim \"{}\" is about {} readings x {} platforms x {} "
                    "alternatives: at most {} are simulated",
                    claim.id, readings.size(), platforms.size(), alternatives, kMostScenarios));
  }
  std::vector<Scenario> all;
  for (const std::string& reading : readings) {
    for (const std::string& platform : platforms) {
      if (claim.with.empty()) all.push_back({reading, platform, ""});
      for (const std::string& with : claim.with) all.push_back({reading, platform, with});
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
    const std::vector<Judgement> in_scenarios = judge_in_scenarios(claim, quantities);
    judgements.insert(judgements.end(), in_scenarios.begin(), in_scenarios.end());
  }
  return judgements;
}

std::vector<Judgement> Audit::judge_in_scenarios(const Claim& claim,
                                                 const std::map<Scenario, json>& quantities) const {
  std::vector<Judgement> judgements;
  std::optional<AbsentQuantity> no_element;
  bool somewhere = false;
  for (const Scenario& scenario : scenarios_of(claim)) {
    const json& found = quantities.at(scenario);
    if (found.is_string()) {
      judgements.push_back(
          not_modelled(claim, scenario, "cannot be simulated: " + found.get<std::string>()));
      continue;
    }
    try {
      judgements.push_back(judge_in(claim, scenario, found));
      somewhere = true;
    } catch (const AbsentQuantity& absent) {
      judgements.push_back(not_modelled(claim, scenario, absent.reason()));
      if (absent.missing() == AbsentQuantity::What::kElement) no_element = absent;
      somewhere = somewhere || absent.missing() == AbsentQuantity::What::kField;
    }
  }
  // A name of an element that no scenario has is mistyped.
  if (no_element && !somewhere) throw *no_element;
  return judgements;
}

}  // namespace rehearse
