// Each script knows the commands and options, as they were when it was written. Values it asks the
// program for (`rehearse completion --values GPU`), so that devices, engines and models that are
// added are offered, too.
#include "cli/completion.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <string_view>
#include <utility>

#include "cli/value_kinds.hpp"

namespace rehearse {
namespace {

std::vector<std::string> names_of(const std::vector<CommandPage>& pages) {
  std::vector<std::string> names;
  names.reserve(pages.size());
  for (const CommandPage& page : pages) names.push_back(page.command->name);
  return names;
}

template <class Visit>
void for_each_option(const CommandPage& page, const Visit& visit) {
  for (const OptionSection& section : page.sections) {
    for (const OptionText& option : section.options) visit(option);
  }
}

// What a word of the command's own is completed to.
std::string positional_kind(const CommandPage& page) {
  std::string kind;
  for_each_option(page, [&](const OptionText& option) {
    if (option.positional && kind.empty()) kind = option.metavar;
  });
  return kind;
}

const char* to_text(Completed how) {
  switch (how) {
    case Completed::kFiles:
      return "files";
    case Completed::kFolders:
      return "folders";
    case Completed::kWords:
      return "words";
    case Completed::kPrefixes:
      return "prefixes";
    case Completed::kWordsAndFiles:
      return "words_and_files";
    case Completed::kNothing:
      return "nothing";
  }
  return "";
}

constexpr std::string_view kBashEnd = R"bash(
_rehearse_values() { "${COMP_WORDS[0]}" completion --values "$1" 2>/dev/null; }

_rehearse_complete() {
  local kind=$1 current=$2 how
  how=$(_rehearse_how "$kind")
  case $how in
    *files*) compopt -o filenames 2>/dev/null ;;
    folders) compopt -o filenames 2>/dev/null ;;
    prefixes) compopt -o nospace 2>/dev/null ;;
  esac
  case $how in
    files) mapfile -t COMPREPLY < <(compgen -f -- "$current") ;;
    folders) mapfile -t COMPREPLY < <(compgen -d -- "$current") ;;
    words | prefixes)
      mapfile -t COMPREPLY < <(compgen -W "$(_rehearse_values "$kind")" -- "$current") ;;
    words_and_files)
      mapfile -t COMPREPLY < <(compgen -W "$(_rehearse_values "$kind")" -- "$current"
                               compgen -f -- "$current") ;;
  esac
}

_rehearse() {
  local current=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]} command='' at kind
  COMPREPLY=()
  # "=" is a word of its own: --gpu=h is the three words --gpu, = and h.
  if [ "$current" = = ]; then
    current=''
  elif [ "$before" = = ]; then
    before=${COMP_WORDS[COMP_CWORD - 2]}
  fi
  for ((at = 1; at < COMP_CWORD; ++at)); do
    case ${COMP_WORDS[at]} in
      -*) ;;
      *)
        command=${COMP_WORDS[at]}
        break ;;
    esac
  done
  if [ -z "$command" ]; then
    mapfile -t COMPREPLY < <(compgen -W "$_rehearse_commands --help --version" -- "$current")
    return
  fi
  kind=$(_rehearse_kind "$command $before")
  if [ -n "$kind" ]; then
    _rehearse_complete "$kind" "$current"
  elif [[ $current == -* ]]; then
    mapfile -t COMPREPLY < <(compgen -W "$(_rehearse_options "$command")" -- "$current")
  else
    _rehearse_complete "$(_rehearse_kind "$command")" "$current"
  fi
}

complete -F _rehearse rehearse
)bash";

// `NAME() { case $1 in PATTERN) echo TEXT ;; ... esac }`
std::string bash_table(const std::string& name,
                       const std::vector<std::pair<std::string, std::string>>& rows) {
  std::string text = fmt::format("\n{}() {{\n  case $1 in\n", name);
  for (const auto& [pattern, said] : rows) {
    text += fmt::format("    {}) echo {} ;;\n", pattern, shell_quoted(said));
  }
  return text + "  esac\n}\n";
}

}  // namespace

std::string shell_quoted(const std::string& text, const std::string& special) {
  std::string out = "'";
  for (const char c : text) {
    if (c == '\'') {
      out += "'\\''";
    } else if (special.find(c) != std::string::npos) {
      out += std::string("\\") + c;
    } else {
      out += c;
    }
  }
  return out + "'";
}

std::string bash_completion(const std::vector<CommandPage>& pages) {
  using Rows = std::vector<std::pair<std::string, std::string>>;
  Rows options;
  Rows kinds;
  Rows how;
  std::vector<std::string> seen;
  const auto add_kind = [&](const std::string& pattern, const std::string& metavar) {
    const Completed completed = completed_with(metavar);
    kinds.emplace_back(shell_quoted(pattern), metavar);
    if (std::find(seen.begin(), seen.end(), metavar) != seen.end()) return;
    seen.push_back(metavar);
    if (completed != Completed::kNothing)
      how.emplace_back(shell_quoted(metavar), to_text(completed));
  };
  for (const CommandPage& page : pages) {
    const std::string& command = page.command->name;
    std::vector<std::string> names;
    for_each_option(page, [&](const OptionText& option) {
      if (option.positional) return;
      names.insert(names.end(), option.names.begin(), option.names.end());
      if (option.metavar.empty()) return;
      for (const std::string& name : option.names) {
        add_kind(fmt::format("{} {}", command, name), option.metavar);
      }
    });
    options.emplace_back(command, fmt::format("{}", fmt::join(names, " ")));
    if (const std::string kind = positional_kind(page); !kind.empty()) add_kind(command, kind);
  }
  return fmt::format(
             "# Completes rehearse in bash: source <(rehearse completion bash)\n"
             "_rehearse_commands={}\n",
             shell_quoted(fmt::format("{}", fmt::join(names_of(pages), " ")))) +
         bash_table("_rehearse_options", options) + bash_table("_rehearse_kind", kinds) +
         bash_table("_rehearse_how", how) + std::string(kBashEnd);
}

}  // namespace rehearse
