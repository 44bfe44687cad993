// The words for a service, and the definitions of its figures, which are those of the load
// generators (vllm bench serve, GenAI-Perf), so that a figure here stands beside one of theirs.
#include "report/serving_lines.hpp"

#include <fmt/format.h>

#include "layout/request_lengths.hpp"
#include "metrics/backlog.hpp"

namespace rehearse {
namespace {

std::string seconds(double value) { return to_text(Seconds{value}); }

std::string arrivals_text(const Serve& serve) {
  if (serve.concurrency > 0) return fmt::format("{} at a time", serve.concurrency);
  if (!serve.law) return "at the dates of their trace";
  if (serve.law->rate == 0) return "all at once";
  constexpr const char* kNames[] = {"Poisson", "gamma", "constant"};
  return fmt::format("{:.4g}/s, {} arrivals", serve.law->rate,
                     kNames[static_cast<int>(serve.law->process)]);
}

std::string layout_text(const Layout& layout) {
  return fmt::format("{} GPU{}", layout.gpus(), layout.gpus() == 1 ? "" : "s");
}

std::string engine_text(const EngineChoice& engine) {
  std::string text = engine.name;
  const auto add = [&text](const auto& choice, const char* words) {
    if (choice) text += fmt::format(", {} {}", *choice, words);
  };
  add(engine.max_sequences, "requests at once");
  add(engine.max_tokens_per_pass, "tokens a step");
  return text;
}

// "2 x vllm of 8 GPUs, each 2 engines of 4 replicas": a layout may hold several engines, and an
// engine replicas that share its experts; limits are of a replica.
std::string copies_text(int copies, const EngineChoice& engine, const Layout& layout) {
  std::string text = fmt::format("{} x {} of {}", copies, engine_text(engine), layout_text(layout));
  if (layout.dense_data() > 1) {
    text += fmt::format(", each {} engine{} of {} replica{}", layout.data,
                        layout.data == 1 ? "" : "s", layout.expert, layout.expert == 1 ? "" : "s");
  }
  return text;
}

std::string engines_text(const Plan& plan) {
  const Serve& serve = *plan.serve;
  if (!serve.pools) {
    return fmt::format("{}; router {}", copies_text(serve.replicas, serve.engine, plan.layout),
                       serve.router);
  }
  const auto pool = [](const ServingPool& its) {
    return copies_text(its.replicas, its.engine, its.layout);
  };
  return fmt::format("prefill {}; decode {}; router {}", pool(serve.pools->prefill),
                     pool(serve.pools->decode), serve.router);
}

Line times_head() {
  return {"times", fmt::format("{:>9} {:>9} {:>9} {:>9} {:>9}", "p50", "p90", "p99", "mean", "max"),
          "percentiles by linear interpolation, as numpy.percentile; of the requests that were "
          "served and arrive after the warm-up"};
}

void add_times(std::vector<Line>& lines, const char* name, const std::optional<Distribution>& d,
               const char* definition) {
  if (!d) return;
  lines.push_back({name,
                   fmt::format("{:>9} {:>9} {:>9} {:>9} {:>9}", seconds(d->p50), seconds(d->p90),
                               seconds(d->p99), seconds(d->mean), seconds(d->max)),
                   definition});
}

std::string counted_text(const Serving& serving) {
  std::string text = fmt::format("{} requests, {} served", serving.offered, serving.completed);
  if (serving.refused > 0) {
    text += fmt::format(", {} REFUSED (longer than the engine takes)", serving.refused);
  }
  const auto all = static_cast<int>(serving.requests.size());
  if (all > serving.offered)
    text += fmt::format("; {} of the warm-up left out", all - serving.offered);
  return text + fmt::format("; rates over {} ({})", seconds(serving.window_s), serving.window);
}

std::string rates_text(const Serving& serving) {
  std::string text;
  if (serving.offered_rate) text = fmt::format("{} offered, ", rate(*serving.offered_rate));
  return text + fmt::format("{} completed per second", rate(serving.request_rate));
}

std::string tokens_text(const Serving& serving) {
  std::string text =
      fmt::format("{} output tokens/s ({} per GPU); {} prompt and output tokens/s per GPU",
                  rate(serving.output_tokens_per_s), rate(serving.output_tokens_per_s_per_gpu),
                  rate(serving.tokens_per_s_per_gpu));
  if (serving.tokens_per_s_per_user) {
    text += fmt::format("; {} to a user", rate(*serving.tokens_per_s_per_user));
  }
  return text;
}

void add_objective(std::vector<Line>& lines, const Serving& serving) {
  if (!serving.slo) return;
  const SloVerdict& slo = *serving.slo;
  lines.push_back(
      {"goodput",
       fmt::format("{} requests/s, {} of those completed", rate(slo.goodput_requests_per_s),
                   serving.request_rate > 0
                       ? percent(slo.goodput_requests_per_s / serving.request_rate)
                       : percent(0)),
       "completed in the window and within all thresholds of the objective / window; the "
       "TPOT of a request with one output token is 0"});
  std::string terms;
  for (const SloTerm& term : slo.terms) {
    terms += fmt::format("; {}", to_text(term, slo.quantile));
  }
  lines.push_back(
      {"objective",
       fmt::format("{}: {} of the requests within it, {:.4g} % wanted{}",
                   slo.met ? "met" : "MISSED", percent(slo.attainment), 100 * slo.quantile, terms),
       "met: at least the wanted share of the requests is within all thresholds; a "
       "refused request is not; beside it, what stands at that quantile"});
}

std::string engine_state_text(const Serving& serving) {
  std::string text = fmt::format("{:.1f} requests in a step", serving.mean_batch);
  if (serving.kv_peak_fraction) {
    text += fmt::format("; KV cache at most {} full", percent(*serving.kv_peak_fraction));
  }
  if (serving.preemptions) text += fmt::format("; {} preemptions", *serving.preemptions);
  if (serving.prefix_hit_fraction) {
    text += fmt::format("; {} of the prompt tokens from the cache",
                        percent(*serving.prefix_hit_fraction));
  }
  return text;
}

void add_transfers(std::vector<Line>& lines, const Serving& serving) {
  if (!serving.kv_transfer) return;
  const KvTransferFigures& of = *serving.kv_transfer;
  lines.push_back({"KV transfer",
                   fmt::format("{} of {} requests; mean {}, p99 {}", to_text(Bytes{of.bytes}),
                               of.requests, seconds(of.time_s.mean), seconds(of.time_s.p99)),
                   "keys and values from prefill to decode replicas; per request: from the start "
                   "of its first transfer to the end of its last; pushed, its prefill goes on "
                   "meanwhile"});
}

}  // namespace

std::vector<Line> service_plan_lines(const Plan& plan) {
  const auto requests = static_cast<double>(plan.serve->requests.size());
  return {{"traffic",
           fmt::format("{} requests x ({:.0f} prompt + {:.0f} output tokens on average), {}",
                       plan.serve->requests.size(), prompt_tokens(plan) / requests,
                       output_tokens(plan) / requests, arrivals_text(*plan.serve)),
           ""},
          {"engines", engines_text(plan),
           "what is not written here is the engine's default; the router sends each request to a "
           "replica as it arrives"}};
}

std::vector<std::string> service_verdicts(const Metrics& metrics) {
  std::vector<std::string> against;
  if (!metrics.serving) return against;
  const Serving& serving = *metrics.serving;
  if (serving.slo && !serving.slo->met) {
    std::string text =
        fmt::format("objective missed: {:.2f} % of the requests are within it, {:.4g} % must be",
                    100 * serving.slo->attainment, 100 * serving.slo->quantile);
    for (const SloTerm& term : serving.slo->terms) {
      if (term.over_objective() > 1) text += "; " + to_text(term, serving.slo->quantile);
    }
    against.push_back(text);
  }
  if (serving.steady && !*serving.steady) against.push_back(steadiness_text(serving));
  return against;
}

std::vector<Line> service_lines(const Metrics& metrics) {
  const Serving& serving = *metrics.serving;
  std::vector<Line> lines = {
      {"measured", counted_text(serving),
       "the window of the rates: from the end of the warm-up (the first arrival) to the last "
       "arrival, so that the drain at the end is not in it; in a closed loop, or where all come at "
       "once, to the last token. Requests that arrive during the warm-up count in no figure of "
       "requests; what they get within the window is in its rates"},
      times_head()};
  add_times(lines, "  TTFT", serving.ttft_s,
            "time to first token, per request: from its arrival to its first token");
  add_times(lines, "  TPOT", serving.tpot_s,
            "time per output token, per request: (last token - first token) / (output tokens - 1); "
            "of requests with more than one");
  add_times(lines, "  ITL", serving.itl_s,
            "inter-token latency: from each token to the next of its request, of all requests "
            "together; tokens of one step are 0 apart");
  add_times(lines, "  end to end", serving.e2e_s,
            "per request: from its arrival to its last token");
  add_times(lines, "  queueing", serving.queue_s,
            "per request: from its arrival to the start of the first step that it is in");
  lines.push_back({"requests", rates_text(serving),
                   "offered: arrivals after the window's beginning / window; completed: "
                   "requests whose last token is in the window / window"});
  lines.push_back({"throughput", tokens_text(serving),
                   "tokens handed out in the window / window; prompts whose first token is in it; "
                   "all GPUs of the plan; to a user: 1 / mean TPOT"});
  if (serving.steady || is_unjudged(serving)) {
    lines.push_back({"steadiness", steadiness_text(serving),
                     "slope of the least-squares line through the requests in the system over the "
                     "second half of the window; it grows where that is more than 2 % of the "
                     "offered rate, and the growth over that half more than 5 times the root mean "
                     "square distance from the line; of sessions, through the open ones, up to the "
                     "beginning of the last"});
  }
  add_objective(lines, serving);
  lines.push_back({"engine", engine_state_text(serving),
                   "requests in a step: of an engine, mean over its steps; KV cache: blocks in use "
                   "on the fullest replica over all that it has; preemptions: how often a "
                   "request lost its keys and values and began again; all of the whole run"});
  add_transfers(lines, serving);
  return lines;
}

}  // namespace rehearse
