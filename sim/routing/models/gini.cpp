// Shares with a given Gini coefficient: exp(sigma x the quantiles of the normal distribution), a
// lognormal law, whose sigma is found by bisection. Real text gave 0.105 for a model with
// multi-head attention and 0.24 and more with multi-head latent attention.
#include <fmt/format.h>

#include <cmath>

#include "routing/load_statistics.hpp"
#include "routing/models/models.hpp"

namespace rehearse {
namespace {

// Inverse of the normal distribution function, by bisection on std::erfc.
double normal_quantile(double probability) {
  double low = -10;
  double high = 10;
  for (int round = 0; round < 80; ++round) {
    const double middle = (low + high) / 2;
    (0.5 * std::erfc(-middle / std::sqrt(2.0)) < probability ? low : high) = middle;
  }
  return (low + high) / 2;
}

std::vector<double> lognormal_shares(const std::vector<double>& quantiles, double sigma) {
  std::vector<double> shares;
  shares.reserve(quantiles.size());
  for (const double z : quantiles) shares.push_back(std::exp(sigma * (z - quantiles.back())));
  normalise(shares);
  return shares;
}

}  // namespace

const TokenRouting kGiniRouting = {
    "gini", "gini",
    [](const Routing& choice, const MixtureOfExperts& moe) -> TokenRouting::Refusal {
      // A token visits top_k different experts: at the most uneven, all tokens visit the same ones.
      const double most = 1 - static_cast<double>(moe.top_k) / moe.experts;
      if (choice.gini == 0 || (choice.gini > 0 && choice.gini < most)) return {};
      return {
          "routing.gini",
          fmt::format("routing.gini = {}: must be at least 0 and below 1 - top_k / experts = {}",
                      choice.gini, most)};
    },
    [](const Routing& choice, const MixtureOfExperts& moe, RandomStream) {
      std::vector<double> quantiles;
      quantiles.reserve(moe.experts);
      for (int place = 0; place < moe.experts; ++place) {
        quantiles.push_back(normal_quantile((place + 0.5) / moe.experts));
      }
      double low = 0;
      double high = 50;
      for (int round = 0; round < 80; ++round) {
        const double middle = (low + high) / 2;
        const std::vector<double> shares =
            inclusion_probabilities(lognormal_shares(quantiles, middle), moe.top_k);
        (gini(shares) < choice.gini ? low : high) = middle;
      }
      return lognormal_shares(quantiles, low);
    }};

}  // namespace rehearse
