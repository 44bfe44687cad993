// Rows of kernels: what they say, what is refused and where, and that a row demands what a plan's
// operators of the same shape do.
#include "commands/operator_batch.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <array>
#include <string>
#include <vector>

#include "base/error.hpp"
#include "input/source_text.hpp"
#include "model/attention_kind.hpp"
#include "model/operators.hpp"

namespace rehearse {
namespace {

OperatorBatch batch_of(const std::string& text) {
  return read_operator_batch(source_of("rows.csv", text, "a table"));
}

OperatorRow row_of(const std::string& names, const std::string& values) {
  return batch_of("kind,gpu,dtype," + names + "\n" + values + "\n").rows.at(0);
}

std::string refusal_of(const std::string& text) {
  try {
    batch_of(text);
  } catch (const InputError& error) {
    return error.what();
  }
  return "";
}

void expect_same(const PricedKernel& kernel, const Operator& op) {
  EXPECT_DOUBLE_EQ(flops_of(kernel.work).base, op.flops().base);
  EXPECT_DOUBLE_EQ(kernel.bytes.value, op.bytes().base);
  EXPECT_EQ(kernel.work.shape.index(), op.work.shape.index());
  EXPECT_EQ(kernel.work.stored, op.work.stored);
  EXPECT_EQ(kernel.work.computed, op.work.computed);
}

// 8 experts of 14,336 columns, two for a token, in 16 bits.
Model small_mixture() {
  Model model;
  model.name = "mixture";
  model.layers = 1;
  model.hidden = 4096;
  model.attention = {{.heads = 32, .kv_heads = 8, .head_dim = 128}};
  model.vocab = 32000;
  model.moe = MixtureOfExperts{.experts = 8, .top_k = 2, .expert = {14336, true}};
  return model;
}

// A dispatch brings as many copies as leave: the kernels of the layer, one by one.
TEST(OperatorRows, OfAMixtureAreTheKernelsOfAPlansLayer) {
  const Model model = small_mixture();
  const OperatorRow row =
      row_of("tokens,hidden,ffn,experts,top_k", "moe,h100,bf16,1024,4096,14336,8,2");
  ASSERT_EQ(row.reason, "");
  ASSERT_EQ(row.kernels.size(), 4U);
  expect_same(row.kernels[0], permute(model, 1024));
  expect_same(row.kernels[1], expert_up(model, 0, 2048, 8, 1));
  expect_same(row.kernels[2], expert_down(model, 0, 2048, 8, 1));
  expect_same(row.kernels[3], combine(model, 1024));
  EXPECT_TRUE(std::get<Gemm>(row.kernels[1].work.shape).experts);
  EXPECT_EQ(std::get<Gemm>(row.kernels[1].work.shape).groups, 8);
}

TEST(OperatorRows, OfAttentionAreThoseOfAPlan) {
  const Model model = small_mixture();
  const auto of_plan = [&](const Slice& slice) {
    const std::array<Slice, 1> slices = {slice};
    const AttentionShape shape{slices};
    return kind_of(model.attention.front()).operators(model, 0, shape, 1).at(1).op;
  };
  const std::string names = "batch,tokens,context,heads,kv_heads,head_dim";
  const OperatorRow prefill = row_of(names, "attention_prefill,h100,bf16,3,1024,,32,8,128");
  ASSERT_EQ(prefill.reason, "");
  expect_same(prefill.kernels.at(0), of_plan({3, 1024, 0}));
  // The context of a row counts the token itself.
  const OperatorRow decode = row_of(names, "attention_decode,h100,bf16,16,,2049,32,8,128");
  ASSERT_EQ(decode.reason, "");
  expect_same(decode.kernels.at(0), of_plan({16, 1, 2048}));
  EXPECT_EQ(decode.kv_heads, 8);
}

// 2 x 64 x 128 x 256 FLOPs; 128 x 256 elements of half a byte with a byte of scale for 16, and
// 64 x (256 + 128) activations of 2 bytes.
TEST(OperatorRows, OfAProductHaveItsWeightsAndActivations) {
  const OperatorRow row = row_of("m,n,k", "gemm,b200,nvfp4,64,128,256");
  ASSERT_EQ(row.reason, "");
  EXPECT_DOUBLE_EQ(flops_of(row.kernels.at(0).work).base, 2.0 * 64 * 128 * 256);
  EXPECT_DOUBLE_EQ(row.kernels.at(0).bytes.value,
                   128 * 256 * (0.5 + 1.0 / 16) + 64.0 * (256 + 128) * 2);
}

// Of 64 tokens of 2 experts each on one of 8 ranks 16 copies, half as many more on the busiest.
TEST(OperatorRows, OfAMixtureMayBeUneven) {
  const std::string names = "tokens,hidden,ffn,experts,top_k,ep,load";
  const auto copies = [&](const std::string& load) {
    const OperatorRow row = row_of(names, "moe,h100,bf16,64,4096,14336,8,2,8," + load);
    EXPECT_EQ(row.reason, "");
    return std::get<Gemm>(row.kernels.at(1).work.shape).m;
  };
  EXPECT_EQ(copies(""), 16);
  EXPECT_EQ(copies("balanced"), 16);
  EXPECT_EQ(copies("1.5"), 24);
  EXPECT_EQ(copies("100"), 128) << "no more than there are";
}

TEST(OperatorRows, ThatCannotBePricedSayWhy) {
  const auto reason = [](const std::string& names, const std::string& values) {
    return row_of(names, values).reason;
  };
  EXPECT_EQ(reason("m,n,k", "gem,h100,bf16,1,2,3"), "unknown kind \"gem\": did you mean \"gemm\"?");
  EXPECT_EQ(reason("m,n,k", "gemm,h100,bf16,,2,3"), "m is empty");
  EXPECT_EQ(reason("m,n", "gemm,h100,bf16,1,2"), "k is empty");
  EXPECT_EQ(reason("m,n,k", "gemm,h100,bf16,1.5,2,3"), "m = 1.5: must be a whole number");
  EXPECT_EQ(reason("m,n,k", "gemm,h100,bf16,-1,2,3"),
            "m = \"-1\": must be a number from 1 to 16777216");
  EXPECT_EQ(reason("m,n,k", "gemm,h100,bf61,1,2,3"), "dtype = \"bf61\": did you mean \"bf16\"?");
  EXPECT_EQ(reason("m,n,k", "gemm,,bf16,1,2,3"), "gpu is empty");
  EXPECT_EQ(
      reason("batch,tokens,heads,kv_heads,head_dim", "attention_prefill,h100,bf16,1,8,32,5,64"),
      "kv_heads = 5: must divide heads = 32");
  EXPECT_EQ(
      reason("batch,tokens,heads,head_dim,causal", "attention_prefill,h100,bf16,1,8,32,64,maybe"),
      "causal = \"maybe\": must be true or false");
  EXPECT_EQ(reason("tokens,hidden,ffn,experts,top_k", "moe,h100,bf16,1,8,32,4,5"),
            "top_k = 5: must be at most experts = 4");
}

TEST(OperatorRows, ThatAreNoTableEndTheCommand) {
  EXPECT_EQ(
      refusal_of("gpu,m\nh100,1\n"),
      "rows.csv:1:1: error: column kind is missing: the first line names the columns kind, gpu");
  EXPECT_NE(refusal_of("kind,gpu,m\ngemm,h100\n").find("rows.csv:2:"), std::string::npos);
  EXPECT_EQ(refusal_of("kind,gpu,time_s\ngemm,h100,1\n"),
            "rows.csv:1:10: error: column time_s is one that the answer adds: leave it out");
  EXPECT_EQ(refusal_of(""), "rows.csv:1:1: error: the file is empty: expected a table");
  EXPECT_EQ(refusal_of("# nothing\n"),
            "rows.csv:1:1: error: has no line: the first names the columns");
}

// A row's time is a launch and the root of what it demands, with the constants of the GPU's file.
TEST(Operators, ArePricedWithTheConstantsOfTheGpu) {
  const OperatorBatch batch = batch_of(
      "kind,gpu,dtype,m,n,k\ngemm,h100,bf16,4096,4096,4096\ngemm,nogpu,bf16,1,1,1\n"
      "gemm,mi300x,bf16,64,64,64\n");
  const std::vector<OperatorAnswer> answers = price_operators(batch, {}, true);
  ASSERT_TRUE(answers.at(0).time);
  const double compute = 2 * 4096.0 * 4096 * 4096 / 989e12;
  EXPECT_GT(answers[0].time->total.value, compute) << "no faster than the peak";
  EXPECT_LT(answers[0].time->total.value, 2 * compute);
  EXPECT_EQ(answers[0].bound, "compute");
  EXPECT_EQ(answers[0].row, "gemm.bf16");
  EXPECT_FALSE(answers[0].assumed);
  EXPECT_NE(answers[0].terms.find("gemm.bf16,0,1,"), std::string::npos) << answers[0].terms;
  EXPECT_FALSE(answers.at(1).time);
  EXPECT_EQ(answers[1].reason.find("unknown GPU"), 0U) << answers[1].reason;
  ASSERT_TRUE(answers.at(2).time);
  EXPECT_TRUE(answers[2].assumed) << "nobody measured it";
  EXPECT_EQ(answers[2].bound, "launch");
}

TEST(Operators, OneIsAnsweredAsTextAndAsJson) {
  OperatorOptions options;
  options.kind = "elementwise";
  options.gpu = "h100";
  options.numbers = {{"bytes", "3.35e9"}};
  EXPECT_NE(price_operator_command(options).find("elementwise on h100: "), std::string::npos);
  options.json = true;
  EXPECT_NE(price_operator_command(options).find("\"bound\": \"memory\""), std::string::npos);
  options.numbers = {};
  EXPECT_THROW(price_operator_command(options), InputError);
}

}  // namespace
}  // namespace rehearse
