// Work in child processes: SimGrid's clock and engine are static, so several simulations need
// several processes. REQUIRES, of everything here: this process has not used SimGrid.
// Children die with this process.
#pragma once

#include <sys/types.h>

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/units.hpp"

namespace rehearse {

enum class JobEnd {
  kDone,
  kRefused,  // it threw InputError, or SimGrid crashed on the user's platform (CrashGuard)
  kSystem,   // the system refused it something, memory for example: SystemError
  kBroken,   // it threw anything else, or died
  kTooLate
};

struct JobResult {
  JobEnd end = JobEnd::kBroken;
  std::string text;  // what the job returned; of every other end, why

  bool refused() const { return end == JobEnd::kRefused; }
  // What the job returned. Throws InputError where it was refused, SystemError where the system
  // refused, InternalError where it did not end well.
  const std::string& value() const;
};

// One job in a process of its own.
class JobProcess {
 public:
  explicit JobProcess(const std::function<std::string()>& job);  // starts
  ~JobProcess();                                                 // ends it if nobody waited for it
  JobProcess(JobProcess&& other) noexcept;
  JobProcess(const JobProcess&) = delete;
  JobProcess& operator=(const JobProcess&) = delete;
  JobProcess& operator=(JobProcess&&) = delete;

  // Readable when receive() has something to do.
  int pipe() const { return pipe_; }
  // Takes what the process has sent; false: it has sent everything, and wait() returns at once.
  bool receive();
  JobResult wait();
  JobResult wait_at_most(Seconds time);  // the process does not outlive it

 private:
  JobResult result_of(int status) const;

  pid_t child_ = -1;
  int pipe_ = -1;
  std::string received_;
};

// Runs every job in a process of its own, at most `at_once` together, and returns how they ended,
// in their order. Throws InternalError when one is broken, SystemError when the system has no
// process or pipe left.
std::vector<JobResult> run_in_processes(const std::vector<std::function<std::string()>>& jobs,
                                        int at_once);

// Ends this process because of what the user gave it: a job as refused with this text, the program
// with the text on `real_stderr` and exit code 2. For signal handlers.
[[noreturn]] void end_refused(int real_stderr, std::string_view text);

// CPUs that this process may use.
int usable_cpus();

}  // namespace rehearse
