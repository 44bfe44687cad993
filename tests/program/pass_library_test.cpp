// Which passes are one: those that would be compiled alike.
#include "program/pass_library.hpp"

#include <gtest/gtest.h>

#include "graph/small_models.hpp"

namespace rehearse {
namespace {

PassShape decode_shape(double context) {
  PassShape shape;
  shape.slices = {Slice{2, 1, context}};
  shape.grows = true;
  shape.group_tokens = 2;
  shape.layers = {0, 2};
  return shape;
}

// fault:C6: as many sequences and tokens, and ten times the context to attend to.
TEST(PassLibrary, KeepsContextsApart) {
  const Model model = small_dense_model(2);
  PassLibrary library(model);
  const int first = library.pass({}, decode_shape(100), {});
  EXPECT_NE(library.pass({}, decode_shape(1000), {}), first);
  EXPECT_EQ(library.pass({}, decode_shape(100), {}), first);
}

TEST(PassLibrary, SharesPassesOverLayoutsWithTheSamePart) {
  const Model model = small_moe_model(2);
  PassLibrary library(model);
  Layout layout;
  layout.tensor = 2;
  const int first = library.pass(layout, decode_shape(100), {});
  Layout more = layout;
  more.data = 3;
  more.order = "pp-dp-ep-cp-tp";
  EXPECT_EQ(library.pass(more, decode_shape(100), {}), first);
  const auto other = [&](auto change) {
    Layout changed = layout;
    change(changed);
    return library.pass(changed, decode_shape(100), {});
  };
  EXPECT_NE(other([](Layout& changed) { changed.tensor = 1; }), first);
  EXPECT_NE(other([](Layout& changed) { changed.expert = 2; }), first);
  EXPECT_NE(other([](Layout& changed) { changed.expert_tensor = 1; }), first);
  EXPECT_NE(other([](Layout& changed) { changed.sequence_parallel = true; }), first);
  // The first stage of two has no head.
  EXPECT_NE(other([](Layout& changed) { changed.pipeline = 2; }), first);
  EXPECT_NE(library.pass(layout, decode_shape(100), {.routed = true}), first);
}

TEST(PassLibrary, HandsOverWhatItNumbered) {
  const Model model = small_dense_model(2);
  PassLibrary library(model);
  const int pass = library.pass({}, decode_shape(100), {});
  const int message = library.token_message(4);
  EXPECT_EQ(library.token_message(4), message);
  const std::vector<PassProgram> passes = library.take_passes();
  const std::vector<std::string> names = library.take_names();
  ASSERT_EQ(passes.size(), 2u);
  EXPECT_TRUE(passes[pass].is_pass);
  EXPECT_EQ(passes[message].instructions.front().bytes.base, 4 * kTokenIdBytes);
  EXPECT_EQ(names[passes[message].instructions.front().name], "send tokens");
}

}  // namespace
}  // namespace rehearse
