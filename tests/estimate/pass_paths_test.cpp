// The longest paths of a pass by hand, over alike layers, and against the replay.
#include "estimate/pass_paths.hpp"

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <algorithm>
#include <cmath>

#include "cluster_xml/xml_text.hpp"
#include "estimate/least_times.hpp"
#include "layout/layout.hpp"
#include "program/lower.hpp"
#include "property/random_plans.hpp"
#include "replay/recorded_run.hpp"
#include "replay/small_cluster.hpp"

namespace rehearse {
namespace {

// A pass by hand, each instruction with its time.
class SmallPass {
 public:
  void compute(double seconds, const std::vector<int>& waits = {}) {
    add(Instruction::Kind::kCompute, Stream::kCompute, seconds, waits);
  }
  // The following return the slot.
  int collective(Stream stream, double seconds, const std::vector<int>& waits = {}) {
    return record(add(Instruction::Kind::kCollective, stream, seconds, waits));
  }
  int receive() {
    return record(add(Instruction::Kind::kReceive, Stream::kPipelineReceive, 0, {}));
  }
  void send(double seconds, const std::vector<int>& waits = {}) {
    add(Instruction::Kind::kSend, Stream::kPipelineSend, seconds, waits);
  }
  // What stands behind the last place so many times.
  void place(int repeat) {
    const int begin = pass_.places.empty() ? 0 : pass_.places.back().end;
    pass_.places.push_back({begin, static_cast<int>(pass_.instructions.size()), 0, repeat});
  }

  PassPaths paths() const { return paths_of(pass_, times_); }
  StreamDates execute(const StreamDates& from) const { return execute_pass(pass_, times_, from); }

  // Each repetition as a place of its own.
  SmallPass written_out() const {
    SmallPass out = *this;
    out.pass_.places.clear();
    for (const Place& place : pass_.places) {
      for (int each = 0; each < place.repeat; ++each) {
        out.pass_.places.push_back({place.begin, place.end, place.layer, 1});
      }
    }
    return out;
  }

  Instruction& add(Instruction::Kind kind, Stream stream, double seconds,
                   const std::vector<int>& waits) {
    Instruction& instruction = pass_.instructions.emplace_back();
    instruction.kind = kind;
    instruction.stream = stream;
    instruction.first_wait = static_cast<std::int32_t>(pass_.waits.size());
    instruction.waits = static_cast<std::int32_t>(waits.size());
    pass_.waits.insert(pass_.waits.end(), waits.begin(), waits.end());
    times_.push_back({seconds});
    return instruction;
  }
  void use_slots(int slots) { pass_.slots = slots; }

 private:
  int record(Instruction& instruction) { return instruction.slot = pass_.slots++; }

