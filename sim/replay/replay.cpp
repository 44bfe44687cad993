#include "replay/replay.hpp"

#include <algorithm>

#include "base/error.hpp"
#include "cost/operator_cost.hpp"
#include "replay/fact_batch.hpp"
#include "replay/rank_state.hpp"
#include "replay/rendezvous.hpp"
#include "replay/waiting.hpp"

namespace rehearse {
namespace {

class Replay : public TransferObserver {
 public:
  Replay(const Programs& programs, Cluster& cluster, NetworkLevelName level, TimelineSink& sink)
      : programs_(programs),
        cluster_(cluster),
        sink_(sink),
        paths_(cluster, network_),
        engine_(cluster.platform()),
        level_(make_network_level(level, {engine_, network_, paths_, *this})),
        rendezvous_(programs, cluster.platform()),
        facts_(engine_, sink) {}

  ReplayCounts run() {
    prepare_costs();
    prepare_ranks();
    engine_.attach(*level_);
    sink_.begin(programs_);
    for (Rank rank = 0; rank < size(); ++rank) start_memory(rank);
    for (Rank rank = 0; rank < size(); ++rank) {
      ranks_[rank].actor = engine_.spawn(rank, [this, rank](int /*self*/) { run_rank(rank); });
    }
    try {
      engine_.run();
    } catch (const Deadlock&) {
      throw Deadlock(describe_waiting(programs_, ranks_));
    }
    facts_.flush();
    sink_.end(makespan_);
    return counts_;
  }

  void all_complete(Transfer& transfer, Seconds end) override {
    transfer.complete = true;
    transfer.end = end;
    const Endpoints& ends = rendezvous_.endpoints(transfer.endpoints);
    if (ends.is_message) {
      finish_message(transfer, ends);
      return;
    }
    for (const Rank rank : ends.members) finish_member(transfer, ends, rank, end);
    rendezvous_.release(transfer);
  }

  void member_complete(Transfer& transfer, int member, Seconds end) override {
    const Endpoints& ends = rendezvous_.endpoints(transfer.endpoints);
    finish_member(transfer, ends, ends.members[member], end);
    if (--transfer.left == 0) rendezvous_.release(transfer);
  }

 private:
  int size() const { return static_cast<int>(programs_.ranks.size()); }

  void prepare_costs() {
    const Platform& platform = cluster_.platform();
    costs_.resize(platform.devices.size() * programs_.programs.size());
    for (std::size_t device = 0; device < platform.devices.size(); ++device) {
      const FlopsPerSecond peak =
          usable_peak(platform, platform.devices[device], programs_.compute_dtype);
      for (std::size_t program = 0; program < programs_.programs.size(); ++program) {
        std::vector<OperatorCost>& table = costs_[device * programs_.programs.size() + program];
        for (const Instruction& at : programs_.programs[program].instructions) {
          table.push_back(operator_cost(at.flops, at.bytes, platform.devices[device], peak));
        }
      }
    }
  }

  const std::vector<OperatorCost>& costs_of(Rank rank) const {
    const std::size_t device = cluster_.platform().gpus[rank].device;
    return costs_[device * programs_.programs.size() + programs_.ranks[rank].program];
  }

  void prepare_ranks() {
    ranks_.resize(size());
    for (Rank rank = 0; rank < size(); ++rank) {
      ranks_[rank].program = &programs_.of(rank);
      ranks_[rank].slots.resize(ranks_[rank].program->slots);
    }
  }

  void start_memory(Rank rank) {
    const Program& program = *ranks_[rank].program;
    sink_.memory({rank, MemoryCategory::kWeights, {}, program.weights});
    sink_.memory({rank, MemoryCategory::kCommunicationBuffers, {}, program.communication_buffers});
  }

  // ---- the actor of a rank
  // -------------------------------------------------------------------------------------

  void run_rank(Rank rank) {
    RankState& state = ranks_[rank];
    const std::vector<OperatorCost>& costs = costs_of(rank);
    for (const Block& block : state.program->blocks) {
      for (int step = block.first_step; step < block.first_step + block.repeat; ++step) {
        for (int at = block.begin; at < block.end; ++at) {
          execute(rank, at, step, costs[at]);
        }
      }
    }
    while (state.in_flight > 0) {
      state.blocked_on = RankState::kDraining;
      engine_.suspend_self();
    }
    state.blocked_on = RankState::kNotBlocked;
    makespan_ = std::max(makespan_, state.clock);
  }

