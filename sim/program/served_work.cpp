// Requests of different lengths end at different steps, so the decode steps of a batch are cut into
// runs: one from each step at which a request has ended to the next. All replicas of an engine take
// the same runs, because what one of them brings to the experts changes the passes of all.
#include "program/served_work.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <utility>

#include "base/error.hpp"
#include "layout/prefill_passes.hpp"
#include "routing/token_routing.hpp"

namespace rehearse {
namespace {

class EngineWork {
 public:
  EngineWork(const Plan& plan, const Model& model)
      : plan_(plan),
        has_experts_(moe_layers(model, 0, model.layers) > 0),
        replicas_(plan.layout.expert),
        works_(replicas_) {}

  void add(const Decision& decision) {
    decision_ = &decision;
    for (ReplicaWork& work : works_) {
      const int first_pass =
          work.batches.empty() ? 0 : work.batches.back().first_pass + work.batches.back().passes();
      work.batches.emplace_back();
      work.batches.back().not_before = decision.not_before;
      work.batches.back().first_pass = first_pass;
    }
    add_prefills();
    add_decodes();
  }

  std::vector<ReplicaWork> take() { return std::move(works_); }

 private:
  const Request& request(int at) const { return plan_.serve->requests[decision_->requests[at]]; }
  Share share(int replica) const {
    return share_of(static_cast<int>(decision_->requests.size()), replicas_, replica);
  }

  std::vector<int> prompts() const {
    std::vector<int> prompts;
    prompts.reserve(decision_->requests.size());
    for (std::size_t at = 0; at < decision_->requests.size(); ++at) {
      prompts.push_back(request(static_cast<int>(at)).prompt_tokens);
    }
    return prompts;
  }

  // Of requests of the decision: alike neighbours are one slice.
  std::vector<Slice> prompts_of(const std::vector<int>& requests) const {
    std::vector<Slice> slices;
    for (const int at : requests) {
      const double tokens = request(at).prompt_tokens;
      if (!slices.empty() && slices.back().query == tokens) {
        ++slices.back().sequences;
      } else {
        slices.push_back({1, tokens, 0});
      }
    }
    if (slices.empty()) slices.push_back({0, 1.0 * request(0).prompt_tokens, 0});
    return slices;
  }

  // Appends the requests of the decision to those that the replica's actions name.
  Share list(ReplicaWork& work, const std::vector<int>& requests) const {
    const Share listed{static_cast<int>(work.requests.size()), static_cast<int>(requests.size())};
    for (const int at : requests) work.requests.push_back(decision_->requests[at]);
    return listed;
  }

  static std::vector<int> range(int first, int count) {
    std::vector<int> range(count);
    for (int at = 0; at < count; ++at) range[at] = first + at;
    return range;
  }

  // One micro-batch of all replicas: what they share is known when all are there.
  void complete(const std::vector<PassWork*>& passes) const {
    double tokens = 0;
    for (const PassWork* pass : passes) tokens += tokens_of(pass->slices);
    for (PassWork* const pass : passes) {
      pass->group_tokens = tokens;
      pass->runs = has_experts_ ? tokens > 0 : pass->sequences.count > 0;
    }
  }

  void add_prefills() {
    const std::vector<std::vector<Share>> passes = default_prefill_passes(prompts(), replicas_);
    const std::size_t parts = passes.front().size();
    for (int replica = 0; replica < replicas_; ++replica) {
      ReplicaWork& work = works_[replica];
      const Share own = share(replica);
      work.sequences += own.count;
      BatchWork& batch = work.batches.back();
      for (const Share& part : passes[replica]) {
        const std::vector<int> requests = range(own.first + part.first, part.count);
        batch.prefills.push_back({list(work, requests), prompts_of(requests)});
      }
    }
    for (std::size_t part = 0; part < parts; ++part) {
      std::vector<PassWork*> of_all;
      of_all.reserve(works_.size());
      for (ReplicaWork& work : works_) of_all.push_back(&work.batches.back().prefills[part]);
      complete(of_all);
    }
  }

  // Steps after which requests have ended, and the last.
  std::set<int> ends() const {
    std::set<int> steps;
    for (const int number : decision_->requests) {
      const int own = plan_.serve->requests[number].output_tokens - 1;
      if (own > 0) steps.insert(own);
    }
    return steps;
  }

  void add_decodes() {
    const int parts = std::min(plan_.layout.pipeline, share(0).count);
    const std::set<int> ends = this->ends();
    if (ends.empty()) return;
    for (int replica = 0; replica < replicas_; ++replica) {
      BatchWork& batch = works_[replica].batches.back();
      const int first = batch.prefills.front().sequences.first;
      for (int part = 0; part < parts; ++part) {
        const Share own = share_of(share(replica).count, parts, part);
        batch.decode_ends.push_back(first + own.first + own.count);
      }
    }
    int begin = 0;
    for (const int end : ends) {
      add_run(begin, end, parts);
      begin = end;
    }
  }

