// Many messages at once, as loads on links: what routes() would give message by message, but summed
// over the ends and the zones they run between, so that a message costs a few additions.
#pragma once

#include <vector>

#include "cluster/cluster.hpp"

namespace rehearse {

struct LinkLoad {
  int link = 0;        // index in Cluster::links()
  double sum = 0;      // of the messages' weights
  double largest = 0;  // weight of one message
};

class LinkLoads {
 public:
  explicit LinkLoads(Cluster& cluster);

  // A message between two different GPUs. Throws as Cluster::route does.
  void add(int from, int to, double weight) {
    const int port = ports_of_[from] >= 0 && ports_of_[from] == ports_of_[to] ? 1 : 0;
    const int source = 2 * from + port;
    const int target = 2 * to + port;
    Run& run = runs_[source];
    if (run.pair < 0 || composed_.zone_of(target) != run.zone ||
        !composed_.ends_as(target, run.in)) {
      if (!begin_run(source, target)) {
        add_looked_up(from, to, weight);
        return;
      }
    }
    run.weight.add(weight);
    in_.add(target).add(weight);
  }

  struct Sum {
    std::vector<LinkLoad> links;  // ascending
    Seconds latency;              // of the slowest route
  };
  // Of everything added since the last call; good until the next.
  const Sum& take();

 private:
  struct Weight {
    double sum = 0;
    double largest = 0;
    void add(double weight) { add(Weight{weight, weight}); }
    void add(const Weight& other) {
      sum += other.sum;
      if (other.largest > largest) largest = other.largest;
    }
  };
  // Weights by some index, and which indices have one.
  struct Weights {
    std::vector<Weight> by_index;
    std::vector<int> used;
    std::vector<char> is_used;
    void resize(std::size_t size);
    Weight& add(int index) {
      if (is_used[index] == 0) {
        is_used[index] = 1;
        used.push_back(index);
      }
      return by_index[index];
    }
    void clear();
  };

  // The last messages of one sender, as far as they go into one zone.
  struct Run {
    int zone = ComposedRoutes::kNoZone;
    int in = 0;     // links of each receiver alone
    int pair = -1;  // -1: there are none
    Weight weight;
  };
  bool begin_run(int source, int target);  // false: the route has to be looked up
  void end_run(int source);
  void add_looked_up(int from, int to, double weight);

  void add_links(const Weight& weight, const int* first, const int* last);

  Cluster& cluster_;
  const ComposedRoutes& composed_;
  std::vector<int> ports_of_;  // by GPU: domain in which it has a port, -1: none
  Weights out_;                // by end
  Weights in_;
  Weights between_;           // by pair of zones
  Weights links_;             // by link: routes that were looked up, and the final sums
  std::vector<Run> runs_;     // by end: senders take turns where messages are passed on
  std::vector<int> senders_;  // those that have had one
  Seconds latency_;
  Sum sum_;
};

}  // namespace rehearse
