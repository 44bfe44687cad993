#pragma once
// What the mutations start from: the command lines of the cases, and what stands in a folder.
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <utility>
#include <vector>

using Words = std::vector<std::string>;

constexpr std::size_t kLongWord = 100'000;  // Linux passes words of up to 128 KiB

struct Case {
  std::string folder;  // relative to the root
  Words words;
};

// In the order of their names; LEFT_OUT counts those that start long work.
std::vector<Case> read_cases(const std::filesystem::path& root, const std::string& out,
                             std::size_t& left_out);

std::string read_file(const std::filesystem::path& path);
void write_file(const std::filesystem::path& path, const std::string& text);

// A word as bash reads it.
std::string quoted(const std::string& word);

// Of a file or folder: size and time of change of a file.
using State = std::pair<std::uintmax_t, std::filesystem::file_time_type>;
using Contents = std::map<std::string, State>;

State state_of(const std::filesystem::path& path);
Contents contents_of(const std::filesystem::path& folder);
