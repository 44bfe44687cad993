// The parts of every page, embedded at build time (html/embed.cmake).
#pragma once

#include <string_view>

namespace rehearse {

extern const std::string_view kAssetChart;     // Chart.js, minified, with its license notice
extern const std::string_view kAssetStyle;     // page/style.css
extern const std::string_view kAssetCommon;    // page/common.js
extern const std::string_view kAssetTimeline;  // page/timeline.js
extern const std::string_view kAssetRun;       // page/run.js
extern const std::string_view kAssetService;   // page/service.js
extern const std::string_view kAssetClaims;    // page/claims.js
extern const std::string_view kAssetSearch;    // page/search.js

}  // namespace rehearse
