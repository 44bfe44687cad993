// Words of quantisation lists and the modules that they mean.
#include "input/module_list.hpp"

#include <gtest/gtest.h>

#include "input/input_texts.hpp"
#include "input/module_pattern.hpp"

namespace rehearse {
namespace {

TEST(Glob, IsTheShells) {
  EXPECT_TRUE(matches_glob("model.layers.1*", "model.layers.10.mlp"));  // as ModelOpt's does
  EXPECT_TRUE(matches_glob("*gate", "model.layers.0.mlp.gate"));
  EXPECT_FALSE(matches_glob("*gate", "model.layers.0.mlp.gate_proj"));
  EXPECT_TRUE(matches_glob("l?[0-9]", "lm7"));
  EXPECT_FALSE(matches_glob("l[!m]7", "lm7"));
  EXPECT_FALSE(matches_glob("", "a"));
  EXPECT_TRUE(matches_glob("**", ""));
  EXPECT_TRUE(matches_glob("a[", "a["));  // no class without its end
}

bool matches(const std::string& expression, const std::string& text) {
  const auto parsed = RegularExpression::parse(expression);
  EXPECT_TRUE(parsed) << expression;
  return parsed && parsed->matches_begin(text);
}

TEST(RegularExpression, MatchesFromTheBeginAsPythonDoes) {
  EXPECT_TRUE(matches(".*lm_head", "lm_head"));
  EXPECT_TRUE(matches("lm", "lm_head"));
  EXPECT_FALSE(matches("head", "lm_head"));
  EXPECT_FALSE(matches(".*gate$", "mlp.gate_proj"));
  EXPECT_TRUE(
      matches("^model\\.layers\\.[0-3]\\..*(q|k)_proj$", "model.layers.2.self_attn.k_proj"));
  EXPECT_FALSE(matches("model\\.layers\\.(1|2)\\.mlp", "modelXlayers.1.mlp"));
  EXPECT_TRUE(matches("(?:ab)+c?$", "abab"));
  EXPECT_FALSE(matches("(ab)+$", "aba"));
  EXPECT_TRUE(matches("layers\\.\\d+\\.[^.]*$", "layers.17.mlp"));
  EXPECT_TRUE(matches("()|a", "b"));
  for (const char* bad : {"a{2}", "(a", "a)", "[a", "\\", "*a", "(?!a)", "\\b"}) {
    EXPECT_FALSE(RegularExpression::parse(bad)) << bad;
  }
  EXPECT_FALSE(RegularExpression::parse(std::string(5000, 'a')));
  EXPECT_FALSE(RegularExpression::parse(std::string(100, '(') + std::string(100, ')')));
  // What makes a backtracking matcher take longer than the universe lasts.
  EXPECT_FALSE(matches("(a*)*b", std::string(60, 'a')));
}

const SourceLocation kHere = {"list", 1, 1};

TEST(ModuleList, OfNamesMeansWholeWords) {
  ModuleList list(ModuleList::Patterns::kGlobs, 20, 4);
  list.add("model.layers.1", 0, kHere);
  list.add("self_attn", 1, kHere);
  list.add("language_model.model.layers.7.mlp.up_proj", 2, kHere);
  list.add("vision_tower.layers.3.mlp", 3, kHere);
  EXPECT_EQ(list.find("model.layers.1.mlp.up_proj"), 0);
  EXPECT_EQ(list.find("model.layers.11.mlp.up_proj"), ModuleList::kNotListed);
  EXPECT_EQ(list.find("model.layers.11.self_attn.q_proj"), 1);
  EXPECT_EQ(list.find("model.layers.7.mlp.up_proj"), 2);
  EXPECT_EQ(list.find("model.layers.3.mlp.up_proj"), ModuleList::kNotListed);
  EXPECT_EQ(list.unused(), std::vector<std::string>{"vision_tower.layers.3.mlp"});
}

TEST(ModuleList, OfPatternsMeansWhatTheyMatch) {
  ModuleList globs(ModuleList::Patterns::kGlobs, 20, 4);
  globs.add("model.layers.*.self_attn", 0, kHere);
  globs.add("model.language_model.layers.5.*", 1, kHere);
  EXPECT_EQ(globs.find("model.layers.3.self_attn.q_proj"), 0);
  EXPECT_EQ(globs.find("model.layers.5.mlp.up_proj"), 1);
  EXPECT_EQ(globs.find("model.layers.4.mlp.up_proj"), ModuleList::kNotListed);
  ModuleList expressions(ModuleList::Patterns::kRegularExpressions, 20, 4);
  expressions.add("re:.*mlp.gate$", 0, kHere);
  EXPECT_EQ(expressions.find("model.layers.0.mlp.gate"), 0);
  EXPECT_EQ(expressions.find("model.layers.0.mlp.gate_proj"), ModuleList::kNotListed);
}

TEST(ModuleList, OfExpertsNamesAllOrIsRefused) {
  const auto with = [](int count) {
    ModuleList list(ModuleList::Patterns::kGlobs, 1, 4);
    for (int expert = 0; expert < count; ++expert) {
      list.add("model.layers.0.mlp.experts." + std::to_string(expert) + ".up_proj", 0, kHere);
    }
    list.check_experts(kHere);
    return list.find("model.layers.0.mlp.experts.0.up_proj");
  };
  EXPECT_EQ(with(4), 0);
  EXPECT_EQ(refusal_of([&] { with(3); }),
            "list:1:1: error: names 3 of 4 experts like "
            "\"model.layers.0.mlp.experts.0.up_proj\": experts of a layer that are stored in "
            "different ways are not modelled");
}

TEST(ModuleList, OfTooManyPatternsIsRefused) {
  ModuleList list(ModuleList::Patterns::kGlobs, 30000, 4);
  const std::string refusal = refusal_of([&] {
    for (int each = 0; each < 100; ++each) list.add("model.layers.*", 0, kHere);
  });
  EXPECT_EQ(refusal, "list:1:1: error: too many patterns: name the modules instead");
}

}  // namespace
}  // namespace rehearse
