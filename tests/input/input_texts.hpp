// Texts for the tests of the input stage: files written for one test, and the message of a refusal.
#pragma once

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <string>

#include "base/error.hpp"

namespace rehearse {

// A file of the test that runs, in a folder that no other test writes to.
inline std::string written_file(const std::string& name, const std::string& text) {
  const auto* test = testing::UnitTest::GetInstance()->current_test_info();
  // Another user's files could not be written again.
  const std::string mine = "rehearse-input-" + std::to_string(getuid());
  const auto folder =
      std::filesystem::path(testing::TempDir()) / mine / test->test_suite_name() / test->name();
  std::filesystem::create_directories(folder);
  const auto path = folder / name;
  std::ofstream(path, std::ios::binary) << text;
  return path.string();
}

// The message of the InputError that `read` throws.
template <class Read>
std::string refusal_of(Read read) {
  try {
    read();
  } catch (const InputError& error) {
    return error.what();
  }
  return "accepted";
}

}  // namespace rehearse
