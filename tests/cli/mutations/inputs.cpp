// What the mutations start from: the argument lists of tests/cli/cases as words, and a copy of the
// inputs that they name, so that a changed word or a changed file never touches the checkout.
#include "inputs.hpp"

#include <algorithm>
#include <cctype>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <stdexcept>

namespace fs = std::filesystem;

std::string read_file(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

void write_file(const fs::path& path, const std::string& text) {
  std::ofstream file(path, std::ios::binary | std::ios::trunc);
  file << text;
  if (!file.flush()) throw std::runtime_error("cannot write " + path.string());
}

std::string quoted(const std::string& word) {
  const std::string long_word(kLongWord, 'a');
  if (const auto at = word.find(long_word); at != std::string::npos) {
    return quoted(word.substr(0, at)) + "$(head -c 100000 /dev/zero | tr '\\0' a)" +
           quoted(word.substr(at + kLongWord));
  }
  std::string text = "$'";
  for (const char c : word) {
    char escaped[8];
    const auto byte = static_cast<unsigned char>(c);
    const bool plain = std::isprint(byte) != 0 && c != '\'' && c != '\\';
    std::snprintf(escaped, sizeof escaped, plain ? "%c" : "\\x%02x", byte);
    text += escaped;
  }
  return text + "'";
}

namespace {

// What the shell makes of `args`, as run_case evaluates it.
Words words_of(const fs::path& args, const std::string& folder, const std::string& out) {
  setenv("ARGS", args.c_str(), 1);
  setenv("CASE", folder.c_str(), 1);
  setenv("OUT", out.c_str(), 1);
  FILE* const shell =
      popen(R"sh(exec bash -c 'eval "set -- $(cat "$ARGS")" && printf "%s\0" "$#" "$@"')sh", "r");
  if (shell == nullptr) throw std::runtime_error("cannot start a shell");
  Words words;
  std::string word;
  for (int c = std::fgetc(shell); c != EOF; c = std::fgetc(shell)) {
    if (c != 0) {
      word += static_cast<char>(c);
    } else {
      words.push_back(std::exchange(word, {}));
    }
  }
  if (pclose(shell) != 0 || words.empty())
    throw std::runtime_error("cannot evaluate " + args.string());
  words.erase(words.begin());  // how many there are
  return words;
}

// A search that succeeds simulates many layouts; those that are refused lead to few.
bool starts_long_work(const Case& one, const fs::path& folder) {
  return !one.words.empty() && one.words[0] == "search" && fs::exists(folder / "exit");
}

}  // namespace

State state_of(const fs::path& path) {
  if (!fs::is_regular_file(path)) return {};
  return {fs::file_size(path), fs::last_write_time(path)};
}

Contents contents_of(const fs::path& folder) {
  Contents contents;
  for (const auto& entry : fs::recursive_directory_iterator(folder)) {
    contents[entry.path().lexically_relative(folder).string()] = state_of(entry.path());
  }
  return contents;
}

std::vector<Case> read_cases(const fs::path& root, const std::string& out, std::size_t& left_out) {
  std::vector<Case> cases;
  std::vector<fs::path> folders;
  for (const auto& entry : fs::directory_iterator(root / "tests/cli/cases"))
    folders.push_back(entry.path());
  std::ranges::sort(folders);
  for (const fs::path& folder : folders) {
    Case one{fs::relative(folder, root).string(), {}};
    one.words = words_of(folder / "args", one.folder, out);
    if (starts_long_work(one, folder)) {
      ++left_out;
    } else {
      cases.push_back(std::move(one));
    }
  }
  return cases;
}
