#include "base/processes.hpp"

#include <fmt/format.h>
#include <poll.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <list>
#include <new>
#include <string_view>
#include <utility>

#include "base/error.hpp"

namespace rehearse {
namespace {

// How a job ended, as the first byte that its process sends.
constexpr char kDone = 'D';
constexpr char kRefused = 'R';
constexpr char kBroken = 'B';

void send(int pipe, std::string_view text) {
  while (!text.empty()) {
    const ssize_t written = write(pipe, text.data(), text.size());
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return;  // the parent is gone
    text.remove_prefix(static_cast<std::size_t>(written));
  }
}

[[noreturn]] void run_child(const std::function<std::string()>& job, int pipe) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  try {
    send(pipe, kDone + job());
  } catch (const InputError& error) {
    send(pipe, kRefused + std::string(error.what()));
  } catch (const std::bad_alloc&) {
    send(pipe, kRefused + std::string("error: this machine has too little memory for it"));
  } catch (const std::exception& error) {
    send(pipe, kBroken + std::string(error.what()));
  }
  _exit(0);
}

int status_of(pid_t child) {
  int status = 0;
  while (waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  return status;
}

}  // namespace

const std::string& JobResult::value() const {
  if (refused()) throw InputError::relayed(text);
  if (end != JobEnd::kDone) throw InternalError(text);
  return text;
}

JobProcess::JobProcess(const std::function<std::string()>& job) {
  int ends[2];
  SIM_CHECK(::pipe(ends) == 0, std::strerror(errno));
  std::fflush(nullptr);  // or the child would print it again
  child_ = fork();
  SIM_CHECK(child_ >= 0, std::strerror(errno));
  if (child_ == 0) {
    close(ends[0]);
    run_child(job, ends[1]);
  }
  close(ends[1]);
  pipe_ = ends[0];
}

JobProcess::JobProcess(JobProcess&& other) noexcept
    : child_(std::exchange(other.child_, -1)),
      pipe_(std::exchange(other.pipe_, -1)),
      received_(std::move(other.received_)) {}

JobProcess::~JobProcess() {
  if (child_ > 0) {
    kill(child_, SIGKILL);
    status_of(child_);
  }
  if (pipe_ >= 0) close(pipe_);
}

bool JobProcess::receive() {
  char buffer[65536];
  const ssize_t size = read(pipe_, buffer, sizeof buffer);
  if (size < 0 && errno == EINTR) return true;
  if (size <= 0) return false;
  received_.append(buffer, static_cast<std::size_t>(size));
  return true;
}

JobResult JobProcess::wait() {
  while (receive()) {
  }
  return result_of(status_of(std::exchange(child_, -1)));
}

JobResult JobProcess::wait_at_most(Seconds time) {
  using Clock = std::chrono::steady_clock;
  const Clock::time_point begin = Clock::now();
  for (;;) {
    const double left = time.value - std::chrono::duration<double>(Clock::now() - begin).count();
    if (left <= 0) break;
    pollfd waiting{pipe_, POLLIN, 0};
    constexpr double kLongestPollMs = 1e6;
    if (poll(&waiting, 1, static_cast<int>(std::min(1e3 * left + 1, kLongestPollMs))) <= 0) {
      continue;
    }
    if (!receive()) return wait();
  }
  kill(child_, SIGKILL);
  status_of(std::exchange(child_, -1));
  return {JobEnd::kTooLate, fmt::format("no answer within {}", to_text(time))};
}

JobResult JobProcess::result_of(int status) const {
  if (WIFSIGNALED(status)) {
    return {JobEnd::kBroken, fmt::format("ended by signal {}", WTERMSIG(status))};
  }
  // The crash guard has told the user why SimGrid could not load the platform, and exits with 2.
  if (WEXITSTATUS(status) == 2) return {JobEnd::kRefused, "error: the platform cannot be loaded"};
  if (WEXITSTATUS(status) != 0 || received_.empty()) {
    return {JobEnd::kBroken, fmt::format("ended with status {}", WEXITSTATUS(status))};
  }
  const char end = received_.front();
  return {end == kDone      ? JobEnd::kDone
          : end == kRefused ? JobEnd::kRefused
                            : JobEnd::kBroken,
          received_.substr(1)};
}

std::vector<JobResult> run_in_processes(const std::vector<std::function<std::string()>>& jobs,
                                        int at_once) {
  struct Running {
    std::size_t job;
    JobProcess process;
  };
  const auto most = static_cast<std::size_t>(std::max(1, at_once));
  std::vector<JobResult> results(jobs.size());
  std::list<Running> running;
  for (std::size_t next = 0; next < jobs.size() || !running.empty();) {
    for (; next < jobs.size() && running.size() < most; ++next) {
      running.push_back({next, JobProcess(jobs[next])});
    }
    std::vector<pollfd> waiting;
    for (const Running& each : running) waiting.push_back({each.process.pipe(), POLLIN, 0});
    if (poll(waiting.data(), waiting.size(), -1) < 0) {
      SIM_CHECK(errno == EINTR, std::strerror(errno));
      continue;
    }
    auto each = running.begin();
    for (const pollfd& pipe : waiting) {
      const auto at = each++;
      if (pipe.revents == 0 || at->process.receive()) continue;
      results[at->job] = at->process.wait();
      if (results[at->job].end == JobEnd::kBroken) throw InternalError(results[at->job].text);
      running.erase(at);
    }
  }
  return results;
}

int usable_cpus() {
  cpu_set_t cpus;
  CPU_ZERO(&cpus);
  if (sched_getaffinity(0, sizeof cpus, &cpus) != 0) return 1;
  return std::max(1, CPU_COUNT(&cpus));
}

}  // namespace rehearse
