// Exact: every message of every round as a message of SimGrid's own network model (CM02). The
// reference for the other levels; costs an actor and a SimGrid communication per message, so use it
// up to a few hundred ranks.
#include <limits>
#include <memory>

#include "replay/levels/levels.hpp"

namespace rehearse {
namespace {

// Messages that have arrived at each member of one transfer, by round.
struct Inbox {
  std::vector<std::vector<int>> expected;  // [member][round]
  std::vector<std::vector<int>> arrived;
  std::vector<int> waiting_actor;  // -1: not waiting
};

class ExactLevel : public NetworkLevel {
 public:
  explicit ExactLevel(const LevelContext& context) : context_(context) {}

  void arrive(Transfer& transfer, const Endpoints& endpoints, int /*member*/,
              Seconds /*ready*/) override {
    // The sizes of the messages depend on every member's buffer, so all start when the last member
    // is ready, as in the other levels: an early member's first messages are not sent ahead.
    if (transfer.arrived < static_cast<int>(transfer.bytes.size())) return;
    Transfer* const at = &transfer;
    if (endpoints.algorithm == nullptr) {
      context_.engine.spawn(endpoints.members[0], [this, at, &endpoints](int /*self*/) {
        wait_for_launch(*at, endpoints);
        context_.engine.send(endpoints.members[0], endpoints.members[1], at->bytes[0]);
        context_.observer.all_complete(*at, context_.engine.now());
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
    const int n = static_cast<int>(endpoints.members.size());
    auto inbox = std::make_shared<Inbox>();
    auto rounds = std::make_shared<std::vector<Rounds>>();
    for (int member = 0; member < n; ++member) {
      rounds->push_back(endpoints.algorithm->rounds(member, transfer.bytes));
    }
    const std::size_t count = rounds->front().size();
    inbox->expected.assign(n, std::vector<int>(count, 0));
    inbox->arrived = inbox->expected;
    inbox->waiting_actor.assign(n, -1);
    for (const Rounds& of_member : *rounds) {
      for (std::size_t round = 0; round < count; ++round) {
        for (const MemberMessage& message : of_member[round]) {
          ++inbox->expected[message.to][round];
        }
      }
    }
    for (int member = 0; member < n; ++member) {
      spawn_member(transfer, endpoints, member, inbox, rounds);
    }
  }

  void spawn_member(Transfer& transfer, const Endpoints& endpoints, int member,
                    const std::shared_ptr<Inbox>& inbox,
                    const std::shared_ptr<std::vector<Rounds>>& rounds) {
    Transfer* const at = &transfer;
    context_.engine.spawn(endpoints.members[member],
                          [this, at, &endpoints, member, inbox, rounds](int self) {
                            wait_for_launch(*at, endpoints);
                            const Rounds& mine = (*rounds)[member];
                            for (int round = 0; round < static_cast<int>(mine.size()); ++round) {
                              run_round(endpoints, member, round, mine[round], inbox, self);
                            }
                            context_.observer.member_complete(*at, member, context_.engine.now());
                          });
  }

  // Sends this round's messages at once and returns when they have left and those to this member
  // have arrived.
  void run_round(const Endpoints& endpoints, int member, int round,
                 const std::vector<MemberMessage>& messages, const std::shared_ptr<Inbox>& inbox,
                 int self) {
    auto unsent = std::make_shared<int>(static_cast<int>(messages.size()));
    for (const MemberMessage& message : messages) {
      context_.engine.spawn(endpoints.members[member], [this, &endpoints, member, round, message,
                                                        inbox, unsent, self](int /*sender*/) {
        context_.engine.send(endpoints.members[member], endpoints.members[message.to],
                             message.bytes);
        --*unsent;
        ++inbox->arrived[message.to][round];
        wake(*inbox, message.to);
        if (inbox->waiting_actor[member] == self) wake(*inbox, member);
      });
    }
    while (*unsent > 0 || inbox->arrived[member][round] < inbox->expected[member][round]) {
      inbox->waiting_actor[member] = self;
      context_.engine.suspend_self();
    }
  }

  void wake(Inbox& inbox, int member) {
    const int actor = inbox.waiting_actor[member];
    inbox.waiting_actor[member] = -1;
    if (actor >= 0) context_.engine.resume(actor);
  }

  LevelContext context_;
};

}  // namespace

std::unique_ptr<NetworkLevel> make_exact_level(const LevelContext& context) {
  return std::make_unique<ExactLevel>(context);
}

}  // namespace rehearse
