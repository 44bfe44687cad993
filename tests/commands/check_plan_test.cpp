// A plan against its claims, through the library: scenarios, the search behind "optimal", and what
// a record of verdicts guards.
#include "commands/check_plan.hpp"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "base/error.hpp"
#include "claims/expected.hpp"
#include "metrics/assumptions.hpp"
#include "source_dir.hpp"

namespace rehearse {
namespace {

namespace fs = std::filesystem;

// Two GPUs that each do half of every matrix product, and exchange activations for it after each:
// two replicas do the same without talking to each other.
constexpr const char* kPlan = R"(name: "small"
model: "MODEL"
platform: "PLATFORM"
layout { tensor: 2 }
batch { sequences: 4 prompt_tokens: 128 output_tokens: 2 }
claims: "claims.textproto"
)";

class CheckPlan : public testing::Test {
 protected:
  CheckPlan() : folder_(fs::temp_directory_path() / fs::path("rehearse-check-XXXXXX")) {
    std::string name = folder_.string();
    folder_ = mkdtemp(name.data());
  }
  ~CheckPlan() override { fs::remove_all(folder_); }

  void write(const std::string& file, std::string text) const {
    const std::string source = REHEARSE_SOURCE_DIR;
    const auto replace = [&](const std::string& word, const std::string& by) {
      const std::size_t at = text.find(word);
      if (at != std::string::npos) text.replace(at, word.size(), by);
    };
    replace("MODEL", source + "/tests/cli/inputs/dense.textproto");
    replace("PLATFORM", source + "/platforms/plan-24gpu-nvlink.xml");
    std::ofstream(folder_ / file) << text;
  }

  CheckRequest request() const {
    CheckRequest request;
    request.plan.path = (folder_ / "plan.textproto").string();
    request.limits.memory = Bytes{4e9};
    return request;
  }

  std::unique_ptr<CheckedPlan> check(const std::string& claims) const {
    write("plan.textproto", kPlan);
    write("claims.textproto", claims);
    return check_plan(request());
  }

  fs::path folder_;
};

TEST_F(CheckPlan, FindsTheBestLayoutOfTheSameGpus) {
  const auto checked = check(R"(
    claim { id: "optimal" line: 1 quote: "q" expect: "search.gain <= 1%" }
    claim { id: "gpus" line: 1 quote: "q" expect: "search.best.layout.gpus == 2" }
    claim { id: "replicas" line: 1 quote: "q" expect: "search.best.layout.data == 2" }
    claim { id: "gain" line: 1 quote: "q"
            expect: "search.best.throughput.tokens_per_s == (1 + search.gain) * throughput.tokens_per_s" })");
  const std::vector<Finding>& findings = checked->report.findings;
  ASSERT_EQ(findings.size(), 4U);
  EXPECT_EQ(findings[0].judgement.verdict, Verdict::kRefuted);
  ASSERT_EQ(findings[0].because.size(), 1U);
  EXPECT_NE(findings[0].because[0].find("the best is tensor 1 x pipeline 1 x data 2 x expert 1"),
            std::string::npos)
      << findings[0].because[0];
  for (std::size_t at = 1; at < 4; ++at) {
    EXPECT_EQ(findings[at].judgement.verdict, Verdict::kHolds) << findings[at].judgement.reason;
  }
}

// fault:P1, fault:Q5. A verdict on communication rests on a library's collectives and what was
// measured of them: every report says so, and says it only where something was simulated.
TEST_F(CheckPlan, SaysWhatItsVerdictsTakeForGranted) {
  const std::string own = "assumes: collectives run as nccl runs them";
  const auto simulated =
      check(R"(claim { id: "fast" line: 1 quote: "q" expect: "ttft_s.max <= 1s" })");
  EXPECT_NE(check_table(simulated->report).find(own), std::string::npos);
  EXPECT_NE(check_json(simulated->report).find("as nccl runs them"), std::string::npos);
  EXPECT_NE(check_markdown(simulated->report).find("Assumes: collectives run as nccl"),
            std::string::npos);
  const auto counted =
      check(R"(claim { id: "gpus" line: 1 quote: "q" expect: "layout.gpus == 2" })");
  EXPECT_EQ(check_table(counted->report).find("assumes"), std::string::npos);
}

TEST_F(CheckPlan, SaysTheSameEveryTime) {
  const std::string claims = R"(
    claim { id: "optimal" line: 1 quote: "q" expect: "search.gain <= 1%" }
    claim { id: "fast" line: 1 quote: "q" expect: "ttft_s.max <= 1us" })";
  EXPECT_EQ(check_json(check(claims)->report), check_json(check(claims)->report));
}

TEST_F(CheckPlan, RefusesWhatCanNeverHoldBeforeItSimulates) {
  try {
    check(R"(claim { id: "a" line: 1 quote: "q" expect: "ttft_s.max between 9s and 1s" })");
    FAIL() << "accepted";
  } catch (const InputError& error) {
    EXPECT_NE(std::string(error.what()).find("this can never hold"), std::string::npos);
  }
}

TEST_F(CheckPlan, AgainstARecordOnlyChangesFail) {
  const auto checked = check(R"(
    claim { id: "slow" line: 1 quote: "q" expect: "layout.gpus == 3" }
    claim { id: "sum" line: 1 quote: "q" expect: "1 + 1 == 2" })");
  CheckReport& report = checked->report;
  EXPECT_TRUE(report.fails());
  Expected expected;
  for (const Finding& each : report.findings) {
    const Judgement& judgement = each.judgement;
    expected.judgements[judgement.claim->id][scenario_key(judgement)] = {judgement.verdict,
                                                                         judgement.found ? 2.0 : 0};
  }
  expected.judgements["gone"]["document"] = {};
  compare_with_record(expected, request().is_whole(), report);
  EXPECT_FALSE(report.findings[0].fails);
  EXPECT_FALSE(report.findings[1].fails);
  EXPECT_EQ(report.missing, std::vector<std::string>{"gone (document)"});
  EXPECT_TRUE(report.fails());
  // Of a part of the claims, what is not judged is not missing.
  CheckRequest part = request();
  part.claims = {"sum"};
  report.missing.clear();
  compare_with_record(expected, part.is_whole(), report);
  EXPECT_TRUE(report.missing.empty());
}

}  // namespace
}  // namespace rehearse
