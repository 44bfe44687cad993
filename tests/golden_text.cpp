#include "golden_text.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <sstream>

#include "source_dir.hpp"

namespace rehearse {
namespace {

bool is_set(const char* variable) {
  const char* const value = std::getenv(variable);
  return value != nullptr && *value != '\0';
}

std::string quoted(bool there, const std::string& line) {
  return there ? fmt::format("\"{}\"", line) : "the end of the text";
}

}  // namespace

std::string first_difference(const std::string& expected, const std::string& actual) {
  std::istringstream expected_lines(expected);
  std::istringstream actual_lines(actual);
  for (int number = 1;; ++number) {
    std::string wanted;
    std::string found;
    const bool more_wanted = static_cast<bool>(std::getline(expected_lines, wanted));
    const bool more_found = static_cast<bool>(std::getline(actual_lines, found));
    if (!more_wanted && !more_found) break;
    if (more_wanted != more_found || wanted != found) {
      return fmt::format("line {}:\n  expected {}\n  actual   {}", number,
                         quoted(more_wanted, wanted), quoted(more_found, found));
    }
  }
  return expected == actual ? "" : "the newline at the end";
}

void expect_golden(const std::string& name, const std::string& text) {
  const std::filesystem::path path =
      std::filesystem::path(REHEARSE_SOURCE_DIR) / "tests/golden" / (name + ".txt");
  if (is_set("REHEARSE_UPDATE_GOLDENS") && !is_set("CI")) {
    std::filesystem::create_directories(path.parent_path());
    std::ofstream file(path, std::ios::binary);
    file << text;
    EXPECT_TRUE(file.flush().good()) << "cannot write " << path;
    return;
  }
  std::ifstream file(path, std::ios::binary);
  if (!file) {
    ADD_FAILURE() << "no golden " << path << "; tools/update_goldens writes it";
    return;
  }
  const std::string expected{std::istreambuf_iterator<char>(file), {}};
  const std::string difference = first_difference(expected, text);
  EXPECT_TRUE(difference.empty()) << path << ", " << difference
                                  << "\nIf the change is meant: tools/update_goldens";
}

}  // namespace rehearse
