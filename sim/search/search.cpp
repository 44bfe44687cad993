// The search itself: bounds of all candidates, then simulations of those that can still win, then
// the account. The order in which simulations are tried decides only how soon it is known that
// nothing else can win: by each objective, the best bound first.
#include "search/search.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <deque>
#include <map>
#include <optional>

#include "base/error.hpp"
#include "layout/layout.hpp"
#include "search/account.hpp"
#include "search/contest.hpp"
#include "search/entry.hpp"
#include "search/find_bounds.hpp"
#include "search/search_job.hpp"
#include "search/skew.hpp"

namespace rehearse {
namespace {

// Of those that somebody asks about: so many are simulated although their bounds say that they
// cannot win.
constexpr std::size_t kMostWanted = 16;
constexpr double kTolerance = 1e-9;  // of a bound that a simulation equals

class Search {
 public:
  Search(const SearchInputs& inputs, const Enumeration& candidates, Workers& workers,
         Journal* journal, const std::function<bool(const SearchProgress&)>& report)
      : inputs_(inputs),
        goals_(inputs.goals),
        workers_(workers),
        journal_(journal),
        report_(report),
        contest_(inputs.goals) {
    result_.considered = candidates.considered;
    result_.legal = static_cast<long>(candidates.legal.size());
    result_.excluded = candidates.excluded;
    for (const Candidate& each : candidates.legal) add(each, true);
    add_the_plans_own();
    add_asked();
  }

  SearchResult run() {
    progress_.to_bound = static_cast<long>(entries_.size());
    const bool bounded = find_bounds(entries_, goals_, workers_, [&](long done) {
      progress_.bounded = done;
      return report_(progress_);
    });
    progress_.bounded = progress_.to_bound;
    result_.complete = bounded && simulate_what_can_win();
    std::vector<const Entry*> asked;
    for (const int at : asked_) asked.push_back(&entries_[at]);
    fill_account(entries_, asked, contest_, inputs_, result_);
    fill_plan_row();
    const auto goes_on = [&] { return report_(progress_); };
    if (goals_.skew && result_.complete) {
      result_.complete = fill_skewed(inputs_, workers_, goes_on, result_);
    }
    return std::move(result_);
  }

 private:
  void add(const Candidate& candidate, bool in_space) {
    Entry entry;
    entry.candidate = candidate;
    entry.key = key_of(inputs_.space, candidate);
    entry.in_space = in_space;
    entries_.push_back(std::move(entry));
  }

  // On the space's first platform.
  void add_the_plans_own() {
    const Plan& base = inputs_.base;
    const SearchPlatform& platform = inputs_.space.platforms.front();
    const Candidate own = own_candidate(base);
    std::string refusal = layout_refusal(base, inputs_.model, platform.gpus, platform.path);
    if (refusal.empty() && own.gpus() > platform.gpus) {
      refusal =
          fmt::format("more GPUs than the {} of the platform {}", platform.gpus, platform.path);
    }
    if (!refusal.empty()) {
      result_.plan_row = SearchRow{own, key_of(inputs_.space, own), {}, false, {}, refusal};
      result_.plan_row->runs = false;
      return;
    }
    const std::string key = key_of(inputs_.space, own);
    const auto found = std::find_if(entries_.begin(), entries_.end(),
                                    [&](const Entry& entry) { return entry.key == key; });
    plans_own_ = static_cast<int>(found - entries_.begin());
    if (found == entries_.end()) add(own, false);
    want(plans_own_);
  }

  void add_asked() {
    if (inputs_.asked.empty()) return;
    std::map<std::string, int> known;
    for (int at = 0; at < static_cast<int>(entries_.size()); ++at) known[entries_[at].key] = at;
    for (const Candidate& each : inputs_.asked) {
      const auto found = known.find(key_of(inputs_.space, each));
      asked_.push_back(found != known.end() ? found->second : static_cast<int>(entries_.size()));
      if (found == known.end()) add(each, false);
      if (inputs_.asked.size() <= kMostWanted) want(asked_.back());
    }
  }

  void want(int entry) {
    entries_[entry].wanted = true;
    wanted_.push_back(entry);
  }

  void fill_plan_row() {
    if (plans_own_ < 0) return;
    const Entry& own = entries_[plans_own_];
    const bool known = own.state != EntryState::kOpen && own.state != EntryState::kRunning;
    if (known) result_.plan_row = row_of(own, contest_, goals_);
  }

  // ---- simulations

  bool simulate_what_can_win() {
    take_journal();
    make_order();
    while (true) {
      progress_.open = count_open();
      if (!report_(progress_)) return false;
      for (int worker = 0; (worker = workers_.free_worker()) >= 0;) {
        const int next = next_candidate();
        if (next < 0) break;
        entries_[next].state = EntryState::kRunning;
        workers_.send(worker, next, simulation_request(entries_[next].key));
      }
      if (!workers_.has_open_requests()) return true;
      for (const Answer& answer : workers_.wait(Seconds{0.2})) take(answer);
    }
  }

