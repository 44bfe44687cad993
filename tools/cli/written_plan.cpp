#include "cli/written_plan.hpp"

#include <fmt/format.h>

#include <filesystem>

#include "base/error.hpp"
#include "base/files.hpp"
#include "base/option_place.hpp"
#include "base/output_file.hpp"

namespace rehearse {
namespace {

void refuse_to_overwrite(const WrittenPlan& written) {
  std::error_code error;
  const auto is_there = [&](const std::string& path) {
    return std::filesystem::exists(path, error);
  };
  const auto fail = [&](const std::string& path) {
    throw InputError(option_place("--out", written.path),
                     fmt::format("{} is there already: --force overwrites it", path));
  };
  if (is_there(written.path)) fail(written.path);
  const bool same = !is_there(written.platform_path) ||
                    read_file(written.platform_path, "a platform") == written.platform;
  if (!same) fail(written.platform_path);
}

}  // namespace

void write_plan(const WrittenPlan& written, bool force) {
  if (written.path == written.platform_path) {
    throw InputError(option_place("--out", written.path),
                     "is the name of the platform's file: give the plan another, my.textproto");
  }
  if (!force) refuse_to_overwrite(written);
  OutputFiles files;
  files.add(written.platform_path, written.platform);
  files.add(written.path, written.plan);
  files.commit();
}

}  // namespace rehearse
