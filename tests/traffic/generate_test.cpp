// Requests that are drawn have the rate, the spread and the lengths that were asked for.
#include "traffic/generate.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

namespace rehearse {
namespace {

TrafficLaw law_of(double rate, int requests) {
  TrafficLaw law;
  law.rate = rate;
  law.requests = requests;
  law.prompt.tokens = 1000;
  law.output.tokens = 100;
  return law;
}

struct Moments {
  double mean = 0;
  double variation = 0;  // standard deviation / mean
};

Moments moments_of(const std::vector<double>& values) {
  double sum = 0;
  double squares = 0;
  for (const double value : values) sum += value;
  const double mean = sum / static_cast<double>(values.size());
  for (const double value : values) squares += (value - mean) * (value - mean);
  return {mean, std::sqrt(squares / static_cast<double>(values.size())) / mean};
}

std::vector<double> gaps_of(const std::vector<Request>& requests) {
  std::vector<double> gaps;
  for (std::size_t at = 1; at < requests.size(); ++at) {
    gaps.push_back((requests[at].arrival - requests[at - 1].arrival).value);
  }
  return gaps;
}

std::vector<double> prompts_of(const std::vector<Request>& requests) {
  std::vector<double> prompts;
  for (const Request& request : requests) prompts.push_back(request.prompt_tokens);
  return prompts;
}

constexpr int kMany = 100000;

// The mean of n draws is within 5 standard deviations: 5 v / sqrt(n).
TEST(GeneratedRequests, ComeAtTheRateWithTheSpreadOfTheProcess) {
  TrafficLaw law = law_of(4, kMany);
  Moments gaps = moments_of(gaps_of(generate_requests(law, 1, {})));
  EXPECT_NEAR(gaps.mean, 0.25, 0.25 * 5 / std::sqrt(kMany));
  EXPECT_NEAR(gaps.variation, 1, 0.03) << "a Poisson process";
  law.process = ArrivalProcess::kGamma;
  law.variation = 2;
  gaps = moments_of(gaps_of(generate_requests(law, 1, {})));
  EXPECT_NEAR(gaps.mean, 0.25, 0.25 * 10 / std::sqrt(kMany));
  EXPECT_NEAR(gaps.variation, 2, 0.1);
}

// A rate of 2 per second: 0.5, 1.0, 1.5, 2.0 s, the first of which is time 0 of the run.
TEST(GeneratedRequests, OfAConstantProcessAreEvenlyApart) {
  TrafficLaw law = law_of(2, 4);
  law.process = ArrivalProcess::kConstant;
  const std::vector<Request> requests = generate_requests(law, 0, {});
  ASSERT_EQ(requests.size(), 4u);
  EXPECT_DOUBLE_EQ(requests[0].in_trace.value, 0.5);
  EXPECT_DOUBLE_EQ(requests[3].in_trace.value, 2);
  EXPECT_DOUBLE_EQ(requests[3].arrival.value, 1.5);
  law.requests = 0;
  law.duration = Seconds{1.75};
  EXPECT_EQ(generate_requests(law, 0, {}).size(), 3u);
}

// 1,000 tokens with a range of 0.75: 250 to 1750, the mean 1000 and the variation that of a uniform
// law, 750 / sqrt(3) / 1000. Of at least 0.8: 800 to 1000.
TEST(GeneratedRequests, HaveLengthsOfTheirLaw) {
  TrafficLaw law = law_of(1, kMany);
  law.prompt.range = 0.75;
  std::vector<double> prompts = prompts_of(generate_requests(law, 2, {}));
  EXPECT_EQ(*std::min_element(prompts.begin(), prompts.end()), 250);
  EXPECT_EQ(*std::max_element(prompts.begin(), prompts.end()), 1750);
  EXPECT_NEAR(moments_of(prompts).mean, 1000, 10);
  EXPECT_NEAR(moments_of(prompts).variation, 0.75 / std::sqrt(3), 0.01);
  law.prompt.range.reset();
  law.prompt.least = 0.8;
  prompts = prompts_of(generate_requests(law, 2, {}));
  EXPECT_EQ(*std::min_element(prompts.begin(), prompts.end()), 800);
  EXPECT_EQ(*std::max_element(prompts.begin(), prompts.end()), 1000);
  law.prompt.least.reset();
  law.prompt.variation = 0.5;
  const Moments lognormal = moments_of(prompts_of(generate_requests(law, 2, {})));
  EXPECT_NEAR(lognormal.mean, 1000, 10);
  EXPECT_NEAR(lognormal.variation, 0.5, 0.02);
  law.prompt.variation.reset();
  law.prompt.of_file = {7, 9};
  prompts = prompts_of(generate_requests(law, 2, {}));
  EXPECT_NEAR(moments_of(prompts).mean, 8, 0.05);
}

TEST(GeneratedRequests, AreTheSameForASeedAndChangeOneByOne) {
  TrafficLaw law = law_of(3, 100);
  law.prompt.range = 0.5;
  const std::vector<Request> first = generate_requests(law, 7, {});
  const std::vector<Request> again = generate_requests(law, 7, {});
  EXPECT_EQ(prompts_of(first), prompts_of(again));
  EXPECT_NE(prompts_of(first), prompts_of(generate_requests(law, 8, {})));
  law.process = ArrivalProcess::kConstant;
  EXPECT_EQ(prompts_of(first), prompts_of(generate_requests(law, 7, {})))
      << "other gaps do not change the lengths";
}

TEST(GeneratedRequests, RefuseADurationWithoutAndWithTooMany) {
  TrafficLaw law = law_of(1e-6, 0);
  law.duration = Seconds{1};
  EXPECT_THROW(generate_requests(law, 0, {}), InputError);
  law.rate = 1e9;
  EXPECT_THROW(generate_requests(law, 0, {}), InputError);
}

}  // namespace
}  // namespace rehearse
