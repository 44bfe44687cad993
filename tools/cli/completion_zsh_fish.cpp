// The scripts for zsh and fish, whose own completion takes a list of options and does the rest.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "cli/completion.hpp"
#include "cli/value_kinds.hpp"

namespace rehearse {
namespace {

// A function of ours stands behind a space: without it _arguments puts options of compadd before
// its first word.
std::string zsh_action(const std::string& metavar) {
  switch (completed_with(metavar)) {
    case Completed::kFiles:
      return "_files";
    case Completed::kFolders:
      return "_files -/";
    case Completed::kWords:
    case Completed::kPrefixes:
      return fmt::format(" _rehearse_values \"{}\"", metavar);
    case Completed::kWordsAndFiles:
      return fmt::format(" _rehearse_values_and_files \"{}\"", metavar);
    case Completed::kNothing:
      return " ";
  }
  return "";
}

// One argument of _arguments for each name: '*--set=[help]:FIELD=VALUE:action'; "=": the value may
// stand behind one, or be the next word.
std::string zsh_option(const OptionText& option) {
  constexpr const char* kSpecial = "[]:\\";
  std::string bare = option.help;
  std::erase_if(bare, [](char c) { return c == '[' || c == ']'; });
  if (option.positional) {
    return fmt::format("      '*:{}:{}'\n", option.names.front(), zsh_action(option.metavar));
  }
  std::string lines;
  for (const std::string& name : option.names) {
    const bool long_with_value = !option.metavar.empty() && name.starts_with("--");
    const std::string spec = (option.repeated ? "*" : "") + name + (long_with_value ? "=[" : "[");
    std::string what = shell_quoted(bare, kSpecial);
    what = what.substr(1, what.size() - 2);
    lines += fmt::format("      '{}{}]", spec, what);
    if (!option.metavar.empty()) {
      std::string metavar = shell_quoted(option.metavar, ":");
      lines +=
          fmt::format(":{}:{}", metavar.substr(1, metavar.size() - 2), zsh_action(option.metavar));
    }
    lines += "'\n";
  }
  return lines;
}

std::string fish_values(const std::string& metavar) {
  const Completed how = completed_with(metavar);
  std::string how_text;
  if (how == Completed::kFiles || how == Completed::kWordsAndFiles) how_text += " -F";
  if (how == Completed::kFolders) how_text += " -a '(__fish_complete_directories)'";
  if (how != Completed::kFiles && how != Completed::kFolders && how != Completed::kNothing) {
    how_text += fmt::format(" -a '(rehearse completion --values \"{}\" 2>/dev/null)'", metavar);
  }
  return how_text;
}

bool has_files(const std::string& metavar) {
  const Completed how = completed_with(metavar);
  return how == Completed::kFiles || how == Completed::kWordsAndFiles;
}

std::string fish_option(const OptionText& option) {
  std::string text;
  if (!option.positional) {
    for (const std::string& name : option.names) {
      text += name.starts_with("--") ? " -l " + name.substr(2) : " -s " + name.substr(1);
    }
    // What is no file is offered alone.
    if (!option.metavar.empty()) text += has_files(option.metavar) ? " -r" : " -x";
    text += " -d " + shell_quoted(option.help, "\\");
  }
  return text + fish_values(option.metavar) + "\n";
}

}  // namespace

std::string zsh_completion(const std::vector<CommandPage>& pages) {
  std::string text =
      "#compdef rehearse\n"
      "# Completes rehearse in zsh: save it as _rehearse in a folder of $fpath.\n\n"
      "_rehearse_values() {\n"
      "  compadd -- ${(f)\"$($words_of_rehearse completion --values $1 2>/dev/null)\"}\n"
      "}\n\n"
      "_rehearse_values_and_files() {\n"
      "  _rehearse_values $1\n"
      "  _files\n"
      "}\n\n"
      "_rehearse() {\n"
      "  local words_of_rehearse=$words[1]\n"
      "  if (( CURRENT == 2 )); then\n"
      "    local -a commands=(\n";
  for (const CommandPage& page : pages) {
    text += "      " + shell_quoted(page.command->name + ":" + page.command->purpose) + "\n";
  }
  text +=
      "    )\n"
      "    _describe command commands\n"
      "    return\n"
      "  fi\n"
      "  local -a of_command\n"
      "  case $words[2] in\n";
  for (const CommandPage& page : pages) {
    text += fmt::format("    {}) of_command=(\n", page.command->name);
    for (const OptionSection& section : page.sections) {
      for (const OptionText& option : section.options) text += zsh_option(option);
    }
    text += "    ) ;;\n";
  }
  return text +
         "  esac\n"
         "  shift words\n"
         "  (( CURRENT-- ))\n"
         "  _arguments $of_command\n"
         "}\n\n"
         "_rehearse \"$@\"\n";
}

std::string fish_completion(const std::vector<CommandPage>& pages) {
  constexpr const char* kSpecial = "\\";
  std::string text =
      "# Completes rehearse in fish: save it as rehearse.fish in ~/.config/fish/completions.\n"
      "complete -c rehearse -f\n"
      "complete -c rehearse -n __fish_use_subcommand -l help\n"
      "complete -c rehearse -n __fish_use_subcommand -l version\n";
  for (const CommandPage& page : pages) {
    const std::string& command = page.command->name;
    text += fmt::format("complete -c rehearse -n __fish_use_subcommand -a {} -d {}\n", command,
                        shell_quoted(page.command->purpose, kSpecial));
    for (const OptionSection& section : page.sections) {
      for (const OptionText& option : section.options) {
        text += fmt::format("complete -c rehearse -n '__fish_seen_subcommand_from {}'", command);
        text += fish_option(option);
      }
    }
  }
  return text;
}

}  // namespace rehearse
