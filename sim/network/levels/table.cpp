#include "base/error.hpp"
#include "network/levels/levels.hpp"

namespace rehearse {
namespace {

struct LevelEntry {
  NetworkLevelName name;
  const char* text;
  std::unique_ptr<NetworkLevel> (*make)(const LevelContext&);
};

constexpr LevelEntry kLevels[] = {
    {NetworkLevelName::kFluid, "fluid", make_fluid_level},
    {NetworkLevelName::kExact, "exact", make_exact_level},
    {NetworkLevelName::kSimgrid, "simgrid", make_simgrid_level},
    {NetworkLevelName::kAnalytic, "analytic", make_analytic_level},
};

const LevelEntry& entry_of(NetworkLevelName name) {
  for (const LevelEntry& entry : kLevels) {
    if (entry.name == name) return entry;
  }
  sim_check_failed("level found", __FILE__, __LINE__, "a network level is missing in the table");
}

}  // namespace

std::unique_ptr<NetworkLevel> make_network_level(NetworkLevelName name,
                                                 const LevelContext& context) {
  return entry_of(name).make(context);
}

const char* to_text(NetworkLevelName name) { return entry_of(name).text; }

}  // namespace rehearse
