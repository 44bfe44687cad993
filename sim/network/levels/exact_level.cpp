// Exact: every message of every round is a latency and then a flow of its own over its route,
// max-min fair with all other messages. A member goes on to its next round when its messages have
// left and those addressed to it have arrived. The reference for the fluid level; its cost grows
// with the messages (a ring of n: 2 n (n-1)).
#include <algorithm>

#include "base/error.hpp"
#include "base/fifo.hpp"
#include "network/levels/levels.hpp"
#include "network/levels/timers.hpp"

namespace rehearse {
namespace {

struct OutgoingMessage {
  int to = 0;  // member
  double bytes = 0;
  double cap = 0;  // of its rate
  Seconds latency;
  const MessagePath* path = nullptr;
};

// What a member does in one step of the schedule.
struct MemberStep {
  int first = 0;  // its messages in Exchange::outgoing
  int count = 0;
  int expected = 0;  // messages to it, each round
};

struct MemberState {
  int step = 0;
  int repetition = 0;  // of the step
  int round = 0;       // over all steps
  int unsent = 0;      // its messages of this round that have not arrived
  int arrived = 0;     // messages to it, of this round
  bool over = false;
};

// A transfer in flight.
struct Exchange {
  Transfer* transfer = nullptr;
  const Endpoints* endpoints = nullptr;
  int members = 0;
  int rounds = 0;
  std::vector<int> repeats;  // by step
  std::vector<OutgoingMessage> outgoing;
  std::vector<MemberStep> steps;  // [step x members + member]
  std::vector<MemberState> state;
  // By member, messages to it of rounds that it has not reached, from the next one on: others may
  // be ahead. None at all until somebody is.
  std::vector<Fifo<int>> ahead;

  void count_arrival(int member, int round) {
    MemberState& at = state[member];
    if (round == at.round) {
      ++at.arrived;
      return;
    }
    if (ahead.empty()) ahead.resize(members);
    Fifo<int>& counts = ahead[member];
    const std::size_t place = round - at.round - 1;
    while (counts.size() <= place) counts.push_back(0);
    ++counts[place];
  }

  // The member's next round begins; what has arrived of it counts.
  void next_round(int member) {
    MemberState& at = state[member];
    ++at.round;
    at.arrived = 0;
    if (++at.repetition == repeats[at.step]) {
      at.repetition = 0;
      ++at.step;
    }
    if (ahead.empty() || ahead[member].empty()) return;
    at.arrived = ahead[member].front();
    ahead[member].pop_front();
  }
};

class ExactLevel : public NetworkLevel {
 public:
  explicit ExactLevel(const LevelContext& context) : context_(context) {}

  void arrive(Transfer& transfer, const Endpoints& endpoints, int /*member*/,
              Seconds /*ready*/) override {
    // The sizes of the messages depend on every member's buffer, so all start when the last member
    // is ready, as in the other levels: an early member's first messages are not sent ahead.
    if (transfer.arrived < static_cast<int>(transfer.bytes.size())) return;
    if (transfer.index >= static_cast<int>(exchanges_.size())) {
      exchanges_.resize(transfer.index + 1);
    }
    Exchange& exchange = exchanges_[transfer.index];
    exchange.transfer = &transfer;
    exchange.endpoints = &endpoints;
    const Seconds lead = prepare(exchange);
    timers_.add(transfer.start + lead, begin_of(transfer.index));
  }

  Seconds next_event(Seconds now) override {
    return {std::min(timers_.next().value, context_.network.next_completion(now.value))};
  }

  void run_events(Seconds until) override {
    int event = 0;
    Seconds date;
    while (timers_.pop(until, event, date)) {
      if (event < 0) {
        begin(begin_of(event), date);
      } else {
        transmit(event, date);
      }
    }
    while (context_.network.pop_completed(until.value, event, date.value)) has_arrived(event, date);
  }

 private:
  // A message on its way: its latency, then its flow.
  struct Flying {
    int exchange = 0;
    int from = 0;  // member
    int round = 0;
    const OutgoingMessage* message = nullptr;
  };

  // The begin of an exchange, among the indices of flying messages; its own inverse.
  static int begin_of(int exchange) { return -1 - exchange; }

  // The time until its first message.
  Seconds prepare(Exchange& exchange) {
    const Endpoints& ends = *exchange.endpoints;
    const TransferPath& path = context_.paths.of(*exchange.transfer, ends);
    const Schedule schedule = context_.paths.schedule(path, *exchange.transfer, ends);
    exchange.members = static_cast<int>(ends.members.size());
    const std::size_t members = ends.members.size();
    exchange.rounds = 0;
    exchange.repeats.clear();
    exchange.outgoing.clear();
    exchange.steps.assign(schedule.size() * members, {});
    for (std::size_t step = 0; step < schedule.size(); ++step) {
      exchange.rounds += schedule[step].repeat;
      exchange.repeats.push_back(schedule[step].repeat);
      add_messages(exchange, schedule[step], path.paces[step], &exchange.steps[step * members]);
    }
    exchange.state.assign(members, {});
    exchange.ahead.clear();
    const std::vector<Bytes>& bytes = exchange.transfer->bytes;
    return path.lead(*std::max_element(bytes.begin(), bytes.end()));
  }

