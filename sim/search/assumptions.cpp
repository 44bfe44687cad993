#include "search/assumptions.hpp"

#include "metrics/assumptions.hpp"

namespace rehearse {

std::vector<std::string> assumptions_of(const SearchInputs& inputs) {
  std::vector<std::string> all =
      assumptions_of(inputs.base, inputs.model, Platform{},
                     inputs.space.gpus.empty() ? 1 : inputs.space.gpus.most(), nullptr);
  for (const SearchPlatform& platform : inputs.space.platforms) {
    for (const std::string& guess : platform.assumed) {
      all.push_back(inputs.space.platforms.size() > 1 ? platform.path + ": " + guess : guess);
    }
  }
  return all;
}

}  // namespace rehearse
