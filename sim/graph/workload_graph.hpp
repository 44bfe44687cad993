// One forward pass of one micro-batch through one pipeline stage, as a DAG of operators and
// communication. Amounts only: FLOPs and bytes, never durations.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <span>
#include <string>
#include <variant>
#include <vector>

#include "base/units.hpp"
#include "collectives/operation.hpp"
#include "layout/layout.hpp"
#include "model/operators.hpp"
#include "model/slice.hpp"

namespace rehearse {

struct Collective {
  CollectiveOp op = CollectiveOp::kAllReduce;
  Axis axis = Axis::kTensor;
  Bytes bytes;          // this rank's send buffer (all_gather: its shard)
  Bytes result;         // receive buffer; zero when the collective works in place (all_reduce)
  FanOut fan_out = {};  // of an all_to_all
};

// A message between pipeline stages. The receiving side holds the bytes.
struct Message {
  enum class Kind : std::uint8_t { kSend, kReceive };
  Kind kind = Kind::kSend;
  int peer_stage = 0;
  Bytes bytes;
};

// How a node follows the copies of tokens on its rank where routing is not uniform (the node's own
// amounts are those of uniform routing): what it computes and moves for each copy, and for each of
// the rank's experts that gets at least one.
enum class Copies : std::uint8_t {
  kNone,
  kSent,      // of the rank's own tokens
  kComputed,  // for the rank's experts
};
struct RoutedAmounts {
  Copies of = Copies::kNone;
  Flops flops_per_copy;
  Bytes fixed_bytes;
  Bytes bytes_per_copy;
  Bytes bytes_per_expert;
  Copies result_of = Copies::kNone;  // kNone: the result is the node's own
  Bytes result_per_copy;
};

struct Node {
  std::string name;  // "qkv", "tp all_reduce"
  int layer = -1;    // model layer, -1 outside layers
  std::variant<Operator, Collective, Message> work;
  RoutedAmounts routed = {};
};

// Live results at one place of a pass: fixed + per copy x copies.
struct LiveBytes {
  Bytes fixed;
  Bytes per_sent;
  Bytes per_computed;

  Bytes with(double sent, double computed) const {
    return fixed + per_sent * sent + per_computed * computed;
  }
};

// Nodes in the order in which a rank executes them, each with the earlier ones whose results it
// consumes.
class WorkloadGraph {
 public:
  int add(Node node, std::initializer_list<int> inputs);

  int size() const { return static_cast<int>(nodes_.size()); }
  const Node& node(int index) const { return nodes_[index]; }
  std::span<const int> inputs(int index) const {  // ascending, each once
    return std::span(inputs_).subspan(first_input_[index],
                                      first_input_[index + 1] - first_input_[index]);
  }

  // The most bytes of results that are alive at once: a result lives from its node to its last
  // consumer; an in-place collective passes on its input's buffer.
  Bytes peak_live_bytes() const;
  // The same where routing is not uniform: the places that may have the most, of which none is
  // below another in all three amounts. Copies are those of one layer: no two layers have copies at
  // once.
  std::vector<LiveBytes> peak_live_copies() const;

  // One line per node: "#3 L0 qkv gemm flops=... bytes=... <- #2".
  std::string dump() const;

 private:
  // What is alive while each node runs; by_copies: routed results apart.
  std::vector<LiveBytes> live_bytes(bool by_copies) const;

  std::vector<Node> nodes_;
  std::vector<int> inputs_;             // of all nodes, one after the other
  std::vector<int> first_input_ = {0};  // by node, and the end
};

// What enters a pass on one rank.
struct PassShape {
  // Of this replica's micro-batch. Without sequences the pass takes part in collectives only.
  std::vector<Slice> slices;
  bool grows = false;       // called step after step, each time behind contexts a token longer
  StepRange steps;          // in these, and none else
  double group_tokens = 0;  // of all replicas that share this rank's experts
  Share layers;             // of the stage
  int stage = 0;
  // `layers` are those of a prediction: a token is drafted for each sequence, on the last stage.
  bool drafts = false;
  bool host = false;  // the plan's engine takes time of the host before it
  // That of a mixed pass, for so many requests that begin in it; below 0: for all, unless it grows.
  double begin = -1;

  double tokens() const { return tokens_of(slices); }
  double sequences() const { return sequences_of(slices); }
  // Tokens that the head scores.
  double scored() const { return drafts ? sequences() : scored_of(slices); }
  // Requests begin where they are prefilled.
  double begin_for_host() const {
    if (!host) return 0;
    return begin >= 0 ? begin : grows ? 0 : sequences();
  }
};

WorkloadGraph build_pass(const Model& model, const Layout& layout, const PassShape& shape);
// The same with only these of its layers, one after the other.
WorkloadGraph build_pass(const Model& model, const Layout& layout, const PassShape& shape,
                         const std::vector<int>& layers);

}  // namespace rehearse
