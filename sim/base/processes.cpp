#include "base/processes.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sched.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <list>
#include <new>
#include <optional>
#include <system_error>
#include <utility>

#include "base/error.hpp"
#include "base/interrupts.hpp"
#include "base/system_error.hpp"

namespace rehearse {
namespace {

// How a job ended, as the first byte that its process sends.
constexpr char kDone = 'D';
constexpr char kRefused = 'R';
constexpr char kSystem = 'S';
constexpr char kBroken = 'B';

int answer_pipe = -1;  // of this process, where it is a job

void send(int pipe, std::string_view text) {
  while (!text.empty()) {
    const ssize_t written = write(pipe, text.data(), text.size());
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return;  // the parent is gone
    text.remove_prefix(static_cast<std::size_t>(written));
  }
}

[[noreturn]] void run_child(const std::function<std::string()>& job, int pipe) {
  answer_pipe = pipe;
  try {
    send(pipe, kDone + job());
  } catch (const InputError& error) {
    send(pipe, kRefused + std::string(error.what()));
  } catch (const std::bad_alloc&) {
    send(pipe, kSystem + std::string("error: this machine has too little memory for it"));
  } catch (const SystemError& error) {
    send(pipe, kSystem + std::string(error.what()));
  } catch (const std::system_error& error) {
    send(pipe, kSystem + fmt::format("error: {}", error.what()));
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
  if (end == JobEnd::kSystem) throw SystemError::relayed(text);
  if (end != JobEnd::kDone) throw InternalError(text);
  return text;
}

JobProcess::JobProcess(const std::function<std::string()>& job) {
  int ends[2];
  check_system(pipe2(ends, O_CLOEXEC) == 0, "cannot make a pipe");
  std::fflush(nullptr);  // or the child would print it again
  const pid_t parent = getpid();
  std::optional<SignalsHeld> held(std::in_place);  // until the child is known to be one
  child_ = fork();
  if (child_ < 0) {
    const int error = errno;
    close(ends[0]);
    close(ends[1]);
    throw SystemError("cannot start a process", error);
  }
  if (child_ == 0) {
    become_child_of(parent);
    held.reset();
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
  if (WEXITSTATUS(status) != 0 || received_.empty()) {
    return {JobEnd::kBroken, fmt::format("ended with status {}", WEXITSTATUS(status))};
  }
  const char end = received_.front();
  return {end == kDone      ? JobEnd::kDone
          : end == kRefused ? JobEnd::kRefused
          : end == kSystem  ? JobEnd::kSystem
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
      check_system(errno == EINTR, "cannot wait for processes");
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

void end_refused(int real_stderr, std::string_view text) {
  if (answer_pipe >= 0) {
    send(answer_pipe, {&kRefused, 1});
    send(answer_pipe, text);
    _exit(0);
  }
  send(real_stderr, text);
  send(real_stderr, "\n");
  constexpr int kUsage = 2;
  _exit(kUsage);
}

int usable_cpus() {
  cpu_set_t cpus;
  CPU_ZERO(&cpus);
  if (sched_getaffinity(0, sizeof cpus, &cpus) != 0) return 1;
  return std::max(1, CPU_COUNT(&cpus));
}

}  // namespace rehearse
