#include "commands/gpus.hpp"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <sstream>

#include "base/program_data.hpp"

namespace rehearse {
namespace {

using nlohmann::json;

std::string file_of(const std::string& name) {
  return program_data("devices") + "/" + name + ".textproto";
}

// One a line, name first: scripts read the first word.
TEST(Gpus, AreListedNameFirst) {
  const DeviceCatalog catalog;
  std::istringstream lines(gpus_text(list_gpus(catalog)));
  std::vector<std::string> names;
  std::string line;
  while (std::getline(lines, line)) names.push_back(line.substr(0, line.find(' ')));
  EXPECT_EQ(names, catalog.names());
}

TEST(Gpus, AreListedWithTheFiguresThatOneCompares) {
  const DeviceCatalog catalog;
  EXPECT_EQ(gpus_text({catalog.find("h100")}),
            "h100  989 / 1979 / - TFLOP/s bf16 / fp8 / fp4  85.5 GB at 3.35 TB/s  switch of 8, 450 "
            "GB/s  8 x 400Gbps for 8  NVIDIA H100 SXM5, 80 GB, in a DGX or HGX H100\n");
  const std::string card = gpus_text({catalog.find("l40s")});
  EXPECT_NE(card.find("  pcie of 8, 31.5 GB/s  "), std::string::npos) << card;
  const std::string torus = gpus_text({catalog.find("tpu-v5e")});
  EXPECT_NE(torus.find("  torus of 256, 200 GB/s  no NIC  "), std::string::npos) << torus;
}

// Every number of the file with its source, date and kind, in both forms; what it does not say is
// named, and has no number.
TEST(Gpus, AreShownWithTheSourceOfEveryNumber) {
  const DeviceSheet sheet = DeviceCatalog().find("gaudi3");
  const std::string text = gpu_text(sheet);
  const json shown = json::parse(gpu_json(sheet));
  for (const FigureRow& row : kFigures) {
    const DeviceFigure* const figure = sheet.find(row.id);
    const std::string path(row.path);
    EXPECT_EQ(shown.at("figures").contains(path), figure != nullptr) << path;
    if (figure == nullptr) continue;
    const json& each = shown.at("figures").at(path);
    EXPECT_EQ(each.at("value"), figure->value);
    EXPECT_EQ(each.at("text"), figure->text);
    EXPECT_EQ(each.at("kind"), to_text(figure->kind));
    EXPECT_EQ(each.at("source"), figure->source);
    EXPECT_EQ(each.at("date"), figure->date);
    EXPECT_NE(text.find(figure->source + ", " + figure->date), std::string::npos) << path;
  }
  EXPECT_EQ(shown.at("figures").at("peak.bf16").at("unit"), "FLOP/s");
  EXPECT_FALSE(shown.at("figures").at("server.nics").contains("unit"));
  EXPECT_EQ(shown.at("constants").size(), 4U);
  EXPECT_NE(text.find("\nnot known: peak.fp4, "), std::string::npos) << text;
  EXPECT_EQ(text.find("scale_up.dimensions"), std::string::npos) << "a mesh has none";
}

// Of each row all its numbers, and nothing for what it does not say.
template <class Rows, class Costs>
void expect_rows(const json& shown, const std::string& text, const Rows& rows,
                 const CostTable<Costs>& table) {
  ASSERT_EQ(shown.size(), rows.size());
  ASSERT_GT(shown.size(), 0U);
  for (std::size_t at = 0; at < shown.size(); ++at) {
    const auto& row = rows[at];
    EXPECT_EQ(shown.at(at).at("of"), row.row);
    EXPECT_EQ(shown.at(at).at("kind"), to_text(row.origin.kind));
    EXPECT_EQ(shown.at(at).at("source"), row.origin.source);
    EXPECT_NE(text.find("\n  " + row.row + " "), std::string::npos) << text;
    for (std::size_t i = 0; i < table.fields.size(); ++i) {
      const std::string name(table.fields[i].name);
      EXPECT_EQ(shown.at(at).at("costs").contains(name), row.numbers[i].has_value()) << name;
      if (!row.numbers[i]) continue;
      EXPECT_EQ(shown.at(at).at("costs").at(name).at("value"), row.numbers[i]->value);
      EXPECT_NE(text.find(name + " " + row.numbers[i]->text), std::string::npos) << name;
    }
  }
}

TEST(Gpus, AreShownWithWhatCollectivesAndOperatorsReach) {
  const DeviceSheet sheet = DeviceCatalog().find("h100");
  const std::string text = gpu_text(sheet);
  const json shown = json::parse(gpu_json(sheet));
  expect_rows(shown.at("collectives"), text, sheet.collectives, kCollectiveTable);
  expect_rows(shown.at("operators"), text, sheet.operators, kOperatorTable);
  EXPECT_EQ(json::parse(gpu_json(DeviceCatalog().find("tpu-v4"))).at("collectives").size(), 0U);
}

TEST(Gpus, AsJsonAreAList) {
  const json all = json::parse(gpus_json(list_gpus(DeviceCatalog())));
  EXPECT_EQ(all.at("gpus").size(), 27U);
  EXPECT_EQ(all.at("gpus").at(0).at("name"), "a100");
}

TEST(Gpus, OfAFileAreChecked) {
  EXPECT_EQ(check_gpu_file(file_of("h100")),
            file_of("h100") +
                ": h100 states 23 numbers, 4 constants, 23 rows of collectives and 14 of "
                "operators, and all that is needed\n");
}

}  // namespace
}  // namespace rehearse
