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

  StreamDates run() {
    for (const Place& place : pass_.places) {
      for (int left = place.repeat - 1; left >= 0; --left) {
        if (left > 0) before_ = dates_;
        for (int at = place.begin; at < place.end; ++at) execute(at);
        if (left == 0 || !leaves_what_it_found()) continue;
        repeat(left);
        break;
      }
    }
    StreamDates dates;
    std::copy_n(dates_.begin(), kStreams, dates.all.begin());
    return dates;
  }

 private:
  static constexpr int kClock = static_cast<int>(Stream::kCompute);

  // (A message counts as received when its receive is reached at the earliest. Whatever waits for
  // it starts later than that anyway.)
  void execute(int at) {
    const Instruction& instruction = pass_.instructions[at];
    Seconds& stream = dates_[static_cast<int>(instruction.stream)];
    Seconds start = std::max(dates_[kClock], stream);
    for (const int slot : pass_.waits_of(instruction)) {
      start = std::max(start, dates_[kStreams + slot]);
    }
    stream = start + times_[at];
    if (instruction.slot >= 0) dates_[kStreams + instruction.slot] = stream;
  }

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

  // The same so many times more: every date that it has moved moves on with the clock.
  void repeat(int times) {
    const Seconds further = (dates_[kClock] - before_[kClock]) * times;
    for (std::size_t at = 0; at < dates_.size(); ++at) {
      if (dates_[at] != before_[at]) dates_[at] += further;
    }
  }

  const PassProgram& pass_;
  const std::span<const Seconds> times_;
  std::vector<Seconds> dates_;   // of streams, then of slots
  std::vector<Seconds> before_;  // where the repetition begins
};

PassPaths::Ends ends_from(Stream input, const PassProgram& pass, std::span<const Seconds> times) {
  StreamDates from;
  from[input] = Seconds{};
  const StreamDates ends = execute_pass(pass, times, from);
  return {ends[Stream::kCompute], ends[Stream::kPipelineSend]};
}

}  // namespace

StreamDates execute_pass(const PassProgram& pass, std::span<const Seconds> times,
                         const StreamDates& from) {
  return Execution(pass, times, from).run();
}

PassPaths paths_of(const PassProgram& pass, std::span<const Seconds> times) {
  return {ends_from(Stream::kCompute, pass, times),
          ends_from(Stream::kPipelineReceive, pass, times)};
}

}  // namespace rehearse
