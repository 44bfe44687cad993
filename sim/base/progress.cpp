// The reader is a thread, so that the work pays nothing but a store now and then. It writes to a
// copy of stderr made at the start (SimGrid's calls capture stderr). The work forks: a lock that
// the reader held at that moment would stay locked in the child for ever, so the reader takes none
// that a child wants. It neither allocates nor uses a stream, and its beginning (where a sanitizer
// allocates for it) is waited for. All signals stay with the main thread.
#include "base/progress.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <condition_variable>
#include <csignal>
#include <mutex>
#include <new>
#include <string_view>

#include "base/system_error.hpp"

namespace rehearse {
namespace {

using Clock = std::chrono::steady_clock;

constexpr auto kSilence = std::chrono::seconds(2);
constexpr auto kOnTerminal = std::chrono::milliseconds(200);
// With what the reader waits between two looks, a line in ten seconds at least.
constexpr auto kElsewhere = std::chrono::milliseconds(9400);

// Of all lines of the program, so that between the end of one and the beginning of the next nobody
// waits for longer than within one.
std::atomic<Clock::rep> last_told{Clock::now().time_since_epoch().count()};
// Of work that says what it is.
std::atomic<int> lines_of_work{0};

Clock::time_point told_last() { return Clock::time_point(Clock::duration(last_told.load())); }

}  // namespace

SharedCounters::SharedCounters(std::size_t count) : count_(std::max<std::size_t>(1, count)) {
  void* const memory = mmap(nullptr, count_ * sizeof(ProgressCounter), PROT_READ | PROT_WRITE,
                            MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  check_system(memory != MAP_FAILED, "cannot share memory");
  counters_ = static_cast<ProgressCounter*>(memory);
  for (std::size_t at = 0; at < count_; ++at) new (&counters_[at]) ProgressCounter;
}

SharedCounters::~SharedCounters() { munmap(counters_, count_ * sizeof(ProgressCounter)); }

double SharedCounters::fraction() const {
  double sum = 0;
  for (std::size_t at = 0; at < count_; ++at) {
    const auto total = static_cast<double>(counters_[at].total.load(std::memory_order_relaxed));
    const auto done = static_cast<double>(counters_[at].done.load(std::memory_order_relaxed));
    if (total > 0) sum += std::min(1.0, done / total);
  }
  return sum / static_cast<double>(count_);
}

std::string_view progress_text(std::span<char> room, std::string_view what, double fraction,
                               double seconds) {
  constexpr double kTellsNothing = 0.001;
  const auto written =
      fraction < kTellsNothing
          ? fmt::format_to_n(room.data(), room.size(), "{}: {:.0f} s so far", what, seconds)
          : fmt::format_to_n(room.data(), room.size(), "{}: {:.0f} %, about {:.0f} s left", what,
                             100 * fraction, seconds * (1 - fraction) / fraction);
  return {room.data(), std::min(written.size, room.size())};
}

struct ProgressLine::State {
  State(std::string text, const SharedCounters& of) : what(std::move(text)), counters(of) {}

  std::string what;
  const SharedCounters& counters;
  int file = -1;
  bool terminal = false;
  bool of_work = true;
  bool shown = false;
  bool begun = false;
  bool ends = false;
  std::mutex mutex;
  std::condition_variable change;  // of the two above
  std::thread reader;

  void write_text(std::string_view text) const {
    // A reader of stderr that is gone is told nothing.
    [[maybe_unused]] const ssize_t ignored = ::write(file, text.data(), text.size());
  }

  void tell(Clock::time_point begin) {
    const double seconds = std::chrono::duration<double>(Clock::now() - begin).count();
    std::array<char, 256> room;
    std::array<char, 300> line;
    const auto written = fmt::format_to_n(
        line.data(), line.size(), "{}{}{}", terminal ? "\r\033[K" : "rehearse: ",
        progress_text(room, what, counters.fraction(), seconds), terminal ? "" : "\n");
    write_text({line.data(), std::min(written.size, line.size())});
    last_told = Clock::now().time_since_epoch().count();
    shown = true;
  }

  // When it shall be told: of a whole command only while nothing else tells.
  bool is_due(Clock::time_point begin) const {
    if (!of_work && lines_of_work > 0) return false;
    const Clock::time_point now = Clock::now();
    if (terminal)
      return now - begin >= kSilence && (of_work || now - told_last() >= kSilence || shown);
    return now - told_last() >= kElsewhere;
  }

  void run() {
    const Clock::time_point begin = Clock::now();
    std::unique_lock lock(mutex);
    begun = true;
    change.notify_all();
    while (!change.wait_for(lock, kOnTerminal, [this] { return ends; })) {
      if (is_due(begin)) tell(begin);
    }
    if (shown && terminal) write_text("\r\033[K");
  }
};

OwnProgress::OwnProgress() { ++lines_of_work; }
OwnProgress::~OwnProgress() { --lines_of_work; }

bool OwnProgress::is_due(bool terminal) const {
  const Clock::time_point now = Clock::now();
  if (now - told_last() < (terminal ? Clock::duration(kOnTerminal) : kElsewhere)) return false;
  last_told = now.time_since_epoch().count();
  return true;
}

ProgressLine::ProgressLine(std::string what, const SharedCounters& counters, bool quiet, Of of) {
  if (quiet) return;
  state_ = std::make_unique<State>(std::move(what), counters);
  state_->of_work = of == Of::kWork;
  if (state_->of_work) ++lines_of_work;
  state_->file = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 3);
  check_system(state_->file >= 0, "cannot copy stderr");
  state_->terminal = isatty(state_->file) == 1;
  sigset_t all;
  sigset_t before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  state_->reader = std::thread([state = state_.get()] { state->run(); });
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  std::unique_lock lock(state_->mutex);
  state_->change.wait(lock, [this] { return state_->begun; });
}

ProgressLine::~ProgressLine() { end(); }

void ProgressLine::end() {
  if (!state_) return;
  {
    const std::lock_guard lock(state_->mutex);
    state_->ends = true;
  }
  state_->change.notify_all();
  state_->reader.join();
  close(state_->file);
  if (state_->of_work) --lines_of_work;
  state_.reset();
}

}  // namespace rehearse
