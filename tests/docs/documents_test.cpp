// The documents of the repository against what its commands print: every figure has an entry in
// tests/docs/*.figures or an exemption with its reason, and the command lines that they show run.
// With REHEARSE_UPDATE_GOLDENS set (tools/update_goldens) the figures are written anew.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cctype>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <set>
#include <sstream>

#include "base/processes.hpp"
#include "docs/all_entries.hpp"
#include "docs/figures.hpp"
#include "docs/markdown.hpp"
#include "docs/shell.hpp"
#include "source_dir.hpp"

namespace rehearse {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

const fs::path kRoot = REHEARSE_SOURCE_DIR;

// A search's values have names with dots: "ttft_s.mean". As trees, they can be named like a run's.
json with_trees(const json& from) {
  if (from.is_array()) {
    json list = json::array();
    for (const json& each : from) list.push_back(with_trees(each));
    return list;
  }
  if (!from.is_object()) return from;
  json tree = json::object();
  for (const auto& [name, value] : from.items()) {
    json* at = &tree;
    std::size_t begin = 0;
    for (std::size_t dot; (dot = name.find('.', begin)) != std::string::npos; begin = dot + 1) {
      at = &(*at)[name.substr(begin, dot - begin)];
    }
    (*at)[name.substr(begin)] = with_trees(value);
  }
  return tree;
}

// The rows of a table of numbers as {"rows": [[...], ...]}; lines that start with no number are its
// head. JSON as it is.
json parsed(const std::string& text) {
  if (text.starts_with("{")) return with_trees(json::parse(text));
  json rows = json::array();
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    std::istringstream words(line);
    json row = json::array();
    for (std::string word; words >> word;) {
      char* end = nullptr;
      const double number = std::strtod(word.c_str(), &end);
      row.push_back(*end == '\0' ? json(number) : json(word));
    }
    if (!row.empty() && row.front().is_number()) rows.push_back(row);
  }
  return {{"rows", rows}};
}

// What the commands print, each run once.
json results_of(const std::set<std::string>& names) {
  std::vector<std::function<std::string()>> jobs;
  jobs.reserve(names.size());
  for (const std::string& name : names) {
    jobs.emplace_back([&name] {
      const Command& command = entries().commands.at(name);
      const Folder folder;
      const Output run = run_in(folder.path(), command.line);
      if (run.status != 0 && run.status != 1) {
        throw InputError(command.where,
                         fmt::format("exit code {} of {}", run.status, command.line));
      }
      return run.text;
    });
  }
  const std::vector<JobResult> texts = run_in_processes(jobs, usable_cpus());
  json results;
  std::size_t at = 0;
  for (const std::string& name : names) results[name] = parsed(texts[at++].value());
  return results;
}

std::set<std::string> commands_of(const Entry& entry) {
  std::set<std::string> names;
  for (const Hole& hole : entry.holes) {
    for (const std::string& name : commands_of(hole)) {
      if (!entries().commands.contains(name)) {
        throw InputError(hole.where, fmt::format("there is no command {}", name));
      }
      names.insert(name);
    }
  }
  return names;
}

bool is_slow(const Entry& entry) {
  const std::set<std::string> names = commands_of(entry);
  return std::any_of(names.begin(), names.end(),
                     [](const auto& name) { return entries().commands.at(name).slow; });
}

void check_figures(bool slow) {
  std::vector<Entry> chosen;
  std::set<std::string> commands;
  for (const Entry& entry : entries().entries) {
    if (is_slow(entry) != slow) continue;
    chosen.push_back(entry);
    commands.merge(commands_of(entry));
  }
  ASSERT_FALSE(chosen.empty());
  const json results = results_of(commands);
  std::map<std::string, std::string> documents;
  for (const Entry& entry : chosen) {
    std::string& text =
        documents.try_emplace(entry.document, text_of(kRoot / entry.document)).first->second;
    const std::string wrong = correct(entry, results, text);
    if (wrong.empty()) continue;
    // Words that are not there cannot be corrected.
    if (updates() && correct(entry, results, text).empty()) continue;
    ADD_FAILURE() << wrong << "\ntools/update_goldens writes the figures anew";
  }
  if (!updates()) return;
  for (const auto& [path, text] : documents) {
    std::ofstream file(kRoot / path, std::ios::binary);
    file << text;
    EXPECT_TRUE(file.flush().good()) << "cannot write " << path;
  }
}

TEST(Documents, FiguresAreWhatCommandsPrint) { check_figures(false); }
TEST(SlowDocuments, FiguresAreWhatCommandsPrint) { check_figures(true); }

std::string letters_only(const std::string& text) {
  std::string letters;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (std::isspace(byte) == 0 && c != '`') letters += static_cast<char>(std::tolower(byte));
  }
  return letters;
}

// `run --explain` prints a definition, indented, below each line of its summary.
TEST(Documents, DefinitionsAreThoseThatTheProgramPrints) {
  const std::string said = letters_only(text_of(kRoot / "docs/numbers.md"));
  const Folder folder;
  const Output run = run_in(folder.path(), "rehearse run $PLAN --explain");
  ASSERT_EQ(run.status, 0);
  std::istringstream lines(run.text.substr(0, run.text.find("\n\n")));
  int definitions = 0;
  for (std::string line, label; std::getline(lines, line);) {
    if (!line.starts_with(" ")) label = line.substr(0, line.find("  "));
    if (!line.starts_with(" ") || label == "layout") continue;
    ++definitions;
    EXPECT_NE(said.find(letters_only(line)), std::string::npos)
        << "docs/numbers.md lacks the words of " << label << ":\n"
        << line;
  }
  EXPECT_GT(definitions, 8);
}

TEST(Documents, EveryFigureIsCheckedOrExemptWithItsReason) {
  ASSERT_FALSE(entries().documents.empty());
  for (const std::string& document : entries().documents) {
    for (const std::string& complaint : uncovered(document, text_of(kRoot / document), entries())) {
      ADD_FAILURE() << complaint;
    }
  }
}

}  // namespace
}  // namespace rehearse
