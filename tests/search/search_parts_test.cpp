// The parts of a search that need no simulation: sets, space, keys, objectives, journal, workers.
#include <gtest/gtest.h>
#include <unistd.h>

#include <cmath>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <fstream>

#include "base/error.hpp"
#include "search/journal.hpp"
#include "search/search_job.hpp"
#include "search/workers.hpp"

namespace rehearse {
namespace {

TEST(IntegerSet, JoinsRanges) {
  const IntegerSet set = parse_integer_set("8,1..3,2..4", {}, 1);
  EXPECT_EQ(set.members(), (std::vector<int>{1, 2, 3, 4, 8}));
  EXPECT_TRUE(set.contains(4));
  EXPECT_FALSE(set.contains(5));
  for (const char* bad : {"", "x", "1..", "3..1", "0", "1,,2"}) {
    EXPECT_THROW(parse_integer_set(bad, {}, 1), InputError) << bad;
  }
}

struct Small {
  Model model;
  Plan plan;
  std::vector<SearchPlatform> platforms = {{"p.xml", "0123456789ab", 8, {}, {}}};

  Small() {
    model.layers = 2;
    model.hidden = 64;
    model.attention = {{4, 4, 16, false}};
    model.dense = {FeedForward{64, false, false}};
    plan.batch = {16, 8, 2, 4, 0};
  }
};

// 8 = t x p x d with t in {1, 2, 4, 8}: t = 8 does not divide 4 heads; p in {1, 2, 4, 8}: more than
// 2 layers do not exist. t x p: (1,1) (1,2) (2,1) (2,2) (4,1) (4,2) are legal, with expert 1.
TEST(Space, HasEveryProductAndCountsWhatIsNotLegal) {
  const Small small;
  const Space space = read_space({{"gpus", {{"8"}, {}}}}, small.plan, small.platforms);
  const Enumeration found = enumerate(space, small.plan, small.model);
  EXPECT_EQ(found.legal.size(), 6U);
  long excluded = 0;
  for (const auto& [reason, count] : found.excluded) excluded += count;
  EXPECT_EQ(found.considered, 6 + excluded);
  // The ways to write 8 as a product of four numbers: C(3 + 3, 3) of the exponents of 2.
  EXPECT_EQ(found.considered, 20);
  // The plan has 16 / 4 = 4 sequences per micro-batch; 8 replicas have 2 each, so 1 micro-batch.
  for (const Candidate& each : found.legal) {
    EXPECT_EQ(each.micro_batches, each.layout.data >= 4 ? 1 : 4 / each.layout.data);
  }
}

// fault:A5. A range is cut at the largest platform before anything of it is listed, so that this is
// the space of 1..8; a range beyond it is refused.
TEST(Space, IsBoundedByThePlatformFirst) {
  const Small small;
  const Space all = read_space({{"gpus", {{"1..2147483647"}, {}}}}, small.plan, small.platforms);
  const Space few = read_space({{"gpus", {{"1..8"}, {}}}}, small.plan, small.platforms);
  EXPECT_EQ(all.gpus.members(), few.gpus.members());
  EXPECT_EQ(all.gpus.most(), 8);
  const Space limited =
      read_space({{"gpus", {{"1..2147483647"}, {}}}, {"max_gpus", {{"2147483647"}, {}}}},
                 small.plan, small.platforms);
  EXPECT_EQ(limited.gpus.most(), 8);
  EXPECT_THROW(read_space({{"gpus", {{"9..2147483647"}, {}}}}, small.plan, small.platforms),
               InputError);
}

// fault:A5. A platform of 2^20 GPUs has more layouts than can be kept: that is said, and soon.
TEST(Space, RefusesMoreLayoutsThanItCanKeep) {
  Small small;
  small.platforms.front().gpus = 1 << 20;
  const Space space = read_space({}, small.plan, small.platforms);
  EXPECT_THROW(enumerate(space, small.plan, small.model), InputError);
}

// fault:D1. A number that is written twice is considered once: 16 sequences, 4 a micro-batch, on
// one GPU are 4 micro-batches, which `auto` says too.
TEST(Space, ConsidersANumberThatIsWrittenTwiceOnce) {
  const Small small;
  const Space space = read_space({{"gpus", {{"1"}, {}}}, {"micro_batches", {{"auto,4,auto"}, {}}}},
                                 small.plan, small.platforms);
  const Enumeration found = enumerate(space, small.plan, small.model);
  EXPECT_EQ(found.considered, 1);
  EXPECT_EQ(found.legal.size(), 1U);
}

// What may be given several times is not given twice, as a platform is not.
TEST(Space, RefusesAChoiceThatIsGivenTwice) {
  const Small small;
  const auto refuses = [&](const char* field, const std::vector<std::string>& values) {
    EXPECT_THROW(read_space({{field, {values, {}}}}, small.plan, small.platforms), InputError)
        << field;
  };
  refuses("collectives", {"all_reduce=ring", "all_reduce=ring"});
  refuses("collectives", {"all_reduce=auto", "all_to_all=auto"});  // both are the plan's own
  refuses("collectives", {"all_reduce=ring,all_reduce=direct"});
  refuses("order", {"tp-cp-ep-dp-pp", "tp-cp-ep-dp-pp"});
}

TEST(Objective, IsNotGivenTwice) {
  EXPECT_EQ(read_objectives({{"ttft", "ttft_s.mean"}, {}}).size(), 2U);
  EXPECT_THROW(read_objectives({{"ttft", "throughput", "ttft"}, {}}), InputError);
  EXPECT_THROW(read_objectives({{"ttft", "ttft_s.p99"}, {}}), InputError);  // the same quantity
}

// 16 sequences on one GPU are no 17 micro-batches, whatever the degrees: that is what no layout
// escapes, although of the products of 1..8 most break a rule of degrees first.
TEST(Space, SaysWhatNoLayoutEscapes) {
  const Small small;
  const Space space = read_space({{"gpus", {{"1..8"}, {}}}, {"micro_batches", {{"17"}, {}}}},
                                 small.plan, small.platforms);
  const Enumeration found = enumerate(space, small.plan, small.model);
  EXPECT_TRUE(found.legal.empty());
  EXPECT_LT(found.last.size(), found.excluded.size());
  for (const auto& [reason, count] : found.last) {
    EXPECT_TRUE(reason.starts_with("batch.micro_batches = 17 exceeds")) << reason;
    EXPECT_EQ(found.excluded.at(reason), count);
  }
}

// The plan's own text is checked whatever command reads the plan: without platforms or a model.
TEST(Space, ChecksThePlansText) {
  Plan plan;
  check_search_of(plan);
  plan.search = {{"gpus", {"8..16"}},
                 {"max_gpus", {"12"}},
                 {"objective", {"ttft"}},
                 {"constraint", {"ttft_s.p99 <= 6"}},
                 {"sequence_parallel", {"both"}}};
  check_search_of(plan);
  const std::vector<std::pair<std::string, std::vector<std::string>>> bad = {
      {"gpus", {"abc"}},
      {"max_gpus", {"1..2"}},
      {"tensor", {"0"}},
      {"pipeline", {"4..2"}},
      {"data", {""}},
      {"expert", {"x"}},
      {"expert_tensor", {"-1"}},
      {"sequence_parallel", {"yes"}},
      {"micro_batches", {"0"}},
      {"decode_micro_batches", {"automatic"}},
      {"order", {"tp-dp"}},
      {"collectives", {"all_reduce"}},
      {"objective", {"speed"}},
      {"constraint", {"ttft_s.p99 < 6"}}};
  for (const auto& [field, values] : bad) {
    plan.search = {{field, values}};
    EXPECT_THROW(check_search_of(plan), InputError) << field;
  }
}

// Of the six above, tensor and data both divide three: only these are placed anew by their order.
TEST(Space, CountsOrdersThatPlaceRanksAlikeOnce) {
  const Small small;
  const SpaceField orders{{"tp-cp-ep-dp-pp", "ep-tp-cp-dp-pp", "dp-tp-cp-ep-pp", "dp-ep-tp-cp-pp"},
                          {}};
  const Space space =
      read_space({{"gpus", {{"8"}, {}}}, {"order", orders}}, small.plan, small.platforms);
  EXPECT_EQ(enumerate(space, small.plan, small.model).legal.size(), 6U + 3U);
}

TEST(Space, NamesCandidatesByKey) {
  const Small small;
  const Space space = read_space({{"collectives", {{"all_reduce=ring", "all_reduce=auto"}, {}}}},
                                 small.plan, small.platforms);
  for (const Candidate& each : enumerate(space, small.plan, small.model).legal) {
    const std::string key = key_of(space, each);
    const std::optional<Candidate> read = candidate_of(space, key);
    ASSERT_TRUE(read.has_value()) << key;
    EXPECT_EQ(key_of(space, *read), key);
  }
  Candidate unequal;
  unequal.layout.pipeline = 2;
  unequal.layout.layers_per_stage = {6, 10};
  unequal.collectives = {{"all_reduce", "ring"}};
  const std::string key = key_of(space, unequal);
  EXPECT_EQ(candidate_of(space, key)->layout.layers_per_stage, (std::vector<int>{6, 10})) << key;
  EXPECT_EQ(candidate_of(space, key)->collectives, unequal.collectives);
  EXPECT_FALSE(candidate_of(space, "no key").has_value());
  EXPECT_FALSE(candidate_of(space,
                            "ba9876543210 tp=1 pp=1 dp=1 ep=1 etp=0 sp=0 mb=1 dmb=0 "
                            "tp-cp-ep-dp-pp")
                   .has_value());
}

// 10 GPUs, 36 s, 1e6 tokens: 0.1 GPU-hours; at 2 dollars an hour 0.2 dollars; 100 W x 10 x 36 s =
// 36 kJ.
TEST(Objective, CountsCost) {
  Metrics metrics;
  metrics.ranks = 10;
  metrics.makespan_s = 36;
  metrics.tokens_per_s = 1e6 / 36;
  metrics.output_tokens_per_s = 1e5 / 36;
  const std::vector<double> values = values_of(metrics, {"", "", 10, 2.0, 100.0});
  const auto value = [&](const char* name) { return values[quantity_named(name, {})]; };
  EXPECT_DOUBLE_EQ(value("cost.gpu_hours_per_million_tokens"), 0.1);
  EXPECT_DOUBLE_EQ(value("cost.dollars_per_million_tokens"), 0.2);
  EXPECT_DOUBLE_EQ(value("cost.tokens_per_joule"), 1e6 / 36e3);
  // fault:Q2: a tenth of the tokens are output tokens.
  EXPECT_DOUBLE_EQ(value("cost.gpu_hours_per_million_output_tokens"), 1);
  EXPECT_DOUBLE_EQ(value("cost.dollars_per_million_output_tokens"), 2);
  EXPECT_DOUBLE_EQ(value("cost.output_tokens_per_dollar"), 0.5e6);
  EXPECT_DOUBLE_EQ(value("cost.output_tokens_per_joule"), 1e5 / 36e3);
  // fault:C0: nothing says that there are times between tokens.
  EXPECT_TRUE(std::isnan(value("tpot_s.mean")));
  EXPECT_TRUE(std::isnan(value("decode_step_s.p50")));
  EXPECT_TRUE(std::isnan(value("itl_s.max")));
  const std::vector<double> unpriced = values_of(metrics, {"", "", 10, {}, {}});
  EXPECT_TRUE(std::isnan(unpriced[quantity_named("cost.dollars_per_million_tokens", {})]));
  // To the last bit through text.
  const std::string text = outcome_text(SearchOutcome{values, "weights"});
  const std::optional<SearchOutcome> read = outcome_of_text(text);
  ASSERT_TRUE(read.has_value());
  EXPECT_EQ(outcome_text(*read), text);
  EXPECT_EQ(read->most_memory, "weights");
}

class TemporaryFile {
 public:
  TemporaryFile() { close(mkstemp(path_)); }
  ~TemporaryFile() { std::remove(path_); }
  const char* path() const { return path_; }

