// Laws that every kind of attention keeps, whatever it computes.
#include <gtest/gtest.h>

#include <map>
#include <string>

#include "model/attention_kind.hpp"
#include "model/weights.hpp"

namespace rehearse {
namespace {

// An attention of each kind, which 1, 2 and 4 tensor ranks may share and 5 may not. A new kind
// needs its own here.
std::map<std::string, Attention> attentions() {
  std::map<std::string, Attention> all;
  const auto heads = [](int query, int key_value, int dim) {
    Attention attention;
    attention.heads = query;
    attention.kv_heads = key_value;
    attention.head_dim = dim;
    return attention;
  };
  all["grouped_query"] = heads(8, 2, 3);
  all["grouped_query"].bias = true;
  all["block_sparse"] = heads(8, 2, 3);
  all["block_sparse"].kind = BlockSparse{2, 4, 1, 1 << 20};
  all["latent"].heads = 8;
  all["latent"].kind = Latent{6, 5, 3, 2, 4};
  all["compressed"] = heads(8, 1, 4);
  all["compressed"].window = 1 << 20;
  all["compressed"].kind = Compressed{6, 2, 0, 4, 3};
  all["gated_delta"].kind = GatedDelta{4, 8, 3, 2, 4};
  all["kimi_delta"].kind = KimiDelta{8, 3, 4, true};
  all["lightning"] = heads(8, 0, 3);
  all["lightning"].kind = Lightning{16};
  all["mamba2"].kind = Mamba2{8, 3, 2, 4, 4, 16};
  all["mamba"].kind = Mamba{32, 4, 4, 3, true};
  return all;
}

Model model_with(const Attention& attention) {
  Model model;
  model.layers = 2;
  model.hidden = 16;
  model.attention = {attention};
  model.dense = {FeedForward{16, false}};
  model.vocab = 10;
  model.kv_dtype = Dtype::kFp32;
  return model;
}

class EveryAttention : public testing::TestWithParam<const AttentionKind*> {
 protected:
  const AttentionKind& kind_ = *GetParam();
  const Model model_ = model_with(attentions().at(kind_.name));
  const Attention& attention_ = model_.attention[0];
  // Keys and values are of all tokens, and what they are of heads is expanded by no other operator.
  bool keeps_state() const { return cache(1).state.value > 0; }
  SequenceCache cache(int tensor) const { return kind_.cache(model_, attention_, tensor); }

  std::vector<NamedOperator> operators(const Slice& slice, bool decodes, int tensor) const {
    const std::vector<Slice> slices = {slice};
    return kind_.operators(model_, 0, {slices, decodes}, tensor);
  }

