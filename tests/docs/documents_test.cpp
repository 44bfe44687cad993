// The documents of the repository against what its commands print: every figure has an entry in
// tests/docs/*.figures or an exemption with its reason, and the command lines that they show run.
// With REHEARSE_UPDATE_GOLDENS set (tools/update_goldens) the figures are written anew.
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <sys/wait.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>
#include <set>
#include <sstream>

#include "base/processes.hpp"
#include "docs/entries.hpp"
#include "docs/figures.hpp"
#include "docs/markdown.hpp"

namespace rehearse {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

const fs::path kRoot = REHEARSE_SOURCE_DIR;

std::string text_of(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) throw std::runtime_error("cannot read " + path.string());
  return {std::istreambuf_iterator<char>(file), {}};
}

bool is_set(const char* variable) {
  const char* const value = std::getenv(variable);
  return value != nullptr && *value != '\0';
}

bool updates() { return is_set("REHEARSE_UPDATE_GOLDENS") && !is_set("CI"); }

const Entries& entries() {
  static const Entries kAll = [] {
    std::vector<fs::path> paths;
    for (const auto& file : fs::directory_iterator(kRoot / "tests/docs")) {
      if (file.path().extension() == ".figures") paths.push_back(file.path());
    }
    std::sort(paths.begin(), paths.end());
    Entries read;
    for (const fs::path& path : paths) {
      read_entries(fs::relative(path, kRoot).generic_string(), text_of(path), read);
    }
    for (Exemption& exemption : read.exemptions) {
      if (exemption.kind != Exemption::Kind::kQuotes) continue;
      exemption.source = text_of(kRoot / exemption.text);
    }
    return read;
  }();
  return kAll;
}

// A folder that looks like the repository's root to a command, and takes what it writes.
class Folder {
 public:
  Folder() {
    std::string name = (fs::temp_directory_path() / "rehearse-docs-XXXXXX").string();
    if (mkdtemp(name.data()) == nullptr) throw std::runtime_error("cannot make " + name);
    path_ = name;
    for (const char* const data : {"platforms", "tests", "tools", "traces", "workloads"}) {
      fs::create_symlink(kRoot / data, path_ / data);
    }
    fs::create_directory(path_ / "out");
  }
  ~Folder() {
    std::error_code ignored;  // a folder that stays in /tmp fails no test
    fs::remove_all(path_, ignored);
  }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;

  const fs::path& path() const { return path_; }

 private:
  fs::path path_;
};

struct Output {
  int status = -1;
  std::string text;
};

// In a shell that knows `rehearse`. It stops at the first command that neither ends with 0 nor 1,
// the two answers.
Output run_in(const fs::path& folder, const std::string& commands) {
  std::ofstream(folder / "commands.sh") << "PLAN=workloads/plans/moe-10b-24gpu.textproto\n"
                                           "OUT=out\n"
                                           "rehearse() { '" REHEARSE_BINARY
                                           "' \"$@\"; }\n"
                                           "set -E\n"
                                           "trap 'code=$?; [ $code -le 1 ] || exit $code' ERR\n"
                                        << commands << '\n';
  const std::string line = fmt::format("cd '{}' && bash commands.sh", folder.string());
  FILE* const pipe = popen(line.c_str(), "r");
  if (pipe == nullptr) throw std::runtime_error("cannot start a shell");
  Output run;
  std::array<char, 65536> buffer;
  for (std::size_t size; (size = fread(buffer.data(), 1, buffer.size(), pipe)) > 0;) {
    run.text.append(buffer.data(), size);
  }
  const int status = pclose(pipe);
  run.status = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  return run;
}

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

const Section* section_of(const Markdown& document, const std::string& title) {
  for (const Section& section : document.sections) {
    if (section.title == title) return &section;
  }
  return nullptr;
}

// A block whose first line is a comment with a file's name is that file; a block that starts with
// something else than a command line is an example of a syntax.
void run_script(const Script& script, const fs::path& folder) {
  const std::string document = text_of(kRoot / script.document);
  const Markdown markdown = read_markdown(document);
  const Section* const section = section_of(markdown, script.section);
  ASSERT_NE(section, nullptr) << to_text(script.where) << ": no section " << script.section;
  int commands = 0;
  for (const CodeBlock& block : markdown.code) {
    if (!section->span.contains(block.span)) continue;
    if (block.text.starts_with("# ")) {
      std::ofstream(folder / block.text.substr(2, block.text.find('\n') - 2)) << block.text;
    } else if (block.text.starts_with("rehearse ") || block.text.starts_with("PLAN=")) {
      ++commands;
      const Output run = run_in(folder, block.text);
      EXPECT_LE(run.status, 1) << script.document << ":" << line_of(document, block.span.begin)
                               << ": these lines end with exit code " << run.status << "\n"
                               << block.text << run.text;
    }
  }
  EXPECT_GT(commands, 0) << to_text(script.where) << ": the section shows no command line";
}

// The sections of a document share a folder, as they do for a reader.
void run_scripts(bool slow) {
  std::map<std::string, Folder> folders;
  for (const Script& script : entries().scripts) {
    if (script.slow == slow) run_script(script, folders[script.document].path());
  }
  EXPECT_FALSE(folders.empty());
}

TEST(Documents, FiguresAreWhatCommandsPrint) { check_figures(false); }
TEST(Documents, CommandLinesRun) { run_scripts(false); }
TEST(SlowDocuments, FiguresAreWhatCommandsPrint) { check_figures(true); }
TEST(SlowDocuments, CommandLinesRun) { run_scripts(true); }

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
  const std::string document = text_of(kRoot / "README.md");
  const Markdown markdown = read_markdown(document);
  const Section* const section = section_of(markdown, "What the numbers mean");
  ASSERT_NE(section, nullptr);
  const std::string said =
      letters_only(document.substr(section->span.begin, section->span.end - section->span.begin));
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
        << "README.md, \"What the numbers mean\", lacks the words of " << label << ":\n"
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
