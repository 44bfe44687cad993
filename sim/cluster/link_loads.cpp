#include "cluster/link_loads.hpp"

#include <algorithm>

namespace rehearse {

void LinkLoads::Weights::resize(std::size_t size) {
  by_index.resize(size);
  is_used.resize(size, 0);
}

void LinkLoads::Weights::clear() {
  for (const int index : used) {
    by_index[index] = {};
    is_used[index] = 0;
  }
  used.clear();
}

LinkLoads::LinkLoads(Cluster& cluster) : cluster_(cluster), composed_(cluster.composed()) {
  const std::vector<Gpu>& gpus = cluster.platform().gpus;
  ports_of_.reserve(gpus.size());
  for (const Gpu& gpu : gpus) ports_of_.push_back(gpu.port.empty() ? -1 : gpu.domain);
  out_.resize(2 * gpus.size());
  in_.resize(2 * gpus.size());
  const auto zones = static_cast<std::size_t>(composed_.zones());
  between_.resize(zones * zones);
  runs_.resize(2 * gpus.size());
}

bool LinkLoads::begin_run(int source, int target) {
  end_run(source);
  if (!composed_.knows(source, target)) return false;
  const int pair = composed_.pair_of_zones(source, target);
  runs_[source] = {composed_.zone_of(target), composed_.between(pair).in, pair, {}};
  senders_.push_back(source);
  return true;
}

void LinkLoads::add_looked_up(int from, int to, double weight) {
  const Route& route = cluster_.route(from, to);
  latency_ = std::max(latency_, route.latency);
  Weight one;
  one.add(weight);
  add_links(one, route.links.data(), route.links.data() + route.links.size());
}

void LinkLoads::end_run(int source) {
  Run& run = runs_[source];
  if (run.pair < 0) return;
  out_.add(source).add(run.weight);
  between_.add(run.pair).add(run.weight);
  run = {};
}

void LinkLoads::add_links(const Weight& weight, const int* first, const int* last) {
  if (links_.by_index.size() < cluster_.links().size()) links_.resize(cluster_.links().size());
  for (; first != last; ++first) links_.add(*first).add(weight);
}

const LinkLoads::Sum& LinkLoads::take() {
  for (const int source : senders_) end_run(source);
  senders_.clear();
  for (const int end : out_.used) {
    const auto links = composed_.out_of(end);
    add_links(out_.by_index[end], links.data(), links.data() + links.size());
  }
  for (const int end : in_.used) {
    const auto links = composed_.into(end);
    add_links(in_.by_index[end], links.data(), links.data() + links.size());
  }
  for (const int pair : between_.used) {
    const ComposedRoutes::Between& between = composed_.between(pair);
    latency_ = std::max(latency_, between.latency);
    add_links(between_.by_index[pair], between.middle.data(),
              between.middle.data() + between.middle.size());
  }
  std::sort(links_.used.begin(), links_.used.end());
  sum_.links.clear();
  for (const int link : links_.used) {
    sum_.links.push_back({link, links_.by_index[link].sum, links_.by_index[link].largest});
  }
  sum_.latency = latency_;
  for (Weights* weights : {&out_, &in_, &between_, &links_}) weights->clear();
  latency_ = {};
  return sum_;
}

}  // namespace rehearse
