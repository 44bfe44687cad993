// The command lines that the documents show: they run, they print what is shown below them, and the
// commands and options that prose names exist. A block of code without a word behind its ``` is a
// file (its first line names it) or command lines; ```output is what the block before it prints,
// and
// ```message what a case of tests/cli holds the program to.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cctype>
#include <filesystem>
#include <fstream>
#include <functional>
#include <map>
#include <set>
#include <sstream>
#include <vector>

#include "base/processes.hpp"
#include "docs/all_entries.hpp"
#include "docs/markdown.hpp"
#include "docs/shell.hpp"
#include "docs/shown_output.hpp"
#include "source_dir.hpp"

namespace rehearse {
namespace {

namespace fs = std::filesystem;

const fs::path kRoot = REHEARSE_SOURCE_DIR;

struct Document {
  std::string path;
  std::string text;
  Markdown markdown;

  explicit Document(const std::string& name)
      : path(name), text(text_of(kRoot / name)), markdown(read_markdown(text)) {}

  std::string place(const CodeBlock& block) const {
    return fmt::format("{}:{}", path, line_of(text, block.span.begin));
  }
};

bool is_idle(const Document& document, const CodeBlock& block) {
  const auto& idle = entries().idle_code;
  return std::any_of(idle.begin(), idle.end(), [&](const IdleCode& code) {
    return code.document == document.path && block.text.starts_with(code.start);
  });
}

bool is_in_section(const Document& document, const CodeBlock& block, const std::string& title) {
  const auto& sections = document.markdown.sections;
  return std::any_of(sections.begin(), sections.end(), [&](const Section& section) {
    return section.title == title && section.span.contains(block.span);
  });
}

// The script that runs the block: that of its section before that of the whole document.
const Script* script_of(const Document& document, const CodeBlock& block) {
  const Script* found = nullptr;
  for (const Script& script : entries().scripts) {
    if (script.document != document.path) continue;
    if (script.section.empty()) {
      if (found == nullptr) found = &script;
    } else if (is_in_section(document, block, script.section)) {
      found = &script;
    }
  }
  return found;
}

// What a reading of a document comes to.
struct Read {
  std::string text;  // the document, with the outputs that are printed where these are written anew
  std::string complaints;  // empty: all of it is true
};

// Blocks of a document in order, in one folder, as a reader would run them.
class Reading {
 public:
  Reading(const Document& document, bool slow) : document_(document), slow_(slow) {}

  Read run() {
    for (const CodeBlock& block : document_.markdown.code) {
      const Script* const script = script_of(document_, block);
      if (script == nullptr || script->slow != slow_ || is_idle(document_, block)) continue;
      if (block.info == "output") {
        compare(block);
      } else if (block.info.empty() && block.is_file()) {
        std::ofstream(folder_.path() / block.file()) << block.text;
      } else if (block.info.empty()) {
        run_block(block);
      }
    }
    return {corrected(), complaints_};
  }

 private:
  void run_block(const CodeBlock& block) {
    printed_ = run_in(folder_.path(), block.text);
    if (printed_.status == 0 || printed_.status == 1) return;
    complaints_ += fmt::format("{}: these lines end with exit code {}\n{}{}\n",
                               document_.place(block), printed_.status, block.text, printed_.text);
  }

  void compare(const CodeBlock& block) {
    std::string shown = block.text;
    if (updates()) {
      shown = with_printed_figures(shown, printed_.text);
      if (shown != block.text) anew_.emplace_back(block, shown);
    }
    const std::string differs = differing_line(shown, printed_.text);
    if (differs.empty()) return;
    complaints_ += fmt::format("{}: not printed: {}\nPrinted is:\n{}\n", document_.place(block),
                               differs, printed_.text);
  }

  std::string corrected() const {
    std::string text = document_.text;
    for (auto each = anew_.rbegin(); each != anew_.rend(); ++each) {
      const std::size_t begin = text.find('\n', each->first.span.begin) + 1;
      text.replace(begin, each->first.text.size(), each->second);
    }
    return text;
  }

