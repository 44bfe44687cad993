// What moved, and whether that is worse.
#include "compare/compare.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <limits>
#include <map>

#include "compare/check_result.hpp"
#include "compare/report.hpp"
#include "compare/small_results.hpp"
#include "metrics/result_json.hpp"

namespace rehearse {
namespace {

using Kind = FieldChange::Kind;

std::string refusal_of(const std::string& tolerance) {
  try {
    read_tolerance(tolerance, {"--tolerance " + tolerance, 1, 13}, schema());
  } catch (const InputError& error) {
    const std::string what = error.what();
    return what.substr(("--tolerance " + tolerance + ":1:").size());
  }
  return "accepted";
}

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
  EXPECT_EQ(better_of("queue_s.p99"), Better::kLess);
  EXPECT_EQ(better_of("e2e_s.mean"), Better::kLess);
  EXPECT_EQ(better_of("serving.request_rate"), Better::kMore);
  EXPECT_EQ(better_of("serving.mean_batch"), Better::kNeither);
  EXPECT_EQ(better_of("serving.slo[TTFT].over_objective"), Better::kLess);
  EXPECT_EQ(better_of("serving.slo[TPOT].value_s"), Better::kLess);
  EXPECT_EQ(better_of("serving.slo[TPOT].objective_s"), Better::kNeither);
  EXPECT_EQ(better_of("serving.preemptions"), Better::kLess);
  EXPECT_EQ(better_of("serving.backlog_growth_per_s"), Better::kLess);
  EXPECT_EQ(better_of("serving.refused"), Better::kLess);
  EXPECT_EQ(better_of("serving.kv_transfer.bytes"), Better::kNeither);
  EXPECT_EQ(better_of("makespan_steps"), std::nullopt);
  EXPECT_EQ(better_of("communication.by_axis[tp].busy_s"), Better::kNeither);
}

TEST(Tolerance, IsRelativeOrAbsoluteAndTheLastThatFits) {
  // 4.0 may become 4.04 with 1 %.
  EXPECT_EQ(kind_after("/ttft_s/max", 4.039, "ttft_s.max"), Kind::kSame);
  EXPECT_EQ(kind_after("/ttft_s/max", 4.041, "ttft_s.max"), Kind::kWorse);
  const std::vector<Tolerance> tolerances = {{"", 0.01, 0}, {"ttft_s", 0, 0.5, Unit::kSeconds}};
  EXPECT_EQ(kind_after("/ttft_s/max", 4.49, "ttft_s.max", tolerances), Kind::kSame);
  EXPECT_EQ(kind_after("/ttft_s/max", 4.51, "ttft_s.max", tolerances), Kind::kWorse);
  EXPECT_EQ(kind_after("/makespan_s", 10.2, "makespan_s", tolerances), Kind::kWorse);
  EXPECT_EQ(kind_after("/makespan_s", 10.0000001, "makespan_s", {}), Kind::kWorse);
}

// What a sum leaves of nothing failed a gate, whatever the tolerance.
TEST(Tolerance, TakesWhatRoundingLeavesForNothing) {
  const auto kind_from_zero = [](double value) {
    json before = result();
    before["makespan_s"] = 0.0;
    json after = before;
    after["makespan_s"] = value;
    const std::vector<FieldChange> fields = compare(before, after, {}).fields;
    const auto makespan = std::find_if(fields.begin(), fields.end(), [](const FieldChange& each) {
      return each.path == "makespan_s";
    });
    return makespan->kind;
  };
  EXPECT_EQ(kind_from_zero(1.8e-21), Kind::kSame);
  EXPECT_EQ(kind_from_zero(1e-12), Kind::kWorse);
}

// Of what one field was and became, beside others that stayed.
Kind kind_of_service(const std::string& path, double before, double after, bool steady_after = true,
                     const std::vector<Tolerance>& tolerances = kOnePercent) {
  json old = json::parse(R"({
    "makespan_s": 10.0, "ttft_s": {"p99": 0.5},
    "serving": {"offered_rate": 4.0, "requests": 1000.0, "steady": true}})");
  json now = old;
  now["serving"]["steady"] = steady_after;
  std::string pointer = "/" + path;
  std::replace(pointer.begin(), pointer.end(), '.', '/');
  old[json::json_pointer(pointer)] = before;
  now[json::json_pointer(pointer)] = after;
  for (const FieldChange& each :
       compare(old, now, tolerances, json::parse(result_skeleton())).fields) {
    if (each.path == path) return each.kind;
  }
  ADD_FAILURE() << path;
  return Kind::kSame;
}

