#include "search/search_job.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <map>
#include <sstream>

#include "cost/native_arithmetic.hpp"
#include "estimate/bound.hpp"
#include "search/skew.hpp"
#include "simulation/service_bound.hpp"
#include "simulation/simulation.hpp"

namespace rehearse {
namespace {

std::vector<std::string> parts_of(const std::string& text, char separator) {
  std::vector<std::string> parts;
  std::istringstream items(text);
  for (std::string item; std::getline(items, item, separator);) parts.push_back(item);
  return parts;
}

Candidate known_candidate(const Space& space, const std::string& key) {
  const std::optional<Candidate> candidate = candidate_of(space, key);
  SIM_CHECK(candidate.has_value(), "a request names no candidate: " + key);
  return *candidate;
}

std::string refusal_text(const std::string& reason) { return "!" + reason; }

std::string bound_text(const ServiceBound& bound, const SearchPlatform& platform) {
  return bound.refusal.empty() ? outcome_text(bound.metrics, platform)
                               : refusal_text(bound.refusal);
}

std::string bounds(const Plan& base, const Model& model, const Space& space, const Limits& limits,
                   const std::string& request) {
  const std::vector<std::string> keys = parts_of(request, '|');
  const int platform = known_candidate(space, keys.front()).platform;
  Cluster cluster = load_cluster_within(limits, space.platforms[platform].path, {}, base.gpus_at);
  const SearchPlatform& on = space.platforms[platform];
  // As a simulation has them on these GPUs (PreparedPlan).
  std::map<const Model*, Model> natives;
  const auto native = [&](const Model& its) -> const Model& {
    const auto [at, is_new] = natives.try_emplace(&its, its);
    if (is_new) use_native_arithmetic(at->second, devices_of(cluster.platform()));
    return at->second;
  };
  std::map<const Model*, Bounder> bounders;
  std::string text;
  for (const std::string& key : keys) {
    const Candidate candidate = known_candidate(space, key);
    const Plan plan = plan_of(base, space, candidate);
    const Model& its = native(model_of(space, model, candidate));
    try {
      text += plan.serve ? bound_text(bound_of_service(plan, its, cluster), on)
                         : outcome_text(bounders.try_emplace(&its, its, cluster, base.engine.times)
                                            .first->second.bound(plan),
                                        on);
    } catch (const InputError& error) {
      text += refusal_text(error.what());
    }
    text += '|';
  }
  return text;
}

}  // namespace

std::string bound_request(const std::vector<std::string>& keys) {
  std::string text = "B";
  for (const std::string& key : keys) text += key + "|";
  return text;
}

std::string simulation_request(const std::string& key) { return "S" + key; }

std::string skewed_request(const std::string& key) { return "K" + key; }

Job search_job(const Plan& base, const Model& model, const Space& space, const Limits& limits) {
  return [&base, &model, &space, limits](const std::string& request) {
    if (request.starts_with('B')) return bounds(base, model, space, limits, request.substr(1));
    const Candidate candidate = known_candidate(space, request.substr(1));
    SimulationOptions options;
    options.memory_limit = limits.memory;
    options.time_limit = limits.time;
    Plan plan = plan_of(base, space, candidate);
    if (request.starts_with('K')) plan = skewed(std::move(plan));
    const Simulation simulation = simulate(plan, model_of(space, model, candidate), options);
    return outcome_text(simulation.metrics, space.platforms[candidate.platform]);
  };
}

std::string outcome_text(const Metrics& metrics, const SearchPlatform& platform) {
  const auto& bytes = metrics.memory.bytes;
  const auto most = std::max_element(bytes.begin(), bytes.end()) - bytes.begin();
  return outcome_text(
      SearchOutcome{values_of(metrics, platform), to_text(static_cast<MemoryCategory>(most))});
}

std::string outcome_text(const SearchOutcome& outcome) {
  std::string text = outcome.most_memory;
  for (const double value : outcome.values) text += fmt::format(" {:a}", value);
  return text;
}

std::optional<SearchOutcome> outcome_of_text(const std::string& text) {
  SearchOutcome outcome;
  const std::size_t word = std::min(text.find(' '), text.size());
  outcome.most_memory = text.substr(0, word);
  const char* at = text.c_str() + word;
  for (char* end = nullptr; *at != '\0'; at = end) {
    outcome.values.push_back(std::strtod(at, &end));
    if (end == at) return std::nullopt;
  }
  if (outcome.values.size() != search_quantities().size()) return std::nullopt;
  return outcome;
}

std::vector<BoundAnswer> bound_answers(const std::string& text) {
  std::vector<BoundAnswer> answers;
  for (const std::string& part : parts_of(text, '|')) {
    if (part.starts_with('!')) {
      answers.push_back({std::nullopt, part.substr(1)});
    } else {
      answers.push_back({outcome_of_text(part), {}});
    }
  }
  return answers;
}

}  // namespace rehearse
