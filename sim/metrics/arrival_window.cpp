#include "metrics/arrival_window.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "base/units.hpp"

namespace rehearse {
namespace {

// How the plan gets so many times as many.
std::string more_text(const ArrivalWindow& window, const Serve& serve) {
  if (serve.law && serve.law->duration) {
    const double factor = window.requests_needed() / window.requests;
    return fmt::format("serve.traffic.duration: \"{:.0f}s\"",
                       std::ceil(factor * serve.law->duration->value));
  }
  const std::string requests = fmt::format("{:.0f}", window.requests_needed());
  return serve.law ? "serve.traffic.requests: " + requests
                   : "a trace of " + requests + " requests at this rate";
}

}  // namespace

double ArrivalWindow::requests_needed() const {
  const double needed = requests * kLivesEnough / lives();
  const double unit = std::pow(10, std::max(0.0, std::floor(std::log10(needed)) - 1));
  return std::ceil(needed / unit) * unit;
}

std::string short_window_text(const ArrivalWindow& window, const Serve& serve) {
  if (window.is_enough()) return {};
  const std::string life = to_text(Seconds{window.life_s});
  return fmt::format(
      "{} for {}, {:.2g} times as long as one {}, so that figures are in part of a service that "
      "fills; {:.0f} times as long takes {}",
      window.sessions ? "sessions begin" : "requests arrive", to_text(Seconds{window.arrivals_s}),
      window.lives(),
      window.sessions ? "lives (" + life + " on average, times to think included)"
                      : "is in an engine (" + life + " on average)",
      kLivesEnough, more_text(window, serve));
}

}  // namespace rehearse
