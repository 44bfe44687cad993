// One resource of a platform file faster, all else as it is.
#include "platform/scaled_platform.hpp"

#include <gtest/gtest.h>

#include <fstream>
#include <sstream>

namespace rehearse {
namespace {

const std::string kPlatforms = REHEARSE_SOURCE_DIR "/platforms/";

std::string text_of(const std::string& path) {
  std::ifstream file(path);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

std::string replaced(std::string text, const std::string& what, const std::string& by) {
  const std::size_t at = text.find(what);
  EXPECT_NE(at, std::string::npos) << what;
  return text.replace(at, what.size(), by);
}

TEST(Resources, AreWhatOneCanBuy) {
  // A port's speed is no compute.
  EXPECT_EQ(
      resources_of(kPlatforms + "plan-24gpu-nvlink.xml"),
      (std::vector<std::string>{"FLOP/s", "infiniband links", "memory bandwidth", "nvlink links"}));
  EXPECT_EQ(
      resources_of(kPlatforms + "plan-24gpu-assumed.xml"),
      (std::vector<std::string>{"FLOP/s", "gpus links", "gpus backbone", "memory bandwidth"}));
}

TEST(Scaled, ChangesOneResourceAndNothingElse) {
  const std::string path = kPlatforms + "plan-24gpu-nvlink.xml";
  const std::string text = text_of(path);
  EXPECT_EQ(scaled_platform(path, "FLOP/s", 2), replaced(text, "\"400Tf\"", "\"800Tf\""));
  EXPECT_EQ(scaled_platform(path, "nvlink links", 2), replaced(text, "\"450GBps\"", "\"900GBps\""));
  EXPECT_EQ(scaled_platform(path, "infiniband links", 0.5),
            replaced(text, "\"50GBps\"", "\"25GBps\""));
  EXPECT_EQ(scaled_platform(path, "memory bandwidth", 2),
            replaced(text, "\"1.8TBps\"", "\"3.6TBps\""));
  EXPECT_EQ(scaled_platform(path, "no such thing", 2), text);
}

TEST(Scaled, JoinsLinksThatDifferInTheirNumbers) {
  const std::string path = REHEARSE_SOURCE_DIR "/tests/platform/good/zones.xml";
  const std::vector<std::string> resources = resources_of(path);
  for (const std::string& resource : resources) {
    EXPECT_EQ(resource.find_first_of("0123456789"), std::string::npos) << resource;
  }
}

}  // namespace
}  // namespace rehearse
