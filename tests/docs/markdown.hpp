// What the checks of the documents need to know of Markdown: headings, code, links, and the figures
// in prose and tables.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

namespace rehearse {

struct Span {
  std::size_t begin = 0;
  std::size_t end = 0;  // past the last character

  bool contains(const Span& other) const { return begin <= other.begin && other.end <= end; }
};

// A heading with all that stands below it, sub-headings included.
struct Section {
  std::string title;
  int level = 0;  // number of its #
  Span span;
};

// A block between lines of ```.
struct CodeBlock {
  Span span;
  std::string info;  // what stands behind the opening ```: "output"
  std::string text;

  // Whether its first line names the file that it is, as `# my-plan.textproto`; the name.
  bool is_file() const { return text.starts_with("# "); }
  std::string file() const { return text.substr(2, text.find('\n') - 2); }
  std::string first_line() const { return text.substr(0, text.find('\n')); }
};

// [words](target), outside of code.
struct Link {
  Span span;
  std::string target;
};

struct Markdown {
  std::vector<Section> sections;
  std::vector<CodeBlock> code;
  // Numbers of the prose and the tables. Not those of headings, code, links' targets and list
  // numbers, nor digits within a name (H100, FP16, moe-10b).
  std::vector<Span> figures;
  std::vector<Link> links;
  std::vector<std::string> inline_code;  // `between these`
};

Markdown read_markdown(const std::string& text);

// What follows # in a link to a heading, as GitHub makes it of the title.
std::string anchor_of(const std::string& title);

int line_of(const std::string& text, std::size_t offset);  // from 1

}  // namespace rehearse
