// The report as workloads/schema/check.proto has it.
#include "claims/report.hpp"
#include "proto/check.pb.h"
#include "proto/proto_json.hpp"

namespace rehearse {
namespace {

void write(const Value& value, google::protobuf::Value& to) {
  if (const double* const number = std::get_if<double>(&value)) {
    to.set_number_value(*number);
  } else if (const bool* const truth = std::get_if<bool>(&value)) {
    to.set_bool_value(*truth);
  } else if (const auto* const text = std::get_if<std::string>(&value)) {
    to.set_string_value(*text);
  } else {
    for (const double each : std::get<std::vector<double>>(value)) {
      to.mutable_list_value()->add_values()->set_number_value(each);
    }
  }
}

void write_claim(const Claim& claim, proto::Judgement& to) {
  to.set_claim(claim.id);
  to.set_line(claim.line);
  to.set_quote(claim.quote);
  if (claim.expect) to.set_expect(claim.expect->text);
  if (claim.given) to.set_given(claim.given->text);
  if (!claim.read_as.empty()) to.set_read_as(claim.read_as);
  if (claim.evidence == Evidence::kUpperBound) to.set_evidence("upper_bound");
  if (!claim.note.empty()) to.set_note(claim.note);
}

void write(const Finding& finding, proto::Judgement& to) {
  const Judgement& judgement = finding.judgement;
  write_claim(*judgement.claim, to);
  if (judgement.scenario) {
    to.set_reading(judgement.scenario->reading);
    to.set_platform(judgement.scenario->platform);
    to.set_alternative(judgement.scenario->alternative);
  }
  to.set_verdict(to_text(judgement.verdict));
  if (judgement.found) write(*judgement.found, *to.mutable_found());
  to.set_reason(judgement.reason);
  if (judgement.band) {
    to.set_within_error(judgement.band->within);
    to.set_expected_error(judgement.band->error);
    if (judgement.band->margin) to.set_margin(*judgement.band->margin);
  }
  to.set_fails(finding.fails);
  if (!finding.change.empty()) to.set_change(finding.change);
  for (const std::string& each : finding.because) to.add_because(each);
}

}  // namespace

std::string check_json(const CheckReport& report) {
  proto::Check check;
  check.set_plan(report.plan);
  if (!report.document.empty()) check.set_document(report.document);
  check.set_totals(totals_text(report));
  check.set_fails(report.fails());
  for (const std::string& each : report.missing) check.add_missing(each);
  for (const std::string& each : report.assumptions) check.add_assumptions(each);
  for (const Finding& each : report.findings) write(each, *check.add_judgements());
  return to_json(check);
}

}  // namespace rehearse
