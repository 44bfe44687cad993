// The order of each schedule by hand; that every rank takes every turn once, and nobody waits for
// himself, for all of them; and what interleaving is worth.
#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <utility>

#include "schedule/pipeline_schedule.hpp"

namespace rehearse {
namespace {

const PipelineSchedule& named(std::string_view name) {
  for (const PipelineSchedule* schedule : pipeline_schedules()) {
    if (schedule->name == name) return *schedule;
  }
  ADD_FAILURE() << "no schedule " << name;
  return *pipeline_schedules().front();
}

std::vector<PipelineShape> many_shapes() {
  std::vector<PipelineShape> shapes;
  for (const int ranks : {1, 2, 3, 4, 8}) {
    for (const int chunks : {1, 2, 3}) {
      for (const int micro_batches : {1, 2, 4, 7, 16}) {
        shapes.push_back({ranks, chunks, micro_batches});
      }
    }
  }
  return shapes;
}

// The end of the last turn when each takes 1 and messages nothing; -1: somebody waits for ever.
int makespan(const PipelineSchedule& schedule, const PipelineShape& shape) {
  std::vector<std::vector<Turn>> turns;
  turns.reserve(shape.ranks);
  for (int rank = 0; rank < shape.ranks; ++rank) turns.push_back(schedule.turns(shape, rank));
  std::vector<std::size_t> next(shape.ranks, 0);
  std::vector<int> clock(shape.ranks, 0);
  std::vector<std::vector<int>> end(shape.stages(), std::vector<int>(shape.micro_batches, -1));
  for (bool moved = true; std::exchange(moved, false);) {
    for (int rank = 0; rank < shape.ranks; ++rank) {
      for (; next[rank] < turns[rank].size(); ++next[rank], moved = true) {
        const Turn& turn = turns[rank][next[rank]];
        const int stage = turn.chunk * shape.ranks + rank;
        const int arrived = stage == 0 ? 0 : end[stage - 1][turn.micro_batch];
        if (arrived < 0) break;
        clock[rank] = std::max(clock[rank], arrived) + 1;
        end[stage][turn.micro_batch] = clock[rank];
      }
    }
  }
  for (int rank = 0; rank < shape.ranks; ++rank) {
    if (next[rank] < turns[rank].size()) return -1;
  }
  return *std::max_element(clock.begin(), clock.end());
}

TEST(PipelineSchedules, TakeEveryTurnOnceOnEveryRank) {
  for (const PipelineSchedule* schedule : pipeline_schedules()) {
    for (const PipelineShape& shape : many_shapes()) {
      if (!schedule->refusal(shape).empty()) continue;
      for (int rank = 0; rank < shape.ranks; ++rank) {
        std::set<std::pair<int, int>> taken;
        for (const Turn& turn : schedule->turns(shape, rank)) {
          EXPECT_TRUE(turn.chunk >= 0 && turn.chunk < shape.chunks);
          EXPECT_TRUE(turn.micro_batch >= 0 && turn.micro_batch < shape.micro_batches);
          taken.emplace(turn.chunk, turn.micro_batch);
        }
        const int all = shape.chunks * shape.micro_batches;
        EXPECT_EQ(static_cast<int>(taken.size()), all) << schedule->name;
        EXPECT_EQ(static_cast<int>(schedule->turns(shape, rank).size()), all) << schedule->name;
      }
    }
  }
}

TEST(PipelineSchedules, NeverWaitForThemselves) {
  for (const PipelineSchedule* schedule : pipeline_schedules()) {
    for (const PipelineShape& shape : many_shapes()) {
      if (!schedule->refusal(shape).empty()) continue;
      EXPECT_GT(makespan(*schedule, shape), 0)
          << schedule->name << ", " << shape.ranks << " ranks, " << shape.chunks << " chunks, "
          << shape.micro_batches << " micro-batches";
    }
  }
}

TEST(FillDrain, TakesTheMicroBatchesInOrder) {
  EXPECT_EQ(named("fill_drain").turns({4, 1, 3}, 2), (std::vector<Turn>{{0, 0}, {0, 1}, {0, 2}}));
  EXPECT_NE(named("fill_drain").refusal({4, 2, 3}), "");
}

TEST(Interleaved, TakesAsManyMicroBatchesAsRanksThroughEachChunk) {
  EXPECT_EQ(named("interleaved").turns({2, 2, 3}, 1),
            (std::vector<Turn>{{0, 0}, {0, 1}, {1, 0}, {1, 1}, {0, 2}, {1, 2}}));
  EXPECT_NE(named("interleaved").refusal({1, 2, 3}), "");
}

// The last rank begins when ranks - 1 turns have passed, and is busy from then on with chunks x
// micro-batches turns, each of 1 / chunks of a rank's layers.
TEST(Interleaved, FillsInThePassesOfAChunk) {
  for (const int ranks : {2, 4, 8}) {
    for (const int chunks : {1, 2, 4}) {
      for (const int groups : {1, 3}) {
        const PipelineShape shape{ranks, chunks, groups * ranks};
        EXPECT_EQ(makespan(named("interleaved"), shape), ranks - 1 + chunks * shape.micro_batches);
      }
    }
  }
}

TEST(TurnsOf, AreThoseOfTheLayout) {
  Layout layout;
  layout.pipeline = 2;
  EXPECT_EQ(turns_of(layout, 2, 0), (std::vector<Turn>{{0, 0}, {0, 1}}));
  layout.virtual_stages = 2;
  EXPECT_EQ(turns_of(layout, 2, 0), (std::vector<Turn>{{0, 0}, {0, 1}, {1, 0}, {1, 1}}));
}

TEST(ScheduleFor, IsInterleavedWhereARankHasSeveralChunks) {
  EXPECT_EQ(schedule_for({1, 1, 5}).name, "fill_drain");
  EXPECT_EQ(schedule_for({4, 1, 5}).name, "fill_drain");
  EXPECT_EQ(schedule_for({4, 2, 5}).name, "interleaved");
}

}  // namespace
}  // namespace rehearse
