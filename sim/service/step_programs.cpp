// A rank's program is its steps in the order of its engine's log. The first stage begins each at
// its logged date, the others when the stage before has sent theirs. The last stage sends the
// tokens that it samples to the first, where nobody waits for them: the engine's log did, before it
// began the next step of these requests.
#include "service/step_programs.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <memory>
#include <set>
#include <span>
#include <tuple>
#include <unordered_map>
#include <utility>

#include "base/error.hpp"
#include "model/attention.hpp"
#include "program/lower.hpp"
#include "program/pass_library.hpp"
#include "program/stage_weights.hpp"
#include "service/step_pass.hpp"

namespace rehearse {
namespace {

using serving::LoggedStep;

// Engines that do the same.
struct Pool {
  Plan plan;
  const serving::EngineSettings& settings;
  int first_engine = 0;
  int engines = 0;
  int first_gpu = 0;
  int first_replica = 0;

  bool has(int engine) const { return engine >= first_engine && engine < first_engine + engines; }
};

std::vector<Pool> pools_of_run(const Plan& plan, const ServiceRun& run) {
  const int engines = static_cast<int>(run.result.totals.size());
  if (!run.prefill) return {{plan, run.engine.settings, 0, engines, 0, 0}};
  PoolsOfPlan pools = pools_of(plan);
  const int prefilling = run.result.prefill_engines;
  return {{std::move(pools.prefill.plan), run.prefill->settings, 0, prefilling,
           pools.prefill.first_gpu, 0},
          {std::move(pools.decode.plan), run.engine.settings, prefilling, engines - prefilling,
           pools.decode.first_gpu, prefilling * run.prefill->settings.ranks}};
}

// A step of all ranks of an engine.
struct EngineStep {
  std::span<const LoggedStep> ranks;
  std::vector<serving::StepShape> shapes;
};

// Calls visit(pool, step) for each in which somebody computes.
template <class Visit>
void for_each_step(const std::vector<Pool>& pools, const std::vector<LoggedStep>& log,
                   const serving::LogSpan& span, Visit visit) {
  for (std::size_t at = 0; at < log.size();) {
    const LoggedStep& first = log[at];
    const auto pool = std::find_if(pools.begin(), pools.end(),
                                   [&](const Pool& each) { return each.has(first.engine); });
    const auto ranks = static_cast<std::size_t>(pool->settings.ranks);
    EngineStep step{{log.data() + at, ranks}, {}};
    at += ranks;
    if (!span.has(first.step.start, first.step.end)) continue;
    for (const LoggedStep& rank : step.ranks) {
      step.shapes.push_back(serving::shape_of(rank.step.batch));
    }
    serving::pad(step.shapes, pool->settings.graph_sizes);
    const auto computes = [](const serving::StepShape& shape) { return shape.executed > 0; };
    if (std::any_of(step.shapes.begin(), step.shapes.end(), computes)) visit(*pool, step);
  }
}

// Tokens of requests whose steps are replayed on a replica, and what each stage keeps of them.
class Held {
 public:
  explicit Held(std::vector<SequenceCache> caches)
      : caches_(std::move(caches)), bytes_(caches_.size()) {}

  // Told of all steps once, before the first comes.
  void will_come(const serving::Batch& batch, int step) {
    for (const serving::Slice& slice : batch) its(slice).last_step = step;
  }
  void comes(const serving::Batch& batch, int step) {
    for (const std::uint64_t request : leaving_) {
      change(requests_.at(request), 0);
      requests_.erase(request);
    }
    leaving_.clear();
    for (const serving::Slice& slice : batch) {
      Request& request = its(slice);
      change(request, slice.context + slice.tokens);
      if (request.last_step == step) leaving_.push_back(key(slice));
    }
  }
  Bytes on_stage(int stage) const { return std::max(bytes_[stage], Bytes{}); }

 private:
  struct Request {
    int last_step = 0;
    int tokens = 0;
  };

  // Who was preempted comes back with nothing.
  static std::uint64_t key(const serving::Slice& slice) {
    return static_cast<std::uint64_t>(slice.life) << 32U |
           static_cast<std::uint32_t>(slice.request);
  }
  Request& its(const serving::Slice& slice) { return requests_[key(slice)]; }
  void change(Request& request, int tokens) {
    for (std::size_t stage = 0; stage < caches_.size(); ++stage) {
      bytes_[stage] += caches_[stage].kept(1, tokens) - caches_[stage].kept(1, request.tokens);
    }
    request.tokens = tokens;
  }

