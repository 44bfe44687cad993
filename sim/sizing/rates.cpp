// A law is drawn anew at each rate, as `rehearse run --set serve.traffic.rate=...` would: gaps are
// drawn from a stream of their own as multiples of their mean, so that only dates change.
#include "sizing/rates.hpp"

#include <algorithm>
#include <cmath>
#include <string>

#include "base/error.hpp"
#include "traffic/generate.hpp"

namespace rehearse {
namespace {

bool begins_session(const Request& request) { return request.after < 0; }

long sessions_of(const Serve& serve) {
  return std::count_if(serve.requests.begin(), serve.requests.end(), begins_session);
}

// Of the sessions: turns come when those before them have ended.
Seconds last_arrival(const Serve& serve) {
  Seconds last;
  for (const Request& each : serve.requests) {
    if (begins_session(each)) last = std::max(last, each.arrival);
  }
  return last;
}

std::vector<Request> drawn(const Plan& plan, const TrafficLaw& law, unsigned long long seed) {
  return generate_requests(
      law, seed,
      {plan.where.at("serve.traffic.duration"), plan.where.at("serve.traffic.turns"),
       plan.where.at("serve.traffic.prefix")});
}

// So many as there are, in place of a duration.
TrafficLaw law_of_as_many(const Serve& serve) {
  TrafficLaw law = *serve.law;
  law.requests = static_cast<int>(serve.requests.size());
  law.duration.reset();
  return law;
}

}  // namespace

void check_sizable(const Plan& plan) {
  if (!plan.serve) {
    throw InputError(plan.where.at("batch"),
                     "batch: its requests are all there at time 0; what is sized is a service: "
                     "give the plan serve { } with an slo { }");
  }
  const Serve& serve = *plan.serve;
  if (!serve.slo) {
    throw InputError(plan.where.at("serve.slo"),
                     "serve.slo is missing: a service is sized for an objective, "
                     "slo { ttft: \"1s\" tpot: \"50ms\" }");
  }
  if (serve.pools) {
    throw InputError(plan.where.at("serve.pools"),
                     "serve.pools: a service is sized in replicas of one layout");
  }
  if (serve.concurrency > 0) {
    throw InputError(plan.where.at("serve.traffic.concurrency"),
                     "serve.traffic.concurrency: in a closed loop requests come as others end, so "
                     "there is no rate to vary: give the traffic a rate");
  }
  if (serve.law || (sessions_of(serve) > 1 && last_arrival(serve).value > 0)) return;
  throw InputError(plan.where.at("serve.traffic.trace"),
                   "serve.traffic.trace: its requests come all at once, so there is no rate to "
                   "vary");
}

double rate_of(const Plan& plan) {
  const Serve& serve = *plan.serve;
  if (serve.law) return serve.law->rate;
  return static_cast<double>(sessions_of(serve) - 1) / last_arrival(serve).value;
}

Serve service_at(const Plan& plan, double rate) {
  Serve serve = *plan.serve;
  const double ratio = rate_of(plan) / rate;
  if (serve.law) {
    serve.law = law_of_as_many(serve);
    serve.law->rate = rate;
    serve.requests = drawn(plan, *serve.law, plan.seed);
  } else {
    for (Request& each : serve.requests) {
      if (begins_session(each)) each.arrival = each.arrival * ratio;
    }
  }
  serve.warm_up = serve.warm_up * ratio;
  return serve;
}

Plan with_seed(const Plan& plan, unsigned long long seed) {
  Plan other = plan;
  other.seed = seed;
  if (other.serve->law) {
    other.serve->requests = drawn(plan, law_of_as_many(*plan.serve), seed);
  }
  return other;
}

double rounded_rate(double rate) {
  constexpr int kDigits = 4;
  const double unit = std::pow(10, std::floor(std::log10(rate)) - (kDigits - 1));
  // By its digits, so that it is the number that a reader of them gets.
  return std::stod(std::to_string(std::llround(rate / unit)) + "e" +
                   std::to_string(std::lround(std::log10(unit))));
}

const char* arrivals_of(const Plan& plan) {
  return sessions_of(*plan.serve) < static_cast<long>(plan.serve->requests.size()) ? "sessions"
                                                                                   : "requests";
}

}  // namespace rehearse
