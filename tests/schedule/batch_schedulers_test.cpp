// What each scheduler decides, by hand; and for all of them: every request is decided on once, not
// before it is there.
#include <gtest/gtest.h>

#include <numeric>
#include <set>

#include "schedule/batch_scheduler.hpp"

namespace rehearse {
namespace {

std::vector<Request> arriving_at(const std::vector<double>& dates) {
  std::vector<Request> trace;
  trace.reserve(dates.size());
  for (const double date : dates) trace.push_back({.arrival = {date}});
  return trace;
}

std::vector<int> all_of(const std::vector<Request>& trace) {
  std::vector<int> requests(trace.size());
  std::iota(requests.begin(), requests.end(), 0);
  return requests;
}

TEST(BatchSchedulers, AreFoundByTheirNames) {
  for (const BatchSchedulerKind* each : batch_schedulers()) {
    EXPECT_EQ(batch_scheduler_named(each->name), each);
    EXPECT_NE(names_of_batch_schedulers().find(each->name), std::string::npos);
  }
  EXPECT_EQ(batch_scheduler_named("dynamic"), nullptr);
}

TEST(BatchSchedulers, DecideOnEveryRequestOnceAndNotBeforeItIsThere) {
  const std::vector<Request> trace = arriving_at({0, 0, 0.5, 1, 1, 1, 1, 3, 8, 9, 9.5});
  for (const BatchSchedulerKind* kind : batch_schedulers()) {
    if (!kind->ignores_ends) continue;
    for (const int most : {1, 2, 3, 5, 11, 40}) {
      const auto log = decide_beforehand(*kind, {most}, trace, all_of(trace));
      std::set<int> decided;
      double before = 0;
      for (const Decision& each : log) {
        EXPECT_LE(before, each.not_before.value);
        before = each.not_before.value;
        EXPECT_FALSE(each.requests.empty());
        EXPECT_LE(each.requests.size(), static_cast<std::size_t>(most));
        for (const int request : each.requests) {
          EXPECT_TRUE(decided.insert(request).second) << kind->name << " " << request;
          EXPECT_LE(trace[request].arrival, each.not_before);
        }
      }
      EXPECT_EQ(decided.size(), trace.size()) << kind->name;
    }
  }
}

// Of 7 requests in threes: two that are full when their last one arrives, and one left over, of
// which nobody can know that it is the last before it is there.
TEST(StaticBatching, GoesWhenFullAndAtTheEnd) {
  const std::vector<Request> trace = arriving_at({0, 1, 2, 2, 5, 5, 9});
  const auto log =
      decide_beforehand(*batch_scheduler_named("static"), {3}, trace, {0, 1, 2, 3, 4, 5, 6});
  ASSERT_EQ(log.size(), 3u);
  EXPECT_EQ(log[0].not_before, Seconds{2});
  EXPECT_EQ(log[0].requests, (std::vector{0, 1, 2}));
  EXPECT_EQ(log[1].not_before, Seconds{5});
  EXPECT_EQ(log[1].requests, (std::vector{3, 4, 5}));
  EXPECT_EQ(log[2].not_before, Seconds{9});
  EXPECT_EQ(log[2].requests, std::vector{6});
}

TEST(StaticBatching, OfAFullLastBatchNothingIsLeft) {
  const std::vector<Request> trace = arriving_at({0, 1, 2, 4});
  const auto log = decide_beforehand(*batch_scheduler_named("static"), {2}, trace, {0, 1, 2, 3});
  ASSERT_EQ(log.size(), 2u);
  EXPECT_EQ(log[1].not_before, Seconds{4});
}

// Asked late, it decides on all that is there at once.
TEST(StaticBatching, DecidesOnAllThatIsThere) {
  const auto scheduler = batch_scheduler_named("static")->make({2});
  for (int request = 0; request < 5; ++request) scheduler->arrived(request);
  const auto decided = scheduler->decide({7});
  ASSERT_EQ(decided.size(), 2u);
  EXPECT_EQ(decided[1].requests, (std::vector{2, 3}));
  EXPECT_EQ(decided[1].not_before, Seconds{7});
  EXPECT_TRUE(scheduler->decide({8}).empty());  // one is left, and more may come
  scheduler->no_more_come();
  ASSERT_EQ(scheduler->decide({9}).size(), 1u);
  EXPECT_TRUE(scheduler->decide({10}).empty());
}

TEST(RoundRobin, TakesTurns) {
  EXPECT_EQ(round_robin(5, 2), (std::vector<std::vector<int>>{{0, 2, 4}, {1, 3}}));
  EXPECT_EQ(round_robin(1, 2), (std::vector<std::vector<int>>{{0}, {}}));
}

}  // namespace
}  // namespace rehearse
