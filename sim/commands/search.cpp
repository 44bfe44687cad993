#include "commands/search.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <set>
#include <sstream>
#include <stdexcept>
#include <string_view>

#include "base/error.hpp"
#include "base/option_place.hpp"
#include "cluster_xml/check_platform_xml.hpp"
#include "commands/identity.hpp"
#include "cost/native_arithmetic.hpp"
#include "input/digest.hpp"
#include "layout/layout_rules.hpp"
#include "routing/token_routing.hpp"
#include "search/search_text.hpp"
#include "search/skew.hpp"
#include "service/service_run.hpp"

namespace rehearse {
namespace {

int whole_number(const char* option, const std::string& text, int least) {
  int number = 0;
  const char* end = text.data() + text.size();
  const auto [rest, failure] = std::from_chars(text.data(), end, number);
  if (failure != std::errc{} || rest != end || number < least) {
    throw InputError(option_place(option, text),
                     fmt::format("\"{}\": must be a whole number of at least {}", text, least));
  }
  return number;
}

SearchPlatform platform_at(const std::string& path, const std::vector<GpusAt>& gpus_at) {
  const PlatformFile file = check_platform_xml(path, gpus_at);
  SearchPlatform platform;
  platform.path = path;
  platform.id = sha256_of({path}, identity_of(gpus_at)).substr(0, 12);
  const RunningCost cost = cost_per_gpu(file);
  platform.usd_per_hour = cost.usd_per_hour;
  platform.watts = cost.watts;
  platform.assumed = guesses_of(file);
  for (const GpuHosts& hosts : file.gpus) {
    platform.gpus += static_cast<int>(std::max<std::int64_t>(1, hosts.names.count()));
    platform.devices.push_back(hosts.device);
  }
  return platform;
}

std::vector<SearchPlatform> platforms_of(const SpaceText& text, const Plan& plan) {
  const auto named = text.find("platform");
  if (named == text.end()) return {platform_at(plan.platform_path, plan.gpus_at)};
  std::vector<SearchPlatform> platforms;
  for (const std::string& path : named->second.values) {
    if (!std::filesystem::is_regular_file(path)) {
      throw InputError(named->second.where, fmt::format("cannot read the platform \"{}\"", path));
    }
    SearchPlatform next = platform_at(path, plan.gpus_at);
    const bool again = std::any_of(platforms.begin(), platforms.end(),
                                   [&](const SearchPlatform& each) { return each.id == next.id; });
    if (again) throw InputError(named->second.where, fmt::format("\"{}\" is given twice", path));
    platforms.push_back(std::move(next));
  }
  return platforms;
}

// What it says, without its place.
std::string message_of(const InputError& error) {
  const std::string text = error.what();
  constexpr std::string_view kBefore = ": error: ";
  const std::size_t at = text.find(kBefore);
  return at == std::string::npos ? text : text.substr(at + kBefore.size());
}

// The models of its quantizations. What is wrong with the plan's own is known by now.
void read_quantized(const SpaceText& text, const Plan& plan, Space& space) {
  for (const auto& quantization : space.quantizations) {
    if (quantization.empty()) continue;
    std::vector<std::string> sets = plan.model_sets;
    for (const auto& [field, dtype] : quantization)
      sets.push_back(fmt::format("{}={}", field, dtype));
    try {
      space.quantized.emplace(quantization, read_model(plan.model_path, sets));
    } catch (const InputError& error) {
      throw InputError(text.at("quantization").where, message_of(error));
    }
  }
}

// "ranked is what refuses no request, has no growing backlog, and ..."
std::string ranked_text(const std::optional<Slo>& slo) {
  const std::string always = "ranked is what refuses no request, has no growing backlog";
  if (!slo) return always + "; the plan has no serve.slo to keep";
  std::string terms;
  if (slo->ttft) terms = "TTFT <= " + to_text(*slo->ttft);
  if (slo->tpot) {
    terms += fmt::format("{}TPOT <= {}", slo->ttft ? " and " : "", to_text(*slo->tpot));
  }
  return fmt::format("{} and keeps {} for {:g} % of its requests", always, terms,
                     100 * slo->quantile);
}

// What a reader of a service's ranking must know.
std::vector<std::string> notes_of_service(const Plan& plan) {
  return {
      ranked_text(plan.serve->slo),
      "costs are at the plan's traffic: every GPU of all replicas, idle or not, over the tokens "
      "of the window"};
}

SearchGoals goals_of(const SpaceText& text, const SearchOptions& options, const Plan& plan,
                     const Space& space) {
  SearchGoals goals;
  const auto objectives = text.find("objective");
  const SpaceField defaults{default_objectives(plan, space), {}};
  const SpaceField& chosen = objectives == text.end() ? defaults : objectives->second;
  goals.objectives = read_objectives(chosen);
  const auto constraints = text.find("constraint");
  if (constraints != text.end()) goals.constraints = read_constraints(constraints->second);
  goals.top = whole_number("--top", options.top, 0);
  goals.exhaustive = options.exhaustive;
  goals.memory_fraction = plan.memory_fraction;
  goals.serves = plan.serve.has_value();
  if (goals.serves && plan.serve->slo) goals.slo_quantile = plan.serve->slo->quantile;
  return goals;
}

void check_goals(const SpaceText& text, const PreparedSearch& all) {
  const auto check = [&](const std::string& what, int quantity, const char* field) {
    check_costs(what, quantity, all.space);
    const std::string absence = absence_of(quantity, all.plan);
    if (!absence.empty()) {
      throw InputError(text.at(field).where, fmt::format("{}: {}", what, absence));
    }
  };
  for (const Objective& each : all.goals.objectives) {
    check("the objective " + each.name, each.quantity, "objective");
  }
  for (const Constraint& each : all.goals.constraints) {
    check("the constraint " + each.text, each.quantity, "constraint");
  }
}

}  // namespace

std::string option_of(const std::string& field) {
  std::string option = "--" + field;
  std::replace(option.begin(), option.end(), '_', '-');
  return option;
}

SpaceText space_text(const Plan& plan, const SearchOptions& options) {
  SpaceText text = space_text_of(plan);
  for (const auto& [field, values] : options.space) {
    if (values.empty()) continue;
    const std::string option = option_of(field);
    text[field] = {values, option_place(option, values.back())};
    static const std::set<std::string> kLists = {"order",     "platform",   "collectives",
                                                 "objective", "constraint", "quantization"};
    if (values.size() > 1 && !kLists.contains(field)) {
      throw InputError(text[field].where,
                       fmt::format("{} is given {} times: give it once", option, values.size()));
    }
  }
  return text;
}

void check_costs(const std::string& what, int quantity, const Space& space) {
  const std::string name = search_quantities()[quantity].name;
  for (const SearchPlatform& platform : space.platforms) {
    const bool priced = name.find("dollar") == std::string::npos || platform.usd_per_hour;
    const bool powered = name.find("joule") == std::string::npos || platform.watts;
    if (priced && powered) continue;
    throw InputError({platform.path, 1, 1},
                     fmt::format("{} needs the {} of the GPUs: add <prop id=\"{}\" value=\"{}\"/>",
                                 what, priced ? "power" : "price", priced ? "power" : "price",
                                 priced ? "700W" : "2.99USD/h"));
  }
}

void refuse_empty(const Enumeration& found) {
  if (!found.legal.empty()) return;
  if (found.considered == 0) {
    throw InputError({"rehearse search", 1, 1},
                     "the space is empty: no product of the degrees is a number of GPUs in it");
  }
  constexpr std::size_t kReasons = 5;
  std::string text =
      fmt::format("the space is empty: none of {} is legal\n", counted(found.considered, "layout"));
  if (found.last.size() < found.excluded.size()) {
    text += "what no layout escapes that keeps the other rules:\n" +
            exclusions_text(found.last, kReasons) + "all:\n";
  }
  text += exclusions_text(found.excluded, kReasons);
  text.pop_back();
  throw InputError({"rehearse search", 1, 1}, text);
}

int workers_of(const std::string& text) {
  // More than that help nobody: each is a process, and a simulation keeps one core.
  constexpr int kMost = 1024;
  const int workers = whole_number("--workers", text, 1);
  if (workers <= kMost) return workers;
  throw InputError(option_place("--workers", text),
                   fmt::format("\"{}\": must be at most {} processes", text, kMost));
}

std::vector<int> sockets_of(const std::string& text) {
  std::vector<int> sockets;
  std::istringstream items(text);
  for (std::string item; std::getline(items, item, ',');) {
    sockets.push_back(whole_number("--worker-sockets", item, 0));
  }
  return sockets;
}

PreparedSearch prepare_search(const PlanRequest& request, const SearchOptions& options,
                              const Limits& limits) {
  PreparedSearch all;
  all.plan = read_plan(request);
  check_search_of(all.plan);
  all.model = read_model(all.plan.model_path, all.plan.model_sets);
  // What no layout mends.
  check_whatever_degrees(all.plan);
  check_routing(all.plan, all.model);
  const SpaceText text = space_text(all.plan, options);
  all.space = read_space(text, all.plan, platforms_of(text, all.plan));
  std::vector<const Device*> devices;
  for (const SearchPlatform& platform : all.space.platforms) {
    for (const Device& device : platform.devices) devices.push_back(&device);
  }
  use_native_arithmetic(all.model, devices);  // what holds on all; each candidate has its own
  if (all.plan.serve) {
    check_service_choices(all.plan, all.model);
    for (std::string& note : notes_of_service(all.plan)) all.space.notes.push_back(std::move(note));
  }
  read_quantized(text, all.plan, all.space);
  all.goals = goals_of(text, options, all.plan, all.space);
  check_goals(text, all);
  // Steps are priced with uniform routing only.
  all.goals.skew = !options.no_skew && !all.plan.serve && hides_skew(all.plan, all.model);
  try {
    all.timeout = parse_seconds(options.timeout);
  } catch (const std::invalid_argument& error) {
    throw InputError(option_place("--timeout", options.timeout), error.what());
  }
  all.limits = limits;
  return all;
}

}  // namespace rehearse
