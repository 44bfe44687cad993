// One line for each routing model.
#pragma once

#include "routing/token_routing.hpp"

namespace rehearse {

extern const TokenRouting kUniformRouting;
extern const TokenRouting kZipfRouting;
extern const TokenRouting kDirichletRouting;
extern const TokenRouting kGiniRouting;
extern const TokenRouting kPowerLawRouting;
extern const TokenRouting kTableRouting;

TokenRouting::Refusal accept(const Routing& choice, const MixtureOfExperts& moe);
TokenRouting::Refusal require_positive(const char* field, double value);
void normalise(std::vector<double>& shares);

}  // namespace rehearse
