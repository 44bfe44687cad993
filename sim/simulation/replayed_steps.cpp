#include "simulation/replayed_steps.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>
#include <utility>
#include <vector>

#include "program/stage_weights.hpp"
#include "replay/time_estimate.hpp"
#include "routing/token_routing.hpp"
#include "service/step_programs.hpp"
#include "simulation/simulation.hpp"
#include "timeline/several_sinks.hpp"

namespace rehearse {
namespace {

// When each step ended: the last operator, collective or message of any of its ranks.
class StepEnds : public TimelineSink {
 public:
  explicit StepEnds(std::size_t steps) : ends_(steps) {}

  void begin(const Programs& programs) override { programs_ = &programs; }
  void span(const Span& span) override {
    ended(programs_->action(span.rank, span.action).about, span.end);
  }
  void operators(const OperatorRun& run) override { ended(run.called->about, run.end()); }

  Seconds of(std::size_t step) const { return ends_[step]; }

 private:
  void ended(int step, Seconds date) { ends_[step] = std::max(ends_[step], date); }

  const Programs* programs_ = nullptr;
  std::vector<Seconds> ends_;
};

// What a step takes in a stage, and its message, are whole picoseconds in the service. Steps that
// follow each other add up what that is off.
constexpr double kRounding = 1e-9;
constexpr Seconds kOfStage{1e-12};

ReplayedSteps compare(const std::vector<ReplayedStep>& steps, const StepEnds& ends) {
  ReplayedSteps found;
  std::map<int, int> stages;  // by engine, of all its steps so far
  for (std::size_t at = 0; at < steps.size(); ++at) {
    const ReplayedStep& step = steps[at];
    ++found.steps;
    const Seconds late = ends.of(at) - step.end;
    const Seconds rounding =
        (step.end - step.start) * kRounding + kOfStage * (stages[step.engine] += step.stages);
    if (late > rounding) ++found.later;
    if (late * -1 > rounding) ++found.earlier;
    found.most_later = std::max(found.most_later, late);
    found.most_earlier = std::max(found.most_earlier, late * -1);
  }
  return found;
}

// A trace writes the head of each event of a pass once for every program that calls it (event_text,
// of about so many bytes with what finds it).
Bytes of_texts(const Programs& programs) {
  constexpr double kBytesOfEvent = 200;
  double events = 0;
  for (const Program& program : programs.programs) {
    std::set<std::int32_t> called;
    for (const Action& action : program.actions) called.insert(action.pass);
    for (const std::int32_t pass : called) {
      events += static_cast<double>(programs.passes[pass].executions());
    }
  }
  return {events * kBytesOfEvent};
}

// Before they are compiled: a pass of one layer without experts has 7 instructions at least.
void refuse_many_steps(const SourceLocation& where, const char* what, const StepWork& work,
                       const SimulationOptions& options) {
  constexpr double kLeastInstructions = 7;
  refuse_too_large(where, what,
                   {work.actions * (sizeof(Action) + sizeof(Loop)) +
                    work.compiled * kLeastInstructions * sizeof(Instruction)},
                   options.memory_limit);
  refuse_too_slow(where, what, estimate_lowering(work.actions, work.compiled), options.time_limit);
}

}  // namespace

serving::LogSpan span_of(const ReplaySpan& span) {
  const auto date = [](Seconds of) {
    return of > serving::to_seconds(serving::kLatest) ? serving::kNever
                                                      : serving::to_picoseconds(of);
  };
  return {date(span.begin), date(span.end)};
}

WithoutOperators without_operators(const Plan& plan, const Model& model) {
  const Serve& serve = *plan.serve;
  const auto of_engine = [&](const EngineChoice& engine, const std::string& field) {
    if (engine.step_time) {
      return WithoutOperators{field + ".step_time", "a step of such a time has no operators"};
    }
    if (drafts_by_prediction(engine, model)) {
      return WithoutOperators{field + ".speculative", "the passes that draft are not replayed"};
    }
    return WithoutOperators{};
  };
  if (routes_tokens(plan, model)) {
    return {plan.routing.model != "uniform" ? "routing.model" : "placement",
            "the loads of experts that price a step of a service are not replayed"};
  }
  if (!serve.pools) return of_engine(serve.engine, "serve.engine");
  WithoutOperators prefill = of_engine(serve.pools->prefill.engine, "serve.pools.prefill.engine");
  if (!prefill.field.empty()) return prefill;
  return of_engine(serve.pools->decode.engine, "serve.pools.decode.engine");
}

void refuse_steps_without_operators(const Plan& plan, const Model& model) {
  const WithoutOperators found = without_operators(plan, model);
  if (found.field.empty()) return;
  throw InputError(plan.where.at(found.field),
                   fmt::format("{}: {} (--detail operators)", found.field, found.why));
}

ReplayedSteps replay_steps(const Plan& plan, const Model& model, const ServiceRun& run,
                           Cluster& cluster, const SimulationOptions& options,
                           ReplayCounts& counts) {
  const SourceLocation where = plan.where.at("serve.traffic");
  const serving::LogSpan span = span_of(options.span);
  const char* const what = "replaying the operators of this service";
  refuse_many_steps(where, what, count_steps(plan, model, run, span), options);
  const StepPrograms steps = step_programs(plan, model, run, span);
  Bytes needed = estimate_memory(steps.programs);
  if (options.timeline != nullptr) needed += of_texts(steps.programs);
  refuse_too_large(where, what, needed, options.memory_limit);
  refuse_long_replay(where, steps.programs, plan.network, options.time_limit, options.progress);
  StepEnds ends(steps.steps.size());
  SeveralSinks sinks;
  sinks.add(&ends);
  sinks.add(options.timeline);
  counts = replay(steps.programs, cluster, plan.network, sinks, {}, options.progress);
  return compare(steps.steps, ends);
}

}  // namespace rehearse
