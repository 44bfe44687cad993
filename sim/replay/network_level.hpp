// How faithfully communication is simulated. A level is told when each member of a transfer is
// ready, and says when the member's part is complete. Adding a level: a file in levels/, a line in
// levels/table.cpp.
#pragma once

#include <memory>
#include <string_view>

#include "layout/plan.hpp"
#include "replay/paths.hpp"
#include "replay/simgrid_engine.hpp"
#include "replay/transfer.hpp"

namespace rehearse {

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

class NetworkLevel : public EventSource {
 public:
  // Member `member` takes part from `ready` (>= now) on. Called once per member; `transfer.arrived`
  // and `transfer.start` already count it. A message has one member, its sender.
  virtual void arrive(Transfer& transfer, const Endpoints& endpoints, int member,
                      Seconds ready) = 0;
};

std::unique_ptr<NetworkLevel> make_network_level(NetworkLevelName name,
                                                 const LevelContext& context);
const char* to_text(NetworkLevelName name);  // "fluid", "exact", "analytic"

}  // namespace rehearse
