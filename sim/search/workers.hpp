// Worker processes: each serves one request after the other, in a child process of its own (SimGrid
// allows one simulation per process), so that a crash or a time-out ends that request only.
//
// Requests and answers are lines. An answer begins with how the request ended:
//   D done, the rest is the job's answer      R refused: the InputError's message
//   S the system refused it memory, a process T it took too long
//   C it threw anything else, or the child died
#pragma once

#include <sys/types.h>

#include <functional>
#include <string>
#include <vector>

#include "base/units.hpp"

namespace rehearse {

using Job = std::function<std::string(const std::string& request)>;

// Serves requests from `in` until it ends. REQUIRES: this process has not used SimGrid.
void serve(int in, int out, const Job& job, Seconds timeout);

struct Answer {
  int request = 0;  // number given to send()
  char end = 'D';   // 'L': lost, the worker ended without an answer
  std::string text;
};

// The workers that a search talks to: its own children, or whoever is at the other end of sockets.
class Workers {
 public:
  // Forks `count` of them.
  Workers(int count, Job job, Seconds timeout);
  // Served elsewhere, one per socket.
  explicit Workers(const std::vector<int>& sockets);
  ~Workers();  // ends its children
  Workers(const Workers&) = delete;
  Workers& operator=(const Workers&) = delete;

  int count() const { return static_cast<int>(slots_.size()); }
  // The worker with the fewest requests, if it has less than two (one at work and one waiting, so
  // that it is never idle); else -1.
  int free_worker() const;
  void send(int worker, int request, const std::string& line);
  bool has_open_requests() const;
  // Waits for answers; none when a signal or the time came first.
  std::vector<Answer> wait(Seconds at_most);

 private:
  struct Slot {
    int socket = -1;
    pid_t pid = -1;
    std::vector<int> requests;  // oldest first
    std::string received;
  };
  void start(Slot& slot);
  void read_from(Slot& slot, std::vector<Answer>& answers);
  void lose(Slot& slot, std::vector<Answer>& answers);

  std::vector<Slot> slots_;
  Job job_;
  Seconds timeout_;
};

constexpr int kMostLosses = 3;  // of the worker that has a request, before the request is blamed

// Asks all of it, in whatever order workers are free: take(index, answer) once each. goes_on is
// called every now and then; false: stops, and returns false.
bool ask_all(Workers& workers, const std::vector<std::string>& requests,
             const std::function<bool()>& goes_on,
             const std::function<void(int, const Answer&)>& take);

}  // namespace rehearse
