#include "docs/shown_output.hpp"

#include <gtest/gtest.h>

#include <string>

namespace rehearse {
namespace {

const std::string kPrinted =
    "plan   mine\nTTFT   mean 2.71 s, p50 2.67 s\nmemory 11.8 GB of 57.6 GB\n";

TEST(ShownOutput, IsWhatIsPrintedWithGapsWhereItSaysSo) {
  EXPECT_EQ(differing_line(kPrinted, kPrinted), "");
  EXPECT_EQ(differing_line("plan   mine\n...\n", kPrinted), "");
  EXPECT_EQ(differing_line("...\nmemory 11.8 GB ...\n", kPrinted), "");
  EXPECT_EQ(differing_line("plan   mine\n...\nTTFT   mean 2.71 s, p50 2.67 s\n...\n", kPrinted),
            "");
}

TEST(ShownOutput, ThatIsNotPrintedIsNamed) {
  EXPECT_EQ(differing_line("plan   mine\n", kPrinted),
            "(the end, but more is printed: TTFT   mean 2.71 s, p50 2.67 s)");
  EXPECT_EQ(differing_line("...\nmemory 11.9 GB ...\n", kPrinted), "memory 11.9 GB ...");
  // Without a gap the next line is the one that must follow; and lines keep their order.
  EXPECT_EQ(differing_line("plan   mine\nmemory 11.8 GB of 57.6 GB\n", kPrinted),
            "memory 11.8 GB of 57.6 GB");
  EXPECT_EQ(differing_line("...\nmemory 11.8 GB of 57.6 GB\n...\nplan   mine\n", kPrinted),
            "plan   mine");
}

TEST(ShownOutput, GetsTheFiguresThatArePrinted) {
  EXPECT_EQ(
      with_printed_figures("plan   mine\n...\nTTFT   mean 999 ms, p50 950 ms\n...\n", kPrinted),
      "plan   mine\n...\nTTFT   mean 2.71 s, p50 2.67 s\n...\n");
  EXPECT_EQ(with_printed_figures("...\nTTFT   mean 999 ms, ...\n", kPrinted),
            "...\nTTFT   mean 2.71 s, ...\n");
  // Its words changed, its label did not.
  EXPECT_EQ(with_printed_figures("...\n  memory  3 GB of all ...\n", kPrinted + "memory   4 GB\n"),
            "...\nmemory   4 GB\n");
  EXPECT_EQ(with_printed_figures("...\ncost 3 USD\n", kPrinted), "...\ncost 3 USD\n");
}

}  // namespace
}  // namespace rehearse
