// How faithfully communication is simulated. A level is told when each member of a transfer is
// ready, and says when the member's part is complete. Adding a level: a file in levels/, a line in
// levels/table.cpp.
#pragma once

#include <memory>
#include <string_view>

#include "engine/simgrid_engine.hpp"
#include "network/paths.hpp"
#include "network/transfer.hpp"
#include "plan/plan.hpp"

namespace rehearse {

// Called on the main stack: what a completion sets off is more than an actor's stack can hold.
class TransferObserver {
 public:
  virtual ~TransferObserver() = default;
  virtual void all_complete(Transfer& transfer, Seconds end) = 0;
  virtual void member_complete(Transfer& transfer, int member, Seconds end) = 0;
};

// What a level works with; all of it outlives the level.
struct LevelContext {
  SimgridEngine& engine;
  FluidNetwork& network;
  Paths& paths;
  TransferObserver& observer;
};

// Where the fluid level may be too slow: a transfer of several rounds that contends spends all its
// latencies and then shares the links all the time, although in truth others have the links to
// themselves during its latencies. Sums over transfers and members.
struct NetworkDoubt {
  double transfers_s = 0;    // of all transfers, from start to end
  double may_overlap_s = 0;  // latencies of contending transfers, but for their first round's

  double share() const { return transfers_s > 0 ? may_overlap_s / transfers_s : 0; }
};
// Up to this share the fluid level is within 5 % of the exact one
// (tests/bench/contention_bench.cpp).
constexpr double kDoubtfulShare = 0.05;
// A transfer contends that takes so many times what it takes alone: more than rounding.
constexpr double kContends = 1.01;

class NetworkLevel : public EventSource {
 public:
  // Member `member` takes part from `ready` (>= now) on. Called once per member; `transfer.arrived`
  // and `transfer.start` already count it. A message has one member, its sender.
  virtual void arrive(Transfer& transfer, const Endpoints& endpoints, int member,
                      Seconds ready) = 0;
  virtual NetworkDoubt doubt() const { return {}; }
};

std::unique_ptr<NetworkLevel> make_network_level(NetworkLevelName name,
                                                 const LevelContext& context);
const char* to_text(NetworkLevelName name);  // "fluid", "exact", ...

}  // namespace rehearse
