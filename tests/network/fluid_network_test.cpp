// Max-min fair rates and completion dates, worked out by hand. Volumes are bytes, dates seconds.
#include "network/fluid_network.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <map>
#include <memory>

namespace rehearse {
namespace {

constexpr double kNoCap = std::numeric_limits<double>::infinity();

// A network with flows numbered in the order of their start.
class Network {
 public:
  int link(double bandwidth) { return network_.add_link({bandwidth}); }

  int start(std::vector<LinkShare> links, double volume, double now = 0, double cap = kNoCap) {
    paths_.push_back(std::make_unique<FlowPath>(FlowPath{std::move(links), cap, 0}));
    network_.finish_path(*paths_.back());
    const int owner = static_cast<int>(paths_.size()) - 1;
    network_.start(*paths_.back(), volume, now, owner);
    return owner;
  }

  // Lets time pass until all flows are complete; dates by flow.
  std::map<int, double> completions(double now = 0) {
    std::map<int, double> dates;
    for (double next = network_.next_completion(now); std::isfinite(next);
         next = network_.next_completion(now)) {
      now = next;
      int owner = 0;
      double date = 0;
      while (network_.pop_completed(now, owner, date)) dates[owner] = date;
    }
    return dates;
  }

  FluidNetwork& network() { return network_; }

