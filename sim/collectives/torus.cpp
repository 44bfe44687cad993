// Algorithms of a torus that use all its dimensions at once (Austin et al., "How to Scale Your
// Model", 2025, on TPUs): the buffer is cut into as many parts as there are sides, and each part
// goes along one side after the other, every part along another one at a time. Along a side every
// member sends its chunks both ways to its neighbours, who pass them on: around where the ends are
// joined, and else to both ends, over the middle of the side twice as much.
//   reduce_scatter, all_gather of V in all: t = V / (2 x one way of a wire x sides) where the ends
//   are joined, else twice that; all_reduce is both. all_to_all: of s members along a side, of V
//   in all, V / (8 x one way of a wire).
// Rounds along a side: half its members, without joined ends all but one; shorter sides keep the
// pace of the longest. Each wire carries its exact bytes, spread evenly over the rounds.
#include <algorithm>
#include <cstddef>

#include "collectives/algorithms.hpp"
#include "collectives/steps.hpp"

namespace rehearse {
namespace {

enum class Along { kGather, kScatter, kExchange };

// Of an exchange around a ring: a chunk for each other, the shorter way, s^2 / 8, of an odd s
// (s^2 - 1) / 8.
double chunks_around(int s) {
  const int twice = s * s / 4;
  return 0.5 * twice;
}

// Chunks that the member at `at` sends to the one after it; to the one before it by mirror.
double chunks_up(Along along, const TorusSide& side, int at) {
  const int s = side.members;
  if (side.wraps) return along == Along::kExchange ? chunks_around(s) : (s - 1) / 2.0;
  if (along == Along::kGather) return at + 1;       // its own and those from below
  if (along == Along::kScatter) return s - 1 - at;  // sums for those above
  return static_cast<double>(at + 1) * (s - 1 - at);
}

// Of the member that sends or receives most along the side, both ways together.
double chunks_of_busiest(Along along, const TorusSide& side) {
  const int s = side.members;
  if (side.wraps) return 2 * chunks_up(along, side, 0);
  if (along != Along::kExchange) return s > 2 ? s + 1 : 1;
  const int middle = s / 2;  // sends up and down as much as it receives
  return static_cast<double>(middle + 1) * (s - 1 - middle) +
         static_cast<double>(middle) * (s - middle);
}

// All parts go along one side each.
struct Phase {
  Along along = Along::kGather;
  int rounds = 1;
  std::vector<Bytes> chunk;  // by side: of the part that goes along it
};

int longest_rounds(const std::vector<TorusSide>& sides) {
  int rounds = 1;
  for (const TorusSide& side : sides) {
    rounds = std::max(rounds, side.wraps ? side.members / 2 : side.members - 1);
  }
  return rounds;
}

// `whole`: the buffer that is scattered, gathered or exchanged.
std::vector<Phase> phases_of(Along along, const GroupShape& group, Bytes whole) {
  const int count = static_cast<int>(group.torus.size());
  std::vector<Phase> phases(count);
  for (Phase& phase : phases) {
    phase.along = along;
    phase.rounds = longest_rounds(group.torus);
    phase.chunk.resize(count);
  }
  for (int part = 0; part < count; ++part) {
    Bytes held = whole / count;
    for (int turn = 0; turn < count; ++turn) {
      const int side = (part + turn) % count;
      const Bytes chunk = held / group.torus[side].members;
      // What is gathered grows as what is scattered shrinks.
      phases[along == Along::kGather ? count - 1 - turn : turn].chunk[side] = chunk;
      if (along != Along::kExchange) held = chunk;
    }
  }
  return phases;
}

Step step_of(const GroupShape& group, const Phase& phase) {
  Step step{phase.rounds, {}};
  step.messages.reserve(2 * group.torus.size() * group.domain.size());
  for (int member = 0; member < group.size(); ++member) {
    int stride = 1;
    for (std::size_t at_side = 0; at_side < group.torus.size(); ++at_side) {
      const TorusSide& side = group.torus[at_side];
      const int s = side.members;
      const int at = member / stride % s;
      const Bytes chunk = phase.chunk[at_side] / phase.rounds;
      if (side.wraps || at + 1 < s) {
        step.messages.push_back({member, member + ((at + 1) % s - at) * stride,
                                 chunk * chunks_up(phase.along, side, at)});
      }
      if (side.wraps || at > 0) {
        step.messages.push_back({member, member + ((at + s - 1) % s - at) * stride,
                                 chunk * chunks_up(phase.along, side, s - 1 - at)});
      }
      stride *= s;
    }
  }
  return step;
}

Schedule schedule_of(Along along, const GroupShape& group, Bytes whole) {
  Schedule schedule;
  for (const Phase& phase : phases_of(along, group, whole)) {
    schedule.push_back(step_of(group, phase));
  }
  return schedule;
}

Seconds time_of(Along along, const GroupShape& group, Bytes whole, Seconds latency,
                BytesPerSecond bandwidth) {
  Seconds time;
  for (const Phase& phase : phases_of(along, group, whole)) {
    time += latency * phase.rounds;
    for (std::size_t side = 0; side < group.torus.size(); ++side) {
      time += phase.chunk[side] * chunks_of_busiest(along, group.torus[side]) / bandwidth;
    }
  }
  return time;
}

std::string refusal(const GroupShape& group) {
  if (!group.torus.empty()) return {};
  return "needs members that fill a block of a torus in order";
}

}  // namespace

const CollectiveAlgorithm kTorusReduceScatter = {
    "torus",
    CollectiveOp::kReduceScatter,
    false,
    refusal,
    [](const GroupShape& group, const Buffers& buffers) {
      return schedule_of(Along::kScatter, group, largest(buffers.bytes));
    },
    [](const GroupShape& group, Bytes bytes, Seconds latency, BytesPerSecond bandwidth) {
      return time_of(Along::kScatter, group, bytes, latency, bandwidth);
    }};

const CollectiveAlgorithm kTorusAllGather = {
    "torus",
    CollectiveOp::kAllGather,
    false,
    refusal,
    [](const GroupShape& group, const Buffers& buffers) {
      return schedule_of(Along::kGather, group, largest(buffers.bytes) * group.size());
    },
    [](const GroupShape& group, Bytes bytes, Seconds latency, BytesPerSecond bandwidth) {
      return time_of(Along::kGather, group, bytes * group.size(), latency, bandwidth);
    }};

const CollectiveAlgorithm kTorusAllReduce = {
    "torus",
    CollectiveOp::kAllReduce,
    false,
    refusal,
    [](const GroupShape& group, const Buffers& buffers) {
      Schedule both = schedule_of(Along::kScatter, group, largest(buffers.bytes));
      for (Step& step : schedule_of(Along::kGather, group, largest(buffers.bytes))) {
        both.push_back(std::move(step));
      }
      return both;
    },
    [](const GroupShape& group, Bytes bytes, Seconds latency, BytesPerSecond bandwidth) {
      return time_of(Along::kScatter, group, bytes, latency, bandwidth) +
             time_of(Along::kGather, group, bytes, latency, bandwidth);
    }};

const CollectiveAlgorithm kTorusAllToAll = {
    "torus",
    CollectiveOp::kAllToAll,
    false,
    refusal,
    [](const GroupShape& group, const Buffers& buffers) {
      // Of unequal splits each message takes its own route.
      if (!buffers.splits.empty()) return kDirectAllToAll.schedule(group, buffers);
      return schedule_of(Along::kExchange, group, largest(buffers.bytes));
    },
    [](const GroupShape& group, Bytes bytes, Seconds latency, BytesPerSecond bandwidth) {
      return time_of(Along::kExchange, group, bytes, latency, bandwidth);
    }};

}  // namespace rehearse
