// Fluid: once all members are ready, a transfer first spends its latencies, then is one flow over
// all its links and shares them max-min fairly, message stream by message stream, with every other
// transfer.
#include <algorithm>

#include "replay/levels/levels.hpp"
#include "replay/levels/timers.hpp"

namespace rehearse {
namespace {

class FluidLevel : public NetworkLevel {
 public:
  explicit FluidLevel(const LevelContext& context) : context_(context) {}

  void arrive(Transfer& transfer, const Endpoints& endpoints, int /*member*/,
              Seconds /*ready*/) override {
    if (transfer.arrived < static_cast<int>(transfer.bytes.size())) return;
    if (transfer.index >= static_cast<int>(flying_.size())) flying_.resize(transfer.index + 1);
    Flying& flying = flying_[transfer.index];
    flying.transfer = &transfer;
    flying.path = &context_.paths.of(transfer, endpoints, flying.volume);
    starts_.add(transfer.start + flying.path->latency, transfer.index);
  }

  Seconds next_event(Seconds now) override {
    return {std::min(starts_.next().value, context_.network.next_completion(now.value))};
  }

  void run_events(Seconds until) override {
    int index = 0;
    Seconds date;
    while (starts_.pop(until, index, date)) {
      const Flying& flying = flying_[index];
      if (flying.volume > 0) {
        context_.network.start(flying.path->flow, flying.volume, date.value, index);
      } else {
        context_.observer.all_complete(*flying.transfer, date);
      }
    }
    while (context_.network.pop_completed(until.value, index, date.value)) {
      context_.observer.all_complete(*flying_[index].transfer, date);
    }
  }

 private:
  struct Flying {
    Transfer* transfer = nullptr;
    const TransferPath* path = nullptr;
    double volume = 0;
  };
  LevelContext context_;
  Timers starts_;
  std::vector<Flying> flying_;  // by the transfer's index
};

}  // namespace

std::unique_ptr<NetworkLevel> make_fluid_level(const LevelContext& context) {
  return std::make_unique<FluidLevel>(context);
}

}  // namespace rehearse
