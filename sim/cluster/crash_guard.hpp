// The last resort against a library that aborts on a user's mistake.
#pragma once

#include <string>

namespace rehearse {

// While it lives, stderr is captured, and a SIGABRT or SIGSEGV of this process writes one line
//   FILE:1:1: error: SimGrid cannot load this platform: <what the library printed>
// to the real stderr and ends the program with exit code 2 (a job in a process of its own is
// refused with that line). So nothing but calls into SimGrid may stand in its scope: a crash of
// ours is our bug. When it goes, what was captured is passed on to stderr, unless an exception is
// on its way (which then says it). At most one at a time.
class CrashGuard {
 public:
  explicit CrashGuard(const std::string& file);
  CrashGuard(const CrashGuard&) = delete;
  CrashGuard& operator=(const CrashGuard&) = delete;
  ~CrashGuard();

 private:
  int exceptions_at_start_;
};

}  // namespace rehearse
