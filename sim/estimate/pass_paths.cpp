// Alike layers are not walked one by one. Nothing starts before the date of the compute stream, so
// of all dates that a layer leaves to the next only those behind that one count, by how much they
// are behind: the leads. A layer that leaves the leads that it has found takes as long each time.
//
// Leads are differences of rounded dates, so they count as equal when they differ by no more than
// the rounding of a date. That moves a date behind n layers by at most n roundings: an execution
// consists of sums with times and maxima, so dates that differ by e where it begins differ by at
// most e where it ends.
#include "estimate/pass_paths.hpp"

#include <algorithm>
#include <cmath>
#include <vector>

namespace rehearse {
namespace {

class Execution {
 public:
  Execution(const PassProgram& pass, std::span<const Seconds> times, const StreamDates& from)
      : pass_(pass), times_(times), dates_(kStreams + pass.slots, kNoPath) {
    std::copy(from.all.begin(), from.all.end(), dates_.begin());
  }

  StreamDates dates() const {
    StreamDates dates;
    std::copy_n(dates_.begin(), kStreams, dates.all.begin());
    return dates;
  }

  // When the instruction can start. (A message counts as received when its receive is reached at
  // the earliest. Whatever waits for it starts later than that anyway.)
  Seconds start_of(int at) const {
    const Instruction& instruction = pass_.instructions[at];
    Seconds start = std::max(dates_[kClock], dates_[static_cast<int>(instruction.stream)]);
    for (const int slot : pass_.waits_of(instruction)) {
      start = std::max(start, dates_[kStreams + slot]);
    }
    return start;
  }
  Seconds time_of(int at) const { return times_[at]; }
  void end(int at, Seconds when) {
    const Instruction& instruction = pass_.instructions[at];
    dates_[static_cast<int>(instruction.stream)] = when;
    if (instruction.slot >= 0) dates_[kStreams + instruction.slot] = when;
  }

  void begin_repetition() { before_ = dates_; }

  // What ran last, since before_.
  bool leaves_what_it_found() const {
    if (dates_ == before_) return true;
    const Seconds found = before_[kClock];
    const Seconds left = dates_[kClock];
    if (!std::isfinite(found.value)) return false;
    const Seconds rounding = left * (4 * std::numeric_limits<double>::epsilon());
    for (std::size_t at = 0; at < dates_.size(); ++at) {
      const Seconds lead = std::max(before_[at] - found, Seconds{});
      const Seconds now = std::max(dates_[at] - left, Seconds{});
      if (std::max(lead, now) - std::min(lead, now) > rounding) return false;
    }
    return true;
  }

  Seconds moved() const { return dates_[kClock] - before_[kClock]; }

  // The same so many times more: every date that it has moved moves on with the clock.
  void repeat(int times) {
    const Seconds further = moved() * times;
    for (std::size_t at = 0; at < dates_.size(); ++at) {
      if (dates_[at] != before_[at]) dates_[at] += further;
    }
  }

 private:
  static constexpr int kClock = static_cast<int>(Stream::kCompute);

  const PassProgram& pass_;
  const std::span<const Seconds> times_;
  std::vector<Seconds> dates_;   // of streams, then of slots
  std::vector<Seconds> before_;  // where the repetition begins
};

// Of the ranks, so many that follow each other take part in it.
std::size_t taking_part(const Instruction& instruction, std::size_t ranks,
                        std::size_t tensor_ranks) {
  if (instruction.kind != Instruction::Kind::kCollective) return 1;
  return instruction.axis == Axis::kExpert   ? ranks
         : instruction.axis == Axis::kTensor ? tensor_ranks
                                             : 1;
}

void execute_collective(int at, std::span<Execution> ranks) {
  Seconds end = kNoPath;
  Seconds time;
  for (const Execution& rank : ranks) {
    end = std::max(end, rank.start_of(at));
    time = std::max(time, rank.time_of(at));
  }
  for (Execution& rank : ranks) rank.end(at, end + time);
}

// Each at the same place of its pass.
void execute_at(int at, const PassProgram& pass, std::span<Execution> ranks,
                std::size_t tensor_ranks) {
  const std::size_t together = taking_part(pass.instructions[at], ranks.size(), tensor_ranks);
  if (together == 1) {
    for (Execution& rank : ranks) rank.end(at, rank.start_of(at) + rank.time_of(at));
    return;
  }
  for (std::size_t first = 0; first < ranks.size(); first += together) {
    execute_collective(at, ranks.subspan(first, together));
  }
}

// Whether all have moved alike and leave what they found.
bool goes_on_alike(std::span<const Execution> ranks) {
  const Seconds moved = ranks.front().moved();
  const Seconds rounding = moved * (4 * std::numeric_limits<double>::epsilon());
  for (const Execution& rank : ranks) {
    if (!rank.leaves_what_it_found()) return false;
    if (ranks.size() > 1 && std::abs((rank.moved() - moved).value) > rounding.value) return false;
  }
  return true;
}

void execute(const PassProgram& pass, std::span<Execution> ranks, std::size_t tensor_ranks = 1) {
  for (const Place& place : pass.places) {
    for (int left = place.repeat - 1; left >= 0; --left) {
      if (left > 0) {
        for (Execution& rank : ranks) rank.begin_repetition();
      }
      for (int at = place.begin; at < place.end; ++at) {
        execute_at(at, pass, ranks, tensor_ranks);
      }
      if (left == 0 || !goes_on_alike(ranks)) continue;
      for (Execution& rank : ranks) rank.repeat(left);
      break;
    }
  }
}

PassPaths::Ends ends_from(Stream input, const PassProgram& pass, std::span<const Seconds> times) {
  StreamDates from;
  from[input] = Seconds{};
  const StreamDates ends = execute_pass(pass, times, from);
  return {ends[Stream::kCompute], ends[Stream::kPipelineSend]};
}

}  // namespace

StreamDates execute_pass(const PassProgram& pass, std::span<const Seconds> times,
                         const StreamDates& from) {
  Execution rank(pass, times, from);
  execute(pass, {&rank, 1});
  return rank.dates();
}

Seconds execute_together(std::span<const PassProgram* const> passes,
                         std::span<const std::span<const Seconds>> times, int tensor_ranks) {
  StreamDates from;
  from[Stream::kCompute] = Seconds{};
  std::vector<Execution> ranks;
  ranks.reserve(passes.size());
  for (std::size_t rank = 0; rank < passes.size(); ++rank) {
    ranks.emplace_back(*passes[rank], times[rank], from);
  }
  execute(*passes.front(), ranks, static_cast<std::size_t>(tensor_ranks));
  Seconds last;
  for (const Execution& rank : ranks) {
    const StreamDates dates = rank.dates();
    last = std::max(last, *std::max_element(dates.all.begin(), dates.all.end()));
  }
  return last;
}

PassPaths paths_of(const PassProgram& pass, std::span<const Seconds> times) {
  return {ends_from(Stream::kCompute, pass, times),
          ends_from(Stream::kPipelineReceive, pass, times)};
}

}  // namespace rehearse
