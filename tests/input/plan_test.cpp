// What read_plan makes of a plan, and which of file, variant and options wins.
#include <gtest/gtest.h>

#include <filesystem>
#include <map>

#include "input/input.hpp"
#include "input/input_texts.hpp"

namespace rehearse {
namespace {

constexpr const char* kPlan = R"(model: "m.textproto"
platform: "p.xml"
layout { tensor: 2 pipeline: 3 dense_data: 6 expert: 2 layers_per_stage: [3, 2, 1] }
batch {
  sequences: 8
  prompt_tokens: 16
  output_tokens: 4
}
communication_buffers: "1GB"
network: analytic
seed: 7
default_variant: "wide"
variant { name: "wide" set: "layout.tensor=4" set: "model.hidden=64" }
variant { name: "other" set: "model=n.textproto" }
)";

// A plan in a folder with the files that it and the options name.
class PlanFile : public testing::Test {
 protected:
  PlanFile() {
    for (const char* name : {"m.textproto", "n.textproto", "p.xml", "q.xml"}) {
      written_file(name, "x");
    }
    request_.path = written_file("plan.textproto", kPlan);
    folder_ = std::filesystem::path(request_.path).parent_path().string() + "/";
  }

  Plan read_with(const std::vector<std::string>& sets) {
    request_.sets = sets;
    return read_plan(request_);
  }
  std::string refusal_with(const std::string& set) {
    return refusal_of([&] { read_with({set}); });
  }