  std::vector<SequenceCache> caches_;  // by stage
  std::vector<Bytes> bytes_;
  std::unordered_map<std::uint64_t, Request> requests_;
  std::vector<std::uint64_t> leaving_;  // behind the step that came last
};

Phase phase_of(const serving::Batch& batch) {
  const auto is_prompt = [](const serving::Slice& slice) { return slice.prompt; };
  if (std::none_of(batch.begin(), batch.end(), is_prompt)) return Phase::kDecode;
  return std::all_of(batch.begin(), batch.end(), is_prompt) ? Phase::kPrefill : Phase::kMixed;
}

// The programs of a pool's ranks.
class PoolPrograms {
 public:
  PoolPrograms(const Pool& pool, const Model& model, PassLibrary& library, StepPrograms& result)
      : pool_(pool),
        library_(library),
        result_(result),
        model_(model),
        limited_(sees_limited_keys(model)),
        layers_(stage_layers(pool.plan.layout, model.layers)),
        stages_(pool.plan.layout.pipeline),
        first_program_(static_cast<int>(result.programs.programs.size())) {
    std::vector<SequenceCache> caches;
    for (const Share& layers : layers_) {
      caches.push_back(sequence_cache(model, layers.first, layers.count, pool.plan.layout.tensor));
    }
    held_.assign(static_cast<std::size_t>(pool.engines) * pool.settings.ranks, Held(caches));
    add_programs();
    add_groups();
    add_ranks();
  }

  void will_come(const EngineStep& step, int number) {
    for (const LoggedStep& rank : step.ranks) {
      held_[replica_of(rank)].will_come(rank.step.batch, number);
    }
  }

  void add(const EngineStep& step, int number) {
    const double tokens = group_tokens(model_, step.shapes);
    const int begin = most_that_begin(step.shapes);
    for (std::size_t rank = 0; rank < step.ranks.size(); ++rank) {
      const LoggedStep& logged = step.ranks[rank];
      Held& held = held_[replica_of(logged)];
      held.comes(logged.step.batch, number);
      PassShape shape;
      shape.group_tokens = tokens;
      shape.begin = begin;
      const double at = fill(step.shapes[rank], shape);
      Action action;
      action.phase = phase_of(logged.step.batch);
      action.about = number;
      action.sequences.count = static_cast<int>(logged.step.batch.size());
      for (int stage = 0; stage < stages_; ++stage) {
        action.kv_held = held.on_stage(stage);
        action.not_before = stage == 0 ? serving::to_seconds(logged.step.start) : Seconds{};
        add_on_stage(program_of(replica_of(logged), stage), stage, action, shape, at);
      }
    }
  }

 private:
  int replica_of(const LoggedStep& logged) const {
    return (logged.engine - pool_.first_engine) * pool_.settings.ranks + logged.step.rank;
  }
  int program_of(int replica, int stage) const {
    return first_program_ + replica * stages_ + stage;
  }

  void add_programs() {
    for (std::size_t replica = 0; replica < held_.size(); ++replica) {
      for (int stage = 0; stage < stages_; ++stage) {
        Program& program = result_.programs.programs.emplace_back();
        program.stage = stage;
        program.layers = {layers_[stage]};
        program.role = fmt::format("replica {}, stage {}: layers {}",
                                   pool_.first_replica + static_cast<int>(replica), stage,
                                   layers_text(program.layers));
        program.weights = weights_of_stage(model_, pool_.plan, stage);
        program.communication_buffers = pool_.plan.communication_buffers;
      }
    }
  }

  int copies() const { return pool_.engines / pool_.plan.layout.data; }

  // Those of the layout, for each copy of it.
  void add_groups() {
    const ProcessGroups of_layout = build_groups(pool_.plan.layout);
    ProcessGroups& all = result_.programs.groups;
    for (int copy = 0; copy < copies(); ++copy) {
      const Rank first = static_cast<Rank>(all.of_rank.size());
      const auto group = static_cast<std::int32_t>(all.groups.size());
      for (ProcessGroup each : of_layout.groups) {
        for (Rank& rank : each.ranks) rank += first;
        all.groups.push_back(std::move(each));
      }
      for (std::array<std::int32_t, kAxes> each : of_layout.of_rank) {
        for (std::int32_t& at : each) at += group;
        all.of_rank.push_back(each);
      }
    }
  }

  void add_ranks() {
    const RankGrid grid(pool_.plan.layout);
    const Layout& layout = pool_.plan.layout;
    for (int copy = 0; copy < copies(); ++copy) {
      for (Rank rank = 0; rank < grid.size(); ++rank) {
        const Coordinates at = grid.coordinates(rank);
        const int replica = (copy * layout.data + at.data) * layout.expert + at.expert;
        result_.programs.ranks.push_back({program_of(replica, at.pipeline),
                                          at,
                                          {},
                                          pool_.first_gpu + copy * grid.size() + rank,
                                          pool_.first_replica + replica});
      }
    }
  }

