// The two kinds of failure. InputError: the user's files or options are wrong; thrown before
// replay, caught once in main, printed as `file:line:col: error: message`, exit 2. InternalError
// (SIM_CHECK): our bug; exit 3. Nothing else ends the program.
#pragma once

#include <map>
#include <stdexcept>
#include <string>

namespace rehearse {

// A place in a user's text, 1-based. For `--set FIELD=VALUE`, `file` is the option as typed.
struct SourceLocation {
  std::string file;
  int line = 1;
  int column = 1;
};

std::string to_text(const SourceLocation& where);  // "file:line:col"

class InputError : public std::runtime_error {
 public:
  // `message` says what is wrong, the value, and the rule; no trailing period, no "error:" prefix.
  InputError(const SourceLocation& where, const std::string& message);
  // One that another process threw: its whole text as it was there.
  static InputError relayed(const std::string& text) { return InputError(text); }

 private:
  explicit InputError(const std::string& text) : std::runtime_error(text) {}
};

class InternalError : public std::logic_error {
 public:
  using std::logic_error::logic_error;
};

// Where each field of a parsed file stands, by its path ("layout.tensor", "moe.top_k"). A field
// that is not in the file (a default) is located at its nearest enclosing message that is, at last
// at the file's first line.
class FieldLocations {
 public:
  explicit FieldLocations(std::string file = {}) : file_(std::move(file)) {}
  void place(const std::string& field, const SourceLocation& where) { places_[field] = where; }
  SourceLocation at(std::string field) const;

 private:
  std::string file_;
  std::map<std::string, SourceLocation> places_;
};

[[noreturn]] void sim_check_failed(const char* condition, const char* file, int line,
                                   const std::string& message);

}  // namespace rehearse

// Always on. `message` is any expression that converts to std::string; it is evaluated only on
// failure.
#define SIM_CHECK(condition, message)                                                          \
  do {                                                                                         \
    if (!(condition)) ::rehearse::sim_check_failed(#condition, __FILE__, __LINE__, (message)); \
  } while (false)
