#include "trace/gzip_stream.hpp"

#include <gtest/gtest.h>
#include <sys/resource.h>

#include <csignal>
#include <fstream>
#include <string>

#include "base/error.hpp"
#include "trace/imported_trace.hpp"
#include "trace/scratch_file.hpp"

namespace rehearse {
namespace {

// Text that deflate cannot shrink much, so that every buffer is filled and flushed.
std::string noise(std::size_t size) {
  std::string text(size, ' ');
  std::uint32_t state = 1;
  for (char& byte : text) {
    state = state * 1664525 + 1013904223;
    byte = static_cast<char>(state >> 24);
  }
  return text;
}

TEST(GzipStream, AnotherImplementationReadsWhatWasWritten) {
  const ScratchDirectory scratch;
  for (const std::size_t size : {0ul, 1ul, 262144ul, 262145ul, 5'000'000ul}) {
    const std::string text = noise(size);
    GzipStream stream(scratch.file("a.gz"));
    for (std::size_t at = 0; at < size; at += 77'777) stream.write(text.substr(at, 77'777));
    stream.finish();
    EXPECT_TRUE(read_gzip(scratch.file("a.gz")) == text) << size;
  }
}

TEST(GzipStream, TextMayBeFormattedInPlaceAndBeLargerThanTheBuffer) {
  const ScratchDirectory scratch;
  GzipStream stream(scratch.file("a.gz"));
  char* at = stream.room(10);
  *at = 'x';
  stream.advance_to(at + 1);
  stream.write(std::string(1'000'000, 'y'));
  stream.finish();
  EXPECT_TRUE(read_gzip(scratch.file("a.gz")) == "x" + std::string(1'000'000, 'y'));
}

TEST(GzipStream, TheRealNameAppearsOnlyWhenTheFileIsWhole) {
  const ScratchDirectory scratch;
  const std::string path = scratch.file("a.gz");
  std::ofstream(path) << "old";
  {
    GzipStream unfinished(path);
    unfinished.write(noise(1'000'000));
    EXPECT_EQ(scratch.files(), 2u);
  }
  EXPECT_EQ(scratch.files(), 1u);
  EXPECT_EQ(bytes_of(path), "old");
  GzipStream finished(path);
  finished.finish();
  EXPECT_EQ(scratch.files(), 1u);
  EXPECT_EQ(read_gzip(path), "");
}

void expect_refused(const std::string& path, const std::string& why) {
  try {
    GzipStream stream(path);
    stream.write(noise(1'000'000));
    stream.finish();
    ADD_FAILURE() << path << " was written";
  } catch (const InputError& error) {
    EXPECT_EQ(error.what(), path + ":1:1: error: cannot write this file: " + why);
  }
}

TEST(GzipStream, WhatTheSystemRefusesIsLocatedAtThePath) {
  const ScratchDirectory scratch;
  expect_refused(scratch.file("no/such/a.gz"), "No such file or directory");
  expect_refused(scratch.file(""), "Is a directory");
  std::ofstream(scratch.file("plain")) << "";
  expect_refused(scratch.file("plain/a.gz"), "Not a directory");
}

TEST(GzipStream, AFullDiskLeavesNothingBehind) {
  // A limit on the size of files fails the write as a full disk does.
  const ScratchDirectory scratch;
  signal(SIGXFSZ, SIG_IGN);
  rlimit limit{};
  getrlimit(RLIMIT_FSIZE, &limit);
  limit.rlim_cur = 100'000;
  ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &limit), 0);
  expect_refused(scratch.file("a.gz"), "File too large");
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_FSIZE, &limit);
  EXPECT_EQ(scratch.files(), 0u);
}

}  // namespace
}  // namespace rehearse
