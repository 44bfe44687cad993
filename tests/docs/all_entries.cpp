#include "docs/all_entries.hpp"

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <vector>

#include "docs/shell.hpp"
#include "source_dir.hpp"

namespace rehearse {
namespace {

namespace fs = std::filesystem;

bool is_set(const char* variable) {
  const char* const value = std::getenv(variable);
  return value != nullptr && *value != '\0';
}

Entries read_all() {
  const fs::path root = REHEARSE_SOURCE_DIR;
  std::vector<fs::path> paths;
  for (const auto& file : fs::directory_iterator(root / "tests/docs")) {
    if (file.path().extension() == ".figures") paths.push_back(file.path());
  }
  std::sort(paths.begin(), paths.end());
  Entries read;
  for (const fs::path& path : paths) {
    read_entries(fs::relative(path, root).generic_string(), text_of(path), read);
  }
  for (Exemption& exemption : read.exemptions) {
    if (exemption.kind != Exemption::Kind::kQuotes) continue;
    exemption.source = text_of(root / exemption.text);
  }
  return read;
}

}  // namespace

bool updates() { return is_set("REHEARSE_UPDATE_GOLDENS") && !is_set("CI"); }

const Entries& entries() {
  static const Entries kAll = read_all();
  return kAll;
}

}  // namespace rehearse
