// Messages about command lines. An option that is not known is looked for where the user may have
// meant it: misspelled, as an option of another command, or as a field of the plan, which only a
// search has an option for.
#include "cli/usage.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <CLI/CLI.hpp>
#include <algorithm>

#include "base/nearest_name.hpp"
#include "cli/command_page.hpp"
#include "cli/value_kinds.hpp"
#include "plan/layout_fields.hpp"

namespace rehearse {
namespace {

// How often an option stands among the words of the command line.
long times_given(const std::string& option, const std::vector<std::string>& words) {
  return std::count_if(words.begin(), words.end(), [&](const std::string& word) {
    return word == option || word.starts_with(option + "=");
  });
}

std::vector<std::string> options_of(const CommandPage& page) {
  std::vector<std::string> names;
  for (const OptionSection& section : page.sections) {
    for (const OptionText& option : section.options) {
      if (!option.positional) names.insert(names.end(), option.names.begin(), option.names.end());
    }
  }
  return names;
}

std::vector<std::string> commands_with(const std::string& option,
                                       const std::vector<CommandPage>& pages) {
  std::vector<std::string> having;
  for (const CommandPage& page : pages) {
    const std::vector<std::string> names = options_of(page);
    if (std::ranges::find(names, option) != names.end()) having.push_back(page.command->name);
  }
  return having;
}

// ": use --set layout.tensor=4" of "--tensor", for a command that takes a plan.
std::string field_hint(const std::string& option, const std::vector<std::string>& own) {
  if (std::ranges::find(own, "--set") == own.end()) return "";
  std::string name = option.substr(2);
  std::ranges::replace(name, '-', '_');
  const LayoutField* const field = layout_field(name);
  return field == nullptr ? "" : fmt::format("; of one plan it is --set {}=VALUE", field->path);
}

// What may have been meant by `word`, an option that `command` lacks; empty: nothing known.
std::string option_hint(const std::string& word, const std::string& command) {
  const std::string option = word.substr(0, word.find('='));
  const std::vector<CommandPage> pages = all_pages();
  const auto page = std::ranges::find_if(
      pages, [&](const CommandPage& each) { return each.command->name == command; });
  if (page == pages.end()) return "";
  const std::vector<std::string> own = options_of(*page);
  if (const std::vector<std::string> having = commands_with(option, pages); !having.empty()) {
    constexpr std::size_t kFew = 4;
    if (having.size() > kFew) return fmt::format("rehearse {} has no such option", command);
    return fmt::format("it belongs to rehearse {}{}", fmt::join(having, ", "),
                       field_hint(option, own));
  }
  if (const std::string near = nearest_name(option, own); !near.empty()) {
    return fmt::format("did you mean {}?", near);
  }
  for (const CommandPage& other : pages) {
    const std::string near = nearest_name(option, options_of(other));
    if (near.empty()) continue;
    return fmt::format("did you mean {} of rehearse {}{}?", near, other.command->name,
                       field_hint(near, own));
  }
  return "";
}

bool is_option(const std::string& word) { return word.starts_with('-') && word != "-"; }

}  // namespace

int refuse_usage(const std::string& what, const std::string& command) {
  fmt::print(stderr, "rehearse: error: {} (rehearse {}--help lists what there is)\n", what,
             command.empty() ? "" : command + " ");
  return kUsage;
}

std::string describe_unexpected(const CLI::App& app) {
  const std::vector<std::string> words = app.remaining(/*recurse=*/true);
  if (words.empty()) return "";
  const bool chosen = !app.get_subcommands().empty();
  std::string hint;
  if (chosen) {
    const auto option = std::ranges::find_if(words, is_option);
    if (option != words.end()) {
      hint = option_hint(*option, app.get_subcommands().front()->get_name());
    }
  } else {
    const std::string near = nearest_name(words.front(), values_of("COMMAND"));
    if (!near.empty()) hint = fmt::format("did you mean {}?", near);
  }
  return fmt::format("unexpected {}{}{}{}", chosen ? "" : "command ", fmt::join(words, " "),
                     hint.empty() ? "" : ": ", hint);
}

std::string describe_error(const CLI::ParseError& error, const std::vector<std::string>& words) {
  std::string what = error.what();
  if (dynamic_cast<const CLI::ConversionError*>(&error) != nullptr) {
    // "Could not convert: --nodes = x"
    return what.substr(what.find(": ") + 2) +
           ": must be a number without a unit, or of a switch true or false";
  }
  if (dynamic_cast<const CLI::ArgumentMismatch*>(&error) == nullptr) return what;
  const std::string option = what.substr(0, what.find(':'));
  const long times = times_given(option, words);
  if (times > 1) return fmt::format("{} is given {} times: give it once", option, times);
  return fmt::format("{} needs a value", option);
}

std::string option_without_text(const CLI::App& command) {
  for (const CLI::Option* const option : command.get_options()) {
    if (option->get_expected_min() == 0) continue;  // its value may be left out
    const std::vector<std::string>& given = option->results();
    if (std::find(given.begin(), given.end(), "") != given.end()) return option->get_name();
  }
  return {};
}

}  // namespace rehearse
