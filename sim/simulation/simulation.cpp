#include "simulation/simulation.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "base/error.hpp"
#include "cluster_xml/check_platform_xml.hpp"
#include "facts/facts.hpp"
#include "fold/fold.hpp"
#include "layout/layout.hpp"
#include "layout/memory_rule.hpp"
#include "metrics/assumptions.hpp"
#include "metrics/memory_advice.hpp"
#include "model/weights.hpp"
#include "platform/gpu_kinds.hpp"
#include "program/lower.hpp"
#include "program/program_memory.hpp"
#include "replay/rendezvous.hpp"
#include "replay/time_estimate.hpp"
#include "routing/token_routing.hpp"
#include "simulation/check_collectives.hpp"
#include "simulation/simulate_service.hpp"
#include "timeline/several_sinks.hpp"

namespace rehearse {
namespace {

// SimGrid's host, netpoint, links and routes; measured with `<cluster>` stars of 1,024 to 16,384
// hosts.
constexpr double kBytesPerHost = 10e3;

// A pass of one layer without experts on one GPU: norm, QKV, attention, projection, norm, up, down.
// With it, plans that are far too large are known before their passes are all there.
constexpr double kLeastInstructions = 7;
// Times of the first and the last token, and their sorted copies.
constexpr double kBytesPerRequest = 40;

}  // namespace

Cluster load_cluster_within(const Limits& limits, const std::string& path, const Faster& faster,
                            const std::vector<GpusAt>& gpus_at) {
  const PlatformFile file = check_platform_xml(path, gpus_at);
  const auto hosts = static_cast<double>(file.hosts);
  refuse_too_large({path, 1, 1}, "loading this platform", {kBytesPerHost * hosts}, limits.memory);
  refuse_too_slow({path, 1, 1}, fmt::format("loading {} hosts", file.hosts),
                  estimate_loading(hosts), limits.time);
  return load_cluster(path, faster, gpus_at);
}

namespace {

// Copies of experts that do not fit beside the other weights. (A plan whose weights do not fit
// anyway is simulated, and found not to fit.)
void refuse_copies_without_room(const Plan& plan, const Model& model, const Programs& programs,
                                const Platform& platform) {
  const int copies = plan.placement.redundant_experts;
  if (copies == 0) return;
  const double held = static_cast<double>(copies) / expert_group_size(plan.layout);
  for (Rank rank = 0; rank < static_cast<int>(programs.ranks.size()); ++rank) {
    const Program& program = programs.of(rank);
    const Bytes needed = program.weights + program.communication_buffers;
    const Bytes capacity = platform.device_of(programs.ranks[rank].gpu).memory;
    if (fits(needed.value / capacity.value, plan)) continue;
    Bytes of_copies;
    for (const Share& chunk : program.layers) {
      for (int layer = chunk.first; layer < chunk.first + chunk.count; ++layer) {
        if (!model.is_moe_layer(layer)) continue;
        of_copies += expert_weights(model, layer, expert_tensor_degree(plan.layout)) * held;
      }
    }
    throw InputError(
        plan.where.at("placement.redundant_experts"),
        fmt::format(
            "placement.redundant_experts = {}: rank {} would hold {} of weights and buffers, "
            "{} of them copies, and has {} usable ({:.2f} of {})",
            copies, rank, to_text(needed), to_text(of_copies),
            to_text(usable_memory(capacity, plan)), plan.memory_fraction, to_text(capacity)));
  }
}

}  // namespace

namespace {

// That the programs of a plan take at least.
struct LeastWork {
  double passes = 0;    // actions
  double compiled = 0;  // passes of one replica
  double replicas = 1;  // that have passes of their own
  double requests = 0;
};

LeastWork least_work(const Plan& plan) {
  LeastWork work;
  work.requests = plan.batch.sequences;
  work.passes = static_cast<double>(plan.batch.micro_batches) + decode_micro_batches(plan);
  // Passes are shared but where prompts differ: then the replica with the most has so many at
  // least.
  if (plan.batch.lengths.given) {
    work.compiled = 1.0 * plan.batch.micro_batches * plan.layout.pipeline;
  }
  work.replicas = plan.layout.dense_data();
  return work;
}

}  // namespace

Programs lower_within(const Limits& limits, const Model& model, const Plan& plan,
                      const Platform& platform, After after) {
  const LeastWork work = least_work(plan);
  const bool simulated = after != After::kNothing;
  const Bytes least{work.passes * sizeof(Action) +
                    work.compiled * kLeastInstructions * sizeof(Instruction) +
                    (simulated ? work.requests * kBytesPerRequest : 0)};
  const Bytes memory_limit = limits.memory;
  refuse_too_large(plan.where.at("layout"),
                   simulated ? "simulating this plan" : "the programs of this plan", least,
                   memory_limit);
  refuse_too_slow(plan.where.at("layout"), "lowering this plan",
                  estimate_lowering(work.passes, work.compiled * work.replicas), limits.time);
  std::vector<int> node_of_rank;
  node_of_rank.reserve(plan.layout.gpus());
  for (Rank rank = 0; rank < plan.layout.gpus(); ++rank) {
    node_of_rank.push_back(platform.gpus[rank].domain);
  }
  Programs programs = lower(model, plan, node_of_rank);
  if (simulated) {
    refuse_too_large(plan.where.at("layout"), "simulating this plan", estimate_memory(programs),
                     memory_limit);
  }
  if (after == After::kExplanation) {
    refuse_too_large(plan.where.at("layout"), "simulating and explaining this plan",
                     estimate_memory(programs) + estimate_path_memory(programs), memory_limit);
  }
  refuse_copies_without_room(plan, model, programs, platform);
  return programs;
}

std::string what_cannot_fit(const Plan& plan, const Model& model, const Programs& programs,
                            const Platform& platform) {
  std::vector<ProgramMemory> held;
  for (const Program& program : programs.programs) {
    held.push_back(memory_of(programs, program));
  }
  for (ProgramMemory& each : held) each.activations = {};
  for (const RankEntry& rank : programs.ranks) {
    const ProgramMemory& needed = held[rank.program];
    const Bytes capacity = platform.device_of(rank.gpu).memory;
    MemoryPeak peak;
    peak.capacity_bytes = capacity.value;
    peak.usable_bytes = usable_memory(capacity, plan).value;
    peak.peak_bytes = needed.sum().value;
    if (fits(peak.peak_bytes / peak.capacity_bytes, plan)) continue;
    peak.bytes = {needed.weights.value, needed.kv_cache.value, 0,
                  needed.communication_buffers.value};
    return fmt::format(
        "does not fit in memory: GPU {} would hold {} of weights, buffers "
        "and KV cache, and has {} usable ({:.2f} of {}); {}",
        rank.gpu, to_text(needed.sum()), to_text(Bytes{peak.usable_bytes}), plan.memory_fraction,
        to_text(capacity), memory_advice(model, plan, peak));
  }
  return {};
}

namespace {

constexpr Seconds kAtOnce{1};

// A plan that fits nowhere is simulated for its figures as long as nobody has to wait for them.
void refuse_what_cannot_fit(const Plan& plan, const Model& model, const Programs& programs,
                            const Platform& platform) {
  const std::string verdict = what_cannot_fit(plan, model, programs, platform);
  if (verdict.empty()) return;
  throw DoesNotFit(plan.where.at("layout"), verdict + "; not simulated");
}

// Passes on what one replica's links carried as what those of all of them did.
class LinksOfAll : public SeveralSinks {
 public:
  LinksOfAll(const Cluster& cluster, const Fold& fold) : cluster_(cluster), fold_(fold) {}

