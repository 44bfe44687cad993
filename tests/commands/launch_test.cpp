// The plans of launch commands, flag by flag.
#include "commands/launch.hpp"

#include <gtest/gtest.h>

#include <set>
#include <string>
#include <vector>

#include "base/error.hpp"
#include "base/files.hpp"
#include "commands/launch_flags.hpp"
#include "commands/launch_words.hpp"
#include "input/input.hpp"

namespace rehearse {
namespace {

LaunchRequest on(const std::string& gpu) {
  LaunchRequest request;
  request.gpu = gpu;
  return request;
}

LaunchAnswer vllm(const std::string& flags, const LaunchRequest& request = on("h100")) {
  return plan_of_launch(LaunchEngine::kVllm, "vllm serve " + flags, request);
}
LaunchAnswer sglang(const std::string& flags, const LaunchRequest& request = on("h200")) {
  return plan_of_launch(LaunchEngine::kSglang, "python3 -m sglang.launch_server " + flags, request);
}

Plan plan_of(const LaunchAnswer& answer) {
  EXPECT_FALSE(answer.plan.empty()) << lists_text(answer, "");
  const MemoryFile plan(answer.plan);
  const MemoryFile platform(answer.platform);
  PlanRequest request;
  request.path = plan.path();
  request.platform = platform.path();
  return read_plan(request);
}

std::string refusals(const LaunchAnswer& answer) {
  std::string text;
  for (const LaunchLine& line : answer.refused) text += line.typed + ": " + line.what + "\n";
  return text;
}

// A field that no plan has is refused before its value is looked at.
TEST(Launch, EveryRowHasAFieldOfAPlan) {
  const SourceText plan = source_of("p", "model: \"m\"\nplatform: \"p\"\n", "a plan");
  for (const LaunchTable* table : {&vllm_flags(), &sglang_flags()}) {
    for (const FlagRow& row : table->rows) {
      ASSERT_FALSE(row.what.empty()) << row.names;
      if (row.use == FlagUse::kIgnored || row.use == FlagUse::kRefused) continue;
      PlanRequest request;
      request.sets = {std::string(row.what) + "=?"};
      try {
        parse_plan(plan, request);
      } catch (const InputError& error) {
        EXPECT_EQ(std::string(error.what()).find("unknown field"), std::string::npos)
            << row.names << ": " << error.what();
      }
    }
  }
}

TEST(Launch, NoFlagStandsTwiceInATable) {
  for (const LaunchTable* table : {&vllm_flags(), &sglang_flags()}) {
    std::set<std::string> seen;
    for (const FlagRow& row : table->rows) {
      for (const LaunchWord& name : words_of_command("", std::string(row.names))) {
        EXPECT_TRUE(name.text.starts_with("-")) << name.text;
        EXPECT_TRUE(seen.insert(name.text).second) << name.text;
        EXPECT_EQ(row_named(*table, name.text), &row);
      }
    }
    EXPECT_GT(seen.size(), 100u);
  }
}

TEST(Launch, FlagsOfVllmBecomeFields) {
  const LaunchAnswer answer = vllm(
      "meta-llama/Llama-3.1-70B-Instruct --tensor-parallel-size 4 -pp 2 --max-num-seqs=256 "
      "--max_num_batched_tokens 8k --max-model-len 32K --gpu-memory-utilization 0.85 --block-size "
      "32 --no-enable-prefix-caching --no-async-scheduling --enforce-eager --host 0.0.0.0 --port "
      "8000 --api-key secret --served-model-name chat --trust-remote-code --seed 7");
  EXPECT_EQ(refusals(answer), "");
  EXPECT_EQ(answer.ignored.size(), 6u);
  const Plan plan = plan_of(answer);
  EXPECT_EQ(plan.layout.tensor, 4);
  EXPECT_EQ(plan.layout.pipeline, 2);
  const EngineChoice& engine = plan.serve->engine;
  EXPECT_EQ(engine.name, "vllm");
  EXPECT_EQ(engine.max_sequences, 256);
  EXPECT_EQ(engine.max_tokens_per_pass, 8000);
  EXPECT_EQ(engine.max_model_len, 32768);
  EXPECT_EQ(engine.memory_fraction, 0.85);
  EXPECT_EQ(engine.block_tokens, 32);
  EXPECT_EQ(engine.prefix_cache, false);
  EXPECT_EQ(engine.asynchronous, false);
  EXPECT_EQ(engine.cuda_graphs, false);
  EXPECT_EQ(answer.plan.find("secret"), std::string::npos);
}

TEST(Launch, DataParallelRanksOfADenseModelAreReplicas) {
  const Plan plan = plan_of(vllm("Llama-3.1-8B -tp 2 -dp 4"));
  EXPECT_EQ(plan.layout.gpus(), 2);
  EXPECT_EQ(plan.serve->replicas, 4);
}

// vLLM deals 128 experts to 2 x 4 ranks, 16 each, whole; without the flag it cuts them.
TEST(Launch, ExpertsOfVllmAreDealtToAllRanksOfAnEngine) {
  const Plan whole =
      plan_of(vllm("Qwen/Qwen3-235B-A22B -tp 4 -dp 2 --enable-expert-parallel", on("h200")));
  EXPECT_EQ(whole.layout.tensor, 4);
  EXPECT_EQ(whole.layout.expert, 2);
  EXPECT_EQ(whole.layout.expert_tensor, 1);
  EXPECT_EQ(whole.serve->replicas, 1);

  const LaunchAnswer cut = vllm("Qwen/Qwen3-235B-A22B -tp 4 -dp 2", on("h200"));
  EXPECT_EQ(plan_of(cut).layout.expert_tensor, 0);
  EXPECT_NE(lists_text(cut, "").find("nearest layout"), std::string::npos);
}

// Attention on 8 / 8 GPUs, DeepEP deals the experts to all 8; limits of the engine are of all
// ranks.
TEST(Launch, DpAttentionOfSglangSharesOutTheTensorDegree) {
  const LaunchAnswer answer = sglang(
      "--model-path deepseek-ai/DeepSeek-V3 --tp 8 --dp 8 --enable-dp-attention "
      "--moe-a2a-backend deepep --max-running-requests 1024 --chunked-prefill-size 65536 "
      "--mem-fraction-static 0.9 --disable-radix-cache --log-level warning");
  EXPECT_EQ(refusals(answer), "");
  const Plan plan = plan_of(answer);
  EXPECT_EQ(plan.layout.tensor, 1);
  EXPECT_EQ(plan.layout.expert, 8);
  EXPECT_EQ(plan.library.library, "deepep_normal");
  const EngineChoice& engine = plan.serve->engine;
  EXPECT_EQ(engine.max_sequences, 128);
  EXPECT_EQ(engine.max_tokens_per_pass, 8192);
  EXPECT_EQ(engine.prefix_cache, false);
  EXPECT_EQ(engine.memory_fraction, 0.9);
}

// Two groups of four, each expert cut in eight: no layout says that. 8,192 tokens are its default.
TEST(Launch, NearestLayoutIsNamed) {
  const LaunchAnswer answer =
      sglang("--model deepseek-ai/DeepSeek-V3 --tp 8 --dp 2 --enable-dp-attention");
  const Plan plan = plan_of(answer);
  EXPECT_EQ(plan.layout.tensor, 4);
  EXPECT_EQ(plan.layout.expert, 2);
  EXPECT_EQ(plan.serve->engine.max_tokens_per_pass, 4096);
  EXPECT_NE(lists_text(answer, "").find("cuts each expert into 8 here, this one into 4"),
            std::string::npos)
      << lists_text(answer, "");
}

TEST(Launch, TypesAreThoseOfTheModelsFields) {
  const LaunchAnswer answer =
      vllm("Llama-3.1-70B -tp 8 --quantization fp8 --kv-cache-dtype fp8_e4m3 --dtype bfloat16");
  EXPECT_EQ(refusals(answer), "");
  const Plan plan = plan_of(answer);
  EXPECT_EQ(plan.model_sets, (std::vector<std::string>{"weight_dtype=fp8", "kv_dtype=fp8"}));
  EXPECT_NE(refusals(vllm("Llama-3.1-70B -tp 8 -q awq")).find("no quantised weights"),
            std::string::npos);
  // Its checkpoint is of fp8 already.
  EXPECT_TRUE(plan_of(vllm("DeepSeek-V3 -tp 8 -q fp8", on("h200"))).model_sets.empty());
}

TEST(Launch, DraftsNeedTheirAcceptance) {
  const std::string flags =
      "DeepSeek-V3 -tp 8 --speculative-config '{\"method\": \"mtp\", \"num_speculative_tokens\": "
      "1}'";
  EXPECT_NE(refusals(vllm(flags, on("h200"))).find("--acceptance"), std::string::npos);
  LaunchRequest request = on("h200");
  request.acceptance = {0.85};
  const Plan plan = plan_of(vllm(flags, request));
  ASSERT_TRUE(plan.serve->engine.speculative);
  EXPECT_EQ(plan.serve->engine.speculative->tokens, 1);
  EXPECT_EQ(plan.serve->engine.speculative->looked_up, false);
  EXPECT_NE(refusals(vllm("Llama-3.1-70B -tp 8 --speculative-config "
                          "'{\"method\": \"eagle3\", \"num_speculative_tokens\": 3}'",
                          request))
                .find("draft models"),
            std::string::npos);
  const LaunchAnswer answer = sglang(
      "--model-path DeepSeek-V3 --tp 8 --speculative-algorithm NEXTN --speculative-num-steps 2 "
      "--speculative-eagle-topk 1 --speculative-num-draft-tokens 3",
      request);
  EXPECT_EQ(plan_of(answer).serve->engine.speculative->tokens, 2);
  EXPECT_NE(answer.why_not.find("SGLang's speculative decoding is not modelled"), std::string::npos)
      << answer.why_not;
}

TEST(Launch, RefusedWordsLeaveNoPlanUnlessThatIsAsked) {
  LaunchRequest request = on("h100");
  const std::string flags =
      "Llama-3.1-8B --enable-lora --cpu-offload-gb 4 --max-num-sequences 64 --kv-transfer-config "
      "{}";
  const LaunchAnswer refused = vllm(flags, request);
  EXPECT_TRUE(refused.plan.empty());
  EXPECT_EQ(refused.refused.size(), 4u);
  EXPECT_NE(refusals(refused).find("did you mean --max-num-seqs?"), std::string::npos)
      << refusals(refused);
  EXPECT_NE(refusals(refused).find("serve.pools"), std::string::npos);
  request.partly = true;
  const LaunchAnswer partly = vllm(flags, request);
  EXPECT_FALSE(partly.plan.empty());
  EXPECT_NE(partly.plan.find("#   --enable-lora"), std::string::npos) << partly.plan;
}

// What a flag does by default anyway is no reason to refuse it.
TEST(Launch, ValuesThatChangeNothingAreIgnored) {
  EXPECT_EQ(refusals(vllm("Llama-3.1-8B --cpu-offload-gb 0 --no-enable-lora --kv-cache-dtype auto "
                          "--task generate -dcp 1")),
            "");
  EXPECT_EQ(refusals(sglang("--model-path Llama-3.1-8B --disaggregation-mode null "
                            "--schedule-conservativeness 1.0 --schedule-policy fcfs")),
            "");
  EXPECT_NE(refusals(sglang("--model-path Llama-3.1-8B --disaggregation-mode prefill"))
                .find("serve.pools"),
            std::string::npos);
}

TEST(Launch, VariablesBeforeTheProgramAreReadToo) {
  const LaunchAnswer answer =
      plan_of_launch(LaunchEngine::kVllm,
                     "CUDA_VISIBLE_DEVICES=0,1 VLLM_USE_V1=0 /usr/bin/python3 -m "
                     "vllm.entrypoints.openai.api_server --model Llama-3.1-8B \\\n  -tp 2",
                     on("h100"));
  EXPECT_EQ(answer.ignored.size(), 1u);
  EXPECT_EQ(answer.refused.size(), 1u);
}

TEST(Launch, WordsAreThoseOfAShell) {
  const std::vector<LaunchWord> words =
      words_of_command("", "a 'b c'  \"d \\\"e\\\"\" f\\ g \\\n h''");
  std::vector<std::string> texts;
  texts.reserve(words.size());
  for (const LaunchWord& word : words) texts.push_back(word.text);
  EXPECT_EQ(texts, (std::vector<std::string>{"a", "b c", "d \"e\"", "f g", "h"}));
  EXPECT_EQ(words[1].column, 3);
  EXPECT_THROW(words_of_command("", "a 'b"), InputError);
  EXPECT_THROW(words_of_command("", "a | b"), InputError);
  EXPECT_THROW(words_of_command("", "a --key $KEY"), InputError);
}

TEST(Launch, WhatIsNoCommandIsRefusedWhereItStands) {
  const auto message = [](const std::string& command) -> std::string {
    try {
      plan_of_launch(LaunchEngine::kVllm, command, on("h100"));
    } catch (const InputError& error) {
      return error.what();
    }
    return "";
  };
  EXPECT_NE(message("serve Llama-3.1-8B").find("no launch command"), std::string::npos);
  EXPECT_NE(message("vllm serve Llama-3.1-8B -tp two").find("whole number"), std::string::npos);
  EXPECT_NE(message("vllm serve Llama-3.1-8B -tp").find("needs a value"), std::string::npos);
  EXPECT_NE(message("vllm serve Llama-3.1-8B --gpu-memory-utilization 1.5").find("at most 1"),
            std::string::npos);
  EXPECT_NE(message("vllm serve --port 8000").find("names no model"), std::string::npos);
  EXPECT_NE(message("vllm serve nobody/has-this-one-9").find("--model FILE"), std::string::npos);
  EXPECT_TRUE(message("vllm serve Llama-3.1-70B -tp 3")
                  .starts_with("--from-vllm:1:1: error: layout.tensor = 3"));
}

}  // namespace
}  // namespace rehearse
