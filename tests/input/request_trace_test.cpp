// Which requests a trace has, and where it is refused.
#include "input/traces/request_trace.hpp"

#include <gtest/gtest.h>

#include "input/input.hpp"
#include "input/input_texts.hpp"

namespace rehearse {
namespace {

std::vector<Request> requests_of(const std::string& text) {
  return parse_request_trace(source_of("t.csv", text, "a request trace")).requests;
}

TEST(RequestTrace, IsReadByTheNamesOfItsColumns) {
  const std::vector<Request> requests = requests_of(
      "# two of a chat\n"
      "output_tokens, arrival_s,prompt_tokens,priority,hash_ids\n"
      "\n"
      "7,0.25, 512,1,4 5 6\n"
      "1,0.25,1,,\n"
      "1,1.5,1,,\n");
  ASSERT_EQ(requests.size(), 3u);
  EXPECT_EQ(requests[0].arrival, Seconds{});
  EXPECT_EQ(requests[0].in_trace, Seconds{0.25});
  EXPECT_EQ(requests[0].prompt_tokens, 512);
  EXPECT_EQ(requests[0].output_tokens, 7);
  EXPECT_EQ(requests[1].arrival, Seconds{});  // two may arrive at once
  EXPECT_EQ(requests[2].arrival, Seconds{1.25});
  EXPECT_EQ(requests[1].prompt_tokens, 1);
  EXPECT_EQ(requests[1].output_tokens, 1);
}

TEST(RequestTrace, IsRefusedWhereItIsWrong) {
  const std::string header = "arrival_s,prompt_tokens,output_tokens\n";
  const struct {
    std::string text, refusal;
  } rows[] = {
      {"arrival_s,prompt_tokens\n0,1\n",
       "1:1: error: column output_tokens is missing: the first line names the columns arrival_s, "
       "prompt_tokens, output_tokens"},
      {"arrival_s,prompt_tokens,output_token\n",
       "1:25: error: unknown column \"output_token\": did you mean \"output_tokens\"?"},
      {"arrival_s,arrival_s,prompt_tokens,output_tokens\n",
       "1:11: error: column arrival_s is given twice"},
      {header, "1:1: error: the trace has no requests"},
      {header + "0,5\n", "2:1: error: 2 values: the first line names 3 columns"},
      {header + "now,5,1\n", "2:1: error: arrival_s = \"now\": expected a number"},
      {header + "inf,5,1\n", "2:1: error: arrival_s = \"inf\": expected a number"},
      {header + "-0.5,5,1\n", "2:1: error: arrival_s = -0.5: must not be negative"},
      {header + "2e10,5,1\n", "2:1: error: arrival_s = 20000000000: must be at most 10000000000"},
      {header + "0,5.5,1\n", "2:3: error: prompt_tokens = \"5.5\": expected an integer"},
      {header + "0,0,1\n", "2:3: error: prompt_tokens = 0: must be at least 1"},
      {header + "0,5, 0\n", "2:6: error: output_tokens = 0: must be at least 1"},
      {header + "0,16777217,1\n", "2:3: error: prompt_tokens = 16777217: must be at most 16777216"},
      {header + "1,5,1\n# late\n0.5,5,1\n",
       "4:1: error: arrival_s = 0.5: the request before arrives at 1: requests stand in order of "
       "arrival"},
  };
  for (const auto& row : rows) {
    EXPECT_EQ(refusal_of([&] { requests_of(row.text); }), "t.csv:" + row.refusal);
  }
}

RequestTrace trace_of(const std::string& text) {
  return parse_request_trace(source_of("t", text, "a request trace"));
}

// 2023's dates have seven digits behind the second, 2024's a time zone; 24 hours lie between the
// two days but for a second and a half.
TEST(RequestTrace, OfAzureHasDates) {
  const RequestTrace trace = trace_of(
      "TIMESTAMP,ContextTokens,GeneratedTokens\n"
      "2023-11-16 18:17:03.9799600,4808,10\n"
      "2023-11-17 18:17:02.4799600+00:00,110,27\n"
      "2023-11-17 18:17:03Z,110,0\n");
  EXPECT_EQ(trace.format, std::string("azure"));
  ASSERT_EQ(trace.requests.size(), 2u);
  EXPECT_EQ(trace.failed, 1);
  EXPECT_EQ(trace.requests[0].prompt_tokens, 4808);
  EXPECT_EQ(trace.requests[1].output_tokens, 27);
  EXPECT_NEAR(trace.requests[1].arrival.value, 86400 - 1.5, 1e-6);
  EXPECT_NEAR(trace.requests[0].in_trace.value, 1700158623.97996, 1e-6);
}

TEST(RequestTrace, OfMooncakeHasBlocksOf512Tokens) {
  const RequestTrace trace = trace_of(
      "{\"timestamp\": 0, \"input_length\": 600, \"output_length\": 5, \"hash_ids\": [0, 1]}\n"
      "{\"timestamp\": 3000, \"input_length\": 512, \"output_length\": 1, \"hash_ids\": [0]}\n");
  EXPECT_EQ(trace.format, std::string("mooncake"));
  EXPECT_EQ(trace.block_tokens, 512);
  ASSERT_EQ(trace.requests.size(), 2u);
  EXPECT_EQ(trace.requests[0].blocks, (std::vector<std::int64_t>{0, 1}));
  EXPECT_EQ(trace.requests[1].arrival, Seconds{3});
}

TEST(RequestTrace, OfBurstGptLeavesFailedRequestsOut) {
  const RequestTrace trace = trace_of(
      "Timestamp,Session ID,Elapsed time,Model,Request tokens,Response tokens,Total tokens,Log "
      "Type\n"
      "5,,0.5,ChatGPT,472,18,490,Conversation log\n"
      "45,,,ChatGPT,1087,0,1087,Conversation log\n"
      "118.5,,2,GPT-4,417,276,693,API log\n");
  EXPECT_EQ(trace.format, std::string("burstgpt"));
  EXPECT_EQ(trace.failed, 1);
  ASSERT_EQ(trace.requests.size(), 2u);
  EXPECT_EQ(trace.requests[1].arrival, Seconds{113.5});
  EXPECT_EQ(trace.requests[1].prompt_tokens, 417);
}

TEST(RequestTrace, OfAServingSimulatorHasNanoseconds) {
  const RequestTrace trace = trace_of(
      "{\"input_toks\": 72, \"output_toks\": 384, \"arrival_time_ns\": 25000000}\n"
      "{\"input_toks\": 7, \"output_toks\": 3, \"arrival_time_ns\": 26500000}\n");
  EXPECT_EQ(trace.format, std::string("llmservingsim"));
  EXPECT_NEAR(trace.requests[1].arrival.value, 1.5e-3, 1e-12);
}

TEST(RequestTrace, OfAnyFormatIsRefusedWhereItIsWrong) {
  const std::string azure = "TIMESTAMP,ContextTokens,GeneratedTokens\n";
  const struct {
    std::string text, refusal;
  } rows[] = {
      {azure + "yesterday,1,1\n",
       "2:1: error: TIMESTAMP = \"yesterday\": expected a date as 2023-11-16 18:17:03.9799600"},
      {azure + "2023-02-30 18:17:03,1,1\n",
       "2:1: error: TIMESTAMP = \"2023-02-30 18:17:03\": expected a date as 2023-11-16 "
       "18:17:03.9799600"},
      {azure + "2023-11-16 18:17:03.97x,1,1\n",
       "2:1: error: TIMESTAMP = \"2023-11-16 18:17:03.97x\": expected a date as 2023-11-16 "
       "18:17:03.9799600"},
      {"{\"timestamp\": 1, \"input_length\": 5\n",
       "1:35: error: no JSON: expected an object on each line"},
      {"{\"timestamp\": 1, \"input_length\": 5}\n", "1:1: error: output_length is missing"},
      {"{\"timestamp\": 1, \"input_length\": \"5\", \"output_length\": 1}\n",
       "1:1: error: input_length = \"5\": expected a number"},
      {"{\"timestamp\": 1, \"input_length\": 513, \"output_length\": 1, \"hash_ids\": [4]}\n",
       "1:1: error: hash_ids has 1 blocks: 513 prompt tokens are 2 of 512 tokens"},
      {"{\"timestamp\": 9, \"input_length\": 1, \"output_length\": 1}\n"
       "{\"timestamp\": 8, \"input_length\": 1, \"output_length\": 1}\n",
       "2:1: error: timestamp = 0.008: the request before arrives at 0.009: requests stand in "
       "order "
       "of arrival"},
      {"{\"sub_requests\": []}\n",
       "1:1: error: sub_requests: sessions of several requests are not modelled"},
      {"arrival_s,prompt_tokens,output_tokens,hash_ids\n0,600,1,4 x\n",
       "2:9: error: hash_ids = \"4 x\": expected integers with blanks between them, one for each "
       "block of 512 tokens"},
  };
  for (const auto& row : rows) {
    EXPECT_EQ(refusal_of([&] { trace_of(row.text); }), "t:" + row.refusal);
  }
}

constexpr const char* kServePlan =
    "model: \"m\" platform: \"p\"\n"
    "serve {\n"
    "  traffic { trace: \"t.csv\" }\n"
    "  engine { name: \"static\" max_sequences: 4 }\n"
    "}\n";

TEST(ServePlan, IsReadWithItsTrace) {
  written_file("m", "x");
  written_file("p", "x");
  const std::string trace =
      written_file("t.csv", "arrival_s,prompt_tokens,output_tokens\n0,5,2\n1,6,3\n");
  PlanRequest request;
  request.path = written_file("plan.textproto", kServePlan);
  const Plan plan = read_plan(request);
  ASSERT_TRUE(plan.serve);
  EXPECT_EQ(plan.serve->trace_path, trace);
  EXPECT_EQ(plan.serve->engine.name, "static");
  EXPECT_EQ(plan.serve->engine.max_sequences, 4);
  ASSERT_EQ(plan.serve->requests.size(), 2u);
  EXPECT_EQ(plan.serve->requests[1].prompt_tokens, 6);
  request.sets = {"serve.engine.max_sequences=9"};
  EXPECT_EQ(read_plan(request).serve->engine.max_sequences, 9);
}

TEST(ServePlan, AMissingTraceIsSaidOfThePlan) {
  written_file("m", "x");
  written_file("p", "x");
  PlanRequest request;
  request.path = written_file("plan.textproto", kServePlan);
  const std::string folder = request.path.substr(0, request.path.rfind('/') + 1);
  EXPECT_EQ(refusal_of([&] { read_plan(request); }),
            request.path + ":3:13: error: serve.traffic.trace \"" + folder +
                "t.csv\" cannot be read: No such file or directory");
}

TEST(ServePlan, HasExactlyOneJobAndAllOfIt) {
  const auto refusal = [](const std::string& job) {
    return refusal_of(
        [&] { parse_plan(source_of("p", "model: \"m\" platform: \"p\"\n" + job, "a plan")); });
  };
  const std::string batch = "batch { sequences: 1 prompt_tokens: 1 output_tokens: 1 }\n";
  const std::string traffic = "traffic { trace: \"t\" } ";
  EXPECT_EQ(refusal(""), "p:1:1: error: batch is missing: a plan has either batch or serve");
  EXPECT_EQ(
      refusal(batch + "serve { " + traffic + "engine { name: \"static\" max_sequences: 1 } }"),
      "p:3:1: error: serve: there is a batch, too: a plan has either batch or serve");
  EXPECT_EQ(refusal("serve { " + traffic + "}"),
            "p:2:1: error: serve.engine is missing: it has no default");
  EXPECT_EQ(refusal("serve { engine { name: \"static\" max_sequences: 1 } }"),
            "p:2:1: error: serve.traffic is missing: it has no default");
  EXPECT_EQ(
      refusal("serve { traffic { } engine { name: \"static\" max_sequences: 1 } }"),
      "p:2:9: error: serve.traffic.trace is missing, and so are rate and concurrency: requests "
      "come by one of the three");
  EXPECT_EQ(refusal("serve { " + traffic + "engine { max_sequences: 1 } }"),
            "p:2:32: error: serve.engine.name is missing: it has no default");
  EXPECT_EQ(refusal("serve { " + traffic + "engine { name: \"static\" } }"),
            "p:2:32: error: serve.engine.max_sequences is missing: it has no default");
  EXPECT_EQ(refusal("serve { " + traffic + "engine { name: \"static\" max_sequences: 0 } }"),
            "p:2:56: error: serve.engine.max_sequences = 0: must be at least 1");
}

}  // namespace
}  // namespace rehearse
