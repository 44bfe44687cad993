#include "cluster_xml/host_names.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <set>

namespace rehearse {
namespace {

std::set<std::string> spelled_out(const NameRange& range) {
  std::set<std::string> names;
  for (const auto& [first, last] : range.numbers) {
    for (std::int64_t number = first; number <= last; ++number) {
      names.insert(range.prefix + std::to_string(number) + range.suffix);
    }
  }
  return names;
}

TEST(NameRange, ContainsOnlyNumbersAsSimGridWritesThem) {
  const NameRange range{"gpu", ".site", {{0, 12}}};
  EXPECT_TRUE(range.contains("gpu0.site"));
  EXPECT_TRUE(range.contains("gpu12.site"));
  for (const char* other :
       {"gpu13.site", "gpu07.site", "gpu.site", "gpu7", "7.site", "gpu-1.site"}) {
    EXPECT_FALSE(range.contains(other)) << other;
  }
}

TEST(NameRange, HugeRangesAreComparedWithoutSpellingThemOut) {
  const NameRange all{"gpu", "", {{0, 99'999'999}}};
  const NameRange some{"gpu9", "", {{9'999'990, 2'000'000'000}}};
  EXPECT_EQ(all.count(), 100'000'000);
  EXPECT_EQ(all.common_name(some), "gpu99999990");
  EXPECT_EQ(all.common_name({"gpu0", "", {{0, 9}}}), std::nullopt);  // gpu00: no leading zeros
}

// The interval arithmetic against the sets of names it stands for.
RC_GTEST_PROP(NameRange, CommonNameIsThatOfTheSets, ()) {
  const auto any_range = [] {
    const auto prefix = *rc::gen::element<std::string>("g", "g1", "g10", "g0", "h", "");
    const auto first = *rc::gen::inRange<std::int64_t>(0, 300);
    const auto size = *rc::gen::inRange<std::int64_t>(0, 200);
    return NameRange{prefix, *rc::gen::element<std::string>("", "x"), {{first, first + size}}};
  };
  const NameRange a = any_range();
  const NameRange b = any_range();
  const std::set<std::string> names_a = spelled_out(a);
  const std::set<std::string> names_b = spelled_out(b);
  std::set<std::string> common;
  for (const std::string& name : names_a) {
    RC_ASSERT(a.contains(name));
    if (names_b.contains(name)) common.insert(name);
  }
  const std::optional<std::string> found = a.common_name(b);
  RC_ASSERT(found.has_value() == !common.empty());
  if (found) RC_ASSERT(common.contains(*found));
}

}  // namespace
}  // namespace rehearse
