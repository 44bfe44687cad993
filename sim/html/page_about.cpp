#include "html/page_about.hpp"

#include <nlohmann/json.hpp>

namespace rehearse {

nlohmann::ordered_json json_of(const PageAbout& about) {
  nlohmann::ordered_json head = nlohmann::ordered_json::array();
  for (const auto& [name, text] : about.head) head.push_back({{"name", name}, {"text", text}});
  return {{"head", std::move(head)}, {"limits", about.limits}};
}

}  // namespace rehearse
