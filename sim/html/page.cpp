#include "html/page.hpp"

#include <cstdint>
#include <nlohmann/json.hpp>

#include "base/error.hpp"
#include "html/assets.hpp"

namespace rehearse {
namespace {

constexpr std::string_view kHead =
    "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
    "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
    "<meta name=\"color-scheme\" content=\"light dark\">\n"
    "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; "
    "script-src 'unsafe-inline'; style-src 'unsafe-inline'; img-src data:\">\n<title>";

std::string escape_html(const std::string& text) {
  std::string escaped;
  for (const char c : text) {
    if (c == '<') {
      escaped += "&lt;";
    } else if (c == '&') {
      escaped += "&amp;";
    } else {
      escaped += c;
    }
  }
  return escaped;
}

// Inside <script>, "</script" ends it and "<!--" changes what ends it: no "<" is left. It can only
// stand in JSON's strings, where \u003c means the same.
std::string json_for_script(const nlohmann::ordered_json& data) {
  using Json = nlohmann::ordered_json;
  const std::string text = data.dump(-1, ' ', false, Json::error_handler_t::replace);
  std::string safe;
  safe.reserve(text.size());
  std::size_t from = 0;
  for (std::size_t at = text.find('<'); at != std::string::npos; at = text.find('<', from)) {
    safe.append(text, from, at - from).append("\\u003c");
    from = at + 1;
  }
  return safe.append(text, from);
}

}  // namespace

bool writes_pages() { return !kAssetChart.empty(); }

std::string html_page(const std::string& title, const nlohmann::ordered_json& data,
                      std::initializer_list<std::string_view> scripts) {
  SIM_CHECK(writes_pages(), std::string(kNoPages));
  const std::string json = json_for_script(data);
  std::string page;
  page.reserve(json.size() + kAssetChart.size() + (1U << 16));
  page.append(kHead).append(escape_html(title)).append("</title>\n<style>\n");
  page.append(kAssetStyle);
  page.append("</style>\n</head>\n<body>\n<main id=\"page\"></main>\n");
  page.append("<script type=\"application/json\" id=\"data\">").append(json).append("</script>\n");
  page.append("<script>\n").append(kAssetChart).append("\n</script>\n<script>\n\"use strict\";\n");
  page.append(kAssetCommon);
  for (const std::string_view script : scripts) page.append(script);
  return page.append("</script>\n</body>\n</html>\n");
}

std::string to_base64(const void* bytes, std::size_t size) {
  constexpr std::string_view kDigits =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  const auto* const from = static_cast<const std::uint8_t*>(bytes);
  std::string text((size + 2) / 3 * 4, '=');
  std::size_t to = 0;
  for (std::size_t at = 0; at < size; at += 3) {
    const std::size_t there = std::min<std::size_t>(3, size - at);
    std::uint32_t group = static_cast<std::uint32_t>(from[at]) << 16;
    if (there > 1) group |= static_cast<std::uint32_t>(from[at + 1]) << 8;
    if (there > 2) group |= from[at + 2];
    for (std::size_t digit = 0; digit <= there; ++digit) {
      text[to + digit] = kDigits[(group >> (18 - 6 * digit)) & 63];
    }
    to += 4;
  }
  return text;
}

}  // namespace rehearse
