// Rows nearer to the best than the error of their times.
#include "search/ties.hpp"

#include <gtest/gtest.h>

#include <limits>

#include "search/made_up_search.hpp"

namespace rehearse {
namespace {

SearchRow row_with(double tokens_per_s, double error) {
  SearchRow row;
  row.values.resize(search_quantities().size(), std::numeric_limits<double>::quiet_NaN());
  row.values[at_name("throughput.tokens_per_s")] = tokens_per_s;
  row.values[at_name("memory.peak_bytes")] = 1e9;
  row.values[at_name("accuracy.makespan_s.expected_error.median")] = error;
  return row;
}

SearchGoals goal(const std::string& objective) {
  SearchGoals goals;
  goals.objectives = {read_objective(objective, {})};
  return goals;
}

TEST(Ties, AreNearerToTheBestThanTheLargerError) {
  const SearchRow best = row_with(1000, 0.08);
  EXPECT_TRUE(ties_with(best, row_with(930, 0.05), goal("throughput")));
  EXPECT_FALSE(ties_with(best, row_with(910, 0.05), goal("throughput")));
  EXPECT_TRUE(ties_with(best, row_with(910, 0.1), goal("throughput")));
}

TEST(Ties, AreOfTimesThatSomebodyCompared) {
  const double unknown = std::numeric_limits<double>::quiet_NaN();
  EXPECT_FALSE(ties_with(row_with(1000, unknown), row_with(999, unknown), goal("throughput")));
  EXPECT_FALSE(expected_error_of(SearchRow{}));
  EXPECT_FALSE(ties_with(row_with(1000, 0.1), row_with(1000, 0.1), goal("memory.peak_bytes")));
  SearchRow misses = row_with(999, 0.1);
  misses.broken = "ttft_s.p99 <= 1";
  EXPECT_FALSE(ties_with(row_with(1000, 0.1), misses, goal("throughput")));
}

}  // namespace
}  // namespace rehearse
