// The table of sim/profiles against workloads/schema/engine.proto: a number of the schema that no
// row has would be read and forgotten.
#include <google/protobuf/descriptor.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "profiles/engine_profile.hpp"
#include "proto/engine.pb.h"

namespace rehearse {
namespace {

TEST(EngineSchema, HasTheFiguresOfTheTableInItsOrder) {
  std::vector<std::string> of_schema;
  const auto& type = *proto::EngineProfile::descriptor();
  for (int i = 0; i < type.field_count(); ++i) {
    const bool figure = type.field(i)->message_type() == proto::Figure::descriptor();
    if (figure && type.field(i)->name() != "library") of_schema.push_back(type.field(i)->name());
  }
  std::vector<std::string> of_table;
  for (std::size_t i = 0; i < kEngineFigureCount; ++i) {
    EXPECT_EQ(static_cast<std::size_t>(kEngineFigures[i].id), i) << kEngineFigures[i].path;
    of_table.emplace_back(kEngineFigures[i].path);
  }
  EXPECT_EQ(of_table, of_schema);
}

}  // namespace
}  // namespace rehearse
