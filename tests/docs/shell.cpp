#include "docs/shell.hpp"

#include <fmt/format.h>
#include <sys/wait.h>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <stdexcept>
#include <system_error>

#include "source_dir.hpp"

namespace rehearse {

namespace fs = std::filesystem;

Folder::Folder() {
  std::string name = (fs::temp_directory_path() / "rehearse-docs-XXXXXX").string();
  if (mkdtemp(name.data()) == nullptr) throw std::runtime_error("cannot make " + name);
  path_ = name;
  for (const char* const data : {"platforms", "tests", "tools", "traces", "workloads"}) {
    fs::create_symlink(fs::path(REHEARSE_SOURCE_DIR) / data, path_ / data);
  }
  fs::create_directory(path_ / "out");
}

Folder::~Folder() {
  std::error_code ignored;  // a folder that stays in /tmp fails no test
  fs::remove_all(path_, ignored);
}

Output run_in(const fs::path& folder, const std::string& commands) {
  std::ofstream(folder / "commands.sh") << "PLAN=workloads/plans/moe-10b-24gpu.textproto\n"
                                           "OUT=out\n"
                                           "rehearse() { '" REHEARSE_BINARY
                                           "' \"$@\"; }\n"
                                           "set -E\n"
                                           "trap 'code=$?; [ $code -le 1 ] || exit $code' ERR\n"
                                        << commands << '\n';
  const std::string line = fmt::format("cd '{}' && bash commands.sh", folder.string());
  FILE* const pipe = popen(line.c_str(), "r");
  if (pipe == nullptr) throw std::runtime_error("cannot start a shell");
  Output run;
  std::array<char, 65536> buffer;
  for (std::size_t size; (size = fread(buffer.data(), 1, buffer.size(), pipe)) > 0;) {
    run.text.append(buffer.data(), size);
  }
  const int status = pclose(pipe);
  run.status = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  return run;
}

std::string text_of(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) throw std::runtime_error("cannot read " + path.string());
  return {std::istreambuf_iterator<char>(file), {}};
}

}  // namespace rehearse
