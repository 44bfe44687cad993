#include "platform/gpu_words.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cstddef>
#include <iterator>

namespace rehearse {
namespace {

// In the order of the enumerators.
constexpr std::string_view kVendors[] = {"nvidia", "amd", "intel", "google"};
constexpr std::string_view kTopologies[] = {"switch", "mesh", "bridges", "pcie", "torus"};

template <class Word, std::size_t kSize>
std::optional<Word> named(const std::string_view (&words)[kSize], std::string_view word) {
  const auto* const found = std::find(std::begin(words), std::end(words), word);
  if (found == std::end(words)) return std::nullopt;
  return static_cast<Word>(found - std::begin(words));
}

}  // namespace

std::string_view to_text(Vendor vendor) { return kVendors[static_cast<std::size_t>(vendor)]; }
std::optional<Vendor> vendor_named(std::string_view word) { return named<Vendor>(kVendors, word); }
std::string names_of_vendors() { return fmt::format("{}", fmt::join(kVendors, " ")); }

std::string_view to_text(ScaleUpTopology topology) {
  return kTopologies[static_cast<std::size_t>(topology)];
}
std::optional<ScaleUpTopology> topology_named(std::string_view word) {
  return named<ScaleUpTopology>(kTopologies, word);
}
std::string names_of_topologies() { return fmt::format("{}", fmt::join(kTopologies, " ")); }

}  // namespace rehearse
