// SimGrid: every message of every round as a message of SimGrid's own network model (CM02). A
// second opinion on the exact level, from code that is not ours; costs an actor and a SimGrid
// communication per message, so use it up to a few hundred ranks. Three differences remain: CM02
// gives messages that share a link rates in inverse proportion to the sum of 1 / bandwidth over the
// links of their routes (so one that crosses more links gets less), what a protocol's cap holds
// back goes through the links as fast as they allow and then waits, and events within 1e-12 s are
// one.
#include <algorithm>
#include <limits>
#include <memory>

#include "network/levels/levels.hpp"

namespace rehearse {
namespace {

struct Outgoing {
  MemberMessage message;
  Seconds latency;
  BytesPerSecond cap;
};

// One transfer: what every member sends in each step, and what has arrived at each in each round.
struct Exchange {
  Transfer* transfer = nullptr;
  const Endpoints* endpoints = nullptr;
  Schedule schedule;
  Seconds lead;                                              // before the first message
  std::vector<std::vector<std::vector<Outgoing>>> outgoing;  // [member][step]
  std::vector<std::vector<int>> expected;                    // [member][step]
  std::vector<std::vector<int>> arrived;                     // [member][round]
  std::vector<int> waiting_actor;                            // by member; -1: not waiting
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
      const TransferPath& path = context_.paths.of(transfer, endpoints);
      const Seconds begin = transfer.start + path.lead(transfer.bytes[0]);
      const Outgoing message =
          outgoing({0, 1, transfer.bytes[0]}, endpoints, path.paces.front(), transfer.bytes[0]);
      context_.engine.spawn(endpoints.gpus[0], [=, this, &endpoints](int /*self*/) {
        context_.engine.sleep_until(begin);
        send(message, endpoints);
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
  // Looks up what needs more than an actor's stack.
  Outgoing outgoing(const MemberMessage& message, const Endpoints& endpoints, const StepPace& pace,
                    Bytes largest) {
    const double share = largest.value > 0 ? message.bytes / largest : 1;
    return {message, context_.paths.latency(message, endpoints, pace), {pace.cap * share}};
  }

  // SimGrid gives routes no latency here, and messages no cap: this waits for both.
  void send(const Outgoing& sent, const Endpoints& endpoints) {
    const std::vector<int>& at = endpoints.gpus;
    const MemberMessage& message = sent.message;
    const int via = message.via >= 0 ? at[message.via] : SimgridEngine::kNoGpu;
    context_.engine.sleep_until(context_.engine.now() + sent.latency);
    const Seconds start = context_.engine.now();
    context_.engine.send(at[message.from], at[message.to], via, message.bytes);
    context_.engine.sleep_until(start + message.bytes / sent.cap);
  }

  void start(Transfer& transfer, const Endpoints& endpoints) {
    const std::size_t n = endpoints.members.size();
    auto exchange = std::make_shared<Exchange>();
    exchange->transfer = &transfer;
    exchange->endpoints = &endpoints;
    const TransferPath& path = context_.paths.of(transfer, endpoints);
    exchange->schedule = context_.paths.schedule(path, transfer, endpoints);
    exchange->lead = path.lead(*std::max_element(transfer.bytes.begin(), transfer.bytes.end()));
    const std::size_t steps = exchange->schedule.size();
    exchange->outgoing.resize(n, std::vector<std::vector<Outgoing>>(steps));
    exchange->expected.resize(n, std::vector<int>(steps, 0));
    int rounds = 0;
    for (std::size_t step = 0; step < steps; ++step) {
      rounds += exchange->schedule[step].repeat;
      Bytes largest;
      for (const MemberMessage& message : exchange->schedule[step].messages) {
        largest = std::max(largest, message.bytes);
      }
      for (const MemberMessage& message : exchange->schedule[step].messages) {
        exchange->outgoing[message.from][step].push_back(
            outgoing(message, endpoints, path.paces[step], largest));
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
      context_.engine.sleep_until(exchange->transfer->start + exchange->lead);
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
    const std::vector<Outgoing>& messages = exchange->outgoing[member][step];
    auto unsent = std::make_shared<int>(static_cast<int>(messages.size()));
    for (const Outgoing& message : messages) {
      const std::vector<int>& gpus = exchange->endpoints->gpus;
      context_.engine.spawn(gpus[member], [=, this](int /*sender*/) {
        send(message, *exchange->endpoints);
        --*unsent;
        ++exchange->arrived[message.message.to][round];
        wake(*exchange, message.message.to);
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
