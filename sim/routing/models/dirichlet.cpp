// Shares drawn from a symmetric Dirichlet distribution: independent gamma variables over their sum.
// The larger the concentration, the more even: the coefficient of variation of a share is about
// concentration^-1/2.
#include "routing/models/models.hpp"

namespace rehearse {

const TokenRouting kDirichletRouting = {
    "dirichlet", "concentration",
    [](const Routing& choice, const MixtureOfExperts&) {
      return require_positive("routing.concentration", choice.concentration);
    },
    [](const Routing& choice, const MixtureOfExperts& moe, RandomStream random) {
      std::vector<double> shares;
      shares.reserve(moe.experts);
      for (int expert = 0; expert < moe.experts; ++expert) {
        shares.push_back(random.gamma(choice.concentration));
      }
      normalise(shares);
      return shares;
    }};

}  // namespace rehearse
