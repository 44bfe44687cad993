// One forward pass of one micro-batch through one pipeline stage, as a DAG of operators and
// communication (Boost.Graph inside). Amounts only: FLOPs and bytes, never durations.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <variant>
#include <vector>

#include "base/units.hpp"
#include "layout/layout.hpp"
#include "model/operators.hpp"

namespace rehearse {

enum class CollectiveOp : std::uint8_t {
  kAllReduce,
  kAllGather,
  kReduceScatter,
  kAllToAll,
  kBroadcast,
  kReduce,
  kGather,
  kScatter,
  kBarrier,
  kCount
};
constexpr int kCollectiveOps = static_cast<int>(CollectiveOp::kCount);
const char* to_text(CollectiveOp op);  // "all_reduce", "all_gather", ... "barrier"

struct Collective {
  CollectiveOp op = CollectiveOp::kAllReduce;
  Axis axis = Axis::kTensor;
  Bytes bytes;   // this rank's send buffer (all_gather: its shard)
  Bytes result;  // receive buffer; zero when the collective works in place (all_reduce)
};

// A message between pipeline stages. The receiving side holds the bytes.
struct Message {
  enum class Kind : std::uint8_t { kSend, kReceive };
  Kind kind = Kind::kSend;
  int peer_stage = 0;
  Bytes bytes;
};

struct Node {
  std::string name;  // "qkv", "tp all_reduce"
  int layer = -1;    // model layer, -1 outside layers
  std::variant<Operator, Collective, Message> work;
};

class WorkloadGraph {
 public:
  WorkloadGraph();
  ~WorkloadGraph();
  WorkloadGraph(WorkloadGraph&&) noexcept;
  WorkloadGraph& operator=(WorkloadGraph&&) noexcept;

  // Adds a node that consumes the results of `inputs` (earlier nodes).
  int add(const Node& node, const std::vector<int>& inputs);

  int size() const;
  const Node& node(int index) const;
  std::vector<int> inputs(int index) const;  // ascending

  // Every node after its inputs; among several such orders the one closest to the order of
  // addition.
  std::vector<int> topological_order() const;

  // The most bytes of results that are alive at once when nodes run in `order`: a result lives from
  // its node to its last consumer; an in-place collective passes on its input's buffer.
  Bytes peak_live_bytes(const std::vector<int>& order) const;

  // One line per node in topological order: "#3 L0 qkv gemm flops=... bytes=... <- #2".
  std::string dump() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

enum class Phase : std::uint8_t { kPrefill, kDecode };
const char* to_text(Phase phase);  // "prefill", "decode"

// What enters a pass on one rank. `group_tokens` are the tokens of all replicas that share this
// rank's experts.
struct PassShape {
  Phase phase = Phase::kPrefill;
  int sequences = 0;  // of this replica's micro-batch; 0: the pass takes part in collectives only
  int prompt_tokens = 0;
  double group_tokens = 0;
  Share layers;  // of the stage
  int stage = 0;

  double tokens() const {
    return phase == Phase::kPrefill ? static_cast<double>(sequences) * prompt_tokens : sequences;
  }
  bool operator==(const PassShape& other) const;
};

WorkloadGraph build_pass(const Model& model, const Layout& layout, const PassShape& shape);

}  // namespace rehearse
