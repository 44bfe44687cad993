// Loads drawn from a density in proportion to x^-exponent between 1 and `range`, by inversion: the
// "power_law" workloads on which NVIDIA's aiconfigurator measures grouped matrix products
// (collector/helper, sample_power_law; there `range` is 0.8 x the tokens of the pass). At exponent
// 1 the logarithm of a load is uniform.
#include <fmt/format.h>

#include <cmath>

#include "routing/models/models.hpp"

namespace rehearse {
namespace {

double draw(double exponent, double range, double uniform) {
  const double power = 1 - exponent;
  if (std::abs(power) < 1e-9) return std::pow(range, uniform);
  return std::pow(1 + uniform * (std::pow(range, power) - 1), 1 / power);
}

}  // namespace

const TokenRouting kPowerLawRouting = {
    "power_law", "exponent range",
    [](const Routing& choice, const MixtureOfExperts&) -> TokenRouting::Refusal {
      if (choice.range < 1) {
        return {"routing.range", fmt::format("routing.range = {}: must be at least 1: the largest "
                                             "load over the smallest",
                                             choice.range)};
      }
      return require_positive("routing.exponent", choice.exponent);
    },
    [](const Routing& choice, const MixtureOfExperts& moe, RandomStream random) {
      std::vector<double> shares;
      shares.reserve(moe.experts);
      for (int expert = 0; expert < moe.experts; ++expert) {
        shares.push_back(draw(choice.exponent, choice.range, random.uniform()));
      }
      normalise(shares);
      return shares;
    }};

}  // namespace rehearse
