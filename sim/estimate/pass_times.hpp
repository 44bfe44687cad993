// How long one pass of a micro-batch through a pipeline stage takes at least, alone on its ranks.
#pragma once

#include <map>
#include <memory>
#include <tuple>
#include <vector>

#include "cost/cost_model.hpp"
#include "graph/workload_graph.hpp"
#include "layout/layout.hpp"
#include "model/model.hpp"
#include "network/paths.hpp"
#include "plan/plan.hpp"

namespace rehearse {

// What is known of where tokens go before anybody counts them.
enum class Spread {
  kEven,     // routing is uniform: everything
  kCounted,  // all copies of the group's tokens are computed by some of its ranks, and until the
             // last of them is ready nobody gets results
  kUnknown   // not even that: copies may be dropped; or others may be ready although the rank
             // itself is not (shared experts)
};
Spread spread_of(const Plan& plan, const Model& model);

// What a stage executes for one micro-batch, each run of equal layers written down once or twice.
struct PassTemplate {
  struct Operation {
    bool is_compute = false;
    Work work;  // compute
    Amount flops;
    Amount bytes;  // compute: memory traffic; communication: send buffer
    Axis axis = Axis::kTensor;
    CollectiveOp op = CollectiveOp::kAllReduce;
    FanOut fan_out;
    bool of_group = false;            // compute: the mean of the expert group's ranks, at least
    bool is_send = false;             // to the next stage: ends the pass's critical path
    std::vector<int> waits;           // communication that must be over, as indices in the template
    bool waits_for_previous = false;  // for the end of the layer before
  };
  // Operations [begin, end) executed `repeat` times; the layers of a stage one after the other.
  struct Segment {
    int begin = 0;
    int end = 0;
    int repeat = 1;
  };
  std::vector<Operation> operations;
  std::vector<Segment> segments;
  Bytes activation_peak;
};

// Builds templates; those of one model and layout are kept.
class PassTemplates {
 public:
  explicit PassTemplates(const Model& model) : model_(model) {}
  // `shape.layers` are the stage's.
  const PassTemplate& of(const Layout& layout, const PassShape& shape, Spread spread);

 private:
  PassTemplate build(const Layout& layout, const PassShape& shape, Spread spread) const;
  // tensor, expert, expert tensor, sequence parallel, phase, sequences, prompt length, prompts
  // where they differ, group tokens, first stage, last stage, dense layers, layers with experts,
  // first layer where layers are stored in different ways, spread
  using Key = std::tuple<int, int, int, bool, Phase, int, int, std::vector<int>, double, bool, bool,
                         int, int, int, Spread>;
  const Model& model_;
  std::map<Key, std::unique_ptr<PassTemplate>> kept_;
};

// Times of transfers that have the network to themselves: what the fluid and the analytic level
// need at least.
class TransferTimes {
 public:
  explicit TransferTimes(Cluster& cluster) : cluster_(cluster), paths_(cluster, network_, {}) {}

  // How long a collective over these GPUs takes by the size of every member's buffer, as a number
  // for time(); equal numbers, equal times. `named`: the algorithm that the plan names, or nullptr.
  int collective(CollectiveOp op, const CollectiveAlgorithm* named, const FanOut& fan_out,
                 const std::vector<int>& gpus);
  int message(int from, int to);
  Seconds time(int profile, Bytes bytes) const;

 private:
  // latency + bytes x per_byte, for each algorithm that may be chosen; the fastest is.
  using Profile = std::vector<std::pair<double, double>>;
  int add(const Profile& profile);
  std::pair<double, double> line(const Endpoints& endpoints, const FanOut& fan_out);

  Cluster& cluster_;
  FluidNetwork network_;
  Paths paths_;
  int endpoints_ = 0;
  // operation (-1: a message), algorithm, direction of an all_to_all, GPUs
  using Key = std::tuple<int, const CollectiveAlgorithm*, bool, std::vector<int>>;
  std::map<Key, int> known_;
  std::map<Profile, int> number_;
  std::vector<Profile> profiles_;
};

// Where the passes of one stage run: on one replica, or on the best of several.
struct PassPlace {
  // Kinds of devices: of the stage's ranks, and of any rank that may share the group's work. Each
  // operator counts as on the fastest of them.
  std::vector<const DeviceRates*> devices;
  std::vector<const DeviceRates*> of_group;
  // By replica: its tensor and its expert group, in the order of their members.
  std::vector<std::vector<int>> tensor_groups;
  std::vector<std::vector<int>> expert_groups;
  const std::array<const CollectiveAlgorithm*, kCollectiveOps>* algorithms = nullptr;
  TransferTimes* transfers = nullptr;  // nullptr: communication counts nothing
  // By axis, operation and direction: the different profiles of the groups, as they are needed.
  std::map<std::tuple<Axis, CollectiveOp, bool>, std::vector<int>> profiles;
};

struct PassTime {
  Seconds compute;  // from the begin to the end of the last operator
  Seconds send;     // from the begin to when the activations can leave
};
// At each of `steps`. `dispatch_share`: the smallest send buffer of the expert group over the
// replica's own.
std::vector<PassTime> pass_times(const PassTemplate& pass, PassPlace& place, double dispatch_share,
                                 const std::vector<int>& steps);

}  // namespace rehearse
