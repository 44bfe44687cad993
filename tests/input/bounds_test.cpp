// Every integer of a plan and of a model has its bounds, and is refused beyond them with its place.
#include "input/bounds.hpp"

#include <google/protobuf/descriptor.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <string>

#include "input/input.hpp"
#include "input/input_texts.hpp"
#include "proto/model.pb.h"
#include "proto/plan.pb.h"

namespace rehearse {
namespace {

void collect_integers(const google::protobuf::Descriptor& type, const std::string& prefix,
                      std::vector<std::string>& paths) {
  using google::protobuf::FieldDescriptor;
  for (int i = 0; i < type.field_count(); ++i) {
    const FieldDescriptor& field = *type.field(i);
    const std::string path = prefix + field.name();
    if (field.message_type() != nullptr) {
      collect_integers(*field.message_type(), path + ".", paths);
    } else if (field.cpp_type() == FieldDescriptor::CPPTYPE_INT32 ||
               field.cpp_type() == FieldDescriptor::CPPTYPE_INT64 ||
               field.cpp_type() == FieldDescriptor::CPPTYPE_UINT32 ||
               field.cpp_type() == FieldDescriptor::CPPTYPE_UINT64) {
      paths.push_back(path);
    }
  }
}

void expect_bounds(const google::protobuf::Descriptor& type, std::span<const Bound> bounds) {
  std::vector<std::string> fields;
  collect_integers(type, "", fields);
  std::vector<std::string> bounded;
  for (const Bound& bound : bounds) {
    if (bound.least >= 0) bounded.emplace_back(bound.path);  // the others are fractions
  }
  std::sort(fields.begin(), fields.end());
  std::sort(bounded.begin(), bounded.end());
  EXPECT_EQ(fields, bounded);
}

TEST(Bounds, AreThereForEveryIntegerOfTheSchemas) {
  expect_bounds(*proto::Plan::descriptor(), plan_bounds());
  expect_bounds(*proto::Model::descriptor(), model_bounds());
}

// fault:C4 fault:C5 fault:C11: integers of the input had no upper bound.
TEST(Bounds, AreHeldByPlansHoweverTheyAreSet) {
  const std::string plan =
      "model: \"m\" platform: \"p\"\nbatch { sequences: 1 prompt_tokens: 1 output_tokens: 1 }\n";
  for (const Bound& bound : plan_bounds()) {
    if (bound.path == "seed" || bound.least < 0) continue;  // any; a fraction
    const std::string path(bound.path);
    const auto set = [&](double value) {
      const std::string text = path + "=" + std::to_string(static_cast<long>(value));
      return refusal_of(
          [&] { parse_plan(source_of("p", plan, "a plan"), {.path = "p", .sets = {text}}); });
    };
    const std::string most = std::to_string(static_cast<long>(bound.most));
    EXPECT_NE(set(bound.most + 1).find(": must be at most " + most), std::string::npos) << path;
    EXPECT_EQ(set(bound.most + 1).find("--set " + path + "="), 0U) << path;
    EXPECT_EQ(set(bound.most).find("must be at most " + most), std::string::npos) << path;
    EXPECT_NE(set(bound.least - 1).find(": must be at least "), std::string::npos) << path;
  }
}

TEST(Bounds, AreHeldByModelsWithTheirPlace) {
  const std::string text =
      "layers: 2 hidden: 8 vocab: 16\nattention { heads: 2 kv_heads: 1 head_dim: 4 }\n"
      "moe { experts: 4 top_k: 2 expert { width: 16 gated: true } shared_experts: 70000\n"
      "  shared { width: 24 gated: false } }\n";
  EXPECT_EQ(refusal_of([&] { parse_model(source_of("m", text, "a model")); }),
            "m:3:60: error: moe.shared_experts = 70000: must be at most 65535");
  const std::string config =
      "{\"model_type\":\"llama\",\"hidden_size\":8,\n\"num_hidden_layers\":20000,"
      "\"num_attention_heads\":4,\"vocab_size\":100,\"intermediate_size\":16,\"torch_dtype\":"
      "\"bfloat16\"}";
  EXPECT_EQ(refusal_of([&] { parse_model(source_of("m.json", config, "a model")); }),
            "m.json:2:1: error: num_hidden_layers = 20000: must be at most 10000");
}

TEST(Bounds, NumbersAreFinite) {
  const std::string plan =
      "model: \"m\" platform: \"p\"\nbatch { sequences: 1 prompt_tokens: 1 output_tokens: 1 }\n";
  const auto refusal = [&](const std::string& routing) {
    return refusal_of(
        [&] { parse_plan(source_of("p", plan + "routing { " + routing + " }", "a plan")); });
  };
  EXPECT_EQ(refusal("exponent: nan"), "p:3:11: error: routing.exponent = nan: must be a number");
  EXPECT_EQ(refusal("exponent: inf"),
            "p:3:11: error: routing.exponent = inf: must be at most 1000");
  EXPECT_EQ(refusal("concentration: -inf"),
            "p:3:11: error: routing.concentration = -inf: must be at least -1000000000000");
  EXPECT_EQ(refusal("range: 1e308"),
            "p:3:11: error: routing.range = 1e+308: must be at most 1000000000");
}

// The message of a repeated field says which value.
TEST(Bounds, AreHeldByEveryValueOfAList) {
  const std::string text =
      "model: \"m\" platform: \"p\" batch { sequences: 1 prompt_tokens: 1 output_tokens: 1 }\n"
      "layout { layers_per_stage: 3 layers_per_stage: 20000 }\n";
  EXPECT_EQ(refusal_of([&] { parse_plan(source_of("p", text, "a plan")); }),
            "p:2:30: error: layout.layers_per_stage[1] = 20000: must be at most 10000");
}

}  // namespace
}  // namespace rehearse
