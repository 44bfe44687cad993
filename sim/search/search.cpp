#include "search/search.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <deque>
#include <optional>

#include "base/error.hpp"
#include "base/system_error.hpp"
#include "layout/layout.hpp"
#include "search/search_job.hpp"

namespace rehearse {
namespace {

constexpr std::size_t kBoundsPerRequest = 64;
constexpr int kMostLosses =
    3;  // of the worker that has a candidate, before the candidate is blamed
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
        memory_(quantity_named("memory.peak_fraction", {})) {
    result_.considered = candidates.considered;
    result_.legal = static_cast<long>(candidates.legal.size());
    result_.excluded = candidates.excluded;
    for (const Candidate& each : candidates.legal) add(each, true);
    add_reference();
  }

  SearchResult run() {
    result_.complete = find_bounds() && simulate_what_can_win();
    rank();
    return std::move(result_);
  }

 private:
  enum class State { kOpen, kRunning, kDone, kFailed, kExcluded };
  struct Entry {
    Candidate candidate;
    std::string key;
    bool in_space = true;
    State state = State::kOpen;
    int losses = 0;
    std::vector<double> bound;
    std::vector<double> values;
    std::string failure;
  };

  int first_objective() const { return goals_.objectives.front().quantity; }

  void add(const Candidate& candidate, bool in_space) {
    Entry entry;
    entry.candidate = candidate;
    entry.key = key_of(inputs_.space, candidate);
    entry.in_space = in_space;
    entries_.push_back(std::move(entry));
  }

  // The plan's own layout on the space's first platform.
  void add_reference() {
    const Plan& base = inputs_.base;
    const SearchPlatform& platform = inputs_.space.platforms.front();
    if (!base.layout.layers_per_stage.empty() ||
        !layout_refusal(base, inputs_.model, platform.gpus, platform.path).empty()) {
      return;
    }
    const Candidate own{0, base.layout, base.batch.micro_batches, base.batch.decode_micro_batches,
                        base.collectives};
    const std::string key = key_of(inputs_.space, own);
    const auto found = std::find_if(entries_.begin(), entries_.end(),
                                    [&](const Entry& entry) { return entry.key == key; });
    reference_ = static_cast<int>(found - entries_.begin());
    if (found == entries_.end()) add(own, false);
  }

  // ---- bounds

  bool find_bounds() {
    std::deque<std::vector<int>> batches;
    for (int at = 0; at < static_cast<int>(entries_.size()); ++at) {
      const bool joins =
          !batches.empty() && batches.back().size() < kBoundsPerRequest &&
          entries_[batches.back().front()].candidate.platform == entries_[at].candidate.platform;
      if (!joins) batches.emplace_back();
      batches.back().push_back(at);
    }
    progress_.to_bound = static_cast<long>(entries_.size());
    std::vector<int> losses(batches.size(), 0);
    std::deque<int> waiting;
    for (int batch = 0; batch < static_cast<int>(batches.size()); ++batch) waiting.push_back(batch);
    while (!waiting.empty() || workers_.has_open_requests()) {
      if (!report_(progress_)) return false;
      for (int worker = 0; !waiting.empty() && (worker = workers_.free_worker()) >= 0;) {
        std::vector<std::string> keys;
        for (const int at : batches[waiting.front()]) keys.push_back(entries_[at].key);
        workers_.send(worker, waiting.front(), bound_request(keys));
        waiting.pop_front();
      }
      for (const Answer& answer : workers_.wait(Seconds{0.2})) {
        if (answer.end == 'L' && ++losses[answer.request] < kMostLosses) {
          waiting.push_back(answer.request);
        } else {
          take_bounds(batches[answer.request], answer);
        }
      }
    }
    return true;
  }

  void take_bounds(const std::vector<int>& batch, const Answer& answer) {
    progress_.bounded += static_cast<long>(batch.size());
    if (answer.end == 'R') throw InputError({"rehearse search", 1, 1}, answer.text);
    if (answer.end == 'S') throw SystemError::relayed(answer.text);
    if (answer.end == 'T') {
      throw InputError({"--timeout", 1, 1}, "too short: the bounds of some layouts took longer");
    }
    const std::vector<BoundAnswer> bounds = bound_answers(answer.text);
    if (answer.end != 'D' || bounds.size() != batch.size()) {
      throw InternalError("bounds: " + answer.text);
    }
    for (std::size_t at = 0; at < batch.size(); ++at) {
      Entry& entry = entries_[batch[at]];
      entry.bound = bounds[at].values;
      if (entry.bound.empty()) {
        exclude(entry, bounds[at].refusal);
      } else {
        exclude_by_bound(entry);
      }
    }
  }