  PlanRequest request_;
  std::string folder_;
};

TEST_F(PlanFile, IsReadFieldByField) {
  const Plan plan = read_plan(request_);
  EXPECT_EQ(plan.name, "plan");
  EXPECT_EQ(plan.model_path, folder_ + "m.textproto");
  EXPECT_EQ(plan.platform_path, folder_ + "p.xml");
  EXPECT_EQ(plan.layout.pipeline, 3);
  EXPECT_EQ(plan.layout.expert, 2);
  EXPECT_EQ(plan.layout.data, 3);  // dense_data / expert
  EXPECT_EQ(plan.layout.dense_data(), 6);
  EXPECT_EQ(plan.layout.context, 1);
  EXPECT_EQ(plan.layout.expert_tensor, 0);
  EXPECT_EQ(plan.layout.layers_per_stage, (std::vector{3, 2, 1}));
  EXPECT_EQ(plan.layout.order, "tp-cp-ep-dp-pp");
  EXPECT_EQ(plan.batch.sequences, 8);
  EXPECT_EQ(plan.batch.prompt_tokens, 16);
  EXPECT_EQ(plan.batch.output_tokens, 4);
  EXPECT_EQ(plan.batch.micro_batches, 1);
  EXPECT_EQ(plan.batch.decode_micro_batches, 0);
  EXPECT_EQ(plan.communication_buffers, Bytes{1e9});
  EXPECT_EQ(plan.network, NetworkLevelName::kAnalytic);
  EXPECT_EQ(plan.seed, 7u);
}

TEST_F(PlanFile, FieldsKnowWhereTheyStand) {
  const FieldLocations where = read_with({"batch.sequences=9"}).where;
  EXPECT_EQ(to_text(where.at("layout.pipeline")), folder_ + "plan.textproto:3:20");
  EXPECT_EQ(to_text(where.at("layout.data")), folder_ + "plan.textproto:3:32");  // dense_data
  EXPECT_EQ(to_text(where.at("layout.context")), folder_ + "plan.textproto:3:1");
  EXPECT_EQ(to_text(where.at("layout.tensor")), folder_ + "plan.textproto:13:30");  // the variant's
  EXPECT_EQ(to_text(where.at("batch.sequences")), "--set batch.sequences=9:1:7");
}

TEST_F(PlanFile, TheDefaultVariantHoldsUnlessAnotherIsNamed) {
  EXPECT_EQ(read_plan(request_).variant, "wide");
  EXPECT_EQ(read_plan(request_).layout.tensor, 4);
  EXPECT_EQ(read_plan(request_).model_sets, std::vector<std::string>{"hidden=64"});
  request_.variant = "other";
  EXPECT_EQ(read_plan(request_).variant, "other");
  EXPECT_EQ(read_plan(request_).layout.tensor, 2);
  EXPECT_EQ(read_plan(request_).model_path, folder_ + "n.textproto");
}

TEST_F(PlanFile, OptionsWinOverTheVariantAndSetsOverOptions) {
  request_.variant = "other";
  request_.model = folder_ + "m.textproto";
  request_.platform = folder_ + "q.xml";
  request_.network = "exact";
  request_.seed = "18446744073709551615";
  EXPECT_EQ(read_plan(request_).model_path, folder_ + "m.textproto");
  EXPECT_EQ(read_plan(request_).platform_path, folder_ + "q.xml");
  EXPECT_EQ(read_plan(request_).network, NetworkLevelName::kExact);
  EXPECT_EQ(read_plan(request_).seed, 18446744073709551615ull);
  const Plan plan = read_with({"network=fluid", "seed=3", "seed=4"});
  EXPECT_EQ(plan.network, NetworkLevelName::kFluid);
  EXPECT_EQ(plan.seed, 4u);
}

TEST_F(PlanFile, APathInAnOptionStartsAtTheWorkingDirectory) {
  request_.model = "m.textproto";
  EXPECT_EQ(refusal_of([&] { read_plan(request_); }),
            "--model m.textproto:1:9: error: model \"m.textproto\" cannot be read: No such file or "
            "directory");
}

TEST_F(PlanFile, BothDataDegreesMayBeWrittenWhenTheyAgree) {
  EXPECT_EQ(read_with({"layout.data=3"}).layout.data, 3);
  EXPECT_EQ(refusal_with("layout.data=6"),
            folder_ +
                "plan.textproto:3:32: error: layout.dense_data = 6 disagrees with layout.data "
                "= 6 x layout.expert = 2: dense_data = data x expert");
}

TEST_F(PlanFile, AnUnknownVariantIsAnsweredWithTheKnownOnes) {
  request_.variant = "narrow";
  EXPECT_EQ(refusal_of([&] { read_plan(request_); }),
            "--variant narrow:1:11: error: unknown variant \"narrow\": " + request_.path +
                " has wide other");
}

TEST_F(PlanFile, AnUnknownNetworkIsAnsweredWithTheKnownOnes) {
  request_.network = "flow";
  EXPECT_EQ(refusal_of([&] { read_plan(request_); }),
            "--network flow:1:11: error: network = flow: unknown value, one of fluid exact "
            "analytic simgrid");
}

TEST_F(PlanFile, ASetMayBeOfAnyType) {
  const Plan plan =
      read_with({"layout.layers_per_stage=9,7", "layout.sequence_parallel=true",
                 "communication_buffers=2GiB", "layout.order=pp-dp-ep-cp-tp", "name=trial"});
  EXPECT_EQ(plan.layout.layers_per_stage, (std::vector{9, 7}));
  EXPECT_TRUE(plan.layout.sequence_parallel);
  EXPECT_EQ(plan.communication_buffers, Bytes{2147483648.0});
  EXPECT_EQ(plan.layout.order, "pp-dp-ep-cp-tp");
  EXPECT_EQ(plan.name, "trial");
  EXPECT_TRUE(read_with({"layout.layers_per_stage="}).layout.layers_per_stage.empty());
}

TEST_F(PlanFile, SetsOfTheModelAreKeptForTheModel) {
  EXPECT_EQ(read_with({"model.moe.top_k=1"}).model_sets,
            (std::vector<std::string>{"hidden=64", "moe.top_k=1"}));
}

TEST_F(PlanFile, ABadSetIsRefusedAtItsOffendingCharacter) {
  const struct {
    const char *set, *refusal;
  } rows[] = {
      {"layout.tensr=4",
       "1:14: error: unknown field \"tensr\" of Layout: did you mean \"tensor\"?"},
      {"layuot.tensor=4", "1:7: error: unknown field \"layuot\" of Plan: did you mean \"layout\"?"},
      {"layout.tensor=four", "1:21: error: layout.tensor = \"four\": expected an integer"},
      {"layout.tensor=4x", "1:22: error: layout.tensor = \"4x\": expected an integer"},
      {"layout.tensor=", "1:21: error: layout.tensor = \"\": expected an integer"},
      {"layout.tensor=3000000000",
       "1:21: error: layout.tensor = \"3000000000\": the number is out of range"},
      {"seed=-1", "1:12: error: seed = \"-1\": expected an integer that is not negative"},
      {"layout.sequence_parallel=yes",
       "1:32: error: layout.sequence_parallel = \"yes\": expected true or false"},
      {"layout.layers_per_stage=9,x",
       "1:33: error: layout.layers_per_stage = \"x\": expected an integer"},
      {"layout.layers_per_stage=9,0",
       "1:33: error: layout.layers_per_stage[1] = 0: must be at least 1"},
      {"network=flow",
       "1:15: error: network = flow: unknown value, one of fluid exact analytic simgrid"},
      {"layout.tensor", "1:20: error: \"layout.tensor\" has no \"=\": expected FIELD=VALUE"},
      {"layout=4",
       "1:7: error: layout cannot be set as a whole: set one of its fields, layout.tensor ..."},
      {"layout.tensor.x=4", "1:20: error: layout.tensor is a single value: it has no fields"},
      {"variant.name=a", "1:7: error: variant cannot be set: it is a list of Variant"},
      {"default_variant=other",
       "1:7: error: default_variant cannot be set: --variant names the variant"},
      {"layout.tensor=0", "1:7: error: layout.tensor = 0: must be at least 1"},
      {"communication_buffers=1",
       "1:7: error: communication_buffers = \"1\" has no unit: an amount of bytes needs one of B "
       "kB "
       "KB MB GB TB KiB MiB GiB TiB"},
      {"model.moe.topk=1",
       "1:17: error: unknown field \"topk\" of MixtureOfExperts: did you mean \"top_k\"?"},
      {"model.hidden=big", "1:20: error: hidden = \"big\": expected an integer"},
  };
  for (const auto& row : rows) {
    EXPECT_EQ(refusal_with(row.set), std::string("--set ") + row.set + ":" + row.refusal);
  }
}

// fault:U9: results carried the absolute path, which says where somebody's files lie.
TEST(PlanPaths, KeepHowAPlatformIsNamed) {
  const std::string text =
      "model: \"m\" platform: \"../x.xml\"\n"
      "batch { sequences: 1 prompt_tokens: 1 output_tokens: 1 }\n"
      "search { platform: \"y.xml\" platform: \"/z.xml\" }\n";
  const Plan absolute = parse_plan(source_of("/home/me/p.textproto", text, "a plan"));
  EXPECT_EQ(absolute.platform_path, "/home/x.xml");
  EXPECT_EQ(absolute.written_platforms,
            (std::map<std::string, std::string>{{"/home/x.xml", "../x.xml"},
                                                {"/home/me/y.xml", "y.xml"}}));
  const Plan relative = parse_plan(source_of("me/p.textproto", text, "a plan"));
  EXPECT_EQ(relative.platform_path, "x.xml");
  EXPECT_TRUE(relative.written_platforms.empty());
}

// fault:U8: standard input is in no folder; its paths start where the command does.
TEST(PlanPaths, OfStandardInputStartAtTheWorkingFolder) {
  const Plan plan = parse_plan(source_of("/dev/stdin",
                                         "model: \"m\" platform: \"../x.xml\" batch { sequences: 1 "
                                         "prompt_tokens: 1 output_tokens: 1 }",
                                         "a plan"));
  EXPECT_EQ(plan.model_path, "m");
  EXPECT_EQ(plan.platform_path, "../x.xml");
}

}  // namespace
}  // namespace rehearse
