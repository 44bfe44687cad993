#include <fmt/format.h>
#include <fmt/ranges.h>

#include "claims/report.hpp"

namespace rehearse {
namespace {

Cell cell_of_value(const Value& value) {
  if (const double* const number = std::get_if<double>(&value)) return *number;
  if (const bool* const truth = std::get_if<bool>(&value)) return *truth;
  if (const auto* const text = std::get_if<std::string>(&value)) return *text;
  return fmt::format("{}", fmt::join(std::get<std::vector<double>>(value), " "));
}

}  // namespace

Table check_rows(const CheckReport& report) {
  Table table;
  for (const Finding& each : report.findings) {
    const Judgement& of = each.judgement;
    const Claim& claim = *of.claim;
    const Scenario at = of.scenario.value_or(Scenario());
    table.add(
        {{"claim", claim.id},
         {"line", std::int64_t{claim.line}},
         {"verdict", std::string(to_text(of.verdict))},
         {"fails", each.fails},
         {"reading", cell_of_text(at.reading)},
         {"platform", cell_of_text(at.platform)},
         {"alternative", cell_of_text(at.alternative)},
         {"expect", cell_from(claim.expect, &Comparison::text)},
         {"found", cell_from(of.found, cell_of_value)},
         {"found_text",
          cell_from(of.found, [&](const Value& found) { return to_text(found, of.unit); })},
         {"reason", cell_of_text(of.reason)},
         {"within_error", cell_from(of.band, &ErrorBand::within)},
         {"expected_error", cell_from(of.band, &ErrorBand::error)},
         {"margin", cell_from(of.band, [](const ErrorBand& band) { return cell_of(band.margin); })},
         {"change", cell_of_text(each.change)},
         {"quote", claim.quote}});
  }
  return table;
}

}  // namespace rehearse
