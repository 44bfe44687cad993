// SimGrid boundary 1: a platform XML loaded into SimGrid. One Cluster per process (SimGrid's clock
// and engine are static).
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "cluster/composed_routes.hpp"
#include "cluster_xml/resources.hpp"
#include "platform/gpus_at.hpp"
#include "platform/platform.hpp"

namespace rehearse {

// The stack of a SimGrid actor; resident. The replay's actors use less than half of it
// (tests/replay/actor_stack_test.cpp), and several times as much under AddressSanitizer.
#ifdef __SANITIZE_ADDRESS__
constexpr int kActorStackKiB = 256;
#else
constexpr int kActorStackKiB = 12;
#endif

class Cluster {
 public:
  Cluster(Cluster&&) noexcept;
  Cluster& operator=(Cluster&&) = delete;
  ~Cluster();

  const Platform& platform() const;
  // Every link met by route() so far; indices are stable.
  const std::vector<Link>& links() const;
  // Every link of the file, sorted by name; a SPLITDUPLEX link is two.
  std::vector<Link> all_links() const;
  // Route between two different GPUs (indices in Platform::gpus). GPUs of one scale-up domain go
  // through the scale-up fabric, others through the scale-out fabric or the file's own routes.
  // Throws InputError when the file has no route.
  // The result is good until the next call.
  const Route& route(int from, int to);
  // The same, always looked up in SimGrid; slower. route() must agree with it.
  Route route_in_simgrid(int from, int to);
  // What route() has learnt. Ends: 2 x GPU is its host, 2 x GPU + 1 its port.
  const ComposedRoutes& composed() const;

 private:
  friend Cluster load_cluster(const std::string& path, const Faster& faster,
                              const std::vector<GpusAt>& gpus_at);
  struct State;
  explicit Cluster(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

// Checks the file first (check_platform_xml), then loads it into SimGrid with the network
// configuration of this project (CM02, no TCP effects; see configure_simgrid in cluster.cpp).
// Throws InputError with the place in the file. `faster`: with one resource of the file faster, on
// every network level: the devices' rates and the bandwidths of SimGrid's links are set after
// loading.
Cluster load_cluster(const std::string& path, const Faster& faster = {},
                     const std::vector<GpusAt>& gpus_at = {});

}  // namespace rehearse
