// The account of what a search considered, and what it ranks; that neither the number of workers
// nor what they are asked first shows.
#include <gtest/gtest.h>
#include <rapidcheck.h>

#include "search/made_up_search.hpp"

namespace rehearse {
namespace {

// fault:D1. 8 GPUs: 20 products (see search_parts_test), of which with 4 layers and 4 heads are
// legal, expert 1: (t, p) = (1,1) (1,2) (1,4) (2,1) (2,2) (2,4) (4,1) (4,2). All that were legal
// burst in the simulation, and none is lost.
TEST(Search, CountsWhatFailsInSimulationOnly) {
  Searched searched;
  searched.fate.bursts = 1;
  searched.goals.top = 1000;
  const SearchResult result = searched.search(2);
  EXPECT_EQ(result.considered, 20);
  EXPECT_EQ(result.legal, 8);
  EXPECT_EQ(result.ranked, 0);
  EXPECT_TRUE(result.ranking.empty());
  EXPECT_EQ(result.excluded.at("does not fit in memory, most of it weights (simulated)"), 8);
  EXPECT_EQ(sum_of(result.excluded), 20);
}

// fault:D1, the same for a constraint, and for crashes.
TEST(Search, CountsWhatBreaksAConstraintInSimulationAndWhatCrashes) {
  Searched searched;
  searched.fate.looseness = 100;  // no bound says anything
  searched.goals.top = 1000;
  searched.goals.constraints = read_constraints({{"ttft_s.p99 <= 0.5"}, {}});
  SearchResult result = searched.search(2);
  EXPECT_EQ(result.ranked, 0);
  EXPECT_EQ(sum_of(result.excluded), 20);
  searched.goals.constraints.clear();
  searched.fate.crashes = 1;
  result = searched.search(2);
  EXPECT_EQ(result.failures.size(), 8U);
  EXPECT_EQ(result.failures.front().failure, "made to crash");
  EXPECT_EQ(sum_of(result.excluded), 12);
}

// The best one by the first objective, and the Pareto set; the rest is counted.
TEST(Search, RanksTheBestAndCountsTheRest) {
  Searched searched;
  searched.goals.top = 1;
  const SearchResult few = searched.search(1);
  searched.goals.exhaustive = true;
  const SearchResult all = searched.search(1);
  EXPECT_EQ(all.ranked, 8);
  EXPECT_EQ(all.not_simulated, 0);
  EXPECT_EQ(all.all.size(), 8U);
  EXPECT_EQ(few.ranked + few.not_simulated, 8);
  // The bound is the truth here, so only what equals the best one by the first objective is
  // simulated beside what is shown.
  EXPECT_GE(few.ranked, static_cast<long>(few.ranking.size()));
  EXPECT_LT(few.ranked, 8);
  EXPECT_EQ(keys_of(few.ranking), keys_of(all.ranking));
}

// Everything legal is simulated, what its bound rules out, too: the account says what was found.
TEST(Search, SimulatesWhateverABoundSaysWhenExhaustive) {
  Searched searched;
  searched.goals.constraints = read_constraints({{"ttft_s.p99 <= 1ns"}, {}});
  EXPECT_EQ(searched.search(1).excluded.at("cannot keep ttft_s.p99 <= 1ns"), 8);
  searched.goals.exhaustive = true;
  const SearchResult all = searched.search(1);
  EXPECT_EQ(all.excluded.at("does not keep ttft_s.p99 <= 1ns (simulated)"), 8);
  EXPECT_FALSE(all.excluded.contains("cannot keep ttft_s.p99 <= 1ns"));
  EXPECT_EQ(all.all.size(), 8U);
  for (const SearchRow& row : all.all) EXPECT_FALSE(row.values.empty()) << row.key;
}

// Stopped before the first bound: everything that is legal is not simulated.
TEST(Search, AccountsForAStoppedSearch) {
  const Searched searched;
  Workers workers(
      1, [&](const std::string& request) { return searched.fate.answer(request); }, Seconds{20});
  const SearchInputs inputs{searched.plan, searched.model, searched.space, searched.goals};
  const SearchResult result =
      rehearse::search(inputs, enumerate(searched.space, searched.plan, searched.model), workers,
                       nullptr, [](const SearchProgress&) { return false; });
  EXPECT_FALSE(result.complete);
  EXPECT_EQ(result.not_simulated, 8);
  EXPECT_FALSE(result.plan_row.has_value());
}

// A layout that somebody asks about is simulated, wherever it is: here all that --gpus 8 leaves
// out.
TEST(Search, TellsWhatBecameOfALayoutOutsideOfItsSpace) {
  Searched searched;
  Searched other;
  other.set_gpus("4");
  const std::vector<Candidate> asked = enumerate(other.space, other.plan, other.model).legal;
  Workers workers(
      1, [&](const std::string& request) { return searched.fate.answer(request); }, Seconds{20});
  const SearchInputs inputs{searched.plan, searched.model, searched.space, searched.goals, asked};
  const SearchResult result =
      rehearse::search(inputs, enumerate(searched.space, searched.plan, searched.model), workers,
                       nullptr, [](const SearchProgress&) { return true; });
  EXPECT_EQ(result.considered, 20);
  ASSERT_EQ(result.asked.size(), asked.size());
  for (const AskedRow& row : result.asked) {
    EXPECT_FALSE(row.in_space);
    EXPECT_FALSE(row.row.values.empty());
    EXPECT_TRUE(row.place > 0 || row.beaten_by.has_value());
  }
}

Searched draw_search() {
  Searched searched;
  static const std::vector<std::string> kGpus = {"1", "6", "8", "12", "1..4", "4,8,12", "1..12"};
  searched.set_gpus(*rc::gen::elementOf(kGpus));
  const auto part = [] { return *rc::gen::elementOf(std::vector<double>{0, 0, 0.2, 0.5}); };
  searched.fate = {*rc::gen::inRange(0U, 1000U), part(), part(), part(), part(), part()};
  searched.goals.top = *rc::gen::inRange(0, 6);
  if (*rc::gen::arbitrary<bool>()) {
    searched.goals.constraints = read_constraints({{"ttft_s.p99 <= 3"}, {}});
  }
  return searched;
}

void require_account(const SearchResult& result) {
  const long failed = static_cast<long>(result.failures.size());
  RC_ASSERT(result.considered ==
            result.ranked + failed + sum_of(result.excluded) + result.not_simulated);
}

// fault:D1 and its kind: whatever happens to the candidates, every one of them is in the account
// once; no number depends on the workers; what is ranked is what simulating everything ranks.
TEST(Search, AccountsForEverythingWhateverHappens) {
  EXPECT_TRUE(rc::check([] {
    Searched searched = draw_search();
    const SearchResult one = searched.search(1);
    require_account(one);
    RC_ASSERT(searched.json(one) == searched.json(searched.search(3)));

    searched.goals.exhaustive = true;
    const SearchResult all = searched.search(2);
    require_account(all);
    RC_ASSERT(all.not_simulated == 0);
    RC_ASSERT(keys_of(all.ranking) == keys_of(one.ranking));

    searched.goals.exhaustive = false;
    searched.goals.top = 1000;
    const SearchResult wide = searched.search(2);
    require_account(wide);
    RC_ASSERT(wide.not_simulated == 0);
    RC_ASSERT(wide.ranked == static_cast<long>(wide.ranking.size()));
    RC_ASSERT(wide.ranked == all.ranked);
  }));
}

}  // namespace
}  // namespace rehearse
