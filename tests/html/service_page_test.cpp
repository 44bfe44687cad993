#include "html/service_page.hpp"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <numeric>
#include <string>

#include "metrics/result_json.hpp"
#include "metrics/service_by_hand.hpp"

namespace rehearse {
namespace {

using Json = nlohmann::ordered_json;

Json data_of(const Plan& plan, const serving::ServiceResult& service) {
  const std::string page = service_page("x", "{}", plan, service);
  const std::string open = "<script type=\"application/json\" id=\"data\">";
  const std::size_t from = page.find(open) + open.size();
  return Json::parse(page.substr(from, page.find("</script", from) - from));
}

double integral(const Json& over_time, const char* series) {
  const std::vector<double> values = over_time.at(series);
  return std::accumulate(values.begin(), values.end(), 0.0) * over_time.at("width_s").get<double>();
}

// a and c alone for 37 and 59 ms, b for 20 ms; of 259 ms in 200 intervals.
TEST(ServicePage, SeriesAddUpToTheRequestsTimesAndTokens) {
  const Json data = data_of(plan_of(three_requests()),
                            serving::serve_small(three_requests(), serving::small_engine("vllm")));
  const Json& over_time = data.at("over_time");
  EXPECT_EQ(over_time.at("waiting").size(), 200U);
  EXPECT_NEAR(over_time.at("width_s"), 0.259 / 200, 1e-12);
  EXPECT_NEAR(integral(over_time, "running"), 0.116, 1e-9);
  EXPECT_NEAR(integral(over_time, "waiting"), 0, 1e-9);
  EXPECT_NEAR(integral(over_time, "output_tokens_per_s"), 9, 1e-9);
  EXPECT_NEAR(over_time.at("running")[10], 1, 1e-9);
  EXPECT_EQ(over_time.at("running")[50], 0);  // at 65 ms nobody is there
}

TEST(ServicePage, AQueueIsWaitingAndThenPrefill) {
  using serving::asks;
  const std::vector<serving::Offered> offered = {asks(5, 2), asks(3, 1, 5 * serving::kMs)};
  const Json data =
      data_of(plan_of(offered), serving::serve_small(offered, serving::small_engine("vllm")));
  EXPECT_NEAR(integral(data.at("over_time"), "waiting"), 0.01, 1e-9);
  const Json& second = data.at("slowest")[1];
  EXPECT_EQ(second.at("id"), 1);
  EXPECT_EQ(second.at("arrival_s"), 0.005);
  EXPECT_EQ(second.at("queue_s"), 0.01);
  EXPECT_EQ(second.at("ttft_s"), 0.024);
  EXPECT_EQ(second.at("e2e_s"), 0.024);
  EXPECT_EQ(data.at("curves").at("TPOT").front(), 0.014);  // of the first alone
  EXPECT_EQ(data.at("curves").at("TTFT").back(), 0.024);
}

TEST(ServicePage, IsSmallWhateverTheRunAndShowsTheSlowest) {
  std::vector<serving::Offered> offered;
  offered.reserve(3000);
  for (int i = 0; i < 3000; ++i) offered.push_back(serving::asks(4, 3, i * 10 * serving::kMs));
  Plan plan = plan_of(offered);
  plan.serve->warm_up = Seconds{1};
  const Json data = data_of(plan, serving::serve_small(offered, serving::small_engine("vllm")));
  EXPECT_EQ(data.at("measured"), 2900);
  EXPECT_LE(data.at("slowest").size(), 150U);
  EXPECT_GE(data.at("slowest").size(), 50U);
  EXPECT_EQ(data.at("curves").at("TTFT").size(), 201U);
  EXPECT_LT(data.dump().size(), 100'000U);
  for (const Json& each : data.at("slowest")) EXPECT_GE(each.at("arrival_s"), 1);
}

}  // namespace
}  // namespace rehearse