  void execute(Rank rank, int at, int step, const OperatorCost& cost) {
    const Instruction& instruction = ranks_[rank].program->instructions[at];
    switch (instruction.kind) {
      case Instruction::Kind::kCompute:
        compute(rank, at, step, cost.at(step));
        break;
      case Instruction::Kind::kPassBegin:
        begin_pass(rank, instruction.pass);
        break;
      case Instruction::Kind::kPassEnd:
        end_pass(rank);
        break;
      case Instruction::Kind::kReceive:
        receive(rank, at, step);
        break;
      case Instruction::Kind::kCollective:
      case Instruction::Kind::kSend:
        post(rank, at, step);
        break;
    }
  }

  void compute(Rank rank, int at, int step, Seconds duration) {
    RankState& state = ranks_[rank];
    const Instruction& instruction = state.program->instructions[at];
    Span span;
    span.rank = rank;
    span.instruction = at;
    span.step = step;
    span.start = state.clock;
    for (const int slot : instruction.waits) {
      if (slot < 0) break;
      wait_in_span(wait_for(state, slot), span);
    }
    span.stall = span.start - state.clock;
    span.ready = span.start;
    span.end = state.clock = span.start + duration;
    ++counts_.rank_operations;
    facts_.add(span);
  }

  static void wait_in_span(const Slot& wanted, Span& span) {
    if (wanted.end <= span.start) return;
    span.start = wanted.end;
    span.stalled_on = wanted.axis;
    span.stall_start_of_transfer = wanted.start;
  }

  const Slot& wait_for(RankState& state, int slot) {
    while (state.slots[slot].pending) {
      state.blocked_on = slot;
      engine_.suspend_self();
    }
    state.blocked_on = RankState::kNotBlocked;
    return state.slots[slot];
  }

  void begin_pass(Rank rank, int pass) {
    RankState& state = ranks_[rank];
    const Pass& begun = state.program->passes[pass];
    state.kv += begun.kv_appended;
    facts_.add(MemoryLevel{rank, MemoryCategory::kKvCache, state.clock, state.kv});
    facts_.add(MemoryLevel{rank, MemoryCategory::kActivations, state.clock, begun.activation_peak});
  }

  void end_pass(Rank rank) {
    facts_.add(MemoryLevel{rank, MemoryCategory::kActivations, ranks_[rank].clock, {}});
  }

  // ---- communication
  // ---------------------------------------------------------------------------------------------

  // A collective or send that the program has reached: it starts when its stream is free and what
  // it waits for is there.
  void post(Rank rank, int at, int step) {
    RankState& state = ranks_[rank];
    const Instruction& instruction = state.program->instructions[at];
    StreamState& stream = state.streams[static_cast<int>(instruction.stream)];
    Posted posted{at, step, state.clock};
    for (std::size_t i = 0; i < instruction.waits.size() && instruction.waits[i] >= 0; ++i) {
      const Slot& slot = state.slots[instruction.waits[i]];
      if (slot.pending) {
        posted.wanted[i] = slot.use;
      } else {
        posted.ready = std::max(posted.ready, slot.end);
      }
    }
    open_slot(state, instruction, posted);
    if (stream.busy || !stream.queue.empty() || posted.waits()) {
      stream.queue.push_back(posted);
      ++state.queued;
    } else {
      start(rank, stream, posted);
    }
  }

  static void open_slot(RankState& state, const Instruction& instruction, Posted& posted) {
    ++state.in_flight;
    if (instruction.slot < 0) return;
    Slot& slot = state.slots[instruction.slot];
    slot.pending = true;
    slot.instruction = posted.instruction;
    posted.use = ++slot.use;
  }

  void start_queued(Rank rank) {
    RankState& state = ranks_[rank];
    for (StreamState& stream : state.streams) {
      if (stream.busy || stream.queue.empty() || stream.queue.front().waits()) continue;
      const Posted next = stream.queue.front();
      stream.queue.pop_front();
      --state.queued;
      start(rank, stream, next);
    }
  }

  void start(Rank rank, StreamState& stream, const Posted& posted) {
    stream.current = posted;
    stream.current.ready = std::max(posted.ready, stream.clock);
    stream.busy = true;
    arrive(rank, ranks_[rank].program->instructions[posted.instruction], stream.current);
  }

  void arrive(Rank rank, const Instruction& instruction, const Posted& posted) {
    const Bytes bytes{instruction.bytes.at(posted.step)};
    int member = 0;
    Transfer& transfer = instruction.kind == Instruction::Kind::kSend
                             ? rendezvous_.next_send(rank, peer_of(rank, instruction))
                             : rendezvous_.next_collective(rank, instruction.axis, instruction.op,
                                                           instruction.stream, member);
    if (transfer.arrived == 0) {
      transfer.id = counts_.transfers++;
      transfer.start = posted.ready;
    }
    transfer.start = std::max(transfer.start, posted.ready);
    transfer.bytes[member] = bytes;
    ++transfer.arrived;
    level_->arrive(transfer, rendezvous_.endpoints(transfer.endpoints), member, posted.ready);
  }

