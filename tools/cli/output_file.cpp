#include "cli/output_file.hpp"

#include <fmt/format.h>

#include <filesystem>
#include <fstream>
#include <system_error>

#include "base/error.hpp"
#include "cli/options.hpp"

namespace rehearse {

void prepare_output(const std::string& directory, std::initializer_list<const char*> files) {
  std::error_code failure;
  std::filesystem::create_directories(directory, failure);
  if (failure) {
    throw InputError(
        option_place("--out", directory),
        fmt::format("cannot create the directory \"{}\": {}", directory, failure.message()));
  }
  for (const char* const name : files) {
    const std::string file = directory + "/" + name;
    if (std::filesystem::is_directory(file, failure)) {
      throw InputError({file, 1, 1}, "cannot write this file: it is a directory");
    }
  }
}

void write_file(const std::string& path, const std::string& text) {
  const std::string partial = path + ".partial";
  std::ofstream file(partial, std::ios::binary | std::ios::trunc);
  file << text;
  file.close();
  std::error_code failure;
  if (file) std::filesystem::rename(partial, path, failure);
  if (!file || failure) {
    std::error_code ignored;  // the write's failure is the one to report
    std::filesystem::remove(partial, ignored);
    throw InputError({path, 1, 1}, "cannot write this file");
  }
}

}  // namespace rehearse
