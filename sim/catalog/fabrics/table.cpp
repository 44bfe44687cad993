#include <fmt/format.h>

#include "base/nearest_name.hpp"
#include "base/option_place.hpp"
#include "catalog/fabrics/fabric.hpp"

namespace rehearse {
namespace {

constexpr Fabric kFabrics[] = {
    {"star", "one switch that never blocks", false, true, write_star},
    {"rail", "GPU i of every server on rail switch i, a spine between rails", true, true,
     write_rail},
    {"leaf-spine", "servers side by side on leaf switches, below a spine", true, true,
     write_leaf_spine},
    {"fat-tree", "switches in levels, static routing (d-mod-k)", true, false, write_fat_tree},
    {"torus", "three dimensions, no switches", false, false, write_torus},
    {"dragonfly", "groups of switches, each joined to every other", true, false, write_dragonfly},
};

}  // namespace

const std::vector<Fabric>& fabrics() {
  static const std::vector<Fabric> kTable(std::begin(kFabrics), std::end(kFabrics));
  return kTable;
}

const Fabric& find_fabric(const std::string& name) {
  std::vector<std::string> known;
  for (const Fabric& fabric : kFabrics) {
    if (fabric.name == name) return fabric;
    known.emplace_back(fabric.name);
  }
  throw InputError(option_place("--fabric", name),
                   fmt::format("unknown fabric \"{}\": {}", name, suggestion(name, known)));
}

}  // namespace rehearse
