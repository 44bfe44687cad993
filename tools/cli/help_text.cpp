// The help as text: options in two columns under their headings, then examples and exit codes.
#include "cli/help_text.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <cctype>
#include <vector>

#include "base/split.hpp"

namespace rehearse {
namespace {

constexpr std::size_t kWidth = 100;  // of a line
constexpr std::size_t kColumn = 28;  // where the second column starts

// `text` in lines that fit behind `indent`.
std::vector<std::string> wrapped(const std::string& text, std::size_t indent) {
  return lines_of_words(text, kWidth - indent);
}

std::string two_columns(const std::string& head, const std::string& text) {
  std::string row = "  " + head;
  const std::string indent(kColumn, ' ');
  bool first = head.size() + 3 < kColumn;
  if (first) row.resize(kColumn, ' ');
  for (const std::string& line : wrapped(text, kColumn)) {
    if (!first) row.append("\n").append(indent);
    row += line;
    first = false;
  }
  return row + "\n";
}

std::string exit_rows(const std::vector<ExitCode>& codes) {
  std::string rows;
  for (const ExitCode& each : codes) {
    rows +=
        fmt::format("  {:<4} {}\n", each.code, fmt::join(wrapped(each.meaning, 7), "\n       "));
  }
  return rows;
}

std::string sentence(std::string text) {
  text.front() = static_cast<char>(std::toupper(static_cast<unsigned char>(text.front())));
  return text.ends_with("?") ? text : text + ".";
}

}  // namespace

std::string help_of_commands() {
  std::string text =
      "Rehearse a GPU cluster before you buy it.\n\n"
      "Usage: rehearse COMMAND [OPTION]...\n";
  for (const CommandGroup group : kCommandGroups) {
    text += fmt::format("\n{}:\n", to_text(group));
    for (const Command& command : commands()) {
      if (command.group == group)
        text += fmt::format("  {:<11} {}\n", command.name, command.purpose);
    }
  }
  text += "\nExit codes:\n" + exit_rows(exit_codes());
  text += "\nrehearse help COMMAND says what a command takes, and shows two examples.\n";
  return text;
}

std::string help_text(const CommandPage& page) {
  const Command& command = *page.command;
  std::string text = fmt::format("{}\n\nUsage: {}\n", sentence(command.purpose), page.usage());
  for (const OptionSection& section : page.sections) {
    text += fmt::format("\n{}:\n", section.heading);
    for (const OptionText& option : section.options) {
      text += two_columns(option.head(), option.said());
    }
  }
  text += "\nExamples:\n";
  for (const Example& example : command.examples) {
    text += fmt::format("  {}\n      {}\n", example.line, said_of(example));
  }
  return text + "\nExit codes:\n" + exit_rows(exit_codes(command));
}

}  // namespace rehearse
