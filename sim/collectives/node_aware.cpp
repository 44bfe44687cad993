// Node-aware all-to-all: a token crosses to a domain (node) once, however many of its experts live
// there, to the member at the sender's own place (its rail), which passes it on inside. Results
// come back the same way, summed before they cross. This is DeepEP's internode dispatch and combine
// (github.com/deepseek-ai/DeepEP, csrc/kernels/internode.cu).
//
// What crosses of each byte is once_per_place() of the domain's share of the experts; with skewed
// loads it is taken as the same. Both hops run at once in small chunks (DeepEP sends 6 to 20 tokens
// at a time), so the last chunk's second hop is all that it adds: a latency.
//   time = 2 latency + max port load / bandwidth. With n members in d domains of g and equal
//   splits, the busiest port (crossing and inside share it where they are one) sends bytes / d x
//   [(d-1) x ratio + (d-1) (g-1) / g + (g-1) / g].
//
// rank_aware does the same inside: a token goes to a member once, however many of its experts live
// there, as DeepEP does; node_aware sends it there for each. In one domain a single hop is left.
#include <map>

#include "collectives/algorithms.hpp"
#include "collectives/domains.hpp"
#include "collectives/moe_traffic.hpp"

namespace rehearse {
namespace {

// Whether a token that several members of a domain need goes to each of them once, or once for each
// of its experts.
enum class Inside { kPerExpert, kPerMember };

// Messages by pair: several hops of a token between the same two members are one message.
class Exchange {
 public:
  Exchange(const GroupShape& group, const Buffers& buffers, Inside inside)
      : buffers_(buffers), domains_(members_by_domain(group)), members_(group.size()) {
    if (inside == Inside::kPerMember) {
      per_member_ = once_per_place(buffers.fan_out, 1.0 / group.size());
    }
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
      send(tokens_at, experts_at, copies * per_member_, back);
      return;
    }
    const int relay = domains_[there][place_of_[tokens_at]];
    const double share = static_cast<double>(domains_[there].size()) / members_;
    send(tokens_at, relay, copies * once_per_place(buffers_.fan_out, share), back);
    send(relay, experts_at, copies * per_member_, back);
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
    if (domains_.size() == 1) return all;
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
  int members_;
  double per_member_ = 1;  // of the copies for a member's experts
  std::vector<std::size_t> domain_of_;
  std::vector<std::size_t> place_of_;
  std::map<std::pair<int, int>, Bytes> bytes_;
};

Schedule schedule(const GroupShape& group, const Buffers& buffers, Inside inside) {
  Exchange exchange(group, buffers, inside);
  for (int tokens_at = 0; tokens_at < group.size(); ++tokens_at) {
    for (int experts_at = 0; experts_at < group.size(); ++experts_at) {
      if (tokens_at != experts_at) exchange.add(tokens_at, experts_at);
    }
  }
  Schedule both = {{1, exchange.messages()}};
  if (std::vector<MemberMessage> second = exchange.second_hop(); !second.empty()) {
    both.push_back({1, std::move(second)});
  }
  return both;
}

Seconds closed_form(const GroupShape& group, Bytes bytes, Seconds latency,
                    BytesPerSecond bandwidth) {
  const auto domains = static_cast<double>(members_by_domain(group).size());
  const double places = group.size() / domains;
  const double inside = (places - 1) / places;
  const Bytes busiest = bytes / domains * (domains - 1 + (domains - 1) * inside + inside);
  return latency * (places > 1 && domains > 1 ? 2 : 1) + busiest / bandwidth;
}

}  // namespace

const CollectiveAlgorithm kNodeAwareAllToAll = {
    "node_aware",
    CollectiveOp::kAllToAll,
    false,
    refusal_of_unequal_domains,
    [](const GroupShape& group, const Buffers& buffers) {
      return schedule(group, buffers, Inside::kPerExpert);
    },
    closed_form};

const CollectiveAlgorithm kRankAwareAllToAll = {
    "rank_aware",
    CollectiveOp::kAllToAll,
    false,
    [](const GroupShape& group) {
      const bool one_domain = members_by_domain(group).size() == 1;
      return one_domain ? std::string() : refusal_of_unequal_domains(group);
    },
    [](const GroupShape& group, const Buffers& buffers) {
      return schedule(group, buffers, Inside::kPerMember);
    },
    closed_form};

}  // namespace rehearse
