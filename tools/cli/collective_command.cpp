#include <fmt/format.h>

#include "cli/commands.hpp"
#include "cli/limits.hpp"
#include "commands/collective.hpp"

namespace rehearse {

int collective_command(const Options& options) {
  const CollectiveTable table = time_collectives(options.collective, limits_of(options));
  fmt::print("{}", collective_text(options.collective, table));
  return 0;
}

}  // namespace rehearse
