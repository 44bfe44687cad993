// From claims to verdicts, to what a record of them forgives, to reports that nobody's text breaks.
#include <map>
#include <memory>
#include <vector>

#include "claims/claim_texts.hpp"
#include "claims/expected.hpp"
#include "claims/report.hpp"
#include "claims/skeletons.hpp"

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

json search() { return {{"search", {{"gain", 0.0}, {"best", {{"ttft_s", {{"max", 0.0}}}}}}}}; }

// Judgements point into the claims.
struct Judged {
  std::unique_ptr<Claims> claims = std::make_unique<Claims>();
  std::map<Scenario, Source> scenarios;
  std::vector<Judgement> judgements;
};

Judged judge(const std::vector<Claim>& list, const std::map<Scenario, json>& found) {
  Judged judged;
  judged.claims->claims = list;
  const Audit audit(*judged.claims, {"a", "b"}, {"p", "q"}, {facts(), result(), search()});
  judged.scenarios = audit.scenarios();
  if (!found.empty()) judged.judgements = audit.judge(found);
  return judged;
}

CheckReport plain_report(const Judged& judged) {
  CheckReport report;
  report.plan = "plan";
  for (const Judgement& each : judged.judgements) {
    Finding finding;
    finding.judgement = each;
    finding.fails = each.verdict != Verdict::kHolds;
    report.findings.push_back(finding);
  }
  return report;
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

TEST(Scenarios, AreSearchedWhereAClaimNamesASearch) {
  Claim best = claim("best", "search.gain <= 1%");
  best.on = {"p"};
  Claim given = claim("given", "ranks[0].requests == 22");
  given.given = comparison("search.best.ttft_s.max <= 6s");
  given.under = {"a"};
  const Judged judged = judge({best, given, claim("run", "ttft_s.max <= 6s")}, {});
  std::map<std::string, Source> sources;
  for (const auto& [scenario, source] : judged.scenarios) sources[to_text(scenario)] = source;
  EXPECT_EQ(sources, (std::map<std::string, Source>{{"a, p", Source::kSearch},
                                                    {"a, q", Source::kSearch},
                                                    {"b, p", Source::kSearch},
                                                    {"b, q", Source::kRun}}));
}

TEST(Search, ThatFoundNothingIsNotModelled) {
  const Judged judged = judge({claim("best", "search.gain <= 1%")}, everywhere(quantities()));
  EXPECT_EQ(judged.judgements[0].verdict, Verdict::kNotModelled);
  EXPECT_EQ(judged.judgements[0].reason, "search is not measured: no layout of the search can run");
}

// fault:ttft-6
TEST(Condition, IsSaidWithTheVerdictAndElseNothingIsJudged) {
  Claim fast = claim("fast", "ttft_s.max <= 6s");
  fast.given = comparison("ranks[0].requests >= 22");
  Claim slow = claim("slow", "ttft_s.max <= 4s");
  slow.given = fast.given;
  Claim other = claim("other", "ttft_s.max <= 6s");
  other.given = comparison("ranks[0].requests >= 23");
  Claim absent = claim("absent", "1 == 1");
  absent.given = comparison("ranks[7].requests >= 23");
  absent.on = {"p"};
  absent.under = {"a"};
  json more = quantities();
  for (int i = 0; i < 5; ++i) more["ranks"].push_back(more["ranks"][0]);
  std::map<Scenario, json> found = everywhere(quantities());
  found[{"a", "q", ""}] = more;
  Judged judged = judge({fast, slow, other}, found);
  EXPECT_EQ(judged.judgements[0].verdict, Verdict::kHolds);
  EXPECT_EQ(judged.judgements[0].reason, "found 5.00 s, given ranks[0].requests >= 22");
  EXPECT_EQ(judged.judgements[4].verdict, Verdict::kRefuted);
  EXPECT_EQ(judged.judgements[4].reason,
            "found 5.00 s, 25 % more than 4.00 s, given ranks[0].requests >= 22");
  EXPECT_EQ(judged.judgements[8].verdict, Verdict::kNotModelled);
  EXPECT_EQ(judged.judgements[8].reason, "it is claimed given ranks[0].requests >= 23: found 22");
  EXPECT_NE(refusal_of([&] { judge({absent}, found); }).find("there is no [7]"), std::string::npos);
}

// fault:fused-attention-40 fault:routing-25
TEST(UpperBound, RefutesOrShowsNothing) {
  Claim enough = claim("enough", "throughput.tokens_per_ms_per_gpu >= 9");
  enough.evidence = Evidence::kUpperBound;
  Claim too_little = claim("too-little", "throughput.tokens_per_ms_per_gpu >= 19");
  too_little.evidence = Evidence::kUpperBound;
  const Judged judged = judge({enough, too_little}, everywhere(quantities()));
  EXPECT_EQ(judged.judgements[0].verdict, Verdict::kNotModelled);
  EXPECT_EQ(judged.judgements[0].reason,
            "an upper bound is no evidence: 9.5 is the most that it can be");
  EXPECT_EQ(judged.judgements[4].verdict, Verdict::kRefuted);
  EXPECT_EQ(judged.judgements[4].reason,
            "found 9.5, 2 times less than 19, and that is an upper bound");
}

TEST(Alternatives, AreJudgedEachByItself) {
  Claim several = claim("several", "ttft_s.max <= 6s");
  several.with = {"x", "y"};
  several.under = {"a"};
  several.on = {"p"};
  std::map<Scenario, json> found;
  found[{"a", "p", "x"}] = quantities();
  found[{"a", "p", "y"}] = "needs two nodes";
  const Judged judged = judge({several}, found);
  ASSERT_EQ(judged.judgements.size(), 2U);
  EXPECT_EQ(judged.judgements[0].verdict, Verdict::kHolds);
  EXPECT_EQ(to_text(*judged.judgements[1].scenario), "a, p, with y");
  EXPECT_EQ(judged.judgements[1].verdict, Verdict::kNotModelled);
}

// The way a claim is read stands with it, and the verdict's fields are the schema's.
TEST(Report, HasTheContractsNames) {
  Claim read = claim("tokens", "throughput.tokens_per_ms_per_gpu >= 9");
  read.read_as = "of all tokens";
  read.given = comparison("ranks[0].requests >= 22");
  const Judged judged =
      judge({read, claim("list", "ranks[0..1].pipeline == 0"), claim("sum", "2 + 2 == 5")},
            everywhere(quantities()));
  const CheckReport report = plain_report(judged);
  const json all = json::parse(check_json(report));
  const json& first = all["judgements"][0];
  EXPECT_EQ(first["claim"], "tokens");
  EXPECT_EQ(first["line"], 7);
  EXPECT_EQ(first["quote"], "quote of tokens");
  EXPECT_EQ(first["reading"], "a");
  EXPECT_EQ(first["platform"], "p");
  EXPECT_EQ(first["alternative"], "");
  EXPECT_EQ(first["expect"], "throughput.tokens_per_ms_per_gpu >= 9");
  EXPECT_EQ(first["verdict"], "holds");
  EXPECT_EQ(first["found"], 9.5);
  EXPECT_EQ(first["reason"], "found 9.5, given ranks[0].requests >= 22");
  EXPECT_EQ(first["read_as"], "of all tokens");
  EXPECT_EQ(first["given"], "ranks[0].requests >= 22");
  EXPECT_FALSE(first.contains("within_error"));  // no expected errors yet
  EXPECT_EQ(all["judgements"][4]["found"], (json::array({0, 0})));
  EXPECT_FALSE(all["judgements"][8].contains("reading"));  // the document alone
  EXPECT_NE(check_table(report).find("throughput.tokens_per_ms_per_gpu >= 9 [of all tokens]"),
            std::string::npos);
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

// fault:C0 With one output token TPOT was zeros, and "tpot_s.max < 1us" held.
TEST(Verdict, OfWhatWasNotMeasuredIsNotModelledWithTheReason) {
  json schema = result();
  schema["tpot_s"]["max"] = 0;
  json measured = quantities();
  measured["tpot_s"]["max"] = 1e-3;
  std::map<Scenario, json> found = everywhere(quantities());
  found[{"b", "q", ""}] = measured;
  Claims claims;
  claims.claims = {claim("instant", "tpot_s.max < 1us"), claim("slow", "tpot_s.max >= 1ms"),
                   claim("product", "0 * tpot_s.max < 1s")};
  const Audit audit(claims, {"a", "b"}, {"p", "q"}, {facts(), schema, search()});
  const std::vector<Judgement> judgements = audit.judge(found);
  ASSERT_EQ(judgements.size(), 12U);
  for (std::size_t at = 0; at < judgements.size(); ++at) {
    if (at % 4 == 3) continue;
    EXPECT_EQ(judgements[at].verdict, Verdict::kNotModelled) << at;
    EXPECT_EQ(judgements[at].reason,
              "tpot_s is not measured: no request has a second output token");
    EXPECT_FALSE(judgements[at].found.has_value());
  }
  EXPECT_EQ(judgements[3].verdict, Verdict::kRefuted);
  EXPECT_EQ(judgements[7].verdict, Verdict::kHolds);
  EXPECT_EQ(judgements[11].verdict, Verdict::kHolds);
}

// fault:C12 Facts of unequal GPUs have no "device": which one would it be?
TEST(Verdict, OnTheDeviceOfUnequalGpusIsNotModelled) {
  json unequal = quantities();
  unequal.erase("device");
  const Judged judged =
      judge({claim("peak", "device.usable_flops_per_s == 240TFLOPS")}, everywhere(unequal));
  EXPECT_EQ(judged.judgements[0].verdict, Verdict::kNotModelled);
  EXPECT_EQ(judged.judgements[0].reason,
            "device is not measured: the platform has GPUs of several kinds");
}

TEST(Element, ThatSomeScenarioHasIsNotModelledInTheOthersAndElseMistyped) {
  json one_axis = quantities();
  one_axis["memory"]["by_category"].erase(1);
  std::map<Scenario, json> found = everywhere(one_axis);
  const std::vector<Claim> claims = {claim("kv", "memory.by_category[kv_cache].bytes == 3GB")};
  EXPECT_EQ(refusal_of([&] { judge(claims, found); }),
            "c.textproto:3:29: error: memory.by_category has no \"kv_cache\" in this run: it has "
            "weights");
  found[{"b", "q", ""}] = quantities();
  const Judged judged = judge(claims, found);
  EXPECT_EQ(judged.judgements[0].verdict, Verdict::kNotModelled);
  EXPECT_EQ(judged.judgements[0].reason,
            "memory.by_category has no \"kv_cache\" in this run: it has weights");
  EXPECT_EQ(judged.judgements[3].verdict, Verdict::kHolds);
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
