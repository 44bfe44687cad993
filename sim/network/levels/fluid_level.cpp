// Fluid: once all members are ready, each phase of a transfer first spends its latencies, then is
// one flow over all its links and shares them max-min fairly, message stream by message stream,
// with every other transfer.
#include <algorithm>

#include "network/levels/levels.hpp"
#include "network/levels/timers.hpp"

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
    flying.path = &context_.paths.of(transfer, endpoints);
    flying.largest = std::max_element(transfer.bytes.begin(), transfer.bytes.end())->value;
    flying.phase = 0;
    starts_.add(transfer.start + Seconds{flying.path->copy * flying.largest} +
                    flying.path->phases.front().latency,
                transfer.index);
  }

  Seconds next_event(Seconds now) override {
    return {std::min(starts_.next().value, context_.network.next_completion(now.value))};
  }

  void run_events(Seconds until) override {
    int index = 0;
    Seconds date;
    while (starts_.pop(until, index, date)) {
      const Flying& flying = flying_[index];
      const FlowPhase& phase = flying.path->phases[flying.phase];
      const double volume = phase.volume * flying.largest;
      if (volume > 0) {
        context_.network.start(phase.flow, volume, date.value, index);
      } else {
        finish_phase(index, date);
      }
    }
    while (context_.network.pop_completed(until.value, index, date.value)) {
      finish_phase(index, date);
    }
  }

  NetworkDoubt doubt() const override { return doubt_; }

 private:
  struct Flying {
    Transfer* transfer = nullptr;
    const TransferPath* path = nullptr;
    double largest = 0;  // send buffer, bytes
    std::size_t phase = 0;
  };

  void finish_phase(int index, Seconds date) {
    Flying& flying = flying_[index];
    if (++flying.phase < flying.path->phases.size()) {
      starts_.add(date + flying.path->phases[flying.phase].latency, index);
    } else {
      judge(flying, date);
      context_.observer.all_complete(*flying.transfer, date);
    }
  }

  void judge(const Flying& flying, Seconds end) {
    const double members = static_cast<double>(flying.transfer->bytes.size());
    const double seconds = (end - flying.transfer->start).value;
    doubt_.transfers_s += members * seconds;
    if (flying.path->later_latency.value > 0 &&
        seconds > kContends * flying.path->alone({flying.largest}).value) {
      doubt_.may_overlap_s += members * flying.path->later_latency.value;
    }
  }

  LevelContext context_;
  Timers starts_;
  std::vector<Flying> flying_;  // by the transfer's index
  NetworkDoubt doubt_;
};

}  // namespace

std::unique_ptr<NetworkLevel> make_fluid_level(const LevelContext& context) {
  return std::make_unique<FluidLevel>(context);
}

}  // namespace rehearse
