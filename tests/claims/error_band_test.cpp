// A verdict that less than the expected error of the times would turn, and one that it would not.
#include "claims/error_band.hpp"

#include "claims/claim_texts.hpp"

namespace rehearse {
namespace {

// The head's run with times that are expected to be off by 10 %.
nlohmann::json with_errors() {
  nlohmann::json run = quantities();
  run["makespan_s"] = 8.0;
  run["cost"] = {{"gpu_hours_per_million_tokens", 4.0}};
  for (const char* each : {"ttft_s", "makespan_s", "throughput"}) {
    run["accuracy"][each]["expected_error"]["median"] = 0.1;
  }
  return run;
}

std::optional<ErrorBand> band(const std::string& text) {
  const Comparison asked = comparison(text);
  const nlohmann::json run = with_errors();
  return error_band(asked, run, evaluate(asked, run));
}

// 5 s may be 4.55 to 5.56 s.
TEST(ErrorBand, IsWhereTheErrorWouldTurnTheVerdict) {
  const std::optional<ErrorBand> near = band("ttft_s.max <= 5.5");
  ASSERT_TRUE(near);
  EXPECT_TRUE(near->within);
  EXPECT_DOUBLE_EQ(near->error, 0.1);
  EXPECT_DOUBLE_EQ(near->margin.value(), 5 / 5.5 - 1);
  EXPECT_FALSE(band("ttft_s.max <= 5.6")->within);
  EXPECT_TRUE(band("ttft_s.max <= 4.6")->within) << "it is refuted, and may hold";
  EXPECT_FALSE(band("ttft_s.max <= 4.5")->within);
}

// 9.5 tokens/ms may be 8.55 to 10.45: a rate falls as the times grow. 4 GPU hours: 3.64 to 4.44.
TEST(ErrorBand, OfARateIsTheOtherWayRound) {
  EXPECT_TRUE(band("throughput.tokens_per_ms_per_gpu >= 8.6")->within);
  EXPECT_FALSE(band("throughput.tokens_per_ms_per_gpu >= 8.5")->within);
  EXPECT_TRUE(band("throughput.tokens_per_ms_per_gpu >= 10.4")->within);
  EXPECT_FALSE(band("throughput.tokens_per_ms_per_gpu >= 10.5")->within);
  EXPECT_TRUE(band("cost.gpu_hours_per_million_tokens <= 4.4")->within);
  EXPECT_FALSE(band("cost.gpu_hours_per_million_tokens <= 4.5")->within);
}

TEST(ErrorBand, OfWhatIsNoTimeIsNotKnown) {
  EXPECT_FALSE(band("memory.peak_bytes <= 12GB"));
  nlohmann::json run = with_errors();
  run.erase("accuracy");
  const Comparison asked = comparison("ttft_s.max <= 5.5");
  EXPECT_FALSE(error_band(asked, run, evaluate(asked, run))) << "nobody has compared";
}

// All times move together.
TEST(ErrorBand, DoesNotTurnARatioOfTimes) {
  ASSERT_TRUE(band("ttft_s.max < makespan_s"));
  EXPECT_FALSE(band("ttft_s.max < 0.63 * makespan_s")->within);
}

}  // namespace
}  // namespace rehearse
