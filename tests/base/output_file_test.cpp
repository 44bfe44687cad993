// fault:A9 fault:A14: files appear whole or not at all, only regular files are replaced, and what
// the system refuses is said by its name.
#include "base/output_file.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <optional>

#include "base/error.hpp"

namespace rehearse {
namespace {

namespace fs = std::filesystem;

class Folder {
 public:
  Folder() {
    std::string name = (fs::temp_directory_path() / "output_file-XXXXXX").string();
    if (mkdtemp(name.data()) == nullptr) throw std::runtime_error("mkdtemp");
    path_ = name;
  }
  ~Folder() { fs::remove_all(path_); }
  std::string file(const std::string& name) const { return path_ / name; }
  long files() const {
    return std::distance(fs::directory_iterator(path_), fs::directory_iterator());
  }

 private:
  fs::path path_;
};

std::string text_of(const std::string& path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), {}};
}

std::string refusal_of(const std::string& path) {
  try {
    write_file(path, "new");
    return "";
  } catch (const InputError& error) {
    return error.what();
  }
}

std::string refusal(const std::string& path, const std::string& why) {
  return path + ":1:1: error: cannot write this file: " + why;
}

TEST(OutputFile, AppearsAtCommitAndReplacesAnOlderOne) {
  const Folder folder;
  const std::string path = folder.file("a");
  std::ofstream(path) << "old";
  {
    OutputFile abandoned(path);
    abandoned.write("half");
    EXPECT_EQ(folder.files(), 2);
  }
  EXPECT_EQ(folder.files(), 1);
  OutputFile file(path);
  file.write("ne");
  file.write("w");
  file.close();
  EXPECT_EQ(text_of(path), "old");
  file.commit();
  EXPECT_EQ(text_of(path), "new");
  EXPECT_EQ(folder.files(), 1);
}

TEST(OutputFile, ADeviceOrPipeIsWrittenIntoAndStays) {
  const Folder folder;
  write_file("/dev/null", "gone");
  struct stat there {};
  ASSERT_EQ(stat("/dev/null", &there), 0);
  EXPECT_TRUE(S_ISCHR(there.st_mode));

  const std::string pipe = folder.file("pipe");
  ASSERT_EQ(mkfifo(pipe.c_str(), 0600), 0);
  const int reader = open(pipe.c_str(), O_RDONLY | O_NONBLOCK);
  write_file(pipe, "hello");
  char text[16];
  EXPECT_EQ(read(reader, text, sizeof text), 5);
  close(reader);
  ASSERT_EQ(lstat(pipe.c_str(), &there), 0);
  EXPECT_TRUE(S_ISFIFO(there.st_mode));
  EXPECT_EQ(folder.files(), 1);
}

TEST(OutputFile, ALinkIsNeitherFollowedNorReplaced) {
  const Folder folder;
  std::ofstream(folder.file("precious")) << "mine";
  fs::create_symlink(folder.file("precious"), folder.file("link"));
  fs::create_symlink(folder.file("nothing"), folder.file("dangling"));
  for (const char* const name : {"link", "dangling"}) {
    EXPECT_EQ(
        refusal_of(folder.file(name)),
        refusal(folder.file(name), "it is a symbolic link: name the file that it stands for"));
  }
  EXPECT_EQ(text_of(folder.file("precious")), "mine");
  EXPECT_EQ(folder.files(), 3);
}

// The name of the partial file cannot be known before, so nobody can plant a link there: two of
// them differ.
TEST(OutputFile, PartialNamesAreRandom) {
  const Folder folder;
  const OutputFile a(folder.file("a"));
  const OutputFile b(folder.file("a"));
  EXPECT_EQ(folder.files(), 2);
}

TEST(OutputFile, WhatTheSystemRefusesIsSaid) {
  const Folder folder;
  fs::create_directory(folder.file("folder"));
  EXPECT_EQ(refusal_of(folder.file("folder")), refusal(folder.file("folder"), "Is a directory"));
  EXPECT_EQ(refusal_of(folder.file("no/a")),
            refusal(folder.file("no/a"), "No such file or directory"));
  EXPECT_EQ(refusal_of("/dev/full"), refusal("/dev/full", "No space left on device"));
}

TEST(OutputFile, AShortWriteSaysWhatStoppedIt) {
  // The limit lets a part of the text through; the rest fails as on a full disk.
  const Folder folder;
  signal(SIGXFSZ, SIG_IGN);
  rlimit limit{};
  getrlimit(RLIMIT_FSIZE, &limit);
  const rlimit before = limit;
  limit.rlim_cur = 1000;
  ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &limit), 0);
  std::string what;
  try {
    write_file(folder.file("a"), std::string(5000, 'x'));
  } catch (const InputError& error) {
    what = error.what();
  }
  setrlimit(RLIMIT_FSIZE, &before);
  EXPECT_EQ(what, refusal(folder.file("a"), "File too large"));
  EXPECT_EQ(folder.files(), 0);
}

TEST(OutputFiles, AppearTogetherOrNotAtAll) {
  const Folder folder;
  {
    OutputFiles files;
    files.add(folder.file("a"), "1");
    EXPECT_THROW(files.add(folder.file("no/b"), "2"), InputError);
  }
  EXPECT_EQ(folder.files(), 0);
  OutputFiles files;
  files.add(folder.file("a"), "1");
  files.add(folder.file("b"), "2");
  EXPECT_FALSE(fs::exists(folder.file("a")));
  files.commit();
  EXPECT_EQ(text_of(folder.file("a")) + text_of(folder.file("b")), "12");
  EXPECT_EQ(folder.files(), 2);
}

}  // namespace
}  // namespace rehearse
