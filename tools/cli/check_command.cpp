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
#include "base/output_file.hpp"
#include "base/processes.hpp"
#include "claims/audit.hpp"
#include "claims/because.hpp"
#include "claims/report.hpp"
#include "cli/check_page.hpp"
#include "cli/commands.hpp"
#include "cli/memory_limit.hpp"
#include "cli/run_identity.hpp"
#include "facts/facts.hpp"
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
    throw InputError(option_place("--claim", id),
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

class Check {
 public:
  explicit Check(const Options& options)
      : options_(options), plan_(read_plan(base_request())), claims_(read_claims_of_plan()) {
    choose_claims(options.check.claims, claims_);
    check_readings(claims_, plan_);
    platforms_ = platforms_of(claims_, plan_, options.plan.platform);
  }

  CheckReport run() {
    const Audit audit(claims_, readings(), platform_names(), json::parse(facts_skeleton()),
                      json::parse(result_skeleton()));
    const auto quantities = quantities_of_all(audit.scenarios());
    CheckReport report;
    report.plan = plan_.name;
    report.document = claims_.document;
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
    PlanRequest request = options_.plan;
    request.platform.reset();
    return request;
  }

  Claims read_claims_of_plan() const {
    if (plan_.claims_path.empty()) {
      throw InputError({options_.plan.path, 1, 1},
                       "the plan has no claims to check: name their file, claims: \"FILE\"");
    }
    return read_claims(plan_.claims_path);
  }

  std::vector<std::string> readings() const {
    if (options_.plan.variant) return {*options_.plan.variant};
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
    PlanRequest request = options_.plan;
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
    request.sets.insert(request.sets.end(), options_.plan.sets.begin(), options_.plan.sets.end());
    return request;
  }

  // The critical path costs as much as the simulation, so it is found where it is read.
  Detail run_detail() const {
    const auto names_it = [](const Claim& claim) {
      if (!claim.expect) return false;
      const auto quantities = quantities_of(*claim.expect);
      return std::any_of(quantities.begin(), quantities.end(), [](const Expression* each) {
        return each->path.front().name == "critical_path";
      });
    };
    const bool wanted =
        options_.explain || std::any_of(claims_.claims.begin(), claims_.claims.end(), names_it);
    return wanted ? Detail::kCriticalPath : Detail::kRun;
  }

  // The terms behind the quantities of a claim that does not hold.
  std::vector<std::string> because_of(const Judgement& judgement,
                                      const std::map<Scenario, json>& quantities) const {
    std::vector<std::string> lines;
    if (judgement.verdict != Verdict::kRefuted) return lines;
    std::set<std::string> told;
    for (const Expression* const path : quantities_of(*judgement.claim->expect)) {
      const std::string& quantity = path->path.front().name;
      if (!told.insert(quantity).second) continue;
      const auto terms = because(quantity, quantities.at(*judgement.scenario));
      lines.insert(lines.end(), terms.begin(), terms.end());
    }
    return lines;
  }

  // Each scenario once, in a process of its own.
  std::map<Scenario, json> quantities_of_all(const std::map<Scenario, Source>& scenarios) const {
    const int at_once = std::min<int>(usable_cpus(), static_cast<int>(scenarios.size()));
    const Bytes share = memory_limit(options_.max_memory) / std::max(1, at_once);
    std::vector<std::function<std::string()>> jobs;
    for (const auto& [scenario, source] : scenarios) {
      // What is wrong in the files is said before anything is simulated.
      const PlanRequest request = request_of(scenario);
      const Plan plan = read_plan(request);
      const Model model = read_model(plan.model_path, plan.model_sets);
      const Detail detail = source == Source::kFacts ? Detail::kFacts : run_detail();
      jobs.push_back([=] {
        const RunIdentity identity = identity_of(plan, model, request);
        const QuantityTexts texts = quantities_of(plan, model, identity, detail, share);
        json all = json::parse(texts.facts);
        if (!texts.result.empty()) all.update(json::parse(texts.result));
        return all.dump();
      });
    }
    const std::vector<JobResult> results = run_in_processes(jobs, at_once);
    std::map<Scenario, json> quantities;
    std::size_t at = 0;
    for (const auto& [scenario, source] : scenarios) {
      const JobResult& result = results[at++];
      // The plan itself must be possible; that an alternative is not is what its claims are told.
      const bool impossible = result.refused() && !scenario.alternative.empty();
      quantities[scenario] =
          impossible ? json(without_place(result.text)) : json::parse(result.value());
    }
    return quantities;
  }

  const Options& options_;
  const Plan plan_;
  Claims claims_;
  std::vector<ClaimPlatform> platforms_;
};

// Against the recorded verdicts.
void gate(const Options& options, const Expected& expected, CheckReport& report) {
  report.gated = true;
  std::vector<Judgement> judgements;
  for (Finding& finding : report.findings) {
    finding.change = change_of(finding.judgement, expected);
    finding.fails = !finding.change.empty();
    judgements.push_back(finding.judgement);
  }
  const bool whole =
      !options.plan.variant && !options.plan.platform && options.check.claims.empty();
  if (whole) report.missing = missing_from(judgements, expected);
}

std::string record_of(const CheckReport& report) {
  std::vector<Judgement> judgements;
  for (const Finding& finding : report.findings) judgements.push_back(finding.judgement);
  return expected_json(judgements);
}

// All of them, or none.
void write_reports(const CheckOptions& options, const CheckReport& report) {
  OutputFiles files;
  const auto write = [&](const std::string& path, std::string (*text_of)(const CheckReport&)) {
    if (!path.empty()) files.add(path, text_of(report));
  };
  write(options.record, record_of);
  write(options.junit, check_junit);
  write(options.markdown, check_markdown);
  write(options.html, check_page);
  files.commit();
}

}  // namespace

int check_command(const Options& options) {
  std::optional<Expected> expected;
  if (!options.check.expect.empty()) expected = read_expected(options.check.expect);
  Check check(options);
  CheckReport report = check.run();
  if (expected) gate(options, *expected, report);
  write_reports(options.check, report);
  if (options.json) {
    fmt::print("{}", check_json(report));
  } else if (!options.quiet) {
    fmt::print("{}", check_table(report));
  }
  return report.fails() ? 1 : 0;
}

}  // namespace rehearse
