// Layers as runs of runs.
#include <gtest/gtest.h>

#include <map>

#include "model/known_models.hpp"

namespace rehearse {
namespace {

TEST(LayersText, SaysRunsAndWhatRepeats) {
  std::map<std::string, std::string> texts;
  for (const KnownModel& known : known_models()) texts[known.name] = layers_text(known.model);
  EXPECT_EQ(texts["Llama-3.1-8B"], "32 full");
  EXPECT_EQ(texts["Qwen3-Next-80B"], "12 x (3 gated_delta, 1 full)");
  EXPECT_EQ(texts["gemma-3-12b"], "8 x (5 sliding, 1 full)");
  EXPECT_EQ(texts["gpt-oss-120b"], "18 x (1 sliding, 1 full)");
  EXPECT_EQ(texts["DeepSeek-V3"], "3 latent + dense, 58 latent + experts");
  EXPECT_EQ(texts["MiniMax-M1"], "10 x (7 lightning, 1 full)");
  EXPECT_EQ(texts["LongCat-Flash"], "28 x (1 latent + dense + experts, 1 latent + dense)");
  EXPECT_EQ(texts["Nemotron-3-Super"], "40 x (1 mamba2, 1 experts), 8 full");
}

}  // namespace
}  // namespace rehearse
