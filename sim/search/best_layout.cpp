#include "search/best_layout.hpp"

#include <nlohmann/json.hpp>

#include "search/search.hpp"
#include "search/search_job.hpp"
#include "simulation/simulation.hpp"

namespace rehearse {
namespace {

using nlohmann::json;

// A layout that takes longer is not among the best of a plan that a person waits for.
constexpr Seconds kTimeout{600};

// Layout and batch of the facts, and the result.
json described(const std::string& facts, const std::string& result) {
  const json all_facts = json::parse(facts);
  json all = json::parse(result);
  for (const char* const part : {"layout", "batch"}) all[part] = all_facts.at(part);
  return all;
}

SearchResult search_best(const Plan& plan, const Model& model, const Space& space,
                         const Limits& limits) {
  const Enumeration candidates = enumerate(space, plan, model);
  Workers workers(1, search_job(plan, model, space, limits), kTimeout);
  SearchGoals goals;
  goals.objectives = {read_objective("throughput", {})};
  goals.memory_fraction = plan.memory_fraction;
  goals.top = 1;
  SearchResult result = search({plan, model, space, goals}, candidates, workers, nullptr,
                               [](const SearchProgress&) { return true; });
  if (!result.failures.empty()) {
    const SearchRow& failed = result.failures.front();
    throw InputError({"search." + failed.key, 1, 1},
                     "the best layout is not known: this one " + failed.failure);
  }
  return result;
}

}  // namespace

std::string best_layout_json(const Plan& plan, const Model& model, const RunIdentity& identity,
                             const Limits& limits) {
  if (plan.serve) {
    throw InputError(
        plan.where.at("serve"),
        "serve: claims about search.* compare layouts by one batch: give the plan a batch instead");
  }
  const int gpus = plan.layout.gpus();
  SearchPlatform platform;
  platform.path = plan.platform_path;
  platform.id = "plan";
  platform.gpus = gpus;
  // Degrees, how experts are cut, sequence parallelism and micro-batches; algorithms and the order
  // of ranks as in the plan.
  const SpaceText text = {{"gpus", {{std::to_string(gpus)}, {}}},
                          {"expert_tensor", {{"0,1"}, {}}},
                          {"sequence_parallel", {{"both"}, {}}},
                          {"micro_batches", {{"auto,1,2,4"}, {}}}};
  const Space space = read_space(text, plan, {platform});
  const SearchResult result = search_best(plan, model, space, limits);
  json answer = {{"considered", result.considered}, {"legal", result.legal}};
  if (!result.ranking.empty()) {
    SimulationOptions options;
    options.memory_limit = limits.memory;
    options.time_limit = limits.time;
    options.facts = true;
    const Simulation best =
        simulate(plan_of(plan, space, result.ranking.front().candidate), model, options);
    answer["best"] = described(best.facts, result_json(identity, best.metrics));
  }
  return answer.dump();
}

std::string best_layout_skeleton(const std::string& facts, const std::string& result) {
  return json{{"considered", 0}, {"legal", 0}, {"best", described(facts, result)}}.dump();
}

}  // namespace rehearse
