#include "cli/command_page.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <CLI/CLI.hpp>
#include <algorithm>

#include "cli/command_line.hpp"
#include "cli/option_group.hpp"

namespace rehearse {
namespace {

OptionText text_of(const CLI::Option& option) {
  OptionText text;
  text.positional = !option.nonpositional();
  if (text.positional) {
    text.names = {option.get_name(true)};
  } else {
    for (const std::string& name : option.get_snames()) text.names.push_back("-" + name);
    for (const std::string& name : option.get_lnames()) text.names.push_back("--" + name);
  }
  if (option.get_expected_max() > 0) text.metavar = option.get_type_name();
  text.help = option.get_description();
  text.required = option.get_required();
  text.repeated = text.help.ends_with(kRepeated);
  return text;
}

// Those that every command has come last, whatever was declared first.
int place_of(const std::string& heading) {
  constexpr const char* kLast[] = {kOut, kLimits, kHelp};
  const auto* const found = std::ranges::find(kLast, heading);
  return found == std::end(kLast) ? -1 : static_cast<int>(found - kLast);
}

}  // namespace

std::string OptionText::head() const {
  return fmt::format("{}{}{}", fmt::join(names, ", "), positional || metavar.empty() ? "" : " ",
                     positional ? "" : metavar);
}

std::string OptionText::said() const { return required ? help + " (required)" : help; }

std::string CommandPage::usage() const {
  const std::string room = positionals.empty() ? "" : " ";
  return fmt::format("rehearse {}{}{} [OPTION]...", command->name, room,
                     fmt::join(positionals, " "));
}

CommandPage page_of(const Command& command, const CLI::App& app) {
  CommandPage page;
  page.command = &command;
  for (const CLI::Option* const option : app.get_options()) {
    const std::string& heading = option->get_group();
    if (heading.empty()) continue;
    OptionText text = text_of(*option);
    if (text.positional) {
      page.positionals.push_back(text.required ? text.names.front()
                                               : fmt::format("[{}]", text.names.front()));
    }
    auto section = std::ranges::find(page.sections, heading, &OptionSection::heading);
    if (section == page.sections.end()) {
      section = page.sections.insert(section, {heading, {}});
    }
    section->options.push_back(std::move(text));
  }
  std::ranges::stable_sort(page.sections, {},
                           [](const OptionSection& section) { return place_of(section.heading); });
  return page;
}

std::vector<CommandPage> all_pages() {
  const CommandLine line;
  std::vector<CommandPage> pages;
  for (const Command& command : commands()) {
    pages.push_back(page_of(command, *line.app.get_subcommand(command.name)));
  }
  return pages;
}

}  // namespace rehearse
