// The table of layout fields against the schemas, and what a space and keys make of it.
#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <string>

#include "collectives/collective_algorithm.hpp"
#include "proto/named_numbers.hpp"
#include "proto/plan.pb.h"
#include "proto/search.pb.h"
#include "search/space.hpp"

namespace rehearse {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::FieldDescriptor;

const FieldDescriptor* field_of_plan(const LayoutField& field) {
  const Descriptor* part = proto::Plan::descriptor();
  std::string_view path = field.path;
  for (std::size_t dot = 0; (dot = path.find('.')) != std::string_view::npos;) {
    const FieldDescriptor* const message = part->FindFieldByName(std::string(path.substr(0, dot)));
    if (message == nullptr) return nullptr;
    part = message->message_type();
    path.remove_prefix(dot + 1);
  }
  return part->FindFieldByName(std::string(path));
}

TEST(LayoutFields, AreInTheSchemas) {
  for (const LayoutField& each : kLayoutFields) {
    const FieldDescriptor* const field = field_of_plan(each);
    ASSERT_NE(field, nullptr) << each.path;
    EXPECT_EQ(field->cpp_type() == FieldDescriptor::CPPTYPE_BOOL, each.is_switch()) << each.path;
    if (each.searched == SearchedAs::kNever) continue;
    const std::string name(each.name());
    const FieldDescriptor* const space = proto::Search::descriptor()->FindFieldByName(name);
    ASSERT_NE(space, nullptr) << "Search lacks " << name;
    EXPECT_EQ(space->cpp_type(), FieldDescriptor::CPPTYPE_STRING) << name;
    proto::SearchLayout row;
    EXPECT_TRUE(set_number(row, name, 1)) << "SearchLayout lacks " << name;
  }
}

// Keys, tables and options tell them apart, and from what else is in a key.
TEST(LayoutFields, AreCalledDifferently) {
  std::set<std::string_view> shorthands = {"layers"};
  for (int op = 0; op < kCollectiveOps; ++op) {
    shorthands.insert(to_text(static_cast<CollectiveOp>(op)));
  }
  std::set<std::string_view> names;
  std::set<std::string_view> headings;
  for (const LayoutField& each : kLayoutFields) {
    EXPECT_TRUE(names.insert(each.name()).second) << each.path;
    EXPECT_EQ(layout_field(each.name()), &each);
    if (each.searched == SearchedAs::kNever) continue;
    EXPECT_TRUE(shorthands.insert(each.shorthand).second) << each.shorthand;
    EXPECT_TRUE(headings.insert(each.heading).second) << each.heading;
    EXPECT_FALSE(each.option.empty()) << each.path;
  }
}

TEST(LayoutFields, AreReadAndSetWhereTheyLie) {
  for (const LayoutField& each : kLayoutFields) {
    Candidate candidate;
    const int before = value_of(each, candidate);
    const int other = before == 0 ? 1 : 0;
    set_value(each, other, candidate.layout, candidate);
    EXPECT_EQ(value_of(each, candidate), other) << each.path;
    for (const LayoutField& untouched : kLayoutFields) {
      if (&untouched == &each) continue;
      EXPECT_EQ(value_of(untouched, candidate), value_of(untouched, Candidate{}))
          << each.path << " moves " << untouched.path;
    }
  }
}

struct Small {
  Model model;
  Plan plan;
  std::vector<SearchPlatform> platforms = {{"p.xml", "0123456789ab", 8, {}, {}}};

  Small() {
    model.layers = 2;
    model.hidden = 64;
    model.attention = {{4, 4, 16, false}};
    model.dense = {FeedForward{64, false, false}};
    plan.batch.sequences = 16;
    plan.batch.micro_batches = 4;
  }
  Space space(const SpaceText& text) const { return read_space(text, plan, platforms); }
};

// With one tensor rank experts cut into 1 are those cut into `tensor`, and there is nothing to
// split along the sequence: one layout of the four. With two, each says something else.
TEST(LayoutFields, AreSearchedOnceWhereTheySayTheSame) {
  const Small small;
  const auto considered = [&](const char* tensor) {
    const Space space = small.space({{"gpus", {{tensor}, {}}},
                                     {"tensor", {{tensor}, {}}},
                                     {"expert_tensor", {{"0,1"}, {}}},
                                     {"sequence_parallel", {{"both"}, {}}}});
    return enumerate(space, small.plan, small.model).considered;
  };
  EXPECT_EQ(considered("1"), 1);
  EXPECT_EQ(considered("2"), 4);
}

// A journal is read for as long as keys are these bytes.
TEST(LayoutFields, AreInKeysAsJournalsHaveThem) {
  const Small small;
  const Space space = small.space({});
  Candidate candidate;
  candidate.layout.tensor = 2;
  candidate.layout.pipeline = 3;
  candidate.layout.data = 4;
  candidate.layout.expert = 5;
  candidate.layout.expert_tensor = 1;
  candidate.layout.sequence_parallel = true;
  candidate.micro_batches = 22;
  candidate.decode_micro_batches = 6;
  candidate.collectives = {{"all_reduce", "ring"}};
  const std::string key =
      "0123456789ab tp=2 pp=3 dp=4 ep=5 etp=1 sp=1 mb=22 dmb=6 tp-cp-ep-dp-pp all_reduce=ring";
  EXPECT_EQ(key_of(space, candidate), key);
  const std::optional<Candidate> read = candidate_of(space, key);
  ASSERT_TRUE(read.has_value());
  EXPECT_EQ(key_of(space, *read), key);
}

TEST(LayoutFields, AreAllInAKeyOrItIsNone) {
  const Small small;
  const Space space = small.space({});
  const std::string key = key_of(space, Candidate{});
  ASSERT_TRUE(candidate_of(space, key).has_value());
  for (const char* word : {" tp=1", " sp=0", " mb=1", " tp-cp-ep-dp-pp"}) {
    std::string less = key;
    less.erase(less.find(word), std::string(word).size());
    EXPECT_FALSE(candidate_of(space, less).has_value()) << less;
    EXPECT_FALSE(candidate_of(space, key + word).has_value()) << "twice" << word;
  }
  EXPECT_FALSE(candidate_of(space, key + " mb=x").has_value());
}

// "auto" is 0, so it is a choice only of what may be 0.
TEST(LayoutFields, AreAutomaticWhereZeroSaysSo) {
  const Small small;
  const auto members = [&](const char* field, const char* text) {
    return small.space({{field, {{text}, {}}}}).choices[index_of(*layout_field(field))].members();
  };
  EXPECT_EQ(members("micro_batches", "8,auto,2..4,8"), (std::vector<int>{0, 2, 3, 4, 8}));
  EXPECT_EQ(members("expert_tensor", "auto,0,1"), (std::vector<int>{0, 1}));
  EXPECT_EQ(members("sequence_parallel", "both"), (std::vector<int>{0, 1}));
  EXPECT_THROW(small.space({{"micro_batches", {{"auto,"}, {}}}}), InputError);
  EXPECT_THROW(small.space({{"micro_batches", {{"0"}, {}}}}), InputError);
  EXPECT_THROW(small.space({{"tensor", {{"auto"}, {}}}}), InputError);
}

}  // namespace
}  // namespace rehearse
