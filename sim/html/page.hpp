// One self-contained HTML file: style, charting library, scripts and data are inside, and its
// Content-Security-Policy forbids to load anything.
#pragma once

#include <initializer_list>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>

namespace rehearse {

// Whether this program writes pages: built with REHEARSE_PAGES (CMakeLists.txt).
bool writes_pages();

// Where it does not, a line for whoever asked for pages.
constexpr std::string_view kNoPages = "this rehearse was built without pages for a browser";

// REQUIRES: writes_pages(). `data` is what the scripts find as `DATA`; its texts may be anything,
// also "</script>" and bytes that are no UTF-8 (replaced by U+FFFD). `title` likewise.
std::string html_page(const std::string& title, const nlohmann::ordered_json& data,
                      std::initializer_list<std::string_view> scripts);

// For numbers by the hundred thousand: little-endian bytes as base64.
std::string to_base64(const void* bytes, std::size_t size);

}  // namespace rehearse
