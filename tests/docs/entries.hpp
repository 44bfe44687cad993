// The entries of tests/docs/*.figures: which words of a document hold which figures, and which
// commands print them. README.md beside this file has the format. Text in, plain data out.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "base/error.hpp"

namespace rehearse {

// A command line of a shell. `rehearse` is the program, $OUT a fresh folder, the working folder the
// repository's root; it prints JSON.
struct Command {
  SourceLocation where;
  std::string line;
  bool slow = false;
};

// A figure of an entry: "{listed.ttft_s.mean|s}".
struct Hole {
  SourceLocation where;
  std::string expression;
  std::string format;  // empty: three significant digits; README.md beside this file has the others
};

// Words of a document: literals[0] holes[0] literals[1] ... holes[n - 1] literals[n].
struct Entry {
  SourceLocation where;
  std::string document;
  std::vector<std::string> literals;
  std::vector<Hole> holes;
};

// Figures that no command shows, and why that is right.
struct Exemption {
  enum class Kind { kSection, kWords, kQuotes };
  SourceLocation where;
  std::string document;
  Kind kind = Kind::kSection;
  std::string text;  // the heading, the words that hold the figures, or the file that is quoted
  std::string reason;
  std::string source;  // kQuotes: what the file holds; the reader of the files fills it in
};

// The command lines in the code blocks of a section, run as a reader would.
struct Script {
  SourceLocation where;
  std::string document;
  std::string section;  // empty: of the whole document but its slow sections
  bool slow = false;
};

// A code block that nobody runs, by how it starts, and why.
struct IdleCode {
  SourceLocation where;
  std::string document;
  std::string start;
  std::string reason;
};

struct Entries {
  std::map<std::string, Command> commands;
  std::vector<Entry> entries;
  std::vector<Exemption> exemptions;
  std::vector<Script> scripts;
  std::vector<IdleCode> idle_code;
  std::vector<std::string> documents;
};

// Adds the entries of one file. Throws InputError at the line that does not fit.
void read_entries(const std::string& file, const std::string& text, Entries& entries);

// Whether all code blocks of the document run.
bool runs_whole(const Entries& entries, const std::string& document);

// The commands whose results the hole names.
std::vector<std::string> commands_of(const Hole& hole);

}  // namespace rehearse
