// Which layers are written down: all others repeat one that is alike and follows an alike one.
#include "program/written_layers.hpp"

#include <gtest/gtest.h>

#include <numeric>

#include "graph/small_models.hpp"
#include "model/weights.hpp"
#include "program/compile_pass.hpp"

namespace rehearse {
namespace {

// Of layers in a row from `first` on.
WrittenLayers written_from(const std::vector<int>& kinds, int first) {
  std::vector<int> layers(kinds.size());
  std::iota(layers.begin(), layers.end(), first);
  return written_layers(kinds, layers);
}

TEST(WrittenLayers, OfOneKindAreTwo) {
  const WrittenLayers written = written_from({0, 0, 0, 0, 0}, 10);
  EXPECT_EQ(written.layers, (std::vector<int>{10, 11}));
  EXPECT_EQ(written.stands, (std::vector<int>{0, 1, 1, 1, 1}));
}

TEST(WrittenLayers, OfTwoRunsAreTwoOfEach) {
  // The third is what the first of the second kind finds behind one of the first kind.
  const WrittenLayers written = written_from({0, 0, 0, 1, 1, 1}, 0);
  EXPECT_EQ(written.layers, (std::vector<int>{0, 1, 3, 4}));
  EXPECT_EQ(written.stands, (std::vector<int>{0, 1, 1, 2, 3, 3}));
}

TEST(WrittenLayers, ThatTakeTurnsAreThree) {
  const WrittenLayers written = written_from({0, 1, 0, 1, 0, 1, 0}, 0);
  EXPECT_EQ(written.layers, (std::vector<int>{0, 1, 2}));
  EXPECT_EQ(written.stands, (std::vector<int>{0, 1, 2, 1, 2, 1, 2}));
}

// The last layer is a repetition of the second, but the third is the last that differs: what comes
// behind the layers would wait for what a layer of the other kind leaves.
TEST(WrittenLayers, EndWithTheKindOfTheLast) {
  const WrittenLayers written = written_from({0, 1, 0, 1}, 10);
  EXPECT_EQ(written.layers, (std::vector<int>{10, 11, 12, 13}));
  EXPECT_EQ(written.stands, (std::vector<int>{0, 1, 2, 1}));
}

// Every kind follows an alike one where it is written down, too, whatever the pattern: each of 3^7.
TEST(WrittenLayers, FollowWhatTheLayersThatTheyStandForFollow) {
  for (int pattern = 0; pattern < 2187; ++pattern) {
    std::vector<int> kinds;
    for (int rest = pattern, layer = 0; layer < 7; ++layer, rest /= 3) kinds.push_back(rest % 3);
    const WrittenLayers written = written_from(kinds, 0);
    ASSERT_EQ(written.stands.size(), kinds.size());
    ASSERT_EQ(kinds[written.layers.back()], kinds.back()) << pattern;
    for (std::size_t layer = 0; layer < kinds.size(); ++layer) {
      const int at = written.stands[layer];
      ASSERT_EQ(kinds[written.layers[at]], kinds[layer]) << pattern;
      const int before = at == 0 ? -1 : kinds[written.layers[at - 1]];
      ASSERT_EQ(before, layer == 0 ? -1 : kinds[layer - 1]) << pattern;
    }
  }
}

// The first and the last of eight layers stay in 16 bits, as checkpoints leave them.
Model partly_quantised() {
  Model model = small_dense_model(8);
  model.storage.push_back({WeightPart::kQkv, storage_named(Dtype::kFp8, Dtype::kBf16), 1, 6});
  return model;
}

TEST(LayerKinds, AreThoseOfBlocksAndStorage) {
  EXPECT_EQ(layer_kinds(partly_quantised()), (std::vector<int>{0, 1, 1, 1, 1, 1, 1, 0}));
  Model mixture = small_moe_model(4);
  mixture.moe->first_dense_layers = 2;
  mixture.dense = {FeedForward{16, false}};
  EXPECT_EQ(layer_kinds(mixture), (std::vector<int>{0, 0, 1, 1}));
  // Of the routed experts, which the dense layers do not have.
  mixture.storage.push_back(
      {WeightPart::kExpertUp, storage_named(Dtype::kFp8, Dtype::kBf16), 0, 2});
  EXPECT_EQ(layer_kinds(mixture), (std::vector<int>{0, 0, 1, 2}));
}

// Written down as far as they differ: what is executed is what all layers written down would be.
TEST(LayerKinds, StandForLayersThatAreStoredAlike) {
  const Model model = partly_quantised();
  PassShape shape;
  shape.slices = {Slice{2, 1, 100}};
  shape.layers = {0, 8};
  std::vector<std::string> written;
  Names names(written);
  const PassProgram pass = compile_pass(model, {}, shape, layer_kinds(model), {}, names);
  std::vector<int> each(8);
  std::iota(each.begin(), each.end(), 0);
  const PassProgram all = compile_pass(model, {}, shape, each, {}, names);
  EXPECT_EQ(pass.executions(), all.executions());
  // The first, the second behind it, the third behind an alike one, the last.
  EXPECT_EQ(pass.places.size(), all.places.size() - 4);
  EXPECT_LT(pass.instructions.size(), all.instructions.size());
  Cursor at = pass.first();
  for (Cursor full = all.first(); !all.is_over(full); all.advance(full), pass.advance(at)) {
    const Instruction& instruction = pass.instructions[at.at];
    const Instruction& expected = all.instructions[full.at];
    ASSERT_EQ(pass.layer_at(at), all.layer_at(full));
    ASSERT_EQ(instruction.name, expected.name);
    ASSERT_EQ(instruction.bytes.base, expected.bytes.base) << written[expected.name];
    ASSERT_EQ(pass.work_of(instruction).computed, all.work_of(expected).computed);
  }
}

}  // namespace
}  // namespace rehearse
