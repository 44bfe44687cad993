#include "cli/answer.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/error.hpp"
#include "cli/option_group.hpp"

namespace rehearse {

void add_formats(CLI::App& command, Options& options) {
  OptionGroup out(command, kOut);
  out.flag("--json", options.json, "print the answer as JSON");
  out.flag("--csv", options.csv, "print its table as CSV, exact, units in the heads");
  out.flag("--markdown", options.markdown, "print its table as GitHub Markdown");
}

void check_formats(const Options& options) {
  std::vector<std::string> given;
  for (const auto& [is_given, name] :
       {std::pair{options.json, "--json"}, std::pair{options.csv, "--csv"},
        std::pair{options.markdown, "--markdown"}}) {
    if (is_given) given.emplace_back(name);
  }
  if (given.size() < 2) return;
  throw InputError({given.back(), 1, 1},
                   fmt::format("one form at a time, and there are {}", fmt::join(given, " and ")));
}

void end_waiting(const Options& options) {
  if (options.waiting != nullptr) options.waiting->end();
}

void print_answer(const Options& options, const AnswerForms& answer) {
  std::string text;
  if (options.json) {
    text = answer.json();
  } else if (options.csv) {
    text = answer.csv ? answer.csv() : csv_of(answer.table());
  } else if (options.markdown) {
    text = markdown_of(answer.table());
  } else if (!options.quiet) {
    text = answer.text();
  }
  end_waiting(options);
  fmt::print("{}", text);
}

}  // namespace rehearse
