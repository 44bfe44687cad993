#include "commands/output_folder.hpp"

#include <fmt/format.h>

#include <filesystem>
#include <system_error>

#include "base/error.hpp"
#include "base/option_place.hpp"
#include "base/output_file.hpp"

namespace rehearse {

void prepare_output(const std::string& directory, std::initializer_list<const char*> files) {
  std::error_code failure;
  std::filesystem::create_directories(directory, failure);
  if (failure) {
    throw InputError(
        option_place("--out", directory),
        fmt::format("cannot create the directory \"{}\": {}", directory, failure.message()));
  }
  for (const char* const name : files) check_replaceable(directory + "/" + name);
}

}  // namespace rehearse
