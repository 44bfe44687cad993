#include "estimate/pass_times.hpp"

#include <algorithm>
#include <array>
#include <limits>

#include "base/error.hpp"
#include "model/weights.hpp"
#include "routing/token_routing.hpp"

namespace rehearse {
namespace {

// Two layers of each kind show all that a longer run has: the first finds the stage's input, the
// second what another layer left.
constexpr int kShown = 2;

struct Runs {
  int dense = 0;
  int experts = 0;
};

Runs runs_of(const Model& model, Share layers) {
  Runs runs;
  for (int layer = layers.first; layer < layers.first + layers.count; ++layer) {
    ++(model.is_moe_layer(layer) ? runs.experts : runs.dense);
  }
  return runs;
}

// The layers around the border between the two kinds; all where those of a kind differ.
Share shown_layers(const Model& model, Share layers, const Runs& runs) {
  if (layers_differ(model)) return layers;
  const int dense = std::min(runs.dense, kShown);
  return {layers.first + runs.dense - dense, dense + std::min(runs.experts, kShown)};
}

class TemplateBuilder {
 public:
  TemplateBuilder(const WorkloadGraph& graph, Spread spread) : graph_(graph), spread_(spread) {}

  PassTemplate build(const Model& model, Share shown, const Runs& runs) {
    place_.assign(graph_.size(), -1);
    layer_of_.assign(graph_.size(), -1);
    for (int node = 0; node < graph_.size(); ++node) add(node);
    find_activations();
    for (int layer = shown.first; layer < shown.first + shown.count; ++layer) {
      const bool experts = model.is_moe_layer(layer);
      const bool last_of_kind =
          layer + 1 == shown.first + shown.count || model.is_moe_layer(layer + 1) != experts;
      const int of_kind = experts ? runs.experts : runs.dense;
      const bool run = last_of_kind && !layers_differ(model);
      if (run) repeat(layer, 1 + std::max(0, of_kind - kShown));
    }
    return std::move(template_);
  }

 private:
  // Without the copies of tokens where nobody knows how many there are.
  void find_activations() {
    if (spread_ == Spread::kEven) {
      template_.activation_peak = graph_.peak_live_bytes();
      return;
    }
    for (const LiveBytes& live : graph_.peak_live_copies()) {
      template_.activation_peak = std::max(template_.activation_peak, live.fixed);
    }
  }

  void add(int node) {
    const Node& what = graph_.node(node);
    const int place = static_cast<int>(template_.operations.size());
    if (template_.segments.empty() || what.layer != layer_) {
      template_.segments.push_back({place, place, 1});
      segment_layer_.push_back(what.layer);
      layer_ = what.layer;
    }
    layer_of_[node] = static_cast<int>(template_.segments.size());
    template_.operations.push_back(operation(node, what));
    place_[node] = place;
    template_.segments.back().end = place + 1;
  }

  PassTemplate::Operation operation(int node, const Node& what) const {
    PassTemplate::Operation operation;
    for (const int input : graph_.inputs(node)) {
      if (layer_of_[input] != layer_of_[node]) {
        operation.waits_for_previous = true;
      } else if (!template_.operations[place_[input]].is_compute) {
        operation.waits.push_back(place_[input]);
      }
    }
    if (const auto* work = std::get_if<Operator>(&what.work)) {
      operation.is_compute = true;
      operation.work = work->work;
      operation.flops = work->flops();
      operation.bytes = work->bytes();
    } else if (const auto* collective = std::get_if<Collective>(&what.work)) {
      operation.axis = collective->axis;
      operation.op = collective->op;
      operation.fan_out = collective->fan_out;
      operation.bytes.base = collective->bytes.value;
    } else {
      const Message& message = std::get<Message>(what.work);
      operation.axis = Axis::kPipeline;
      operation.is_send = message.kind == Message::Kind::kSend;
    }
    if (spread_ != Spread::kEven && what.routed.of != Copies::kNone) {
      limit(what.routed, operation);
    }
    return operation;
  }

  // What a node that follows the copies does at least. The amounts of uniform routing are those of
  // the mean rank; of what its weights are read is unknown.
  void limit(const RoutedAmounts& routed, PassTemplate::Operation& operation) const {
    const bool counted = spread_ == Spread::kCounted && operation.is_compute;
    if (counted && routed.of == Copies::kSent) return;  // every rank sends all that it has
    const double copies = counted && routed.flops_per_copy.value > 0
                              ? operation.flops.base / routed.flops_per_copy.value
                              : 0;
    operation.of_group = operation.is_compute;
    operation.work = with_rows(operation.work, copies, std::min(copies, 1.0));
    operation.flops = {copies * routed.flops_per_copy.value, 0};
    operation.bytes = {copies * routed.bytes_per_copy.value, 0};
  }

