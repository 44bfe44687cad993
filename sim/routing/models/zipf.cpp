// The i-th most popular expert gets a share in proportion to i^-exponent (Zipf 1949). Exponent 0:
// every token picks at random, so experts differ by chance only.
#include <fmt/format.h>

#include <cmath>

#include "routing/models/models.hpp"

namespace rehearse {

const TokenRouting kZipfRouting = {
    "zipf", "exponent",
    [](const Routing& choice, const MixtureOfExperts&) -> TokenRouting::Refusal {
      if (choice.exponent >= 0) return {};
      return {"routing.exponent",
              fmt::format("routing.exponent = {}: must not be negative", choice.exponent)};
    },
    [](const Routing& choice, const MixtureOfExperts& moe, RandomStream) {
      std::vector<double> shares;
      for (int place = 1; place <= moe.experts; ++place) {
        shares.push_back(std::pow(place, -choice.exponent));
      }
      normalise(shares);
      return shares;
    }};

}  // namespace rehearse
