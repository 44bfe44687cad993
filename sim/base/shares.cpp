#include "base/shares.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <numeric>

namespace rehearse {
namespace {

constexpr double kTenths = 1000;  // of a percent, in 1

std::string text_of(std::int64_t tenths) {
  return fmt::format("{:.1f} %", static_cast<double>(tenths) / 10);
}

}  // namespace

std::string percent_text(double share) {
  const double rounded = std::round(kTenths * share) / 10 == 0 ? 0.0 : 100 * share;
  return fmt::format("{:.1f} %", rounded);
}

std::vector<std::string> percent_texts(const std::vector<double>& shares) {
  std::vector<std::string> texts;
  texts.reserve(shares.size());
  constexpr double kRounding = 1e-6;
  const double sum = std::accumulate(shares.begin(), shares.end(), 0.0);
  if (!(std::abs(sum - 1) < kRounding)) {
    for (const double share : shares) texts.push_back(percent_text(share));
    return texts;
  }
  std::vector<std::int64_t> tenths;
  tenths.reserve(shares.size());
  std::vector<std::size_t> order(shares.size());
  std::iota(order.begin(), order.end(), 0);
  for (const double share : shares) tenths.push_back(std::llrint(kTenths * share));
  const auto off = static_cast<std::int64_t>(kTenths) -
                   std::accumulate(tenths.begin(), tenths.end(), std::int64_t{0});
  // By how much rounding took from each.
  const auto taken = [&](std::size_t at) {
    return kTenths * shares[at] - static_cast<double>(tenths[at]);
  };
  std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
    return off > 0 ? taken(a) > taken(b) : taken(a) < taken(b);
  });
  for (std::size_t at = 0; at < static_cast<std::size_t>(std::abs(off)); ++at) {
    tenths[order[at % order.size()]] += off > 0 ? 1 : -1;
  }
  for (const std::int64_t each : tenths) texts.push_back(text_of(each));
  return texts;
}

}  // namespace rehearse
