// From claims to verdicts, to what a record of them forgives, to reports that nobody's text breaks.
#include <map>
#include <memory>
#include <vector>

#include "claims/claim_texts.hpp"
#include "claims/expected.hpp"
#include "claims/report.hpp"

namespace rehearse {
namespace {

using nlohmann::json;

Claim claim(const std::string& id, const std::string& expect) {
  Claim result;
  result.id = id;
  result.line = 7;
  result.quote = "quote of " + id;
  result.expect = comparison(expect);
  return result;
}

// "ranks" stands for the facts, all else for the result.
json facts() { return {{"ranks", quantities()["ranks"]}}; }
json result() {
  json all = quantities();
  all.erase("ranks");
  return all;
}

// Judgements point into the claims.
struct Judged {
  std::unique_ptr<Claims> claims = std::make_unique<Claims>();
  std::map<Scenario, Source> scenarios;
  std::vector<Judgement> judgements;
};

Judged judge(const std::vector<Claim>& list, const std::map<Scenario, json>& found) {
  Judged judged;
  judged.claims->claims = list;
  const Audit audit(*judged.claims, {"a", "b"}, {"p", "q"}, facts(), result());
  judged.scenarios = audit.scenarios();
  if (!found.empty()) judged.judgements = audit.judge(found);
  return judged;
}

std::map<Scenario, json> everywhere(const json& tree) {
  return {{{"a", "p", ""}, tree},
          {{"a", "q", ""}, tree},
          {{"b", "p", ""}, tree},
          {{"b", "q", ""}, tree}};
}

TEST(Scenarios, AreThoseThatSomeClaimNeedsAndOnlyRunsAreSimulated) {
  Claim facts_only = claim("facts", "ranks[0].requests == 22");
  Claim narrow = claim("narrow", "ttft_s.max <= 6s");
  narrow.under = {"b"};
  narrow.on = {"q"};
  const Judged judged = judge({claim("document", "1 == 1"), facts_only, narrow}, {});
  ASSERT_EQ(judged.scenarios.size(), 4U);
  for (const auto& [scenario, source] : judged.scenarios) {
    const bool wanted = scenario == Scenario{"b", "q", ""};
    EXPECT_EQ(source == Source::kRun, wanted) << to_text(scenario);
  }
  EXPECT_TRUE(judge({claim("document", "1 == 1")}, {}).scenarios.empty());
}

TEST(Verdict, IsInconsistentWithoutAQuantityAndRefutedWithOne) {
  Claim missing;
  missing.id = "missing";
  missing.not_modelled = "a model of it";
  const Judged judged =
      judge({claim("sum", "2 + 2 == 5"), claim("slow", "ttft_s.max <= 4s"), missing},
            everywhere(quantities()));
  ASSERT_EQ(judged.judgements.size(), 6U);
  EXPECT_EQ(judged.judgements[0].verdict, Verdict::kInconsistent);
  EXPECT_FALSE(judged.judgements[0].scenario.has_value());
  EXPECT_EQ(judged.judgements[0].reason, "found 4, 20 % less than 5");
  EXPECT_EQ(judged.judgements[1].verdict, Verdict::kRefuted);
  EXPECT_EQ(judged.judgements[1].reason, "found 5.00 s, 25 % more than 4.00 s");
  EXPECT_EQ(judged.judgements[5].verdict, Verdict::kNotModelled);
  EXPECT_EQ(judged.judgements[5].reason, "a model of it");
}

TEST(Verdict, OfWhatCannotBeSimulatedIsNotModelled) {
  std::map<Scenario, json> found = everywhere(quantities());
  found[{"b", "q", ""}] = "needs two nodes";
  const Judged judged = judge({claim("fast", "ttft_s.max <= 6s")}, found);
  EXPECT_EQ(judged.judgements[2].verdict, Verdict::kHolds);
  EXPECT_EQ(judged.judgements[3].verdict, Verdict::kNotModelled);
  EXPECT_EQ(judged.judgements[3].reason, "cannot be simulated: needs two nodes");
}

Expected recorded(const std::vector<Judgement>& judgements) {
  Expected expected;
  for (const Judgement& each : judgements) {
    expected.judgements[each.claim->id][scenario_key(each)] = {
        each.verdict, std::get<double>(each.found.value_or(Value{0.0}))};
  }
  return expected;
}

TEST(Record, ForgivesEverythingButChange) {
  const auto with_ttft = [](double max) {
    json tree = quantities();
    tree["ttft_s"]["max"] = max;
    return everywhere(tree);
  };
  const std::vector<Claim> claims = {claim("fast", "ttft_s.max <= 4s")};
  const Judged before = judge(claims, with_ttft(5));
  const Expected expected = recorded(before.judgements);
  // Refuted then and now, 0.9 % away: the tolerance is 1 %.
  EXPECT_EQ(change_of(judge(claims, with_ttft(5.045)).judgements[0], expected), "");
  EXPECT_EQ(change_of(judge(claims, with_ttft(5.06)).judgements[0], expected),
            "found 5.0, now 5.06");
  EXPECT_EQ(change_of(judge(claims, with_ttft(3)).judgements[0], expected),
            "was refuted, now holds");
  const Judged other = judge({claim("new", "ttft_s.max <= 4s")}, with_ttft(5));
  EXPECT_EQ(change_of(other.judgements[0], expected), "not in the record");
  EXPECT_EQ(missing_from(other.judgements, expected).size(), 4U);
  EXPECT_TRUE(missing_from(before.judgements, expected).empty());
}

CheckReport hostile_report(const Judged& judged) {
  CheckReport report;
  report.plan = "<b>&\"plan|`";
  for (const Judgement& each : judged.judgements) {
    Finding finding;
    finding.judgement = each;
    finding.fails = true;
    report.findings.push_back(finding);
  }
  return report;
}

TEST(Reports, EscapeWhatTheFilesSay) {
  Claim bad = claim("bad", "1 == 2");
  bad.quote = "a|b <script>\x01 @user #1 ]]> \"x\" 'y' & `z` [l](m)\nline";
  const Judged judged = judge({bad}, everywhere(quantities()));
  const CheckReport report = hostile_report(judged);

  const std::string xml = check_junit(report);
  EXPECT_NE(xml.find("<testsuite name=\"&lt;b&gt;&amp;&quot;plan|`\" tests=\"1\" failures=\"1\""),
            std::string::npos);
  EXPECT_NE(xml.find("&lt;script&gt;? @user #1 ]]&gt; &quot;x&quot; &apos;y&apos; &amp;"),
            std::string::npos);

  const std::string markdown = check_markdown(report);
  EXPECT_EQ(markdown.find("<script"), std::string::npos);
  EXPECT_EQ(markdown.find("@user"), std::string::npos);
  EXPECT_NE(markdown.find("a&#124;b &#60;script&#62;  &#64;user &#35;1"), std::string::npos);
  // Every row has its six columns.
  const std::size_t row = markdown.find("\n| 7 |");
  ASSERT_NE(row, std::string::npos);
  const std::string line = markdown.substr(row + 1, markdown.find('\n', row + 1) - row - 1);
  EXPECT_EQ(std::count(line.begin(), line.end(), '|'), 7);

  EXPECT_EQ(json::parse(check_json(report))["judgements"][0]["quote"], bad.quote);
}

TEST(Totals, CountAClaimOnce) {
  std::map<Scenario, json> found = everywhere(quantities());
  found[{"a", "p", ""}]["ttft_s"]["max"] = 1;
  Claim missing;
  missing.id = "missing";
  missing.not_modelled = "a model of it";
  const Judged judged =
      judge({claim("sum", "2 + 2 == 5"), claim("never", "ttft_s.max < 0s"),
             claim("once", "ttft_s.max <= 4s"), claim("always", "ttft_s.max <= 5s"), missing},
            found);
  EXPECT_EQ(
      totals_text(hostile_report(judged)),
      "5 claims: 1 hold, 1 hold in some scenarios, 1 refuted, 1 inconsistent, 1 not modelled");
}

}  // namespace
}  // namespace rehearse
