// The text of platforms, one of each form. The first are the six GPUs of before the catalogue was
// data: their figures are those of then.
#include <gtest/gtest.h>

#include "catalog/write_platform.hpp"
#include "golden_text.hpp"

namespace rehearse {
namespace {

PlatformRequest request_of(const char* gpu, const char* fabric) {
  PlatformRequest request;
  request.gpu = gpu;
  request.fabric = fabric;
  request.nodes = 2;
  return request;
}

TEST(Platforms, OfTheFirstSixGpus) {
  std::string text;
  for (const char* const gpu : {"a100", "h100", "h200", "b200", "gb200-nvl72", "mi300x"}) {
    text += platform_xml(request_of(gpu, "star"));
  }
  expect_golden("platforms_first_six", text);
}

TEST(Platforms, OfServersThatShareNics) {
  PlatformRequest request = request_of("h100", "rail");
  request.nics = 4;
  expect_golden("platform_shared_nics", platform_xml(request));
}

TEST(Platforms, OfPcieCardsWithBridges) {
  expect_golden("platform_bridges", platform_xml(request_of("h100-nvl", "star")));
}

TEST(Platforms, OfAMesh) {
  expect_golden("platform_mesh", platform_xml(request_of("gaudi3", "star")));
}

TEST(Platforms, OfATorusWithOpenEnds) {
  expect_golden("platform_torus", platform_xml(request_of("tpu-v5e", "")));
}

}  // namespace
}  // namespace rehearse
