// What the operating system refuses: no descriptors, no processes, a full disk or stdout. It is the
// user's to know and to mend, so it ends the program with exit code 2, as an InputError does; it is
// no InputError because nothing that the user wrote is wrong.
#pragma once

#include <stdexcept>
#include <string>

namespace rehearse {

class SystemError : public std::runtime_error {
 public:
  // "error: cannot start a process: Resource temporarily unavailable"; `error` is an errno.
  SystemError(const std::string& what, int error);
  // One that another process threw: its whole text as it was there.
  static SystemError relayed(const std::string& text) { return SystemError(text); }

 private:
  explicit SystemError(const std::string& text) : std::runtime_error(text) {}
};

// Throws SystemError with errno when `done` is false.
void check_system(bool done, const char* what);

}  // namespace rehearse
