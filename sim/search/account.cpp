#include "search/account.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <numeric>

#include "base/error.hpp"

namespace rehearse {
namespace {

class Account {
 public:
  Account(const Contest& contest, const SearchInputs& inputs, SearchResult& result)
      : contest_(contest), goals_(inputs.goals), result_(result) {}

  void count(const std::deque<Entry>& entries) {
    for (const Entry& entry : entries) {
      if (entry.in_space) count(entry);
    }
    fill_missed();
    result_.ranked = static_cast<long>(ranked_.size());
    fill_ranking();
    if (goals_.exhaustive) fill_all(entries);
    check();
  }

  AskedRow tell(const Entry& entry) const {
    AskedRow asked;
    asked.row = row_of(entry, contest_, goals_);
    asked.in_space = entry.in_space;
    if (!asked.row.can_be_chosen() || entry.bound.values.empty()) return asked;
    if (is_settled(entry)) {
      asked.place = place_of(entry);
    } else if (const Entry* better = contest_.dominator_of(entry.bound.values)) {
      asked.beaten_by = row_of(*better, contest_, goals_);
      asked.beaten_by_place = place_of(*better);
    }
    return asked;
  }

 private:
  struct Missed {
    Objection least;
    Objection most;
    long layouts = 0;
  };

  void count(const Entry& entry) {
    // An exhaustive search says of everything that it simulates what it found.
    const bool found_out = goals_.exhaustive && is_simulated(entry);
    if (!entry.excluded.empty() && !found_out) return exclude(entry.excluded);
    if (!is_settled(entry)) {
      ++result_.not_simulated;
    } else if (entry.state == EntryState::kFailed) {
      result_.failures.push_back(row_of(entry, contest_, goals_));
    } else if (const Objection broken = broken_by(entry.outcome, goals_); !broken.empty()) {
      exclude_simulated(broken);
    } else if (!entry.excluded.empty()) {
      exclude(entry.excluded);  // by a rounding error of its bound
    } else {
      ranked_.push_back(&entry);
    }
  }

  void exclude(const Objection& objection) { ++result_.excluded[objection.text()]; }

  // Together with those of the same reason, whatever the amounts.
  void exclude_simulated(const Objection& objection) {
    const auto [known, is_new] =
        missed_.try_emplace(objection.reason, Missed{objection, objection});
    Missed& missed = known->second;
    ++missed.layouts;
    if (is_new || !objection.amount) return;
    if (*objection.amount < *missed.least.amount) missed.least = objection;
    if (*objection.amount > *missed.most.amount) missed.most = objection;
  }

  void fill_missed() {
    for (const auto& [reason, missed] : missed_) {
      result_.excluded[text_of(missed.least, missed.most) + " (simulated)"] += missed.layouts;
    }
  }

  static bool is_simulated(const Entry& entry) {
    return entry.state == EntryState::kDone || entry.state == EntryState::kFailed;
  }

  bool is_settled(const Entry& entry) const {
    const bool simulated = is_simulated(entry);
    // A stopped search knows no final Pareto set: what it has simulated is all it can say.
    const bool counts =
        goals_.exhaustive || !result_.complete || contest_.can_win(entry.bound.values);
    SIM_CHECK(simulated || !counts || !result_.complete || !entry.in_space,
              "not simulated although it could win: " + entry.key);
    return simulated && counts;
  }

  // REQUIRES: simulated.
  int place_of(const Entry& entry) const {
    const auto place =
        std::lower_bound(ranked_.begin(), ranked_.end(), &entry,
                         [&](const Entry* a, const Entry* b) { return ranks_before(*a, *b); });
    return static_cast<int>(place - ranked_.begin()) + 1;
  }

  void sort(std::vector<const Entry*>& entries) const {
    std::sort(entries.begin(), entries.end(),
              [&](const Entry* a, const Entry* b) { return ranks_before(*a, *b); });
  }

  bool ranks_before(const Entry& a, const Entry& b) const {
    for (const Objective& objective : goals_.objectives) {
      const int at = objective.quantity;
      if (is_better(at, a.outcome.values[at], b.outcome.values[at])) return true;
      if (is_better(at, b.outcome.values[at], a.outcome.values[at])) return false;
    }
    return a.key < b.key;
  }

  void fill_ranking() {
    sort(ranked_);
    for (std::size_t place = 0; place < ranked_.size(); ++place) {
      SearchRow row = row_of(*ranked_[place], contest_, goals_);
      if (row.pareto || static_cast<int>(place) < goals_.top) {
        result_.ranking.push_back(std::move(row));
      }
    }
  }

  void fill_all(const std::deque<Entry>& entries) {
    std::vector<const Entry*> broken;
    for (const Entry& entry : entries) {
      if (!entry.in_space || entry.state != EntryState::kDone) continue;
      const bool chosen = entry.excluded.empty() && broken_by(entry.outcome, goals_).empty();
      if (!chosen) broken.push_back(&entry);
    }
    sort(broken);
    for (const std::vector<const Entry*>& list : {ranked_, broken}) {
      for (const Entry* entry : list) result_.all.push_back(row_of(*entry, contest_, goals_));
    }
  }

  void check() const {
    const long excluded = std::accumulate(
        result_.excluded.begin(), result_.excluded.end(), 0L,
        [](long sum, const auto& reason_and_count) { return sum + reason_and_count.second; });
    const long failed = static_cast<long>(result_.failures.size());
    SIM_CHECK(
        result_.considered == result_.ranked + failed + excluded + result_.not_simulated,
        fmt::format("layouts are lost: {} considered, {} ranked, {} failed, {} excluded, {} "
                    "not simulated",
                    result_.considered, result_.ranked, failed, excluded, result_.not_simulated));
  }

  const Contest& contest_;
  const SearchGoals& goals_;
  SearchResult& result_;
  std::vector<const Entry*> ranked_;
  std::map<std::string, Missed> missed_;  // by reason
};

}  // namespace

SearchRow row_of(const Entry& entry, const Contest& contest, const SearchGoals& goals) {
  SearchRow row{entry.candidate,         entry.key,     entry.outcome.values,
                contest.on_front(entry), entry.failure, entry.excluded.text()};
  row.runs = entry.failure.empty() && (entry.excluded.empty() || entry.excluded.runs);
  row.bound = entry.bound.values;
  row.broken_kind = entry.excluded.reason;
  row.broken_amount = entry.excluded.amount;
  if (entry.state != EntryState::kDone) return row;
  const Objection broken = broken_by(entry.outcome, goals);
  if (broken.empty()) return row;
  row.broken = broken.text();
  row.broken_kind = broken.reason;
  row.broken_amount = broken.amount;
  row.runs = broken.runs;
  return row;
}

void fill_account(const std::deque<Entry>& entries, const std::vector<const Entry*>& asked,
                  const Contest& contest, const SearchInputs& inputs, SearchResult& result) {
  Account account(contest, inputs, result);
  account.count(entries);
  for (const Entry* entry : asked) result.asked.push_back(account.tell(*entry));
}

}  // namespace rehearse
