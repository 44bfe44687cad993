// Folded and unfolded runs agree, and a fold is refused where replicas are not alike.
#include "fold/fold.hpp"

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <cmath>
#include <optional>

#include "cluster_xml/xml_text.hpp"
#include "fold/equal_replicas.hpp"
#include "replay/recorded_run.hpp"
#include "replay/small_cluster.hpp"
#include "simulation/simulation.hpp"

namespace rehearse {
namespace {

constexpr SmallLink kNic = {1e9, 1e-6};

std::vector<double> numbers_of(const Distribution& d) {
  return {d.mean, d.p50, d.p90, d.p99, d.max};
}

std::vector<double> numbers_of(const Metrics& m) {
  std::vector<double> numbers = {static_cast<double>(m.ranks),
                                 m.makespan_s,
                                 m.prompt_tokens_per_s,
                                 m.output_tokens_per_s,
                                 m.tokens_per_s,
                                 m.tokens_per_ms_per_gpu,
                                 m.output_tokens_per_s_per_gpu,
                                 m.useful_tokens_per_s,
                                 m.mfu,
                                 m.hfu,
                                 m.compute_busy_fraction,
                                 m.bubble_fraction,
                                 m.no_work_fraction,
                                 m.communication_over_compute,
                                 m.exposed_fraction,
                                 m.peer_wait_fraction,
                                 m.gpu_compute_max_over_mean,
                                 m.model_flops,
                                 m.executed_flops,
                                 m.memory.peak_bytes,
                                 m.memory.peak_fraction};
  for (const AxisCommunication& axis : m.by_axis) {
    numbers.insert(numbers.end(), {static_cast<double>(axis.axis), axis.busy_s, axis.exposed_s,
                                   axis.bytes_per_rank});
  }
  for (const std::optional<Distribution>& d :
       {std::optional(m.ttft_s), m.tpot_s, m.decode_step_s, m.itl_s}) {
    if (!d) continue;
    const std::vector<double> values = numbers_of(*d);
    numbers.insert(numbers.end(), values.begin(), values.end());
  }
  return numbers;
}

// The replicas that were folded, then the metrics.
std::vector<double> simulated(const RandomPlan& drawn, const std::string& zone, bool fold) {
  return in_child([&] {
    const TemporaryXml file(zone);
    Plan plan = drawn.plan;
    plan.platform_path = file.path();
    SimulationOptions options;
    options.memory_limit = Bytes{1e10};
    options.fold = fold;
    const Metrics metrics = simulate(plan, drawn.model, options).metrics;
    std::vector<double> numbers = numbers_of(metrics);
    numbers.insert(numbers.begin(), metrics.folded_replicas);
    return numbers;
  });
}

TEST(FoldProperty, FoldedAndUnfoldedRunsAgree) {
  int folded = 0;
  int tried = 0;
  EXPECT_TRUE(rc::check("folding changes nothing", [&] {
    const RandomPlan drawn = draw_plan_of_equal_replicas();
    RC_PRE(drawn.plan.layout.data > 1);
    const std::string& zone = draw_zone();
    const std::vector<double> with = simulated(drawn, zone, true);
    const std::vector<double> without = simulated(drawn, zone, false);
    ++tried;
    folded += with[0] > 1 ? 1 : 0;
    RC_ASSERT(with.size() == without.size());
    for (std::size_t at = 1; at < with.size(); ++at) {
      if (std::abs(with[at] - without[at]) > 1e-9 * std::abs(without[at]) + 1e-15) {
        RC_FAIL("number " + std::to_string(at) + ": " + std::to_string(with[at]) + " instead of " +
                std::to_string(without[at]) + ", " + drawn.text());
      }
    }
  }));
  // The law is about nothing when no run is folded.
  EXPECT_GT(folded, tried / 10);
}

// `data` replicas of two experts' ranks.
Plan two_ranks_each(int data, const std::string& order = "tp-cp-ep-dp-pp") {
  Plan plan;
  plan.layout.expert = 2;
  plan.layout.data = data;
  plan.layout.order = order;
  plan.batch.sequences = 2 * data;
  return plan;
}

Fold fold_of(const Plan& plan, const std::string& zone) {
  const TemporaryXml file(zone);
  Cluster cluster = load_cluster(file.path());
  const Model model;
  return find_fold(plan, model, cluster);
}

TEST(Fold, OfReplicasInsideTheirNodesSharesNothing) {
  // Replicas {0,1} ... {6,7}, each behind its own trunk, which it does not cross.
  const Fold fold = fold_of(two_ranks_each(4), trunks(4, 2, kNic, kNic));
  EXPECT_EQ(fold.replicas, 4);
  for (const int sharers : fold.sharers) EXPECT_EQ(sharers, 1);
}

TEST(Fold, CountsTheReplicasThatMeetOnALink) {
  // The data axis is the fastest: replica d is GPUs d and d + 4, so that 0 and 1 meet on the trunks
  // of nodes 0 and 2, and 2 and 3 on those of nodes 1 and 3.
  const TemporaryXml file(trunks(4, 2, kNic, kNic));
  Cluster cluster = load_cluster(file.path());
  const Model model;
  const Fold fold = find_fold(two_ranks_each(4, "dp-tp-cp-ep-pp"), model, cluster);
  EXPECT_EQ(fold.replicas, 4);
  const Route route = cluster.route(0, 4);
  ASSERT_EQ(route.links.size(), 4U);  // NIC, trunk, trunk, NIC
  EXPECT_EQ(fold.sharers.at(route.links[0]), 1);
  EXPECT_EQ(fold.sharers.at(route.links[1]), 2);
  EXPECT_EQ(fold.sharers.at(route.links[2]), 2);
  EXPECT_EQ(fold.sharers.at(route.links[3]), 1);
}

TEST(Fold, IsRefusedWhenOneReplicaCrossesATrunkAndAnotherDoesNot) {
  // Nodes of 3: replica {0,1} stays in its node, {2,3} does not.
  const Fold fold = fold_of(two_ranks_each(3), trunks(2, 3, kNic, kNic));
  EXPECT_EQ(fold.replicas, 1);
  EXPECT_EQ(fold.why_not, "the fabric does not serve all replicas alike");
}

TEST(Fold, IsRefusedWhenTheBlocksOfReplicasDiffer) {
  // Nodes of 4, data fastest, 6 replicas: d and d + 6. Node 0 has the senders 0-3, node 1 has 4, 5
  // and the receivers 6, 7, node 2 the receivers 8-11: 0 and 1 go from node 0 to 1, 2 and 3 from 0
  // to 2, 4 and 5 from 1 to 2.
  const Fold fold = fold_of(two_ranks_each(6, "dp-tp-cp-ep-pp"), trunks(3, 4, kNic, kNic));
  EXPECT_EQ(fold.replicas, 1);
}

TEST(Fold, IsRefusedForUnequalShares) {
  Plan plan = two_ranks_each(2);
  plan.batch.sequences = 5;
  const Fold fold = fold_of(plan, star(4, kNic));
  EXPECT_EQ(fold.replicas, 1);
  EXPECT_EQ(fold.why_not, "5 requests do not divide into 4 replicas evenly");
}

TEST(Fold, IsRefusedForDifferentDevices) {
  // Replica {0,1} has faster GPUs than {2,3}; every pair is joined by the same link.
  std::string zone = "<zone id=\"world\" routing=\"Full\">";
  for (int gpu = 0; gpu < 4; ++gpu) {
    zone += "<host id=\"gpu" + std::to_string(gpu) + "\" speed=\"" + (gpu < 2 ? "2" : "1") +
            "Tf\">" + gpu_properties() + "</host>";
  }
  zone += "<link id=\"all\" bandwidth=\"1GBps\" latency=\"1us\"/>";
  for (int from = 0; from < 4; ++from) {
    for (int to = from + 1; to < 4; ++to) {
      zone += "<route src=\"gpu" + std::to_string(from) + "\" dst=\"gpu" + std::to_string(to) +
              "\"><link_ctn id=\"all\"/></route>";
    }
  }
  zone += "</zone>";
  EXPECT_EQ(fold_of(two_ranks_each(2), zone).replicas, 1);
}

}  // namespace
}  // namespace rehearse
