#include <fmt/format.h>

#include <array>
#include <numeric>

#include "routing/models/models.hpp"

namespace rehearse {
namespace {

constexpr std::array<const TokenRouting*, 6> kRoutings = {&kUniformRouting,   &kZipfRouting,
                                                          &kDirichletRouting, &kGiniRouting,
                                                          &kPowerLawRouting,  &kTableRouting};

}  // namespace

std::span<const TokenRouting* const> token_routings() { return kRoutings; }

const TokenRouting* token_routing_named(std::string_view name) {
  for (const TokenRouting* routing : kRoutings) {
    if (routing->name == name) return routing;
  }
  return nullptr;
}

std::string names_of_token_routings() {
  std::string names;
  for (const TokenRouting* routing : kRoutings) {
    names += fmt::format("{}{}", names.empty() ? "" : " ", routing->name);
  }
  return names;
}

TokenRouting::Refusal accept(const Routing&, const MixtureOfExperts&) { return {}; }

TokenRouting::Refusal require_positive(const char* field, double value) {
  if (value > 0) return {};
  return {field, fmt::format("{} = {}: must be greater than zero", field, value)};
}

void normalise(std::vector<double>& shares) {
  const double sum = std::accumulate(shares.begin(), shares.end(), 0.0);
  // All too small for a double: one has everything, as in the limit.
  if (!(sum > 0)) {
    shares.front() = 1;
    return;
  }
  for (double& share : shares) share /= sum;
}

}  // namespace rehearse
