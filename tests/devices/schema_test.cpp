// The tables of sim/devices against workloads/schema/device.proto: a number of the schema that no
// row has would be read and forgotten.
#include <google/protobuf/descriptor.h>
#include <gtest/gtest.h>

#include <set>
#include <string>

#include "devices/device_sheet.hpp"
#include "proto/device.pb.h"

namespace rehearse {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::EnumDescriptor;

void collect(const Descriptor& type, const std::string& prefix, std::set<std::string>& paths) {
  for (int i = 0; i < type.field_count(); ++i) {
    const auto* const field = type.field(i);
    if (field->message_type() == nullptr || field->is_repeated()) continue;
    const std::string path = prefix + field->name();
    if (field->message_type() == proto::Figure::descriptor()) {
      paths.insert(path);
    } else {
      collect(*field->message_type(), path + ".", paths);
    }
  }
}

TEST(Schema, HasTheFiguresOfTheTable) {
  std::set<std::string> of_schema;
  collect(*proto::Device::descriptor(), "", of_schema);
  std::set<std::string> of_table;
  for (std::size_t i = 0; i < kFigureCount; ++i) {
    EXPECT_EQ(static_cast<std::size_t>(kFigures[i].id), i) << kFigures[i].path;
    of_table.insert(std::string(kFigures[i].path));
  }
  EXPECT_EQ(of_table, of_schema);
}

template <class Text>
void expect_values(const EnumDescriptor& type, const Text& text_of) {
  for (int i = 0; i < type.value_count(); ++i) {
    EXPECT_EQ(type.value(i)->number(), i);
    EXPECT_EQ(type.value(i)->name(), text_of(i));
  }
}

TEST(Schema, HasTheWordsOfTheTables) {
  expect_values(*proto::Figure::Kind_descriptor(),
                [](int i) { return to_text(static_cast<FigureKind>(i)); });
  expect_values(*proto::Device::Vendor_descriptor(),
                [](int i) { return to_text(static_cast<Vendor>(i)); });
  expect_values(*proto::ScaleUp::Topology_descriptor(),
                [](int i) { return to_text(static_cast<ScaleUpTopology>(i)); });
  ASSERT_EQ(proto::ModelConstant::Name_descriptor()->value_count(),
            static_cast<int>(std::size(kConstants)));
  expect_values(*proto::ModelConstant::Name_descriptor(), [](int i) { return kConstants[i].text; });
}

// Between the row's name and who says it, in the order in which files are written.
TEST(Schema, HasTheNumbersOfACollectivesRow) {
  const Descriptor& row = *proto::CollectiveCosts::descriptor();
  ASSERT_EQ(row.field_count(), static_cast<int>(kCostFieldCount) + 4);
  EXPECT_EQ(row.field(0)->name(), "of");
  for (std::size_t i = 0; i < kCostFieldCount; ++i) {
    EXPECT_EQ(row.field(static_cast<int>(i) + 1)->name(), kCostFields[i].name);
  }
}

TEST(Schema, HasTheNumbersOfAnOperatorsRow) {
  const Descriptor& row = *proto::OperatorCosts::descriptor();
  ASSERT_EQ(row.field_count(), static_cast<int>(kOperatorFieldCount) + 4);
  EXPECT_EQ(row.field(0)->name(), "of");
  for (std::size_t i = 0; i < kOperatorFieldCount; ++i) {
    EXPECT_EQ(row.field(static_cast<int>(i) + 1)->name(), kOperatorFields[i].name);
  }
}

}  // namespace
}  // namespace rehearse
