#include <fmt/format.h>

#include <algorithm>
#include <string>

#include "base/error.hpp"
#include "cli/answer.hpp"
#include "cli/commands.hpp"
#include "cli/common_options.hpp"
#include "cli/option_group.hpp"
#include "commands/batch_table.hpp"
#include "commands/operator_batch.hpp"

namespace rehearse {

namespace {

const char* metavar_of(const std::string& column) {
  if (column.ends_with("dtype")) return "DTYPE";
  if (column == "gated" || column == "causal") return "BOOL";
  return column == "load" ? "RATIO" : "N";
}

}  // namespace

// A number of an operator is an option of its column's name.
void add_operator_options(CLI::App& command, Options& options) {
  OperatorOptions& typed = options.operators;
  OptionGroup in(command, kIn);
  in.value("KIND", typed.kind, "KIND", "what it is: " + names_of_operator_kinds());
  in.value("--batch", typed.batch, "FILE",
           "price the rows of this CSV file; with a KIND of attention: its sequences, a number");
  in.value("--gpu", typed.gpu, "GPU", "kind of GPU; `rehearse gpus` lists them");
  for (const OperatorColumn& column : operator_columns()) {
    const std::string name = column.name;
    if (name == "kind" || name == "gpu" || name == "batch") continue;
    std::string option = name;
    std::replace(option.begin(), option.end(), '_', '-');
    std::string names = "--" + option;
    if (option != name) names += ",--" + name;
    command
        .add_option_function<std::string>(
            names,
            [&typed, name](const std::string& value) { typed.numbers.emplace_back(name, value); },
            column.meaning)
        ->type_name(metavar_of(name))
        ->group("The kernel");
  }
  add_devices(command, typed.devices);
  OptionGroup(command, kOut)
      .flag("--terms", typed.terms, "with --batch: what each time is made of, for tools/fit");
  add_formats(command, options);
  add_quiet(command, options);
}

int operator_command(const Options& options) {
  OperatorOptions typed = options.operators;
  typed.json = options.json;
  if (typed.kind.empty()) {
    if (typed.batch.empty()) {
      throw InputError({"rehearse operator", 1, 1},
                       "needs a KIND, " + names_of_operator_kinds() + ", or --batch FILE");
    }
    if (!typed.numbers.empty() || !typed.gpu.empty()) {
      throw InputError({"--batch", 1, 1}, "the rows of a file say themselves what they are");
    }
  } else {
    if (typed.terms) throw InputError({"--terms", 1, 1}, "belongs to --batch FILE");
    if (!typed.batch.empty()) typed.numbers.emplace_back("batch", typed.batch);
  }
  const auto answer = [&] { return price_operator_command(typed); };
  const bool is_batch = typed.kind.empty();
  AnswerForms forms = {answer, [&] { return is_batch ? batch_json(answer()) : answer(); },
                       [&] { return price_operator_rows(typed); }};
  if (is_batch) forms.csv = answer;
  print_answer(options, forms);
  return 0;
}

}  // namespace rehearse
