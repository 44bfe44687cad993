// What is said of a trace, by hand.
#include "commands/traffic.hpp"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "input/input_texts.hpp"

namespace rehearse {
namespace {

TrafficSummary summary_of(const std::string& text) {
  return summarize(parse_request_trace(source_of("t", text, "a request trace")));
}

// Gaps of 0, 4 and 6 s: mean 10/3, standard deviation sqrt((100 + 4 + 64) / 27).
TEST(Traffic, CountsRatesGapsAndLengths) {
  const TrafficSummary traffic =
      summary_of("arrival_s,prompt_tokens,output_tokens\n5,100,1\n5,200,2\n9,300,3\n15,400,10\n");
  EXPECT_EQ(traffic.requests, 4);
  EXPECT_EQ(traffic.dates, 3);
  EXPECT_EQ(traffic.duration, Seconds{10});
  EXPECT_DOUBLE_EQ(traffic.rate, 0.3);
  EXPECT_NEAR(traffic.gap_variation, std::sqrt(168 / 27.0) / (10 / 3.0), 1e-12);
  ASSERT_EQ(traffic.spans.size(), 10u);
  EXPECT_EQ(traffic.spans[0].requests, 2);
  EXPECT_EQ(traffic.spans[4].requests, 1);
  EXPECT_EQ(traffic.spans[9].requests, 1);
  EXPECT_EQ(traffic.prompt_tokens.mean, 250);
  EXPECT_EQ(traffic.output_tokens.max, 10);
  EXPECT_FALSE(traffic.reusable_share);
}

// Of 512-token blocks: the second has the first's two, of which its 600 tokens fill one and a bit;
// the third begins otherwise, so that its second block is another though its number is known.
TEST(Traffic, OnlyLeadingBlocksCanBeReused) {
  const TrafficSummary traffic = summary_of(
      R"({"timestamp": 0, "input_length": 1000, "output_length": 1, "hash_ids": [1, 2]}
{"timestamp": 1, "input_length": 600, "output_length": 1, "hash_ids": [1, 2]}
{"timestamp": 2, "input_length": 600, "output_length": 1, "hash_ids": [3, 2]}
)");
  ASSERT_TRUE(traffic.reusable_share);
  EXPECT_DOUBLE_EQ(*traffic.reusable_share, 600.0 / 2200);
  const nlohmann::json json = nlohmann::json::parse(traffic_json(traffic));
  EXPECT_DOUBLE_EQ(json.at("prefix_reusable_fraction"), 600.0 / 2200);
  EXPECT_EQ(json.at("format"), "mooncake");
}

TEST(Traffic, ThatArrivesAtOnceHasNoRate) {
  const TrafficSummary traffic =
      summary_of("arrival_s,prompt_tokens,output_tokens\n3,1,1\n3,1,1\n");
  EXPECT_TRUE(traffic.spans.empty());
  EXPECT_FALSE(nlohmann::json::parse(traffic_json(traffic)).contains("request_rate"));
  EXPECT_EQ(traffic_text("t", traffic).find("per second"), std::string::npos);
}

std::string text_of_plan(const std::string& traffic) {
  written_file("m", "x");
  written_file("p", "x");
  const std::string path =
      written_file("plan.textproto",
                   "model: \"m\" platform: \"p\" serve { engine { name: \"vllm\" } traffic { " +
                       traffic + " prompt { tokens: 20 } output { tokens: 10 } } }");
  return traffic_text(path, traffic_of(path));
}

bool has(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

TEST(Traffic, OfAClosedLoopHasNoDates) {
  const std::string text = text_of_plan("concurrency: 4 requests: 9");
  EXPECT_TRUE(has(text, "requests       9 in a closed loop, 4 at a time\n")) << text;
  EXPECT_FALSE(has(text, "per second")) << text;
  EXPECT_FALSE(has(text, "arrivals")) << text;
}

// Two sessions of 3 turns half a second apart: of 20 + 50 + 80 prompt tokens each turn finds the
// whole blocks of the one before, 16 + 48 of 150.
TEST(Traffic, OfSessionsSaysHowManyThereAre) {
  const std::string text =
      text_of_plan("rate: \"2/s\" process: constant requests: 6 turns: 3 think: \"5s\"");
  EXPECT_TRUE(has(text, "requests       6 of 2 sessions, which begin in 500 ms: 2 per second\n"))
      << text;
  EXPECT_TRUE(has(text, "prefixes       42.7 % of the prompt tokens")) << text;
  const std::string closed = text_of_plan("concurrency: 2 requests: 6 turns: 3");
  EXPECT_TRUE(
      has(closed, "requests       6 of 2 sessions in a closed loop, 2 sessions at a time\n"))
      << closed;
}

// 10 requests of 32 + 20 tokens: 32 of all but the first's.
TEST(Traffic, OfAPrefixIsReusable) {
  const std::string text = text_of_plan("rate: \"2/s\" requests: 10 prefix { tokens: 32 }");
  EXPECT_TRUE(has(text, "prefixes       55.4 % of the prompt tokens")) << text;
}

}  // namespace
}  // namespace rehearse
