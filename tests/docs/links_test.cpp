// Links between the documents of the repository: the file is there, and so is the heading.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "docs/markdown.hpp"
#include "source_dir.hpp"

namespace rehearse {
namespace {

namespace fs = std::filesystem;

const fs::path kRoot = REHEARSE_SOURCE_DIR;

std::string text_of(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

bool is_skipped(const std::string& folder) {
  return folder == "build" || folder == "out" || folder == "node_modules" || folder == ".git";
}

std::vector<fs::path> documents() {
  std::vector<fs::path> found;
  for (auto at = fs::recursive_directory_iterator(kRoot); at != fs::end(at); ++at) {
    if (is_skipped(at->path().filename().string())) {
      at.disable_recursion_pending();
    } else if (at->path().extension() == ".md") {
      found.push_back(at->path());
    }
  }
  std::sort(found.begin(), found.end());
  return found;
}

bool has_heading(const fs::path& document, const std::string& anchor) {
  const Markdown markdown = read_markdown(text_of(document));
  return std::any_of(markdown.sections.begin(), markdown.sections.end(),
                     [&](const Section& section) { return anchor_of(section.title) == anchor; });
}

// What is wrong with a link of the document; empty: nothing.
std::string fault_of(const fs::path& document, const std::string& target) {
  if (target.find("://") != std::string::npos) return "";
  const auto hash = std::min(target.find('#'), target.size());
  const fs::path file =
      hash == 0 ? document : document.parent_path() / fs::path(target.substr(0, hash));
  if (!fs::exists(file)) return "no such file";
  if (hash == target.size()) return "";
  return has_heading(file, target.substr(hash + 1)) ? "" : "no such heading";
}

TEST(Links, LeadToFilesAndHeadingsThatExist) {
  int links = 0;
  for (const fs::path& path : documents()) {
    const std::string text = text_of(path);
    for (const Link& link : read_markdown(text).links) {
      ++links;
      const std::string fault = fault_of(path, link.target);
      EXPECT_TRUE(fault.empty()) << fs::relative(path, kRoot).string() << ":"
                                 << line_of(text, link.span.begin) << ": " << link.target << ": "
                                 << fault;
    }
  }
  EXPECT_GT(links, 100);
}

TEST(Links, AreToTheAnchorsThatGithubMakes) {
  EXPECT_EQ(anchor_of("What NCCL reaches"), "what-nccl-reaches");
  EXPECT_EQ(anchor_of("`--why-not`, and more: 2 of 3"), "--why-not-and-more-2-of-3");
}

TEST(Links, ThatLeadNowhereAreFound) {
  const fs::path readme = kRoot / "README.md";
  EXPECT_EQ(fault_of(readme, "LICENSE"), "");
  EXPECT_EQ(fault_of(readme, "https://example.org/none"), "");
  EXPECT_EQ(fault_of(readme, "no/such.md"), "no such file");
  EXPECT_EQ(fault_of(readme, "CONTRIBUTING.md#the-map"), "");
  EXPECT_EQ(fault_of(readme, "CONTRIBUTING.md#no-such-map"), "no such heading");
}

}  // namespace
}  // namespace rehearse
