#include "cluster/bisection.hpp"

#include <algorithm>
#include <boost/graph/adjacency_list.hpp>
#include <boost/graph/push_relabel_max_flow.hpp>
#include <cmath>
#include <cstdlib>
#include <map>
#include <set>
#include <utility>

namespace rehearse {
namespace {

// Integers: with doubles, push-relabel's own check of its flow fails by rounding.
using Capacity = std::int64_t;

using Traits = boost::adjacency_list_traits<boost::vecS, boost::vecS, boost::directedS>;
using Network = boost::adjacency_list<
    boost::vecS, boost::vecS, boost::directedS, boost::no_property,
    boost::property<
        boost::edge_capacity_t, Capacity,
        boost::property<boost::edge_residual_capacity_t, Capacity,
                        boost::property<boost::edge_reverse_t, Traits::edge_descriptor>>>>;

int cut_of(const Platform& platform) {
  const int count = static_cast<int>(platform.gpus.size());
  const int middle = count / 2;
  int best = middle;
  int distance = count;
  for (int at = 1; at < count; ++at) {
    const bool border = platform.gpus[at - 1].domain != platform.gpus[at].domain;
    if (border && std::abs(at - middle) < distance) {
      best = at;
      distance = std::abs(at - middle);
    }
  }
  return best;
}

// What the routes of the sample cross, by index in Cluster::links().
struct Sample {
  std::set<std::pair<int, int>> steps;  // from link to link; -1: a GPU
  std::map<int, int> routes_over;
  std::int64_t routes = 0;

  void add(const Route& route) {
    int before = -1;
    for (const int link : route.links) {
      steps.emplace(before, link);
      ++routes_over[link];
      before = link;
    }
    steps.emplace(before, -1);
    ++routes;
  }
};

Sample sample_routes(Cluster& cluster, int cut) {
  constexpr int kAllPairs = 128;
  constexpr int kPartners = 16;
  const int count = static_cast<int>(cluster.platform().gpus.size());
  const int behind = count - cut;
  const int partners = count <= kAllPairs ? behind : std::min(kPartners, behind);
  Sample sample;
  // Every GPU of the larger half takes part.
  for (int i = 0; i < std::max(cut, behind); ++i) {
    for (int j = 0; j < partners; ++j) {
      sample.add(cluster.route(i % cut, cut + (i + j) % behind));
      if (count <= kAllPairs && i >= cut) break;
    }
  }
  return sample;
}

class FlowNetwork {
 public:
  // Vertices: source, sink, and per link the side it is entered from and the one it is left by.
  explicit FlowNetwork(std::size_t links) : network_(2 + 2 * links) {}

  void add(std::size_t from, std::size_t to, Capacity capacity) {
    const auto forth = boost::add_edge(from, to, network_).first;
    const auto back = boost::add_edge(to, from, network_).first;
    boost::put(boost::edge_capacity, network_, forth, capacity);
    boost::put(boost::edge_capacity, network_, back, Capacity{0});
    boost::put(boost::edge_reverse, network_, forth, back);
    boost::put(boost::edge_reverse, network_, back, forth);
  }
  Capacity maximum() { return boost::push_relabel_max_flow(network_, 0, 1); }

 private:
  Network network_;
};

}  // namespace

Bisection measure_bisection(Cluster& cluster) {
  Bisection bisection;
  bisection.cut = cut_of(cluster.platform());
  const Sample sample = sample_routes(cluster, bisection.cut);
  bisection.routes = sample.routes;

  const auto entered = [](int link) { return link < 0 ? 1U : 2U + 2U * link; };
  const auto left = [](int link) { return link < 0 ? 0U : 3U + 2U * link; };
  const auto capacity_of = [&](int index, int routes) {
    const Link& link = cluster.links()[index];
    return link.bandwidth.value * (link.shared ? 1 : routes);
  };
  double all = 0;
  for (const auto& [index, routes] : sample.routes_over) all += capacity_of(index, routes);
  constexpr double kRange = 1e18;  // of the sum of all capacities, so that no excess overflows
  const double unit = all / kRange;

  FlowNetwork network(cluster.links().size());
  for (const auto& [index, routes] : sample.routes_over) {
    network.add(entered(index), left(index), std::llround(capacity_of(index, routes) / unit));
  }
  // A step carries no more than the links it joins (and a GPU's no more than its link), so that all
  // capacities out of the source together stay within the range.
  for (const auto& [from, to] : sample.steps) {
    const auto of = [&](int link) {
      return link < 0 ? all : capacity_of(link, sample.routes_over.at(link));
    };
    network.add(left(from), entered(to), std::llround(std::min(of(from), of(to)) / unit));
  }
  bisection.bandwidth = {static_cast<double>(network.maximum()) * unit};
  return bisection;
}

}  // namespace rehearse
