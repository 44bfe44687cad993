#include "platform/scaled_platform.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <fstream>
#include <sstream>
#include <string_view>

#include "base/error.hpp"
#include "platform/check_platform_xml.hpp"
#include "platform/xml_element.hpp"

namespace rehearse {
namespace {

constexpr const char* kFlops = "FLOP/s";
constexpr const char* kMemory = "memory bandwidth";

// The value of an attribute in the file's text that belongs to a resource.
struct Rate {
  std::string resource;
  std::size_t begin = 0;
  std::size_t size = 0;
};

std::string without_digits(const std::string& id) {
  std::string text;
  for (const char c : id) {
    const bool separator = c == '-' || c == '_' || c == '.';
    if (c >= '0' && c <= '9') continue;
    if (separator && (text.empty() || text.back() == c)) continue;
    text += c;
  }
  while (!text.empty() && (text.back() == '-' || text.back() == '_' || text.back() == '.'))
    text.pop_back();
  return text.empty() ? "links" : text;
}

class RateFinder {
 public:
  explicit RateFinder(const std::string& path) : file_(read_xml(path)) {
    check_platform_xml(path);
    std::ifstream stream(path, std::ios::binary);
    std::ostringstream content;
    content << stream.rdbuf();
    text_ = content.str();
    find_in(file_.root);
  }

  const std::string& text() const { return text_; }
  const std::vector<Rate>& rates() const { return rates_; }

 private:
  void find_in(const Element& element) {
    const std::string* const id = element.attribute("id");
    const bool is_port = element.name == "cluster" && element.property("domain") != nullptr &&
                         element.property("memory") == nullptr;
    for (const auto& [key, value] : element.attributes) {
      if (key == "speed" && !is_port) add(element, kFlops, key);
      if (id == nullptr) continue;
      if (key == "bw" || key == "bandwidth") add(element, without_digits(*id) + " links", key);
      if (key == "bb_bw") add(element, without_digits(*id) + " backbone", key);
    }
    if (element.name == "prop") {
      const std::string& name = element.required("id");
      if (name == "memory_bandwidth") add(element, kMemory, "value");
      if (name.starts_with("peak_")) add(element, kFlops, "value");
    }
    for (const Element& child : element.children) find_in(child);
  }

  void add(const Element& element, const std::string& resource, const std::string& key) {
    std::size_t at = 0;
    for (int line = 1; line < element.where.line; ++line) at = text_.find('\n', at) + 1;
    at += static_cast<std::size_t>(element.where.column) - 1;
    // The attribute's name stands behind a blank, its value in quotes.
    for (at = text_.find(key, at); at != std::string::npos; at = text_.find(key, at + 1)) {
      std::size_t equals = at + key.size();
      while (equals < text_.size() && (text_[equals] == ' ' || text_[equals] == '\n')) ++equals;
      const bool begins = text_[at - 1] == ' ' || text_[at - 1] == '\n' || text_[at - 1] == '\t';
      if (begins && text_[equals] == '=') break;
    }
    SIM_CHECK(at != std::string::npos, "an attribute is not where its element stands");
    const std::size_t quote = text_.find_first_of("\"'", at);
    rates_.push_back({resource, quote + 1, text_.find(text_[quote], quote + 1) - quote - 1});
  }

  XmlFile file_;
  std::string text_;
  std::vector<Rate> rates_;
};

// "450GBps" x 1.1 = "495GBps"
std::string scaled(const std::string& value, double factor) {
  double number = 0;
  const auto [rest, failure] = std::from_chars(value.data(), value.data() + value.size(), number);
  SIM_CHECK(failure == std::errc{}, "a rate of a checked platform is no number: " + value);
  return fmt::format("{}{}", number * factor, std::string(rest, value.data() + value.size()));
}

}  // namespace

std::vector<std::string> resources_of(const std::string& path) {
  std::vector<std::string> resources;
  const RateFinder finder(path);
  for (const Rate& rate : finder.rates()) {
    if (std::find(resources.begin(), resources.end(), rate.resource) == resources.end()) {
      resources.push_back(rate.resource);
    }
  }
  return resources;
}

std::string scaled_platform(const std::string& path, const std::string& resource, double factor) {
  const RateFinder finder(path);
  std::string text = finder.text();
  // From the end, so that places before stay where they are.
  std::vector<Rate> rates = finder.rates();
  std::sort(rates.begin(), rates.end(),
            [](const Rate& a, const Rate& b) { return a.begin > b.begin; });
  for (const Rate& rate : rates) {
    if (rate.resource != resource) continue;
    text.replace(rate.begin, rate.size, scaled(text.substr(rate.begin, rate.size), factor));
  }
  return text;
}

}  // namespace rehearse
