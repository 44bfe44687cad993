#include "cluster_xml/check_config.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>
#include <string_view>

namespace rehearse {
namespace {

// A number within these, or that word.
struct Setting {
  std::string_view id;
  double least;
  double most;
  std::string_view word;
  std::string_view rule;
};

constexpr double kNoBound = std::numeric_limits<double>::infinity();
constexpr Setting kSettings[] = {
    {"network/model", 1, 0, "CM02", "is CM02: links have the bandwidth and latency of the file"},
    {"network/latency-factor", 1, 1, "", "is 1"},
    {"network/bandwidth-factor", 1, 1, "", "is 1"},
    {"network/crosstraffic", 0, 0, "no", "is 0: acknowledgements take no bandwidth"},
    {"network/TCP-gamma", -kNoBound, 0, "", "is off (0 or below): no window bounds a message"},
};

// Older files write underscores.
std::string today(std::string id) {
  std::replace(id.begin(), id.end(), '_', '-');
  return id;
}

bool holds(const Setting& setting, const std::string& value) {
  if (!setting.word.empty() && value == setting.word) return true;
  double number = 0;
  const char* const end = value.data() + value.size();
  const auto [rest, failure] = std::from_chars(value.data(), end, number);
  return failure == std::errc{} && rest == end && number >= setting.least && number <= setting.most;
}

}  // namespace

void check_config(const Element& config) {
  for (const Element& prop : config.children) {
    const std::string& id = prop.required("id");
    const std::string& value = prop.required("value");
    const auto* const setting =
        std::find_if(std::begin(kSettings), std::end(kSettings),
                     [&](const Setting& each) { return each.id == today(id); });
    if (setting == std::end(kSettings)) {
      throw InputError(prop.where, fmt::format("the setting {} = \"{}\" of <config> is not "
                                               "supported: the network model's settings are part "
                                               "of the program; leave it out",
                                               id, value));
    }
    if (holds(*setting, value)) continue;
    throw InputError(prop.where,
                     fmt::format("the setting {} = \"{}\" of <config> is not supported: "
                                 "here it {}",
                                 id, value, setting->rule));
  }
}

}  // namespace rehearse
