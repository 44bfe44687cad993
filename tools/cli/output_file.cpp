#include "cli/output_file.hpp"

#include <filesystem>
#include <fstream>
#include <system_error>

#include "base/error.hpp"

namespace rehearse {

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
