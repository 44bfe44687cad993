#include "search/workers.hpp"

#include <poll.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <deque>
#include <map>
#include <numeric>
#include <optional>
#include <string_view>

#include "base/error.hpp"
#include "base/interrupts.hpp"
#include "base/processes.hpp"
#include "base/system_error.hpp"

namespace rehearse {
namespace {

bool write_all(int file, std::string_view text) {
  while (!text.empty()) {
    const ssize_t written = write(file, text.data(), text.size());
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return false;
    text.remove_prefix(static_cast<std::size_t>(written));
  }
  return true;
}

std::string one_line(std::string text) {
  std::replace(text.begin(), text.end(), '\n', ' ');
  return text;
}

JobResult result_of(const Job& job, const std::string& request, Seconds timeout) {
  try {
    return JobProcess([&] { return job(request); }).wait_at_most(timeout);
  } catch (const SystemError& error) {
    return {JobEnd::kSystem, error.what()};
  }
}

std::string answer_of(const Job& job, const std::string& request, Seconds timeout) {
  const JobResult result = result_of(job, request, timeout);
  static const std::map<JobEnd, char> kLetters = {{JobEnd::kDone, 'D'},
                                                  {JobEnd::kRefused, 'R'},
                                                  {JobEnd::kSystem, 'S'},
                                                  {JobEnd::kBroken, 'C'},
                                                  {JobEnd::kTooLate, 'T'}};
  return kLetters.at(result.end) + one_line(result.text);
}

}  // namespace

void serve(int in, int out, const Job& job, Seconds timeout) {
  std::string received;
  char buffer[65536];
  for (;;) {
    const std::size_t end = received.find('\n');
    if (end != std::string::npos) {
      const std::string request = received.substr(0, end);
      received.erase(0, end + 1);
      if (!write_all(out, answer_of(job, request, timeout) + "\n")) return;
      continue;
    }
    const ssize_t size = read(in, buffer, sizeof buffer);
    if (size < 0 && errno == EINTR) continue;
    if (size <= 0) return;
    received.append(buffer, static_cast<std::size_t>(size));
  }
}

Workers::Workers(int count, Job job, Seconds timeout) : job_(std::move(job)), timeout_(timeout) {
  slots_.resize(static_cast<std::size_t>(std::max(1, count)));
  for (Slot& slot : slots_) start(slot);
}

Workers::Workers(const std::vector<int>& sockets) {
  for (const int socket : sockets) slots_.push_back({socket, -1, {}, {}});
}

Workers::~Workers() {
  for (const Slot& slot : slots_) {
    if (slot.pid > 0) {
      kill(slot.pid, SIGKILL);
      waitpid(slot.pid, nullptr, 0);
    }
    if (slot.socket >= 0) close(slot.socket);
  }
}

void Workers::start(Slot& slot) {
  int ends[2];
  check_system(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) == 0,
               "cannot make a socket");
  std::fflush(nullptr);  // or the child would print it again
  const pid_t parent = getpid();
  std::optional<SignalsHeld> held(std::in_place);  // until the child is known to be one
  const pid_t pid = fork();
  if (pid < 0) {
    const int error = errno;
    close(ends[0]);
    close(ends[1]);
    throw SystemError("cannot start a worker", error);
  }
  if (pid == 0) {
    become_child_of(parent);
    held.reset();
    close(ends[0]);
    for (const Slot& other : slots_) {
      if (other.socket >= 0) close(other.socket);
    }
    serve(ends[1], ends[1], job_, timeout_);
    _exit(0);
  }
  close(ends[1]);
  slot.socket = ends[0];
  slot.pid = pid;
}

int Workers::free_worker() const {
  const auto least = std::min_element(
      slots_.begin(), slots_.end(),
      [](const Slot& a, const Slot& b) { return a.requests.size() < b.requests.size(); });
  constexpr std::size_t kMostRequests = 2;
  if (least == slots_.end() || least->requests.size() >= kMostRequests) return -1;
  return static_cast<int>(least - slots_.begin());
}

void Workers::send(int worker, int request, const std::string& line) {
  slots_[worker].requests.push_back(request);
  // When the worker has ended, wait() notices.
  std::string_view text = line;
  const std::string ended = line + "\n";
  for (text = ended; !text.empty();) {
    const ssize_t sent = ::send(slots_[worker].socket, text.data(), text.size(), MSG_NOSIGNAL);
    if (sent < 0 && errno == EINTR) continue;
    if (sent <= 0) return;
    text.remove_prefix(static_cast<std::size_t>(sent));
  }
}

bool Workers::has_open_requests() const {
  return std::any_of(slots_.begin(), slots_.end(),
                     [](const Slot& slot) { return !slot.requests.empty(); });
}

std::vector<Answer> Workers::wait(Seconds at_most) {
  std::vector<pollfd> waiting;
  for (const Slot& slot : slots_) waiting.push_back({slot.socket, POLLIN, 0});
  std::vector<Answer> answers;
  if (poll(waiting.data(), waiting.size(), static_cast<int>(at_most.value * 1e3)) <= 0) {
    return answers;
  }
  for (std::size_t at = 0; at < waiting.size(); ++at) {
    if (waiting[at].revents != 0) read_from(slots_[at], answers);
  }
  std::erase_if(slots_, [](const Slot& slot) { return slot.socket < 0; });
  if (slots_.empty()) throw InternalError("every worker of the search has ended");
  return answers;
}

void Workers::read_from(Slot& slot, std::vector<Answer>& answers) {
  char buffer[65536];
  const ssize_t size = read(slot.socket, buffer, sizeof buffer);
  if (size < 0 && errno == EINTR) return;
  if (size <= 0) return lose(slot, answers);
  slot.received.append(buffer, static_cast<std::size_t>(size));
  for (std::size_t end = 0; (end = slot.received.find('\n')) != std::string::npos;) {
    SIM_CHECK(!slot.requests.empty() && end > 0, "a worker answers what nobody asked");
    answers.push_back({slot.requests.front(), slot.received[0], slot.received.substr(1, end - 1)});
    slot.requests.erase(slot.requests.begin());
    slot.received.erase(0, end + 1);
  }
}

// The worker's requests are lost; a child of ours is replaced.
void Workers::lose(Slot& slot, std::vector<Answer>& answers) {
  for (const int request : slot.requests) answers.push_back({request, 'L', "the worker ended"});
  close(slot.socket);
  const bool ours = slot.pid > 0;
  if (ours) waitpid(slot.pid, nullptr, 0);
  slot = Slot{};
  if (ours) start(slot);
}

bool ask_all(Workers& workers, const std::vector<std::string>& requests,
             const std::function<bool()>& goes_on,
             const std::function<void(int, const Answer&)>& take) {
  std::vector<int> losses(requests.size(), 0);
  std::deque<int> waiting(requests.size());
  std::iota(waiting.begin(), waiting.end(), 0);
  while (!waiting.empty() || workers.has_open_requests()) {
    if (!goes_on()) return false;
    for (int worker = 0; !waiting.empty() && (worker = workers.free_worker()) >= 0;) {
      workers.send(worker, waiting.front(), requests[waiting.front()]);
      waiting.pop_front();
    }
    for (const Answer& answer : workers.wait(Seconds{0.2})) {
      if (answer.end == 'L' && ++losses[answer.request] < kMostLosses) {
        waiting.push_back(answer.request);
      } else {
        take(answer.request, answer);
      }
    }
  }
  return true;
}

}  // namespace rehearse
