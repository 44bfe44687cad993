// Every verdict of `rehearse check` on the 24-GPU plan against a calculation by hand. The audit
// runs once, through the program, as a user runs it.
#include <gtest/gtest.h>

#include <array>
#include <cstdio>
#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <vector>

#include "claims/plan_24gpu_verdicts.hpp"
#include "source_dir.hpp"

namespace rehearse::by_hand {
namespace {

using nlohmann::json;

std::string output_of(const std::string& command) {
  FILE* const pipe = popen(command.c_str(), "r");
  EXPECT_NE(pipe, nullptr);
  std::string text;
  std::array<char, 65536> buffer;
  for (std::size_t size; (size = fread(buffer.data(), 1, buffer.size(), pipe)) > 0;) {
    text.append(buffer.data(), size);
  }
  EXPECT_EQ(WEXITSTATUS(pclose(pipe)), 1) << "some claim does not hold, so the answer is no";
  return text;
}

json judgements() {
  const std::string plan = REHEARSE_SOURCE_DIR "/workloads/plans/moe-10b-24gpu.textproto";
  return json::parse(output_of(REHEARSE_BINARY " check " + plan +
                               " --set collectives.library=textbook --json"))["judgements"];
}

std::vector<double> numbers(const json& found) {
  if (found.is_boolean()) return {found.get<bool>() ? 1.0 : 0.0};
  if (found.is_number()) return {found.get<double>()};
  return found.get<std::vector<double>>();
}

// Where the document names both sides, a failure is its own contradiction.
void expect_verdict(const Row& row, const json& judgement, const char* otherwise) {
  const Scene scene = scene_of(judgement.value("reading", ""), judgement.value("platform", ""),
                               judgement.value("alternative", ""));
  SCOPED_TRACE(row.id + " " + judgement.value("reading", "") + " " +
               judgement.value("platform", ""));
  const std::vector<double> expected = row.found(scene);
  const std::vector<double> found = numbers(judgement["found"]);
  ASSERT_EQ(found.size(), expected.size());
  bool holds = true;
  for (std::size_t i = 0; i < found.size(); ++i) {
    if (row.at_least) {
      EXPECT_GE(found[i], expected[i] - std::abs(expected[i]) * row.tolerance);
    } else {
      EXPECT_NEAR(found[i], expected[i], std::abs(expected[i]) * row.tolerance);
    }
    holds = holds && row.holds(expected[i]);
  }
  // An upper bound is no evidence.
  const char* const kept = judgement.contains("evidence") ? "not modelled" : "holds";
  EXPECT_EQ(judgement["verdict"], holds ? kept : otherwise);
}

TEST(Plan24Gpu, EveryVerdictIsTheOneByHand) {
  struct Expected {
    Row row;
    int scenarios = 0;
  };
  std::map<std::string, Expected> rows;
  const auto add = [&](const std::vector<Row>& some, int scenarios) {
    for (const Row& row : some) rows[row.id] = {row, scenarios};
  };
  add(document_rows(), 1);
  add(fact_rows(), 6);  // three readings on two platforms
  add(run_rows(), 6);
  add(routing_rows(), 2);                  // the readings with one active expert
  rows.at("ttft-6.memory").scenarios = 4;  // one reading with 1 and with 2 micro-batches

  // What the simulator has no model of.
  const std::set<std::string> not_modelled = {
      "optimizer-1.66gb",         "checkpointing-50", "streaming",
      "length-bucketing",         "load-monitoring",  "layout-optimizer-1.66gb",
      "gradient-checkpointing-50"};

  std::map<std::string, int> scenarios;
  for (const json& judgement : judgements()) {
    const std::string id = judgement["claim"];
    ++scenarios[id];
    if (not_modelled.contains(id) || !judgement.contains("found")) {
      EXPECT_EQ(not_modelled.count(id), 1U) << id;
      continue;
    }
    ASSERT_EQ(rows.count(id), 1U) << id << " has no calculation by hand";
    const auto& [row, expected] = rows.at(id);
    const bool document = expected == 1;
    EXPECT_EQ(judgement.contains("reading"), !document) << id;
    expect_verdict(row, judgement, document ? "inconsistent" : "refuted");
  }

  EXPECT_EQ(scenarios.size(), rows.size() + not_modelled.size());
  EXPECT_GT(scenarios.size(), 70U);
  for (const auto& [id, entry] : rows) EXPECT_EQ(scenarios[id], entry.scenarios) << id;
}

}  // namespace
}  // namespace rehearse::by_hand
