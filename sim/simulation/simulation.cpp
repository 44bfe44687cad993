#include "simulation/simulation.hpp"

#include <fmt/format.h>

#include <set>
#include <utility>

#include "base/error.hpp"
#include "layout/layout.hpp"
#include "platform/check_platform_xml.hpp"
#include "program/lower.hpp"
#include "replay/rendezvous.hpp"

namespace rehearse {
namespace {

// SimGrid's host, netpoint, links and routes; measured with `<cluster>` stars of 1,024 to 16,384
// hosts.
constexpr double kBytesPerHost = 10e3;

// A layer without experts on one GPU: norm, QKV, attention, projection, norm, up, down. With it,
// plans that are far too large are known before their instructions are all there.
constexpr double kLeastInstructionsPerLayer = 7;
// Times of the first and the last token, and their sorted copies.
constexpr double kBytesPerRequest = 40;

void refuse_too_large(const SourceLocation& where, const char* what, Bytes needed, Bytes limit) {
  if (needed.value <= limit.value) return;
  throw InputError(where,
                   fmt::format("simulating {} would need about {} of memory, the limit is {} "
                               "(--max-memory)",
                               what, to_text(needed), to_text(limit)));
}

// Passes every fact on to two sinks.
class Both : public TimelineSink {
 public:
  Both(TimelineSink& first, TimelineSink& second) : first_(first), second_(second) {}
  void begin(const Programs& programs) override {
    first_.begin(programs);
    second_.begin(programs);
  }
  void span(const Span& span) override {
    first_.span(span);
    second_.span(span);
  }
  void memory(const MemoryLevel& level) override {
    first_.memory(level);
    second_.memory(level);
  }
  void end(Seconds makespan) override {
    first_.end(makespan);
    second_.end(makespan);
  }

 private:
  TimelineSink& first_;
  TimelineSink& second_;
};

}  // namespace

Cluster load_cluster_within(Bytes memory_limit, const std::string& path) {
  const PlatformFile file = check_platform_xml(path);
  refuse_too_large({path, 1, 1}, "this platform", {kBytesPerHost * static_cast<double>(file.hosts)},
                   memory_limit);
  return load_cluster(path);
}

Programs lower_within(Bytes memory_limit, const Model& model, const Plan& plan) {
  const double passes = static_cast<double>(plan.batch.micro_batches) + decode_micro_batches(plan);
  const Bytes least{passes * model.layers * kLeastInstructionsPerLayer * sizeof(Instruction) +
                    plan.batch.sequences * kBytesPerRequest};
  refuse_too_large(plan.where.at("layout"), "this plan", least, memory_limit);
  Programs programs = lower(model, plan);
  refuse_too_large(plan.where.at("layout"), "this plan", estimate_memory(programs), memory_limit);
  return programs;
}

namespace {

// The algorithms that the plan names must serve the groups that use them.
void check_algorithms(const Plan& plan, const Programs& programs, const Platform& platform) {
  std::set<std::pair<Axis, CollectiveOp>> used;
  for (const Program& program : programs.programs) {
    for (const Instruction& at : program.instructions) {
      if (at.kind == Instruction::Kind::kCollective) used.emplace(at.axis, at.op);
    }
  }
  for (const auto& [axis, op] : used) {
    const CollectiveAlgorithm* const named = programs.algorithms[static_cast<int>(op)];
    if (named == nullptr) continue;
    for (const ProcessGroup& group : programs.groups.groups) {
      if (group.axis != axis) continue;
      const std::string refusal = named->refusal(shape_of(group.ranks, platform));
      if (refusal.empty()) continue;
      const std::string field = fmt::format("collectives.{}", to_text(op));
      throw InputError(plan.where.at(field), fmt::format("{} = \"{}\" {} ({} groups)", field,
                                                         named->name, refusal, to_text(axis)));
    }
  }
}

}  // namespace

Simulation simulate(const Plan& plan, const Model& model, const SimulationOptions& options) {
  Cluster cluster = load_cluster_within(options.memory_limit, plan.platform_path);
  const Platform& platform = cluster.platform();
  check_layout(plan, model, static_cast<int>(platform.gpus.size()), plan.platform_path);
  const Programs programs = lower_within(options.memory_limit, model, plan);

  check_algorithms(plan, programs, platform);

  Measure measure(model, plan, platform);
  Simulation result;
  if (options.timeline == nullptr) {
    result.counts = replay(programs, cluster, plan.network, measure);
  } else {
    Both sinks(measure, *options.timeline);
    result.counts = replay(programs, cluster, plan.network, sinks);
  }
  result.metrics = measure.metrics();
  return result;
}

}  // namespace rehearse
