// How far work is, for a person who waits: counters that the work writes (also in other processes)
// and a thread that reads them.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <thread>

namespace rehearse {

// Of one piece of work. Written by whoever does it, in whatever process.
struct ProgressCounter {
  std::atomic<std::int64_t> done{0};
  std::atomic<std::int64_t> total{0};  // 0: not known yet
};

// Counters in memory that processes share.
class SharedCounters {
 public:
  explicit SharedCounters(std::size_t count);
  ~SharedCounters();
  SharedCounters(const SharedCounters&) = delete;
  SharedCounters& operator=(const SharedCounters&) = delete;

  std::size_t size() const { return count_; }
  ProgressCounter& operator[](std::size_t at) { return counters_[at]; }
  // Of all the work, where the pieces are about alike: 0 to 1.
  double fraction() const;

 private:
  std::size_t count_;
  ProgressCounter* counters_;
};

// "simulating: 42 %, about 12 s left"; before anything is known "simulating: 3 s so far". Written
// to `room`, as far as that goes.
std::string_view progress_text(std::span<char> room, std::string_view what, double fraction,
                               double seconds);

// While it lives, work is told on stderr once it takes more than two seconds: on a terminal one
// line that changes five times a second, else a line every ten seconds, counted from the last line
// of any work. The work may capture stderr meanwhile.
class ProgressLine {
 public:
  // Of a piece of work; or of a whole command, which is told only while no piece of it is.
  enum class Of { kWork, kCommand };
  // `quiet`: nothing is told. `counters` must outlive it.
  ProgressLine(std::string what, const SharedCounters& counters, bool quiet, Of of = Of::kWork);
  ~ProgressLine();
  ProgressLine(const ProgressLine&) = delete;
  ProgressLine& operator=(const ProgressLine&) = delete;
  // Before something else is printed; a second time it does nothing.
  void end();

 private:
  struct State;
  std::unique_ptr<State> state_;  // nullptr: quiet, or it has ended
};

// Work that has more to tell than how much of it is done, and prints that itself.
class OwnProgress {
 public:
  OwnProgress();
  ~OwnProgress();
  OwnProgress(const OwnProgress&) = delete;
  OwnProgress& operator=(const OwnProgress&) = delete;
  // Whether to print now. If so, it is expected to be done.
  bool is_due(bool terminal) const;
};

}  // namespace rehearse
