// Every expert gets exactly as many copies as every other: what an ideal router would do, and what
// forced balance does in benchmarks.
#include "routing/models/models.hpp"

namespace rehearse {

const TokenRouting kUniformRouting = {
    "uniform", "", accept, [](const Routing&, const MixtureOfExperts& moe, RandomStream) {
      return std::vector<double>(moe.experts, 1.0 / moe.experts);
    }};

}  // namespace rehearse
