// Which scenarios the claims need, what each of them is as a plan, and what comes out of it. The
// audit (claims/audit.hpp) knows nothing of plans; this is what stands between.
#include "commands/check_plan.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string_view>

#include "base/error.hpp"
#include "base/nearest_name.hpp"
#include "base/processes.hpp"
#include "base/progress.hpp"
#include "claims/audit.hpp"
#include "claims/because.hpp"
#include "claims/skeletons.hpp"
#include "commands/identity.hpp"
#include "commands/prepare.hpp"
#include "facts/facts.hpp"
#include "search/best_layout.hpp"
#include "search/space.hpp"
#include "simulation/quantities.hpp"

namespace rehearse {
namespace {

using nlohmann::json;

// The claims of --claim, or all.
void choose_claims(const std::vector<std::string>& wanted, Claims& claims) {
  if (wanted.empty()) return;
  std::vector<std::string> ids;
  for (const Claim& each : claims.claims) ids.push_back(each.id);
  for (const std::string& id : wanted) {
    if (std::find(ids.begin(), ids.end(), id) != ids.end()) continue;
    throw InputError({"--claim " + id, 1, 9},
                     fmt::format("unknown claim \"{}\": {}", id, suggestion(id, ids)));
  }
  std::erase_if(claims.claims, [&](const Claim& each) {
    return std::find(wanted.begin(), wanted.end(), each.id) == wanted.end();
  });
}

std::string stem(const std::string& path) { return std::filesystem::path(path).stem().string(); }

// The platforms that claims are judged on: the claims' own, or the plan's; with --platform the one
// of that name or file, or another file.
std::vector<ClaimPlatform> platforms_of(const Claims& claims, const Plan& plan,
                                        const std::optional<std::string>& chosen) {
  std::vector<ClaimPlatform> platforms = claims.platforms;
  if (platforms.empty()) platforms = {{stem(plan.platform_path), plan.platform_path}};
  if (!chosen) return platforms;
  for (const ClaimPlatform& each : platforms) {
    if (*chosen == each.name || std::filesystem::path(*chosen).lexically_normal() == each.file) {
      return {each};
    }
  }
  return {{stem(*chosen), *chosen}};
}

// Readings that claims name must be variants of the plan.
void check_readings(const Claims& claims, const Plan& plan) {
  for (const Claim& claim : claims.claims) {
    for (const std::string& reading : claim.under) {
      const auto& known = plan.variants;
      if (std::find(known.begin(), known.end(), reading) != known.end()) continue;
      throw InputError(
          claim.where,
          fmt::format("claim \"{}\" is under \"{}\", which is no variant of the plan: {}", claim.id,
                      reading, suggestion(reading, known)));
    }
  }
}

// The message of an error without its place in a file or an option.
std::string without_place(const std::string& error) {
  constexpr std::string_view kMark = ": error: ";
  const std::size_t mark = error.find(kMark);
  return mark == std::string::npos ? error : error.substr(mark + kMark.size());
}

// How much better than the plan the best layout is, as a share; nothing where none can run.
void add_search(json search, json& all) {
  constexpr const char* kRate = "tokens_per_ms_per_gpu";
  if (!search.contains("best")) return;
  const double own = all.at("throughput").at(kRate);
  search["gain"] = search["best"].at("throughput").at(kRate).get<double>() / own - 1;
  all["search"] = std::move(search);
}

// Each once, in the order of the scenarios.
std::vector<std::string> assumptions_of(const std::map<Scenario, json>& quantities) {
  std::vector<std::string> each_once;
  for (const auto& [scenario, all] : quantities) {
    if (!all.is_object() || !all.contains("assumptions")) continue;
    for (const std::string each : all.at("assumptions")) {
      if (std::find(each_once.begin(), each_once.end(), each) == each_once.end()) {
        each_once.push_back(each);
      }
    }
  }
  return each_once;
}

Skeletons skeletons() {
  const std::string facts = facts_skeleton();
  const std::string result = result_skeleton();
  json search = json::parse(best_layout_skeleton(facts, result));
  search["gain"] = 0.0;
  return {json::parse(facts), json::parse(result), json{{"search", std::move(search)}}};
}

class Check {
 public:
  Check(const CheckRequest& request, Claims& claims)
      : request_(request), plan_(read_plan(base_request())), claims_(claims) {
    check_search_of(plan_);
    claims_ = read_claims_of_plan();
    choose_claims(request.claims, claims_);
    check_readings(claims_, plan_);
    platforms_ = platforms_of(claims_, plan_, request.plan.platform);
  }