  void repeat(int layer, int times) {
    for (std::size_t at = 0; at < segment_layer_.size(); ++at) {
      if (segment_layer_[at] == layer) template_.segments[at].repeat = times;
    }
  }

  const WorkloadGraph& graph_;
  const Spread spread_;
  PassTemplate template_;
  std::vector<int> place_;          // by node
  std::vector<int> layer_of_;       // by node: number of its segment
  std::vector<int> segment_layer_;  // by segment
  int layer_ = -1;
};

Seconds transfer_time(const PassTemplate::Operation& operation, PassPlace& place,
                      double dispatch_share) {
  if (place.transfers == nullptr || operation.axis == Axis::kPipeline) return {};
  const bool expert = operation.axis == Axis::kExpert;
  const bool back = operation.fan_out.back;
  const Bytes bytes{operation.bytes.base * (expert && !back ? dispatch_share : 1)};
  if (bytes.value <= 0) return {};
  std::vector<int>& profiles = place.profiles[{operation.axis, operation.op, back}];
  if (profiles.empty()) {
    const auto* const named = (*place.algorithms)[static_cast<int>(operation.op)];
    for (const std::vector<int>& gpus : expert ? place.expert_groups : place.tensor_groups) {
      const int profile = place.transfers->collective(operation.op, named, operation.fan_out, gpus);
      if (std::find(profiles.begin(), profiles.end(), profile) == profiles.end()) {
        profiles.push_back(profile);
      }
    }
  }
  Seconds least = place.transfers->time(profiles.front(), bytes);
  for (const int profile : profiles) least = std::min(least, place.transfers->time(profile, bytes));
  return least;
}

// Executes a template as a rank does: operators one after the other, transfers on two streams.
class PassClock {
 public:
  PassClock(const PassTemplate& pass, std::vector<double> durations)
      : pass_(pass), durations_(std::move(durations)), ends_(pass.operations.size(), 0) {}

  PassTime run() {
    for (const PassTemplate::Segment& segment : pass_.segments) {
      for (int repetition = 0; repetition < segment.repeat; ++repetition) {
        for (int at = segment.begin; at < segment.end; ++at) execute(at);
        previous_ = ends_[segment.end - 1];
      }
    }
    return {{clock_}, {send_}};
  }

 private:
  void execute(int at) {
    const PassTemplate::Operation& operation = pass_.operations[at];
    double start = clock_;
    if (operation.waits_for_previous) start = std::max(start, previous_);
    for (const int wait : operation.waits) start = std::max(start, ends_[wait]);
    if (operation.is_compute) {
      clock_ = ends_[at] = start + durations_[at];
    } else if (operation.is_send) {
      send_ = ends_[at] = start;
    } else {
      double& stream = streams_[operation.axis == Axis::kExpert ? 1 : 0];
      stream = ends_[at] = std::max(start, stream) + durations_[at];
    }
  }