  PassProgram pass_;
  std::vector<Seconds> times_;
};

StreamDates free_at(double clock, double message) {
  StreamDates from;
  from[Stream::kCompute] = {clock};
  from[Stream::kPipelineReceive] = {message};
  return from;
}

// Weights are gathered in 5 s while the message is on its way; the operator needs both.
TEST(PassPaths, AGatherDoesNotWaitForTheMessage) {
  SmallPass pass;
  const int gathered = pass.collective(Stream::kTensor, 5);
  const int received = pass.receive();
  pass.compute(3, {gathered, received});
  pass.send(2);
  pass.place(1);
  const PassPaths paths = pass.paths();
  EXPECT_EQ(paths.from_rank.compute.value, 5 + 3);
  EXPECT_EQ(paths.from_rank.send.value, 5 + 3 + 2);
  EXPECT_EQ(paths.from_message.compute.value, 3);
  EXPECT_EQ(paths.from_message.send.value, 3 + 2);
  // A rank that is free at 1 and has the message at 4 gathers until 6: 4 + 8 would be too long.
  EXPECT_EQ(pass.execute(free_at(1, 4))[Stream::kCompute].value, 9);
  EXPECT_EQ(pass.execute(free_at(1, 7))[Stream::kCompute].value, 10);
}

// Two halves: what the first sends runs under the second, whatever the message brings.
TEST(PassPaths, OfAnEndThatDoesNotNeedTheMessageThereAreNone) {
  SmallPass pass;
  const int received = pass.receive();
  pass.compute(1);
  pass.send(1);
  pass.compute(2, {received});
  pass.place(1);
  const PassPaths paths = pass.paths();
  EXPECT_EQ(paths.from_rank.send.value, 2);
  EXPECT_EQ(paths.from_message.send, kNoPath);
  EXPECT_EQ(paths.from_message.compute.value, 2);
}

TEST(PassPaths, StreamsOverlapAndEachIsInOrder) {
  SmallPass pass;
  pass.compute(1);
  const int tensor = pass.collective(Stream::kTensor, 4);           // 1 to 5
  const int expert = pass.collective(Stream::kExpert, 3);           // 1 to 4
  const int second = pass.collective(Stream::kTensor, 2);           // 5 to 7
  pass.compute(2);                                                  // 1 to 3
  pass.compute(1, {tensor, expert});                                // 5 to 6
  const int third = pass.collective(Stream::kExpert, 3, {second});  // 7 to 10
  pass.compute(0.5);                                                // 6 to 6.5
  pass.compute(1, {third});                                         // 10 to 11
  pass.place(1);
  EXPECT_EQ(pass.paths().from_rank.compute.value, 11);
  // A tensor stream that is busy until 4 moves its first collective to 8, its second to 10.
  StreamDates from = free_at(0, 0);
  from[Stream::kTensor] = {4};
  const StreamDates ends = pass.execute(from);
  EXPECT_EQ(ends[Stream::kTensor].value, 10);
  EXPECT_EQ(ends[Stream::kExpert].value, 13);
  EXPECT_EQ(ends[Stream::kCompute].value, 14);
}

// What a layer leaves is waited for in the next, and every layer waits for the message, too.
TEST(PassPaths, WaitsOverLayers) {
  SmallPass pass;
  const int received = pass.receive();
  pass.place(1);
  const auto layer = [&](const std::vector<int>& waits) {
    pass.compute(2, waits);
    Instruction& reduce = pass.add(Instruction::Kind::kCollective, Stream::kTensor, 3, {});
    reduce.slot = 1;
    pass.use_slots(2);
    return 1;
  };
  layer({received});
  pass.place(1);
  layer({1, received});
  pass.place(60);
  pass.send(0, {1});
  pass.place(1);
  const PassPaths paths = pass.paths();
  EXPECT_EQ(paths.from_message.compute.value, 61 * 2 + 60 * 3);
  EXPECT_EQ(paths.from_message.send.value, 61 * (2 + 3));
  EXPECT_EQ(paths.from_rank.send.value, 61 * (2 + 3));
}

// Nobody waits: each layer leaves the stream further behind, until the send waits for all of it.
TEST(PassPaths, AStreamMayFallBehindLayerByLayer) {
  SmallPass pass;
  pass.compute(1);
  const int slot = pass.collective(Stream::kExpert, 3);
  pass.place(61);
  pass.send(0, {slot});
  pass.place(1);
  EXPECT_EQ(pass.paths().from_rank.compute.value, 61);
  EXPECT_EQ(pass.paths().from_rank.send.value, 1 + 61 * 3);
}

int draw(int least, int end) {
  return *rc::gen::resize(rc::kNominalSize, rc::gen::inRange(least, end));
}

// Any instructions, with waits for any slots: those of this layer, of the one before, or nobody's.
SmallPass draw_pass() {
  constexpr int kSlots = 4;
  SmallPass pass;
  pass.use_slots(kSlots);
  for (int place = draw(1, 5); place > 0; --place) {
    for (int left = draw(1, 7); left > 0; --left) {
      std::vector<int> waits;
      for (int slot = 0; slot < kSlots; ++slot) {
        if (draw(0, 3) == 0) waits.push_back(slot);
      }
      const auto stream = static_cast<Stream>(draw(0, kStreams));
      const Instruction::Kind kinds[] = {
          Instruction::Kind::kCompute, Instruction::Kind::kCollective,
          Instruction::Kind::kCollective, Instruction::Kind::kSend, Instruction::Kind::kReceive};
      const double seconds = draw(0, 4) * (draw(0, 2) == 0 ? 1 : 0.37);
      Instruction& added = pass.add(kinds[static_cast<int>(stream)], stream, seconds, waits);
      if (stream != Stream::kCompute) added.slot = draw(0, kSlots);
    }
    pass.place(draw(1, 40));
  }
  return pass;
}

// Layers that are not walked count as if they were.
TEST(PassPaths, OfAlikeLayersAreThoseOfAllLayers) {
  EXPECT_TRUE(rc::check([] {
    const SmallPass pass = draw_pass();
    StreamDates from;
    for (int stream = 0; stream < kStreams; ++stream) {
      if (draw(0, 2) == 0) from[static_cast<Stream>(stream)] = {0.77 * draw(0, 50)};
    }
    const StreamDates ends = pass.execute(from);
    const StreamDates all = pass.written_out().execute(from);
    for (const Stream stream : {Stream::kCompute, Stream::kTensor, Stream::kExpert}) {
      // What is not behind the clock counts nothing to whatever follows.
      const double end = std::max(ends[stream], ends[Stream::kCompute]).value;
      const double expected = std::max(all[stream], all[Stream::kCompute]).value;
      if (end == expected) continue;  // never
      if (!(std::abs(end - expected) <= 1e-12 * expected)) {
        RC_FAIL(std::string(to_text(stream)) + ": " + std::to_string(end) + " instead of " +
                std::to_string(expected));
      }
    }
  }));
}

constexpr int kGpus = 8;

// Every replica has as many requests in each pass: all ranks of a stage are alike.
RandomPlan draw_alike_ranks() {
  RandomPlan drawn = draw_plan(kGpus);
  drawn.plan.library.library = "textbook";  // takes the fastest, and so the bound's
  // The GPUs have no other peak.
  drawn.model.weight_dtype = drawn.model.activation_dtype = Dtype::kBf16;
  Batch& batch = drawn.plan.batch;
  batch.sequences = drawn.plan.layout.dense_data() * batch.micro_batches *
                    std::max(1, batch.decode_micro_batches);
  return drawn;
}

// Rank 0's passes, one behind the other.
class Priced {
 public:
  Priced(const Plan& plan, const Model& model, const std::string& zone)
      : file_(zone),
        cluster_(load_cluster(file_.path())),
        transfers_(cluster_),
        rates_(device_rates(cluster_.platform())),
        programs_(lower(model, plan)) {}

