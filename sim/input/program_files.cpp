#include "input/program_files.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <filesystem>
#include <system_error>

#include "base/error.hpp"
#include "base/option_place.hpp"
#include "base/program_data.hpp"

namespace rehearse {
namespace {

namespace fs = std::filesystem;

constexpr const char* kEnding = ".textproto";

// The files of a folder, in the order of the alphabet.
std::vector<fs::path> files_of(const std::string& folder, const std::string& what,
                               const SourceLocation& where) {
  std::error_code error;
  std::vector<fs::path> files;
  for (fs::directory_iterator at(folder, error), end; !error && at != end; at.increment(error)) {
    if (at->path().extension() == kEnding) files.push_back(at->path());
  }
  if (error) {
    throw InputError(where, fmt::format("\"{}\": cannot be read as a folder of {} files: {}",
                                        folder, what, error.message()));
  }
  if (files.empty()) {
    throw InputError(where, fmt::format("\"{}\": has no {} file (NAME{})", folder, what, kEnding));
  }
  std::sort(files.begin(), files.end());
  return files;
}

}  // namespace

ProgramFiles::ProgramFiles(const ProgramFilesKind& kind, const std::vector<std::string>& folders) {
  const std::string own = program_data(kind.folder);
  std::error_code ignored;
  if (fs::is_directory(own, ignored)) {
    for (const fs::path& file : files_of(own, kind.what, {own, 1, 1})) {
      files_[file.stem().string()] = file;
    }
  } else if (folders.empty()) {
    throw InputError(
        {own, 1, 1},
        fmt::format("the {} files that come with the program are not there: keep the folder share "
                    "beside the program's folder, or give {} DIR",
                    kind.what, kind.option));
  }
  for (const std::string& folder : folders) {
    for (const fs::path& file : files_of(folder, kind.what, option_place(kind.option, folder))) {
      std::string& place = files_[file.stem().string()];
      if (!place.empty()) {
        notes_.push_back(
            fmt::format("{} is {}, in place of {}", file.stem().string(), file.string(), place));
      }
      place = file;
    }
  }
}

std::string ProgramFiles::find(const std::string& name) const {
  std::string lower = name;
  for (char& c : lower) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  for (const std::string& each : {name, lower}) {
    const auto found = files_.find(each);
    if (found != files_.end()) return found->second;
  }
  return {};
}

std::vector<std::string> ProgramFiles::names() const {
  std::vector<std::string> names;
  names.reserve(files_.size());
  for (const auto& [name, file] : files_) names.push_back(name);
  return names;
}

}  // namespace rehearse
