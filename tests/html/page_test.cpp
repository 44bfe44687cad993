#include "html/page.hpp"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <string>

#include "html/claims_page.hpp"
#include "html/example_reports.hpp"
#include "html/run_page.hpp"
#include "html/search_page.hpp"

namespace rehearse {
namespace {

using Json = nlohmann::ordered_json;

// What a browser's parser takes for the data: from the tag to the first "</script".
std::string data_text(const std::string& page) {
  const std::string open = "<script type=\"application/json\" id=\"data\">";
  const std::size_t from = page.find(open) + open.size();
  return page.substr(from, page.find("</script", from) - from);
}

std::size_t count_of(const std::string& page, const std::string& text) {
  std::size_t count = 0;
  for (std::size_t at = page.find(text); at != std::string::npos; at = page.find(text, at + 1)) {
    ++count;
  }
  return count;
}

TEST(HtmlPage, NamesCannotLeaveTheirString) {
  const std::string name = "</script><script>alert(1)</script><!-- <script> ]]> & \" ' \u2028";
  const std::string page = html_page(name, {{"name", name}}, {});
  const std::string data = data_text(page);
  EXPECT_EQ(data.find('<'), std::string::npos);
  EXPECT_EQ(Json::parse(data).at("name"), name);
  EXPECT_NE(page.find("<title>&lt;/script>&lt;script>alert(1)"), std::string::npos);
  // The data, the library and the scripts: three elements, whatever the name.
  EXPECT_EQ(count_of(page, "<script"), 3U);
  EXPECT_EQ(count_of(page, "</script"), 3U);
  EXPECT_EQ(count_of(page, "<!--"), 0U);
}

TEST(HtmlPage, BytesThatAreNoTextAreReplaced) {
  const std::string page = html_page("x", {{"name", "a\xFFz"}}, {});
  EXPECT_EQ(Json::parse(data_text(page)).at("name"), "a\uFFFDz");
}

TEST(HtmlPage, LoadsNothing) {
  for (const std::string& page : {claims_page(example_claims()), search_page(example_search()),
                                  example_run_page(4), example_service_page()}) {
    EXPECT_NE(page.find("default-src 'none'"), std::string::npos);
    EXPECT_EQ(count_of(page, " src="), 0U);
    EXPECT_EQ(count_of(page, "<link"), 0U);
    EXPECT_EQ(count_of(page, "@import"), 0U);
    EXPECT_NE(page.find("Released under the MIT License"), std::string::npos);  // Chart.js asks it
  }
}

// RFC 4648, section 10.
TEST(Base64, TestVectors) {
  const std::string text = "foobar";
  const std::string expected[] = {"", "Zg==", "Zm8=", "Zm9v", "Zm9vYg==", "Zm9vYmE=", "Zm9vYmFy"};
  for (std::size_t size = 0; size <= text.size(); ++size) {
    EXPECT_EQ(to_base64(text.data(), size), expected[size]);
  }
}

TEST(ClaimsPage, EmbedsEveryField) {
  const ReportClaims report = example_claims();
  const Json data = Json::parse(data_text(claims_page(report)));
  EXPECT_EQ(data.at("kind"), "claims");
  ASSERT_EQ(data.at("claims").size(), report.claims.size());
  EXPECT_EQ(data["claims"][0], Json({{"id", "ttft"},
                                     {"line", 12},
                                     {"quote", "TTFT <= 6 s"},
                                     {"expect", "ttft_s.max <= 6s"},
                                     {"verdict", "holds"},
                                     {"reason", "5.02 s is at most 6 s"},
                                     {"note", "the batch arrives at once"},
                                     {"reading", "declared-dense"},
                                     {"platform", "assumed"},
                                     {"alternative", ""},
                                     {"fails", false},
                                     {"change", ""},
                                     {"because", {"prefill: 4.9 s", "pipeline fill: 0.2 s"}}}));
}

TEST(SearchPage, EmbedsEveryField) {
  const ReportSearch report = example_search();
  const Json data = Json::parse(data_text(search_page(report)));
  EXPECT_EQ(data.at("kind"), "search");
  ASSERT_EQ(data.at("candidates").size(), report.candidates.size());
  const Json& first = data["candidates"][0];
  EXPECT_EQ(first["parameters"], Json(report.candidates[0].parameters));
  ASSERT_EQ(first["values"].size(), 3U);
  EXPECT_EQ(first["values"][1], *report.candidates[0].values[1]);
  EXPECT_EQ(first["status"], "simulated");
  EXPECT_EQ(first["on_front"], report.candidates[0].on_front);
  EXPECT_EQ(first["command"], report.candidates[0].command);
  EXPECT_EQ(data["columns"][0], Json({{"name", "TTFT"},
                                      {"unit", "s"},
                                      {"definition", "ttft_s.p99"},
                                      {"higher_is_better", false},
                                      {"objective", true}}));
  EXPECT_EQ(data["excluded"][0]["count"], report.excluded[0].count);
}

}  // namespace
}  // namespace rehearse
