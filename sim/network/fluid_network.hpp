// Flows that share links, as fluids: weighted max-min fair rates (Bertsekas and Gallager, Data
// Networks, 6.5.2, by progressive filling), solved again only in the connected component of flows
// and links that changed. No SimGrid here.
#pragma once

#include <cstdint>
#include <functional>
#include <limits>
#include <utility>
#include <vector>

#include "base/inline_vector.hpp"
#include "base/run_queue.hpp"
#include "base/units.hpp"

namespace rehearse {

// A flow at rate r (bytes per second of each of its streams) uses r x streams of the link's
// bandwidth.
struct LinkShare {
  int link = 0;
  double streams = 1;

  bool operator==(const LinkShare&) const = default;
};

// What a flow crosses. Shared by all flows of a communicator; must outlive them.
struct FlowPath {
  std::vector<LinkShare> links;  // shared links, each once
  double rate_cap =
      0;  // bytes per second of a stream on the links that are not shared (FATPIPE); infinity: none
  double alone_rate = 0;  // rate when no other flow is there: min(rate_cap, bandwidth / streams)
};

class FluidNetwork {
 public:
  int add_link(BytesPerSecond bandwidth);
  int links() const { return static_cast<int>(links_.size()); }
  // Bytes of all flows that have been started over the link.
  Bytes carried(int link) const { return {links_[link].carried}; }
  // Told what each flow carried over each link while its rate stayed the same: link, from, to,
  // bytes.
  using Observer = std::function<void(int, double, double, double)>;
  void observe(Observer observer) { observer_ = std::move(observer); }
  // Fills alone_rate from links and rate_cap. REQUIRES: at least one link or a finite cap.
  void finish_path(FlowPath& path) const;

  // `volume` bytes per stream from `now` on, at most `cap` of them a second; `owner` comes back in
  // pop_completed.
  void start(const FlowPath& path, double volume, double now, int owner,
             double cap = std::numeric_limits<double>::infinity());

  // Date of the next completion, infinity without flows. Solves what changed since the last call.
  double next_completion(double now);

  // Takes out a flow that is complete at `until`; false when there is none. Solve (next_completion)
  // first.
  bool pop_completed(double until, int& owner, double& date);

 private:
  struct Flow {
    const FlowPath* path = nullptr;
    double remaining = 0;  // at `since`
    double rate = 0;
    double alone_rate = 0;  // the path's, within its own cap
    double since = 0;
    int owner = 0;
    std::uint32_t version = 0;
    bool active = false;
    bool visited = false;
    bool fixed = false;
    // By path link: index in Link::flows. Of a message: two ports, or two NICs and a switch or two.
    InlineVector<int, 4> places;
  };
  struct FlowOnLink {
    int flow = 0;
    int share = 0;  // index in the flow's path
  };
  struct Link {
    double bandwidth = 0;
    InlineVector<FlowOnLink, 2> flows;
    double demand = 0;  // of all flows, each at the rate it would have alone
    double carried = 0;
    double left = 0;  // progressive filling: bandwidth not yet given, streams not yet fixed
    double streams = 0;
    bool dirty = false;
    bool visited = false;

    // A link with room for all that its flows could ever want limits none of them, and does not
    // join them into one component.
    bool is_tight() const { return demand > bandwidth * (1 + 1e-12); }
  };
  struct Completion {
    double date = 0;
    std::uint64_t order = 0;  // in which they were expected
    int flow = 0;
    std::uint32_t version = 0;
    bool operator<(const Completion& other) const {
      return date > other.date || (date == other.date && order > other.order);
    }
  };

  void add_to_links(int flow);
  void remove_from_links(int flow);
  void mark_dirty(int link);
  void solve(double now);
  void collect_component(int link);
  void fill_component(double now);
  int tightest_link();
  void fix_flows_of(int link, double rate, double now);
  void change_rate(int flow, double rate, double now);
  void report(const Flow& flow, double until) const;

  std::vector<Flow> flows_;
  std::vector<int> free_flows_;
  std::vector<Link> links_;
  std::vector<int> dirty_;
  std::vector<int> component_flows_;
  std::vector<int> component_links_;
  std::vector<std::pair<double, int>> by_fair_share_;  // of the component's links; a heap
  RunQueue<Completion> completions_;
  std::uint64_t expected_ = 0;  // completions so far
  Observer observer_;
};

}  // namespace rehearse
