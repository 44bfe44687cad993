// The program ends from outside (SIGINT, SIGTERM, SIGHUP, SIGPIPE) or by its own mistake (a crash):
// in one place, for all commands.
#pragma once

#include <sys/types.h>

#include <csignal>
#include <list>
#include <string>
#include <vector>

namespace rehearse {

constexpr int kInterrupted = 130;  // exit code, whatever the signal

// From now on SIGINT, SIGTERM and SIGHUP (unless it is ignored, as under nohup) remove the files of
// every TemporaryName, say in one line that the result is lost, and end the program with 130; the
// children of base/processes end with it. SIGPIPE removes them too and then ends as usual. A crash
// says that it is our bug, and ends with exit code 3. A file that grows beyond its limit is an
// error of write().
void catch_signals();

// A library that installs handlers of its own meanwhile does not keep them.
class HandlersKept {
 public:
  HandlersKept();
  ~HandlersKept();
  HandlersKept(const HandlersKept&) = delete;
  HandlersKept& operator=(const HandlersKept&) = delete;

 private:
  std::vector<struct sigaction> before_;
};

// A file that must not outlive the program: removed when a signal ends it. Its owner removes it
// otherwise.
class TemporaryName {
 public:
  explicit TemporaryName(const std::string& path);
  ~TemporaryName();
  TemporaryName(const TemporaryName&) = delete;
  TemporaryName& operator=(const TemporaryName&) = delete;
  const std::string& path() const { return *place_; }

 private:
  std::list<std::string>::iterator place_;
};

// No signal of the above comes in between: several steps are one to the outside.
class SignalsHeld {
 public:
  SignalsHeld();
  ~SignalsHeld();
  SignalsHeld(const SignalsHeld&) = delete;
  SignalsHeld& operator=(const SignalsHeld&) = delete;

 private:
  sigset_t before_;
};

// While it lives, the first SIGINT, SIGTERM or SIGHUP is a request; the second ends the program as
// usual. At most one at a time.
class StopRequest {
 public:
  StopRequest();
  ~StopRequest();
  StopRequest(const StopRequest&) = delete;
  StopRequest& operator=(const StopRequest&) = delete;
  bool made() const;
};

// In a process that was just forked: it dies with `parent`, which alone decides about signals,
// removes what both know of, and tells of a crash.
void become_child_of(pid_t parent);

}  // namespace rehearse
