#include "trace/service_trace.hpp"

#include <gtest/gtest.h>

#include "base/error.hpp"
#include "metrics/service_by_hand.hpp"
#include "trace/traced.hpp"

namespace rehearse {
namespace {

using serving::asks;
using serving::kMs;
using serving::ServiceSettings;
using serving::small_engine;

constexpr std::int64_t kMsInNs = 1'000'000;

ImportedTrace traced_service(const std::vector<serving::Offered>& offered,
                             const ServiceSettings& settings = small_engine("vllm"),
                             TraceOptions options = {}) {
  const ScratchDirectory scratch;
  options.path = scratch.file("trace.json.gz");
  service_trace(plan_of(offered), serving::serve_small(offered, settings), options);
  ImportedTrace trace = import_trace(read_gzip(options.path), /*keep_args=*/true);
  for (const std::string& violation : check_importer_rules(trace)) ADD_FAILURE() << violation;
  return trace;
}

TEST(ServiceTrace, AStepIsASliceOfItsReplica) {
  const ImportedTrace trace = traced_service(three_requests());
  const Events steps = of_phase(trace, 'X');
  ASSERT_EQ(steps.size(), 9U);
  EXPECT_EQ(steps[0].name, "prefill");
  EXPECT_EQ(steps[0].ts, 0);
  EXPECT_EQ(steps[0].dur, 15 * kMsInNs);
  EXPECT_EQ(steps[0].args.dump(), R"({"context":0,"requests":1,"tokens":5})");
  EXPECT_EQ(steps[8].name, "decode");
  EXPECT_EQ(steps[8].ts, 248 * kMsInNs);
  EXPECT_EQ(steps[8].args.dump(), R"({"context":8,"requests":1,"tokens":1})");
  EXPECT_EQ(metadata(trace, "process_name", 0, 0), R"({"name":"replica 0"})");
  EXPECT_EQ(metadata(trace, "process_name", 1, 0), R"({"name":"requests"})");
  EXPECT_EQ(metadata(trace, "thread_name", 0, 11), R"({"name":"steps"})");
}

TEST(ServiceTrace, ARequestIsItsQueueItsPrefillAndItsDecoding) {
  // The second comes at 5 ms, waits for the first's step of 15 ms, and has its only token at
  // 15 + 10 + 1 + 3 ms.
  const ImportedTrace trace = traced_service({asks(5, 2), asks(3, 1, 5 * kMs)});
  std::string text;
  for (const ImportedEvent& event : trace.events) {
    if (event.phase != 'b' && event.phase != 'e') continue;
    text += std::string(1, event.phase) + event.id + " " + event.name + " " +
            std::to_string(event.ts / kMsInNs) + "\n";
  }
  EXPECT_EQ(text,
            "b0 request 0 0\nb0 prefill 0\ne0 prefill 15\nb0 decode 15\ne0 decode 29\n"
            "e0 request 0 29\n"
            "b1 request 1 5\nb1 queue 5\ne1 queue 15\nb1 prefill 15\ne1 prefill 29\n"
            "e1 request 1 29\n");
}

TEST(ServiceTrace, CountsWhoWaitsAndWhoRuns) {
  const ImportedTrace trace = traced_service({asks(5, 2), asks(3, 1, 5 * kMs)});
  std::string text;
  for (const ImportedEvent& event : of_phase(trace, 'C')) {
    text += std::to_string(event.ts / kMsInNs) + event.args.dump() + "\n";
  }
  EXPECT_EQ(text,
            "0{\"running\":1,\"waiting\":0}\n5{\"running\":1,\"waiting\":1}\n"
            "15{\"running\":2,\"waiting\":0}\n29{\"running\":0,\"waiting\":0}\n");
}

TEST(ServiceTrace, StepsThatOverlapLieOnThreadsOfTheirOwn) {
  ServiceSettings settings = small_engine("vllm");
  settings.engine.stages = 2;
  std::vector<serving::Offered> offered;
  offered.reserve(6);
  for (int i = 0; i < 6; ++i) offered.push_back(asks(4, 3));
  settings.engine.max_sequences = 4;
  settings.engine.max_tokens = 4;
  const ImportedTrace trace = traced_service(offered, settings);
  EXPECT_EQ(metadata(trace, "thread_name", 0, 12), R"-({"name":"steps (2)"})-");
  EXPECT_EQ(metadata(trace, "thread_name", 0, 13), "none");
}

TEST(ServiceTrace, ShowsTheReplicasAndTheTimeThatAreAskedFor) {
  ServiceSettings settings = small_engine("vllm");
  settings.engines = 3;
  TraceOptions options;
  options.ranks = parse_trace_ranks("1");
  const ImportedTrace one = traced_service(three_requests(), settings, options);
  EXPECT_EQ(of_phase(one, 'X').size(), 1U);  // b's step
  EXPECT_EQ(of_phase(one, 'X')[0].pid, 1U);
  EXPECT_EQ(metadata(one, "process_name", 0, 0), "none");

  options = {};
  options.window = parse_trace_window("0s..50ms");
  const ImportedTrace early = traced_service(three_requests(), settings, options);
  EXPECT_EQ(of_phase(early, 'X').size(), 3U);  // a's

  options = {};
  options.ranks = parse_trace_ranks("0-3");
  EXPECT_THROW(traced_service(three_requests(), settings, options), InputError);
}

TEST(ServiceTrace, ARefusedRequestTakesNoTime) {
  ServiceSettings settings = small_engine("vllm");
  settings.engine.max_model_len = 10;
  const ImportedTrace trace = traced_service(three_requests(), settings);
  Events refused = of_phase(trace, 'b');
  std::erase_if(refused, [](const ImportedEvent& event) { return event.id != "1"; });
  ASSERT_EQ(refused.size(), 1U);
  EXPECT_EQ(refused[0].name, "request 1 refused");
  EXPECT_EQ(refused[0].ts, 100 * kMsInNs);
}

}  // namespace
}  // namespace rehearse