  CheckReport run() {
    const Audit audit(claims_, readings(), platform_names(), skeletons());
    const auto quantities = quantities_of_all(audit.scenarios());
    CheckReport report;
    report.plan = plan_.name;
    report.document = claims_.document;
    report.assumptions = assumptions_of(quantities);
    for (Judgement& judgement : audit.judge(quantities)) {
      Finding finding;
      finding.fails = judgement.verdict != Verdict::kHolds;
      finding.because = because_of(judgement, quantities);
      finding.judgement = std::move(judgement);
      report.findings.push_back(std::move(finding));
    }
    if (report.findings.empty()) {
      throw InputError({claims_.path, 1, 1},
                       "no claim is about this variant on this platform: nothing is judged");
    }
    return report;
  }

 private:
  // --platform may be the name of one of the claims' platforms, so it is not the plan's yet.
  PlanRequest base_request() const {
    PlanRequest request = request_.plan;
    request.platform.reset();
    return request;
  }

  Claims read_claims_of_plan() const {
    if (plan_.claims_path.empty()) {
      throw InputError({request_.plan.path, 1, 1},
                       "the plan has no claims to check: name their file, claims: \"FILE\"");
    }
    return read_claims(plan_.claims_path);
  }

  std::vector<std::string> readings() const {
    if (request_.plan.variant) return {*request_.plan.variant};
    if (plan_.variants.empty()) return {""};
    return plan_.variants;
  }

  std::vector<std::string> platform_names() const {
    std::vector<std::string> names;
    for (const ClaimPlatform& each : platforms_) names.push_back(each.name);
    return names;
  }

  const Alternative* alternative(const std::string& name) const {
    for (const Alternative& each : claims_.alternatives) {
      if (each.name == name) return &each;
    }
    return nullptr;
  }

  PlanRequest request_of(const Scenario& scenario) const {
    PlanRequest request = request_.plan;
    if (!scenario.reading.empty()) request.variant = scenario.reading;
    for (const ClaimPlatform& each : platforms_) {
      if (each.name == scenario.platform) request.platform = each.file;
    }
    const Alternative* const with = alternative(scenario.alternative);
    if (with == nullptr) return request;
    for (const ClaimPlatform& each : with->platforms) {
      if (each.name == scenario.platform) request.platform = each.file;
    }
    request.sets = with->sets;
    request.sets.insert(request.sets.end(), request_.plan.sets.begin(), request_.plan.sets.end());
    return request;
  }

  // The critical path costs as much as the simulation, so it is found where it is read.
  Detail run_detail() const {
    const auto names_it = [](const Claim& claim) {
      if (!claim.expect) return false;
      auto paths = paths_in(*claim.expect);
      if (claim.given) {
        const auto more = paths_in(*claim.given);
        paths.insert(paths.end(), more.begin(), more.end());
      }
      return std::any_of(paths.begin(), paths.end(), [](const Expression* each) {
        return each->path.front().name == "critical_path";
      });
    };
    const bool wanted =
        request_.explain || std::any_of(claims_.claims.begin(), claims_.claims.end(), names_it);
    return wanted ? Detail::kCriticalPath : Detail::kRun;
  }

