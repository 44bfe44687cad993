// The job `serve` of a plan: each field where it belongs, each fault where it stands.
#include <gtest/gtest.h>

#include "input/input.hpp"
#include "input/input_texts.hpp"

namespace rehearse {
namespace {

constexpr const char* kHead = "model: \"m\" platform: \"p\"\n";
constexpr const char* kRate = "rate: \"2/s\" requests: 4 prompt { tokens: 5 } output { tokens: 3 }";

Plan plan_of_text(const std::string& text) {
  return parse_plan(source_of("p", kHead + text, "a plan"));
}

Serve serve_of(const std::string& fields) {
  return *plan_of_text("serve {\n" + fields + "\n}").serve;
}

// Of a plan that has the traffic at a rate and the engine vLLM, with more in line 4.
std::string with(const std::string& fields) {
  return std::string("traffic { ") + kRate + " } engine { name: \"vllm\" }\n" + fields;
}

std::string engine(const std::string& fields) {
  return std::string("traffic { ") + kRate + " }\nengine { name: \"vllm\" " + fields + " }";
}

std::string traffic(const std::string& fields) {
  return "engine { name: \"vllm\" }\ntraffic { " + fields + " }";
}

std::string refusal(const std::string& fields) {
  return refusal_of([&] { serve_of(fields); });
}

TEST(Serve, HasTheEnginesOwnDefaultsWhereNothingIsWritten) {
  const Serve serve = serve_of(with(""));
  EXPECT_EQ(serve.engine.name, "vllm");
  EXPECT_FALSE(serve.engine.max_sequences || serve.engine.max_tokens_per_pass ||
               serve.engine.max_model_len || serve.engine.block_tokens || serve.engine.kv_blocks);
  EXPECT_FALSE(serve.engine.chunked_prefill || serve.engine.prefix_cache ||
               serve.engine.asynchronous || serve.engine.cuda_graphs);
  EXPECT_FALSE(serve.engine.memory_fraction || serve.engine.by_priority ||
               serve.engine.max_utilization || serve.engine.speculative ||
               serve.engine.host_per_step || serve.engine.host_per_request ||
               serve.engine.step_time);
  EXPECT_FALSE(serve.engine.log_steps);
  EXPECT_EQ(serve.replicas, 1);
  EXPECT_EQ(serve.router, "round_robin");
  EXPECT_FALSE(serve.pools || serve.slo);
  EXPECT_EQ(serve.concurrency, 0);
  EXPECT_EQ(serve.warm_up, Seconds{});
}

TEST(Serve, HasAnEngineAsWritten) {
  const EngineChoice its =
      serve_of(engine("max_tokens_per_pass: 8192 max_sequences: 256 max_model_len: 4096 "
                      "chunked_prefill: true prefix_cache: false asynchronous: true cuda_graphs: "
                      "false memory_fraction: 0.8 block_tokens: 32 kv_blocks: 6 log_steps: true "
                      "policy: \"priority\" capacity: \"max_utilization\" "
                      "speculative { tokens: 3 acceptance: 0.7 acceptance: 0.5 method: \"ngram\" } "
                      "host { per_step: \"0.5ms\" per_request: \"10us\" } "
                      "step_time { fixed: \"10ms\" per_token: \"1ms\" per_context: \"2us\" }"))
          .engine;
  EXPECT_EQ(its.max_tokens_per_pass, 8192);
  EXPECT_EQ(its.max_sequences, 256);
  EXPECT_EQ(its.max_model_len, 4096);
  EXPECT_EQ(its.chunked_prefill, true);
  EXPECT_EQ(its.prefix_cache, false);
  EXPECT_EQ(its.asynchronous, true);
  EXPECT_EQ(its.cuda_graphs, false);
  EXPECT_EQ(its.memory_fraction, 0.8);
  EXPECT_EQ(its.block_tokens, 32);
  EXPECT_EQ(its.kv_blocks, 6);
  EXPECT_TRUE(its.log_steps);
  EXPECT_EQ(its.by_priority, true);
  EXPECT_EQ(its.max_utilization, true);
  ASSERT_TRUE(its.speculative);
  EXPECT_EQ(its.speculative->tokens, 3);
  EXPECT_EQ(its.speculative->acceptance, (std::vector<double>{0.7, 0.5}));
  EXPECT_EQ(its.speculative->looked_up, true);
  const std::string drafts = "speculative { tokens: 1 acceptance: 1";
  EXPECT_EQ(serve_of(engine(drafts + " method: \"mtp\" }")).engine.speculative->looked_up, false);
  EXPECT_FALSE(serve_of(engine(drafts + " }")).engine.speculative->looked_up);
  EXPECT_EQ(its.host_per_step, Seconds{0.5e-3});
  EXPECT_EQ(its.host_per_request, Seconds{10 * 1e-6});
  ASSERT_TRUE(its.step_time);
  EXPECT_EQ(its.step_time->fixed, Seconds{10 * 1e-3});
  EXPECT_EQ(its.step_time->per_token, Seconds{1e-3});
  EXPECT_EQ(its.step_time->per_context, Seconds{2 * 1e-6});
  EXPECT_EQ(serve_of(engine("policy: \"fcfs\"")).engine.by_priority, false);
  EXPECT_EQ(serve_of(engine("capacity: \"guaranteed_no_evict\"")).engine.max_utilization, false);
}

TEST(Serve, HasReplicasARouterAndObjectives) {
  const Serve serve = serve_of(with(
      "replicas: 4 router: \"least_loaded\" slo { ttft: \"1s\" tpot: \"40ms\" quantile: 0.9 }"));
  EXPECT_EQ(serve.replicas, 4);
  EXPECT_EQ(serve.router, "least_loaded");
  ASSERT_TRUE(serve.slo);
  EXPECT_EQ(serve.slo->ttft, Seconds{1});
  EXPECT_EQ(serve.slo->tpot, Seconds{40 * 1e-3});
  EXPECT_EQ(serve.slo->quantile, 0.9);
  const Serve one = serve_of(with("slo { tpot: \"1s\" }"));
  EXPECT_FALSE(one.slo->ttft);
  EXPECT_EQ(one.slo->quantile, 0.99);
}

// What a pool does not write is as in serve.engine, one value of a list replaces the list.
TEST(Serve, HasPoolsWithEnginesAndLayoutsOfTheirOwn) {
  const Plan plan = plan_of_text(
      "serve { traffic { rate: \"1/s\" requests: 1 prompt { tokens: 1 } output { tokens: 1 } }\n"
      "engine { name: \"vllm\" max_sequences: 8 speculative { tokens: 2 acceptance: 0.7 "
      "acceptance: "
      "0.6 } }\n"
      "pools { prefill { layout { tensor: 2 dense_data: 4 expert: 2 } replicas: 3\n"
      "                  engine { max_sequences: 2 speculative { acceptance: 0.1 } } }\n"
      "        decode { } transfer: push } }");
  const ServingPools& pools = *plan.serve->pools;
  EXPECT_EQ(pools.prefill.replicas, 3);
  EXPECT_EQ(pools.prefill.layout.gpus(), 8);
  EXPECT_EQ(pools.prefill.layout.data, 2);
  EXPECT_EQ(pools.prefill.engine.name, "vllm");
  EXPECT_EQ(pools.prefill.engine.max_sequences, 2);
  EXPECT_EQ(pools.prefill.engine.speculative->acceptance, (std::vector<double>{0.1}));
  EXPECT_EQ(pools.prefill.engine.speculative->tokens, 2);
  EXPECT_EQ(pools.decode.replicas, 1);
  EXPECT_EQ(pools.decode.layout.gpus(), 1);
  EXPECT_EQ(pools.decode.engine.max_sequences, 8);
  EXPECT_EQ(pools.decode.engine.speculative->acceptance, (std::vector<double>{0.7, 0.6}));
  EXPECT_EQ(pools.transfer, KvTransfer::kPush);
  EXPECT_EQ(plan.serve->gpus(plan.layout), 25);
  EXPECT_EQ(plan.layout.tensor, 2) << "that of the prefill pool";
  EXPECT_EQ(to_text(plan.where.at("layout.tensor")), "p:4:28");
  EXPECT_EQ(to_text(plan.where.at("layout.data")), "p:4:38") << "from dense_data";
  EXPECT_EQ(serve_of(with("pools { prefill { } decode { } }")).pools->transfer, KvTransfer::kPull);
}

TEST(Serve, EnginesAreRefusedWhereTheyAreWrong) {
  const std::string path = "serve.engine.";
  const struct {
    std::string fields, refusal;
  } rows[] = {
      {"memory_fraction: 0", "memory_fraction = 0: must be above 0, at most 1"},
      {"memory_fraction: 1.1", "memory_fraction = 1.1: must be above 0, at most 1"},
      {"policy: \"lifo\"", "policy = \"lifo\": must be fcfs or priority"},
      {"capacity: \"all\"", "capacity = \"all\": must be guaranteed_no_evict or max_utilization"},
      {"max_tokens_per_pass: 0", "max_tokens_per_pass = 0: must be at least 1"},
      {"max_model_len: 0", "max_model_len = 0: must be at least 1"},
      {"block_tokens: 0", "block_tokens = 0: must be at least 1"},
      {"kv_blocks: 0", "kv_blocks = 0: must be at least 1"},
  };
  for (const auto& row : rows) {
    EXPECT_EQ(refusal(engine(row.fields)), "p:4:23: error: " + path + row.refusal);
  }
  const struct {
    std::string fields, refusal;
  } inside[] = {
      {"speculative { acceptance: 1 }",
       "4:23: error: serve.engine.speculative.tokens is missing: it "
       "has no default"},
      {"speculative { tokens: 17 acceptance: 1 }",
       "4:37: error: serve.engine.speculative.tokens = 17: must be at most 16"},
      {"speculative { tokens: 0 acceptance: 1 }",
       "4:37: error: serve.engine.speculative.tokens = 0: must be at least 1"},
      {"speculative { tokens: 1 }",
       "4:23: error: serve.engine.speculative.acceptance is missing: "
       "how likely each position is accepted"},
      {"speculative { tokens: 1 acceptance: 1 acceptance: 1 }",
       "4:47: error: serve.engine.speculative.acceptance has 2 values: "
       "serve.engine.speculative.tokens = 1"},
      {"speculative { tokens: 2 acceptance: 1 acceptance: 1.5 }",
       "4:61: error: serve.engine.speculative.acceptance[1] = 1.5: must be at least 0, at most 1"},
      {"speculative { tokens: 1 acceptance: 1 method: \"eagle\" }",
       "4:61: error: serve.engine.speculative.method = \"eagle\": must be mtp or ngram"},
      {"host { per_step: \"1\" }",
       "4:30: error: serve.engine.host.per_step = \"1\" has no unit: a "
       "time needs one of s ms us ns"},
      {"host { per_request: \"1e7s\" }",
       "4:30: error: serve.engine.host.per_request = \"1e7s\": must be at most 1000000s"},
      {"step_time { per_token: \"-1s\" }",
       "4:35: error: serve.engine.step_time.per_token = \"-1s\": a time is a number >= 0 and a "
       "unit "
       "(s ms us ns)"},
      {"step_time { per_context: \"1s\" }",
       "4:23: error: serve.engine.step_time: a pass takes time: fixed or per_token must be above "
       "0"},
  };
  for (const auto& row : inside) {
    EXPECT_EQ(refusal(engine(row.fields)), "p:" + row.refusal);
  }
  // Only those who have a default for it may leave it out.
  for (const char* const name : {"sglang", "tensorrt_llm"}) {
    EXPECT_EQ(refusal(std::string("traffic { ") + kRate + " } engine { name: \"" + name + "\" }"),
              "accepted");
  }
  for (const char* const name : {"static", "fastertransformer"}) {
    EXPECT_EQ(refusal(std::string("traffic { ") + kRate + " }\nengine { name: \"" + name + "\" }"),
              "p:4:1: error: serve.engine.max_sequences is missing: it has no default");
  }
}

TEST(Serve, PoolsAndObjectivesAreRefusedWhereTheyAreWrong) {
  const struct {
    std::string fields, refusal;
  } rows[] = {
      {"replicas: 0", "4:1: error: serve.replicas = 0: must be at least 1"},
      {"replicas: 1048577", "4:1: error: serve.replicas = 1048577: must be at most 1048576"},
      {"replicas: 2 pools { prefill { } decode { } }",
       "4:1: error: serve.replicas: with serve.pools each pool has replicas of its own"},
      {"pools { prefill { } }", "4:1: error: serve.pools.decode is missing: it has no default"},
      {"pools { decode { } }", "4:1: error: serve.pools.prefill is missing: it has no default"},
      {"pools { prefill { replicas: 0 } decode { } }",
       "4:19: error: serve.pools.prefill.replicas = 0: must be at least 1"},
      {"pools { prefill { layout { tensor: 0 } } decode { } }",
       "4:28: error: serve.pools.prefill.layout.tensor = 0: must be at least 1"},
      {"pools { prefill { } decode { layout { dense_data: 3 expert: 2 } } }",
       "4:39: error: serve.pools.decode.layout.dense_data = 3 is not a multiple of "
       "serve.pools.decode.layout.expert = 2: dense_data = data x expert"},
      {"pools { prefill { replicas: 1048576 } decode { } }",
       "4:1: error: serve.pools has 1048577 GPUs: must be at most 1048576"},
      {"pools { prefill { engine { kv_blocks: 0 } } decode { } }",
       "4:28: error: serve.pools.prefill.engine.kv_blocks = 0: must be at least 1"},
      {"pools { prefill { engine { memory_fraction: 2 } } decode { } }",
       "4:28: error: serve.pools.prefill.engine.memory_fraction = 2: must be above 0, at most 1"},
      {"pools { prefill { } decode { engine { name: \"sglang\" } } }",
       "4:39: error: serve.pools.decode.engine.name = \"sglang\": one engine runs both pools, "
       "serve.engine.name = \"vllm\""},
      {"slo { }", "4:1: error: serve.slo needs ttft or tpot: what requests have to keep"},
      {"slo { ttft: \"0s\" }", "4:7: error: serve.slo.ttft = 0: must be greater than zero"},
      {"slo { tpot: \"0ms\" }", "4:7: error: serve.slo.tpot = 0: must be greater than zero"},
      {"slo { tpot: \"5\" }",
       "4:7: error: serve.slo.tpot = \"5\" has no unit: a time needs one of s ms us ns"},
      {"slo { tpot: \"5s\" quantile: 0 }",
       "4:18: error: serve.slo.quantile = 0: must be above 0, at most 1"},
      {"slo { tpot: \"5s\" quantile: 1.5 }",
       "4:18: error: serve.slo.quantile = 1.5: must be above 0, at most 1"},
  };
  for (const auto& row : rows) {
    EXPECT_EQ(refusal(with(row.fields)), "p:" + row.refusal) << row.fields;
  }
  EXPECT_EQ(refusal_of([] {
              plan_of_text("layout { tensor: 1 }\nserve { " +
                           with("pools { prefill { } decode { } }") + "}");
            }),
            "p:2:1: error: layout: with serve.pools each pool has a layout of its own");
  EXPECT_EQ(refusal_of([] {
              plan_of_text("layout { tensor: 1024 }\nserve { " + with("replicas: 1025") + "}");
            }),
            "p:3:1: error: serve has 1049600 GPUs: must be at most 1048576");
}

TEST(ServedTraffic, IsReadAsWritten) {
  const Serve closed = serve_of(traffic(
      "concurrency: 64 requests: 9 warm_up: \"30s\" prompt { tokens: 5 } output { tokens: 3 } "
      "prefix { tokens: 512 groups: 8 } turns: 4 think: \"2min\""));
  EXPECT_EQ(closed.concurrency, 64);
  EXPECT_EQ(closed.warm_up, Seconds{30});
  EXPECT_EQ(closed.law->rate, 0);
  EXPECT_EQ(closed.law->requests, 9);
  EXPECT_EQ(closed.law->prefix->tokens, 512);
  EXPECT_EQ(closed.law->prefix->groups, 8);
  EXPECT_EQ(closed.law->turns, 4);
  EXPECT_EQ(closed.law->think, Seconds{120});
  const Serve rate = serve_of(traffic(
      "rate: \"30/min\" duration: \"10min\" prompt { tokens: 5 } output { tokens: 3 } prefix { "
      "tokens: 9 }"));
  EXPECT_EQ(rate.concurrency, 0);
  EXPECT_EQ(rate.law->rate, 0.5);
  EXPECT_EQ(rate.law->duration, Seconds{600});
  EXPECT_EQ(rate.law->prefix->groups, 1);
  EXPECT_EQ(rate.law->turns, 1);
  EXPECT_EQ(serve_of(traffic("trace: \"t\" warm_up: \"1h\"")).warm_up, Seconds{3600});
}

TEST(ServedTraffic, IsRefusedWhereItIsWrong) {
  const std::string lengths = " prompt { tokens: 5 } output { tokens: 3 }";
  const std::string three = ", too: requests come by one of trace, rate and concurrency";
  const struct {
    std::string fields, refusal;
  } rows[] = {
      {"",
       "4:1: error: serve.traffic.trace is missing, and so are rate and concurrency: requests "
       "come by one of the three"},
      {"trace: \"t\" rate: \"1/s\"", "4:11: error: serve.traffic.trace: there is a rate" + three},
      {"concurrency: 1 trace: \"t\"",
       "4:26: error: serve.traffic.trace: there is a concurrency" + three},
      {"concurrency: 1 rate: \"1/s\"",
       "4:26: error: serve.traffic.rate: there is a concurrency" + three},
      {"concurrency: 0" + lengths,
       "4:11: error: serve.traffic.concurrency = 0: must be at least 1"},
      {"concurrency: 1" + lengths,
       "4:1: error: serve.traffic.requests is missing: it has no default"},
      {"concurrency: 1 duration: \"1s\"" + lengths,
       "4:26: error: serve.traffic.duration: with a concurrency requests come as others end: say "
       "how many, requests"},
      {"concurrency: 1 process: constant requests: 1" + lengths,
       "4:26: error: serve.traffic.process: with a concurrency requests come as others end, not by "
       "gaps"},
      {"concurrency: 1 variation: 1 requests: 1" + lengths,
       "4:26: error: serve.traffic.variation: with a concurrency requests come as others end, not "
       "by gaps"},
      {"concurrency: 1 requests: 1 output { tokens: 3 }",
       "4:1: error: serve.traffic.prompt is missing: it has no default"},
      {"concurrency: 1 requests: 1 prompt { tokens: 3 }",
       "4:1: error: serve.traffic.output is missing: it has no default"},
      {"rate: \"1/s\" duration: \"10\"" + lengths,
       "4:23: error: serve.traffic.duration = \"10\" has no unit: a time needs one of s ms us ns"},
      {"rate: \"1/s\" requests: 1 turns: 0" + lengths,
       "4:35: error: serve.traffic.turns = 0: must be at least 1"},
      {"rate: \"1/s\" requests: 1 think: \"1s\"" + lengths,
       "4:35: error: serve.traffic.think: is between the turns of a session, and turns = 1"},
      {"rate: \"1/s\" requests: 1 turns: 12 think: \"1e5s\"" + lengths,
       "4:45: error: serve.traffic.think = \"1e5s\": 12 turns would be further apart than "
       "1000000s"},
      {"rate: \"1/s\" requests: 1 prefix { groups: 2 }" + lengths,
       "4:35: error: serve.traffic.prefix.tokens is missing: it has no default"},
      {"rate: \"1/s\" requests: 1 prefix { tokens: 0 }" + lengths,
       "4:44: error: serve.traffic.prefix.tokens = 0: must be at least 1"},
      {"rate: \"1/s\" requests: 1 prefix { tokens: 9 groups: 0 }" + lengths,
       "4:54: error: serve.traffic.prefix.groups = 0: must be at least 1"},
      {"rate: \"1/s\" requests: 1 warm_up: \"soon\"" + lengths,
       "4:35: error: serve.traffic.warm_up = \"soon\": a time is a number >= 0 and a unit (s ms us "
       "ns)"},
      {"trace: \"t\" prefix { tokens: 9 }",
       "4:22: error: serve.traffic.prefix: the trace says it itself"},
      {"trace: \"t\" turns: 2", "4:22: error: serve.traffic.turns: the trace says it itself"},
      {"trace: \"t\" think: \"2s\"", "4:22: error: serve.traffic.think: the trace says it itself"},
  };
  for (const auto& row : rows) {
    EXPECT_EQ(refusal(traffic(row.fields)), "p:" + row.refusal) << row.fields;
  }
}

class ServedRequests : public testing::Test {
 protected:
  ServedRequests() {
    for (const char* name : {"m", "p"}) written_file(name, "x");
  }

