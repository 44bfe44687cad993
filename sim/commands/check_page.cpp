#include "commands/check_page.hpp"

#include "html/claims_page.hpp"

namespace rehearse {

std::string check_page(const CheckReport& report) {
  ReportClaims page;
  page.plan = report.plan;
  page.document = report.document;
  page.missing = report.missing;
  page.assumptions = report.assumptions;
  for (const Finding& finding : report.findings) {
    const Judgement& judgement = finding.judgement;
    const Claim& claim = *judgement.claim;
    ReportClaim each;
    each.id = claim.id;
    each.line = claim.line;
    each.quote = claim.quote;
    each.expect = claim.expect ? claim_text(claim) : "";
    each.verdict = to_text(judgement.verdict);
    each.reason = judgement.reason;
    each.note = claim.note;
    if (judgement.scenario) {
      each.reading = judgement.scenario->reading;
      each.platform = judgement.scenario->platform;
      each.alternative = judgement.scenario->alternative;
    }
    each.fails = finding.fails;
    each.change = finding.change;
    each.because = finding.because;
    page.claims.push_back(std::move(each));
  }
  return claims_page(page);
}

}  // namespace rehearse
