// What the page shows is small whatever the run: series of a fixed number of intervals, curves of a
// fixed number of points, and those requests that somebody will ask about, the slowest.
#include "html/service_page.hpp"

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <set>
#include <vector>

#include "base/error.hpp"
#include "html/assets.hpp"
#include "html/page.hpp"

namespace rehearse {
namespace {

using Json = nlohmann::ordered_json;
using serving::Picoseconds;
using serving::ServiceResult;

constexpr int kIntervals = 200;
constexpr int kCurvePoints = 200;
constexpr std::size_t kSlowest = 50;  // by each quantity

double to_seconds(Picoseconds time) { return serving::to_seconds(time).value; }

bool is_served(const serving::ServedRequest& request) {
  return request.phase == serving::Phase::kFinished;
}

// Sums over equal intervals of the run.
class Series {
 public:
  explicit Series(double width) : width_(width), sums_(kIntervals, 0.0) {}

  void add(double date, double amount) { sums_[interval(date)] += amount; }
  void add_time(double from, double to) {
    for (int at = interval(from); at <= interval(to); ++at) {
      sums_[at] += std::max(0.0, std::min(to, (at + 1) * width_) - std::max(from, at * width_));
    }
  }
  std::vector<double> per_second() const {
    std::vector<double> rates = sums_;
    for (double& each : rates) each /= width_;
    return rates;
  }

 private:
  int interval(double date) const {
    return std::min(static_cast<int>(date / width_), kIntervals - 1);
  }

  double width_;
  std::vector<double> sums_;
};

Json over_time_json(const ServiceResult& service) {
  const double width = to_seconds(service.end) / kIntervals;
  Series waiting(width);
  Series running(width);
  Series tokens(width);
  for (const serving::ServedRequest& each : service.requests) {
    if (!is_served(each)) continue;
    waiting.add_time(to_seconds(each.arrival), to_seconds(each.first_scheduled));
    running.add_time(to_seconds(each.first_scheduled), to_seconds(each.last_token));
    const std::vector<Picoseconds>& ends = service.handed_out[each.replica / service.ranks];
    for (const serving::TokenRun& run : each.token_runs) {
      for (std::int64_t at = 0; at < run.count; ++at) {
        tokens.add(to_seconds(ends[run.first + at * run.stride]), 1);
      }
    }
  }
  return {{"width_s", width},
          {"waiting", waiting.per_second()},
          {"running", running.per_second()},
          {"output_tokens_per_s", tokens.per_second()}};
}

struct Life {
  int id = 0;
  double queue_s = 0;
  double ttft_s = 0;
  double tpot_s = 0;  // 0 with a single output token
  double e2e_s = 0;
};

// Values at equal shares of the requests, from the smallest to the largest.
Json curve_json(const std::vector<Life>& lives, double Life::*quantity) {
  std::vector<double> values;
  values.reserve(lives.size());
  for (const Life& each : lives) values.push_back(each.*quantity);
  std::sort(values.begin(), values.end());
  Json points = Json::array();
  for (int at = 0; at <= kCurvePoints && !values.empty(); ++at) {
    const double place = static_cast<double>(values.size() - 1) * at / kCurvePoints;
    points.push_back(values[static_cast<std::size_t>(std::llround(place))]);
  }
  return points;
}

void add_slowest(std::vector<Life> lives, double Life::*quantity, std::set<int>& slowest) {
  const auto shown = std::min(kSlowest, lives.size());
  std::partial_sort(lives.begin(), lives.begin() + static_cast<std::ptrdiff_t>(shown), lives.end(),
                    [quantity](const Life& a, const Life& b) {
                      return a.*quantity != b.*quantity ? a.*quantity > b.*quantity : a.id < b.id;
                    });
  for (std::size_t at = 0; at < shown; ++at) slowest.insert(lives[at].id);
}

std::vector<Life> lives_of(const Plan& plan, const ServiceResult& service) {
  std::vector<Life> lives;
  for (int id = 0; id < static_cast<int>(service.requests.size()); ++id) {
    const serving::ServedRequest& each = service.requests[id];
    if (!is_served(each) || to_seconds(each.arrival) < plan.serve->warm_up.value) continue;
    const int output = plan.serve->requests[id].output_tokens;
    lives.push_back(
        {id, to_seconds(each.first_scheduled - each.arrival),
         to_seconds(each.first_token - each.arrival),
         output > 1 ? to_seconds(each.last_token - each.first_token) / (output - 1) : 0.0,
         to_seconds(each.last_token - each.arrival)});
  }
  return lives;
}

Json slowest_json(const Plan& plan, const ServiceResult& service, const std::vector<Life>& lives) {
  std::set<int> slowest;
  for (double Life::*const quantity : {&Life::ttft_s, &Life::tpot_s, &Life::e2e_s}) {
    add_slowest(lives, quantity, slowest);
  }
  Json requests = Json::array();
  for (const Life& life : lives) {
    if (slowest.count(life.id) == 0) continue;
    const serving::ServedRequest& its = service.requests[life.id];
    const Request& asked = plan.serve->requests[life.id];
    requests.push_back({{"id", life.id},
                        {"arrival_s", to_seconds(its.arrival)},
                        {"prompt_tokens", asked.prompt_tokens},
                        {"output_tokens", asked.output_tokens},
                        {"cached_tokens", its.cached_tokens},
                        {"preemptions", its.preemptions},
                        {"replica", its.replica},
                        {"queue_s", life.queue_s},
                        {"ttft_s", life.ttft_s},
                        {"tpot_s", life.tpot_s},
                        {"e2e_s", life.e2e_s}});
  }
  return requests;
}

}  // namespace

std::string service_page(const std::string& title, const std::string& result, const Plan& plan,
                         const ServiceResult& service, const PageAbout& about) {
  SIM_CHECK(plan.serve && plan.serve->requests.size() == service.requests.size(),
            "a result of other requests");
  const std::vector<Life> lives = lives_of(plan, service);
  std::vector<Life> with_gaps = lives;
  std::erase_if(with_gaps, [&plan](const Life& each) {
    return plan.serve->requests[each.id].output_tokens == 1;
  });
  Json data = {{"kind", "service"},
               {"title", title},
               {"about", json_of(about)},
               {"result", Json::parse(result)},
               {"end_s", to_seconds(service.end)},
               {"warm_up_s", plan.serve->warm_up.value},
               {"over_time", over_time_json(service)},
               {"curves",
                {{"TTFT", curve_json(lives, &Life::ttft_s)},
                 {"TPOT", curve_json(with_gaps, &Life::tpot_s)}}},
               {"measured", lives.size()},
               {"slowest", slowest_json(plan, service, lives)}};
  return html_page(title, data, {kAssetService});
}

}  // namespace rehearse