  const Document& document_;
  bool slow_;
  Folder folder_;
  Output printed_;
  std::string complaints_;
  std::vector<std::pair<CodeBlock, std::string>> anew_;
};

// Documents are independent of each other, so that each is read in a process of its own.
void run_scripts(bool slow) {
  std::set<std::string> paths;
  for (const Script& script : entries().scripts) {
    if (script.slow == slow) paths.insert(script.document);
  }
  ASSERT_FALSE(paths.empty());
  std::vector<std::function<std::string()>> jobs;
  jobs.reserve(paths.size());
  for (const std::string& path : paths) {
    jobs.emplace_back([&path, slow] {
      const Document document(path);
      const Read read = Reading(document, slow).run();
      if (read.text != document.text) std::ofstream(kRoot / path, std::ios::binary) << read.text;
      return read.complaints;
    });
  }
  for (const JobResult& complaints : run_in_processes(jobs, usable_cpus())) {
    EXPECT_TRUE(complaints.value().empty()) << complaints.value();
  }
}

TEST(Documents, CommandLinesRun) { run_scripts(false); }
TEST(SlowDocuments, CommandLinesRun) { run_scripts(true); }

TEST(Documents, OfTheFolderDocsAreAllRead) {
  const auto& known = entries().documents;
  for (const auto& file : fs::directory_iterator(kRoot / "docs")) {
    if (file.path().extension() != ".md") continue;
    const std::string path = fs::relative(file.path(), kRoot).generic_string();
    EXPECT_NE(std::find(known.begin(), known.end(), path), known.end())
        << path << " has no lines in tests/docs/*.figures";
  }
}

bool is_for_readers(const std::string& document) {
  return document == "README.md" || document.starts_with("docs/");
}

TEST(Documents, EveryCodeBlockRunsOrSaysWhyNot) {
  for (const std::string& path : entries().documents) {
    if (!is_for_readers(path)) continue;
    const Document document(path);
    for (const CodeBlock& block : document.markdown.code) {
      if (block.info == "message" || is_idle(document, block)) continue;
      EXPECT_TRUE(script_of(document, block) != nullptr)
          << document.place(block) << ": nobody runs " << block.first_line();
      EXPECT_TRUE(block.info.empty() || block.info == "output") << document.place(block);
    }
  }
}

TEST(Documents, EveryReasonNotToRunIsOfABlock) {
  for (const IdleCode& idle : entries().idle_code) {
    const Document document(idle.document);
    const auto& blocks = document.markdown.code;
    EXPECT_TRUE(
        std::any_of(blocks.begin(), blocks.end(),
                    [&](const CodeBlock& block) { return block.text.starts_with(idle.start); }))
        << to_text(idle.where) << ": no block starts so";
  }
  for (const Script& script : entries().scripts) {
    const auto sections = Document(script.document).markdown.sections;
    EXPECT_TRUE(script.section.empty() || std::any_of(sections.begin(), sections.end(),
                                                      [&](const Section& section) {
                                                        return section.title == script.section;
                                                      }))
        << to_text(script.where) << ": no section " << script.section;
  }
}

// What the cases of tests/cli expect on stderr, without the place.
std::vector<std::string> known_messages() {
  std::vector<std::string> messages;
  for (const auto& folder : fs::directory_iterator(kRoot / "tests/cli/cases")) {
    if (!fs::exists(folder.path() / "stderr")) continue;
    std::istringstream lines(text_of(folder.path() / "stderr"));
    for (std::string line; std::getline(lines, line);) {
      const auto at = line.find("error: ");
      messages.push_back(at == std::string::npos ? line : line.substr(at));
    }
  }
  return messages;
}

// " ..." at the end stands for the rest.
bool is_known(const std::string& message, const std::vector<std::string>& known) {
  const bool is_cut = message.ends_with(" ...");
  const std::string begin = is_cut ? message.substr(0, message.size() - 3) : message;
  return std::any_of(known.begin(), known.end(), [&](const std::string& each) {
    return is_cut ? each.starts_with(begin) : each == begin;
  });
}

TEST(Documents, MessagesAreThoseOfTheProgram) {
  const std::vector<std::string> known = known_messages();
  int messages = 0;
  for (const std::string& path : entries().documents) {
    const Document document(path);
    for (const CodeBlock& block : document.markdown.code) {
      if (block.info != "message") continue;
      std::istringstream lines(block.text);
      for (std::string line; std::getline(lines, line); ++messages) {
        EXPECT_TRUE(is_known(line, known))
            << document.place(block) << ": no case of tests/cli expects: " << line;
      }
    }
  }
  EXPECT_GT(messages, 0);
}

std::vector<std::string> words_of(const std::string& line) {
  std::istringstream from(line);
  std::vector<std::string> words;
  for (std::string word; from >> word;) words.push_back(word);
  return words;
}

// What `rehearse COMMAND --help` prints; of no command, `rehearse --help`.
const std::string& help_of(const std::string& command) {
  static std::map<std::string, std::string> helps;
  const auto [at, is_new] = helps.try_emplace(command);
  if (is_new) {
    const Folder folder;
    at->second = run_in(folder.path(), "rehearse " + command + " --help").text;
  }
  return at->second;
}

// The option that a word of a command line is, without a value or a bracket; empty: it is none.
std::string option_in(const std::string& word) {
  if (!word.starts_with("--") || word.size() < 3) return "";
  return word.substr(0, word.find_first_of("=,]|", 2));
}

bool has_word(const std::string& text, const std::string& word) {
  for (auto at = text.find(word); at != std::string::npos; at = text.find(word, at + 1)) {
    const auto end = at + word.size();
    if (end >= text.size() ||
        (std::isalnum(static_cast<unsigned char>(text[end])) == 0 && text[end] != '-'))
      return true;
  }
  return false;
}

// Not an option, and not a placeholder: COMMAND.
bool is_command(const std::string& word) {
  return std::islower(static_cast<unsigned char>(word.front())) != 0;
}

TEST(Documents, CommandsAndOptionsThatProseNamesExist) {
  for (const std::string& path : entries().documents) {
    if (!is_for_readers(path)) continue;
    const Document document(path);
    for (const std::string& code : document.markdown.inline_code) {
      const std::vector<std::string> words = words_of(code);
      if (words.size() < 2 || words[0] != "rehearse" || !is_command(words[1])) continue;
      EXPECT_TRUE(has_word(help_of(""), "\n  " + words[1])) << path << ": " << code;
      for (const std::string& word : words) {
        const std::string option = option_in(word);
        EXPECT_TRUE(option.empty() || has_word(help_of(words[1]), option)) << path << ": " << code;
      }
    }
  }
}

}  // namespace
}  // namespace rehearse
