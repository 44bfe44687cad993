// Node-aware all-to-all: a token crosses to a domain (node) once, however many of its experts live
// there, to the member at the sender's own place (its rail), which passes it on inside. Results
// come back the same way, summed before they cross. This is DeepEP's internode dispatch and combine
// (github.com/deepseek-ai/DeepEP, csrc/kernels/internode.cu).
//
// A token has k experts among E. A domain that holds e of them gets it with probability
// 1 - C(E - e, k) / C(E, k) when all choices of k are equally likely; k e / E copies of it would go
// there otherwise. The ratio of the two is what crosses of each byte; with skewed loads it is taken
// as the same. Both hops run at once in small chunks (DeepEP sends 6 to 20 tokens at a time), so
// the last chunk's second hop is all that it adds: a latency.
//   time = 2 latency + max port load / bandwidth. With n members in d domains of g and equal
//   splits, the busiest port (crossing and inside share it where they are one) sends bytes / d x
//   [(d-1) x ratio + (d-1) (g-1) / g + (g-1) / g].
#include <cmath>
#include <map>

#include "collectives/algorithms.hpp"
#include "collectives/domains.hpp"

namespace rehearse {
namespace {

// What crosses per byte of copies to a domain that holds `share` of the experts.
double crossing_ratio(const FanOut& fan_out, double share) {
  const double here = share * fan_out.experts;
  double missed = 1;  // C(E - e, k) / C(E, k), factor by factor
  for (int choice = 0; choice < fan_out.experts_per_token; ++choice) {
    missed *= std::max(0.0, fan_out.experts - here - choice) / (fan_out.experts - choice);
  }
  return (1 - missed) / (fan_out.experts_per_token * share);
}

double ratio_of(const GroupShape& group, const FanOut& fan_out, std::size_t members_there) {
  if (fan_out.experts_per_token == 1) return 1;
  return crossing_ratio(fan_out, static_cast<double>(members_there) / group.size());
}

// Messages by pair: several hops of a token between the same two members are one message.
class Exchange {
 public:
  Exchange(const GroupShape& group, const Buffers& buffers)
      : buffers_(buffers), domains_(members_by_domain(group)), group_(group) {
    domain_of_.resize(group.size());
    place_of_.resize(group.size());
    for (std::size_t domain = 0; domain < domains_.size(); ++domain) {
      for (std::size_t place = 0; place < domains_[domain].size(); ++place) {
        domain_of_[domains_[domain][place]] = domain;
        place_of_[domains_[domain][place]] = place;
      }
    }
  }

  // `tokens_at` is where the tokens live, `experts_at` where their experts do.
  void add(int tokens_at, int experts_at) {
    const bool back = buffers_.fan_out.back;
    const Bytes copies =
        back ? buffers_.part(experts_at, tokens_at) : buffers_.part(tokens_at, experts_at);
    const std::size_t there = domain_of_[experts_at];
    if (there == domain_of_[tokens_at]) {
      send(tokens_at, experts_at, copies, back);
      return;
    }
    const int relay = domains_[there][place_of_[tokens_at]];
    send(tokens_at, relay, copies * ratio_of(group_, buffers_.fan_out, domains_[there].size()),
         back);
    send(relay, experts_at, copies, back);
  }

  std::vector<MemberMessage> messages() const {
    std::vector<MemberMessage> all;
    all.reserve(bytes_.size());
    for (const auto& [pair, bytes] : bytes_) all.push_back({pair.first, pair.second, bytes});
    return all;
  }

  // One message inside to each member, from the one before it: what the second hop waits for.
  std::vector<MemberMessage> second_hop() const {
    std::vector<MemberMessage> all;
    for (const std::vector<int>& members : domains_) {
      for (std::size_t place = 0; members.size() > 1 && place < members.size(); ++place) {
        all.push_back({members[place], members[(place + 1) % members.size()], Bytes{}});
      }
    }
    return all;
  }

 private:
  void send(int from, int to, Bytes bytes, bool back) {
    if (from == to) return;
    bytes_[back ? std::pair(to, from) : std::pair(from, to)] += bytes;
  }

  const Buffers& buffers_;
  std::vector<std::vector<int>> domains_;
  const GroupShape& group_;
  std::vector<std::size_t> domain_of_;
  std::vector<std::size_t> place_of_;
  std::map<std::pair<int, int>, Bytes> bytes_;
};

Schedule schedule(const GroupShape& group, const Buffers& buffers) {
  Exchange exchange(group, buffers);
  for (int tokens_at = 0; tokens_at < group.size(); ++tokens_at) {
    for (int experts_at = 0; experts_at < group.size(); ++experts_at) {
      if (tokens_at != experts_at) exchange.add(tokens_at, experts_at);
    }
  }
  Schedule both = {{1, exchange.messages()}};
  if (std::vector<MemberMessage> inside = exchange.second_hop(); !inside.empty()) {
    both.push_back({1, std::move(inside)});
  }
  return both;
}

}  // namespace

const CollectiveAlgorithm kNodeAwareAllToAll = {
    "node_aware",
    CollectiveOp::kAllToAll,
    false,
    refusal_of_unequal_domains,
    schedule,
    [](const GroupShape& group, Bytes bytes, Seconds latency, BytesPerSecond bandwidth) {
      const auto domains = static_cast<double>(members_by_domain(group).size());
      const double places = group.size() / domains;
      const double inside = (places - 1) / places;
      const Bytes busiest = bytes / domains * (domains - 1 + (domains - 1) * inside + inside);
      return latency * (places > 1 ? 2 : 1) + busiest / bandwidth;
    }};

}  // namespace rehearse
