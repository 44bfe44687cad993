#include "base/nearest_name.hpp"

#include <gtest/gtest.h>

namespace rehearse {
namespace {

const std::vector<std::string> kGpus = {"a100", "b200", "h100", "h100-nvl", "h200", "mi300x"};

TEST(NearestName, HasTheFewestEdits) {
  EXPECT_EQ(nearest_name("h10", kGpus), "h100");
  EXPECT_EQ(nearest_name("mi300", kGpus), "mi300x");
  EXPECT_EQ(nearest_name("gaudi", kGpus), "");
}

TEST(NearestName, DoesNotCountCaseAndDashes) {
  EXPECT_EQ(nearest_name("AllReduce", {"reduce", "all_reduce"}), "all_reduce");
  EXPECT_EQ(nearest_name("H100NVL", kGpus), "h100-nvl");
}

TEST(NearestName, IsNoneOfWhichNothingIsLeft) {
  EXPECT_EQ(nearest_name("on", {"auto", "off"}), "");
  EXPECT_EQ(nearest_name("of", {"auto", "off"}), "off");
}

TEST(NearestName, IsWhatHasItInItWhereNothingIsNear) {
  EXPECT_EQ(nearest_name("--plat", {"--price", "--gpu-at", "--platform"}), "--platform");
  EXPECT_EQ(nearest_name("tree", {"ring", "double_tree"}), "double_tree");
  EXPECT_EQ(nearest_name("mi300x-oam-192gb", kGpus), "mi300x");
  EXPECT_EQ(nearest_name("xy", {"xyabcdefgh"}), "");  // two characters begin too much
}

TEST(NearestName, ListsThoseThatAreNearAndAtMostFour) {
  // None of h100, one of the others.
  EXPECT_EQ(near_names("h100", {"a100", "h200", "h100"}),
            (std::vector<std::string>{"h100", "a100", "h200"}));
  EXPECT_EQ(near_names("a1", {"a2", "a3", "a4", "a5", "a6"}).size(), 4U);
  EXPECT_EQ(did_you_mean({"a", "b", "c"}), "did you mean \"a\", \"b\" or \"c\"?");
  EXPECT_EQ(suggestions("zzzzz", {"a", "b"}), "one of a b");
}

TEST(NearestName, IsARuleOfAListInOneText) {
  EXPECT_EQ(name_rule("rng", "auto ring tree"),
            "must be one of auto ring tree; did you mean \"ring\"?");
  EXPECT_EQ(name_rule("mesh", " auto ring"), "must be one of auto ring");
}

TEST(NearestName, OfALongNameIsNone) {
  EXPECT_EQ(nearest_name(std::string(200, 'a'), {std::string(199, 'a')}), "");
}

}  // namespace
}  // namespace rehearse
