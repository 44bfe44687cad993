// Tables for other programs: what stands in a file is what was meant, whatever is in the cells.
#include "base/table.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <cstdlib>

namespace rehearse {
namespace {

TEST(Table, CsvQuotesWhatWouldEndACell) {
  Table table;
  table.add({{"name", std::string("a,b")}, {"said", std::string("\"x\"")}});
  table.add({{"name", std::string("two\nlines")}, {"said", std::string("plain")}});
  EXPECT_EQ(csv_of(table), "name,said\n\"a,b\",\"\"\"x\"\"\"\n\"two\nlines\",plain\n");
}

TEST(Table, CsvNumbersAreExactAndAbsentIsEmpty) {
  Table table;
  const double third = 1.0 / 3;
  table.add({{"a", third}, {"b", Cell()}, {"c", std::int64_t{7}}, {"d", true}, {"e", NAN}});
  const std::string csv = csv_of(table);
  const std::string row = csv.substr(csv.find('\n') + 1);
  EXPECT_EQ(std::strtod(row.c_str(), nullptr), third);
  EXPECT_TRUE(row.ends_with(",,7,true,\n")) << row;
}

TEST(Table, RowsKnowTheirColumnsByName) {
  Table table;
  table.add({{"a", std::int64_t{1}}});
  table.add({{"b", std::int64_t{2}}, {"a", std::int64_t{3}}});
  EXPECT_EQ(csv_of(table), "a,b\n1,\n3,2\n");
}

TEST(Table, MarkdownEscapesMarkupAndAlignsNumbers) {
  Table table;
  table.add({{"name", std::string("x|y <b> *z*")}, {"time_s", 0.123456789}});
  EXPECT_EQ(markdown_of(table),
            "| name | time_s |\n| --- | ---: |\n| x\\|y \\<b> \\*z\\* | 0.123457 |\n");
}

TEST(Table, UprightMarkdownHasALineForEachColumnThatIsThere) {
  Table table;
  table.add({{"plan", std::string("p")}, {"absent", Cell()}, {"ttft_p99_s", 2.0}});
  table.upright = true;
  EXPECT_EQ(markdown_of(table), "|  | value |\n| --- | ---: |\n| plan | p |\n| ttft_p99_s | 2 |\n");
}

TEST(Table, ColumnsEndWithTheirUnit) {
  EXPECT_EQ(column_of_path("ttft_s.p99"), "ttft_p99_s");
  EXPECT_EQ(column_of_path("makespan_s"), "makespan_s");
  EXPECT_EQ(column_of_path("throughput.tokens_per_s"), "throughput_tokens_per_s");
  EXPECT_EQ(column_of_path("serving.kv_transfer.time_s.mean"), "serving_kv_transfer_time_mean_s");
  EXPECT_EQ(column_of_path("communication.by_axis[tp].busy_s"), "communication_by_axis_tp_busy_s");
}

}  // namespace
}  // namespace rehearse
