// Texts that nobody writes by hand, and how each is refused: where, in one line, soon.
#include <gtest/gtest.h>

#include <chrono>
#include <string>

#include "claims/expected.hpp"
#include "claims/expression.hpp"
#include "input/input.hpp"
#include "input/input_texts.hpp"
#include "input/measured_lists.hpp"
#include "input/source_text.hpp"

namespace rehearse {
namespace {

SourceText json(const std::string& text) { return source_of("m.json", text, "a model"); }

std::string many(int count, const std::string& text) {
  std::string all;
  for (int i = 0; i < count; ++i) all += text;
  return all;
}

// What took a minute when it was quadratic takes milliseconds; sanitizers and a busy machine
// included, this is far from both.
template <class Read>
void expect_soon(Read read) {
  const auto begin = std::chrono::steady_clock::now();
  read();
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(10));
}

// fault:A1: a NUL ended the text for the parser and not for the scan for places.
TEST(Nul, IsRefusedInEveryText) {
  const std::string text("{\"a\":1}\0}", 9);
  EXPECT_EQ(refusal_of([&] { json(text); }),
            "m.json:1:8: error: byte 0x00 does not belong in a text: expected a model");
  const std::string path = written_file("model.json", text);
  EXPECT_EQ(refusal_of([&] { read_model(path); }),
            path + ":1:8: error: byte 0x00 does not belong in a text: expected a model");
  EXPECT_EQ(refusal_of([&] { read_result(path, {}); }),
            path +
                ":1:8: error: byte 0x00 does not belong in a text: expected a result.json or a "
                "plan");
  EXPECT_EQ(refusal_of([&] { read_expected(path); }),
            path + ":1:8: error: byte 0x00 does not belong in a text: expected recorded verdicts");
}

// fault:A1: what stands behind the end is refused by the one reader there is.
TEST(Json, EndsWhereItsValueEnds) {
  EXPECT_EQ(refusal_of([] { parse_model(json("{\"a\":1}}")); }),
            "m.json:1:8: error: syntax error while parsing value - unexpected '}'; expected end of "
            "input");
}

// fault:A6: 180 kB of nested objects took 2 to 4 GB for the paths of their keys.
TEST(Json, IsNestedUpTo64Deep) {
  const auto nested = [](int depth) {
    return "{\"x\":" + many(depth - 1, "{\"a\":") + "1" + many(depth, "}");
  };
  EXPECT_EQ(
      refusal_of([&] { parse_model(json(nested(64))); }),
      "m.json:1:1: error: model_type is missing: docs/models.md lists the model types that are "
      "read; write another model as a textproto");
  // {"x": has 5 bytes, and so has each {"a":, so the 65th brace is byte 5 x 64 + 1.
  EXPECT_EQ(refusal_of([&] { parse_model(json(nested(30000))); }),
            "m.json:1:321: error: values are nested more than 64 deep");
  EXPECT_EQ(refusal_of([&] { parse_model(json(many(30000, "["))); }),
            "m.json:1:65: error: values are nested more than 64 deep");
}

// fault:A6: 1.2 MB took a minute, since each key's place was searched from the start.
TEST(Json, OfManyKeysIsReadSoon) {
  std::string text = "{";
  for (int i = 0; i < 100000; ++i) text += "\"k" + std::to_string(i) + "\":1,\n";
  expect_soon([&] {
    EXPECT_EQ(refusal_of([&] { parse_model(json(text + "\"k7\":1}")); }),
              "m.json:100001:1: error: k7 is given twice");
  });
}

TEST(Json, KeysInArraysAreUniqueToo) {
  EXPECT_EQ(refusal_of([] { parse_model(json("{\"a\":[{\"b\":1,\"b\":2}]}")); }),
            "m.json:1:14: error: b is given twice");
}

// fault:A7: the key is the same however it is written.
TEST(Json, KeysMayHaveEscapes) {
  const std::string config =
      "{\"model_type\":\"llama\",\"hidden_\\u0073ize\":HIDDEN,\"num_hidden_layers\":2,"
      "\"num_attention_heads\":4,\"vocab_size\":100,\"intermediate_size\":16,\"torch_dtype\":"
      "\"bfloat16\"}";
  const auto with_hidden = [&](const std::string& value) {
    std::string text = config;
    return text.replace(text.find("HIDDEN"), 6, value);
  };
  EXPECT_EQ(parse_model(json(with_hidden("8"))).hidden, 8);
  // {"model_type":"llama", has 22 bytes.
  EXPECT_EQ(refusal_of([&] { parse_model(json(with_hidden("true"))); }),
            "m.json:1:23: error: hidden_size = true: expected an integer");
  EXPECT_EQ(refusal_of([&] { parse_model(json("{\"a\\\\\\\"b\":1,\"a\\u005c\\\"b\":1}")); }),
            "m.json:1:13: error: a\\\"b is given twice");
}

// fault:A6: the number's place is where it is read, not where its digits stand first.
TEST(Json, NumbersOutOfRangeAreFoundWhereTheyStand) {
  EXPECT_EQ(refusal_of([] { parse_model(json("{\"1e999\":\n1e999}")); }),
            "m.json:2:1: error: the number 1e999 is out of range");
}

SourceText plan_text(const std::string& text) { return source_of("p.textproto", text, "a plan"); }

// fault:A3: one word of 26 kB overflowed the stack inside of std::regex.
TEST(LongWord, IsShownByItsStart) {
  const std::string word(30000, 'a');
  const std::string shown = std::string(60, 'a') + "... (30000 bytes)";
  EXPECT_EQ(refusal_of([&] { parse_plan(plan_text(word + ": 1")); }).substr(0, 48 + shown.size()),
            "p.textproto:1:1: error: unknown field \"" + shown + "\" of Plan");
  EXPECT_TRUE(
      refusal_of([&] {
        parse_plan(plan_text("network: " + word));
      }).starts_with("p.textproto:1:10: error: network = " + shown + ": unknown value, one of "));
  EXPECT_EQ(refusal_of([&] { parse_plan(plan_text("name: " + word)); }),
            "p.textproto:1:7: error: expected string, got \"" + shown + "\"");
}

// fault:A6: each variant was checked on a copy of the plan with all the others.
TEST(Variants, AreReadSoonHoweverMany) {
  std::string text =
      "model: \"m\" platform: \"p\" batch { sequences: 1 prompt_tokens: 1 "
      "output_tokens: 1 }\n";
  for (int i = 0; i < 20000; ++i) {
    text += "variant { name: \"v" + std::to_string(i) + "\" set: \"seed=1\" }";
  }
  expect_soon([&] { EXPECT_EQ(parse_plan(plan_text(text)).variants.size(), 20000U); });
  expect_soon([&] {
    const std::string refusal = refusal_of(
        [&] { parse_plan(plan_text(text + "\nvariant { name: \"w\" set: \"sed=1\" }")); });
    EXPECT_EQ(refusal,
              "p.textproto:3:27: error: unknown field \"sed\" of Plan: did you mean "
              "\"seed\"?");
  });
}

// fault:A10: escapes make bytes that the file itself has not.
TEST(Utf8, IsRequiredOfTextsWithEscapes) {
  EXPECT_EQ(refusal_of([] { parse_plan(plan_text("seed: 1\n  name: \"a\\377\"")); }),
            "p.textproto:2:3: error: name: byte 0xFF is not UTF-8 text");
  EXPECT_EQ(
      refusal_of([] { parse_plan(plan_text("variant { name: \"v\" set: \"name=\\000\" }")); }),
      "p.textproto:1:21: error: variant[0].set[0]: byte 0x00 does not belong in a text");
  EXPECT_EQ(
      refusal_of([] { parse_plan(plan_text("seed: 1"), {.path = "p", .sets = {"name=a\xFF"}}); }),
      "--set name=a\xFF:1:13: error: byte 0xFF is not UTF-8 text");
}

// fault:A6: 20,000 terms were copied 20,000 times; and whoever walks the tree calls himself.
TEST(Expression, HasAtMostAThousandOperations) {
  const auto sum = [](int terms) { return "1" + many(terms - 1, "+1") + " < 2"; };
  EXPECT_EQ(parse_comparison(sum(1001), {"c", 1, 1}).kind, Comparison::Kind::kLess);
  // The second operand of the 1,001st "+" ends at byte 1 + 2 x 1001.
  EXPECT_EQ(refusal_of([&] {
              parse_comparison(sum(20000), {"c", 1, 1});
            }),
            "c:1:2004: error: at \"+1+1+1+1+1+1\": more than 1000 of the operations + - * /");
}

TEST(LoadTable, LinesAndColumnsAreBounded) {
  const auto refusal = [](const std::string& text) {
    return refusal_of([&] { parse_load_table(source_of("t.csv", text, "a load table")); });
  };
  EXPECT_EQ(refusal("layer,expert,share" + many(1000000, ",")),
            "t.csv:1:1: error: more than 100 values in a line");
  EXPECT_EQ(refusal("layer,layer,expert,share"), "t.csv:1:7: error: column layer is given twice");
}

}  // namespace
}  // namespace rehearse
