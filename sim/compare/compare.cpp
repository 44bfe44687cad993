#include "compare/compare.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <map>
#include <string_view>

namespace rehearse {
namespace {

using nlohmann::json;

constexpr const char* kOperators = "operators[";
constexpr const char* kBacklog = "serving.backlog_growth_per_s";

// How a field is judged. Fields of one group ("ttft_s.") share a line.
struct FieldRule {
  std::string_view prefix;  // of the path, a whole path or up to a "." or "["
  Better better = Better::kNeither;
};

// Every field of a result has a rule (tests/compare holds the table to the schema): one that nobody
// thought of would not be guarded.
constexpr FieldRule kRules[] = {
    // What was run.
    {"plan", Better::kNeither},
    {"model", Better::kNeither},
    {"platform", Better::kNeither},
    {"variant", Better::kNeither},
    {"engine", Better::kNeither},
    {"network", Better::kNeither},
    {"seed", Better::kNeither},
    {"seeds", Better::kNeither},  // beside the figures that they are of
    {"version", Better::kNeither},
    {"inputs_sha256", Better::kNeither},
    {"gpus", Better::kNeither},
    {"gpu_kinds", Better::kNeither},
    {"assumptions", Better::kNeither},
    {"accuracy", Better::kNeither},
    {"prefill", Better::kNeither},  // what it does shows in the times and in memory
    // What came out.
    {"makespan_s", Better::kLess},
    {"ttft_s", Better::kLess},
    {"tpot_s", Better::kLess},
    {"decode_step_s", Better::kLess},
    {"itl_s", Better::kLess},
    {"queue_s", Better::kLess},
    {"e2e_s", Better::kLess},
    {"serving.requests", Better::kNeither},
    {"serving.window_s", Better::kNeither},
    {"serving.mean_batch", Better::kNeither},
    {"serving.window", Better::kNeither},
    {"serving.window_lives", Better::kNeither},
    {"serving.life_s", Better::kNeither},  // of the times, that show themselves
    {"serving.offered_rate", Better::kNeither},
    {"serving.completed", Better::kMore},
    {"serving.refused", Better::kLess},
    {"serving.request_rate", Better::kMore},
    {"serving.output_tokens_per_s", Better::kMore},
    {"serving.output_tokens_per_s_per_gpu", Better::kMore},
    {"serving.tokens_per_s_per_gpu", Better::kMore},
    {"serving.tokens_per_s_per_user", Better::kMore},
    {"serving.goodput_requests_per_s", Better::kMore},
    {"serving.slo_attainment", Better::kMore},
    {"serving.slo_met", Better::kMore},
    {"serving.slo.objective_s", Better::kNeither},  // asked for
    {"serving.slo.value_s", Better::kLess},
    {"serving.slo.over_objective", Better::kLess},
    {"serving.slo", Better::kNeither},
    {"serving.steady", Better::kMore},
    {"serving.backlog_growth_per_s", Better::kLess},
    {"serving.kv_peak_fraction", Better::kNeither},  // memory that stands free is of no use
    {"serving.preemptions", Better::kLess},
    {"serving.prefix_hit_fraction", Better::kMore},
    {"serving.kv_transfer.mean_s", Better::kLess},
    {"serving.kv_transfer.p99_s", Better::kLess},
    {"serving.kv_transfer", Better::kNeither},
    {"throughput", Better::kMore},
    {"utilization.bubble_fraction", Better::kLess},
    // Faster GPUs are busy for less of the time that traffic comes in, and wait for more work.
    {"utilization.compute_busy_fraction", Better::kNeither},
    {"utilization.no_work_fraction", Better::kNeither},
    {"utilization.host_fraction", Better::kLess},
    {"utilization.hfu", Better::kNeither},  // padding raises it
    {"utilization", Better::kMore},
    {"communication.by_axis", Better::kNeither},  // its exposed part is in exposed_fraction
    {"communication.total_over_compute", Better::kNeither},  // faster compute raises it
    {"communication", Better::kLess},
    {"memory.peak_bytes", Better::kLess},
    {"memory.peak_fraction", Better::kLess},
    {"memory.fits", Better::kMore},
    {"memory", Better::kNeither},
    {"balance", Better::kLess},
    {"cost.tokens_per_dollar", Better::kMore},
    {"cost.output_tokens_per_dollar", Better::kMore},
    {"cost.tokens_per_joule", Better::kMore},
    {"cost.output_tokens_per_joule", Better::kMore},
    {"cost", Better::kLess},
    {"routing.expert_load_max_over_mean", Better::kLess},
    {"routing.rank_load_max_over_mean", Better::kLess},
    {"routing.dropped_fraction", Better::kLess},
    {"routing.padding_fraction", Better::kLess},
    {"routing.time_lost_s", Better::kLess},
    {"routing", Better::kNeither},
    {"replicas.tokens_max_over_mean", Better::kLess},
    {"replicas.padding_fraction", Better::kLess},
    {"replicas", Better::kNeither},
    {"operators", Better::kNeither},      // told apart, below
    {"critical_path", Better::kNeither},  // the terms of makespan and TTFT
};

// What is near 0 has no share of itself that means something: a relative tolerance of it is one of
// what it is a part of.
struct ScaleRule {
  std::string_view prefix;
  std::string_view whole;  // in place of the prefix, in the same result; empty: 1
};

constexpr ScaleRule kScales[] = {
    {"serving.backlog_growth_per_s", "serving.offered_rate"},
    {"serving.preemptions", "serving.requests"},
    {"routing.time_lost_s", "makespan_s"},
    {"queue_s", "ttft_s"},  // a request waits, then its prompt is computed
    // Shares of makespan x GPUs.
    {"utilization.bubble_fraction", ""},
    {"utilization.host_fraction", ""},
    {"communication.exposed_fraction", ""},
    {"communication.peer_wait_fraction", ""},
};

bool fits(std::string_view prefix, const std::string& path) {
  if (!path.starts_with(prefix)) return false;
  return prefix.empty() || path.size() == prefix.size() || path[prefix.size()] == '.' ||
         path[prefix.size()] == '[';
}

// "serving.slo[TTFT].value_s" without the names of a list's members.
std::string without_members(const std::string& path) {
  std::string text;
  int depth = 0;
  for (const char c : path) {
    if (c == '[') ++depth;
    if (depth == 0) text += c;
    if (c == ']') --depth;
  }
  return text;
}

// Every scalar of a result by its path, in the order of the file's names.
struct Leaf {
  std::vector<PathStep> steps;
  json value;
};

// The text that tells the elements of a list apart ("tp" of by_axis), or the index.
struct Key {
  std::string field;
  std::string text;
};

Key key_of(const json& element, std::size_t index) {
  if (element.is_object()) {
    for (const auto& [name, value] : element.items()) {
      if (value.is_string()) return {name, value.get<std::string>()};
    }
  }
  return {"", std::to_string(index)};
}

void flatten(const json& tree, std::vector<PathStep>& steps, std::map<std::string, Leaf>& leaves) {
  if (tree.is_object()) {
    for (const auto& [name, value] : tree.items()) {
      steps.push_back({PathStep::Kind::kField, name});
      flatten(value, steps, leaves);
      steps.pop_back();
    }
  } else if (tree.is_array()) {
    for (std::size_t at = 0; at < tree.size(); ++at) {
      const Key key = key_of(tree[at], at);
      json element = tree[at];
      if (!key.field.empty()) element.erase(key.field);
      steps.push_back({PathStep::Kind::kKey, key.text});
      flatten(element, steps, leaves);
      steps.pop_back();
    }
  } else {
    leaves[to_text(steps)] = {steps, tree};
  }
}

double number_of(const json& value) {
  return value.is_boolean() ? (value.get<bool>() ? 1 : 0) : value.get<double>();
}

bool is_number(const json& value) { return value.is_number() || value.is_boolean(); }

// Less than any amount that means something: what the rounding of a sum leaves where nothing is.
constexpr double kNothing = 1e-15;

using Changes = std::map<std::string, FieldChange>;  // by path

// What relative tolerances of a field are relative to.
double scale_of(const FieldChange& field, const Changes& all) {
  const double itself = std::abs(number_of(field.before));
  for (const ScaleRule& rule : kScales) {
    if (!fits(rule.prefix, field.path)) continue;
    if (rule.whole.empty()) return std::max(itself, 1.0);
    const auto whole = all.find(std::string(rule.whole) + field.path.substr(rule.prefix.size()));
    if (whole == all.end() || !is_number(whole->second.before)) return itself;
    return std::max(itself, number_of(whole->second.before));
  }
  return itself;
}

// Of a backlog that shrinks nobody waits less: that is how its requests happened to come.
double judged_value(const FieldChange& field, const json& value) {
  const double number = number_of(value);
  return field.path == kBacklog ? std::max(0.0, number) : number;
}

// A tolerance is of amounts.
bool is_within(const FieldChange& field, const Changes& all,
               const std::vector<Tolerance>& tolerances) {
  const double before = judged_value(field, field.before);
  const double after = judged_value(field, field.after);
  const double scale = scale_of(field, all);
  double slack = 0;
  for (const Tolerance& each : tolerances) {
    if (!fits(each.prefix, field.path)) continue;
    if (each.unit != Unit::kNone && each.unit != field.unit) continue;
    slack = std::max(each.absolute, each.relative * scale);
  }
  return std::abs(after - before) <= std::max(slack, kNothing);
}

// Whether a result can have the field, an element of a list for any.
bool is_known(const std::vector<PathStep>& steps, const json& skeleton) {
  const json* at = &skeleton;
  for (const PathStep& step : steps) {
    if (step.kind == PathStep::Kind::kField) {
      const auto found = at->is_object() ? at->find(step.name) : at->end();
      if (!at->is_object() || found == at->end()) return false;
      at = &*found;
    } else {
      if (!at->is_array()) return false;
      at = &at->front();
    }
  }
  return at->is_primitive();
}

// The slope of a backlog that does not grow, before and after, is noise.
bool is_steady(const FieldChange& field, const Changes& all) {
  const auto steady = all.find("serving.steady");
  return field.path == kBacklog && steady != all.end() && steady->second.before == true &&
         steady->second.after == true;
}

FieldChange::Kind kind_of(const FieldChange& field, const Changes& all,
                          const std::vector<Tolerance>& tolerances) {
  using Kind = FieldChange::Kind;
  if (field.before == field.after) return Kind::kSame;
  const Better better = better_of(field.path).value_or(Better::kNeither);
  // What is not measured any more cannot be guarded.
  if (field.after.is_null() && better != Better::kNeither) return Kind::kWorse;
  if (!is_number(field.before) || !is_number(field.after)) return Kind::kMoved;
  if (is_amount(field.path) && is_within(field, all, tolerances)) return Kind::kSame;
  if (better == Better::kNeither || is_steady(field, all)) return Kind::kMoved;
  const bool more = number_of(field.after) > number_of(field.before);
  return more == (better == Better::kMore) ? Kind::kBetter : Kind::kWorse;
}

// What seeds make of a figure.
struct Spread {
  double mean = 0;
  double standard_deviation = 0;
  double seeds = 0;
};
using Spreads = std::map<std::string, Spread>;  // by path

Spreads spreads_of(const json& result) {
  Spreads spreads;
  const json seeds = result.value("seeds", json::object());
  for (const json& each : seeds.value("figures", json::array())) {
    spreads[each.value("figure", "")] = {
        each.value("mean", 0.0), each.value("standard_deviation", 0.0), seeds.value("seeds", 0.0)};
  }
  return spreads;
}

// The 97.5 % points of Student's t by degrees of freedom, from 1 on (NIST/SEMATECH e-Handbook of
// Statistical Methods, 1.3.6.7.2); beyond them that of the last, which is larger.
double student_t(double freedom) {
  constexpr std::array kPoints = {12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306,
                                  2.262,  2.228, 2.201, 2.179, 2.160, 2.145, 2.131, 2.120,
                                  2.110,  2.101, 2.093, 2.086, 2.080, 2.074, 2.069, 2.064,
                                  2.060,  2.056, 2.052, 2.048, 2.045, 2.042};
  const auto at = static_cast<std::size_t>(std::max(freedom, 1.0)) - 1;
  return kPoints[std::min(at, kPoints.size() - 1)];
}

bool may_be_chance(const std::string& path, const Spreads& before, const Spreads& after) {
  const auto old = before.find(path);
  const auto now = after.find(path);
  if (old == before.end() || now == after.end()) return false;
  const auto variance = [](const Spread& of) {
    return of.standard_deviation * of.standard_deviation / of.seeds;
  };
  const double freedom = old->second.seeds + now->second.seeds - 2;
  return std::abs(now->second.mean - old->second.mean) <=
         student_t(freedom) * std::sqrt(variance(old->second) + variance(now->second));
}

double moved_by(const FieldChange& field) {
  const auto value = [](const json& each) { return is_number(each) ? number_of(each) : 0; };
  return std::abs(value(field.after) - value(field.before));
}

}  // namespace

std::optional<Better> better_of(const std::string& path) {
  const std::string field = without_members(path);
  for (const FieldRule& rule : kRules) {
    if (fits(rule.prefix, field)) return rule.better;
  }
  return std::nullopt;
}

bool is_amount(const std::string& path) {
  static constexpr std::array<std::string_view, 2> kWhole = {"gpus", "seed"};
  static constexpr std::array<std::string_view, 3> kEnds = {"binding_rank", "].layer",
                                                            "].first_host"};
  return std::find(kWhole.begin(), kWhole.end(), path) == kWhole.end() &&
         std::none_of(kEnds.begin(), kEnds.end(),
                      [&](std::string_view end) { return path.ends_with(end); });
}

bool ResultComparison::regressed() const {
  return std::any_of(fields.begin(), fields.end(), [](const FieldChange& each) {
    return each.kind == FieldChange::Kind::kWorse;
  });
}

ResultComparison compare(const json& before, const json& after,
                         const std::vector<Tolerance>& tolerances, const json& skeleton) {
  Changes changes;
  const auto take = [&](json tree, json FieldChange::*side) {
    tree.erase("seeds");
    std::map<std::string, Leaf> leaves;
    std::vector<PathStep> steps;
    flatten(tree, steps, leaves);
    for (const auto& [path, leaf] : leaves) {
      FieldChange& change = changes[path];
      change.path = path;
      change.unit = unit_of_path(leaf.steps);
      change.*side = leaf.value;
      if (!is_known(leaf.steps, skeleton)) change.kind = FieldChange::Kind::kUnknown;
    }
  };
  take(before, &FieldChange::before);
  take(after, &FieldChange::after);
  const Spreads before_spreads = spreads_of(before);
  const Spreads after_spreads = spreads_of(after);
  ResultComparison result;
  for (auto& [path, change] : changes) {
    if (change.kind != FieldChange::Kind::kUnknown) {
      change.kind = kind_of(change, changes, tolerances);
      const bool judged =
          change.kind == FieldChange::Kind::kBetter || change.kind == FieldChange::Kind::kWorse;
      if (judged && may_be_chance(path, before_spreads, after_spreads)) {
        change.kind = FieldChange::Kind::kChance;
      }
    } else if (change.before == change.after) {
      change.kind = FieldChange::Kind::kSame;
    }
    if (!path.starts_with(kOperators)) {
      result.fields.push_back(change);
    } else if (path.ends_with(".busy_s") && moved_by(change) > 0) {
      result.operators.push_back(change);
    }
  }
  std::stable_sort(
      result.operators.begin(), result.operators.end(),
      [](const FieldChange& a, const FieldChange& b) { return moved_by(a) > moved_by(b); });
  return result;
}

}  // namespace rehearse
