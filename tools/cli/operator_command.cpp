#include <fmt/format.h>

#include "base/error.hpp"
#include "cli/commands.hpp"
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
    if (!typed.numbers.empty() || !typed.gpu.empty() || typed.json) {
      throw InputError({"--batch", 1, 1}, "the rows of a file say themselves what they are");
    }
  } else {
    if (typed.terms) throw InputError({"--terms", 1, 1}, "belongs to --batch FILE");
    if (!typed.batch.empty()) typed.numbers.emplace_back("batch", typed.batch);
  }
  fmt::print("{}", price_operator_command(typed));
  return 0;
}

}  // namespace rehearse
