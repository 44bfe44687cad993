// SimGrid boundary 1: a platform XML loaded into SimGrid. One Cluster per process (SimGrid's clock
// and engine are static).
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "platform/platform.hpp"

namespace rehearse {

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
  Route route(int from, int to);

 private:
  friend Cluster load_cluster(const std::string& path);
  struct State;
  explicit Cluster(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

// Checks the file first (check_platform_xml), then loads it into SimGrid with the network
// configuration of this project (CM02, no TCP effects; see configure_simgrid in cluster.cpp).
// Throws InputError with the place in the file.
Cluster load_cluster(const std::string& path);

}  // namespace rehearse
