// Which engine a plan has, and what of it a plan takes: --set and options > variant > plan > engine
// > default.
#include <gtest/gtest.h>

#include "input/input.hpp"
#include "input/input_texts.hpp"

namespace rehearse {
namespace {

constexpr const char* kHead = "model: \"m.textproto\"\nplatform: \"p.xml\"\n";
constexpr const char* kBatch = "batch { sequences: 1 prompt_tokens: 2 output_tokens: 3 }\n";

// An engine that takes 0.7 of the memory and calls NCCL.
std::string own_engine(const std::string& name) {
  return "name: \"" + name +
         "\" product: \"p\" source { key: \"k\" text: \"t\" date: \"2026\" }\n"
         "per_operator { value: \"3us\" kind: measured source: \"k\" }\n"
         "library { value: \"nccl\" kind: measured source: \"k\" }\n"
         "memory_fraction { value: \"0.7\" kind: measured source: \"k\" }\n"
         "communication_buffers { value: \"2GB\" kind: measured source: \"k\" }\n";
}

class EngineOfAPlan : public testing::Test {
 protected:
  EngineOfAPlan() {
    for (const char* name : {"m.textproto", "p.xml"}) written_file(name, "x");
    written_file("t.csv", "arrival_s,prompt_tokens,output_tokens\n0,1,1\n");
    const std::string own = written_file("own.textproto", own_engine("own"));
    written_file("other.textproto", own_engine("other"));
    request_.engine_folders = {std::filesystem::path(own).parent_path()};
  }

  Plan read(const std::string& text, const std::vector<std::string>& sets = {}) {
    request_.path = written_file("plan.textproto", kHead + text);
    request_.sets = sets;
    return read_plan(request_);
  }

  PlanRequest request_;
};

TEST_F(EngineOfAPlan, IsNoneWithoutAWord) {
  const Plan plan = read(kBatch);
  EXPECT_EQ(plan.engine.name, "");
  EXPECT_EQ(plan.engine.times.per_operator.value, 0);
  EXPECT_EQ(plan.memory_fraction, 0.90);
}

TEST_F(EngineOfAPlan, GivesItsTimesAndDefaults) {
  const Plan plan = read(std::string("engine: \"own\"\n") + kBatch);
  EXPECT_EQ(plan.engine.name, "own");
  EXPECT_DOUBLE_EQ(plan.engine.times.per_operator.value, 3e-6);
  EXPECT_EQ(plan.engine.library, "nccl");
  EXPECT_EQ(plan.memory_fraction, 0.7);
  EXPECT_EQ(plan.communication_buffers, Bytes{2e9});
  EXPECT_TRUE(plan.engine.assumption.starts_with("engine own: 3us per operator"));
}

TEST_F(EngineOfAPlan, YieldsToWhatThePlanWrites) {
  const Plan plan =
      read(std::string("engine: \"own\" memory_fraction: 0.95 communication_buffers: \"0B\"\n"
                       "collectives { library: \"textbook\" }\n") +
           kBatch);
  EXPECT_EQ(plan.memory_fraction, 0.95);
  EXPECT_EQ(plan.communication_buffers, Bytes{0});
  EXPECT_EQ(plan.library.library, "textbook");
  // Also where it writes the default.
  EXPECT_EQ(read(std::string("engine: \"own\" memory_fraction: 0.9\n") + kBatch).memory_fraction,
            0.9);
}

TEST_F(EngineOfAPlan, IsThatOfTheLastWhoSaysSo) {
  const std::string text = std::string("engine: \"own\" default_variant: \"v\"\n") +
                           "variant { name: \"v\" set: \"engine=other\" }\n" + kBatch;
  EXPECT_EQ(read(text).engine.name, "other");
  request_.engine = "vllm";
  EXPECT_EQ(read(text).engine.name, "vllm");
  EXPECT_EQ(read(text, {"engine=own"}).engine.name, "own");
  EXPECT_EQ(read(text, {"engine=own", "memory_fraction=0.5"}).memory_fraction, 0.5);
}

TEST_F(EngineOfAPlan, ThatIsNotKnownIsRefusedWhereItStands) {
  const std::string file = refusal_of([&] { read(std::string("engine: \"vlm\"\n") + kBatch); });
  EXPECT_EQ(file, request_.path + ":3:1: error: unknown engine \"vlm\": did you mean \"vllm\"?");
  EXPECT_EQ(refusal_of([&] { read(kBatch, {"engine=ownn"}); }),
            "--set engine=ownn:1:7: error: unknown engine \"ownn\": did you mean \"own\"?");
  request_.engine = "owl";
  EXPECT_EQ(refusal_of([&] { read(kBatch); }),
            "--engine owl:1:10: error: unknown engine \"owl\": did you mean \"own\"?");
  request_.engine = {};
  EXPECT_EQ(refusal_of([&] { read(std::string("engine: \"\"\n") + kBatch); }),
            request_.path + ":3:1: error: engine is empty: leave it out, or name one");
}

// Of a plan that serves the engine's name is that of the profile; where there is no scheduler of
// that name, how it puts requests together is not modelled, and the plan says so.
TEST_F(EngineOfAPlan, ThatServesIsThatOfItsName) {
  const auto serving = [](const std::string& name) {
    return "serve { traffic { trace: \"t.csv\" } engine { name: \"" + name +
           "\" max_sequences: 4 } }\n";
  };
  const Plan plan = read(serving("own"));
  EXPECT_EQ(plan.engine.name, "own");
  EXPECT_EQ(plan.serve->engine.name, "static");
  EXPECT_NE(plan.engine.assumption.find("the engine's own is not modelled"), std::string::npos);
  const Plan both = read("engine: \"other\"\n" + serving("static"));
  EXPECT_EQ(both.engine.name, "other");
  EXPECT_EQ(both.engine.assumption.find("is not modelled"), std::string::npos);
  EXPECT_EQ(read(serving("static")).engine.name, "");
  EXPECT_EQ(read("engine: \"other\"\n" + serving("own")).engine.name, "other");
}

// A scheduler of the engine's name puts its requests together; the profile is the plan's where it
// has none.
TEST_F(EngineOfAPlan, ThatServesByItsOwnSchedulerKeepsItsName) {
  const auto serving = [](const std::string& name) {
    return "serve { traffic { trace: \"t.csv\" } engine { name: \"" + name + "\" } }\n";
  };
  for (const char* name : {"vllm", "sglang", "tensorrt_llm"}) {
    const Plan plan = read(serving(name));
    EXPECT_EQ(plan.serve->engine.name, name);
    EXPECT_EQ(plan.engine.name, name);
    EXPECT_EQ(plan.engine.assumption.find("is not modelled"), std::string::npos);
    EXPECT_FALSE(plan.serve->engine.max_sequences);
    EXPECT_EQ(read("engine: \"other\"\n" + serving(name)).engine.name, "other");
  }
}

// The pools of an engine without a scheduler of its own have that which it has.
TEST_F(EngineOfAPlan, IsThatOfItsPools) {
  const Plan plan = read(
      "serve { traffic { trace: \"t.csv\" } engine { name: \"own\" max_sequences: 4 }\n"
      "pools { prefill { } decode { } } }\n");
  EXPECT_EQ(plan.serve->pools->prefill.engine.name, "static");
  EXPECT_EQ(plan.serve->pools->decode.engine.name, "static");
  EXPECT_EQ(plan.engine.name, "own");
}

}  // namespace
}  // namespace rehearse