 private:
  char path_[32] = "journal-XXXXXX";
};

TEST(Journal, KeepsWhatIsWholeAndWarnsOfTheRest) {
  const TemporaryFile file;
  {
    Journal journal(file.path(), "d1");
    journal.append("a", "D1");
    journal.append("b", "D2");
    EXPECT_THROW(Journal(file.path(), "d1"), InputError);  // locked
  }
  std::ofstream(file.path(), std::ios::app) << "00000000 c\tD3\ntorn";
  {
    const Journal journal(file.path(), "d1");
    EXPECT_EQ(journal.entries(), (std::map<std::string, std::string>{{"a", "D1"}, {"b", "D2"}}));
    EXPECT_EQ(journal.warnings().size(), 2U);
  }
  EXPECT_THROW(Journal(file.path(), "d2"), InputError);
}

TEST(Journal, BeginsAnewAfterATornFirstLineAndLeavesOtherFilesAlone) {
  const TemporaryFile file;
  { const Journal journal(file.path(), "d1"); }
  std::ifstream in(file.path());
  std::string head;
  std::getline(in, head);
  for (std::size_t size = 0; size <= head.size(); ++size) {  // killed after so many bytes
    std::ofstream(file.path()) << head.substr(0, size);
    {
      Journal journal(file.path(), "d1");
      journal.append("a", "D1");
    }
    const Journal journal(file.path(), "d1");
    EXPECT_EQ(journal.entries().size(), 1U) << size;
    EXPECT_TRUE(journal.warnings().empty()) << size;
  }
  std::ofstream(file.path()) << "somebody's text";  // that does not end with a line
  EXPECT_THROW(Journal(file.path(), "d1"), InputError);
  std::ifstream left(file.path());
  std::getline(left, head);
  EXPECT_EQ(head, "somebody's text");
}

std::vector<Answer> answers_of(Workers& workers, int count) {
  std::vector<Answer> all;
  while (static_cast<int>(all.size()) < count) {
    for (Answer& answer : workers.wait(Seconds{10})) all.push_back(std::move(answer));
  }
  return all;
}

std::string misbehave(const std::string& request) {
  if (request == "crash") raise(SIGKILL);
  if (request == "hang") sleep(100);
  if (request == "refuse") throw InputError({"f", 1, 2}, "no");
  return "echo " + request;
}

TEST(Workers, OutliveWhatTheirJobsDo) {
  Workers workers(1, misbehave, Seconds{0.5});
  const char* const requests[] = {"hello", "crash", "hang", "refuse", "again"};
  std::string ends;
  std::vector<std::string> texts;
  for (const char* request : requests) {
    workers.send(0, 7, request);
    const std::vector<Answer> answers = answers_of(workers, 1);
    EXPECT_EQ(answers[0].request, 7);
    ends += answers[0].end;
    texts.push_back(answers[0].text);
  }
  EXPECT_EQ(ends, "DCTRD");
  EXPECT_EQ(texts,
            (std::vector<std::string>{"echo hello", "ended by signal 9", "no answer within 500 ms",
                                      "f:1:2: error: no", "echo again"}));
}

}  // namespace
}  // namespace rehearse
