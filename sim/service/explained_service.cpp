// The log of the steps has what each took; the step in the middle of a kind is priced once more,
// term by term.
#include "service/explained_service.hpp"

#include <algorithm>
#include <utility>
#include <vector>

#include "base/error.hpp"
#include "service/service_run.hpp"

namespace rehearse {
namespace {

using serving::LoggedStep;
using serving::Picoseconds;
using serving::ServedRequest;
using serving::to_seconds;

// A step of all ranks of an engine: records from there on.
struct StepAt {
  Picoseconds time = 0;
  std::size_t first = 0;

  bool operator<(const StepAt& other) const {
    return std::pair(time, first) < std::pair(other.time, other.first);
  }
};

bool has_prompt(const serving::Batch& batch) {
  return std::any_of(batch.begin(), batch.end(),
                     [](const serving::Slice& slice) { return slice.prompt; });
}

struct StepsOfKinds {
  std::vector<StepAt> decoding;
  std::vector<StepAt> with_prompts;
};

StepsOfKinds kinds_of(const serving::ServiceResult& result, const ServiceRun& run) {
  StepsOfKinds kinds;
  for (std::size_t at = 0; at < result.steps.size();) {
    const LoggedStep& first = result.steps[at];
    const bool prefills = run.prefill && first.engine < result.prefill_engines;
    const auto ranks = static_cast<std::size_t>(prefills ? result.prefill_ranks : result.ranks);
    bool prompt = false;
    bool empty = true;
    for (std::size_t rank = at; rank < at + ranks; ++rank) {
      prompt = prompt || has_prompt(result.steps[rank].step.batch);
      empty = empty && result.steps[rank].step.batch.empty();
    }
    if (!empty) {
      (prompt ? kinds.with_prompts : kinds.decoding)
          .push_back({first.step.end - first.step.start, at});
    }
    at += ranks;
  }
  return kinds;
}

// The one in the middle of those that are served and have that time.
template <class Time>
int middle_request(const serving::ServiceResult& result, Time time_of) {
  std::vector<std::pair<Picoseconds, int>> times;
  for (std::size_t at = 0; at < result.requests.size(); ++at) {
    const ServedRequest& request = result.requests[at];
    if (request.phase != serving::Phase::kFinished) continue;
    const Picoseconds time = time_of(static_cast<int>(at));
    if (time >= 0) times.emplace_back(time, static_cast<int>(at));
  }
  if (times.empty()) return -1;
  const auto middle = times.begin() + static_cast<std::ptrdiff_t>((times.size() - 1) / 2);
  std::nth_element(times.begin(), middle, times.end());
  return middle->second;
}

// Steps that a request is in and that end after `from`, until `until`.
template <class Visit>
void for_steps_of(int request, Picoseconds from, Picoseconds until,
                  const serving::ServiceResult& result, Visit visit) {
  for (const LoggedStep& logged : result.steps) {
    const serving::StepRecord& step = logged.step;
    if (step.end <= from || step.end > until) continue;
    const bool in_it =
        std::any_of(step.batch.begin(), step.batch.end(),
                    [&](const serving::Slice& its) { return its.request == request; });
    if (in_it) visit(logged);
  }
}

void add(StepsOfRequest& steps, const serving::StepRecord& step) {
  ++steps.steps;
  steps.time += to_seconds(step.end - step.start);
}

std::optional<ExplainedTtft> ttft_of(const serving::ServiceResult& result) {
  const int request = middle_request(result, [&](int at) {
    return result.requests[at].first_token - result.requests[at].arrival;
  });
  if (request < 0) return std::nullopt;
  const ServedRequest& its = result.requests[request];
  ExplainedTtft ttft;
  ttft.whole = to_seconds(its.first_token - its.arrival);
  ttft.queueing = to_seconds(its.first_scheduled - its.arrival);
  for_steps_of(request, its.arrival, its.first_token, result,
               [&](const LoggedStep& logged) { add(ttft.own, logged.step); });
  ttft.rest = ttft.whole - ttft.queueing - ttft.own.time;
  return ttft;
}

// Tokens behind the first.
int tokens_behind(const serving::ServiceResult& result, int request) {
  return static_cast<int>(result.token_times(request).size()) - 1;
}

std::optional<ExplainedTpot> tpot_of(const serving::ServiceResult& result) {
  const int request = middle_request(result, [&](int at) -> Picoseconds {
    const int tokens = tokens_behind(result, at);
    if (tokens < 1) return -1;
    return (result.requests[at].last_token - result.requests[at].first_token) / tokens;
  });
  if (request < 0) return std::nullopt;
  const ServedRequest& its = result.requests[request];
  ExplainedTpot tpot;
  tpot.tokens = tokens_behind(result, request);
  for_steps_of(request, its.first_token, its.last_token, result, [&](const LoggedStep& logged) {
    // Prompts of any rank that steps together make the step one with prompts.
    const auto same = [&](const LoggedStep& other) {
      return other.engine == logged.engine && other.step.start == logged.step.start;
    };
    auto first = result.steps.begin() + (&logged - result.steps.data());
    while (first != result.steps.begin() && same(*std::prev(first))) --first;
    bool prompt = false;
    for (; first != result.steps.end() && same(*first); ++first) {
      prompt = prompt || has_prompt(first->step.batch);
    }
    add(prompt ? tpot.with_prompts : tpot.decoding, logged.step);
  });
  const double each = 1.0 / tpot.tokens;
  tpot.whole = to_seconds(its.last_token - its.first_token) * each;
  tpot.decoding.time = tpot.decoding.time * each;
  tpot.with_prompts.time = tpot.with_prompts.time * each;
  tpot.rest = tpot.whole - tpot.decoding.time - tpot.with_prompts.time;
  return tpot;
}

}  // namespace

ExplainedService ServicePricer::explain(const Serve& serve, const ServiceRun& run) {
  const serving::ServiceResult& result = run.result;
  ExplainedService explained;
  explained.ttft = ttft_of(result);
  explained.tpot = tpot_of(result);
  if (!run.priced) return explained;
  const auto step_of = [&](std::vector<StepAt>& steps) -> std::optional<ExplainedStep> {
    if (steps.empty()) return std::nullopt;
    ExplainedStep step;
    step.steps = static_cast<std::int64_t>(steps.size());
    for (const StepAt& each : steps) {
      step.mean += to_seconds(each.time) * (1.0 / static_cast<double>(steps.size()));
    }
    const auto middle = steps.begin() + static_cast<std::ptrdiff_t>((steps.size() - 1) / 2);
    std::nth_element(steps.begin(), middle, steps.end());
    step.time = to_seconds(middle->time);
    const bool prefills =
        run.prefill && result.steps[middle->first].engine < result.prefill_engines;
    Pool& pool = prefills ? pools_.front() : pools_.back();
    const serving::EngineSettings& settings = pool.engine.settings;
    std::vector<serving::StepShape> shapes;
    for (int rank = 0; rank < settings.ranks; ++rank) {
      const serving::Batch& batch = result.steps[middle->first + rank].step.batch;
      shapes.push_back(serving::shape_of(batch));
      step.requests += static_cast<std::int64_t>(batch.size());
      step.tokens += shapes.back().tokens;
      step.context += shapes.back().context;
    }
    serving::pad(shapes, settings.graph_sizes);
    const bool behind = run.prefill && !prefills;
    const int first =
        behind ? serve.pools->prefill.replicas * serve.pools->prefill.layout.gpus() : 0;
    int replicas = serve.replicas;
    if (run.prefill) {
      replicas = prefills ? serve.pools->prefill.replicas : serve.pools->decode.replicas;
    }
    step.terms = price_of(pool, first, replicas).terms(shapes);
    return step;
  };
  StepsOfKinds kinds = kinds_of(result, run);
  explained.decoding = step_of(kinds.decoding);
  explained.with_prompts = step_of(kinds.with_prompts);
  return explained;
}

}  // namespace rehearse
