// How a command answers: for people, or in one of the forms for other programs.
#pragma once

#include <CLI/CLI.hpp>
#include <functional>
#include <string>

#include "base/table.hpp"
#include "cli/options.hpp"

namespace rehearse {

// --json, --csv, --markdown.
void add_formats(CLI::App& command, Options& options);

// Throws InputError where more than one form is asked for.
void check_formats(const Options& options);

// Only the form that is asked for is made.
struct AnswerForms {
  std::function<std::string()> text;
  std::function<std::string()> json;
  std::function<Table()> table;
  std::function<std::string()> csv = {};  // where the answer is CSV already
};
// What is told of the command's progress ends.
void end_waiting(const Options& options);

// On stdout. --quiet leaves out what is for people.
void print_answer(const Options& options, const AnswerForms& answer);

}  // namespace rehearse
