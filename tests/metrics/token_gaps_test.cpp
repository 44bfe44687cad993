#include "metrics/token_gaps.hpp"

#include <gtest/gtest.h>

#include <vector>

#include "serving/small_service.hpp"

namespace rehearse {
namespace {

using serving::kMs;
using serving::Phase;
using serving::Picoseconds;
using serving::ServedRequest;
using serving::ServiceResult;
using serving::TokenRun;

ServedRequest with(std::vector<TokenRun> runs) {
  ServedRequest request;
  request.phase = Phase::kFinished;
  request.replica = 0;
  request.token_runs = std::move(runs);
  return request;
}

TEST(TokenGaps, OfAllRequestsTogether) {
  ServiceResult result;
  result.handed_out = {serving::ms({10, 20, 30, 50, 80})};
  result.requests = {with({{0, 0, 2}, {1, 1, 3}}),  // 0, 10, 10, 20: two tokens of a step first
                     with({{0, 2, 3}}),             // 20, 50: of each second step
                     with({{0, 1, 5}}),             // 10, 10, 20, 30
                     with({{4, 1, 1}})};            // a single token
  const std::optional<Distribution> found = inter_token_latency(result, 0);
  ASSERT_TRUE(found);
  // 0, 10 x 4, 20 x 3, 30, 50
  EXPECT_NEAR(found->mean, 0.018, 1e-12);
  EXPECT_NEAR(found->p50, 0.015, 1e-12);
  EXPECT_NEAR(found->p90, 0.032, 1e-12);
  EXPECT_NEAR(found->p99, 0.0482, 1e-12);
  EXPECT_NEAR(found->max, 0.05, 1e-12);
}

TEST(TokenGaps, NoneWithoutASecondToken) {
  ServiceResult result;
  result.handed_out = {serving::ms({10})};
  result.requests = {with({{0, 1, 1}})};
  EXPECT_FALSE(inter_token_latency(result, 0));
}

TEST(TokenGaps, AMillionTokensAreOneRun) {
  ServiceResult result;
  std::vector<Picoseconds> ends;
  ends.reserve(1'000'000);
  for (int step = 0; step < 1'000'000; ++step) ends.push_back(step * kMs);
  ends.back() += 9 * kMs;
  result.handed_out = {ends};
  result.requests = {with({{0, 1, 1'000'000}})};
  const std::optional<Distribution> found = inter_token_latency(result, 0);
  ASSERT_TRUE(found);
  EXPECT_NEAR(found->p99, 0.001, 1e-15);
  EXPECT_NEAR(found->max, 0.01, 1e-15);
}

// fault: a run that others share, cut, or of several tokens a step.
TEST(TokenGaps, AreThoseOfTheTokensOneByOne) {
  for (int load = 0; load < 20; ++load) {
    std::vector<serving::Offered> offered;
    offered.reserve(40);
    for (int i = 0; i < 40; ++i) {
      offered.push_back(
          serving::asks(1 + (7 * i + load) % 23, 1 + (5 * i * load) % 17, i * (5 + load) * kMs));
    }
    serving::ServiceSettings settings = serving::small_engine("vllm");
    settings.engines = 1 + load % 2;
    settings.engine.max_sequences = 2 + load % 5;
    if (load % 3 == 0) settings.engine.speculation = {2, {0.7, 0.5}, 3, {}};
    if (load % 4 == 0) settings.engine.asynchronous = settings.engine.speculation.drafts == 0;
    const ServiceResult result = serving::serve_small(offered, settings);
    std::vector<double> gaps;
    for (int i = 0; i < 40; ++i) {
      const std::vector<Picoseconds> times = result.token_times(i);
      for (std::size_t at = 1; at < times.size(); ++at) {
        gaps.push_back(static_cast<double>(times[at] - times[at - 1]) / 1e12);
      }
    }
    const std::optional<Distribution> one_by_one = interpolated_distribution(gaps);
    const std::optional<Distribution> found = inter_token_latency(result, 0);
    ASSERT_EQ(found.has_value(), one_by_one.has_value());
    if (!found) continue;
    EXPECT_NEAR(found->mean, one_by_one->mean, 1e-12);
    EXPECT_DOUBLE_EQ(found->p50, one_by_one->p50);
    EXPECT_DOUBLE_EQ(found->p90, one_by_one->p90);
    EXPECT_DOUBLE_EQ(found->p99, one_by_one->p99);
    EXPECT_DOUBLE_EQ(found->max, one_by_one->max);
  }
}

}  // namespace
}  // namespace rehearse
