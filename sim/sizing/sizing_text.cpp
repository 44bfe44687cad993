// A line a fact, its name before it, as in the summary of a run; the curve is a table.
#include "sizing/sizing_text.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/shares.hpp"
#include "base/units.hpp"
#include "layout/request_lengths.hpp"

namespace rehearse {
namespace {

std::string line(const std::string& name, const std::string& text) {
  return fmt::format("{:<14} {}\n", name, text);
}

std::string seconds(double value) { return to_text(Seconds{value}); }

std::string replicas_text(int replicas, int gpus) {
  return fmt::format("{} replica{}, {} GPU{}", replicas, replicas == 1 ? "" : "s", gpus,
                     gpus == 1 ? "" : "s");
}

std::string quantile_name(const SizedPoint& point) {
  return fmt::format("p{:.4g}", 100 * point.serving.slo->quantile);
}

// "99 % of the requests with TTFT <= 1 s and TPOT <= 50 ms"
std::string objective_text(const SizedPoint& point) {
  const SloVerdict& slo = *point.serving.slo;
  std::string text;
  for (const SloTerm& each : slo.terms) {
    text += fmt::format("{}{} <= {}", text.empty() ? "" : " and ", each.quantity,
                        seconds(each.objective_s));
  }
  return fmt::format("{:.4g} % of the requests with {}", 100 * slo.quantile, text);
}

// "TTFT p99 868 ms, TPOT p99 43 ms; 99.4 % keep the objective"
std::string kept_text(const SizedPoint& point) {
  const SloVerdict& slo = *point.serving.slo;
  std::string text;
  for (const SloTerm& each : slo.terms) {
    text += fmt::format("{}{} {} {}", text.empty() ? "" : ", ", each.quantity, quantile_name(point),
                        seconds(each.value_s));
  }
  text += fmt::format("; {:.4g} % keep the objective", 100 * slo.attainment);
  if (!point.serving.steady.value_or(true)) text += "; " + steadiness_text(point.serving);
  return text;
}

// "3.29 x the plan's 2/s"
std::string against_plan(const Sizing& sizing, double rate) {
  std::string text =
      fmt::format("{:.3g} x the plan's {:.4g}/s", rate / sizing.plan_rate, sizing.plan_rate);
  if (told_apart(sizing, rate, sizing.plan_rate)) return text;
  return text + fmt::format(": not told apart, which takes {:.1f} %", 100 * rate_spread(sizing));
}

std::string rate_lines(const Sizing& sizing) {
  const SizedPoint& largest = *sizing.rate.largest;
  std::string text = line(
      "largest rate", fmt::format("{:.4g} {}/s on {}: {:.3g} per GPU; {}", largest.rate,
                                  sizing.arrivals, replicas_text(largest.replicas, largest.gpus),
                                  largest.rate / largest.gpus, against_plan(sizing, largest.rate)));
  text += line("", kept_text(largest));
  if (sizing.seeds) {
    const SeedSpread& seeds = *sizing.seeds;
    text +=
        line("seeds", fmt::format("of {}: mean {:.4g}/s, standard deviation {:.3g}, from {:.4g} "
                                  "to {:.4g}: rates nearer than {:.1f} % are not told apart",
                                  seeds.rates.size(), seeds.mean, seeds.standard_deviation,
                                  *std::min_element(seeds.rates.begin(), seeds.rates.end()),
                                  *std::max_element(seeds.rates.begin(), seeds.rates.end()),
                                  100 * rate_spread(sizing)));
  }
  return text;
}

std::string breaking_lines(const Sizing& sizing) {
  const Breaking& breaking = sizing.breaking;
  return line("breaks first", fmt::format("{}: {}", to_text(breaking.term),
                                          missed_text(breaking.at, sizing.arrivals))) +
         line("because of", fmt::format("{}: {}", to_text(breaking.cause), why_text(breaking)));
}

std::string loss_lines(const FewestReplicas& fewest) {
  std::string text = line(
      "one lost", fewest.one_less
                      ? fmt::format("{} at the same rate, the objective is missed: {}",
                                    replicas_text(fewest.one_less->replicas, fewest.one_less->gpus),
                                    kept_text(*fewest.one_less))
                      : "nothing is left of a single replica");
  if (!fewest.one_more) {
    return text + line("one more", "the platform has no GPUs for it");
  }
  return text + line("one more",
                     fmt::format("{}, of which one may be lost: {}",
                                 replicas_text(fewest.one_more->replicas, fewest.one_more->gpus),
                                 kept_text(*fewest.one_more)));
}

std::string fewest_lines(const Sizing& sizing) {
  const FewestReplicas& fewest = *sizing.fewest;
  const std::string what =
      fmt::format("for the plan's {:.4g} {}/s: ", sizing.plan_rate, sizing.arrivals);
  if (!fewest.at) {
    return line("fewest GPUs", what + fmt::format("not even the platform's {}: {}",
                                                  replicas_text(fewest.most, fewest.with_most.gpus),
                                                  missed_text(fewest.with_most, sizing.arrivals)));
  }
  std::string found = what + replicas_text(fewest.at->replicas, fewest.at->gpus);
  if (sizing.price.usd_per_hour) {
    found +=
        fmt::format(", {:.2f} USD an hour, {:.2f} USD per million output tokens",
                    *sizing.price.usd_per_hour * fewest.at->gpus,
                    *cost_of_point(*fewest.at, sizing.price).dollars_per_million_output_tokens);
  }
  std::string text = line("fewest GPUs", found) + line("", kept_text(*fewest.at));
  const double most = sizing.rate_of_fewest->largest->rate;
  text += line("head-room",
               fmt::format("they take up to {:.4g}/s: {}", most, against_plan(sizing, most)));
  return text + loss_lines(fewest);
}

std::string percent(const std::optional<double>& share) {
  return share ? percent_text(*share) : "-";
}

std::string curve_lines(const Sizing& sizing) {
  const bool tpot = sizing.curve.front().serving.tpot_s.has_value();
  std::string text = fmt::format("\n{:>10} {:>9} {:>10} {:>10} {:>10} {:>9} {:>8} {:>14}  {}\n",
                                 sizing.arrivals + "/s", "completed", "TTFT p50", "TTFT p99",
                                 "TPOT p99", "within", "KV peak", "tokens/s/GPU", "steady");
  for (const SizedPoint& each : sizing.curve) {
    const Serving& serving = each.serving;
    text += fmt::format(
        "{:>10.4g} {:>9} {:>10} {:>10} {:>10} {:>9} {:>8} {:>14.1f}  {}{}\n", each.rate,
        serving.completed, seconds(serving.ttft_s->p50), seconds(serving.ttft_s->p99),
        tpot ? seconds(serving.tpot_s->p99) : std::string("-"), percent(serving.slo->attainment),
        percent(serving.kv_peak_fraction), serving.output_tokens_per_s_per_gpu,
        serving.steady.value_or(true) ? "yes" : "no", each.feasible() ? "" : ", too much");
  }
  const double low = sizing.curve.front().serving.ttft_s->p99;
  const std::string definition =
      fmt::format("where TTFT p99 passes {:.0f} x what it is at {:.4g}/s, {}", kKneeFactor,
                  sizing.curve.front().rate, seconds(low));
  return text + "\n" +
         line("knee", sizing.knee ? fmt::format("{:.4g}/s: {}", sizing.knee->rate, definition)
                                  : fmt::format("none up to {:.4g}/s: {}", sizing.curve.back().rate,
                                                definition));
}

std::string head_lines(const RunIdentity& identity, const Plan& plan, const Sizing& sizing) {
  const Layout& at = plan.layout;
  const auto requests = static_cast<double>(plan.serve->requests.size());
  std::string text = line("plan", identity.plan) + line("model", identity.model) +
                     line("platform", identity.platform);
  text += line("layout",
               fmt::format("tensor {} x pipeline {} x data {} x expert {} = {} GPUs a "
                           "replica; {}",
                           at.tensor, at.pipeline, at.data, at.expert, at.gpus(),
                           replicas_text(plan.serve->replicas, plan.serve->gpus(plan.layout))));
  text += line("traffic",
               fmt::format("{} requests x ({:.0f} prompt + {:.0f} output tokens on "
                           "average) at {:.4g} {}/s",
                           plan.serve->requests.size(), prompt_tokens(plan) / requests,
                           output_tokens(plan) / requests, sizing.plan_rate, sizing.arrivals));
  text += line("objective", objective_text(sizing.at_plan));
  for (const std::string& each : sizing.notes) text += line("note", each);
  if (too_few_requests(sizing.at_plan)) {
    text +=
        line("note", fmt::format("{} of {} requests: too few, it is their largest",
                                 quantile_name(sizing.at_plan), sizing.at_plan.serving.offered));
  }
  return text;
}

}  // namespace

std::string infeasible_text(const Sizing& sizing) {
  return "no rate is feasible: " + missed_text(sizing.rate.above, sizing.arrivals);
}

std::string sizing_text(const RunIdentity& identity, const Plan& plan, const Sizing& sizing) {
  std::string text = head_lines(identity, plan, sizing);
  if (sizing.rate.largest) {
    text +=
        rate_lines(sizing) + breaking_lines(sizing) + fewest_lines(sizing) + curve_lines(sizing);
  } else {
    text += line("largest rate", infeasible_text(sizing)) + breaking_lines(sizing);
  }
  text +=
      line("simulated", fmt::format("{} times, the same requests closer together or further apart",
                                    sizing.simulations));
  for (const std::string& each : sizing.assumptions) text += line("assumed", each);
  return text;
}

}  // namespace rehearse
