#include "graph/workload_graph.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/error.hpp"

namespace rehearse {
namespace {

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
    const Amount flops = op->flops();
    const Amount bytes = op->bytes();
    std::string text =
        fmt::format("{} flops={:.0f} bytes={:.0f}", to_text(op->op_class), flops.base, bytes.base);
    if (bytes.per_step != 0) {
      text += fmt::format(" per_step: flops={:.0f} bytes={:.0f}", flops.per_step, bytes.per_step);
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

int WorkloadGraph::add(Node node, std::initializer_list<int> inputs) {
  const int added = size();
  const auto begin = static_cast<std::ptrdiff_t>(inputs_.size());
  for (const int input : inputs) {
    SIM_CHECK(input >= 0 && input < added, "a node consumes a later one");
    inputs_.push_back(input);
  }
  std::sort(inputs_.begin() + begin, inputs_.end());
  inputs_.erase(std::unique(inputs_.begin() + begin, inputs_.end()), inputs_.end());
  first_input_.push_back(static_cast<int>(inputs_.size()));
  nodes_.push_back(std::move(node));
  return added;
}

std::vector<LiveBytes> WorkloadGraph::live_bytes(bool by_copies) const {
  std::vector<int> buffer(size());    // the node whose result a node's output lives in
  std::vector<int> last_use(size());  // by buffer: the last consumer
  for (int index = 0; index < size(); ++index) {
    const std::span<const int> from = inputs(index);
    buffer[index] = works_in_place(nodes_[index]) && !from.empty() ? buffer[from.back()] : index;
    last_use[buffer[index]] = index;
    for (const int input : from) last_use[buffer[input]] = index;
  }
  std::vector<std::pair<int, int>> deaths;  // last use, buffer
  for (int index = 0; index < size(); ++index) {
    if (buffer[index] == index) deaths.emplace_back(last_use[index], index);
  }
  std::sort(deaths.begin(), deaths.end());
  LiveBytes live;
  std::vector<LiveBytes> places;
  const auto change = [&](int index, double sign) {
    const Node& at = node(index);
    const Copies copies = by_copies ? at.routed.result_of : Copies::kNone;
    if (copies == Copies::kNone) live.fixed += sign * result_of(at);
    if (copies == Copies::kSent) live.per_sent += sign * at.routed.result_per_copy;
    if (copies == Copies::kComputed) live.per_computed += sign * at.routed.result_per_copy;
  };
  auto death = deaths.begin();
  for (int index = 0; index < size(); ++index) {
    if (buffer[index] == index) change(index, 1);
    places.push_back(live);
    for (; death != deaths.end() && death->first == index; ++death) change(death->second, -1);
  }
  return places;
}

Bytes WorkloadGraph::peak_live_bytes() const {
  Bytes peak;
  for (const LiveBytes& place : live_bytes(false)) peak = std::max(peak, place.fixed);
  return peak;
}

std::vector<LiveBytes> WorkloadGraph::peak_live_copies() const {
  std::vector<LiveBytes> peaks;
  const auto below = [](const LiveBytes& a, const LiveBytes& b) {
    return a.fixed <= b.fixed && a.per_sent <= b.per_sent && a.per_computed <= b.per_computed;
  };
  for (const LiveBytes& place : live_bytes(true)) {
    const auto covers = [&](const LiveBytes& peak) { return below(place, peak); };
    if (std::any_of(peaks.begin(), peaks.end(), covers)) continue;
    std::erase_if(peaks, [&](const LiveBytes& peak) { return below(peak, place); });
    peaks.push_back(place);
  }
  return peaks;
}

std::string WorkloadGraph::dump() const {
  std::string text;
  for (int index = 0; index < size(); ++index) {
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