// Noise around 0 was "worse" by hundreds of per cent: 1 % is of what a field is a part of.
TEST(Tolerance, OfWhatIsNearZeroIsAShareOfItsWhole) {
  const std::string queue = "queue_s.p99";  // of 500 ms of TTFT: 5 ms
  EXPECT_EQ(kind_of_service(queue, 0.0001, 0.005), Kind::kSame);
  EXPECT_EQ(kind_of_service(queue, 0.0001, 0.0052), Kind::kWorse);
  EXPECT_EQ(kind_of_service(queue, 1, 1.009), Kind::kSame);  // longer than TTFT: of itself
  EXPECT_EQ(kind_of_service(queue, 1, 1.011), Kind::kWorse);
  EXPECT_EQ(kind_of_service(queue, 0.0001, 0.0002, true, {}), Kind::kWorse);
  const std::string exposed = "communication.exposed_fraction";  // of the makespan
  EXPECT_EQ(kind_of_service(exposed, 0.0002, 0.0099), Kind::kSame);
  EXPECT_EQ(kind_of_service(exposed, 0.0002, 0.0103), Kind::kWorse);
  const std::string lost = "routing.time_lost_s";  // of 10 s
  EXPECT_EQ(kind_of_service(lost, -0.01, 0.08), Kind::kSame);
  EXPECT_EQ(kind_of_service(lost, -0.01, 0.1), Kind::kWorse);
  EXPECT_EQ(kind_of_service("serving.preemptions", 3, 12), Kind::kSame);  // of 1,000 requests
  EXPECT_EQ(kind_of_service("serving.preemptions", 3, 14), Kind::kWorse);
}

TEST(Backlog, ThatDoesNotGrowIsNotJudgedByItsSlope) {
  const std::string growth = "serving.backlog_growth_per_s";  // 1 % of 4/s: 0.04/s
  EXPECT_EQ(kind_of_service(growth, -0.3, -0.01), Kind::kSame);
  EXPECT_EQ(kind_of_service(growth, -0.3, 0.039), Kind::kSame);
  EXPECT_EQ(kind_of_service(growth, -0.3, 0.05), Kind::kMoved);
  // One that grows in the end is judged.
  EXPECT_EQ(kind_of_service(growth, -0.3, 0.05, false), Kind::kWorse);
  EXPECT_EQ(kind_of_service("serving.steady", 1, 0), Kind::kWorse);
}

// GPUs that are faster are less busy at the same rate.
TEST(Direction, ThereIsNoneOfHowBusyAGpuIs) {
  EXPECT_EQ(kind_of_service("utilization.compute_busy_fraction", 0.6, 0.4), Kind::kMoved);
  EXPECT_EQ(kind_of_service("utilization.no_work_fraction", 0.2, 0.4), Kind::kMoved);
  EXPECT_EQ(kind_of_service("communication.total_over_compute", 0.2, 0.4), Kind::kMoved);
  EXPECT_EQ(better_of("communication.exposed_fraction"), Better::kLess);
}

// fault:A12
TEST(Tolerance, IsRefusedWhereItWouldLetEverythingPass) {
  EXPECT_EQ(refusal_of("inf%"), "13: error: \"inf%\": a tolerance is a number of at least 0");
  EXPECT_EQ(refusal_of("nan%"), "13: error: \"nan%\": a tolerance is a number of at least 0");
  EXPECT_EQ(refusal_of("-1%"), "13: error: \"-1%\": a tolerance is a number of at least 0");
  EXPECT_EQ(refusal_of("ttft_s=inf"), "20: error: \"inf\": a tolerance is a number of at least 0");
  EXPECT_EQ(refusal_of("ttft_s.max=-1ms").substr(0, 18), "24: error: \"-1ms\":");
  EXPECT_EQ(refusal_of("101%"), "13: error: \"101%\": more than 100 % guards nothing");
  // 5 of what: of a share, 500 %.
  EXPECT_EQ(refusal_of("5"),
            "13: error: \"5\": a number without a unit is of no field: write 5% or FIELD=5");
  EXPECT_EQ(refusal_of("ttft_s.mux=1%"),
            "20: error: unknown quantity \"mux\" of ttft_s: did you mean \"max\"?");
  EXPECT_EQ(refusal_of("tftt_s=1%").substr(0, 37), "13: error: unknown quantity \"tftt_s\":");
  EXPECT_EQ(refusal_of("5=1%"), "13: error: \"5\": expected a field of a result");
  EXPECT_EQ(refusal_of("memory.peak_bytes=1ms"),
            "31: error: memory.peak_bytes is in bytes, not in s");
  for (const char* good : {"1%", "0%", "100%", "5ms", "1MB", "ttft_s=5ms", "ttft_s.max=0.5",
                           "communication.by_axis[tp].busy_s=3%", "memory=1MB"}) {
    EXPECT_EQ(refusal_of(good), "accepted") << good;
  }
}

