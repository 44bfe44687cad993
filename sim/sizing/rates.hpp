// The requests of a plan's service at another rate: the same ones, closer together or further
// apart.
#pragma once

#include "plan/plan.hpp"

namespace rehearse {

// Throws InputError, at its place: the plan has no service, its service no objective, or its
// requests no rate that could be varied.
void check_sizable(const Plan& plan);

// Of the requests (of sessions: their first ones) per second: that of the plan's law, or of its
// trace, so many gaps in so much time. REQUIRES: check_sizable passed.
double rate_of(const Plan& plan);

// The plan's service at that rate: a law draws the same lengths and, but for the rate, the same
// gaps; the dates of a trace are divided by the ratio of the rates. As many requests as at the
// plan's own rate, so a warm-up is divided, too: the same requests count. Times to think stay.
Serve service_at(const Plan& plan, double rate);

// The plan as another seed draws its requests, as many.
Plan with_seed(const Plan& plan, unsigned long long seed);

// To four digits: what is printed is what is simulated.
double rounded_rate(double rate);

// "requests" or "sessions": what comes at the rate.
const char* arrivals_of(const Plan& plan);

}  // namespace rehearse