  void add_run(int begin, int end, int parts) {
    for (int replica = 0; replica < replicas_; ++replica) {
      works_[replica].batches.back().decodes.push_back({begin, end - begin, {}});
    }
    for (int part = 0; part < parts; ++part) {
      std::vector<PassWork*> of_all;
      for (int replica = 0; replica < replicas_; ++replica) {
        ReplicaWork& work = works_[replica];
        const Share all = share(replica);
        const Share own = share_of(all.count, parts, part);
        std::vector<int> going = range(all.first + own.first, own.count);
        std::erase_if(going, [&](int at) { return request(at).output_tokens - 1 <= begin; });
        DecodeRun& run = work.batches.back().decodes.back();
        run.parts.reserve(parts);
        run.parts.push_back({list(work, going), next_tokens(prompts_of(going))});
        of_all.push_back(&run.parts.back());
      }
      complete(of_all);
    }
  }

  const Plan& plan_;
  const bool has_experts_;
  const int replicas_;
  const Decision* decision_ = nullptr;
  std::vector<ReplicaWork> works_;
};

}  // namespace

void check_serve(const Plan& plan, const Model& model) {
  const Serve& serve = *plan.serve;
  const EngineChoice& engine = serve.engine;
  const std::pair<const char*, bool> not_replayed[] = {
      {"serve.pools", serve.pools.has_value()},
      {"serve.traffic.concurrency", serve.concurrency > 0},
      {"serve.traffic.turns", serve.law && serve.law->turns > 1},
      {"serve.replicas", serve.replicas > 1},
      {"serve.engine.speculative", engine.speculative.has_value()},
      {"serve.traffic.warm_up", serve.warm_up.value > 0},
      {"serve.slo", serve.slo.has_value()},
      {"serve.router", serve.router != "round_robin"},
      {"serve.engine.max_tokens_per_pass", engine.max_tokens_per_pass.has_value()},
      {"serve.engine.max_model_len", engine.max_model_len.has_value()},
      {"serve.engine.chunked_prefill", engine.chunked_prefill.has_value()},
      {"serve.engine.prefix_cache", engine.prefix_cache.has_value()},
      {"serve.engine.asynchronous", engine.asynchronous.has_value()},
      {"serve.engine.cuda_graphs", engine.cuda_graphs.has_value()},
      {"serve.engine.memory_fraction", engine.memory_fraction.has_value()},
      {"serve.engine.block_tokens", engine.block_tokens.has_value()},
      {"serve.engine.kv_blocks", engine.kv_blocks.has_value()},
      {"serve.engine.policy", engine.by_priority.has_value()},
      {"serve.engine.capacity", engine.max_utilization.has_value()},
      {"serve.engine.host", engine.host_per_step || engine.host_per_request},
      {"serve.engine.step_time", engine.step_time.has_value()},
      {"serve.engine.log_steps", engine.log_steps}};
  for (const auto& [field, asked] : not_replayed) {
    if (!asked) continue;
    throw InputError(
        plan.where.at(field),
        fmt::format("{}: not replayed operator by operator (--detail operators)", field));
  }
  if (batch_scheduler_named(serve.engine.name) == nullptr) {
    throw InputError(plan.where.at("serve.engine.name"),
                     fmt::format("serve.engine.name = \"{}\": replayed operator by operator "
                                 "(--detail operators) is only {}",
                                 serve.engine.name, names_of_batch_schedulers()));
  }
  if (!routes_tokens(plan, model)) return;
  const char* const field = plan.routing.model != "uniform" ? "routing.model"
                            : plan.capacity.limited         ? "capacity"
                                                            : "placement";
  throw InputError(plan.where.at(field),
                   fmt::format("{}: with serve only uniform routing without capacity and placement "
                               "is modelled",
                               field));
}

std::vector<std::vector<Decision>> engine_logs(const Plan& plan) {
  const Serve& serve = *plan.serve;
  const BatchSchedulerKind* const kind = batch_scheduler_named(serve.engine.name);
  SIM_CHECK(kind != nullptr, "check_serve knows the engine");
  std::vector<std::vector<Decision>> logs;
  // More than there are requests is no limit, and may be more than an int holds.
  const double most = 1.0 * *serve.engine.max_sequences * plan.layout.expert;
  const auto requests = static_cast<double>(serve.requests.size());
  const EngineLimits limits{static_cast<int>(std::min(most, requests))};
  for (const std::vector<int>& own :
       round_robin(static_cast<int>(serve.requests.size()), plan.layout.data)) {
    logs.push_back(decide_beforehand(*kind, limits, serve.requests, own));
  }
  return logs;
}

std::vector<ReplicaWork> served_work(const Plan& plan, const Model& model,
                                     const std::vector<Decision>& log) {
  EngineWork work(plan, model);
  for (const Decision& decision : log) work.add(decision);
  return work.take();
}

}  // namespace rehearse
