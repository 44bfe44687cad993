// Declares the options of a command for CLI11, with what the help, the manual pages and the shell's
// completion say of them: a heading that they stand under, and a word for what is typed.
#pragma once

#include <CLI/CLI.hpp>
#include <string>

namespace rehearse {

// The headings, in the order of the help. A command may have one of its own between them.
inline constexpr const char* kIn = "What goes in";
inline constexpr const char* kChanged = "What is changed";
inline constexpr const char* kOut = "What comes out";
inline constexpr const char* kLimits = "Limits";
inline constexpr const char* kHelp = "Help";

inline constexpr const char* kRepeated = " (may be repeated)";

class OptionGroup {
 public:
  OptionGroup(CLI::App& command, std::string heading)
      : command_(command), heading_(std::move(heading)) {}

  // `metavar`: what is typed, a word of value_kinds.hpp where the shell can complete it.
  template <class To>
  CLI::Option* value(const std::string& names, To& to, const std::string& metavar,
                     const std::string& help) {
    return command_.add_option(names, to, help)->type_name(metavar)->group(heading_);
  }
  // May be given several times, one value each.
  template <class To>
  CLI::Option* repeated(const std::string& names, To& to, const std::string& metavar,
                        const std::string& help) {
    return value(names, to, metavar, help + kRepeated)->allow_extra_args(false);
  }
  CLI::Option* flag(const std::string& names, bool& to, const std::string& help) {
    return command_.add_flag(names, to, help)->group(heading_);
  }

 private:
  CLI::App& command_;
  std::string heading_;
};

}  // namespace rehearse