  // Of all operators together.
  struct Sum {
    Amount flops, bytes, inputs;
    Bytes weights, outputs;
  };
  Sum sum(const Slice& slice, bool decodes, int tensor) const {
    Sum sum;
    const auto add = [](const Amount& part, Amount& to) {
      to.base += part.base;
      to.per_step += part.per_step;
    };
    for (const NamedOperator& each : operators(slice, decodes, tensor)) {
      add(each.op.flops(), sum.flops);
      add(each.op.bytes(), sum.bytes);
      add(each.op.inputs, sum.inputs);
      sum.weights += each.op.weights;
      sum.outputs += each.op.outputs;
    }
    return sum;
  }
};

TEST_P(EveryAttention, IsOneThatTheModelsLayersHave) {
  EXPECT_EQ(&kind_of(attention_), &kind_);
  kind_.check(model_, attention_, "attention");
  for (const int tensor : {1, 2, 4}) EXPECT_EQ(kind_.refusal(attention_, tensor), "");
  EXPECT_NE(kind_.refusal(attention_, 5), "");  // 8 heads
}

TEST_P(EveryAttention, RanksTogetherHoldAllWeightsAndKeepAllTokens) {
  for (const WeightPart part : kind_.parts) {
    const double whole = kind_.weights(model_, attention_, part, 1).parameters();
    EXPECT_EQ(has_part(model_, part, 0), whole > 0) << to_text(part);
    for (const int tensor : {2, 4}) {
      EXPECT_GE(kind_.weights(model_, attention_, part, tensor).parameters() * tensor, whole);
    }
  }
  for (const int tensor : {2, 4}) {
    EXPECT_GE((cache(tensor).kept(3, 30) * static_cast<double>(tensor)).value,
              cache(1).kept(3, 30).value);
  }
}

TEST_P(EveryAttention, ReadsItsMatricesOnceAndMultipliesThemByEveryToken) {
  for (const int tensor : {1, 2, 4}) {
    Bytes matrices;
    double parameters = 0;
    for (const WeightPart part : kind_.parts) {
      matrices += matrix_bytes(model_, part, 0, tensor);
      for (const Matrix& matrix : kind_.weights(model_, attention_, part, tensor).matrices) {
        parameters += matrix.parameters();
      }
    }
    // Without tokens nothing, with them 2 FLOPs per parameter; scores come on top.
    const Sum all = sum({3, 2, 0}, false, tensor);
    EXPECT_EQ(all.weights.value, matrices.value);
    EXPECT_GE(all.flops.base, 2 * 6 * parameters);
    const Sum none = sum({0, 2, 0}, false, tensor);
    EXPECT_EQ(none.flops.base, 0);
    EXPECT_EQ(none.bytes.base, 0);
  }
}

TEST_P(EveryAttention, WritesTheCacheOfNewTokensAndReadsThatOfEarlierOnes) {
  for (const int tensor : {1, 4}) {
    const SequenceCache cache = this->cache(tensor);
    Bytes written;
    for (const NamedOperator& each : operators({3, 1, 7}, false, tensor)) {
      written += each.op.outputs - each.op.result;
    }
    // A state is written anew.
    EXPECT_EQ(written.value, (cache.of_token() * 3 + cache.state * 3).value);
    const double more =
        sum({3, 1, 9}, false, tensor).inputs.base - sum({3, 1, 7}, false, tensor).inputs.base;
    const double scores = kind_.name == std::string("block_sparse") ? 2 * 4 : 0;  // of fp32
    EXPECT_EQ(more, 3 * 2 * (cache.of_token().value + scores));
  }
}

TEST_P(EveryAttention, LongerContextsAreWhatARepeatedDecodingAdds) {
  for (const int tensor : {1, 4}) {
    const Sum step = sum({3, 1, 7}, true, tensor);
    const Sum later = sum({3, 1, 12}, true, tensor);
    EXPECT_EQ(step.flops.at(5), later.flops.base);
    EXPECT_EQ(step.bytes.at(5), later.bytes.base);
  }
}

// Of latent attention a second part expands the latents of the first once more.
TEST_P(EveryAttention, OfAPromptInTwoPartsHasThePairsOfTheWhole) {
  for (const int tensor : {1, 4}) {
    const Sum first = sum({3, 4, 0}, false, tensor);
    const Sum second = sum({3, 2, 4}, false, tensor);
    const Sum whole = sum({3, 6, 0}, false, tensor);
    const double again =
        kind_.name == std::string("latent")
            ? 2 * 3 * 4 * kind_.weights(model_, attention_, WeightPart::kKvUp, tensor).parameters()
            : 0;
    EXPECT_EQ(first.flops.base + second.flops.base - again, whole.flops.base);
    if (again == 0 && !keeps_state()) {
      EXPECT_EQ((first.outputs + second.outputs).value, whole.outputs.value);
    }
  }
}

TEST_P(EveryAttention, OnAllRanksComputesWhatTheModelAsksForOnce) {
  const auto useful = [&](int tensor) {
    double flops = 0;
    for (const NamedOperator& each : operators({3, 6, 0}, false, tensor)) {
      flops += tensor * each.op.flops().base * each.op.useful_flops_share;
    }
    return flops;
  };
  // Groups of Mamba-2 that are copied score once more on each rank that has one.
  const double slack = kind_.name == std::string("mamba2") ? 1.2 : 1 + 1e-12;
  for (const int tensor : {2, 4}) {
    EXPECT_GE(useful(tensor) * (1 + 1e-12), useful(1));
    EXPECT_LE(useful(tensor), useful(1) * slack);
  }
}

INSTANTIATE_TEST_SUITE_P(Kinds, EveryAttention,
                         testing::ValuesIn(attention_kinds().begin(), attention_kinds().end()),
                         [](const auto& each) { return each.param->name; });

}  // namespace
}  // namespace rehearse
