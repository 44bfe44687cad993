// The network levels. See each .cpp.
#pragma once

#include <memory>

#include "network/network_level.hpp"

namespace rehearse {

std::unique_ptr<NetworkLevel> make_analytic_level(const LevelContext& context);
std::unique_ptr<NetworkLevel> make_fluid_level(const LevelContext& context);
std::unique_ptr<NetworkLevel> make_exact_level(const LevelContext& context);
std::unique_ptr<NetworkLevel> make_simgrid_level(const LevelContext& context);

}  // namespace rehearse
