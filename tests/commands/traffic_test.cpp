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

}  // namespace
}  // namespace rehearse
