#include "cli/answer.hpp"
#include "cli/commands.hpp"
#include "cli/limits.hpp"
#include "cli/notes.hpp"
#include "commands/balance.hpp"
#include "commands/balance_text.hpp"
#include "commands/prepare.hpp"

namespace rehearse {

int balance_command(const Options& options) {
  const PreparedPlan prepared = prepare(options.plan);
  if (!options.quiet) print_notes(prepared.model());
  const auto alternatives = balance({prepared, limits_of(options), options.quiet});
  print_answer(options, {[&] { return balance_text(prepared.plan(), alternatives); },
                         [&] { return balance_json(prepared.plan(), alternatives); },
                         [&] { return balance_rows(prepared.plan(), alternatives); }});
  return 0;
}

}  // namespace rehearse
