#include "serving/clients.hpp"

#include "base/error.hpp"

namespace rehearse::serving {

void Occupancy::check() const {
  SIM_CHECK(here_ == 0, "requests are still there");
  SIM_CHECK(area_ == sojourn_, "Little's law does not hold");
}

Clients::Clients(const std::vector<Offered>& offered, int concurrency, Agenda& agenda)
    : offered_(offered),
      concurrency_(concurrency),
      agenda_(agenda),
      turns_after_(offered.size()),
      to_come_(offered.size()) {
  for (std::size_t request = 0; request < offered.size(); ++request) {
    const Offered& its = offered[request];
    SIM_CHECK(its.prompt >= 1 && its.output >= 1 && its.id_tokens >= 1, "an empty request");
    if (its.after >= 0) {
      SIM_CHECK(its.after < static_cast<int>(request), "a turn before the turn before it");
      turns_after_[its.after].push_back(static_cast<int>(request));
    } else if (concurrency == 0) {
      agenda_.push({its.arrival, EventKind::kArrival, static_cast<int>(request), 0});
    }
  }
  for (int client = 0; client < concurrency; ++client) next_in_line(0);
}

void Clients::next_in_line(Picoseconds now) {
  while (next_in_line_ < offered_.size() && offered_[next_in_line_].after >= 0) ++next_in_line_;
  if (next_in_line_ == offered_.size()) return;
  agenda_.push({now, EventKind::kArrival, static_cast<int>(next_in_line_++), 0});
}

void Clients::gone(int request, Picoseconds now) {
  ++gone_;
  for (const int turn : turns_after_[request]) {
    const Picoseconds comes = now + offered_[turn].think;
    if (comes > kLatest) throw LastsTooLong();
    agenda_.push({comes, EventKind::kArrival, turn, 0});
  }
  if (turns_after_[request].empty() && concurrency_ > 0) next_in_line(now);
}

}  // namespace rehearse::serving
