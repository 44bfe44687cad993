#include "serving/router.hpp"

#include <algorithm>
#include <array>

namespace rehearse::serving {
namespace {

class RoundRobin : public Router {
 public:
  int choose(int /*request*/, std::span<const ReplicaView> replicas) override {
    const std::size_t chosen = next_;
    next_ = (next_ + 1) % replicas.size();
    return static_cast<int>(chosen);
  }

 private:
  std::size_t next_ = 0;
};

// The least of the costs, the first of equal ones from `start` on.
template <class Cost>
std::size_t least(std::size_t start, std::size_t replicas, const Cost& cost) {
  std::size_t best = start % replicas;
  auto lowest = cost(best);
  for (std::size_t at = 1; at < replicas; ++at) {
    const std::size_t replica = (start + at) % replicas;
    const auto its = cost(replica);
    if (its < lowest) {
      lowest = its;
      best = replica;
    }
  }
  return best;
}

class LeastLoaded : public Router {
 public:
  int choose(int /*request*/, std::span<const ReplicaView> replicas) override {
    const std::size_t chosen = least(start_, replicas.size(), [&](std::size_t replica) {
      const Load load = replicas[replica].scheduler->load();
      return 4LL * load.waiting + load.running;
    });
    start_ = (start_ + 1) % replicas.size();
    return static_cast<int>(chosen);
  }

 private:
  std::size_t start_ = 0;
};

class PrefixAware : public Router {
 public:
  explicit PrefixAware(const EngineSettings& settings) : block_(settings.block_tokens) {}

  int choose(int request, std::span<const ReplicaView> replicas) override {
    return static_cast<int>(least(0, replicas.size(), [&](std::size_t replica) {
      Scheduler& its = *replicas[replica].scheduler;
      // The request's own tokens are the same everywhere: what is in the cache is what differs.
      return (its.prompt_tokens_left() - its.cached_tokens(request)) / block_ + its.used_blocks();
    }));
  }

 private:
  const std::int64_t block_;
};

template <class Kind>
std::unique_ptr<Router> make(const EngineSettings& /*settings*/) {
  return std::make_unique<Kind>();
}

std::unique_ptr<Router> make_prefix_aware(const EngineSettings& settings) {
  return std::make_unique<PrefixAware>(settings);
}

constexpr RouterKind kRoundRobin = {"round_robin", false, make<RoundRobin>};
constexpr RouterKind kLeastLoaded = {"least_loaded", false, make<LeastLoaded>};
constexpr RouterKind kPrefixAware = {"prefix_aware", true, make_prefix_aware};
constexpr std::array kRouters = {&kRoundRobin, &kLeastLoaded, &kPrefixAware};

}  // namespace

std::span<const RouterKind* const> routers() { return kRouters; }

const RouterKind* router_named(std::string_view name) {
  const auto* const found = std::find_if(
      kRouters.begin(), kRouters.end(), [&](const RouterKind* each) { return each->name == name; });
  return found == kRouters.end() ? nullptr : *found;
}

std::string names_of_routers() {
  std::string names;
  for (const RouterKind* each : kRouters) {
    names += names.empty() ? "" : " ";
    names += each->name;
  }
  return names;
}

}  // namespace rehearse::serving
