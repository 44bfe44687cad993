#include <fmt/format.h>

#include "base/option_place.hpp"
#include "cli/commands.hpp"
#include "cli/option_group.hpp"
#include "schema/schema_text.hpp"

namespace rehearse {

void add_schema_options(CLI::App& command, Options& options) {
  OptionGroup(command, kIn)
      .value("PATH", options.schema, "PATH",
             "a kind of file, plan, model, device, engine, claims, result, ...; one of its "
             "messages, plan.serve; or a field, plan.layout.tensor (default: plan)");
}

int schema_command(const Options& options) {
  fmt::print("{}", schema_text(options.schema, option_place("schema", options.schema)));
  return 0;
}

}  // namespace rehearse
