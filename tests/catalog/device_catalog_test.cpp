#include "catalog/device_catalog.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <iterator>

#include "base/program_data.hpp"

namespace rehearse {
namespace {

namespace fs = std::filesystem;

class Folder {
 public:
  explicit Folder(const std::string& name) : path_(name + "-" + std::to_string(getpid())) {
    fs::create_directory(path_);
  }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  ~Folder() { fs::remove_all(path_); }
  const std::string& path() const { return path_; }

  // The shipped file of `original` as `name`, with `word` replaced.
  void add(const std::string& original, const std::string& name, const std::string& word,
           const std::string& by) const {
    std::ifstream shipped(program_data("devices") + "/" + original + ".textproto");
    std::string text{std::istreambuf_iterator<char>(shipped), {}};
    replace(text, "name: \"" + original + "\"", "name: \"" + name + "\"");
    replace(text, word, by);
    std::ofstream(path_ + "/" + name + ".textproto") << text;
  }

 private:
  static void replace(std::string& text, const std::string& word, const std::string& by) {
    const auto at = text.find(word);
    ASSERT_NE(at, std::string::npos) << word;
    text.replace(at, word.size(), by);
  }

  std::string path_;
};

std::string message_of(const std::vector<std::string>& folders, const std::string& name) {
  try {
    DeviceCatalog(folders).find(name);
  } catch (const InputError& error) {
    return error.what();
  }
  return "accepted";
}

double memory_gb(const DeviceSheet& sheet) {
  return sheet.at(FigureId::kMemoryBandwidth).value / 1e9;
}

TEST(Devices, OfAFolderAreAddedToTheProgramsOwn) {
  const Folder mine("mine");
  mine.add("h100", "h100-mine", "3.35TBps", "3TBps");
  const DeviceCatalog catalog({mine.path()});
  EXPECT_EQ(memory_gb(catalog.find("h100-mine")), 3000);
  EXPECT_EQ(memory_gb(catalog.find("h100")), 3350);
  EXPECT_EQ(catalog.names().size(), DeviceCatalog().names().size() + 1);
  EXPECT_TRUE(catalog.notes().empty());
}

TEST(Devices, OfALaterFolderWinAndItIsSaid) {
  const Folder first("first");
  const Folder second("second");
  first.add("h100", "h100", "3.35TBps", "3TBps");
  second.add("h100", "h100", "3.35TBps", "2TBps");
  const DeviceCatalog one({first.path()});
  EXPECT_EQ(memory_gb(one.find("h100")), 3000);
  ASSERT_EQ(one.notes().size(), 1U);
  EXPECT_EQ(one.notes()[0], "h100 is " + first.path() + "/h100.textproto, in place of " +
                                program_data("devices") + "/h100.textproto");
  const DeviceCatalog both({first.path(), second.path()});
  EXPECT_EQ(memory_gb(both.find("h100")), 2000);
  ASSERT_EQ(both.notes().size(), 2U);
  EXPECT_EQ(both.notes()[1], "h100 is " + second.path() + "/h100.textproto, in place of " +
                                 first.path() + "/h100.textproto");
}

TEST(Devices, OfNoFolderAreRefused) {
  EXPECT_EQ(message_of({"nowhere"}, "h100"),
            "--devices nowhere:1:11: error: \"nowhere\": cannot be read as a folder of device "
            "files: No such file or directory");
  const Folder empty("empty");
  EXPECT_EQ(message_of({empty.path()}, "h100"), "--devices " + empty.path() + ":1:11: error: \"" +
                                                    empty.path() +
                                                    "\": has no device file (NAME.textproto)");
  EXPECT_TRUE(
      message_of({}, "h101")
          .starts_with("--gpu h101:1:7: error: unknown GPU \"h101\": did you mean \"h100\", "));
}

// Only the file that is asked for: a mistake in another does not end a run.
TEST(Devices, ThatAreNotAskedForMayBeWrong) {
  const Folder mine("wrong");
  mine.add("h100", "h100-wrong", "3.35TBps", "3.35");
  EXPECT_EQ(message_of({mine.path()}, "h200"), "accepted");
  EXPECT_NE(message_of({mine.path()}, "h100-wrong").find("memory.bandwidth = \"3.35\" has no unit"),
            std::string::npos);
}

}  // namespace
}  // namespace rehearse
