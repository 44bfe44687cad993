// What `rehearse init` chooses, from numbers that one can look up.
#include "commands/init.hpp"

#include <gtest/gtest.h>

#include <string>

#include "base/files.hpp"
#include "input/input.hpp"
#include "input/model_gallery.hpp"
#include "simulation/prepared.hpp"

namespace rehearse {
namespace {

InitRequest asked(const std::string& model, const std::string& gpu, int gpus, bool serves = true) {
  InitRequest request;
  request.model = model;
  request.gpu = gpu;
  request.gpus = gpus;
  request.serves = serves;
  return request;
}

Model model_called(const std::string& name) {
  return read_model(find_model(name, {"--model", 1, 1}));
}

// As `rehearse run` reads it.
Plan plan_of(const InitAnswer& answer) {
  const MemoryFile plan(answer.plan);
  const MemoryFile platform(answer.platform);
  PlanRequest request;
  request.path = plan.path();
  request.platform = platform.path();
  return read_plan(request);
}

// Key-value heads: 8 of Llama 3.1 70B, 4 of Qwen3 235B, one latent of all heads of DeepSeek-V3.
TEST(Init, TensorRanksBeyondTheKeyValueHeadsHoldCopies) {
  EXPECT_EQ(tensor_without_copies(model_called("Llama-3.1-70B"), 8), 8);
  EXPECT_EQ(tensor_without_copies(model_called("Llama-3.1-70B"), 16), 8);
  EXPECT_EQ(tensor_without_copies(model_called("Qwen3-235B-A22B"), 8), 4);
  EXPECT_EQ(tensor_without_copies(model_called("DeepSeek-V3"), 8), 1);
}

// 70.6 G parameters of 2 bytes are 141.1 GB; of an H200's 143,771 MiB 0.90 are 135.7 GB, so that
// two GPUs hold a copy, with 135.7 - 70.6 - 1.1 GB for requests of 1,920 tokens of 0.164 MB on
// each.
TEST(Init, DenseModelGetsTheFewestGpusOfACopyAndReplicas) {
  const Plan plan = plan_of(init_plan(asked("Llama-3.1-70B", "h200", 8)));
  EXPECT_EQ(plan.layout.tensor, 2);
  EXPECT_EQ(plan.layout.gpus(), 2);
  ASSERT_TRUE(plan.serve);
  EXPECT_EQ(plan.serve->replicas, 4);
  ASSERT_TRUE(plan.serve->slo);
  EXPECT_EQ(plan.serve->engine.name, "vllm");
}

// 4 key-value heads: more than 4 tensor ranks would hold copies. 470 GB are 118 GB on each of 4.
TEST(Init, ExpertsStayWhole) {
  const Plan plan = plan_of(init_plan(asked("Qwen3-235B-A22B", "h200", 8, false)));
  EXPECT_EQ(plan.layout.tensor, 4);
  EXPECT_EQ(plan.layout.expert_tensor, 1);
  EXPECT_EQ(plan.layout.data, 2);
  EXPECT_EQ(plan.batch.sequences, 2 * kInitRequests);
}

// Latent attention: each of 8 GPUs has 32 of 256 experts, and requests of its own.
TEST(Init, LatentAttentionIsNotShared) {
  const Plan plan = plan_of(init_plan(asked("DeepSeek-V3", "h200", 16)));
  EXPECT_EQ(plan.layout.tensor, 1);
  EXPECT_EQ(plan.layout.expert, 8);
  EXPECT_EQ(plan.serve->replicas, 2);
}

// 812 GB on 16 x 77.0 GB: 50.7 GB each. A server of 8 has 616 GB.
TEST(Init, StagesOfSeveralServers) {
  const Plan plan = plan_of(init_plan(asked("Llama-3.1-405B", "h100", 16)));
  EXPECT_EQ(plan.layout.tensor, 8);
  EXPECT_EQ(plan.layout.pipeline, 2);

  const InitAnswer none = init_plan(asked("Llama-3.1-405B", "h100", 8));
  EXPECT_FALSE(none.fits);
  EXPECT_TRUE(none.plan.empty());
  EXPECT_NE(none.decided.find("26.1 GB too much"), std::string::npos) << none.decided;
  EXPECT_NE(none.decided.find("16 GPUs"), std::string::npos) << none.decided;
}

// A part of a server: the fewest are found among whole ones, too.
TEST(Init, FewestGpusOfAWholeServer) {
  const InitAnswer none = init_plan(asked("Llama-3.1-70B", "h100", 1));
  EXPECT_FALSE(none.fits);
  EXPECT_NE(none.decided.find("the fewest that have room: 2 GPUs"), std::string::npos)
      << none.decided;
}

// Of every kind, what is written can be prepared: the layout is legal, and there are GPUs for it.
TEST(Init, WrittenPlansCanBeRun) {
  for (const bool serves : {true, false}) {
    for (const char* const model : {"Qwen3-32B", "Mixtral-8x7B-v0.1", "gpt-oss-120b", "DeepSeek-V3",
                                    "Llama-3.1-8B", "Qwen3-Next-80B-A3B", "GLM-4.5-Air"}) {
      for (const char* const gpu : {"h100", "b200", "mi300x", "l40s", "tpu-v5e"}) {
        const InitAnswer answer = init_plan(asked(model, gpu, 8, serves));
        if (!answer.fits) continue;
        const Plan plan = plan_of(answer);
        const int used = plan.serve ? plan.serve->gpus(plan.layout) : plan.layout.gpus();
        EXPECT_LE(used, 8) << model << " on " << gpu;
        EXPECT_GT(2 * used, 8) << model << " on " << gpu;  // another copy would have room
      }
    }
  }
}

TEST(Init, LengthsAndRateAreThoseAsked) {
  InitRequest request = asked("Llama-3.1-8B", "h100", 8);
  request.rate = "30/min";
  request.prompt_tokens = 300;
  request.output_tokens = 40;
  const Plan plan = plan_of(init_plan(request));
  EXPECT_DOUBLE_EQ(plan.serve->law->rate, 0.5);
  EXPECT_EQ(plan.serve->law->prompt.tokens, 300);
  EXPECT_EQ(plan.serve->law->output.tokens, 40);
}

}  // namespace
}  // namespace rehearse
