#include "fuzz/fuzzed.hpp"

#include <stdlib.h>

#include <cstdio>
#include <filesystem>
#include <fstream>

#include "base/error.hpp"

namespace rehearse::fuzz {
namespace {

// Where there is no memory file system, any other will do.
std::filesystem::path place_of_scratch() {
  const std::filesystem::path memory = "/dev/shm";
  return std::filesystem::is_directory(memory) ? memory : std::filesystem::temp_directory_path();
}

class Scratch {
 public:
  Scratch() {
    folder_ = (place_of_scratch() / "rehearse-fuzz-XXXXXX").string();
    SIM_CHECK(mkdtemp(folder_.data()) != nullptr, "cannot make " + folder_);
  }
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;
  ~Scratch() {
    std::error_code ignored;
    std::filesystem::remove_all(folder_, ignored);
  }
  const std::string& folder() const { return folder_; }

 private:
  std::string folder_;
};

}  // namespace

const std::string& scratch_folder() {
  static const Scratch scratch;
  return scratch.folder();
}

std::string write_scratch(const std::string& name, const std::uint8_t* bytes, std::size_t size) {
  std::string path = scratch_folder() + "/" + name;
  std::ofstream file(path, std::ios::binary | std::ios::trunc);
  file.write(reinterpret_cast<const char*>(bytes), static_cast<std::streamsize>(size));
  SIM_CHECK(file.flush().good(), "cannot write " + path);
  return path;
}

void read_or_refuse(void (*read)(const std::string& path), const std::string& path) {
  try {
    read(path);
  } catch (const InputError& refusal) {
    SIM_CHECK(*refusal.what() != 0, "a refusal without a text");
  }
}

}  // namespace rehearse::fuzz