  Rank peer_of(Rank rank, const Instruction& instruction) const {
    return programs_.groups.of(rank, Axis::kPipeline).ranks[instruction.peer_stage];
  }

  void receive(Rank rank, int at, int step) {
    RankState& state = ranks_[rank];
    const Instruction& instruction = state.program->instructions[at];
    Posted posted{at, step, state.clock};
    open_slot(state, instruction, posted);
    Transfer* const arrived = rendezvous_.next_receive(peer_of(rank, instruction), rank, posted);
    if (arrived != nullptr) finish_receive(*arrived, rank, posted);
  }

  void finish_message(Transfer& transfer, const Endpoints& ends) {
    finish_member(transfer, ends, ends.members[0], transfer.end);
    Posted posted;
    if (rendezvous_.take_receive(transfer, posted))
      finish_receive(transfer, ends.members[1], posted);
  }

  void finish_receive(Transfer& transfer, Rank rank, const Posted& posted) {
    RankState& state = ranks_[rank];
    const Instruction& instruction = state.program->instructions[posted.instruction];
    complete(rank, instruction, posted, transfer, transfer.start, transfer.end);
    rendezvous_.release(transfer);
  }

  void finish_member(Transfer& transfer, const Endpoints& ends, Rank rank, Seconds end) {
    RankState& state = ranks_[rank];
    StreamState& stream = state.streams[static_cast<int>(ends.stream)];
    const Posted posted = stream.current;
    stream.busy = false;
    stream.clock = end;
    const Instruction& instruction = state.program->instructions[posted.instruction];
    complete(rank, instruction, posted, transfer, posted.ready, end);
  }

  void complete(Rank rank, const Instruction& instruction, const Posted& posted,
                const Transfer& transfer, Seconds ready, Seconds end) {
    RankState& state = ranks_[rank];
    Span span;
    span.rank = rank;
    span.instruction = posted.instruction;
    span.step = posted.step;
    span.ready = ready;
    span.start = transfer.start;
    span.end = end;
    span.transfer = transfer.id;
    span.algorithm = transfer.algorithm;
    makespan_ = std::max(makespan_, end);
    ++counts_.rank_operations;
    facts_.add(span);
    --state.in_flight;
    if (instruction.slot >= 0) close_slot(state, instruction, posted, transfer.start, end);
    if (state.queued > 0) start_queued(rank);
    const bool wakes = state.blocked_on == RankState::kDraining
                           ? state.in_flight == 0
                           : state.blocked_on >= 0 && !state.slots[state.blocked_on].pending;
    if (wakes && state.actor != -1) {
      state.blocked_on = RankState::kNotBlocked;
      engine_.resume(state.actor);
    }
  }

  // What waits for this use of the slot goes on, also when a later use has been posted.
  static void close_slot(RankState& state, const Instruction& instruction, const Posted& posted,
                         Seconds start, Seconds end) {
    Slot& slot = state.slots[instruction.slot];
    if (slot.use == posted.use) {
      slot.pending = false;
      slot.axis = instruction.axis;
      slot.start = start;
      slot.end = end;
    }
    if (state.queued == 0) return;
    for (StreamState& stream : state.streams) {
      for (Posted& waiting : stream.queue) {
        const Instruction& later = state.program->instructions[waiting.instruction];
        for (std::size_t i = 0; i < waiting.wanted.size(); ++i) {
          if (later.waits[i] != instruction.slot || waiting.wanted[i] != posted.use) continue;
          waiting.wanted[i] = 0;
          waiting.ready = std::max(waiting.ready, end);
        }
      }
    }
  }

  const Programs& programs_;
  Cluster& cluster_;
  TimelineSink& sink_;
  FluidNetwork network_;
  Paths paths_;
  SimgridEngine engine_;
  std::unique_ptr<NetworkLevel> level_;
  Rendezvous rendezvous_;
  FactBatch facts_;
  std::vector<std::vector<OperatorCost>> costs_;  // by device x program
  std::vector<RankState> ranks_;
  Seconds makespan_;
  ReplayCounts counts_;
};

}  // namespace

ReplayCounts replay(const Programs& programs, Cluster& cluster, NetworkLevelName level,
                    TimelineSink& sink) {
  return Replay(programs, cluster, level, sink).run();
}

}  // namespace rehearse