// fault:A12 1 MB is no tolerance of seconds: all of them would pass.
TEST(Tolerance, WithAUnitIsForFieldsInThatUnit) {
  const std::vector<Tolerance> tolerances = {{"", 0.01, 0},
                                             read_tolerance("1GB", {"t", 1, 1}, schema())};
  EXPECT_EQ(kind_after("/memory/peak_bytes", 1.9e9, "memory.peak_bytes", tolerances), Kind::kSame);
  EXPECT_EQ(kind_after("/memory/peak_bytes", 2.1e9, "memory.peak_bytes", tolerances), Kind::kWorse);
  EXPECT_EQ(kind_after("/makespan_s", 10.2, "makespan_s", tolerances), Kind::kWorse);
  EXPECT_EQ(kind_after("/throughput/tokens_per_s", 90.0, "throughput.tokens_per_s", tolerances),
            Kind::kWorse);
}

// fault:A12 A metric that became a text was "moved", one below zero "better".
TEST(Result, WithAValueThatIsNoneIsNoResult) {
  const auto fault = [](const std::string& pointer, const json& value) {
    json bad = result();
    bad[json::json_pointer(pointer)] = value;
    const auto found = fault_of(bad, schema());
    return found ? found->message : "none";
  };
  EXPECT_EQ(fault("/ttft_s/max", "NaN"), "ttft_s.max is a text: expected a number");
  EXPECT_EQ(fault("/ttft_s/max", nullptr), "ttft_s.max is a null: expected a number");
  EXPECT_EQ(fault("/ttft_s/max", true), "ttft_s.max is a truth value: expected a number");
  EXPECT_EQ(fault("/ttft_s/max", json::array({1})), "ttft_s.max is a list: expected a number");
  EXPECT_EQ(fault("/ttft_s", 4.0), "ttft_s is a number: expected a group");
  EXPECT_EQ(fault("/makespan_s", -1), "makespan_s = -1: it cannot be negative");
  EXPECT_EQ(fault("/makespan_s", std::numeric_limits<double>::quiet_NaN()),
            "makespan_s is no finite number");
  EXPECT_EQ(fault("/memory/fits", 1), "memory.fits is a number: expected a truth value");
  EXPECT_EQ(fault("/plan", 1), "plan is a number: expected a text");
  EXPECT_EQ(fault("/communication/by_axis/1/busy_s", -2.0),
            "communication.by_axis[1].busy_s = -2: it cannot be negative");
  EXPECT_EQ(fault("/communication/by_axis/1/axis", "tp"), "communication.by_axis has \"tp\" twice");
  EXPECT_EQ(fault("/makespan_s", 3), "none");
  // A run against another one, and what another version wrote.
  EXPECT_EQ(fault("/routing/time_lost_s", -2.0), "none");
  EXPECT_EQ(fault("/novelty", "NaN"), "none");
}

// fault:A12
TEST(Fields, ThatThisVersionDoesNotKnowAreSaidNotToBeJudged) {
  json before = result();
  json after = result();
  before["novelty"] = {{"share", 1.0}};
  after["novelty"] = {{"share", 9.0}};
  const ResultComparison comparison = compare(before, after, kOnePercent);
  EXPECT_FALSE(comparison.regressed());
  EXPECT_EQ(
      compare_table(comparison),
      "unknown novelty.share                                           1 ->            9    "
      "+800.00 %\n"
      "0 worse, 0 better, 0 moved without being either, 9 the same, 1 not judged: no field of "
      "a result of this version\n");
}

// fault:A12 A metric that nobody thought of would not be guarded.
TEST(Rules, KnowEveryFieldOfAResult) {
  const json skeleton = json::parse(result_skeleton());
  for (const auto& [name, value] : skeleton.items()) {
    std::vector<std::string> paths = {name};
    if (value.is_object()) {
      paths.clear();
      for (const auto& [field, inner] : value.items())
        paths.push_back(fmt::format("{}.{}", name, field));
    }
    for (const std::string& path : paths) EXPECT_TRUE(better_of(path).has_value()) << path;
  }
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

// A field that this version does not know may be anything.
TEST(Operators, MoveByNumbersOnly) {
  json after = result();
  after["operators"][0]["detail"] = {{"busy_s", "long"}};
  EXPECT_TRUE(compare(result(), after, kOnePercent).operators.empty());
}

TEST(Report, HasTheSchemasNames) {
  json after = result();
  after["ttft_s"]["max"] = 5.0;
  after.erase("plan");
  after["memory"]["fits"] = false;
  const json all = json::parse(compare_json(compare(result(), after, kOnePercent)));
  EXPECT_EQ(all["regressed"], true);
  std::map<std::string, json> fields;
  for (const json& each : all["fields"]) fields[each["field"]] = each;
  EXPECT_EQ(fields["ttft_s.max"]["before"], 4.0);
  EXPECT_EQ(fields["ttft_s.max"]["after"], 5.0);
  EXPECT_EQ(fields["ttft_s.max"]["verdict"], "worse");
  EXPECT_EQ(fields["memory.fits"]["after"], false);
  EXPECT_EQ(fields["plan"]["before"], "p");
  EXPECT_FALSE(fields["plan"].contains("after"));
  EXPECT_EQ(fields["plan"]["verdict"], "moved");
  EXPECT_TRUE(all["operators"].empty());
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
