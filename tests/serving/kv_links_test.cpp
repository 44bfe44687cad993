// Transfers that share links, by hand: bytes at 1 GB/s are nanoseconds.
#include "serving/kv_links.hpp"

#include <gtest/gtest.h>

#include <limits>
#include <map>
#include <vector>

#include "base/random_stream.hpp"

namespace rehearse::serving {
namespace {

constexpr Picoseconds kNs = 1000;

FairLinkSettings gigabytes(double send, double receive, Picoseconds latency = 0) {
  return {{send * 1e9}, {receive * 1e9}, latency, {1}};
}

std::map<int, Picoseconds> ends_of(KvLinks& links) {
  std::map<int, Picoseconds> ends;
  while (links.next_end() != kNever) {
    const Picoseconds now = links.next_end();
    std::vector<int> done;
    links.end(done);
    EXPECT_FALSE(done.empty());
    for (const int transfer : done) ends[transfer] = now;
  }
  return ends;
}

using Ends = std::map<int, Picoseconds>;

TEST(FairLinks, OneAloneTakesItsBytesByTheSlowerLinkAndTheLatency) {
  FairLinks links(gigabytes(2, 1, 7 * kNs));
  links.start(5 * kNs, 0, 0, 0, {1000});
  EXPECT_EQ(ends_of(links), (Ends{{0, 1012 * kNs}}));
}

TEST(FairLinks, TwoFromOneSenderTakeTwiceAsLongAndAThirdDoesNotMind) {
  FairLinks links(gigabytes(1, 1));
  links.start(0, 0, 0, 0, {1000});
  links.start(0, 1, 0, 1, {1000});
  links.start(0, 2, 1, 2, {1000});
  EXPECT_EQ(ends_of(links), (Ends{{0, 2000 * kNs}, {1, 2000 * kNs}, {2, 1000 * kNs}}));
}

TEST(FairLinks, WhatOneCannotUseTheOthersGet) {
  // Three send to receiver 0, 1/3 GB/s each. Sender 0 also sends to receiver 1, which gets the
  // other 2/3: 1000 bytes by 1500 ns. By then 500 of 1000 have come of the three, which go on at
  // 1/3.
  FairLinks links(gigabytes(1, 1));
  links.start(0, 0, 0, 0, {1000});
  links.start(0, 1, 1, 0, {1000});
  links.start(0, 2, 2, 0, {1000});
  links.start(0, 3, 0, 1, {1000});
  EXPECT_EQ(ends_of(links),
            (Ends{{0, 3000 * kNs}, {1, 3000 * kNs}, {2, 3000 * kNs}, {3, 1500 * kNs}}));
}

TEST(FairLinks, WhoComesLaterShares) {
  // 500 bytes alone, then half each: the first ends at 500 + 1000, the second has 500 left.
  FairLinks links(gigabytes(1, 1, 10 * kNs));
  links.start(0, 0, 0, 0, {1000});
  links.start(500 * kNs, 1, 0, 0, {1000});
  EXPECT_EQ(ends_of(links), (Ends{{0, 1510 * kNs}, {1, 2010 * kNs}}));
}

TEST(FairLinks, NoTimePassesOnLinksWithoutEnd) {
  const double endless = std::numeric_limits<double>::infinity();
  FairLinks links(gigabytes(endless, endless));
  links.start(3, 0, 0, 0, {1000});
  links.start(3, 1, 0, 1, {1000});
  EXPECT_EQ(ends_of(links), (Ends{{0, 3}, {1, 3}}));
}

// A sender that always has something to send is done when its bytes are, whoever shares it when.
TEST(FairLinks, ABusyLinkLosesNothing) {
  constexpr int kTransfers = 20;
  RandomStream draws({5});
  for (int load = 0; load < 50; ++load) {
    FairLinks links(gigabytes(1, 1e6));
    links.start(0, 0, 0, 0, {20'000});
    std::int64_t bytes = 20'000;
    Picoseconds now = 0;
    Picoseconds last = 0;
    std::vector<int> done;
    const auto end_until = [&](Picoseconds date) {
      while (links.next_end() != kNever && links.next_end() <= date) {
        last = links.next_end();
        links.end(done);
      }
    };
    for (int transfer = 1; transfer <= kTransfers; ++transfer) {
      now += draws.below(1000) * kNs;
      end_until(now);
      const int size = 1 + draws.below(1000);
      links.start(now, transfer, 0, draws.below(4), {size});
      bytes += size;
    }
    end_until(kNever - 1);
    EXPECT_EQ(done.size(), 1U + kTransfers);
    EXPECT_NEAR(static_cast<double>(last), static_cast<double>(bytes * kNs), kTransfers);
  }
}

}  // namespace
}  // namespace rehearse::serving