  const Programs& programs() const { return programs_; }

  StreamDates execute(Rank rank, const Action& action, int step, const StreamDates& from) {
    const PassProgram& pass = programs_.pass_of(action);
    PassConditions conditions{.devices = {&rates_.front()}};
    for (const Instruction& each : pass.instructions) {
      if (each.kind != Instruction::Kind::kCollective) continue;
      conditions.transfers.push_back(
          transfers_.collective(each.op, programs_.collectives, each.fan_out,
                                programs_.groups.of(rank, each.axis).ranks));
    }
    std::vector<Seconds> times = LeastTimes(pass, conditions, transfers_).at(step);
    for (std::size_t at = 0; at < times.size(); ++at) {
      const Instruction& send = pass.instructions[at];
      if (send.kind != Instruction::Kind::kSend) continue;
      const int profile =
          transfers_.message(rank, programs_.peer_of(rank, send), programs_.collectives);
      times[at] = transfers_.time(profile, Bytes{send.bytes.base});
    }
    return execute_pass(pass, times, from);
  }

 private:
  const TemporaryXml file_;
  Cluster cluster_;
  TransferTimes transfers_;
  const std::vector<DeviceRates> rates_;
  const Programs programs_;
};

// Ends of a rank's streams in a replay where no two transfers share a link.
std::vector<double> replayed_ends(const Programs& programs, Rank rank, const std::string& zone) {
  const RecordedRun recorded = run(programs, zone);
  std::vector<double> ends(kStreams, 0);
  for (const Span& span : recorded.spans) {
    if (span.rank != rank) continue;
    const Action& action = programs.action(rank, span.action);
    const Instruction& instruction = programs.pass_of(action).instructions[span.instruction];
    double& end = ends[static_cast<int>(instruction.stream)];
    end = std::max(end, span.end.value);
  }
  return ends;
}

void require_equal(const RandomPlan& drawn, const std::vector<double>& priced,
                   const std::vector<double>& replayed) {
  for (const Stream stream :
       {Stream::kCompute, Stream::kTensor, Stream::kExpert, Stream::kPipelineSend}) {
    const double found = priced[static_cast<int>(stream)];
    const double expected = replayed[static_cast<int>(stream)];
    if (std::abs(found - expected) <= 1e-9 * expected) continue;
    // A stream that was not used has no date.
    if (expected == 0 && found == kNoPath.value) continue;
    RC_FAIL(drawn.text() + ", " + to_text(stream) + ": " + std::to_string(found) + " instead of " +
            std::to_string(expected));
  }
}

std::vector<double> ends_of(const StreamDates& dates) {
  std::vector<double> ends;
  ends.reserve(dates.all.size());
  for (const Seconds& date : dates.all) ends.push_back(date.value);
  return ends;
}

StreamDates all_free() {
  StreamDates dates;
  dates[Stream::kCompute] = Seconds{};
  return dates;
}

const std::string& zone() {
  static const std::string kZone = clique(kGpus, {1e9, 1e-6}, {1e12, 1e12, 2e-6, 1e-6});
  return kZone;
}

// All passes of a rank of one stage, prefill and decode, as one event each.
TEST(PassPaths, AreTheReplayOfARankWithoutNeighbours) {
  EXPECT_TRUE(rc::check([] {
    RandomPlan drawn = draw_alike_ranks();
    drawn.plan.layout.pipeline = drawn.plan.layout.virtual_stages = 1;
    drawn.plan.layout.layers_per_stage.clear();
    const std::vector<double> priced = in_child([&] {
      Priced all(drawn.plan, drawn.model, zone());
      StreamDates dates = all_free();
      for_each_action(all.programs().of(0), [&](const Action& action, int step) {
        dates = all.execute(0, action, step, dates);
      });
      return ends_of(dates);
    });
    require_equal(drawn, priced, in_child([&] {
                    return replayed_ends(lower(drawn.model, drawn.plan), 0, zone());
                  }));
  }));
}

// A micro-batch through all stages: each begins its pass when the message is there.
TEST(PassPaths, AreTheReplayOfAMicroBatchThroughAPipeline) {
  EXPECT_TRUE(rc::check([] {
    RandomPlan drawn = draw_alike_ranks();
    drawn.plan.layout.virtual_stages = 1;
    drawn.plan.layout.layers_per_stage.clear();
    drawn.plan.batch.micro_batches = drawn.plan.batch.output_tokens = 1;
    const Programs programs = lower(drawn.model, drawn.plan);
    const std::vector<Rank> pipeline = programs.groups.of(0, Axis::kPipeline).ranks;
    const std::vector<double> priced = in_child([&] {
      Priced all(drawn.plan, drawn.model, zone());
      StreamDates dates;
      for (const Rank rank : pipeline) {
        StreamDates from = all_free();
        from[Stream::kPipelineReceive] = dates[Stream::kPipelineSend];
        dates = all.execute(rank, all.programs().action(rank, 0), 0, from);
      }
      return ends_of(dates);
    });
    require_equal(drawn, priced,
                  in_child([&] { return replayed_ends(programs, pipeline.back(), zone()); }));
  }));
}

}  // namespace
}  // namespace rehearse
