// What the checks of the documents need to know of Markdown: headings, code blocks, and the figures
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

// A block between lines of ```; `file`: the first line names a file, as `# my-plan.textproto`.
struct CodeBlock {
  Span span;
  std::string text;
};

struct Markdown {
  std::vector<Section> sections;
  std::vector<CodeBlock> code;
  // Numbers of the prose and the tables. Not those of headings, code, links' targets and list
  // numbers, nor digits within a name (H100, FP16, moe-10b).
  std::vector<Span> figures;
};

Markdown read_markdown(const std::string& text);

int line_of(const std::string& text, std::size_t offset);  // from 1

}  // namespace rehearse