  const PassTemplate& pass_;
  const std::vector<double> durations_;
  std::vector<double> ends_;
  std::array<double, 2> streams_{};
  double clock_ = 0;
  double previous_ = 0;
  double send_ = 0;
};

}  // namespace

Spread spread_of(const Plan& plan, const Model& model) {
  if (!routes_tokens(plan, model)) return Spread::kEven;
  return plan.capacity.limited || model.moe->shared_experts > 0 ? Spread::kUnknown
                                                                : Spread::kCounted;
}

const PassTemplate& PassTemplates::of(const Layout& layout, const PassShape& shape, Spread spread) {
  const Runs runs = runs_of(model_, shape.layers);
  const Key key(layout.tensor, layout.expert, expert_tensor_degree(layout),
                layout.sequence_parallel, shape.phase, shape.sequences, shape.prompt_tokens,
                shape.prompts, shape.group_tokens, shape.stage == 0,
                shape.stage + 1 == layout.pipeline, runs.dense, runs.experts,
                layers_differ(model_) ? shape.layers.first : 0, spread);
  std::unique_ptr<PassTemplate>& kept = kept_[key];
  if (kept == nullptr) kept = std::make_unique<PassTemplate>(build(layout, shape, spread));
  return *kept;
}

PassTemplate PassTemplates::build(const Layout& layout, const PassShape& shape,
                                  Spread spread) const {
  const Runs runs = runs_of(model_, shape.layers);
  PassShape shown = shape;
  shown.layers = shown_layers(model_, shape.layers, runs);
  const WorkloadGraph graph = build_pass(model_, layout, shown);
  return TemplateBuilder(graph, spread).build(model_, shown.layers, runs);
}

int TransferTimes::collective(CollectiveOp op, const CollectiveAlgorithm* named,
                              const FanOut& fan_out, const std::vector<int>& gpus) {
  const auto [at, is_new] = known_.try_emplace({static_cast<int>(op), named, fan_out.back, gpus});
  if (!is_new) return at->second;
  Endpoints endpoints;
  endpoints.gpus = gpus;
  endpoints.op = op;
  for (const int gpu : gpus) {
    endpoints.shape.domain.push_back(cluster_.platform().gpus[gpu].domain);
  }
  std::vector<const CollectiveAlgorithm*> algorithms = {named};
  if (named == nullptr) algorithms = candidates_for(op, endpoints.shape);
  Profile profile;
  for (const CollectiveAlgorithm* algorithm : algorithms) {
    endpoints.named = algorithm;
    profile.push_back(line(endpoints, fan_out));
  }
  return at->second = add(profile);
}

int TransferTimes::message(int from, int to) {
  constexpr int kMessage = -1;
  const auto [at, is_new] =
      known_.try_emplace({kMessage, nullptr, false, std::vector<int>{from, to}});
  if (!is_new) return at->second;
  Endpoints endpoints;
  endpoints.gpus = {from, to};
  endpoints.is_message = true;
  return at->second = add({line(endpoints, {})});
}

int TransferTimes::add(const Profile& profile) {
  const auto [at, is_new] = number_.try_emplace(profile, static_cast<int>(profiles_.size()));
  if (is_new) profiles_.push_back(profile);
  return at->second;
}

std::pair<double, double> TransferTimes::line(const Endpoints& endpoints, const FanOut& fan_out) {
  Transfer transfer;
  transfer.endpoints = endpoints_++;
  transfer.bytes.assign(endpoints.is_message ? 1 : endpoints.gpus.size(), Bytes{1});
  transfer.fan_out = fan_out;
  const TransferPath& path = paths_.of(transfer, endpoints);
  std::pair<double, double> line;
  for (const FlowPhase& phase : path.phases) {
    line.first += phase.latency.value;
    if (phase.volume > 0) line.second += phase.volume / phase.rate;
  }
  return line;
}

Seconds TransferTimes::time(int profile, Bytes bytes) const {
  double least = std::numeric_limits<double>::infinity();
  for (const auto& [latency, per_byte] : profiles_[profile]) {
    least = std::min(least, latency + bytes.value * per_byte);
  }
  return {least};
}

std::vector<PassTime> pass_times(const PassTemplate& pass, PassPlace& place, double dispatch_share,
                                 const std::vector<int>& steps) {
  const auto devices_of =
      [&](const PassTemplate::Operation& each) -> const std::vector<const DeviceRates*>& {
    return each.of_group ? place.of_group : place.devices;
  };
  std::vector<OperatorPrice> prices;  // of each operation on each of its devices
  prices.reserve(pass.operations.size() * std::max(place.devices.size(), place.of_group.size()));
  std::vector<double> durations;
  durations.reserve(pass.operations.size());
  for (const PassTemplate::Operation& each : pass.operations) {
    durations.push_back(each.is_compute ? 0 : transfer_time(each, place, dispatch_share).value);
    if (!each.is_compute) continue;
    for (const DeviceRates* device : devices_of(each)) {
      prices.emplace_back(cost_model().least, each.work, each.flops, each.bytes, *device);
    }
  }
  std::vector<PassTime> times;
  for (const int step : steps) {
    auto price = prices.begin();
    for (std::size_t at = 0; at < pass.operations.size(); ++at) {
      const PassTemplate::Operation& each = pass.operations[at];
      if (!each.is_compute) continue;
      Seconds least{std::numeric_limits<double>::infinity()};
      for (std::size_t device = 0; device < devices_of(each).size(); ++device, ++price) {
        // Ranks without copies launch nothing.
        least = std::min(least, each.of_group ? price->without_launch_at(step) : price->at(step));
      }
      durations[at] = least.value;
    }
    times.push_back(PassClock(pass, durations).run());
  }
  return times;
}

}  // namespace rehearse
