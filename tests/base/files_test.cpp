// Files are read whole, up to a limit, and only what can be read again.
#include "base/files.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdio>
#include <fstream>
#include <string>

namespace rehearse {
namespace {

std::string refusal_of(const std::string& path, std::size_t largest = kLargestText) {
  try {
    read_file(path, "a thing", largest);
  } catch (const InputError& error) {
    return error.what();
  }
  return "read";
}

// fault:A13: a device was read until memory ended.
TEST(ReadFile, RefusesWhatHasNoEndOrCannotBeReadAgain) {
  EXPECT_EQ(refusal_of("/dev/zero"),
            "/dev/zero:1:1: error: a thing cannot be read: it is no regular file");
  EXPECT_EQ(refusal_of("/"), "/:1:1: error: a thing cannot be read: it is a folder");
  EXPECT_EQ(refusal_of("/no/such"),
            "/no/such:1:1: error: a thing cannot be read: No such file or directory");
  const std::string pipe = testing::TempDir() + "pipe-" + std::to_string(getpid());
  ASSERT_EQ(mkfifo(pipe.c_str(), 0600), 0);
  EXPECT_EQ(refusal_of(pipe),
            pipe +
                ":1:1: error: a thing cannot be read: it is a pipe, which can be read only once: "
                "give a file, or \"-\" for standard input");
  EXPECT_NE(obstacle_to_reading(pipe), "");
  std::remove(pipe.c_str());
}

TEST(ReadFile, ReadsUpToItsLimit) {
  const std::string path = testing::TempDir() + "large-" + std::to_string(getpid());
  std::ofstream(path) << std::string((1 << 20) + 1, 'a');
  EXPECT_EQ(read_file(path, "a thing").size(), (1U << 20) + 1);
  EXPECT_EQ(refusal_of(path, 1 << 20),
            path + ":1:1: error: the file has more than 1 MiB: expected a thing");
  EXPECT_EQ(obstacle_to_reading(path), "");
  std::remove(path.c_str());
}

// fault:U8: what comes through a pipe is read by our parser, by SimGrid's and for the digest.
TEST(Rereadable, KeepsWhatAPipeBrings) {
  int ends[2];
  ASSERT_EQ(pipe(ends), 0);
  ASSERT_EQ(write(ends[1], "hello", 5), 5);
  close(ends[1]);
  const std::string typed = "/dev/fd/" + std::to_string(ends[0]);
  const std::string path = rereadable(typed, "a thing");
  EXPECT_EQ(path, typed);
  EXPECT_EQ(read_file(path, "a thing"), "hello");
  EXPECT_EQ(read_file(path, "a thing"), "hello");
  EXPECT_TRUE(is_descriptor(path));
  EXPECT_FALSE(is_descriptor("/dev/fd/x"));
  EXPECT_EQ(rereadable("some/file", "a thing"), "some/file");
}

TEST(Rereadable, AMinusIsStandardInput) {
  int ends[2];
  ASSERT_EQ(pipe(ends), 0);
  ASSERT_EQ(write(ends[1], "hello", 5), 5);
  close(ends[1]);
  ASSERT_EQ(dup2(ends[0], 0), 0);
  EXPECT_EQ(rereadable("-", "a thing"), "/dev/stdin");
  EXPECT_EQ(read_file("/dev/stdin", "a thing"), "hello");
}

}  // namespace
}  // namespace rehearse
