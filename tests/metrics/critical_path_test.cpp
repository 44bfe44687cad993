#include "metrics/critical_path.hpp"

#include <gtest/gtest.h>

#include "metrics/facts_by_hand.hpp"

namespace rehearse {
namespace {

// fault:C7: rank 0 stands on the second GPU, whose launch takes 2 s of its 3 s operator; the first
// one's takes none.
TEST(CriticalPathFinder, ARanksLaunchIsThatOfItsGpu) {
  Platform platform = two_gpus();
  platform.devices[0].kernel_launch = {};
  platform.devices[1].kernel_launch = Seconds{2};
  Programs programs;
  add_program(programs, {compute(OperatorClass::kSampling, 0)}, {0, 1});
  programs.groups = build_groups(Layout{});
  programs.ranks = {{0, {}, {0, 1}, 1}};
  CriticalPathFinder finder(platform);
  finder.begin(programs);
  finder.span(compute_span(0, 0, 0, 3));
  finder.end(Seconds{3});
  EXPECT_DOUBLE_EQ(finder.path().to_end.launch_s, 2);
  EXPECT_DOUBLE_EQ(finder.path().to_end.compute_s, 1);
}

}  // namespace
}  // namespace rehearse
