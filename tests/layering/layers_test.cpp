#include "layering/layers.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <stdexcept>

#include "source_dir.hpp"

namespace rehearse {
namespace {

namespace fs = std::filesystem;
using Complaints = std::vector<std::string>;

// The checker, on small texts.

Layers small_layers() {
  return parse_layers(
      "# a comment\n"
      "stage base:\n"
      "stage model: base\n"
      "stage replay: base model\n"
      "header simgrid/: sim/replay/engine.cpp\n"
      "header *.pb.h: sim/model/\n"
      "header CLI/: tools/\n");
}

TEST(Layers, AStageSeesItselfAndWhatItsLineNames) {
  EXPECT_EQ(check_includes(small_layers(), "sim/replay/x.cpp",
                           "#include <vector>\n#include \"replay/y.hpp\"\n#include "
                           "\"model/deep/model.hpp\"\n"),
            Complaints{});
}

TEST(Layers, AnIncludeAgainstTheArrowIsCaught) {
  EXPECT_EQ(check_includes(small_layers(), "sim/model/deep/x.hpp",
                           "\n  #  include \"replay/y.hpp\" // z"),
            Complaints{"sim/model/deep/x.hpp:2: may not include replay/y.hpp: model sees base"});
  EXPECT_EQ(check_includes(small_layers(), "sim/base/x.hpp", "#include \"model/y.hpp\""),
            Complaints{"sim/base/x.hpp:1: may not include model/y.hpp: base sees nothing"});
}

TEST(Layers, ALibraryHeaderOutsideItsFilesIsCaughtHoweverItIsQuoted) {
  for (const char* line : {"#include <simgrid/s4u.hpp>", "#include \"simgrid/s4u.hpp\""}) {
    EXPECT_EQ(check_includes(small_layers(), "sim/replay/engine.cpp", line), Complaints{});
    for (const char* path : {"sim/replay/engine.hpp", "sim/model/x.cpp", "tools/main.cpp"}) {
      EXPECT_EQ(check_includes(small_layers(), path, line),
                Complaints{std::string(path) +
                           ":1: may not include simgrid/s4u.hpp: only sim/replay/engine.cpp may"});
    }
  }
}

TEST(Layers, AFolderRuleHoldsBelowTheFolder) {
  EXPECT_EQ(check_includes(small_layers(), "tools/run.cpp", "#include <CLI/CLI.hpp>"),
            Complaints{});
  EXPECT_EQ(check_includes(small_layers(), "sim/base/x.cpp", "#include <CLI/CLI.hpp>").size(), 1);
}

TEST(Layers, GeneratedHeadersAreJudgedByTheirSuffix) {
  EXPECT_EQ(check_includes(small_layers(), "sim/model/x.cpp", "#include \"schema/plan.pb.h\""),
            Complaints{});
  EXPECT_EQ(
      check_includes(small_layers(), "sim/replay/x.cpp", "#include \"schema/plan.pb.h\"").size(),
      1);
}

TEST(Layers, AFileInNoStageIsCaught) {
  EXPECT_EQ(check_includes(small_layers(), "sim/routing/x.cpp", "#include \"base/y.hpp\"").size(),
            1);
}

TEST(Layers, AStageNamesOnlyStagesAboveIt) {
  EXPECT_THROW(parse_layers("stage model: base\nstage base:\n"), std::invalid_argument);
  EXPECT_THROW(parse_layers("stage base\n"), std::invalid_argument);
}

TEST(Layers, ALinkAgainstTheArrowIsCaught) {
  EXPECT_EQ(check_links(small_layers(),
                        "# stage(base DEPENDS rehearse_replay)\n"
                        "function(stage name)\nendfunction()\n"
                        "stage(base SOURCES a.cpp DEPENDS fmt::fmt)\n"
                        "stage(replay\n  DEPENDS rehearse_model rehearse_base\n  SOURCES b.cpp)\n"),
            Complaints{});
  EXPECT_EQ(check_links(small_layers(), "stage(model\n  DEPENDS\n    rehearse_replay)\n"),
            Complaints{"rehearse_model may not link rehearse_replay: model sees base"});
  EXPECT_EQ(
      check_links(small_layers(), "target_link_libraries(rehearse_base PUBLIC rehearse_model)"),
      Complaints{"rehearse_base may not link rehearse_model: base sees nothing"});
  EXPECT_EQ(check_links(small_layers(), "stage(routing SOURCES a.cpp)"),
            Complaints{"stage routing is not in sim/layers.txt"});
}

// The tree.

const fs::path kRoot = REHEARSE_SOURCE_DIR;

std::string text_of(const fs::path& path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), {}};
}

bool is_source(const fs::path& path) {
  return path.extension() == ".cpp" || path.extension() == ".hpp" || path.extension() == ".h";
}

TEST(Tree, IncludesFollowTheTable) {
  const Layers layers = parse_layers(text_of(kRoot / "sim/layers.txt"));
  int files = 0;
  for (const char* folder : {"sim", "tools"}) {
    for (const auto& entry : fs::recursive_directory_iterator(kRoot / folder)) {
      if (!is_source(entry.path())) continue;
      ++files;
      const std::string path = fs::relative(entry.path(), kRoot).generic_string();
      for (const auto& complaint : check_includes(layers, path, text_of(entry.path()))) {
        ADD_FAILURE() << complaint;
      }
    }
  }
  EXPECT_GT(files, 5);
}

TEST(Tree, LinksFollowTheTable) {
  const Layers layers = parse_layers(text_of(kRoot / "sim/layers.txt"));
  const std::string cmake = text_of(kRoot / "sim/CMakeLists.txt");
  EXPECT_NE(cmake.find("stage(base"), std::string::npos);
  for (const auto& complaint : check_links(layers, cmake)) ADD_FAILURE() << complaint;
}

}  // namespace
}  // namespace rehearse
