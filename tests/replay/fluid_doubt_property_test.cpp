// Where rings contend, the fluid level is at most 5 % slower than the exact one, or the run says
// that it may be (NetworkDoubt).
#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <algorithm>
#include <cmath>

#include "cluster/cluster.hpp"
#include "cluster_xml/xml_text.hpp"
#include "replay/recorded_run.hpp"
#include "replay/replay.hpp"
#include "replay/small_cluster.hpp"
#include "replay/small_programs.hpp"

namespace rehearse {
namespace {

struct Contention {
  int nodes = 4;
  int groups = 2;  // each has a GPU of every node
  double bytes = 1e6;
  double oversubscription = 4;  // of a node's trunk
  double latency = 1e-6;
  std::vector<double> starts;  // by group

  // An all_reduce of each group.
  SmallPrograms programs() const {
    SmallPrograms small(nodes * groups);
    std::vector<std::vector<Rank>> members(groups);
    for (Rank rank = 0; rank < small.ranks(); ++rank) members[rank % groups].push_back(rank);
    small.divide(Axis::kData, members);
    for (Rank rank = 0; rank < small.ranks(); ++rank) {
      small.compute(rank, starts[rank % groups]);
      small.collective(rank, CollectiveOp::kAllReduce, bytes, {}, Axis::kData);
    }
    return small;
  }

  std::string zone() const {
    constexpr double kNic = 50e9;
    const double trunk = kNic * groups / oversubscription;
    return trunks(nodes, groups, {kNic, latency}, {trunk, latency});
  }
};

Contention random_contention() {
  Contention random;
  random.nodes = *rc::gen::inRange(2, 9);
  random.groups = *rc::gen::inRange(2, 5);
  random.bytes = 8e3 * std::exp2(*rc::gen::inRange(0, 140) / 10.0);  // to 131 MB
  random.oversubscription = std::exp2(*rc::gen::inRange(0, 40) / 10.0);
  random.latency = *rc::gen::inRange(2, 50) * 1e-7;
  // Spread over the time of a ring whose NICs are the limit.
  const double alone = 2 * (random.bytes / 50e9 + 4 * random.nodes * random.latency);
  for (int group = 0; group < random.groups; ++group) {
    random.starts.push_back(*rc::gen::inRange(0, 100) / 100.0 * alone);
  }
  return random;
}

// From the first start to the last end, and the share that is in doubt.
std::vector<double> time_and_doubt(const Contention& contention, NetworkLevelName level) {
  return in_child([&]() -> std::vector<double> {
    const SmallPrograms small = contention.programs();
    const TemporaryXml file(contention.zone());
    Cluster cluster = load_cluster(file.path());
    RecordedRun recorded;
    const ReplayCounts counts = replay(small.programs(), cluster, level, recorded);
    const double first = *std::min_element(contention.starts.begin(), contention.starts.end());
    return {recorded.makespan.value - first, counts.doubt.share()};
  });
}

TEST(FluidDoubt, IsSaidWhereContendingRingsAreFivePercentSlowerThanAtTheExactLevel) {
  EXPECT_TRUE(rc::check("at most 5 % slower, or in doubt", [] {
    const Contention contention = random_contention();
    const double exact = time_and_doubt(contention, NetworkLevelName::kExact)[0];
    const std::vector<double> fluid = time_and_doubt(contention, NetworkLevelName::kFluid);
    RC_ASSERT(fluid[0] <= 1.05 * exact || fluid[1] > kDoubtfulShare);
  }));
}

}  // namespace
}  // namespace rehearse