  static Plan read(const std::string& fields) {
    PlanRequest request;
    request.path = written_file("plan.textproto", kHead + ("serve {\n" + traffic(fields) + "\n}"));
    return read_plan(request);
  }

  static std::string refused(const std::string& fields) {
    const std::string text = refusal_of([&] { read(fields); });
    const std::string file = ".textproto:";
    const std::size_t end = text.find(file);
    return end == std::string::npos ? text : text.substr(end + file.size());
  }
};

// A rate of 2 per second: 4 requests, the last 1.5 s after the first.
TEST_F(ServedRequests, SomeComeAfterTheWarmUp) {
  const std::string constant = std::string(kRate) + " process: constant";
  EXPECT_EQ(read(constant + " warm_up: \"1.4s\"").serve->warm_up, Seconds{1.4});
  EXPECT_EQ(refused(constant + " warm_up: \"1.5s\""),
            "4:95: error: serve.traffic.warm_up = 1.50 s: must be below 1.50 s, when the last "
            "request arrives");
  EXPECT_EQ(refused(constant + " turns: 4 warm_up: \"9s\""), "accepted") << "nobody knows when";
  const std::string closed = "concurrency: 2 requests: 3 prompt { tokens: 5 } output { tokens: 3 }";
  EXPECT_EQ(read(closed + " warm_up: \"9s\"").serve->requests.size(), 3u);
  written_file("t.csv", "arrival_s,prompt_tokens,output_tokens\n0,5,2\n1,6,3\n");
  EXPECT_EQ(read("trace: \"t.csv\" warm_up: \"0.5s\"").serve->requests.size(), 2u);
  EXPECT_EQ(refused("trace: \"t.csv\" warm_up: \"2s\""),
            "4:26: error: serve.traffic.warm_up = 2.00 s: must be below 1.00 s, when the last "
            "request arrives");
}

// 16 tokens of those that are drawn, 512 of Mooncake's.
TEST_F(ServedRequests, SayHowLongTheirBlocksAre) {
  EXPECT_EQ(read(std::string(kRate) + " prefix { tokens: 16 }").serve->block_tokens, 16);
  EXPECT_EQ(read(std::string(kRate) + " turns: 2").serve->block_tokens, 16);
  written_file("t.jsonl",
               "{\"timestamp\": 0, \"input_length\": 600, \"output_length\": 5, \"hash_ids\": [0, "
               "1]}\n");
  EXPECT_EQ(read("trace: \"t.jsonl\"").serve->block_tokens, 512);
}

TEST_F(ServedRequests, HaveLengthsOfFilesBesideThePlan) {
  written_file("p.txt", "7\n");
  written_file("o.txt", "4\n");
  const Plan plan = read(
      "concurrency: 2 requests: 3 prompt { file: \"p.txt\" } output { file: \"o.txt\" } prefix { "
      "tokens: 20 }");
  EXPECT_EQ(plan.serve->requests[2].prompt_tokens, 27);
  EXPECT_EQ(plan.serve->requests[2].output_tokens, 4);
  EXPECT_EQ(refused("concurrency: 2 requests: 3 prompt { tokens: 16777216 } output { tokens: 1 } "
                    "prefix { tokens: 20 }"),
            "4:87: error: serve.traffic.prefix.tokens = 20: a prompt has more than 16777216 tokens "
            "with it, which is the most");
}

}  // namespace
}  // namespace rehearse
