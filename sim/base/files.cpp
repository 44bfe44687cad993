#include "base/files.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <cstring>
#include <optional>
#include <string_view>

#include "base/system_error.hpp"

namespace rehearse {
namespace {

// A descriptor that goes with its owner.
class Descriptor {
 public:
  explicit Descriptor(int number) : number_(number) {}
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  ~Descriptor() {
    if (number_ >= 0) close(number_);
  }
  int number() const { return number_; }

 private:
  int number_;
};

std::string obstacle_of(const struct stat& file) {
  if (S_ISREG(file.st_mode)) return {};
  if (S_ISDIR(file.st_mode)) return "it is a folder";
  if (S_ISFIFO(file.st_mode)) {
    return "it is a pipe, which can be read only once: give a file, or \"-\" for standard input";
  }
  return "it is no regular file";
}

[[noreturn]] void refuse(const std::string& path, const std::string& what, const std::string& why) {
  throw InputError({path, 1, 1}, fmt::format("{} cannot be read: {}", what, why));
}

// To the end of the file, from where the descriptor stands.
std::string read_all(int file, const std::string& path, const std::string& what,
                     std::size_t largest) {
  constexpr std::size_t kPiece = 1 << 16;
  std::string text;
  for (;;) {
    const std::size_t before = text.size();
    text.resize(before + kPiece);
    const ssize_t got = read(file, text.data() + before, kPiece);
    text.resize(before + static_cast<std::size_t>(got > 0 ? got : 0));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) refuse(path, what, std::strerror(errno));
    if (got == 0) return text;
    if (text.size() > largest) {
      throw InputError({path, 1, 1}, fmt::format("the file has more than {} MiB: expected {}",
                                                 largest >> 20, what));
    }
  }
}

// The N of /dev/stdin (0), /dev/fd/N, /proc/self/fd/N.
std::optional<int> descriptor_of(std::string_view path) {
  if (path == "/dev/stdin") return 0;
  for (const std::string_view folder : {"/dev/fd/", "/proc/self/fd/"}) {
    if (!path.starts_with(folder)) continue;
    path.remove_prefix(folder.size());
    int number = 0;
    const auto [rest, failure] = std::from_chars(path.data(), path.data() + path.size(), number);
    if (failure == std::errc{} && rest == path.data() + path.size() && number >= 0) return number;
  }
  return std::nullopt;
}

void write_all(int file, std::string_view text) {
  while (!text.empty()) {
    const ssize_t written = write(file, text.data(), text.size());
    if (written < 0 && errno == EINTR) continue;
    check_system(written > 0, "cannot keep what comes through a pipe");
    text.remove_prefix(static_cast<std::size_t>(written));
  }
}

}  // namespace

std::string obstacle_to_reading(const std::string& path) {
  struct stat status {};
  if (stat(path.c_str(), &status) != 0) return std::strerror(errno);
  if (std::string why = obstacle_of(status); !why.empty()) return why;
  return access(path.c_str(), R_OK) == 0 ? "" : std::strerror(errno);
}

std::string read_file(const std::string& path, const std::string& what, std::size_t largest) {
  // Without O_NONBLOCK a pipe that nobody writes to would hold the program here.
  const Descriptor file(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (file.number() < 0) refuse(path, what, std::strerror(errno));
  struct stat status {};
  if (fstat(file.number(), &status) != 0) refuse(path, what, std::strerror(errno));
  if (const std::string why = obstacle_of(status); !why.empty()) refuse(path, what, why);
  return read_all(file.number(), path, what, largest);
}

std::string rereadable(const std::string& path, const std::string& what) {
  std::string name = path == "-" ? "/dev/stdin" : path;
  const std::optional<int> number = descriptor_of(name);
  struct stat status {};
  if (!number || fstat(*number, &status) != 0 || S_ISREG(status.st_mode)) return name;
  const std::string text = read_all(*number, name, what, kLargestText);
  const Descriptor memory(memfd_create("input", MFD_CLOEXEC));
  check_system(memory.number() >= 0, "cannot keep what comes through a pipe");
  write_all(memory.number(), text);
  check_system(dup2(memory.number(), *number) == *number, "cannot keep what comes through a pipe");
  return name;
}

MemoryFile::MemoryFile(const std::string& text) : descriptor_(memfd_create("text", MFD_CLOEXEC)) {
  check_system(descriptor_ >= 0, "cannot keep a text in memory");
  write_all(descriptor_, text);
}

MemoryFile::~MemoryFile() { close(descriptor_); }

std::string MemoryFile::path() const { return "/dev/fd/" + std::to_string(descriptor_); }

bool is_descriptor(const std::string& path) { return descriptor_of(path).has_value(); }

}  // namespace rehearse
