#include "html/claims_page.hpp"

#include <nlohmann/json.hpp>

#include "html/assets.hpp"
#include "html/page.hpp"

namespace rehearse {

std::string claims_page(const ReportClaims& report) {
  using Json = nlohmann::ordered_json;
  Json claims = Json::array();
  for (const ReportClaim& claim : report.claims) {
    claims.push_back({{"id", claim.id},
                      {"line", claim.line},
                      {"quote", claim.quote},
                      {"expect", claim.expect},
                      {"verdict", claim.verdict},
                      {"reason", claim.reason},
                      {"note", claim.note},
                      {"reading", claim.reading},
                      {"platform", claim.platform},
                      {"alternative", claim.alternative},
                      {"fails", claim.fails},
                      {"change", claim.change},
                      {"because", claim.because}});
  }
  return html_page("claims of " + report.plan,
                   {{"kind", "claims"},
                    {"plan", report.plan},
                    {"document", report.document},
                    {"claims", std::move(claims)},
                    {"missing", report.missing},
                    {"assumptions", report.assumptions}},
                   {kAssetClaims});
}

}  // namespace rehearse
