// The reports for machines that have no schema of ours: JUnit XML, Markdown.
#include <fmt/format.h>

#include <algorithm>

#include "base/escaped_xml.hpp"
#include "claims/expected.hpp"
#include "claims/grouping.hpp"
#include "claims/report.hpp"

namespace rehearse {
namespace {

// Whatever Markdown, its HTML, or a code host (@name, #1) could take for markup, as a character
// reference, which every renderer shows as the character.
std::string markdown(const std::string& text) {
  constexpr const char* kMarkup = "\\`*_{}[]()<>&|~!#@$";
  std::string escaped;
  for (const char c : text) {
    const bool control = static_cast<unsigned char>(c) < 0x20;
    if (control) {
      escaped += ' ';
    } else if (std::string_view(kMarkup).find(c) != std::string_view::npos) {
      escaped += fmt::format("&#{};", static_cast<int>(c));
    } else {
      escaped += c;
    }
  }
  return escaped;
}

std::string junit_case(const Finding& finding) {
  const Judgement& judgement = finding.judgement;
  const Claim& claim = *judgement.claim;
  std::string text = fmt::format("  <testcase classname=\"{}\" name=\"{}\"", escaped_xml(claim.id),
                                 escaped_xml(scenario_key(judgement)));
  const std::string reason = finding.change.empty()
                                 ? judgement.reason
                                 : fmt::format("{}; {}", finding.change, judgement.reason);
  std::string body = fmt::format("line {}: \"{}\"\n{}", claim.line, claim.quote, claim_text(claim));
  for (const std::string& each : finding.because) body += "\n" + each;
  if (finding.fails) {
    return text +
           fmt::format(">\n    <failure type=\"{}\" message=\"{}\">{}</failure>\n  </testcase>\n",
                       to_text(judgement.verdict), escaped_xml(reason), escaped_xml(body));
  }
  if (judgement.verdict == Verdict::kNotModelled) {
    return text +
           fmt::format(">\n    <skipped message=\"{}\"/>\n  </testcase>\n", escaped_xml(reason));
  }
  return text + "/>\n";
}

// GitHub refuses comments of more than 65,536 characters.
constexpr std::size_t kLongestComment = 60000;

std::string markdown_row(const Claim& claim, const OutcomeLine& line) {
  const char* const mark = line.fails ? "**" : "";
  const std::string change = line.change.empty() ? "" : " (" + line.change + ")";
  return fmt::format("| {} | {} | {} | {}{}{}{} | {} | {} |\n", claim.line, markdown(claim.id),
                     markdown(claim.quote), mark, to_text(line.verdict), mark, markdown(change),
                     markdown(line.where), markdown(line.reason));
}

std::string markdown_missing(const CheckReport& report) {
  std::string text;
  for (const std::string& each : report.missing) {
    text += fmt::format("\nRecorded, but no longer judged: {}\n", markdown(each));
  }
  return text;
}

}  // namespace

std::string check_junit(const CheckReport& report) {
  const auto failing = [](const Finding& f) { return f.fails; };
  const auto skipped = [](const Finding& f) {
    return !f.fails && f.judgement.verdict == Verdict::kNotModelled;
  };
  const auto& all = report.findings;
  std::string cases;
  for (const Finding& finding : all) cases += junit_case(finding);
  for (const std::string& each : report.missing) {
    cases += fmt::format(
        "  <testcase classname=\"recorded\" name=\"{}\">\n    <failure type=\"missing\" "
        "message=\"recorded, but no longer judged\"/>\n  </testcase>\n",
        escaped_xml(each));
  }
  return fmt::format(
      "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
      "<testsuite name=\"{}\" tests=\"{}\" failures=\"{}\" skipped=\"{}\" errors=\"0\">\n{}"
      "</testsuite>\n",
      escaped_xml(report.plan), all.size() + report.missing.size(),
      std::count_if(all.begin(), all.end(), failing) + static_cast<long>(report.missing.size()),
      std::count_if(all.begin(), all.end(), skipped), cases);
}

std::string check_markdown(const CheckReport& report) {
  std::string text = fmt::format("### Claims about {}\n\n{}\n\n", markdown(report.plan),
                                 markdown(totals_text(report)));
  if (report.gated) {
    text += report.fails() ? "**Changed against the recorded verdicts.**\n\n"
                           : "Nothing changed against the recorded verdicts.\n\n";
  }
  for (const std::string& each : report.assumptions) {
    text += fmt::format("Assumes: {}\n\n", markdown(each));
  }
  std::string rows;
  for (const ClaimOutcome& outcome : by_claim(report)) {
    for (const OutcomeLine& line : outcome.lines) {
      if (report.gated ? line.change.empty() : outcome.holds) continue;
      rows += markdown_row(*outcome.claim, line);
    }
  }
  if (rows.empty()) return text + markdown_missing(report);
  text += "| line | claim | says | verdict | where | found |\n|---:|---|---|---|---|---|\n";
  if (rows.size() > kLongestComment) {
    rows.resize(rows.rfind('\n', kLongestComment) + 1);
    rows += "\nThe rest does not fit into a comment: see the JSON or JUnit report.\n";
  }
  return text + rows + markdown_missing(report);
}

}  // namespace rehearse
