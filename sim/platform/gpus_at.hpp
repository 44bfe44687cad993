// GPUs named from outside a platform file (--gpu-at 'CUDA*=h100'): files of other projects have
// hosts and links, but none of the properties that make a host a GPU here.
#pragma once

#include <string>
#include <utility>
#include <vector>

namespace rehearse {

struct GpusAt {
  std::string typed;    // as the option says it: "CUDA*=h100"
  std::string pattern;  // of host names; * stands for any characters
  std::string speed;    // of such a host: "989Tf"
  std::vector<std::pair<std::string, std::string>> properties;  // id and value of each <prop>
};

// Whether the whole name is of the pattern.
bool matches(const std::string& pattern, const std::string& name);

}  // namespace rehearse
