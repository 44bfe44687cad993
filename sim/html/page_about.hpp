// What the page of a run says of it beside its numbers.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <utility>
#include <vector>

namespace rehearse {

struct PageAbout {
  std::vector<std::pair<std::string, std::string>> head;  // "traffic", "128 requests x ..."
  std::vector<std::string> limits;  // what is not modelled and matters for this run, in sentences
};

nlohmann::ordered_json json_of(const PageAbout& about);

}  // namespace rehearse
