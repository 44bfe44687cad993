// Weights that are stored part by part: bytes with their scales, on a rank and read by an operator.
#include "model/storage.hpp"

#include <gtest/gtest.h>

#include "model/attention/kinds.hpp"
#include "model/operators.hpp"
#include "model/weights.hpp"

namespace rehearse {
namespace {

Storage in_blocks(Dtype dtype, int outputs, int inputs, double scale_bytes) {
  Storage storage;
  storage.dtype = storage.arithmetic = dtype;
  storage.block_outputs = outputs;
  storage.block_inputs = inputs;
  storage.scale_bytes = scale_bytes;
  return storage;
}

TEST(StoredBytes, AreElementsAndScales) {
  // 300 x 200 in blocks of 128 x 128: 3 x 2 scales of 4 bytes, each of two matrices.
  const Storage blocks = in_blocks(Dtype::kFp8, 128, 128, 4);
  EXPECT_EQ(stored_bytes(Matrix{300, 200, 2}, blocks).value, 2 * (300 * 200 + 3 * 2 * 4));
  // NVFP4: half a byte each, a scale byte for 16 inputs of an output, 8 bytes for the matrix.
  EXPECT_EQ(stored_bytes(Matrix{10, 64}, storage_named(Dtype::kFp4, Dtype::kBf16)).value,
            320 + 10 * 4 + 8);
  // AWQ: a scale and a zero point of 2.5 bytes for 128 inputs of an output.
  EXPECT_EQ(stored_bytes(Matrix{10, 256}, storage_named(Dtype::kInt4, Dtype::kBf16)).value,
            1280 + 10 * 2 * 2.5);
  // A scale for each output (block_inputs 0: all), a group number for each input.
  Storage channel = in_blocks(Dtype::kInt8, 1, 0, 2);
  channel.bytes_per_input = 4;
  EXPECT_EQ(stored_bytes(Matrix{10, 30}, channel).value, 300 + 10 * 2 + 30 * 4);
  EXPECT_EQ(stored_bytes(Matrix{}, channel).value, 0);
}

// gpt-oss: 2,880 columns are 90 blocks of 32; of 8 ranks the fullest has 12 of them, 384 columns.
TEST(Experts, InMxfp4AreCutToWholeBlocks) {
  Model model;
  model.layers = 1;
  model.hidden = 100;
  model.moe = MixtureOfExperts{};
  model.moe->experts = 4;
  model.moe->top_k = 1;
  model.moe->expert.width = 2880;
  model.moe->expert.gated = true;
  const auto columns = [&](int tensor) {
    return weights_of(model, WeightPart::kExpertDown, 0, tensor).matrices[0].inputs;
  };
  EXPECT_EQ(columns(8), 360);
  const Storage mx = in_blocks(Dtype::kFp4, 1, kMxBlock, 1);
  for (const WeightPart part : {WeightPart::kExpertUp, WeightPart::kExpertDown}) {
    model.storage.push_back({part, mx});
  }
  EXPECT_EQ(columns(1), 2880);
  EXPECT_EQ(columns(2), 1440);
  EXPECT_EQ(columns(4), 736);
  EXPECT_EQ(columns(8), 384);
  EXPECT_EQ(weights_of(model, WeightPart::kExpertUp, 0, 8).matrices[0].outputs, 384);
  // What fills a rank up is no part of the model.
  EXPECT_EQ(expert_down(model, 0, 3, 2, 8).useful_flops_share, 2880.0 / (384 * 8));
  EXPECT_EQ(expert_up(model, 0, 3, 2, 2).useful_flops_share, 1);
}

// fault:P3: layers and parts that a quantised checkpoint leaves in 16 bits, and its scales.
Model partly_quantised() {
  Model model;
  model.layers = 4;
  model.hidden = 256;
  model.attention = {{.heads = 2, .kv_heads = 1, .head_dim = 128}};
  model.dense = {FeedForward{512, true}};
  model.vocab = 10;
  const Storage fp8 = in_blocks(Dtype::kFp8, 128, 128, 4);
  for (const WeightPart part : {WeightPart::kQkv, WeightPart::kAttentionOutput,
                                WeightPart::kDenseUp, WeightPart::kDenseDown}) {
    model.storage.push_back({part, fp8, 1, 2});  // the first and the last layer stay
  }
  return model;
}

TEST(StorageOfParts, HoldsInItsLayers) {
  const Model model = partly_quantised();
  // Q 256 x 256, K and V 128 x 256: 131,072 elements; blocks 2 x 2 and twice 1 x 2.
  EXPECT_EQ(weight_bytes(model, WeightPart::kQkv, 0, 1).value, 2 * 131072);
  EXPECT_EQ(weight_bytes(model, WeightPart::kQkv, 1, 1).value, 131072 + 8 * 4);
  EXPECT_EQ(weight_bytes(model, WeightPart::kQkv, 3, 1).value, 2 * 131072);
  EXPECT_EQ(weight_bytes(model, WeightPart::kEmbedding, kNoLayer, 1).value, 2 * 2560);
  // What the operator reads, and what its products are made in.
  const std::vector<Slice> slices = {{1, 1, 4}};
  const AttentionShape shape{slices, true};
  const Operator plain = kGroupedQuery.operators(model, 0, shape, 1)[0].op;
  const Operator quantised = kGroupedQuery.operators(model, 2, shape, 1)[0].op;
  EXPECT_EQ(plain.weights.value, 2 * 131072);
  EXPECT_EQ(quantised.weights.value, 131072 + 8 * 4);
  EXPECT_EQ(plain.work.computed, Dtype::kBf16);
  EXPECT_EQ(quantised.work.computed, Dtype::kFp8);
  EXPECT_EQ(plain.flops().base, quantised.flops().base);
  // Attention itself is made in the activations' dtype, whatever the weights are.
  EXPECT_EQ(kGroupedQuery.operators(model, 2, shape, 1)[1].op.work.computed, Dtype::kBf16);
}

TEST(StorageOfParts, AddsUpToTheCheckpoint) {
  const Model model = partly_quantised();
  // A layer: QKV 131,072 + output 65,536 + FFN 3 x 131,072 = 589,824 elements; scales: 8, 4 and,
  // gate and up 4 x 2, down 2 x 4, 36 in all, of 4 bytes. Beside: 2 x 2,560 vocabulary rows'
  // elements and 9 norms of 256.
  const double fp8 = 2 * (589824 + 36 * 4);
  const double bf16 = 2 * (2 * 589824 + 2 * 2560 + 9 * 256);
  const std::vector<StorageShare> shares = storage_shares(model);
  ASSERT_EQ(shares.size(), 2u);
  EXPECT_EQ(shares[0].dtype, Dtype::kBf16);
  EXPECT_EQ(shares[0].bytes.value, bf16);
  EXPECT_EQ(shares[1].bytes.value, fp8);
  EXPECT_EQ(stored_bytes(model).value, bf16 + fp8);
  EXPECT_EQ(storage_text(model), "bf16 and fp8");
  EXPECT_EQ(fastest_arithmetic(model), Dtype::kFp8);
}

TEST(StorageOfParts, BiasesAreNotQuantisedWithTheirMatrix) {
  Model model = partly_quantised();
  const double before = weight_bytes(model, WeightPart::kQkv, 1, 1).value;
  model.attention[0].bias = true;
  EXPECT_EQ(weight_bytes(model, WeightPart::kQkv, 1, 1).value - before, 2 * 512);
}

TEST(StorageNamed, OfIntegersOfFourBitsIsMultipliedInTheActivationsDtype) {
  EXPECT_EQ(storage_named(Dtype::kInt4, Dtype::kFp16).arithmetic, Dtype::kFp16);
  EXPECT_EQ(storage_named(Dtype::kFp4, Dtype::kFp16).arithmetic, Dtype::kFp4);
  EXPECT_EQ(storage_named(Dtype::kFp8, Dtype::kFp16).arithmetic, Dtype::kFp8);
  EXPECT_EQ(storage_named(Dtype::kFp8, Dtype::kFp16).scale_bytes, 0);
}

TEST(WeightPart, HasATextForEach) {
  EXPECT_STREQ(to_text(WeightPart::kEmbedding), "embedding");
  EXPECT_STREQ(to_text(WeightPart::kSharedExpertDown), "shared_expert_down");
  EXPECT_STREQ(to_text(WeightPart::kNorms), "norms");
}

// Layers without attention and FFN: what is left to multiply is the embedding as the LM head.
TEST(Arithmetics, OfATiedModelHaveTheEmbedding) {
  Model model;
  model.tied_embeddings = true;
  model.layers = 1;
  model.pattern = {LayerKind{}};
  model.weight_dtype = Dtype::kFp16;
  EXPECT_EQ(fastest_arithmetic(model), Dtype::kFp16);
}

}  // namespace
}  // namespace rehearse