  void links(const std::vector<LinkUse>& used) override {
    std::unordered_map<std::string_view, const std::vector<int>*> alike;
    for (const std::vector<int>& links : fold_.alike_links) {
      if (links.size() > 1) alike.emplace(cluster_.links()[links.front()].name, &links);
    }
    std::vector<LinkUse> of_all = used;
    std::vector<LinkUse*> busiest_first;
    busiest_first.reserve(of_all.size());
    for (LinkUse& use : of_all) busiest_first.push_back(&use);
    const auto share = [](const LinkUse* use) { return use->carried.value / use->bandwidth.value; };
    std::stable_sort(busiest_first.begin(), busiest_first.end(),
                     [&](const LinkUse* a, const LinkUse* b) { return share(a) > share(b); });
    std::size_t named = 0;
    for (LinkUse* const use : busiest_first) {
      const auto links = alike.find(use->name);
      if (links == alike.end()) continue;
      use->alike = static_cast<int>(links->second->size()) - 1;
      for (std::size_t at = 1; at < links->second->size() && named < kMostAlikeNamed; ++at) {
        use->alike_names.push_back(cluster_.links()[(*links->second)[at]].name);
        ++named;
      }
    }
    SeveralSinks::links(of_all);
  }

 private:
  const Cluster& cluster_;
  const Fold& fold_;
};

// From what is loaded, lowered and checked already.
Simulation simulate_on(Cluster& cluster, const Programs& programs, const Plan& plan,
                       const Model& model, const Fold& fold, const SimulationOptions& options) {
  const Platform& platform = cluster.platform();
  check_collectives(plan, programs, cluster);
  Measure measure(model, plan, platform);
  CriticalPathFinder finder(platform);
  LinksOfAll sinks(cluster, fold);
  sinks.add(&measure);
  sinks.add(options.timeline);
  sinks.add(options.explain ? &finder : nullptr);
  Simulation result;
  result.counts = replay(programs, cluster, plan.network, sinks, fold.sharers, options.progress);
  result.metrics = measure.metrics();
  if (options.explain) result.critical_path = finder.path();
  return result;
}

}  // namespace

Simulation simulate(const PreparedPlan& prepared, const SimulationOptions& options) {
  const Plan& plan = prepared.plan();
  const Model& model = prepared.model();
  if (plan.serve) return simulate_service(prepared, options);
  const Limits limits{options.memory_limit, options.time_limit};
  Cluster cluster = load_cluster_within(limits, plan.platform_path, options.faster, plan.gpus_at);
  // What explains a run speaks of every rank.
  const bool folds = options.fold && !options.explain;
  const Fold fold = folds ? find_fold(plan, model, cluster) : no_fold(plan);
  Programs programs = lower_within(limits, model, fold.plan, cluster.platform(),
                                   options.explain ? After::kExplanation : After::kSimulation);
  place_on_gpus(plan, fold, programs);
  if (estimate_time(count_work(programs), plan.network) > kAtOnce) {
    refuse_what_cannot_fit(plan, model, programs, cluster.platform());
  }
  refuse_long_replay(plan.where.at("layout"), programs, plan.network, options.time_limit,
                     options.progress);
  Simulation result = simulate_on(cluster, programs, fold.plan, model, fold, options);
  result.metrics.gpu_kinds = gpu_kinds(cluster.platform(), plan.layout.gpus());
  result.metrics.accuracy = accuracy_of(plan, model, cluster.platform(), programs);
  result.metrics.assumptions =
      assumptions_of(plan, model, cluster.platform(), plan.layout.gpus(), &result.metrics.accuracy);
  MemoryPeak& memory = result.metrics.memory;
  if (!memory.fits) memory.advice = memory_advice(model, plan, memory);
  if (options.facts) result.facts = facts_json(model, plan, cluster.platform(), programs);
  return result;
}

}  // namespace rehearse
