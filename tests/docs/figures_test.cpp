// The checker of the documents, on small texts.
#include "docs/figures.hpp"

#include <gtest/gtest.h>

namespace rehearse {
namespace {

using nlohmann::json;
using Texts = std::vector<std::string>;

Entries read(const std::string& text) {
  Entries entries;
  read_entries("a.figures", text, entries);
  return entries;
}

constexpr const char* kOneEntry =
    "document DOC.md\n"
    "command plain: rehearse run PLAN --set routing.exponent=1.5 --json\n"
    "\n"
    "text\n"
    "A prompt waits {plain.ttft_s.mean|s}, of which {plain.share|%} is the network.\n";

const json kResults = {{"plain", {{"ttft_s", {{"mean", 0.0421}}}, {"share", 0.125}}}};

std::string refusal(const std::string& text) {
  try {
    read(text);
  } catch (const InputError& error) {
    return error.what();
  }
  return "taken";
}

TEST(Entries, AreReadWithTheirPlaces) {
  const Entries entries = read(kOneEntry);
  ASSERT_EQ(entries.entries.size(), 1);
  const Entry& entry = entries.entries[0];
  EXPECT_EQ(entry.document, "DOC.md");
  ASSERT_EQ(entry.holes.size(), 2);
  EXPECT_EQ(entry.holes[1].expression, "plain.share");
  EXPECT_EQ(entry.holes[1].format, "%");
  EXPECT_EQ(to_text(entry.holes[0].where), "a.figures:5:17");
  EXPECT_EQ(commands_of(entry.holes[0]), Texts{"plain"});
  EXPECT_EQ(entries.commands.at("plain").line,
            "rehearse run PLAN --set routing.exponent=1.5 --json");
}

TEST(Entries, ThatAreNoneAreRefused) {
  EXPECT_EQ(refusal("document DOC.md\ntext\nno figure\n"),
            "a.figures:2:1: error: the text has no figure in braces");
  EXPECT_EQ(refusal("text\na {b.c}\n"),
            "a.figures:1:1: error: a line `document PATH` must stand before it");
  EXPECT_EQ(refusal("document DOC.md\ntext\na {b.c\n"),
            "a.figures:3:1: error: this brace is not closed");
  EXPECT_EQ(refusal("command a: x\ncommand a: y\n"),
            "a.figures:2:1: error: there are two commands a");
  EXPECT_EQ(refusal("document D\nexempt words \"ten\"\n"),
            "a.figures:2:1: error: expected exempt section|words|quotes|code \"TEXT\": REASON");
  EXPECT_EQ(refusal("slow text\n"), "a.figures:1:1: error: slow is a word before command and run");
}

// 0.0421 s is 42.1 ms; 0.125 is 12.5 %.
TEST(Figures, ThatAreRightChangeNothing) {
  const Entries entries = read(kOneEntry);
  const std::string right = "A prompt waits 42.1 ms,\nof which 12.5 % is the network.\n";
  std::string document = right;
  EXPECT_EQ(correct(entries.entries[0], kResults, document), "");
  EXPECT_EQ(document, right) << "line breaks of the document stay";
  std::string broken = "A prompt waits 42.1\nms, of which 12.5 % is the network.\n";
  EXPECT_EQ(correct(entries.entries[0], kResults, broken), "");
}

TEST(Figures, ThatAreWrongAreNamedAndCorrected) {
  const Entries entries = read(kOneEntry);
  std::string document = "# T\n\nA prompt waits 42.0 ms, of\nwhich 9 % is the network.\n";
  const std::string wrong = correct(entries.entries[0], kResults, document);
  EXPECT_NE(wrong.find("DOC.md:3: \"42.0 ms\" must be \"42.1 ms\": plain.ttft_s.mean"),
            std::string::npos)
      << wrong;
  EXPECT_NE(wrong.find("DOC.md:4: \"9 %\" must be \"12.5 %\": plain.share"), std::string::npos)
      << wrong;
  EXPECT_EQ(document, "# T\n\nA prompt waits 42.1 ms, of\nwhich 12.5 % is the network.\n");
}

TEST(Figures, WordsMustStandInTheDocumentOnce) {
  const Entries entries = read(kOneEntry);
  const std::string once = "A prompt waits 42.1 ms, of which 12.5 % is the network.\n";
  for (const std::string& text : {std::string("Another text.\n"), once + once}) {
    std::string document = text;
    const std::string wrong = correct(entries.entries[0], kResults, document);
    EXPECT_NE(wrong.find(once.substr(0, once.size() - 1)), std::string::npos) << wrong;
    EXPECT_EQ(document, text);
  }
}

TEST(Figures, ANumberIsNotCutAtItsDecimals) {
  const Entries entries = read("document D\ntext\nThere are {a.b|.1}.\n");
  std::string document = "There are 3.14.\n";
  EXPECT_NE(correct(entries.entries[0], {{"a", {{"b", 2.04}}}}, document), "");
  EXPECT_EQ(document, "There are 2.0.\n");
}

TEST(Figures, AreFormattedAsTheirEntrySays) {
  const json results = {{"a",
                         {{"n", 31598},
                          {"share", 0.0314},
                          {"rate", 9196676.0},
                          {"small", 9996.0},
                          {"peak_bytes", 2974223872},
                          {"name", "ring"}}}};
  const auto figure = [&](const char* expression, const char* format) {
    return figure_of({{"f", 1, 1}, expression, format}, results);
  };
  EXPECT_EQ(figure("a.n", "n"), "31,598");
  EXPECT_EQ(figure("a.share", "%"), "3.1 %");
  EXPECT_EQ(figure("a.share", "%0"), "3 %");
  EXPECT_EQ(figure("a.share - 0.05", "+%"), "-1.9 %");
  EXPECT_EQ(figure("a.share", "+%2"), "+3.14 %");
  EXPECT_EQ(figure("a.rate", "k"), "9.20 M");
  EXPECT_EQ(figure("a.small", "k"), "10.0 k") << "three digits also where they round up";
  EXPECT_EQ(figure("a.rate / a.n", ".2"), "291.05");
  EXPECT_EQ(figure("a.peak_bytes", "B"), "2.97 GB");
  EXPECT_EQ(figure("a.share", "s"), "31.4 ms");
  EXPECT_EQ(figure("a.share", ""), "0.0314");
  EXPECT_EQ(figure("a.n / 100", ""), "316");
  EXPECT_EQ(figure("a.small / 1000", ""), "10.0") << "9.996 rounds to the next power of ten";
  EXPECT_EQ(figure("a.name", "text"), "ring");
  EXPECT_THROW(figure("a.n", "x"), InputError);
  EXPECT_THROW(figure("a.none", "n"), InputError);
  EXPECT_THROW(figure("a.n", "text"), InputError);
}

// A document whose only checked figures are those of kOneEntry.
Texts complaints(const std::string& rest, const std::string& exemptions = "") {
  const Entries entries = read(kOneEntry + ("\n" + exemptions));
  return uncovered("DOC.md",
                   "# Waiting 7 times\n\n"
                   "A prompt waits 1 ms, of which 9 % is the network.\n" +
                       rest,
                   entries);
}

TEST(Coverage, AFigureWithoutAnEntryIsNamedWithItsLine) {
  EXPECT_EQ(complaints(""), Texts{});
  EXPECT_EQ(complaints("It takes 3 minutes.\n"),
            Texts{"DOC.md:4: error: no entry checks 3 in: It takes 3 minutes."});
  EXPECT_EQ(complaints("| a | 1,024 | 12-15 % |\n").size(), 2);
}

TEST(Coverage, NamesCodeAndTargetsOfLinksAreNoFigures) {
  EXPECT_EQ(complaints("H100, FP16, moe-10b, p99, `--top 10`, [x](y#2), https://a.b/3 c\n"
                       "1. first\n\n```\nrehearse --gpus 16\n```\n"),
            Texts{});
}

TEST(Coverage, ANumberOfTheCommandIsAllowedInTheWordsOfItsEntry) {
  const Entries entries = read(
      "document DOC.md\n"
      "command plain: rehearse run PLAN --set routing.exponent=1.5 --json\n"
      "text\nExponent 1.5 and 2 give {plain.share|%}.\n");
  EXPECT_EQ(uncovered("DOC.md", "Exponent 1.5 and 2 give 9 %.\n", entries),
            Texts{"DOC.md:1: error: no entry checks 2 in: Exponent 1.5 and 2 give 9 %."});
}

TEST(Coverage, AnExemptionHoldsForItsSectionOrWordsAndMustBeOfUse) {
  const std::string section = "exempt section \"Sources\": datasheets\n";
  EXPECT_EQ(complaints("## Sources\n3 GB\n### More\n4 GB\n", section), Texts{});
  EXPECT_EQ(complaints("## Sources\n3 GB\n## Next\n4 GB\n", section),
            Texts{"DOC.md:7: error: no entry checks 4 in: 4 GB"});
  EXPECT_EQ(complaints("on Debian\n12\n", "exempt words \"Debian 12\": a name\n"), Texts{});
  EXPECT_EQ(complaints("", "exempt words \"Debian 12\": a name\n"),
            Texts{"a.figures:7:1: error: \"Debian 12\" exempts no figure of DOC.md"});
}

TEST(Coverage, AQuoteMustStandInItsSource) {
  Entries entries = read("document DOC.md\nexempt quotes \"claims\": each is judged\n");
  entries.exemptions[0].source = "claim { quote: \"35 tokens/ms\" }";
  EXPECT_EQ(uncovered("DOC.md", "It says \"35 tokens/ms\" and \"36 tokens/ms\".\n", entries),
            Texts{"DOC.md:1: error: no entry checks 36 in: It says \"35 tokens/ms\" and \"36 "
                  "tokens/ms\"."});
}

TEST(Coverage, OfADocumentThatRunsWholeFiguresMayStandInItsCode) {
  const Entries entries = read("document DOC.md\nrun document\nexempt code \"serve {\": a part\n");
  const std::string code = "```\nrehearse x --n 4\n```\n```output\nTTFT 1250 ms, 0.9 of it\n```\n";
  EXPECT_EQ(uncovered("DOC.md", code + "With 4 it is 1,250 ms.\n", entries), Texts{});
  EXPECT_EQ(uncovered("DOC.md", code + "With 4 it is 1,251 ms.\n", entries),
            Texts{"DOC.md:7: error: no entry checks 1,251 in: With 4 it is 1,251 ms."});
  ASSERT_EQ(entries.idle_code.size(), 1);
  EXPECT_EQ(entries.idle_code[0].start, "serve {");
}

TEST(Markdown, KnowsLinksAndInlineCode) {
  const Markdown document =
      read_markdown("See [x](a.md#b) and `rehearse run`.\n```\n[no](c.md)\n```\n");
  ASSERT_EQ(document.links.size(), 1);
  EXPECT_EQ(document.links[0].target, "a.md#b");
  ASSERT_EQ(document.inline_code.size(), 1);
  EXPECT_EQ(document.inline_code[0], "rehearse run");
}

TEST(Markdown, KnowsSectionsAndCode) {
  const Markdown document = read_markdown("# A\n\n## B\n```\n# not a heading\nx\n```\n## C\n");
  ASSERT_EQ(document.sections.size(), 3);
  EXPECT_EQ(document.sections[1].title, "B");
  ASSERT_EQ(document.code.size(), 1);
  EXPECT_EQ(document.code[0].text, "# not a heading\nx\n");
  EXPECT_TRUE(document.sections[0].span.contains(document.code[0].span));
  EXPECT_TRUE(document.sections[1].span.contains(document.code[0].span));
  EXPECT_FALSE(document.sections[2].span.contains(document.code[0].span));
}

}  // namespace
}  // namespace rehearse