  void take_journal() {
    if (journal_ == nullptr) return;
    for (Entry& entry : entries_) {
      const auto known = journal_->entries().find(entry.key);
      if (known == journal_->entries().end() || entry.state != EntryState::kOpen) continue;
      // Of another build, with other quantities: it is simulated again.
      if (!outcome_of_text(known->second.substr(1))) continue;
      ++progress_.known;
      settle(entry, known->second);
    }
  }

  void take(const Answer& answer) {
    Entry& entry = entries_[answer.request];
    if (answer.end == 'L' && ++entry.losses < kMostLosses) {
      entry.state = EntryState::kOpen;
      lost_.push_back(answer.request);
      return;
    }
    ++progress_.simulated;
    const std::string ended = answer.end + answer.text;
    // A failure is this machine's and this time's: too little memory, too slow, killed.
    if (journal_ != nullptr && answer.end == 'D') journal_->append(entry.key, ended);
    settle(entry, ended);
  }

  void settle(Entry& entry, const std::string& answer) {
    const std::optional<SearchOutcome> outcome = outcome_of_text(answer.substr(1));
    if (answer.front() != 'D' || !outcome) {
      entry.state = EntryState::kFailed;
      entry.failure = answer.substr(1);
      return;
    }
    entry.state = EntryState::kDone;
    entry.outcome = *outcome;
    check_bound(entry);
    const bool chosen = entry.excluded.empty() && broken_by(entry.outcome, goals_).empty();
    if (!entry.in_space || !chosen) return;
    contest_.enter(entry);
    progress_.has_best = true;
    progress_.best = *contest_.best();
  }

  static void check_bound(const Entry& entry) {
    for (std::size_t at = 0; at < search_quantities().size(); ++at) {
      const double bound = entry.bound.values[at];
      const double value = entry.outcome.values[at];
      if (!search_quantities()[at].bounded || !is_better(static_cast<int>(at), value, bound))
        continue;
      if (std::abs(value - bound) <= kTolerance * std::abs(bound)) continue;
      throw InternalError(fmt::format("{} of [{}] is {}, its bound {}",
                                      search_quantities()[at].name, entry.key, value, bound));
    }
  }

  bool can_win(const Entry& entry) const {
    return goals_.exhaustive || contest_.can_win(entry.bound.values);
  }

  // By each objective, the most promising first; the searches of all objectives take turns.
  void make_order() {
    for (const Objective& objective : goals_.objectives) {
      std::vector<int>& order = orders_.emplace_back();
      for (int at = 0; at < static_cast<int>(entries_.size()); ++at) {
        if (entries_[at].state == EntryState::kOpen) order.push_back(at);
      }
      std::stable_sort(order.begin(), order.end(), [&](int a, int b) {
        return is_better(objective.quantity, entries_[a].bound.values[objective.quantity],
                         entries_[b].bound.values[objective.quantity]);
      });
    }
    next_of_.assign(orders_.size(), 0);
  }

  int next_candidate() {
    if (!lost_.empty()) {
      const int lost = lost_.front();
      lost_.pop_front();
      return lost;
    }
    while (!wanted_.empty()) {
      const int wanted = wanted_.front();
      wanted_.pop_front();
      if (entries_[wanted].state == EntryState::kOpen) return wanted;
    }
    for (std::size_t tried = 0; tried < orders_.size(); ++tried) {
      const std::size_t turn = turn_++ % orders_.size();
      std::size_t& next = next_of_[turn];
      for (; next < orders_[turn].size(); ++next) {
        Entry& entry = entries_[orders_[turn][next]];
        if (entry.state == EntryState::kOpen && can_win(entry)) return orders_[turn][next++];
      }
    }
    return -1;
  }

  // An estimate for people, so not at every answer.
  long count_open() {
    if (++counted_ % 16 != 1) return progress_.open;
    return std::count_if(entries_.begin(), entries_.end(), [&](const Entry& entry) {
      return entry.state == EntryState::kRunning ||
             (entry.state == EntryState::kOpen && can_win(entry));
    });
  }

  const SearchInputs& inputs_;
  const SearchGoals& goals_;
  Workers& workers_;
  Journal* const journal_;
  const std::function<bool(const SearchProgress&)>& report_;
  std::deque<Entry> entries_;             // stable: the contest points into it
  int plans_own_ = -1;                    // among entries_; -1: it is not legal
  std::vector<int> asked_;                // among entries_
  std::deque<int> wanted_;                // that are not tried yet
  std::vector<std::vector<int>> orders_;  // by objective
  std::vector<std::size_t> next_of_;
  std::size_t turn_ = 0;
  std::deque<int> lost_;
  Contest contest_;
  long counted_ = 0;
  SearchProgress progress_;
  SearchResult result_;
};

}  // namespace

SearchResult search(const SearchInputs& inputs, const Enumeration& candidates, Workers& workers,
                    Journal* journal, const std::function<bool(const SearchProgress&)>& report) {
  return Search(inputs, candidates, workers, journal, report).run();
}

}  // namespace rehearse
