#include "claims/report.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <set>

#include "claims/expected.hpp"
#include "claims/grouping.hpp"

namespace rehearse {
namespace {

std::string title(const Claim& claim) {
  std::string text = fmt::format("{:>4}  {:<28} {}", claim.line, claim.id,
                                 claim.expect ? claim_text(claim) : "(not modelled)");
  if (!claim.with.empty()) text += fmt::format("   [with {}]", fmt::join(claim.with, ", "));
  return text + fmt::format("\n      \"{}\"\n", claim.quote);
}

// `told`: terms that have been printed.
std::string line_text(const OutcomeLine& line, std::set<std::string>& told) {
  std::string text = fmt::format("      {:<12} {}{}", to_text(line.verdict), line.where,
                                 line.where.empty() ? "" : ": ") +
                     line.reason + "\n";
  if (!line.change.empty()) text += fmt::format("      {:<12} CHANGED: {}\n", "", line.change);
  for (const std::string& each : line.because) {
    if (told.insert(each).second) text += fmt::format("      {:<12}   {}\n", "", each);
  }
  return text;
}

}  // namespace

bool CheckReport::fails() const {
  return !missing.empty() ||
         std::any_of(findings.begin(), findings.end(), [](const Finding& f) { return f.fails; });
}

std::string claim_text(const Claim& claim) {
  if (!claim.expect) return claim.not_modelled;
  return claim.read_as.empty() ? claim.expect->text
                               : fmt::format("{} [{}]", claim.expect->text, claim.read_as);
}

std::string totals_text(const CheckReport& report) {
  int hold = 0;
  int in_part = 0;
  int others[4] = {};
  const std::vector<ClaimOutcome> outcomes = by_claim(report);
  for (const ClaimOutcome& each : outcomes) {
    if (each.holds) {
      ++hold;
    } else if (each.in_part) {
      ++in_part;
    } else {
      ++others[static_cast<int>(each.worst)];
    }
  }
  return fmt::format(
      "{} claims: {} hold, {} hold in some scenarios, {} refuted, {} inconsistent, {} not modelled",
      outcomes.size(), hold, in_part, others[static_cast<int>(Verdict::kRefuted)],
      others[static_cast<int>(Verdict::kInconsistent)],
      others[static_cast<int>(Verdict::kNotModelled)]);
}

std::string check_table(const CheckReport& report) {
  std::set<std::string> told;
  std::string text = fmt::format("Claims about {}{}\n", report.plan,
                                 report.document.empty() ? "" : " in " + report.document);
  text += "line  claim\n";
  for (const ClaimOutcome& outcome : by_claim(report)) {
    text += title(*outcome.claim);
    for (const OutcomeLine& line : outcome.lines) text += line_text(line, told);
  }
  for (const std::string& each : report.missing) {
    text += fmt::format("recorded, but no longer judged: {}\n", each);
  }
  for (const std::string& each : report.assumptions) text += "assumes: " + each + "\n";
  text += totals_text(report) + "\n";
  if (report.gated) {
    const auto changed = std::count_if(report.findings.begin(), report.findings.end(),
                                       [](const Finding& f) { return f.fails; });
    text += fmt::format("against the recorded verdicts: {} changed, {} no longer judged\n", changed,
                        report.missing.size());
  }
  return text;
}

}  // namespace rehearse
