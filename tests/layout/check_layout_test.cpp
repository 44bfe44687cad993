// Every rule of a layout, with its whole message and its place in the plan.
#include <gtest/gtest.h>

#include <functional>

#include "base/error.hpp"
#include "graph/small_models.hpp"
#include "layout/layout.hpp"

namespace rehearse {
namespace {

struct Case {
  Model model = small_moe_model(4);
  Plan plan = small_plan();
  int gpus = 24;
};

// "valid", or the message. Every field stands on the line below; a rule that names another field
// than it reports would be caught by its line.
std::string fault_of(const std::function<void(Case&)>& spoil) {
  Case at;
  FieldLocations where("plan");
  const char* const fields[] = {"layout",
                                "layout.tensor",
                                "layout.pipeline",
                                "layout.data",
                                "layout.expert",
                                "layout.context",
                                "layout.order",
                                "layout.expert_tensor",
                                "layout.layers_per_stage",
                                "batch",
                                "batch.micro_batches",
                                "batch.decode_micro_batches",
                                "placement.redundant_experts",
                                "layout.virtual_stages"};
  for (int line = 0; const char* field : fields) where.place(field, {"plan", ++line, 3});
  at.plan.where = where;
  spoil(at);
  validate(at.model);
  try {
    check_layout(at.plan, at.model, at.gpus, "small.xml");
  } catch (const InputError& error) {
    return error.what();
  }
  return "valid";
}

void expect_fault(const std::function<void(Case&)>& spoil, const std::string& message) {
  EXPECT_EQ(fault_of(spoil), message);
}

TEST(CheckLayout, AcceptsWhatFits) {
  expect_fault([](Case&) {}, "valid");
  expect_fault([](Case& c) { c.plan.layout.expert_tensor = 1; }, "valid");
  expect_fault([](Case& c) { c.plan.layout.expert_tensor = 2; }, "valid");
  expect_fault([](Case& c) { c.plan.layout.layers_per_stage = {3, 1}; }, "valid");
  expect_fault([](Case& c) { c.gpus = 1000; }, "valid");
  // Four tensor ranks keep two copies of each of the two KV heads.
  expect_fault(
      [](Case& c) {
        c.plan.layout.tensor = 4, c.plan.layout.data = 1, c.model.moe->expert.width = 8;
      },
      "valid");
}

TEST(CheckLayout, RulesOfTheGrid) {
  expect_fault([](Case& c) { c.plan.layout.order = "tp-ep-dp-pp"; },
               "plan:7:3: error: layout.order = \"tp-ep-dp-pp\" is not a permutation of "
               "tp-cp-ep-dp-pp");
  expect_fault([](Case& c) { c.plan.layout.context = 2; },
               "plan:6:3: error: layout.context = 2: context parallelism is not modelled; it must "
               "be 1");
  expect_fault([](Case& c) { c.gpus = 23; },
               "plan:1:3: error: the layout needs 24 GPUs (tensor 2 x pipeline 2 x data 3 x expert "
               "2), the platform small.xml has 23");
}

TEST(CheckLayout, RulesOfAttention) {
  expect_fault([](Case& c) { c.plan.layout.tensor = 3, c.plan.layout.data = 1; },
               "plan:2:3: error: layout.tensor = 3 does not divide the model's 4 attention heads");
  expect_fault([](Case& c) { c.model.hidden = 9; },
               "plan:2:3: error: layout.tensor = 2 does not divide the model's 9 hidden "
               "dimensions");
  expect_fault([](Case& c) { c.model.attention[0].heads = 6, c.model.attention[0].kv_heads = 3; },
               "plan:2:3: error: layout.tensor = 2 neither divides the model's 3 KV heads nor is a "
               "multiple of them");
}

TEST(CheckLayout, RulesOfTheStages) {
  expect_fault([](Case& c) { c.model.layers = 1; },
               "plan:3:3: error: layout.pipeline = 2 exceeds the model's 1 layers: a stage holds "
               "at least one");
  expect_fault(
      [](Case& c) {
        c.plan.layout.layers_per_stage = {1, 2, 1};
      },
      "plan:9:3: error: layout.layers_per_stage has 3 entries, layout.pipeline = 2 needs "
      "as many");
  expect_fault(
      [](Case& c) {
        c.plan.layout.virtual_stages = 2;
        c.plan.layout.layers_per_stage = {1, 3};
      },
      "plan:9:3: error: layout.layers_per_stage has 2 entries, layout.pipeline = 2 and "
      "layout.virtual_stages = 2 need 4");
  expect_fault(
      [](Case& c) {
        c.plan.layout.layers_per_stage = {2, 3};
      },
      "plan:9:3: error: layout.layers_per_stage adds up to 5 layers, the model has 4");
  expect_fault(
      [](Case& c) {
        c.plan.layout.layers_per_stage = {4, 0};
      },
      "plan:9:3: error: layout.layers_per_stage has a stage of 0 layers: at least 1");
}

TEST(CheckLayout, RulesOfTheFeedForwardNetworks) {
  expect_fault(
      [](Case& c) {
        c.model = small_dense_model(4);
        c.model.dense[0].width = 15;
        c.plan.layout.expert = 1;
      },
      "plan:2:3: error: layout.tensor = 2 does not divide the model's 15 dense FFN columns");
  expect_fault(
      [](Case& c) { c.model.moe->shared_experts = 1, c.model.moe->shared.width = 5; },
      "plan:2:3: error: layout.tensor = 2 does not divide the model's 5 shared expert columns");
}

TEST(CheckLayout, RulesOfTheExperts) {
  expect_fault([](Case& c) { c.plan.layout.expert_tensor = 3; },
               "plan:8:3: error: layout.expert_tensor = 3 must be 1 or the tensor degree 2");
  expect_fault([](Case& c) { c.model = small_dense_model(4); },
               "plan:5:3: error: layout.expert = 2, but the model small-dense has no experts: it "
               "must be 1");
  expect_fault([](Case& c) { c.plan.layout.expert = 3, c.plan.layout.data = 2; },
               "plan:5:3: error: layout.expert = 3 spreads experts over 3 ranks, which does not "
               "divide the model's 4 experts");
  // Whole experts: expert 2 x tensor 2 = 4 ranks.
  expect_fault(
      [](Case& c) { c.plan.layout.expert_tensor = 1, c.model.moe->experts = 6; },
      "plan:5:3: error: layout.expert = 2 spreads experts over 4 ranks, which does not divide the "
      "model's 6 experts");
  expect_fault([](Case& c) { c.model.moe->expert.width = 7; },
               "plan:2:3: error: layout.tensor = 2 does not divide the model's 7 expert columns");
  // Whole experts are not cut.
  expect_fault([](Case& c) { c.plan.layout.expert_tensor = 1, c.model.moe->expert.width = 7; },
               "valid");
}

// fault:P4: what is dealt to the ranks are the experts and their copies.
TEST(CheckLayout, ExpertsAndTheirCopiesAreDealtEvenly) {
  const auto dealt = [](int experts, int copies, int ranks) {
    return [=](Case& c) {
      c.model.moe->experts = experts;
      c.plan.placement.redundant_experts = copies;
      c.plan.layout = {.tensor = 1, .expert = ranks};
      c.plan.batch.sequences = ranks;
      c.gpus = ranks;
    };
  };
  expect_fault(dealt(256, 32, 144), "valid");  // 288 = 2 x 144, though 144 does not divide 256
  expect_fault(dealt(8, 4, 6), "valid");       // 12 = 2 x 6
  expect_fault(dealt(8, 0, 6),
               "plan:5:3: error: layout.expert = 6 spreads experts over 6 ranks, which does not "
               "divide the model's 8 experts");
  expect_fault(dealt(8, 3, 6),
               "plan:13:3: error: placement.redundant_experts = 3: 11 experts and their copies are "
               "not a multiple of the 6 ranks that hold them");
  // 8 divides over 4, and 8 + 2 does not.
  expect_fault(dealt(8, 2, 4),
               "plan:13:3: error: placement.redundant_experts = 2: 10 experts and their copies are "
               "not a multiple of the 4 ranks that hold them");
  // On two ranks each expert can be copied once.
  expect_fault(dealt(8, 10, 2),
               "plan:13:3: error: placement.redundant_experts = 10: 8 experts can have at most 8 "
               "copies more on 2 ranks, one of each everywhere");
}

// fault:P2: of weights that are quantised in blocks every rank holds whole ones.
TEST(CheckLayout, RulesOfQuantisedBlocks) {
  Storage blocks;
  blocks.dtype = Dtype::kFp8;
  blocks.block_outputs = blocks.block_inputs = 2;
  // 6 / 2 = 3 columns of an expert are a block and a half.
  const auto quantise_up = [&](Case& c) {
    c.model.storage.push_back({WeightPart::kExpertUp, blocks});
  };
  expect_fault(quantise_up,
               "plan:2:3: error: layout.tensor = 2 cuts the 6 columns of expert_up to 3, which are "
               "no whole blocks of 2, the blocks that the weights are quantised in; "
               "layout.expert_tensor = 1 leaves experts whole");
  expect_fault([&](Case& c) { quantise_up(c), c.plan.layout.expert_tensor = 1; }, "valid");
  expect_fault([&](Case& c) { quantise_up(c), c.model.moe->expert.width = 8; }, "valid");
  // The rows of the down projection are cut, its columns are not; in the last layer alone.
  expect_fault(
      [&](Case& c) {
        c.model.storage.push_back({WeightPart::kExpertDown, blocks, 3, 3});
      },
      "plan:2:3: error: layout.tensor = 2 cuts the 6 rows of expert_down to 3, which are "
      "no whole blocks of 2, the blocks that the weights are quantised in; "
      "layout.expert_tensor = 1 leaves experts whole");
  // Groups along the rows of one column (NVFP4, GPTQ) bind the parts whose rows are cut.
  Storage groups = blocks;
  groups.block_outputs = 1;
  expect_fault(
      [&](Case& c) {
        c.model.storage.push_back({WeightPart::kExpertUp, groups});
      },
      "valid");
  expect_fault(
      [&](Case& c) {
        groups.block_inputs = 3;
        c.model.storage.push_back({WeightPart::kAttentionOutput, groups});
      },
      "plan:2:3: error: layout.tensor = 2 cuts the 8 rows of attention_output to 4, which are no "
      "whole blocks of 3, the blocks that the weights are quantised in");
  // Experts in MXFP4 are dealt in whole blocks, and who gets fewer is filled up.
  Storage mx = groups;
  mx.dtype = Dtype::kFp4;
  mx.block_inputs = kMxBlock;
  expect_fault([&](Case& c) { c.model.storage.push_back({WeightPart::kExpertDown, mx}); }, "valid");
  expect_fault(
      [&](Case& c) {
        c.model.storage.push_back({WeightPart::kAttentionOutput, mx});
      },
      "plan:2:3: error: layout.tensor = 2 cuts the 8 rows of attention_output to 4, which are no "
      "whole blocks of 32, the blocks that the weights are quantised in");
}

TEST(CheckLayout, RulesOfTheBatch) {
  // 6 requests over 3 x 2 replicas: one each.
  expect_fault([](Case& c) { c.plan.batch.micro_batches = 2; },
               "plan:11:3: error: batch.micro_batches = 2 exceeds the 1 sequences of a "
               "data-parallel replica (6 over 6 replicas)");
  // 8 requests: two on the fuller replicas.
  expect_fault([](Case& c) { c.plan.batch.sequences = 8, c.plan.batch.micro_batches = 2; },
               "valid");
  expect_fault(
      [](Case& c) { c.plan.batch.sequences = 8, c.plan.batch.decode_micro_batches = 3; },
      "plan:12:3: error: batch.decode_micro_batches = 3 exceeds the 2 sequences of a data-parallel "
      "replica (8 over 6 replicas)");
}

TEST(CheckLayout, CutsALayerIntoNoStages) {
  expect_fault([](Case& c) { c.plan.layout.virtual_stages = 2; }, "valid");
  expect_fault([](Case& c) { c.plan.layout.virtual_stages = 3; },
               "plan:14:3: error: layout.virtual_stages = 3 cuts the model's 4 layers into 6 "
               "stages: a stage "
               "holds at least one");
  expect_fault(
      [](Case& c) {
        c.plan.layout.pipeline = 1;
        c.plan.layout.virtual_stages = 2;
      },
      "plan:14:3: error: layout.virtual_stages = 2 needs a pipeline of several ranks, "
      "layout.pipeline = 1");
}

}  // namespace
}  // namespace rehearse
