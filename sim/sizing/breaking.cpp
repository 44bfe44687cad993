// The service is simulated once more at the rate that breaks it, with the log of its steps. Ranks
// that step together are one pass. What prompts cost a pass is what it takes beyond the median pass
// of decodes: near saturation nearly every pass has some tokens of prompts, most of them few.
#include "sizing/breaking.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <tuple>
#include <vector>

#include "base/error.hpp"
#include "base/units.hpp"
#include "metrics/backlog.hpp"
#include "sizing/rates.hpp"

namespace rehearse {
namespace {

using serving::Picoseconds;

// A pass of an engine, whatever its ranks have in it.
struct Pass {
  double takes = 0;  // in picoseconds, within the window
  double whole = 0;
  bool prompts = false;
  bool full = false;
};

std::vector<Pass> passes_of(const ServiceRun& run, int max_sequences, Picoseconds from,
                            Picoseconds to) {
  std::vector<Pass> passes;
  std::map<std::tuple<int, Picoseconds, Picoseconds>, std::size_t> place;
  for (const serving::LoggedStep& each : run.result.steps) {
    const Picoseconds start = std::clamp(each.step.start, from, to);
    const Picoseconds end = std::clamp(each.step.end, from, to);
    if (start == end) continue;
    const auto [found, is_new] =
        place.try_emplace(std::tuple(each.engine, each.step.start, each.step.end), passes.size());
    if (is_new) passes.emplace_back();
    Pass& pass = passes[found->second];
    pass.takes = static_cast<double>(end - start);
    pass.whole = static_cast<double>(each.step.end - each.step.start);
    const serving::Batch& batch = each.step.batch;
    pass.full = pass.full || static_cast<int>(batch.size()) >= max_sequences;
    pass.prompts = pass.prompts || std::any_of(batch.begin(), batch.end(),
                                               [](const auto& slice) { return slice.prompt; });
  }
  return passes;
}

double median_of_decodes(const std::vector<Pass>& passes) {
  std::vector<double> takes;
  for (const Pass& each : passes) {
    if (!each.prompts) takes.push_back(each.whole);
  }
  if (takes.empty()) return 0;
  const auto middle = takes.begin() + static_cast<std::ptrdiff_t>(takes.size() / 2);
  std::nth_element(takes.begin(), middle, takes.end());
  return *middle;
}

PassShares shares_of(const ServiceRun& run, const Serve& serve) {
  const Picoseconds from = serving::to_picoseconds(serve.warm_up);
  Picoseconds to = 0;
  for (const auto& each : run.result.requests) to = std::max(to, each.arrival);
  PassShares shares;
  if (to <= from) return shares;
  const serving::EngineSettings& engine = run.engine.settings;
  const std::vector<Pass> passes = passes_of(run, engine.max_sequences, from, to);
  // Every stage of a pipeline has a pass in flight.
  const double all = static_cast<double>(to - from) *
                     static_cast<double>(run.result.totals.size()) * engine.stages;
  const double decodes = median_of_decodes(passes);
  for (const Pass& each : passes) {
    const double share = each.takes / all;
    (each.prompts ? shares.with_prompts : shares.decodes_alone) += share;
    if (each.prompts) shares.beyond_decodes += share * std::max(0.0, 1 - decodes / each.whole);
    if (each.full) shares.full += share;
  }
  return shares;
}

const SloTerm& worst_term(const SizedPoint& point) {
  const std::vector<SloTerm>& terms = point.serving.slo->terms;
  return *std::max_element(terms.begin(), terms.end(), [](const SloTerm& a, const SloTerm& b) {
    return a.over_objective() < b.over_objective();
  });
}

BreakingTerm term_of(const SizedPoint& point) {
  if (point.serving.refused > 0) return BreakingTerm::kRefused;
  if (point.serving.slo->met) return BreakingTerm::kBacklog;
  return worst_term(point).quantity == to_text(BreakingTerm::kTtft) ? BreakingTerm::kTtft
                                                                    : BreakingTerm::kTpot;
}

BreakingCause cause_of(const Breaking& breaking) {
  if (breaking.term == BreakingTerm::kRefused) return BreakingCause::kLength;
  if (breaking.term == BreakingTerm::kBacklog && is_unjudged(breaking.at.serving)) {
    return BreakingCause::kTooFew;
  }
  const Serving& serving = breaking.at.serving;
  const bool full_pool = serving.kv_peak_fraction.value_or(0) >= kFullPool;
  if (full_pool || serving.preemptions.value_or(0) > breaking.preemptions_below) {
    return BreakingCause::kKvMemory;
  }
  const double half = breaking.passes.busy() / 2;
  if (breaking.passes.beyond_decodes >= half) return BreakingCause::kPrefillCompute;
  if (breaking.passes.full >= half) return BreakingCause::kSequenceSlots;
  return BreakingCause::kDecodeSteps;
}

std::string percent(double share) { return fmt::format("{:.0f} %", 100 * share); }

}  // namespace

const char* to_text(BreakingTerm term) {
  constexpr const char* kNames[] = {"TTFT", "TPOT", "backlog", "refused"};
  return kNames[static_cast<int>(term)];
}

const char* to_text(BreakingCause cause) {
  constexpr const char* kNames[] = {"KV memory",    "prefill compute", "sequence slots",
                                    "decode steps", "length",          "too few requests"};
  return kNames[static_cast<int>(cause)];
}

Breaking find_breaking(ServicePoints& points, const SizedPoint& at, const SizedPoint* below) {
  SIM_CHECK(!at.feasible(), "nothing breaks");
  Breaking breaking;
  breaking.at = at;
  breaking.term = term_of(at);
  breaking.max_sequences = points.engine().max_sequences;
  breaking.preemptions_below = (below ? *below : at).serving.preemptions.value_or(0);
  breaking.passes =
      shares_of(points.logged(at.rate, at.replicas), service_at(points.plan(), at.rate));
  breaking.cause = cause_of(breaking);
  return breaking;
}

std::string missed_text(const SizedPoint& point, const std::string& arrivals) {
  const Serving& serving = point.serving;
  const std::string rate = fmt::format("{:.4g} {}/s", point.rate, arrivals);
  const BreakingTerm term = term_of(point);
  if (term == BreakingTerm::kRefused) {
    return fmt::format("at {} {} of {} requests are refused: longer than the engine takes", rate,
                       serving.refused, serving.offered);
  }
  if (term == BreakingTerm::kBacklog) {
    return fmt::format("at {} the {}", rate, steadiness_text(serving));
  }
  const SloTerm& worst = worst_term(point);
  const double quantile = serving.slo->quantile;
  std::string text =
      fmt::format("{} p{:.4g} at {} is {}, {:.4g} x the objective", worst.quantity, 100 * quantile,
                  rate, to_text(Seconds{worst.value_s}), worst.over_objective());
  if (serving.slo->terms.size() > 1) {
    text += fmt::format("; {:.4g} % of the requests keep {}", 100 * serving.slo->attainment,
                        worst.over_objective() > 1 ? "the objective" : "all of it at once");
  }
  return text;
}

std::string why_text(const Breaking& breaking) {
  const Serving& serving = breaking.at.serving;
  if (breaking.cause == BreakingCause::kLength) return "the requests are longer than max_model_len";
  if (breaking.cause == BreakingCause::kTooFew) {
    return "more of them may be kept up with, which so few sessions cannot show";
  }
  std::string text;
  if (serving.kv_peak_fraction) {
    text += fmt::format("keys and values fill up to {} of their pool, ",
                        percent(*serving.kv_peak_fraction));
  }
  text += fmt::format("{} preemptions", serving.preemptions.value_or(0));
  const PassShares& passes = breaking.passes;
  text += fmt::format(
      "; engines are busy {} of the time: {} in passes with prompts ({} beyond what a pass of "
      "decodes takes), {} in passes of decodes alone; {} in passes with the most requests at once "
      "({})",
      percent(passes.busy()), percent(passes.with_prompts), percent(passes.beyond_decodes),
      percent(passes.decodes_alone), percent(passes.full), breaking.max_sequences);
  return text;
}

}  // namespace rehearse