  void exclude(Entry& entry, const std::string& reason) {
    if (entry.in_space) ++result_.excluded[reason];
    entry.state = State::kExcluded;
  }

  void exclude_by_bound(Entry& entry) {
    std::string reason;
    if (entry.bound[memory_] > 1) {
      reason = "does not fit in memory";
    } else {
      for (const Constraint& constraint : goals_.constraints) {
        const double value = entry.bound[constraint.quantity];
        if (!reason.empty() || !quantities()[constraint.quantity].bounded) continue;
        const bool hopeless =
            quantities()[constraint.quantity].more_is_better == !constraint.at_most &&
            !constraint.holds(value);
        if (hopeless) reason = fmt::format("cannot keep {}", constraint.text);
      }
    }
    if (reason.empty()) return;
    if (entry.in_space) ++result_.excluded[reason];
    // A reference is simulated whatever it keeps; so is everything in an exhaustive search.
    if (!goals_.exhaustive && entry.in_space && &entry != reference()) {
      entry.state = State::kExcluded;
    }
  }

  Entry* reference() { return reference_ < 0 ? nullptr : &entries_[reference_]; }

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
        entries_[next].state = State::kRunning;
        workers_.send(worker, next, simulation_request(entries_[next].key));
      }
      if (!workers_.has_open_requests()) return true;
      for (const Answer& answer : workers_.wait(Seconds{0.2})) take(answer);
    }
  }

  void take_journal() {
    if (journal_ == nullptr) return;
    for (int at = 0; at < static_cast<int>(entries_.size()); ++at) {
      const auto known = journal_->entries().find(entries_[at].key);
      if (known == journal_->entries().end() || entries_[at].state != State::kOpen) continue;
      ++progress_.known;
      settle(entries_[at], known->second);
    }
  }

  void take(const Answer& answer) {
    Entry& entry = entries_[answer.request];
    if (answer.end == 'L' && ++entry.losses < kMostLosses) {
      entry.state = State::kOpen;
      lost_.push_back(answer.request);
      return;
    }
    ++progress_.simulated;
    const std::string outcome = answer.end + answer.text;
    // A failure is this machine's and this time's: too little memory, too slow, killed.
    if (journal_ != nullptr && answer.end == 'D') journal_->append(entry.key, outcome);
    settle(entry, outcome);
  }

  void settle(Entry& entry, const std::string& outcome) {
    const std::vector<double> values = values_of_text(outcome.substr(1));
    if (outcome.front() != 'D' || values.empty()) {
      entry.state = State::kFailed;
      entry.failure = outcome.substr(1);
      return;
    }
    entry.state = State::kDone;
    entry.values = values;
    check_bound(entry);
    if (!entry.in_space || !is_feasible(entry)) return;
    const auto beaten = [&](const Entry* other) {
      return dominates(entry.values, other->values, goals_.objectives);
    };
    const bool useless = std::any_of(front_.begin(), front_.end(), [&](const Entry* other) {
      return dominates(other->values, entry.values, goals_.objectives);
    });
    if (!useless) {
      std::erase_if(front_, beaten);
      front_.push_back(&entry);
    }
    best_.push_back(entry.values[first_objective()]);
    std::sort(best_.begin(), best_.end(),
              [&](double a, double b) { return is_better(first_objective(), a, b); });
    if (static_cast<int>(best_.size()) > goals_.top) best_.resize(goals_.top);
    progress_.has_best = !best_.empty();
    if (progress_.has_best) progress_.best = best_.front();
  }

  void check_bound(const Entry& entry) const {
    for (std::size_t at = 0; at < quantities().size(); ++at) {
      const double bound = entry.bound[at];
      const double value = entry.values[at];
      if (!quantities()[at].bounded || !is_better(static_cast<int>(at), value, bound)) continue;
      if (std::abs(value - bound) <= kTolerance * std::abs(bound)) continue;
      throw InternalError(fmt::format("{} of [{}] is {}, its bound {}", quantities()[at].name,
                                      entry.key, value, bound));
    }
  }

  // The constraint that it breaks.
  std::string broken(const Entry& entry) const {
    if (entry.values[memory_] > 1) return "does not fit in memory";
    for (const Constraint& each : goals_.constraints) {
      if (!each.holds(entry.values[each.quantity])) return "does not keep " + each.text;
    }
    return {};
  }

  bool is_feasible(const Entry& entry) const { return broken(entry).empty(); }

  bool can_win(const Entry& entry) const {
    if (goals_.exhaustive) return true;
    if (static_cast<int>(best_.size()) < goals_.top) return true;
    if (goals_.top > 0 &&
        !is_better(first_objective(), best_.back(), entry.bound[first_objective()])) {
      return true;
    }
    return std::none_of(front_.begin(), front_.end(), [&](const Entry* other) {
      return dominates(other->values, entry.bound, goals_.objectives);
    });
  }

  // By each objective, the most promising first; the searches of all objectives take turns.
  void make_order() {
    for (const Objective& objective : goals_.objectives) {
      std::vector<int>& order = orders_.emplace_back();
      for (int at = 0; at < static_cast<int>(entries_.size()); ++at) {
        if (entries_[at].state == State::kOpen) order.push_back(at);
      }
      std::stable_sort(order.begin(), order.end(), [&](int a, int b) {
        return is_better(objective.quantity, entries_[a].bound[objective.quantity],
                         entries_[b].bound[objective.quantity]);
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
    if (reference() != nullptr && reference()->state == State::kOpen) return reference_;
    for (std::size_t tried = 0; tried < orders_.size(); ++tried) {
      const std::size_t turn = turn_++ % orders_.size();
      std::size_t& next = next_of_[turn];
      for (; next < orders_[turn].size(); ++next) {
        Entry& entry = entries_[orders_[turn][next]];
        if (entry.state == State::kOpen && can_win(entry)) return orders_[turn][next++];
      }
    }
    return -1;
  }

  // An estimate for people, so not at every answer.
  long count_open() {
    if (++counted_ % 16 != 1) return progress_.open;
    return std::count_if(entries_.begin(), entries_.end(), [&](const Entry& entry) {
      return entry.state == State::kRunning || (entry.state == State::kOpen && can_win(entry));
    });
  }

  // ---- the result

  SearchRow row_of(const Entry& entry) const {
    const bool pareto = std::find(front_.begin(), front_.end(), &entry) != front_.end();
    SearchRow row{entry.candidate, entry.key, entry.values, pareto, entry.failure, {}};
    if (entry.state == State::kDone) row.broken = broken(entry);
    return row;
  }

  void rank() {
    std::vector<const Entry*> feasible;
    std::vector<const Entry*> others;
    for (const Entry& entry : entries_) {
      // Others failed too, or not: that depends on what was tried before it was known to be in
      // vain.
      if (entry.in_space && entry.state == State::kFailed && can_win(entry)) {
        result_.failures.push_back(row_of(entry));
      }
      if (!entry.in_space || entry.state != State::kDone) continue;
      (is_feasible(entry) ? feasible : others).push_back(&entry);
    }
    for (std::vector<const Entry*>* list : {&feasible, &others}) {
      std::sort(list->begin(), list->end(),
                [&](const Entry* a, const Entry* b) { return ranks_before(*a, *b); });
      for (const Entry* entry : *list) {
        if (goals_.exhaustive) result_.all.push_back(row_of(*entry));
      }
    }
    for (std::size_t place = 0; place < feasible.size(); ++place) {
      SearchRow row = row_of(*feasible[place]);
      if (row.pareto || static_cast<int>(place) < goals_.top) {
        result_.ranking.push_back(std::move(row));
      }
    }
    if (reference() != nullptr && reference()->state == State::kDone) {
      result_.reference.push_back(row_of(*reference()));
    }
  }

  bool ranks_before(const Entry& a, const Entry& b) const {
    for (const Objective& objective : goals_.objectives) {
      const int at = objective.quantity;
      if (is_better(at, a.values[at], b.values[at])) return true;
      if (is_better(at, b.values[at], a.values[at])) return false;
    }
    return a.key < b.key;
  }

  const SearchInputs& inputs_;
  const SearchGoals& goals_;
  Workers& workers_;
  Journal* const journal_;
  const std::function<bool(const SearchProgress&)>& report_;
  const int memory_;
  std::deque<Entry> entries_;  // stable: front_ points into it
  int reference_ = -1;
  std::vector<std::vector<int>> orders_;  // by objective
  std::vector<std::size_t> next_of_;
  std::size_t turn_ = 0;
  std::deque<int> lost_;
  std::vector<const Entry*> front_;
  std::vector<double> best_;  // by the first objective, at most `top`
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
