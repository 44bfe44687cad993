// Requests that are drawn have the rate, the spread and the lengths that were asked for.
#include "traffic/generate.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <string>

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
  prompts.reserve(requests.size());
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

// A concurrency: all at time 0, with the lengths that the same requests have at a rate.
TEST(GeneratedRequests, OfAClosedLoopAreAllThereAtOnce) {
  TrafficLaw law = law_of(3, 50);
  law.prompt.range = 0.5;
  const std::vector<Request> at_a_rate = generate_requests(law, 7, {});
  law.rate = 0;
  const std::vector<Request> closed = generate_requests(law, 7, {});
  EXPECT_EQ(prompts_of(closed), prompts_of(at_a_rate));
  for (const Request& request : closed) EXPECT_EQ(request.arrival, Seconds{});
}

// 3 groups of 40 tokens, which are 2 whole blocks of 16: 40 tokens more than without, and the first
// two of three rows of ids, each of which a third of the requests has: 300 +- 5 sqrt(900 x 2/9).
TEST(GeneratedRequests, OfAGroupBeginAlike) {
  TrafficLaw law = law_of(3, 900);
  law.prompt.range = 0.5;
  const std::vector<double> own = prompts_of(generate_requests(law, 7, {}));
  law.prefix = SharedPrefix{40, 3};
  const std::vector<Request> requests = generate_requests(law, 7, {});
  std::map<std::int64_t, int> groups;
  for (std::size_t at = 0; at < requests.size(); ++at) {
    EXPECT_EQ(requests[at].prompt_tokens, own[at] + 40);
    ASSERT_EQ(requests[at].blocks.size(), 2u);
    EXPECT_EQ(requests[at].blocks[1], requests[at].blocks[0] + 1);
    EXPECT_FALSE(requests[at].blocks_of_output);
    ++groups[requests[at].blocks[0]];
  }
  ASSERT_EQ(groups.size(), 3u);
  for (const std::int64_t first : {0, 2, 4}) EXPECT_NEAR(groups[first], 300, 71);
  law.prefix = SharedPrefix{15, 3};
  EXPECT_TRUE(generate_requests(law, 7, {})[0].blocks.empty()) << "no whole block";
}

// Prompts of 20 and outputs of 10 tokens, 3 turns: 20, 30 + 20 and 60 + 20 tokens of prompt, which
// with their outputs are 30, 60 and 90 tokens: 1, 3 and 5 whole blocks. 5 requests are a session
// of 3 turns and one of 2.
TEST(GeneratedRequests, OfASessionContinueEachOther) {
  TrafficLaw law = law_of(2, 5);
  law.process = ArrivalProcess::kConstant;
  law.prompt.tokens = 20;
  law.output.tokens = 10;
  law.turns = 3;
  law.think = Seconds{5};
  const std::vector<Request> requests = generate_requests(law, 7, {});
  ASSERT_EQ(requests.size(), 5u);
  EXPECT_EQ(prompts_of(requests), (std::vector<double>{20, 50, 80, 20, 50}));
  using Ids = std::vector<std::int64_t>;
  EXPECT_EQ(requests[0].blocks, (Ids{0}));
  EXPECT_EQ(requests[1].blocks, (Ids{0, 1, 2}));
  EXPECT_EQ(requests[2].blocks, (Ids{0, 1, 2, 3, 4}));
  EXPECT_EQ(requests[3].blocks, (Ids{5}));
  EXPECT_EQ(requests[4].blocks, (Ids{5, 6, 7}));
  const int after[] = {-1, 0, 1, -1, 3};
  for (std::size_t at = 0; at < requests.size(); ++at) {
    EXPECT_EQ(requests[at].after, after[at]);
    EXPECT_EQ(requests[at].think.value, after[at] < 0 ? 0 : 5);
    EXPECT_TRUE(requests[at].blocks_of_output);
    EXPECT_DOUBLE_EQ(requests[at].arrival.value, at < 3 ? 0 : 0.5) << "that of the session";
  }
  law.prefix = SharedPrefix{20, 1};  // 50, 80, 110 tokens: 3, 5, 6 blocks, one everybody's
  const std::vector<Request> alike = generate_requests(law, 7, {});
  EXPECT_EQ(prompts_of(alike), (std::vector<double>{40, 70, 100, 40, 70}));
  EXPECT_EQ(alike[0].blocks, (Ids{0, 1, 2}));
  EXPECT_EQ(alike[3].blocks, (Ids{0, 6, 7}));
}

// Of a duration all turns of the sessions that begin within it.
TEST(GeneratedRequests, OfADurationAreWholeSessions) {
  TrafficLaw law = law_of(2, 0);
  law.process = ArrivalProcess::kConstant;
  law.duration = Seconds{1.75};
  law.turns = 4;
  EXPECT_EQ(generate_requests(law, 0, {}).size(), 12u);
}

std::string refusal_of(const TrafficLaw& law) {
  try {
    generate_requests(law, 0, {{"d"}, {"t"}, {"p"}});
  } catch (const InputError& error) {
    return error.what();
  }
  return "accepted";
}

// What is too long or too much: 2^24 tokens of a request; 2^27 blocks of all.
TEST(GeneratedRequests, RefuseWhatNoRequestMayBe) {
  TrafficLaw law = law_of(1, 3);
  law.prompt.tokens = 6'000'000;
  law.turns = 3;
  EXPECT_EQ(refusal_of(law),
            "t:1:1: error: serve.traffic.turns = 3: turn 3 of a session has a prompt of more than "
            "16777216 tokens, which is the most");
  law.turns = 1;
  law.prefix = SharedPrefix{16'000'000, 1};
  EXPECT_EQ(refusal_of(law),
            "p:1:1: error: serve.traffic.prefix.tokens = 16000000: a prompt has more than 16777216 "
            "tokens with it, which is the most");
  law.prompt.tokens = 1;
  law.requests = 200;  // of a million blocks
  EXPECT_EQ(refusal_of(law),
            "p:1:1: error: serve.traffic.prefix: the requests have more than 134217728 blocks of "
            "16 tokens, which is the most");
  law.prefix.reset();
  law.duration = Seconds{1e6};
  law.requests = 0;
  law.turns = 10;
  EXPECT_EQ(refusal_of(law),
            "d:1:1: error: serve.traffic.duration = 1000000 s: at 1 per second more than 8388608 "
            "requests come, which is the most");
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
