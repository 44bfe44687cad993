#include "search/notes.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <optional>

#include "metrics/arrival_window.hpp"

namespace rehearse {
namespace {

// Nothing where it was not measured.
std::optional<ArrivalWindow> window_of(const SearchInputs& inputs, const SearchRow& row) {
  static const int kLife = quantity_named("serving.life_s", {});
  static const int kLives = quantity_named("serving.window_lives", {});
  if (row.values.empty() || std::isnan(row.values[kLives])) return std::nullopt;
  const std::vector<Request>& requests = inputs.base.serve->requests;
  ArrivalWindow window;
  window.sessions = std::any_of(requests.begin(), requests.end(),
                                [](const Request& each) { return each.after >= 0; });
  window.life_s = row.values[kLife];
  window.arrivals_s = row.values[kLives] * window.life_s;
  window.requests = static_cast<int>(requests.size());
  return window;
}

}  // namespace

// The row that needs most requests stands for all.
std::string too_few_note(const SearchInputs& inputs, const SearchResult& result) {
  if (!inputs.goals.serves) return {};
  std::optional<ArrivalWindow> shortest;
  std::size_t short_ones = 0;
  const auto look_at = [&](const SearchRow& row) {
    const std::optional<ArrivalWindow> window = window_of(inputs, row);
    if (!window || window->is_enough()) return;
    ++short_ones;
    if (!shortest || window->lives() < shortest->lives()) shortest = window;
  };
  for (const SearchRow& row : result.ranking) look_at(row);
  if (result.ranking.empty() && result.plan_row) look_at(*result.plan_row);
  if (!shortest) return {};
  return fmt::format("{} of {} rows rest on too few requests: {}", short_ones,
                     std::max<std::size_t>(1, result.ranking.size()),
                     short_window_text(*shortest, *inputs.base.serve));
}

std::vector<std::string> notes_of(const SearchInputs& inputs, const SearchResult& result) {
  std::vector<std::string> notes = inputs.space.notes;
  std::string too_few = too_few_note(inputs, result);
  if (!too_few.empty()) notes.insert(notes.begin(), std::move(too_few));
  return notes;
}

}  // namespace rehearse
