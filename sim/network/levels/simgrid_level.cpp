// SimGrid: every message of every round as a message of SimGrid's own network model (CM02). A
// second opinion on the exact level, from code that is not ours; costs an actor and a SimGrid
// communication per message, so use it up to a few hundred ranks. Two differences remain: CM02
// gives messages that share a link rates in inverse proportion to the sum of 1 / bandwidth over the
// links of their routes (so one that crosses more links gets less), and events within 1e-12 s are
// one.
#include <limits>
#include <memory>

#include "network/levels/levels.hpp"

namespace rehearse {
namespace {

// One transfer: what every member sends in each step, and what has arrived at each in each round.
struct Exchange {
  Transfer* transfer = nullptr;
  const Endpoints* endpoints = nullptr;
  Schedule schedule;
  std::vector<std::vector<std::vector<MemberMessage>>> outgoing;  // [member][step]
  std::vector<std::vector<int>> expected;                         // [member][step]
  std::vector<std::vector<int>> arrived;                          // [member][round]
  std::vector<int> waiting_actor;                                 // by member; -1: not waiting
};

class SimgridLevel : public NetworkLevel {
 public:
  explicit SimgridLevel(const LevelContext& context) : context_(context) {}

  void arrive(Transfer& transfer, const Endpoints& endpoints, int /*member*/,
              Seconds /*ready*/) override {
    // The sizes of the messages depend on every member's buffer, so all start when the last member
    // is ready, as in the other levels: an early member's first messages are not sent ahead.
    if (transfer.arrived < static_cast<int>(transfer.bytes.size())) return;
    Transfer* const at = &transfer;
    if (endpoints.is_message) {
      context_.engine.spawn(endpoints.gpus[0], [this, at, &endpoints](int /*self*/) {
        wait_for_launch(*at, endpoints);
        context_.engine.send(endpoints.gpus[0], endpoints.gpus[1], at->bytes[0]);
        context_.engine.on_main_stack(
            [&] { context_.observer.all_complete(*at, context_.engine.now()); });
      });
      return;
    }
    start(transfer, endpoints);
  }

  Seconds next_event(Seconds /*now*/) override { return {std::numeric_limits<double>::infinity()}; }
  void run_events(Seconds /*until*/) override {}

 private:
  void wait_for_launch(const Transfer& transfer, const Endpoints& endpoints) {
    context_.engine.sleep_until(transfer.start + context_.paths.launch(endpoints));
  }

  void start(Transfer& transfer, const Endpoints& endpoints) {
    const std::size_t n = endpoints.members.size();
    auto exchange = std::make_shared<Exchange>();
    exchange->transfer = &transfer;
    exchange->endpoints = &endpoints;
    exchange->schedule = context_.paths.of(transfer, endpoints)
                             .algorithm->schedule(endpoints.shape, transfer.buffers());
    const std::size_t steps = exchange->schedule.size();
    exchange->outgoing.resize(n, std::vector<std::vector<MemberMessage>>(steps));
    exchange->expected.resize(n, std::vector<int>(steps, 0));
    int rounds = 0;
    for (std::size_t step = 0; step < steps; ++step) {
      rounds += exchange->schedule[step].repeat;
      for (const MemberMessage& message : exchange->schedule[step].messages) {
        exchange->outgoing[message.from][step].push_back(message);
        ++exchange->expected[message.to][step];
      }
    }
    exchange->arrived.resize(n, std::vector<int>(rounds, 0));
    exchange->waiting_actor.resize(n, -1);
    for (std::size_t member = 0; member < n; ++member) {
      spawn_member(exchange, static_cast<int>(member));
    }
  }

  void spawn_member(const std::shared_ptr<Exchange>& exchange, int member) {
    context_.engine.spawn(exchange->endpoints->gpus[member], [this, exchange, member](int self) {
      wait_for_launch(*exchange->transfer, *exchange->endpoints);
      int round = 0;
      for (std::size_t step = 0; step < exchange->schedule.size(); ++step) {
        for (int time = 0; time < exchange->schedule[step].repeat; ++time) {
          run_round(exchange, member, step, round++, self);
        }
      }
      context_.engine.on_main_stack([&] {
        context_.observer.member_complete(*exchange->transfer, member, context_.engine.now());
      });
    });
  }

  // Sends this round's messages at once and returns when they have left and those to this member
  // have arrived.
  void run_round(const std::shared_ptr<Exchange>& exchange, int member, std::size_t step, int round,
                 int self) {
    const std::vector<MemberMessage>& messages = exchange->outgoing[member][step];
    auto unsent = std::make_shared<int>(static_cast<int>(messages.size()));
    for (const MemberMessage& message : messages) {
      const std::vector<int>& gpus = exchange->endpoints->gpus;
      context_.engine.spawn(gpus[member],
                            [this, exchange, member, round, message, unsent, self](int /*sender*/) {
                              const std::vector<int>& at = exchange->endpoints->gpus;
                              context_.engine.send(at[message.from], at[message.to], message.bytes);
                              --*unsent;
                              ++exchange->arrived[message.to][round];
                              wake(*exchange, message.to);
                              if (exchange->waiting_actor[member] == self) wake(*exchange, member);
                            });
    }
    while (*unsent > 0 || exchange->arrived[member][round] < exchange->expected[member][step]) {
      exchange->waiting_actor[member] = self;
      context_.engine.suspend_self();
    }
  }

  void wake(Exchange& exchange, int member) {
    const int actor = exchange.waiting_actor[member];
    exchange.waiting_actor[member] = -1;
    if (actor >= 0) context_.engine.resume(actor);
  }

  LevelContext context_;
};

}  // namespace

std::unique_ptr<NetworkLevel> make_simgrid_level(const LevelContext& context) {
  return std::make_unique<SimgridLevel>(context);
}

}  // namespace rehearse
