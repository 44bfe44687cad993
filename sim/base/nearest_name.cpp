#include "base/nearest_name.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cctype>
#include <map>
#include <numeric>
#include <utility>

#include "base/split.hpp"

namespace rehearse {
namespace {

// Levenshtein distance, one row of the table at a time.
std::size_t edit_distance(const std::string& from, const std::string& to) {
  std::vector<std::size_t> row(to.size() + 1);
  std::iota(row.begin(), row.end(), std::size_t{0});
  for (std::size_t i = 1; i <= from.size(); ++i) {
    std::size_t diagonal = row[0];
    row[0] = i;
    for (std::size_t j = 1; j <= to.size(); ++j) {
      const std::size_t replaced = diagonal + (from[i - 1] == to[j - 1] ? 0 : 1);
      diagonal = row[j];
      row[j] = std::min({row[j] + 1, row[j - 1] + 1, replaced});
    }
  }
  return row.back();
}

// What is compared: "AllReduce" and "all-reduce" are near "all_reduce".
std::string plain(const std::string& name) {
  std::string text;
  for (const char c : name) {
    if (c == '-' || c == '_') continue;
    text += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  }
  return text;
}

constexpr std::size_t kLongest = 100;  // the distance takes the product of both sizes

// Edits up to which a name is near.
std::size_t most_edits(const std::string& name) {
  return std::max<std::size_t>(2, name.size() / 3);
}

constexpr std::size_t kLeastShared = 3;  // fewer characters say nothing

bool contains_or_is_begun_by(const std::string& candidate, const std::string& name) {
  if (std::min(name.size(), candidate.size()) < kLeastShared) return false;
  return candidate.find(name) != std::string::npos || name.starts_with(candidate);
}

// Who stops typing has made one mistake.
std::size_t edits_between(const std::string& name, const std::string& candidate) {
  const std::size_t edits = edit_distance(name, candidate);
  if (name.size() < kLeastShared || !candidate.starts_with(name)) return edits;
  return std::min<std::size_t>(edits, 1);
}

}  // namespace

std::vector<std::string> near_names(const std::string& name,
                                    const std::vector<std::string>& candidates) {
  if (name.size() > kLongest) return {};
  const std::string wanted = plain(name);
  std::multimap<std::size_t, std::string> by_edits;
  std::vector<std::string> related;
  for (const std::string& candidate : candidates) {
    const std::string other = plain(candidate);
    const std::size_t edits = edits_between(wanted, other);
    // Where every character is another, nothing of the name is left.
    if (edits <= most_edits(wanted) && edits < std::min(wanted.size(), other.size())) {
      by_edits.emplace(edits, candidate);
    }
    if (contains_or_is_begun_by(other, wanted)) related.push_back(candidate);
  }
  std::vector<std::string> near;
  for (auto& [edits, candidate] : by_edits) {
    if (edits <= by_edits.begin()->first + 1) near.push_back(std::move(candidate));
  }
  if (near.empty()) near = std::move(related);
  constexpr std::size_t kMost = 4;
  near.resize(std::min(near.size(), kMost));
  return near;
}

std::string nearest_name(const std::string& name, const std::vector<std::string>& candidates) {
  const std::vector<std::string> near = near_names(name, candidates);
  return near.empty() ? "" : near.front();
}

std::string suggestion(const std::string& name, const std::vector<std::string>& candidates) {
  const std::string nearest = nearest_name(name, candidates);
  if (!nearest.empty()) return did_you_mean({nearest});
  return fmt::format("one of {}", fmt::join(candidates, " "));
}

std::string hint(const std::string& name, const std::vector<std::string>& candidates) {
  const std::string nearest = nearest_name(name, candidates);
  return nearest.empty() ? "" : "; " + did_you_mean({nearest});
}

std::string name_rule(const std::string& name, const std::string& candidates) {
  const std::vector<std::string> names = words_of(candidates);
  const std::string nearest = nearest_name(name, names);
  constexpr std::size_t kShown = 20;
  if (!nearest.empty() && names.size() > kShown) return did_you_mean({nearest});
  return fmt::format("must be one of {}{}", fmt::join(names, " "), hint(name, names));
}

std::string did_you_mean(const std::vector<std::string>& names) {
  std::string text = fmt::format("did you mean \"{}\"", names.front());
  for (std::size_t at = 1; at < names.size(); ++at) {
    text += fmt::format("{} \"{}\"", at + 1 == names.size() ? " or" : ",", names[at]);
  }
  return text + "?";
}

std::string suggestions(const std::string& name, const std::vector<std::string>& candidates) {
  const std::vector<std::string> near = near_names(name, candidates);
  return near.empty() ? suggestion(name, candidates) : did_you_mean(near);
}

}  // namespace rehearse
