#include "base/program_data.hpp"

#include <filesystem>

namespace rehearse {

std::string program_data(const std::string& kind) {
  const std::filesystem::path program = std::filesystem::read_symlink("/proc/self/exe");
  return (program.parent_path().parent_path() / "share" / "rehearse" / kind).string();
}

}  // namespace rehearse