  void add_messages(Exchange& exchange, const Step& step, const StepPace& pace,
                    MemberStep* of_member) {
    Bytes largest;
    for (const MemberMessage& message : step.messages) {
      ++of_member[message.from].count;
      ++of_member[message.to].expected;
      largest = std::max(largest, message.bytes);
    }
    int first = static_cast<int>(exchange.outgoing.size());
    for (int member = 0; member < exchange.members; ++member) {
      of_member[member].first = first;
      first += of_member[member].count;
      of_member[member].count = 0;  // counted again below
    }
    exchange.outgoing.resize(first);
    for (const MemberMessage& message : step.messages) {
      MemberStep& sender = of_member[message.from];
      const double share = largest.value > 0 ? message.bytes / largest : 1;
      const MessagePath& path = context_.paths.message(message, *exchange.endpoints);
      exchange.outgoing[sender.first + sender.count++] = {
          message.to, message.bytes.value, pace.cap * share,
          context_.paths.latency(message, *exchange.endpoints, pace), &path};
    }
  }

  void begin(int index, Seconds date) {
    for (int member = 0; member < exchanges_[index].members; ++member) {
      send_round(index, member, date);
    }
    // Members without anything to do may be through already.
    for (int member = 0; member < exchanges_[index].members; ++member) {
      if (proceed(index, member, date)) return;
    }
  }

  void send_round(int index, int member, Seconds date) {
    Exchange& exchange = exchanges_[index];
    MemberState& state = exchange.state[member];
    const MemberStep& at = exchange.steps[state.step * exchange.members + member];
    state.unsent = at.count;
    for (int message = at.first; message < at.first + at.count; ++message) {
      const OutgoingMessage& sent = exchange.outgoing[message];
      timers_.add(date + sent.latency, fly({index, member, state.round, &sent}));
    }
  }

  int fly(const Flying& message) {
    if (free_.empty()) {
      flying_.push_back(message);
      return static_cast<int>(flying_.size()) - 1;
    }
    const int index = free_.back();
    free_.pop_back();
    flying_[index] = message;
    return index;
  }

  void transmit(int index, Seconds date) {
    const OutgoingMessage& message = *flying_[index].message;
    if (message.bytes > 0) {
      context_.network.start(message.path->flow, message.bytes, date.value, index, message.cap);
    } else {
      has_arrived(index, date);
    }
  }

  void has_arrived(int index, Seconds date) {
    const Flying message = flying_[index];
    free_.push_back(index);
    Exchange& exchange = exchanges_[message.exchange];
    const int to = message.message->to;
    --exchange.state[message.from].unsent;
    exchange.count_arrival(to, message.round);
    if (!proceed(message.exchange, to, date)) proceed(message.exchange, message.from, date);
  }

  // Takes the member through all rounds that are complete. True when the transfer is over with it.
  bool proceed(int index, int member, Seconds date) {
    Exchange& exchange = exchanges_[index];
    MemberState& state = exchange.state[member];
    while (!state.over && round_is_complete(exchange, member)) {
      exchange.next_round(member);
      if (state.round < exchange.rounds) {
        send_round(index, member, date);
        continue;
      }
      state.over = true;
      return finish(exchange, member, date);
    }
    return false;
  }

  static bool round_is_complete(const Exchange& exchange, int member) {
    const MemberState& state = exchange.state[member];
    const MemberStep& at = exchange.steps[state.step * exchange.members + member];
    return state.unsent == 0 && state.arrived >= at.expected;
  }

  // The observer may start transfers, so that `exchange` may move.
  bool finish(const Exchange& exchange, int member, Seconds date) {
    Transfer& transfer = *exchange.transfer;
    if (exchange.endpoints->is_message) {
      if (member == 0) context_.observer.all_complete(transfer, date);
      return member == 0;
    }
    const bool last = transfer.left == 1;
    context_.observer.member_complete(transfer, member, date);
    return last;
  }

  LevelContext context_;
  Timers timers_;
  std::vector<Exchange> exchanges_;  // by the transfer's index
  std::vector<Flying> flying_;
  std::vector<int> free_;
};

}  // namespace

std::unique_ptr<NetworkLevel> make_exact_level(const LevelContext& context) {
  return std::make_unique<ExactLevel>(context);
}

}  // namespace rehearse
