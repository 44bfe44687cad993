// What moved, and whether that is worse.
#include "compare/compare.hpp"

#include <gtest/gtest.h>

#include "compare/report.hpp"

namespace rehearse {
namespace {

using nlohmann::json;
using Kind = FieldChange::Kind;

json result() {
  return json::parse(R"({
    "plan": "p", "makespan_s": 10.0, "ttft_s": {"max": 4.0}, "throughput": {"tokens_per_s": 100.0},
    "memory": {"fits": true, "peak_bytes": 1e9, "capacity_bytes": 64e9},
    "communication": {"by_axis": [{"axis": "tp", "busy_s": 1.0}, {"axis": "pp", "busy_s": 2.0}]},
    "operators": [{"operator": "qkv", "busy_s": 5.0}, {"operator": "norm", "busy_s": 1.0}]})");
}

const std::vector<Tolerance> kOnePercent = {{"", 0.01, 0}};

Kind kind_after(const std::string& pointer, const json& value, const std::string& path,
                const std::vector<Tolerance>& tolerances = kOnePercent) {
  json after = result();
  after[json::json_pointer(pointer)] = value;
  for (const FieldChange& each : compare(result(), after, tolerances).fields) {
    if (each.path == path) return each.kind;
  }
  ADD_FAILURE() << path;
  return Kind::kSame;
}

TEST(Direction, SaysWhatIsWorse) {
  EXPECT_EQ(kind_after("/ttft_s/max", 4.1, "ttft_s.max"), Kind::kWorse);
  EXPECT_EQ(kind_after("/ttft_s/max", 3.9, "ttft_s.max"), Kind::kBetter);
  EXPECT_EQ(kind_after("/throughput/tokens_per_s", 98.0, "throughput.tokens_per_s"), Kind::kWorse);
  EXPECT_EQ(kind_after("/throughput/tokens_per_s", 102.0, "throughput.tokens_per_s"),
            Kind::kBetter);
  EXPECT_EQ(kind_after("/memory/fits", false, "memory.fits"), Kind::kWorse);
  EXPECT_EQ(kind_after("/memory/peak_bytes", 2e9, "memory.peak_bytes"), Kind::kWorse);
  // Another GPU, another plan: not for us to judge.
  EXPECT_EQ(kind_after("/memory/capacity_bytes", 80e9, "memory.capacity_bytes"), Kind::kMoved);
  EXPECT_EQ(kind_after("/plan", "q", "plan"), Kind::kMoved);
}

TEST(Direction, FitsWholeNames) {
  EXPECT_EQ(better_of("utilization.bubble_fraction"), Better::kLess);
  EXPECT_EQ(better_of("utilization.mfu"), Better::kMore);
  EXPECT_EQ(better_of("makespan_s"), Better::kLess);
  EXPECT_EQ(better_of("makespan_steps"), Better::kNeither);
  EXPECT_EQ(better_of("communication.by_axis[tp].busy_s"), Better::kNeither);
}

TEST(Tolerance, IsRelativeOrAbsoluteAndTheLastThatFits) {
  // 4.0 may become 4.04 with 1 %.
  EXPECT_EQ(kind_after("/ttft_s/max", 4.039, "ttft_s.max"), Kind::kSame);
  EXPECT_EQ(kind_after("/ttft_s/max", 4.041, "ttft_s.max"), Kind::kWorse);
  const std::vector<Tolerance> tolerances = {{"", 0.01, 0}, {"ttft_s", 0, 0.5}};
  EXPECT_EQ(kind_after("/ttft_s/max", 4.49, "ttft_s.max", tolerances), Kind::kSame);
  EXPECT_EQ(kind_after("/ttft_s/max", 4.51, "ttft_s.max", tolerances), Kind::kWorse);
  EXPECT_EQ(kind_after("/makespan_s", 10.2, "makespan_s", tolerances), Kind::kWorse);
  EXPECT_EQ(kind_after("/makespan_s", 10.0000001, "makespan_s", {}), Kind::kWorse);
}

TEST(Fields, OfAListAreMatchedByName) {
  json after = result();
  after["communication"]["by_axis"] = json::array({{{"axis", "pp"}, {"busy_s", 2.0}}});
  const ResultComparison comparison = compare(result(), after, kOnePercent);
  EXPECT_FALSE(comparison.regressed());
  int moved = 0;
  for (const FieldChange& each : comparison.fields) {
    if (each.kind == Kind::kSame) continue;
    ++moved;
    EXPECT_EQ(each.path, "communication.by_axis[tp].busy_s");
    EXPECT_TRUE(each.after.is_null());
  }
  EXPECT_EQ(moved, 1);
}

TEST(Fields, ThatAreGoneCannotBeGuarded) {
  json after = result();
  after.erase("ttft_s");
  EXPECT_TRUE(compare(result(), after, kOnePercent).regressed());
  EXPECT_FALSE(compare(after, result(), kOnePercent).regressed());
}

TEST(Operators, AreSortedByWhatTheyMoved) {
  json after = result();
  after["operators"] = json::parse(
      R"([{"operator": "norm", "busy_s": 0.9}, {"operator": "qkv", "busy_s": 5.2}, {"operator": "router", "busy_s": 1.0}])");
  const ResultComparison comparison = compare(result(), after, kOnePercent);
  ASSERT_EQ(comparison.operators.size(), 3U);  // +1.0, +0.2, -0.1
  EXPECT_EQ(comparison.operators[0].path, "operators[router].busy_s");
  EXPECT_EQ(comparison.operators[1].path, "operators[qkv].busy_s");
  EXPECT_EQ(comparison.operators[2].path, "operators[norm].busy_s");
  EXPECT_FALSE(comparison.regressed());
}

TEST(Report, CountsAndListsTheWorstFirst) {
  json after = result();
  after["ttft_s"]["max"] = 5.0;
  after["makespan_s"] = 9.0;
  const std::string table = compare_table(compare(result(), after, kOnePercent));
  EXPECT_EQ(table,
            "WORSE   ttft_s.max                                         4.00 s ->       5.00 s     "
            "+25.00 %\n"
            "better  makespan_s                                         10.0 s ->       9.00 s     "
            "-10.00 %\n"
            "1 worse, 1 better, 0 moved without being either, 7 the same\n");
}

}  // namespace
}  // namespace rehearse
