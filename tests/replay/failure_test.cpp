// What ends a replay before its end, and that it comes out as an exception and nothing else.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <stdexcept>

#include "base/error.hpp"
#include "cluster_xml/xml_text.hpp"
#include "replay/recorded_run.hpp"
#include "replay/replay.hpp"
#include "replay/small_cluster.hpp"
#include "replay/small_programs.hpp"

namespace rehearse {
namespace {

using testing::HasSubstr;
using testing::Not;

const std::string kZone = star(4, {1e9, 1e-6});

std::string deadlock_of(const SmallPrograms& small,
                        NetworkLevelName level = NetworkLevelName::kFluid) {
  testing::internal::CaptureStderr();
  testing::internal::CaptureStdout();
  std::string text;
  try {
    run(small.programs(), kZone, level);
  } catch (const Deadlock& deadlock) {
    text = deadlock.what();
  }
  EXPECT_EQ(testing::internal::GetCapturedStderr(), "");
  EXPECT_EQ(testing::internal::GetCapturedStdout(), "");
  return text;
}

// Ranks 0-2 wait for an all-reduce that rank 3 does not post.
SmallPrograms missing_member() {
  SmallPrograms small(4);
  for (const Rank rank : {0, 1, 2}) {
    const int slot = small.collective(rank, CollectiveOp::kAllReduce, 1e6);
    small.compute(rank, 1e-3, {slot});
  }
  small.compute(3, 1e-3);
  return small;
}

TEST(Deadlock, OfACollectiveThatOneMemberNeverPostsNamesTheOthers) {
  EXPECT_EQ(deadlock_of(missing_member()),
            "no rank can make progress: rank 0 waits for tp all_reduce; rank 1 waits for tp "
            "all_reduce; rank 2 waits for tp all_reduce");
}

TEST(Deadlock, IsFoundOnTheExactLevelToo) {
  EXPECT_THAT(deadlock_of(missing_member(), NetworkLevelName::kExact),
              HasSubstr("rank 1 waits for tp all_reduce"));
}

TEST(Deadlock, OfDifferentOperationsOnOneGroupNamesBoth) {
  SmallPrograms small(2);
  small.collective(0, CollectiveOp::kAllReduce, 1e6);
  small.collective(1, CollectiveOp::kAllGather, 1e6);
  EXPECT_EQ(deadlock_of(small),
            "no rank can make progress: rank 0 waits for tp all_reduce; rank 1 waits for tp "
            "all_gather");
}

TEST(Deadlock, OfAReceiveWithoutASendNamesTheSender) {
  SmallPrograms small(2);
  const int slot = small.receive(1, 0);
  small.compute(1, 1e-3, {slot});
  small.compute(0, 1e-3);
  const std::string text = deadlock_of(small);
  EXPECT_EQ(text, "no rank can make progress: rank 1 waits for a message from rank 0");
}

// Ranks that disagree on what they exchange are our fault, and never go on with it.
std::string mismatch_of(const Programs& programs) {
  try {
    run(programs, kZone, NetworkLevelName::kFluid);
  } catch (const InternalError& error) {
    return error.what();
  }
  return "none";
}

TEST(Failure, OfAMessageAboutAnotherMicroBatchIsFound) {
  SmallPrograms small(2);
  small.send(0, 1, 1e6);
  small.receive(1, 0);
  Programs programs = small.programs();
  programs.programs[1].actions[0].about = 3;
  EXPECT_THAT(mismatch_of(programs),
              HasSubstr("rank 1 receives 1.00 MB about 0 from rank 0 where it expects 1.00 MB "
                        "about 3"));
}

TEST(Failure, OfAMessageOfAnotherSizeIsFound) {
  SmallPrograms small(2);
  small.send(0, 1, 1e6);
  small.receive(1, 0);
  small.at(1, 0).bytes.base = 2e6;
  EXPECT_THAT(mismatch_of(small.programs()), HasSubstr("where it expects 2.00 MB about 0"));
}

TEST(Failure, OfACollectiveOfTwoMicroBatchesIsFound) {
  SmallPrograms small(2);
  small.collective_on_all(CollectiveOp::kAllReduce, 1e6);
  Programs programs = small.programs();
  programs.programs[1].actions[0].about = 1;
  EXPECT_THAT(mismatch_of(programs), HasSubstr("all_reduce over tp"));
}

TEST(Deadlock, OfManyRanksNamesTheFirst) {
  SmallPrograms small(12);
  for (Rank rank = 0; rank < 11; ++rank) small.collective(rank, CollectiveOp::kAllReduce, 1e6);
  std::string text;
  try {
    run(small.programs(), star(12, {1e9, 1e-6}));
  } catch (const Deadlock& deadlock) {
    text = deadlock.what();
  }
  EXPECT_THAT(text, HasSubstr("rank 7 waits"));
  EXPECT_THAT(text, Not(HasSubstr("rank 8")));
  EXPECT_THAT(text, HasSubstr("and 3 more"));
}

// Throws at its first span, and counts those that come nevertheless.
class BrokenSink : public TimelineSink {
 public:
  void span(const Span&) override {
    if (++spans == 1) throw std::runtime_error("disk full");
  }
  int spans = 0;
};

std::string failure_of(const SmallPrograms& small, TimelineSink& sink) {
  const TemporaryXml file(kZone);
  Cluster cluster = load_cluster(file.path());
  try {
    replay(small.programs(), cluster, NetworkLevelName::kFluid, sink);
  } catch (const std::runtime_error& error) {
    return error.what();
  }
  return "";
}

TEST(Failure, OfASinkComesOutOfReplay) {
  SmallPrograms small(2);
  small.collective_on_all(CollectiveOp::kAllReduce, 1e6);
  BrokenSink sink;
  EXPECT_EQ(failure_of(small, sink), "disk full");
}

TEST(Failure, OfASinkInTheMiddleEndsTheReplayAtOnce) {
  // Rank 0 hands over a full batch of spans before the engine has done anything; the others would
  // go on for 20,000 spans.
  SmallPrograms small(4);
  small.divide(Axis::kTensor, {{0}, {1}, {2, 3}});
  small.compute(0, 1e-6);
  small.repeat(0, 5000);
  for (const Rank rank : {2, 3}) {
    const int slot = small.collective(rank, CollectiveOp::kAllReduce, 1e6);
    small.compute(rank, 1e-3, {slot});
    small.repeat(rank, 5000);
  }
  BrokenSink sink;
  EXPECT_EQ(failure_of(small, sink), "disk full");
  EXPECT_EQ(sink.spans, 1);
}

TEST(Failure, OfASinkDuringATransferComesOutOfReplay) {
  // The batch that breaks is handed over by the network's events, not by an actor.
  SmallPrograms small(4);
  for (Rank rank = 0; rank < 4; ++rank) {
    small.collective(rank, CollectiveOp::kAllReduce, 0);
    small.repeat(rank, 5000);
  }
  BrokenSink sink;
  EXPECT_EQ(failure_of(small, sink), "disk full");
}

TEST(Failure, InsideAnActorComesOutOfReplay) {
  // The members of one operation use different streams: a wrong program, found by rank 1's actor.
  SmallPrograms small(2);
  small.compute(0, 1e-3);
  const int slot = small.collective(1, CollectiveOp::kAllReduce, 0);
  small.compute(1, 1e-3, {slot});
  small.collective(0, CollectiveOp::kAllReduce, 0, {}, Axis::kTensor, Stream::kExpert);
  try {
    run(small.programs(), kZone);
    FAIL() << "the program was replayed";
  } catch (const InternalError& error) {
    EXPECT_THAT(error.what(), HasSubstr("different streams"));
  }
}

}  // namespace
}  // namespace rehearse
