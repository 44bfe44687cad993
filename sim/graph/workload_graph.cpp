#include "graph/workload_graph.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <boost/graph/adjacency_list.hpp>
#include <queue>

#include "base/error.hpp"

namespace rehearse {
namespace {

using Dag = boost::adjacency_list<boost::vecS, boost::vecS, boost::bidirectionalS, Node>;

Bytes result_of(const Node& node) {
  if (const auto* op = std::get_if<Operator>(&node.work)) return op->result;
  if (const auto* collective = std::get_if<Collective>(&node.work)) return collective->result;
  const Message& message = std::get<Message>(node.work);
  return message.kind == Message::Kind::kReceive ? message.bytes : Bytes{};
}

bool works_in_place(const Node& node) {
  const auto* collective = std::get_if<Collective>(&node.work);
  return collective != nullptr && collective->op == CollectiveOp::kAllReduce;
}

std::string describe(const Node& node) {
  if (const auto* op = std::get_if<Operator>(&node.work)) {
    const Amount bytes = op->bytes();
    std::string text = fmt::format("{} flops={:.0f} bytes={:.0f}", to_text(op->op_class),
                                   op->flops.base, bytes.base);
    if (bytes.per_step != 0) {
      text +=
          fmt::format(" per_step: flops={:.0f} bytes={:.0f}", op->flops.per_step, bytes.per_step);
    }
    return text + fmt::format(" weights={:.0f} result={:.0f}", op->weights.value, op->result.value);
  }
  if (const auto* collective = std::get_if<Collective>(&node.work)) {
    return fmt::format("{} over {} bytes={:.0f}", to_text(collective->op),
                       to_text(collective->axis), collective->bytes.value);
  }
  const Message& message = std::get<Message>(node.work);
  return fmt::format("{} stage {} bytes={:.0f}",
                     message.kind == Message::Kind::kSend ? "send to" : "receive from",
                     message.peer_stage, message.bytes.value);
}

}  // namespace

struct WorkloadGraph::State {
  Dag dag;
};

WorkloadGraph::WorkloadGraph() : state_(std::make_unique<State>()) {}
WorkloadGraph::~WorkloadGraph() = default;
WorkloadGraph::WorkloadGraph(WorkloadGraph&&) noexcept = default;
WorkloadGraph& WorkloadGraph::operator=(WorkloadGraph&&) noexcept = default;

const char* to_text(Phase phase) { return phase == Phase::kPrefill ? "prefill" : "decode"; }

bool PassShape::operator==(const PassShape& other) const {
  return phase == other.phase && sequences == other.sequences &&
         prompt_tokens == other.prompt_tokens && prompts == other.prompts &&
         group_tokens == other.group_tokens && layers.first == other.layers.first &&
         layers.count == other.layers.count && stage == other.stage;
}

int WorkloadGraph::add(const Node& node, const std::vector<int>& inputs) {
  Dag& dag = state_->dag;
  const auto added = boost::add_vertex(node, dag);
  for (const int input : inputs) {
    SIM_CHECK(input >= 0 && input < static_cast<int>(added), "a node consumes a later one");
    if (!boost::edge(input, added, dag).second) boost::add_edge(input, added, dag);
  }
  return static_cast<int>(added);
}

int WorkloadGraph::size() const { return static_cast<int>(boost::num_vertices(state_->dag)); }

const Node& WorkloadGraph::node(int index) const { return state_->dag[index]; }

std::vector<int> WorkloadGraph::inputs(int index) const {
  std::vector<int> result;
  for (const auto& edge : boost::make_iterator_range(boost::in_edges(index, state_->dag))) {
    result.push_back(static_cast<int>(boost::source(edge, state_->dag)));
  }
  std::sort(result.begin(), result.end());
  return result;
}

std::vector<int> WorkloadGraph::topological_order() const {
  // Kahn's algorithm with the smallest index first: boost::topological_sort orders ties by
  // depth-first finish, which would move a pass's collectives away from where the builder put them.
  const Dag& dag = state_->dag;
  std::vector<int> missing(size());
  std::priority_queue<int, std::vector<int>, std::greater<>> ready;
  for (int index = 0; index < size(); ++index) {
    missing[index] = static_cast<int>(boost::in_degree(index, dag));
    if (missing[index] == 0) ready.push(index);
  }
  std::vector<int> order;
  while (!ready.empty()) {
    const int index = ready.top();
    ready.pop();
    order.push_back(index);
    for (const auto& edge : boost::make_iterator_range(boost::out_edges(index, dag))) {
      const int next = static_cast<int>(boost::target(edge, dag));
      if (--missing[next] == 0) ready.push(next);
    }
  }
  SIM_CHECK(static_cast<int>(order.size()) == size(), "the workload graph has a cycle");
  return order;
}

std::vector<LiveBytes> WorkloadGraph::live_bytes(const std::vector<int>& order,
                                                 bool by_copies) const {
  std::vector<int> buffer(size());        // the node whose result a node's output lives in
  std::vector<int> last_use(size(), -1);  // by buffer: position in order of the last consumer
  for (int position = 0; position < static_cast<int>(order.size()); ++position) {
    const int index = order[position];
    const std::vector<int> from = inputs(index);
    buffer[index] = works_in_place(node(index)) && !from.empty() ? buffer[from.back()] : index;
    last_use[buffer[index]] = position;
    for (const int input : from) last_use[buffer[input]] = position;
  }
  std::vector<std::vector<int>> dying(order.size());
  for (int index = 0; index < size(); ++index) {
    if (buffer[index] == index) dying[last_use[index]].push_back(index);
  }
  LiveBytes live;
  std::vector<LiveBytes> places;
  const auto change = [&](int index, double sign) {
    const Node& at = node(index);
    const Copies copies = by_copies ? at.routed.result_of : Copies::kNone;
    if (copies == Copies::kNone) live.fixed += sign * result_of(at);
    if (copies == Copies::kSent) live.per_sent += sign * at.routed.result_per_copy;
    if (copies == Copies::kComputed) live.per_computed += sign * at.routed.result_per_copy;
  };
  for (std::size_t position = 0; position < order.size(); ++position) {
    const int index = order[position];
    if (buffer[index] == index) change(index, 1);
    places.push_back(live);
    for (const int dead : dying[position]) change(dead, -1);
  }
  return places;
}

Bytes WorkloadGraph::peak_live_bytes(const std::vector<int>& order) const {
  Bytes peak;
  for (const LiveBytes& place : live_bytes(order, false)) peak = std::max(peak, place.fixed);
  return peak;
}

std::vector<LiveBytes> WorkloadGraph::peak_live_copies(const std::vector<int>& order) const {
  std::vector<LiveBytes> peaks;
  const auto below = [](const LiveBytes& a, const LiveBytes& b) {
    return a.fixed <= b.fixed && a.per_sent <= b.per_sent && a.per_computed <= b.per_computed;
  };
  for (const LiveBytes& place : live_bytes(order, true)) {
    const auto covers = [&](const LiveBytes& peak) { return below(place, peak); };
    if (std::any_of(peaks.begin(), peaks.end(), covers)) continue;
    std::erase_if(peaks, [&](const LiveBytes& peak) { return below(peak, place); });
    peaks.push_back(place);
  }
  return peaks;
}

std::string WorkloadGraph::dump() const {
  std::string text;
  for (const int index : topological_order()) {
    const Node& at = node(index);
    const std::string layer = at.layer < 0 ? "" : fmt::format("L{} ", at.layer);
    std::string from;
    for (const int input : inputs(index)) from += fmt::format(" #{}", input);
    text += fmt::format("#{} {}{}: {}{}\n", index, layer, at.name, describe(at),
                        from.empty() ? "" : " <-" + from);
  }
  return text;
}

}  // namespace rehearse