  // The terms behind the quantities of a claim that does not hold.
  std::vector<std::string> because_of(const Judgement& judgement,
                                      const std::map<Scenario, json>& quantities) const {
    std::vector<std::string> lines;
    if (judgement.verdict != Verdict::kRefuted) return lines;
    std::set<std::string> told;
    for (const Expression* const path : paths_in(*judgement.claim->expect)) {
      const std::string& quantity = path->path.front().name;
      if (!told.insert(quantity).second) continue;
      const auto terms = because(quantity, quantities.at(*judgement.scenario));
      lines.insert(lines.end(), terms.begin(), terms.end());
    }
    return lines;
  }

  using Jobs = std::vector<std::function<std::string()>>;

  // Every scenario once; a search beside it where some claim names it.
  Jobs jobs_of(const std::map<Scenario, Source>& scenarios, const SimulationOptions& share,
               SharedCounters& counters) const {
    Jobs jobs;
    std::size_t at = 0;
    for (const auto& [scenario, source] : scenarios) {
      // What is wrong in the files is said before anything is simulated.
      const PlanRequest request = request_of(scenario);
      const Plan plan = read_plan(request);
      const Model model = read_model(plan.model_path, plan.model_sets);
      if (scenario.alternative.empty()) PreparedPlan(plan, model);
      const RunIdentity identity = identity_of(plan, model, request);
      const Detail detail = source == Source::kFacts ? Detail::kFacts : run_detail();
      jobs.emplace_back([=, counter = &counters[at++]] {
        SimulationOptions own = share;
        own.progress = counter;
        const QuantityTexts texts = quantities_of(plan, model, identity, detail, own);
        if (counter->total == 0) counter->total = counter->done = 1;  // nothing was simulated
        json all = json::parse(texts.facts);
        if (!texts.result.empty()) all.update(json::parse(texts.result));
        return all.dump();
      });
      if (source != Source::kSearch) continue;
      jobs.emplace_back([=] {
        return best_layout_json(plan, model, identity,
                                Limits{share.memory_limit, share.time_limit});
      });
    }
    return jobs;
  }

  std::map<Scenario, json> quantities_of_all(const std::map<Scenario, Source>& scenarios) const {
    const int at_once = std::min<int>(usable_cpus(), static_cast<int>(scenarios.size()));
    const SimulationOptions share = simulation_options(request_.limits, std::max(1, at_once));
    SharedCounters counters(scenarios.size());
    const ProgressLine progress("simulating the claims' scenarios", counters, request_.quiet);
    const std::vector<JobResult> results =
        run_in_processes(jobs_of(scenarios, share, counters), at_once);
    std::map<Scenario, json> quantities;
    std::size_t at = 0;
    for (const auto& [scenario, source] : scenarios) {
      const JobResult& result = results[at++];
      // The plan itself must be possible; that an alternative is not is what its claims are told.
      const bool impossible = result.refused() && !scenario.alternative.empty();
      json& all = quantities[scenario];
      all = impossible ? json(without_place(result.text)) : json::parse(result.value());
      if (source != Source::kSearch) continue;
      const JobResult& best = results[at++];
      if (impossible || (best.refused() && !scenario.alternative.empty())) continue;
      add_search(json::parse(best.value()), all);
    }
    return quantities;
  }

  const CheckRequest& request_;
  const Plan plan_;
  Claims& claims_;
  std::vector<ClaimPlatform> platforms_;
};

}  // namespace

std::unique_ptr<CheckedPlan> check_plan(const CheckRequest& request) {
  auto checked = std::make_unique<CheckedPlan>();
  checked->report = Check(request, checked->claims).run();
  return checked;
}

void compare_with_record(const Expected& expected, bool whole, CheckReport& report) {
  report.gated = true;
  std::vector<Judgement> judgements;
  for (Finding& finding : report.findings) {
    finding.change = change_of(finding.judgement, expected);
    finding.fails = !finding.change.empty();
    judgements.push_back(finding.judgement);
  }
  if (whole) report.missing = missing_from(judgements, expected);
}

}  // namespace rehearse