  // The slices of the rank's pass, and at which step it is called. One without requests joins the
  // others' collectives.
  double fill(const serving::StepShape& from, PassShape& shape) const {
    if (from.executed == 0) {
      shape.slices = {{0, 1, 1}};
      return 0;
    }
    StepPass pass = pass_of_step(from, limited_);
    shape.slices = std::move(pass.slices);
    shape.grows = pass.grows;
    return pass.step;
  }

  void add_on_stage(int number, int stage, Action action, PassShape shape, double step) {
    Program& program = result_.programs.programs[number];
    action.stage = shape.stage = stage;
    action.layers = shape.layers = layers_[stage];
    shape.host = stage == 0 && pool_.plan.engine.times.on_host();
    action.pass = library_.pass(pool_.plan.layout, shape, {});
    program.slots = std::max(program.slots, library_.of(action.pass).slots);
    call(program, action, step);
    if (stages_ == 1 || action.sequences.count == 0) return;
    const auto tell = [&](Message::Kind kind) {
      action.pass = library_.token_message(action.sequences.count, kind);
      call(program, action, 0);
    };
    if (stage == 0) tell(Message::Kind::kReceive);
    if (stage + 1 == stages_) tell(Message::Kind::kSend);
  }

  static void call(Program& program, const Action& action, double step) {
    const int at = static_cast<int>(program.actions.size());
    program.actions.push_back(action);
    program.loops.push_back({at, at + 1, 1, step});
  }

  const Pool& pool_;
  PassLibrary& library_;
  StepPrograms& result_;
  const Model& model_;
  const bool limited_;  // some layer's queries do not see all keys
  const std::vector<Share> layers_;
  const int stages_;
  const int first_program_;
  std::vector<Held> held_;  // by replica of the pool
};

std::vector<RequestDates> dates_of(const ServiceRun& run) {
  std::vector<RequestDates> dates;
  for (const serving::ServedRequest& each : run.result.requests) {
    RequestDates& its = dates.emplace_back();
    if (each.phase != serving::Phase::kFinished) continue;
    its.replica = each.replica;
    its.arrival = serving::to_seconds(each.arrival);
    its.first_token = serving::to_seconds(each.first_token);
    its.last_token = serving::to_seconds(each.last_token);
    its.tokens = each.first_at_prefill ? 1 : 0;
    for (const serving::TokenRun& tokens : each.token_runs) {
      its.tokens += static_cast<int>(tokens.count);
    }
  }
  return dates;
}

}  // namespace

StepPrograms step_programs(const Plan& plan, const Model& model, const ServiceRun& run,
                           const serving::LogSpan& span) {
  SIM_CHECK(run.priced, "steps of a time that the plan gives have no operators");
  StepPrograms result;
  Programs& programs = result.programs;
  programs.collectives = collective_use(plan);
  programs.engine = plan.engine.times;
  programs.compute_dtype = fastest_arithmetic(model);
  programs.served = dates_of(run);
  const std::vector<Pool> pools = pools_of_run(plan, run);
  PassLibrary library(model);
  std::vector<std::unique_ptr<PoolPrograms>> of_pools;
  of_pools.reserve(pools.size());
  for (const Pool& pool : pools) {
    of_pools.push_back(std::make_unique<PoolPrograms>(pool, model, library, result));
  }
  const auto its = [&](const Pool& pool) -> PoolPrograms& { return *of_pools[&pool - &pools[0]]; };
  for_each_step(pools, run.result.steps, span, [&](const Pool& pool, const EngineStep& step) {
    its(pool).will_come(step, static_cast<int>(result.steps.size()));
    const LoggedStep& first = step.ranks.front();
    result.steps.push_back({first.engine, pool.settings.stages,
                            serving::to_seconds(first.step.start),
                            serving::to_seconds(first.step.end)});
  });
  int number = 0;
  for_each_step(pools, run.result.steps, span,
                [&](const Pool& pool, const EngineStep& step) { its(pool).add(step, number++); });
  programs.passes = library.take_passes();
  programs.names = library.take_names();
  return result;
}

StepWork count_steps(const Plan& plan, const Model& model, const ServiceRun& run,
                     const serving::LogSpan& span) {
  const bool limited = sees_limited_keys(model);
  const std::vector<Pool> pools = pools_of_run(plan, run);
  StepWork work;
  std::set<std::pair<std::int64_t, double>> growing;  // of so many requests, beside so many tokens
  for_each_step(pools, run.result.steps, span, [&](const Pool& pool, const EngineStep& step) {
    const double stages = pool.plan.layout.pipeline;
    const double tokens = group_tokens(model, step.shapes);
    for (const serving::StepShape& shape : step.shapes) {
      work.actions += stages > 1 ? 2 * stages : 1;
      const bool grows = shape.executed == 0 || pass_of_step(shape, limited).grows;
      if (!grows || growing.emplace(shape.executed, tokens).second) work.compiled += stages;
    }
  });
  return work;
}

}  // namespace rehearse
