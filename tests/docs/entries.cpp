// Reads the entries, line by line. A line opens with a word that says what it is; the text of an
// entry is the lines from the one after `text` to the next empty line, with figures in braces.
#include "docs/entries.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <sstream>
#include <utility>

#include "claims/expression.hpp"

namespace rehearse {
namespace {

bool take(std::string& line, const std::string& word) {
  if (!line.starts_with(word)) return false;
  line.erase(0, word.size());
  return true;
}

class Reader {
 public:
  Reader(const std::string& file, const std::string& text, Entries& entries)
      : file_(file), lines_(text), entries_(entries) {}

  void read() {
    while (next()) {
      if (line_.empty() || line_.starts_with("#")) continue;
      const bool slow = take(line_, "slow ");
      if (take(line_, "command ")) {
        read_command(slow);
      } else if (take(line_, "run section ")) {
        if (line_.size() < 3 || line_.front() != '"' || line_.back() != '"') {
          fail("expected run section \"TITLE\"");
        }
        entries_.scripts.push_back({here(), document(), line_.substr(1, line_.size() - 2), slow});
      } else if (line_ == "run document") {
        entries_.scripts.push_back({here(), document(), "", slow});
      } else if (slow) {
        fail("slow is a word before command and run");
      } else if (take(line_, "document ")) {
        document_ = line_;
        entries_.documents.push_back(line_);
      } else if (line_ == "text") {
        read_text();
      } else if (take(line_, "exempt section ")) {
        read_exemption(Exemption::Kind::kSection);
      } else if (take(line_, "exempt words ")) {
        read_exemption(Exemption::Kind::kWords);
      } else if (take(line_, "exempt quotes ")) {
        read_exemption(Exemption::Kind::kQuotes);
      } else if (take(line_, "exempt code ")) {
        const auto [text, reason] = text_and_reason();
        entries_.idle_code.push_back({here(), document(), text, reason});
      } else {
        fail("expected command, document, text, exempt section|words|quotes|code or run");
      }
    }
  }

 private:
  SourceLocation here() const { return {file_, number_, 1}; }

  [[noreturn]] void fail(const std::string& message) const { throw InputError(here(), message); }

  bool next() {
    ++number_;
    return static_cast<bool>(std::getline(lines_, line_));
  }

  const std::string& document() const {
    if (document_.empty()) fail("a line `document PATH` must stand before it");
    return document_;
  }

  // NAME: LINE, where a line that ends with a backslash goes on in the next.
  void read_command(bool slow) {
    const SourceLocation where = here();
    const auto colon = line_.find(": ");
    if (colon == std::string::npos) fail("expected command NAME: LINE");
    const std::string name = line_.substr(0, colon);
    std::string whole = line_.substr(colon + 2);
    while (whole.ends_with("\\")) {
      whole.pop_back();
      if (!next()) fail("the command ends in a backslash");
      whole += line_;
    }
    if (!entries_.commands.emplace(name, Command{where, whole, slow}).second) {
      throw InputError(where, fmt::format("there are two commands {}", name));
    }
  }

  // "TEXT": REASON.
  std::pair<std::string, std::string> text_and_reason() const {
    const auto end = line_.find("\": ");
    if (!line_.starts_with("\"") || end == std::string::npos || end + 3 >= line_.size()) {
      fail("expected exempt section|words|quotes|code \"TEXT\": REASON");
    }
    return {line_.substr(1, end - 1), line_.substr(end + 3)};
  }

  void read_exemption(Exemption::Kind kind) {
    const auto [text, reason] = text_and_reason();
    entries_.exemptions.push_back({here(), document(), kind, text, reason, ""});
  }

  void read_text() {
    Entry entry;
    entry.where = here();
    entry.document = document();
    entry.literals.emplace_back();
    while (next() && !line_.empty()) {
      if (entry.literals.size() > 1 || !entry.literals.back().empty())
        entry.literals.back() += '\n';
      read_line(entry);
    }
    if (entry.holes.empty()) throw InputError(entry.where, "the text has no figure in braces");
    entries_.entries.push_back(entry);
  }

  void read_line(Entry& entry) const {
    for (std::size_t at = 0; at < line_.size();) {
      if (line_[at] != '{') {
        entry.literals.back() += line_[at++];
        continue;
      }
      const auto end = line_.find('}', at);
      if (end == std::string::npos) fail("this brace is not closed");
      if (entry.literals.back().empty()) fail("a figure needs words before it");
      const auto bar = std::min(line_.find('|', at), end);
      entry.holes.push_back({{file_, number_, static_cast<int>(at) + 2},
                             line_.substr(at + 1, bar - at - 1),
                             bar == end ? "" : line_.substr(bar + 1, end - bar - 1)});
      entry.literals.emplace_back();
      at = end + 1;
    }
  }

  std::string file_;
  std::istringstream lines_;
  Entries& entries_;
  int number_ = 0;
  std::string line_;
  std::string document_;
};

}  // namespace

void read_entries(const std::string& file, const std::string& text, Entries& entries) {
  Reader(file, text, entries).read();
}

bool runs_whole(const Entries& entries, const std::string& document) {
  return std::any_of(entries.scripts.begin(), entries.scripts.end(), [&](const Script& script) {
    return script.document == document && script.section.empty();
  });
}

std::vector<std::string> commands_of(const Hole& hole) {
  std::vector<std::string> names;
  const Comparison comparison = parse_comparison(hole.expression + " == 0", hole.where);
  for (const Expression* path : paths_in(comparison)) {
    names.push_back(path->path.front().name);
  }
  return names;
}

}  // namespace rehearse
