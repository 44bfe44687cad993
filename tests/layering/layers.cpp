#include "layering/layers.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <regex>
#include <sstream>
#include <stdexcept>

namespace rehearse {
namespace {

std::string first_folder(const std::string& path) {
  const auto slash = path.find('/');
  return slash == std::string::npos ? "" : path.substr(0, slash);
}

bool matches(const std::string& pattern, const std::string& header) {
  return pattern.front() == '*' ? header.ends_with(pattern.substr(1)) : header.starts_with(pattern);
}

bool is_at(const std::string& path, const std::string& place) {
  return place.back() == '/' ? path.starts_with(place) : path == place;
}

std::string joined(const auto& words) {
  std::string text;
  for (const std::string& word : words) text += (text.empty() ? "" : " ") + word;
  return text.empty() ? "nothing" : text;
}

// Why `path` may not include `header`, written "stage/file.hpp" or <library/file.hpp>; empty: it
// may.
std::string objection(const Layers& layers, const std::string& path, const std::string& header,
                      bool quoted) {
  bool library = !quoted;
  for (const HeaderRule& rule : layers.headers) {
    if (!matches(rule.pattern, header)) continue;
    library = true;
    const bool allowed = std::any_of(rule.places.begin(), rule.places.end(),
                                     [&](const auto& place) { return is_at(path, place); });
    if (!allowed) return fmt::format("only {} may", joined(rule.places));
  }
  if (library || !path.starts_with("sim/")) return "";

  const std::string stage = first_folder(path.substr(4));
  const auto sees = layers.stages.find(stage);
  if (sees == layers.stages.end()) return "the file is in no stage of sim/layers.txt";
  const std::string target = first_folder(header);
  if (target.empty()) return "headers are included as \"stage/file.hpp\"";
  if (target == stage || sees->second.contains(target)) return "";
  return fmt::format("{} sees {}", stage, joined(sees->second));
}

std::set<std::string> rehearse_targets(const std::string& text) {
  static const std::regex kTarget(R"(\brehearse_(\w+))");
  std::set<std::string> names;
  for (std::sregex_iterator it(text.begin(), text.end(), kTarget), end; it != end; ++it) {
    names.insert((*it)[1]);
  }
  return names;
}

}  // namespace

Layers parse_layers(const std::string& text) {
  static const std::regex kRule(R"((stage|header) +([^:\s]+):(.*))");
  Layers layers;
  std::istringstream lines(text);
  std::string line;
  for (int number = 1; std::getline(lines, line); ++number) {
    if (line.empty() || line.front() == '#') continue;
    std::smatch rule;
    if (!std::regex_match(line, rule, kRule)) {
      throw std::invalid_argument(fmt::format("line {}: no rule: {}", number, line));
    }
    std::istringstream rest(rule[3]);
    std::vector<std::string> words;
    for (std::string word; rest >> word;) words.push_back(word);
    if (rule[1] == "header") {
      layers.headers.push_back({rule[2], words});
      continue;
    }
    for (const std::string& word : words) {
      if (layers.stages.contains(word)) continue;
      throw std::invalid_argument(fmt::format("line {}: no stage {} above", number, word));
    }
    layers.stages[rule[2]] = {words.begin(), words.end()};
  }
  return layers;
}

std::vector<std::string> check_includes(const Layers& layers, const std::string& path,
                                        const std::string& text) {
  static const std::regex kInclude(R"(\s*#\s*include\s*([<"])([^>"]+)[>"].*)");
  std::vector<std::string> complaints;
  std::istringstream lines(text);
  std::string line;
  for (int number = 1; std::getline(lines, line); ++number) {
    std::smatch include;
    if (!std::regex_match(line, include, kInclude)) continue;
    const std::string why = objection(layers, path, include[2], include[1] == "\"");
    if (why.empty()) continue;
    complaints.push_back(
        fmt::format("{}:{}: may not include {}: {}", path, number, include[2].str(), why));
  }
  return complaints;
}

std::vector<std::string> check_links(const Layers& layers, const std::string& cmake) {
  static const std::regex kComment("#[^\n]*");
  static const std::regex kCommand(
      R"(\b(?:stage\s*\(\s*|target_link_libraries\s*\(\s*rehearse_)(\w+)([^)]*)\))");
  const std::string text = std::regex_replace(cmake, kComment, "");
  std::vector<std::string> complaints;
  for (std::sregex_iterator it(text.begin(), text.end(), kCommand), end; it != end; ++it) {
    const std::string stage = (*it)[1];
    const auto sees = layers.stages.find(stage);
    if (sees == layers.stages.end()) {
      complaints.push_back(fmt::format("stage {} is not in sim/layers.txt", stage));
      continue;
    }
    for (const std::string& target : rehearse_targets((*it)[2])) {
      if (sees->second.contains(target)) continue;
      complaints.push_back(fmt::format("rehearse_{} may not link rehearse_{}: {} sees {}", stage,
                                       target, stage, joined(sees->second)));
    }
  }
  return complaints;
}

}  // namespace rehearse
