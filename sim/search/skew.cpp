#include "search/skew.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "search/entry.hpp"
#include "search/search_job.hpp"

namespace rehearse {
namespace {

constexpr std::size_t kMostRows = 40;  // simulations: as many as there are pages of runs

// As the ranking, by the objectives.
bool ranks_before(const std::vector<double>& a, const std::vector<double>& b,
                  const SearchGoals& goals) {
  for (const Objective& objective : goals.objectives) {
    const int at = objective.quantity;
    if (is_better(at, a[at], b[at])) return true;
    if (is_better(at, b[at], a[at])) return false;
  }
  return false;
}

SkewedRow row_of(const Answer& answer, const SearchGoals& goals) {
  SkewedRow row;
  const std::optional<SearchOutcome> outcome = outcome_of_text(answer.text);
  if (answer.end != 'D' || !outcome) {
    row.reason = answer.text;
    return row;
  }
  row.values = outcome->values;
  row.reason = broken_by(*outcome, goals).text();
  return row;
}

void find_places(std::vector<SearchRow*>& ranked, const SearchGoals& goals) {
  std::erase_if(ranked, [](const SearchRow* row) { return !row->skewed->reason.empty(); });
  std::stable_sort(ranked.begin(), ranked.end(), [&](const SearchRow* a, const SearchRow* b) {
    return ranks_before(a->skewed->values, b->skewed->values, goals);
  });
  for (std::size_t at = 0; at < ranked.size(); ++at) {
    ranked[at]->skewed->place = static_cast<int>(at) + 1;
  }
}

}  // namespace

bool hides_skew(const Plan& plan, const Model& model) {
  if (!model.moe || plan.routing.model != "uniform") return false;
  const double most = 1 - static_cast<double>(model.moe->top_k) / model.moe->experts;
  return Routing{}.gini <= most;
}

Plan skewed(Plan plan) {
  plan.routing = Routing{};
  plan.routing.model = "gini";
  return plan;
}

std::string skew_text() { return fmt::format("routing.model = gini, gini {}", Routing{}.gini); }

bool fill_skewed(const SearchInputs& inputs, Workers& workers, const std::function<bool()>& goes_on,
                 SearchResult& result) {
  std::vector<SearchRow*> rows;
  for (SearchRow& row : result.ranking) {
    if (rows.size() < kMostRows) rows.push_back(&row);
  }
  std::vector<SearchRow*> ranked = rows;
  if (result.plan_row && result.plan_row->can_be_chosen()) rows.push_back(&*result.plan_row);
  std::vector<std::string> requests;
  requests.reserve(rows.size());
  for (const SearchRow* row : rows) requests.push_back(skewed_request(row->key));
  const bool all = ask_all(workers, requests, goes_on, [&](int request, const Answer& answer) {
    rows[request]->skewed = row_of(answer, inputs.goals);
  });
  if (!all) {
    for (SearchRow* row : rows) row->skewed.reset();
    return false;
  }
  find_places(ranked, inputs.goals);
  return true;
}

}  // namespace rehearse
