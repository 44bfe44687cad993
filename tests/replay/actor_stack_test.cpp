// Actors' stacks have no guard page (32k of them would exhaust vm.max_map_count), so what they use
// is measured: SimGrid hands them out zeroed, and what is no longer zero below a frame has been
// used.
#include <gtest/gtest.h>

#include <algorithm>

#include "cluster_xml/xml_text.hpp"
#include "engine/simgrid_engine.hpp"
#include "replay/small_cluster.hpp"

namespace rehearse {
namespace {

constexpr int kStackBytes = kActorStackKiB * 1024;
// What may lie above the frame of used_stack(): SimGrid's and std::function's.
constexpr int kAbove = 1024;

int used_stack() {
  volatile char here = 1;
  const volatile char* const frame = &here;
  int used = 0;
  for (int below = 0; below < kStackBytes - kAbove; ++below) {
    if (*(frame - below) != 0) used = below;
  }
  return used + kAbove;
}

// Everything that the replay's actors do.
int used_by_actors() {
  const TemporaryXml file(star(2, {1e9, 1e-6}));
  Cluster cluster = load_cluster(file.path());
  SimgridEngine engine(cluster.platform());
  int most = 0;
  const int sleeper = engine.spawn(0, [&](int /*self*/) {
    engine.suspend_self();
    most = std::max(most, used_stack());
  });
  engine.spawn(0, [&](int /*self*/) {
    engine.on_main_stack([] {});
    engine.sleep_until({1e-3});
    engine.send(0, 1, SimgridEngine::kNoGpu, Bytes{1e6});
    engine.spawn(1, [&](int /*self*/) { engine.resume(sleeper); });
    try {
      engine.on_main_stack([] { throw InternalError("taken back to the actor"); });
    } catch (const InternalError&) {
      most = std::max(most, used_stack());
    }
  });
  engine.run();
  return most;
}

TEST(ActorStack, IsTwiceAsLargeAsWhatActorsUse) {
  const int used = used_by_actors();
  EXPECT_GT(used, kAbove);
  EXPECT_LE(2 * used, kStackBytes);
  RecordProperty("bytes", used);
}

}  // namespace
}  // namespace rehearse
