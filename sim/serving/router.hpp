// Which replica a request goes to, when it arrives.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "serving/scheduler.hpp"

namespace rehearse::serving {

// A replica as a router sees it, at the date of the arrival.
struct ReplicaView {
  Scheduler* scheduler = nullptr;
};

class Router {
 public:
  virtual ~Router() = default;
  virtual int choose(int request, std::span<const ReplicaView> replicas) = 0;
};

struct RouterKind {
  std::string_view name;
  bool reads_memory = false;  // not only how many wait and run
  std::unique_ptr<Router> (*make)(const EngineSettings& settings) = nullptr;
};

// round_robin   in turns (Dynamo's default)
// least_loaded  least 4 x waiting + running, the first from a start that moves on (vLLM's front end
//               of data-parallel engines; its counters, which are 100 ms old, are current here)
// prefix_aware  least blocks still to prefill, less those in the cache, + blocks in use (Dynamo's
//               kv router, overlap weight 1, temperature 0)
std::span<const RouterKind* const> routers();
const RouterKind* router_named(std::string_view name);  // nullptr: there is none
std::string names_of_routers();

}  // namespace rehearse::serving