 private:
  FluidNetwork network_;
  std::vector<std::unique_ptr<FlowPath>> paths_;
};

TEST(FluidNetwork, AFlowAloneHasTheNarrowestLinksBandwidth) {
  Network network;
  const int wide = network.link(100);
  const int narrow = network.link(10);
  network.start({{wide, 1}, {narrow, 1}}, 50, 3);
  EXPECT_EQ(network.completions(3).at(0), 3 + 50.0 / 10);
}

TEST(FluidNetwork, WithoutFlowsNothingCompletes) {
  Network network;
  network.link(10);
  EXPECT_EQ(network.network().next_completion(0), kNoCap);
  int owner = 0;
  double date = 0;
  EXPECT_FALSE(network.network().pop_completed(1e9, owner, date));
}

TEST(FluidNetwork, TwoFlowsHalveALinkAndTheOneLeftTakesAll) {
  Network network;
  const int link = network.link(10);
  network.start({{link, 1}}, 20);
  network.start({{link, 1}}, 60);
  // 5 each until 4 s; 40 bytes of the second are left and go at 10.
  const auto dates = network.completions();
  EXPECT_DOUBLE_EQ(dates.at(0), 4);
  EXPECT_DOUBLE_EQ(dates.at(1), 8);
}

TEST(FluidNetwork, AFlowThatJoinsSlowsTheOther) {
  Network network;
  const int link = network.link(10);
  network.start({{link, 1}}, 100);
  EXPECT_DOUBLE_EQ(network.network().next_completion(0), 10);
  // At 4 s, 60 bytes are left; at 5 per second the newcomer's 20 bytes take until 8 s, when 40 are
  // left, which then take 4 s.
  network.start({{link, 1}}, 20, 4);
  const auto dates = network.completions(4);
  EXPECT_DOUBLE_EQ(dates.at(1), 8);
  EXPECT_DOUBLE_EQ(dates.at(0), 12);
}

TEST(FluidNetwork, ALongFlowOverThreeLinksLeavesTheRestToTheShortOnes) {
  // Bertsekas and Gallager's example: one flow over every link of a chain and one flow per link.
  // The link of 6 is shared by two: 3 each; the others leave 10 - 3 = 7 and 15 - 3 = 12.
  Network network;
  const int a = network.link(10);
  const int b = network.link(6);
  const int c = network.link(15);
  network.start({{a, 1}, {b, 1}, {c, 1}}, 3);
  network.start({{a, 1}}, 7);
  network.start({{b, 1}}, 3);
  network.start({{c, 1}}, 12);
  for (const auto& [flow, date] : network.completions()) EXPECT_DOUBLE_EQ(date, 1) << flow;
}

TEST(FluidNetwork, AFlowOfManyStreamsUsesThatMuchOfTheLink) {
  Network network;
  const int link = network.link(12);
  // Per stream 12 / (3 + 1) = 3: the first uses 9 of the link, the second 3.
  network.start({{link, 3}}, 30);
  network.start({{link, 1}}, 30);
  const auto dates = network.completions();
  EXPECT_DOUBLE_EQ(dates.at(0), 10);
  EXPECT_DOUBLE_EQ(dates.at(1), 10);
  Network alone;
  alone.start({{alone.link(12), 3}}, 30);
  EXPECT_DOUBLE_EQ(alone.completions().at(0), 30 / 4.0);
}

TEST(FluidNetwork, AFractionOfAStreamUsesThatFraction) {
  Network network;
  const int link = network.link(12);
  network.start({{link, 0.5}}, 8);  // 12 / 1.5 = 8
  network.start({{link, 1}}, 8);
  for (const auto& [flow, date] : network.completions()) EXPECT_DOUBLE_EQ(date, 1) << flow;
}

TEST(FluidNetwork, ACapBelowTheFairShareLeavesTheRestToTheOthers) {
  Network network;
  const int link = network.link(10);
  network.start({{link, 1}}, 2, 0, 2);  // 2 of the fair 5
  network.start({{link, 1}}, 8);        // 10 - 2
  for (const auto& [flow, date] : network.completions()) EXPECT_DOUBLE_EQ(date, 1) << flow;
}

TEST(FluidNetwork, ACapAboveTheFairShareChangesNothingUntilTheOthersLeave) {
  Network network;
  const int link = network.link(10);
  network.start({{link, 1}}, 26, 0, 8);
  network.start({{link, 1}}, 10);
  // 5 each for 2 s; the other 16 bytes at the cap of 8.
  const auto dates = network.completions();
  EXPECT_DOUBLE_EQ(dates.at(1), 2);
  EXPECT_DOUBLE_EQ(dates.at(0), 4);
}

TEST(FluidNetwork, CapsAreRespectedInEveryOrder) {
  Network network;
  const int link = network.link(12);
  network.start({{link, 1}}, 4, 0, 4);  // 12 / 3
  network.start({{link, 1}}, 7, 0, 9);  // 12 - 4 - 1
  network.start({{link, 1}}, 1, 0, 1);
  for (const auto& [flow, date] : network.completions()) EXPECT_DOUBLE_EQ(date, 1) << flow;
}

TEST(FluidNetwork, AFlowWithoutSharedLinksGoesAtItsCap) {
  Network network;
  network.start({}, 40, 1, 8);
  network.start({}, 40, 1, 4);
  const auto dates = network.completions(1);
  EXPECT_EQ(dates.at(0), 1 + 5);
  EXPECT_EQ(dates.at(1), 1 + 10);
}

// fault:C8: the many streams of the first flow, at their cap, leave 1e-7 of the link to the second;
// bandwidth - cap x streams rounds to 0 (doubles this large are 1.2e-7 apart). A rate of 0 would
// never complete. Max-min: the few streams get no less than the many, so 2 bytes take 2 / cap.
TEST(FluidNetwork, WhatRoundingTakesFromALinkNobodyWaitsForForever) {
  Network network;
  constexpr double kStreams = 523326600.7521925;
  constexpr double kCap = 1.035959285183099;
  constexpr double kFew = 4.6063718908910515e-08;
  const double bandwidth = 542145051.2325424;
  ASSERT_EQ(bandwidth - kCap * kStreams, 0);
  const int link = network.link(bandwidth);
  network.start({{link, kStreams}}, 1e3, 0, kCap);
  network.start({{link, kFew}}, 2);
  const std::map<int, double> dates = network.completions();
  ASSERT_EQ(dates.size(), 2U);
  EXPECT_NEAR(dates.at(1), 2 / kCap, 1e-9);
}

TEST(FluidNetwork, AnUnrelatedFlowIsNotDisturbedToTheLastBit) {
  // 7 / 3 is not a binary fraction: any new computation of the date might change it.
  Network network;
  const int mine = network.link(3);
  const int other = network.link(10);
  network.start({{mine, 1}}, 7);
  EXPECT_EQ(network.network().next_completion(0), 7.0 / 3);
  for (int i = 0; i < 10; ++i) network.start({{other, 1}}, 1 + i, 0.1 * i);
  EXPECT_EQ(network.completions(1).at(0), 7.0 / 3);
}

TEST(FluidNetwork, CompletionsAtOneDateComeInTheOrderOfTheirFlows) {
  Network network;
  const int link = network.link(9);
  for (int flow = 0; flow < 3; ++flow) network.start({{link, 1}}, 9);
  const double date = network.network().next_completion(0);
  EXPECT_DOUBLE_EQ(date, 3);
  int owner = -1;
  double at = 0;
  for (int flow = 0; flow < 3; ++flow) {
    ASSERT_TRUE(network.network().pop_completed(date, owner, at));
    EXPECT_EQ(owner, flow);
    EXPECT_EQ(at, date);
  }
  EXPECT_FALSE(network.network().pop_completed(date, owner, at));
}

TEST(FluidNetwork, NothingCompletesBeforeItsDate) {
  Network network;
  network.start({{network.link(10), 1}}, 50);
  network.network().next_completion(0);
  int owner = 0;
  double date = 0;
  EXPECT_FALSE(network.network().pop_completed(5 - 1e-9, owner, date));
  EXPECT_TRUE(network.network().pop_completed(5, owner, date));
}

}  // namespace
}  // namespace rehearse
