#include "html/search_page.hpp"

#include <cmath>
#include <nlohmann/json.hpp>

#include "base/error.hpp"
#include "html/assets.hpp"
#include "html/page.hpp"

namespace rehearse {

std::string search_page(const ReportSearch& report) {
  using Json = nlohmann::ordered_json;
  Json columns = Json::array();
  for (const ReportColumn& each : report.columns) {
    columns.push_back({{"name", each.name},
                       {"unit", each.unit},
                       {"definition", each.definition},
                       {"higher_is_better", each.higher_is_better},
                       {"objective", each.objective}});
  }
  Json candidates = Json::array();
  for (const ReportCandidate& each : report.candidates) {
    SIM_CHECK(each.parameters.size() == report.parameters.size() &&
                  (each.values.empty() || each.values.size() == report.columns.size()),
              "a candidate without a value for every column");
    Json values = Json::array();
    for (const std::optional<double>& value : each.values) {
      SIM_CHECK(!value || std::isfinite(*value), "JSON has no infinity");
      values.push_back(value ? Json(*value) : Json());
    }
    Json candidate = {{"rank", each.rank},
                      {"parameters", each.parameters},
                      {"values", std::move(values)},
                      {"status", each.status},
                      {"reason", each.reason},
                      {"on_front", each.on_front},
                      {"tie", each.tie},
                      {"is_plan", each.is_plan},
                      {"command", each.command},
                      {"run_page", each.run_page},
                      {"platform_assumed", each.platform_assumed}};
    if (each.skewed) candidate["skewed"] = *each.skewed;
    if (each.skewed_place) candidate["skewed_place"] = *each.skewed_place;
    candidates.push_back(std::move(candidate));
  }
  Json excluded = Json::array();
  for (const ReportExclusion& each : report.excluded) {
    excluded.push_back({{"reason", each.reason}, {"count", each.count}});
  }
  return html_page("search of " + report.plan,
                   {{"kind", "search"},
                    {"plan", report.plan},
                    {"assumptions", report.assumptions},
                    {"notes", report.notes},
                    {"complete", report.complete},
                    {"exhaustive", report.exhaustive},
                    {"considered", report.considered},
                    {"legal", report.legal},
                    {"ranked", report.ranked},
                    {"failed", report.failed},
                    {"not_simulated", report.not_simulated},
                    {"parameters", report.parameters},
                    {"columns", std::move(columns)},
                    {"absences", report.absences},
                    {"candidates", std::move(candidates)},
                    {"excluded", std::move(excluded)}},
                   {kAssetSearch});
}

}  // namespace rehearse
