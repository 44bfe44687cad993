// Every operator by hand, for dimensions small enough to multiply in the head: hidden 8, 4 query
// heads of 2 dimensions on 2 KV heads, vocabulary 10, 4 gated experts of width 6 (a token visits
// 2); weights 1 byte, activations 2, KV cache 4 per element, so that a swapped size shows.
#include "model/operators.hpp"

#include <gtest/gtest.h>

#include <algorithm>

#include "model/attention/kinds.hpp"
#include "model/weights.hpp"

namespace rehearse {
namespace {

Model model_by_hand() {
  Model model;
  model.layers = 3;
  model.hidden = 8;
  model.attention = {{.heads = 4, .kv_heads = 2, .head_dim = 2}};
  model.moe = MixtureOfExperts{.experts = 4, .top_k = 2, .expert = {6, true}};
  model.vocab = 10;
  model.weight_dtype = Dtype::kFp8;
  model.activation_dtype = Dtype::kBf16;
  model.kv_dtype = Dtype::kFp32;
  return model;
}

// The index-th operator of the model's attention.
Operator of_attention(int index, const Model& model, const Slice& slice, bool decodes, int tensor) {
  const std::vector<Slice> slices = {slice};
  return kGroupedQuery.operators(model, 0, {slices, decodes}, tensor)[index].op;
}

Operator qkv_projection(const Model& model, double tokens, int tensor) {
  return of_attention(0, model, {1, tokens, 0}, false, tensor);
}
Operator prefill_attention(const Model& model, double sequences, double prompt, int tensor) {
  return of_attention(1, model, {sequences, prompt, 0}, false, tensor);
}
// Each sequence's new token attends to `context` tokens, itself included.
Operator decode_attention(const Model& model, double sequences, double context, int tensor) {
  return of_attention(1, model, {sequences, 1, context - 1}, true, tensor);
}
Operator output_projection(const Model& model, double tokens, int tensor) {
  return of_attention(2, model, {1, tokens, 0}, false, tensor);
}

Model with_dense(const FeedForward& ffn) {
  Model model = model_by_hand();
  model.dense = {ffn};
  model.moe->first_dense_layers = 1;
  return model;
}

struct Expected {
  double flops, weights, inputs, outputs, result;
};

void expect_work(const Operator& op, OperatorClass op_class, const Expected& expected,
                 double useful_flops_share = 1) {
  EXPECT_STREQ(to_text(op.op_class), to_text(op_class));
  EXPECT_EQ(op.flops().base, expected.flops);
  EXPECT_EQ(op.weights.value, expected.weights);
  EXPECT_EQ(op.inputs.base, expected.inputs);
  EXPECT_EQ(op.outputs.value, expected.outputs);
  EXPECT_EQ(op.result.value, expected.result);
  EXPECT_EQ(op.bytes().base, expected.weights + expected.inputs + expected.outputs);
  EXPECT_EQ(op.bytes().per_step, op.inputs.per_step);
  EXPECT_EQ(op.useful_flops_share, useful_flops_share);
}

TEST(Operators, EmbeddingReadsItsShareOfTheRowsAndWritesAll) {
  // 6 tokens on 2 ranks: 3 rows of 8 x 1 byte found here; 6 x 8 x 2 bytes written.
  expect_work(embedding(model_by_hand(), 6, 2), OperatorClass::kEmbedding, {0, 24, 0, 96, 96});
}

TEST(Operators, NormReadsAndWritesResidualAndActivation) {
  // 3 x 8 x 2 = 48 bytes each; the residual is updated in place, so 48 stay.
  expect_work(norm(model_by_hand(), 3), OperatorClass::kNorm, {0, 8, 96, 96, 48});
}

TEST(Operators, QkvProjectionHasColumnsForQueryAndTwiceForKeyValue) {
  // One rank: (4 + 2 x 2) x 2 = 16 columns. 2 x 3 x 8 x 16 = 768 FLOPs, 8 x 16 weights.
  expect_work(qkv_projection(model_by_hand(), 3, 1), OperatorClass::kGemm,
              {768, 128, 3 * 8 * 2, 3 * 16 * 2, 96});
  // Two ranks: half of everything but the input.
  expect_work(qkv_projection(model_by_hand(), 3, 2), OperatorClass::kGemm, {384, 64, 48, 48, 48});
  // Four ranks share two KV heads: (1 + 2 x 1) x 2 = 6 columns each, not 4: of all their 24 columns
  // 16 are the model's.
  expect_work(qkv_projection(model_by_hand(), 3, 4), OperatorClass::kGemm, {288, 48, 48, 36, 36},
              16.0 / 24);
}

TEST(Operators, PrefillAttentionIsCausalAndWritesTheCache) {
  // 2 sequences of 3 tokens: 2 x (1 + 2 + 3) = 12 pairs, 4 FLOPs x 4 heads x 2 dimensions each.
  // Reads Q (8 columns) and K, V (8) of 6 tokens at 2 bytes; writes 8 columns at 2 bytes, which
  // stay, and the cache's 8 columns at 4.
  expect_work(prefill_attention(model_by_hand(), 2, 3, 1), OperatorClass::kAttentionPrefill,
              {384, 0, 6 * 16 * 2, 96 + 6 * 8 * 4, 96});
  // On four ranks: 1 query head (2 columns) and a copy of a KV head (2 x 2 columns).
  expect_work(prefill_attention(model_by_hand(), 2, 3, 4), OperatorClass::kAttentionPrefill,
              {96, 0, 6 * 6 * 2, 24 + 6 * 4 * 4, 24});
}

TEST(Operators, DecodeAttentionReadsTheCache) {
  // 2 sequences, each token attends to 5 positions: 4 x 8 x 2 x 5 = 320 FLOPs, 64 more a step.
  // Reads 4 cached tokens of 8 columns at 4 bytes, and its own Q, K, V of 16 columns at 2; a step
  // later one cached token more. Writes its output and its own 8 cache columns.
  const Operator op = decode_attention(model_by_hand(), 2, 5, 1);
  expect_work(op, OperatorClass::kAttentionDecode,
              {320, 0, 2 * (4 * 32 + 32), 2 * 16 + 2 * 32, 2 * 16});
  EXPECT_EQ(op.flops().per_step, 64);
  EXPECT_EQ(op.inputs.per_step, 2 * 32);
  EXPECT_EQ(op.flops().at(3), 320 + 3 * 64);
}

TEST(Operators, DecodeCostsThePairsThatPrefillWouldHaveAdded) {
  // Token p attends to p positions in both phases: a decode step at context p is what separates
  // prefills of p and p - 1 tokens, FLOPs and cache bytes written.
  const Model model = model_by_hand();
  for (const int tensor : {1, 2, 4}) {
    for (int context = 1; context < 6; ++context) {
      const Operator longer = prefill_attention(model, 3, context, tensor);
      const Operator shorter = prefill_attention(model, 3, context - 1, tensor);
      for (int from = 1; from <= context; ++from) {
        const Operator step = decode_attention(model, 3, from, tensor);
        EXPECT_EQ(step.flops().at(context - from), longer.flops().base - shorter.flops().base);
        EXPECT_EQ((step.outputs - step.result).value,
                  (longer.outputs - longer.result - shorter.outputs + shorter.result).value);
      }
    }
  }
}

TEST(Operators, OutputProjectionAndLmHead) {
  // 3 tokens, 8 rows (4 heads x 2) to 8 columns; on 2 ranks 4 rows.
  expect_work(output_projection(model_by_hand(), 3, 1), OperatorClass::kGemm,
              {384, 64, 48, 48, 48});
  expect_work(output_projection(model_by_hand(), 3, 2), OperatorClass::kGemm,
              {192, 32, 24, 48, 48});
  // 2 scored tokens, 8 rows to 10 / 2 columns.
  expect_work(lm_head(model_by_hand(), 2, 2), OperatorClass::kGemm, {160, 40, 32, 20, 20});
  // Sampling reads 2 x 10 logits at 2 bytes and writes two int32.
  expect_work(sampling(model_by_hand(), 2), OperatorClass::kSampling, {0, 0, 40, 8, 8});
}

TEST(Operators, RouterPermuteAndCombine) {
  // 3 tokens, 8 rows to 4 experts.
  expect_work(router(model_by_hand(), 0, 3), OperatorClass::kRouter, {192, 32, 48, 24, 24});
  // 3 rows of 16 bytes become 3 x 2 copies, and back.
  expect_work(permute(model_by_hand(), 3), OperatorClass::kElementwise, {0, 0, 48, 96, 96});
  expect_work(combine(model_by_hand(), 3), OperatorClass::kElementwise, {0, 0, 96, 48, 48});
}

TEST(Operators, GatedExpertsMultiplyTwiceAndWriteTheProduct) {
  // 5 copies, 8 rows to 2 x 6 columns: 960 FLOPs; the product of both halves, 6 columns, is
  // written. 2 touched experts: 2 x 8 x 12 weights.
  expect_work(expert_up(model_by_hand(), 0, 5, 2, 1), OperatorClass::kExpertGemm,
              {960, 192, 80, 60, 60});
  // 6 rows to 8 columns.
  expect_work(expert_down(model_by_hand(), 0, 5, 2, 1), OperatorClass::kExpertGemm,
              {480, 96, 60, 80, 80});
  // On 2 ranks half the columns, half the rows.
  expect_work(expert_up(model_by_hand(), 0, 5, 2, 2), OperatorClass::kExpertGemm,
              {480, 96, 80, 30, 30});
  expect_work(expert_down(model_by_hand(), 0, 5, 2, 2), OperatorClass::kExpertGemm,
              {240, 48, 30, 80, 80});
}

TEST(Operators, PlainAndGatedFeedForward) {
  // 3 tokens, 8 rows to 12 / 2 columns, plain and gated (12 columns multiplied, 6 written).
  expect_work(dense_up(with_dense({12, false}), 0, 3, 2), OperatorClass::kGemm,
              {288, 48, 48, 36, 36});
  expect_work(dense_up(with_dense({12, true}), 0, 3, 2), OperatorClass::kGemm,
              {576, 96, 48, 36, 36});
  expect_work(dense_down(with_dense({12, true}), 0, 3, 2), OperatorClass::kGemm,
              {288, 48, 36, 48, 48});
}

TEST(Operators, SharedExpertsOfALayerAreOneNetwork) {
  Model model = model_by_hand();
  model.moe->shared_experts = 2;
  model.moe->shared = {6, true};
  // As one gated FFN of width 12 on 2 ranks.
  expect_work(shared_up(model, 0, 3, 2), OperatorClass::kGemm, {576, 96, 48, 36, 36});
  expect_work(shared_down(model, 0, 3, 2), OperatorClass::kGemm, {288, 48, 36, 48, 48});
  // fault:C5: 4,096 shared experts of width 2^20 have more columns than an int can count.
  // 2 x 1 token x 8 x (2 x 4096 x 2^20) FLOPs.
  model.moe->shared_experts = 4096;
  model.moe->shared = {1 << 20, true};
  EXPECT_EQ(shared_up(model, 0, 1, 1).flops().base, 2.0 * 8 * 2 * 4096 * (1 << 20));
}

TEST(Operators, WithoutTokensDoNothing) {
  // An empty micro-batch launches no kernel, so it reads no weights either.
  Model model = with_dense({12, true});
  model.moe->shared_experts = 2;
  model.moe->shared = {6, true};
  for (const Operator& op :
       {embedding(model, 0, 2), norm(model, 0), qkv_projection(model, 0, 2),
        prefill_attention(model, 0, 5, 2), decode_attention(model, 0, 5, 2),
        output_projection(model, 0, 2), router(model, 0, 0), permute(model, 0), combine(model, 0),
        expert_up(model, 0, 0, 0, 1), expert_down(model, 0, 0, 0, 1), dense_up(model, 0, 0, 2),
        dense_down(model, 0, 0, 2), shared_up(model, 0, 0, 2), shared_down(model, 0, 0, 2),
        lm_head(model, 0, 2), sampling(model, 0)}) {
    EXPECT_EQ(op.flops().base, 0) << to_text(op.op_class);
    EXPECT_EQ(op.flops().per_step, 0) << to_text(op.op_class);
    EXPECT_EQ(op.bytes().base, 0) << to_text(op.op_class);
    EXPECT_EQ(op.bytes().per_step, 0) << to_text(op.op_class);
  }
}

// The shape that a cost model reads says the same as the bytes beside it. With plain weights of 2
// bytes, activations of 2: every matrix of a group once, every row in and out once.
TEST(Work, OfAMatrixProductHasTheBytesOfItsOperator) {
  Model model = with_dense({12, false});
  model.moe->expert.gated = false;
  model.moe->shared_experts = 2;
  model.moe->shared = {6, false};
  model.weight_dtype = Dtype::kBf16;
  for (const int tensor : {1, 2}) {
    for (const Operator& op :
         {qkv_projection(model, 3, tensor), output_projection(model, 3, tensor),
          router(model, 1, 3), expert_up(model, 1, 5, 2, tensor),
          expert_down(model, 1, 5, 2, tensor), shared_up(model, 1, 3, tensor),
          shared_down(model, 1, 3, tensor), dense_up(model, 0, 3, tensor),
          dense_down(model, 0, 3, tensor), lm_head(model, 3, tensor)}) {
      const Gemm& gemm = std::get<Gemm>(op.work.shape);
      EXPECT_EQ(op.weights.value, 2 * gemm.groups * gemm.n * gemm.k);
      EXPECT_EQ(op.inputs.base, 2 * gemm.m * gemm.k);
      EXPECT_EQ(op.outputs.value, 2 * gemm.m * gemm.n);
      EXPECT_EQ(op.flops().base, 2 * gemm.m * gemm.n * gemm.k);
    }
  }
}

TEST(Work, OfGatedNetworksAndSharedExpertsSideBySide) {
  Model model = model_by_hand();
  model.moe->shared_experts = 2;
  model.moe->shared = {6, true};
  // 3 tokens; gate and up of both, 2 x 2 x 6 columns, then their 12 rows to hidden 8.
  const Gemm up = std::get<Gemm>(shared_up(model, 0, 3, 1).work.shape);
  const Gemm down = std::get<Gemm>(shared_down(model, 0, 3, 1).work.shape);
  EXPECT_EQ(up.n, 24);
  EXPECT_EQ(up.k, 8);
  EXPECT_EQ(down.n, 8);
  EXPECT_EQ(down.k, 12);
  // 5 copies for the 2 of the rank's experts that get any.
  const Gemm expert = std::get<Gemm>(expert_up(model, 0, 5, 2, 1).work.shape);
  EXPECT_EQ(expert.m, 5);
  EXPECT_EQ(expert.groups, 2);
}

TEST(Work, OfScoresHasTheBytesOfItsOperator) {
  // 2 sequences of 3 new tokens behind 5: 6 x 5 + 2 x (1 + 2 + 3) = 42 pairs; 10 cached tokens of
  // 2 x 2 KV columns at 4 bytes are read, and 6 rows of Q, K and V at 2.
  for (const int tensor : {1, 2, 4}) {
    const Operator op = of_attention(1, model_by_hand(), {2, 3, 5}, false, tensor);
    const auto& scores = std::get<AttentionScores>(op.work.shape);
    EXPECT_EQ(scores.heads, 4.0 / tensor);
    EXPECT_EQ(scores.kv_heads, std::max(1.0, 2.0 / tensor));
    EXPECT_EQ(scores.pairs.base, 42);
    EXPECT_EQ(scores.tokens, 6);
    EXPECT_EQ(scores.sequences, 2);
    const double values = scores.kv_heads * 2 * 2;
    EXPECT_EQ(op.inputs.base,
              scores.cached.base * values * 4 + scores.tokens * (scores.heads * 2 + values) * 2);
    EXPECT_EQ((op.outputs - op.result).value, scores.tokens * values * 4);
    EXPECT_EQ(op.result.value, scores.tokens * scores.heads * 2 * 2);
    EXPECT_EQ(op.work.stored, Dtype::kFp32);
    EXPECT_EQ(op.work.computed, Dtype::kBf16);
  }
  const Operator decode = of_attention(1, model_by_hand(), {2, 1, 5}, true, 1);
  const auto& scores = std::get<AttentionScores>(decode.work.shape);
  EXPECT_EQ(scores.pairs.at(3), 2 * (5 + 1 + 3));
  EXPECT_EQ(scores.cached.at(3), 2 * (5 + 3));
}

TEST(Work, OfRoutedTokensHasTheRowsThatCame) {
  const Work work = expert_up(model_by_hand(), 0, 5, 2, 1).work;
  const Work other = with_rows(work, 9, 3);
  EXPECT_EQ(std::get<Gemm>(other.shape).m, 9);
  EXPECT_EQ(std::get<Gemm>(other.shape).groups, 3);
  EXPECT_EQ(flops_of(other).base, 9 * flops_of(work).base / 5);
  EXPECT_EQ(flops_of(with_rows(permute(model_by_hand(), 3).work, 9, 3)).base, 0);
}

TEST(Backward, OfAMatrixProductIsTwiceTheForwardAndEndsInItsShapes) {
  // 5 copies for 2 experts of 8 x 12: dX is 5 x 8 and meets the transposed matrices; dW is 2 times
  // 8 x 12, each from the 2.5 rows that its expert had on average.
  const Gemm forward = std::get<Gemm>(expert_up(model_by_hand(), 0, 5, 2, 1).work.shape);
  const Gemm input = input_gradient(forward);
  EXPECT_EQ(input.m, 5);
  EXPECT_EQ(input.n, 8);
  EXPECT_EQ(input.k, 12);
  EXPECT_EQ(input.groups, 2);
  const Gemm weight = weight_gradient(forward);
  EXPECT_EQ(weight.m, 2 * 8);
  EXPECT_EQ(weight.n, 12);
  EXPECT_EQ(weight.k, 2.5);
  EXPECT_EQ(weight.groups, 2);
  EXPECT_EQ(flops_of({input}).base, 2 * 5 * 8 * 12);
  EXPECT_EQ(flops_of({input}).base + flops_of({weight}).base, 2 * flops_of({forward}).base);
}

TEST(Backward, OfAttentionHasFiveProductsForTheForwardsTwo) {
  // Alike dimensions: 5 / 2 of the forward, as FlashAttention's own benchmark counts. Keys of 6
  // and values of 4: 3 x 6 + 2 x 4 = 26 for 10.
  const Work forward = of_attention(1, model_by_hand(), {2, 3, 0}, false, 1).work;
  AttentionScores scores = std::get<AttentionScores>(forward.shape);
  EXPECT_EQ(flops_of({gradient(scores)}).base, 2.5 * flops_of(forward).base);
  scores.key_dimensions = 6;
  scores.value_dimensions = 4;
  EXPECT_EQ(flops_of({gradient(scores)}).base, 2.6 * flops_of({scores}).base);
}

TEST(TouchedExperts, BetweenOneTokenAndAll) {
  const MixtureOfExperts moe{.experts = 4, .top_k = 2, .expert = {6, true}};
  EXPECT_EQ(touched_experts(moe, 2, 0), 0);
  EXPECT_EQ(touched_experts(moe, 2, 1), 1);           // top_k x local / experts = 2 x 2 / 4
  EXPECT_EQ(touched_experts(moe, 2, 2), 1.5);         // 2 x (1 - 1/2 ^ 2)
  EXPECT_DOUBLE_EQ(touched_experts(moe, 2, 200), 2);  // all of them
  const MixtureOfExperts dense{.experts = 4, .top_k = 4, .expert = {6, true}};
  EXPECT_EQ(touched_experts(dense, 3, 1), 3);
  EXPECT_EQ(touched_experts(dense, 3, 0), 0);
}

TEST(KvCacheOfARank, CopiesHeadsThatTensorRanksOutnumber) {
  // 2 x heads x 2 dimensions x 4 bytes a layer; 2, 1 and 1 heads per rank.
  EXPECT_EQ(kv_bytes_per_token(model_by_hand(), 0, 1, 1).value, 32);
  EXPECT_EQ(kv_bytes_per_token(model_by_hand(), 1, 2, 2).value, 2 * 16);
  EXPECT_EQ(kv_bytes_per_token(model_by_hand(), 0, 3, 4).value, 3 * 16);
  EXPECT_EQ(kv_bytes_per_token(model_by_hand()).value, 3 * 32);
}

double attention_weights(const Model& model, int tensor) {
  return (weight_bytes(model, WeightPart::kQkv, 0, tensor) +
          weight_bytes(model, WeightPart::kAttentionOutput, 0, tensor))
      .value;
}

double ffn_weights(const FeedForward& ffn, int tensor) {
  const Model model = with_dense(ffn);
  return (weight_bytes(model, WeightPart::kDenseUp, 0, tensor) +
          weight_bytes(model, WeightPart::kDenseDown, 0, tensor))
      .value;
}

TEST(WeightsOfARank, AreAllParametersOnOneRank) {
  Model model = model_by_hand();
  for (const bool bias : {false, true}) {
    model.attention[0].bias = model.moe->expert.bias = bias;
    const ParameterCount count = count_parameters(model);
    EXPECT_EQ(attention_weights(model, 1) * 3, count.attention);
    EXPECT_EQ(expert_weights(model, 0, 1).value * 3 * 4, count.experts);
  }
}

TEST(WeightsOfARank, SplitMatricesAndInnerBiasesButNotTheBiasOfTheOutput) {
  Model model = model_by_hand();
  // Attention on 2 ranks: 8 x 8 Q, K, V columns and 4 x 8 of the output. Biases: 8 and 8.
  EXPECT_EQ(attention_weights(model, 2), 64 + 32);
  model.attention[0].bias = true;
  EXPECT_EQ(attention_weights(model, 2), 64 + 32 + 8 + 8);
  // FFN of width 12 on 2 ranks: plain 2 x 8 x 6, gated 3 x 8 x 6. Biases: 6 (gated 12) and 8.
  EXPECT_EQ(ffn_weights({12, false}, 2), 96);
  EXPECT_EQ(ffn_weights({12, true}, 2), 144);
  EXPECT_EQ(ffn_weights({12, false, true}, 2), 96 + 6 + 8);
  EXPECT_EQ(ffn_weights({12, true, true}, 2), 144 + 12 + 8);
}

TEST(OperatorClass, HasATextForEach) {
  EXPECT_STREQ(to_text(OperatorClass::kEmbedding), "embedding");
  EXPECT_STREQ(to_text(OperatorClass::kAttentionDecode), "attention_decode");
  EXPECT_STREQ(to_text(OperatorClass::kSampling), "sampling");
  EXPECT_STREQ(to_text(OperatorClass::kHost), "host");
}

}  // namespace
}  // namespace rehearse
