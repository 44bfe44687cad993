#include <fmt/format.h>

#include "base/error.hpp"
#include "cli/answer.hpp"
#include "cli/commands.hpp"
#include "commands/batch_table.hpp"
#include "commands/operator_batch.hpp"

namespace rehearse {

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
