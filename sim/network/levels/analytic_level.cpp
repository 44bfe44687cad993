// Analytic: a transfer takes as long as it would alone on the network, its own messages sharing
// links among themselves (so an all-to-all does not ignore its injection bandwidth); transfers do
// not slow each other.
#include <algorithm>

#include "network/levels/levels.hpp"
#include "network/levels/timers.hpp"

namespace rehearse {
namespace {

class AnalyticLevel : public NetworkLevel {
 public:
  explicit AnalyticLevel(const LevelContext& context) : context_(context) {}

  void arrive(Transfer& transfer, const Endpoints& endpoints, int /*member*/,
              Seconds /*ready*/) override {
    if (transfer.arrived < static_cast<int>(transfer.bytes.size())) return;
    const Bytes largest = *std::max_element(transfer.bytes.begin(), transfer.bytes.end());
    const Seconds alone = context_.paths.of(transfer, endpoints).alone(largest);
    if (transfer.index >= static_cast<int>(flying_.size())) flying_.resize(transfer.index + 1);
    flying_[transfer.index] = &transfer;
    ends_.add(transfer.start + alone, transfer.index);
  }

  Seconds next_event(Seconds /*now*/) override { return ends_.next(); }

  void run_events(Seconds until) override {
    int transfer = 0;
    Seconds date;
    while (ends_.pop(until, transfer, date)) {
      context_.observer.all_complete(*flying_[transfer], date);
    }
  }

 private:
  LevelContext context_;
  Timers ends_;
  std::vector<Transfer*> flying_;  // by index
};

}  // namespace

std::unique_ptr<NetworkLevel> make_analytic_level(const LevelContext& context) {
  return std::make_unique<AnalyticLevel>(context);
}

}  // namespace rehearse
