// Each GPU sends to one other of its domain and to one of another; whoever sends through a link, or
// receives, has it on the first half, or the second, of the route.
#include "commands/link_places.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace rehearse {
namespace {

constexpr int kSeveral = -2;

// Domains are 0 and up; a GPU without one is alone.
int domain_of(const Platform& platform, int gpu) {
  const int domain = platform.gpus[gpu].domain;
  return domain >= 0 ? domain : -3 - gpu;
}

}  // namespace

LinkPlaces::LinkPlaces(Cluster& cluster, const std::vector<int>& gpus) : cluster_(cluster) {
  const Platform& platform = cluster.platform();
  for (std::size_t at = 0; at < gpus.size(); ++at) {
    const int own = domain_of(platform, gpus[at]);
    for (const bool in_domain : {true, false}) {
      for (std::size_t step = 1; step < gpus.size(); ++step) {
        const int other = gpus[(at + step) % gpus.size()];
        if ((domain_of(platform, other) == own) != in_domain) continue;
        add_route(gpus[at], other, in_domain);
        break;
      }
    }
  }
}

void LinkPlaces::add_route(int from, int to, bool in_domain) {
  const std::vector<int> links = cluster_.route(from, to).links;
  const std::size_t half = links.size() / 2;
  for (std::size_t at = 0; at < links.size(); ++at) {
    (in_domain ? inside_ : across_).insert(links[at]);
    if (at < half) {
      Users& users = out_[links[at]];
      users.gpus.insert(from);
      if (!in_domain && at + 1 < half) users.next = links[at + 1];
    }
    if (at >= links.size() - half) in_[links[at]].gpus.insert(to);
  }
}

int LinkPlaces::only_domain(const Users& users) const {
  const Platform& platform = cluster_.platform();
  const int first = domain_of(platform, *users.gpus.begin());
  const bool one = std::all_of(users.gpus.begin(), users.gpus.end(),
                               [&](int gpu) { return domain_of(platform, gpu) == first; });
  return one ? first : kSeveral;
}

std::vector<int> LinkPlaces::of_one_domain(const std::vector<int>& links,
                                           const UsersOfLinks& users) const {
  std::vector<int> found;
  int domain = kSeveral;
  for (const int link : links) {
    const auto at = users.find(link);
    if (at == users.end()) continue;
    const int own = only_domain(at->second);
    if (own == kSeveral) continue;
    if (found.empty()) domain = own;
    const bool alike = found.empty() || cluster_.links()[link].bandwidth ==
                                            cluster_.links()[found.front()].bandwidth;
    if (own == domain && alike) found.push_back(link);
  }
  return found;
}

std::string LinkPlaces::text_of(const std::vector<int>& links, const UsersOfLinks& users) const {
  const Link& first = cluster_.links()[links.front()];
  const Users& users_of_first = users.at(links.front());
  const bool of_gpu = users_of_first.gpus.size() == 1;
  const bool only_inside = inside(links.front()) && !across_.contains(links.front());
  if (only_inside && of_gpu) {
    return fmt::format("the scale-up port of a GPU: {}", to_text(first.bandwidth));
  }
  if (inside(links.front())) {
    return fmt::format("{} of a {}: {}", first.name, of_gpu ? "GPU" : "server",
                       to_text(first.bandwidth));
  }
  const auto next = users.find(users_of_first.next);
  if (next != users.end() && only_domain(next->second) != kSeveral &&
      next->second.gpus.size() > users_of_first.gpus.size()) {
    return fmt::format("{}, a GPU's link to its NIC: {}", first.name, to_text(first.bandwidth));
  }
  const double count = static_cast<double>(links.size());
  return fmt::format("{} x {:.4g}G NIC{} of a server: {}", links.size(),
                     first.bandwidth.value * 8 / 1e9, links.size() == 1 ? "" : "s",
                     to_text(first.bandwidth * count));
}

std::string LinkPlaces::text(const std::vector<int>& links) const {
  const std::vector<int> outwards = of_one_domain(links, out_);
  if (!outwards.empty()) return text_of(outwards, out_);
  const std::vector<int> inwards = of_one_domain(links, in_);
  if (!inwards.empty()) return text_of(inwards, in_) + ", inwards";
  const Link& first = cluster_.links()[links.front()];
  return fmt::format("{}, which several servers share: {}", first.name, to_text(first.bandwidth));
}

}  // namespace rehearse
