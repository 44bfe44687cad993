#include "input/model_gallery.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <filesystem>
#include <system_error>

#include "base/nearest_name.hpp"
#include "base/program_data.hpp"
#include "base/utf8.hpp"

namespace rehearse {
namespace {

namespace fs = std::filesystem;

constexpr const char* kFolder = "models";
constexpr const char* kEnding = ".textproto";

std::string lower(std::string text) {
  for (char& letter : text) {
    letter = static_cast<char>(std::tolower(static_cast<unsigned char>(letter)));
  }
  return text;
}

std::string without_organisation(const std::string& name) {
  return name.substr(name.rfind('/') + 1);
}

// Models of one architecture under several names: tuned ones, and what the Hub writes around a
// name.
constexpr std::string_view kSameDimensions[] = {"instruct", "it",   "chat",   "base", "hf",  "pt",
                                                "thinking", "meta", "nvidia", "2506", "2507"};

// The name without them, in lower case; "_" as ".".
std::string without_tuning(const std::string& name) {
  std::string text = lower(name);
  std::replace(text.begin(), text.end(), '_', '.');
  std::string kept;
  for (std::size_t begin = 0; begin <= text.size();) {
    const std::size_t end = std::min(text.find('-', begin), text.size());
    const std::string word = text.substr(begin, end - begin);
    const bool same = std::find(std::begin(kSameDimensions), std::end(kSameDimensions), word) !=
                      std::end(kSameDimensions);
    if (!same) kept += "-" + word;
    begin = end + 1;
  }
  return kept;
}

// A name of the gallery has at most one slash, and is no path: "./x", "../x", "/x", "x.json".
bool may_be_a_name(const std::string& written) {
  if (written.empty() || written.front() == '.' || written.front() == '/') return false;
  if (written.ends_with(".json") || written.ends_with(kEnding)) return false;
  return std::count(written.begin(), written.end(), '/') <= 1;
}

// The names that are `written`, else those of the same model under another tuning.
std::vector<std::string> names_called(const std::string& written,
                                      const std::vector<std::string>& names) {
  const std::string wanted = lower(written);
  const bool with_organisation = wanted.find('/') != std::string::npos;
  std::vector<std::string> found;
  for (const std::string& name : names) {
    if (lower(with_organisation ? name : without_organisation(name)) == wanted) {
      found.push_back(name);
    }
  }
  if (!found.empty()) return found;
  const std::string wanted_model = without_tuning(without_organisation(written));
  for (const std::string& name : names) {
    const bool same_organisation =
        !with_organisation || wanted.starts_with(lower(name.substr(0, name.find('/') + 1)));
    if (same_organisation && without_tuning(without_organisation(name)) == wanted_model) {
      found.push_back(name);
    }
  }
  return found;
}

// The names that someone who typed `written` may have meant; empty: none is near.
std::string names_near(const std::string& written, const std::vector<std::string>& names) {
  const std::string wanted = lower(written);
  const bool with_organisation = wanted.find('/') != std::string::npos;
  std::vector<std::string> candidates;
  candidates.reserve(names.size());
  for (const std::string& name : names) {
    candidates.push_back(lower(with_organisation ? name : without_organisation(name)));
  }
  std::vector<std::string> near = near_names(wanted, candidates);
  if (near.empty()) return {};
  for (std::string& each : near) {
    each = names[std::find(candidates.begin(), candidates.end(), each) - candidates.begin()];
  }
  return did_you_mean(near);
}

}  // namespace

std::vector<std::string> gallery_models() {
  std::vector<std::string> names;
  std::error_code error;
  const fs::path root = program_data(kFolder);
  for (fs::directory_iterator at(root, error), end; !error && at != end; at.increment(error)) {
    if (!at->is_directory()) continue;
    std::error_code inside;
    for (fs::directory_iterator file(at->path(), inside), last; !inside && file != last;
         file.increment(inside)) {
      if (file->path().extension() != kEnding) continue;
      names.push_back(at->path().filename().string() + "/" + file->path().stem().string());
    }
  }
  std::sort(names.begin(), names.end());
  return names;
}

std::string find_model(const std::string& written, const std::string& path,
                       const SourceLocation& where) {
  std::error_code error;
  if (written.empty()) throw InputError(where, "model is empty: a file or a model's name");
  std::string config = (fs::path(path) / "config.json").string();
  // A folder without one may be called like a model.
  const bool folder = fs::is_directory(path, error);
  if (folder && (fs::exists(config, error) || !may_be_a_name(written))) return config;
  if (!folder && (fs::exists(path, error) || !may_be_a_name(written))) return path;
  const std::vector<std::string> names = gallery_models();
  const std::vector<std::string> found = names_called(written, names);
  if (found.size() == 1) return program_data(kFolder) + "/" + found.front() + kEnding;
  if (found.size() > 1) {
    throw InputError(where, fmt::format("model = {}: {} and {} are called so", shortened(written),
                                        found[0], found[1]));
  }
  const std::string near = names_near(written, names);
  if (near.empty()) return folder ? config : path;
  throw InputError(where, fmt::format("model = {}: neither a file nor a model of the gallery, {}",
                                      shortened(written), near));
}

}  // namespace rehearse
