// One request at a time, each for as long: an M/D/1 queue, whose mean wait is rho D / (2 (1 - rho))
// (Pollaczek and Khinchine).
#include <gtest/gtest.h>

#include <cmath>

#include "base/random_stream.hpp"
#include "small_service.hpp"

namespace rehearse::serving {
namespace {

TEST(Queue, ConstantServiceWaitsAsPollaczekAndKhinchineSay) {
  constexpr int kRequests = 200'000;
  constexpr double kUtilization = 0.6;
  constexpr double kService = 20e9;  // ps: a step of 10 tokens
  RandomStream draws({17});
  std::vector<Offered> offered;
  double now = 0;
  for (int request = 0; request < kRequests; ++request) {
    now -= std::log(draws.uniform()) * kService / kUtilization;
    offered.push_back(asks(10, 1, static_cast<Picoseconds>(now)));
  }
  ServiceSettings settings = small_engine("vllm");
  settings.engine.max_sequences = 1;
  settings.logged = {};
  const ServiceResult result = serve_small(offered, settings);
  double waited = 0;
  for (const ServedRequest& its : result.requests) {
    waited += static_cast<double>(its.first_scheduled - its.arrival);
  }
  const double expected = kUtilization * kService / (2 * (1 - kUtilization));
  EXPECT_NEAR(waited / kRequests, expected, 0.02 * expected);
  EXPECT_EQ(result.totals[0].busy, static_cast<Picoseconds>(kRequests * kService));
}

}  // namespace
}  // namespace rehearse::serving
