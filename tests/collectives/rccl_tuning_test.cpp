// RCCL's estimates on MI300X against the tables of its tuning.cc applied by hand; GB/s and us.
#include "collectives/libraries/rccl_tuning.hpp"

#include <gtest/gtest.h>

#include <string>

#include "base/error.hpp"

namespace rehearse {
namespace {

constexpr double kKib = 1024;
constexpr double kMib = 1024 * kKib;
constexpr double kGib = 1024 * kMib;

RcclMachine mi300x(int servers, int per_server) {
  return {.ranks = servers * per_server, .servers = servers, .ranks_per_server = per_server};
}

std::string name_of(const NcclCandidate& candidate) {
  return std::string(to_text(candidate.algorithm)) + "." + to_text(candidate.protocol);
}

NcclCandidate find(const RcclMachine& machine, CollectiveOp op, const std::string& name,
                   double bytes) {
  const NcclCandidates found = RcclTuning(machine).candidates(op, Bytes{bytes});
  for (const NcclCandidate& candidate : found.all()) {
    if (name_of(candidate) == name) return candidate;
  }
  throw InternalError(name + " is not considered");
}

std::string choice(const RcclMachine& machine, CollectiveOp op, double bytes) {
  return name_of(RcclTuning(machine).choose(op, Bytes{bytes}));
}

void expect(const RcclMachine& machine, const std::string& name, double bytes, double latency,
            double bandwidth) {
  const NcclCandidate found = find(machine, CollectiveOp::kAllReduce, name, bytes);
  EXPECT_NEAR(found.latency.value * 1e6, latency, 1e-9) << name;
  EXPECT_NEAR(found.bandwidth.value / 1e9, bandwidth, 1e-9) << name;
  EXPECT_NEAR(found.time.value * 1e6, latency + bytes / bandwidth / 1e3, 1e-6) << name;
}

TEST(RcclTuning, OneServer) {
  // 7 links of 48 = 336. Ring LL .08, Simple all, x 8/14; tree LL .06 / 2, full from 4 KiB on.
  expect(mi300x(1, 8), "ring.ll", 8 * kKib, 12 + 14 * 0.8, 336 * 0.08 * 8 / 14);
  expect(mi300x(1, 8), "ring.simple", 8 * kKib, 17 + 14 * 2.1, 192);
  expect(mi300x(1, 8), "tree.ll", 8 * kKib, 12 + 14 * 0.9, 336 * 0.06 / 2);
  expect(mi300x(1, 8), "tree.ll", 2 * kKib, 12 + 14 * 0.9, 336 * 0.06 / 2 * 0.1);
  EXPECT_THROW(find(mi300x(1, 8), CollectiveOp::kAllReduce, "tree.simple", kMib), InternalError);
  // LL until S (1/15.36 - 1/192) = 23.2 us: 387 KB.
  EXPECT_EQ(choice(mi300x(1, 8), CollectiveOp::kAllReduce, 256 * kKib), "ring.ll");
  EXPECT_EQ(choice(mi300x(1, 8), CollectiveOp::kAllReduce, 512 * kKib), "ring.simple");
  // Only the links to the group: busbw 48, 144 of 2 and 4 ranks.
  expect(mi300x(1, 2), "ring.simple", kMib, 17 + 2 * 3.6, 48);
  expect(mi300x(1, 4), "ring.simple", kMib, 17 + 6 * 3.6, 144.0 * 4 / 6);
  EXPECT_EQ(choice(mi300x(1, 4), CollectiveOp::kAllReduce, 8 * kKib), "ring.ll");
}

TEST(RcclTuning, SeveralServers) {
  // 16 ranks: 30 steps, 2 N of them across; the others at a post to the network (AMD 2 us).
  expect(mi300x(2, 8), "ring.ll", 128 * kKib, 12 + 26 * 2 + 4 * 9.5, 336 * 0.08 * 16 / 30);
  expect(mi300x(2, 8), "ring.simple", kGib, 17 + 26 * 6 + 4 * 320.0, 336.0 * 16 / 30);
  expect(mi300x(2, 8), "ring.simple", kMib, 17 + 26 * 6 + 4 * 320.0, 336.0 * 16 / 30 * 0.1);
  expect(mi300x(2, 8), "tree.ll", 8 * kKib, 12 + 2 * (7 * 0.9 + 10.5), 336 * 0.06 / 2);
  expect(mi300x(2, 8), "tree.simple", 16 * kMib, 17 + 2 * (7 * 2.3 + 25), 336 * 0.11 / 2);
  expect(mi300x(4, 8), "tree.simple", 16 * kMib, 17 + 2 * (7 * 2.3 + 50), 336 * 0.59 / 2);
  // Beyond 4 GiB the last factor holds, below 64 B the first.
  expect(mi300x(4, 8), "tree.simple", 64 * kGib, 17 + 2 * (7 * 2.3 + 50), 336 * 0.59 / 2 * 0.8);
  expect(mi300x(2, 8), "tree.ll", 1, 12 + 2 * (7 * 0.9 + 10.5), 336 * 0.06 / 2 * 0.1);
  EXPECT_EQ(choice(mi300x(2, 8), CollectiveOp::kAllReduce, 8 * kKib), "tree.ll");
  EXPECT_EQ(choice(mi300x(2, 8), CollectiveOp::kAllReduce, kGib), "ring.simple");
  EXPECT_EQ(choice(mi300x(4, 8), CollectiveOp::kAllReduce, 16 * kMib), "tree.simple");
}

TEST(RcclTuning, OtherOperationsByRings) {
  const NcclCandidate gather = find(mi300x(1, 8), CollectiveOp::kAllGather, "ring.simple", kGib);
  EXPECT_NEAR(gather.bandwidth.value / 1e9, 336.0 * 8 / 7, 1e-9);
  EXPECT_NEAR(gather.latency.value * 1e6, 17 + 7 * 2.1, 1e-9);
  // One step where the rings are alike; LL x 1.65 in one server.
  const NcclCandidate broadcast = find(mi300x(1, 8), CollectiveOp::kBroadcast, "ring.ll", kKib);
  EXPECT_NEAR(broadcast.latency.value * 1e6, 12.8, 1e-9);
  EXPECT_NEAR(broadcast.bandwidth.value / 1e9, 336 * 0.08 * 1.65, 1e-9);
  const NcclCandidates gathers =
      RcclTuning(mi300x(1, 8)).candidates(CollectiveOp::kAllGather, Bytes{1});
  EXPECT_EQ(gathers.all().size(), 2U);
}

TEST(RcclTuning, Channels) {
  const auto channels = [](const RcclMachine& machine, double bytes) {
    return find(machine, CollectiveOp::kAllReduce, "ring.simple", bytes).channels;
  };
  EXPECT_EQ(channels(mi300x(1, 8), kGib), 56);
  EXPECT_EQ(channels(mi300x(2, 8), kGib), 64);
  EXPECT_EQ(channels(mi300x(1, 2), kGib), 32);
  EXPECT_EQ(channels(mi300x(1, 4), kGib), 24);
  // 256 threads x 64 B.
  EXPECT_EQ(channels(mi300x(1, 8), 64 * kKib), 4);
}

TEST(RcclTuning, KnowsWholeServersAndGroupsOfOne) {
  EXPECT_TRUE(RcclTuning::knows(mi300x(16, 8)));
  EXPECT_TRUE(RcclTuning::knows(mi300x(1, 3)));
  EXPECT_FALSE(RcclTuning::knows(mi300x(2, 4)));
  EXPECT_FALSE(RcclTuning::knows(mi300x(1, 16)));
  EXPECT_THROW(RcclTuning(mi300x(2, 1)), InternalError);
}

}  // namespace
}  // namespace rehearse
