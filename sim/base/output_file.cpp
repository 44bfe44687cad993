#include "base/output_file.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <system_error>
#include <utility>

#include "base/error.hpp"

namespace rehearse {
namespace {

[[noreturn]] void refuse_because(const std::string& path, const std::string& why) {
  throw InputError({path, 1, 1}, fmt::format("cannot write this file: {}", why));
}

[[noreturn]] void refuse_with(const std::string& path, int error) {
  refuse_because(path, std::generic_category().message(error));
}

enum class Way { kReplace, kInto };

Way way_of(const std::string& path) {
  struct stat itself {};
  if (lstat(path.c_str(), &itself) != 0) {
    // Anything but a free name is said by open(), which knows of the folder, too.
    return Way::kReplace;
  }
  struct stat there {};
  const bool is_link = S_ISLNK(itself.st_mode);
  const bool found = stat(path.c_str(), &there) == 0;
  if (found && S_ISDIR(there.st_mode)) refuse_with(path, EISDIR);
  if (is_link && (!found || S_ISREG(there.st_mode))) {
    refuse_because(path, "it is a symbolic link: name the file that it stands for");
  }
  if (S_ISREG(there.st_mode)) return Way::kReplace;
  if (S_ISFIFO(there.st_mode) || S_ISCHR(there.st_mode)) return Way::kInto;
  refuse_because(path, "it is no regular file, no pipe and no character device");
}

std::string random_name_beside(const std::string& path) {
  std::uint64_t random = 0;
  if (getrandom(&random, sizeof random, 0) != sizeof random) refuse_with(path, errno);
  return fmt::format("{}.partial.{:016x}", path, random);
}

}  // namespace

void check_replaceable(const std::string& path) { way_of(path); }

void remove_file(const std::string& path) {
  if (way_of(path) == Way::kInto) return;
  if (unlink(path.c_str()) == 0 || errno == ENOENT) return;
  throw InputError({path, 1, 1}, fmt::format("cannot remove this file: {}",
                                             std::generic_category().message(errno)));
}

OutputFile::OutputFile(std::string path) : path_(std::move(path)) {
  if (way_of(path_) == Way::kReplace) {
    open_new();
    return;
  }
  file_ = open(path_.c_str(), O_WRONLY | O_NOCTTY | O_CLOEXEC);
  if (file_ < 0) refuse_with(path_, errno);
}

void OutputFile::open_new() {
  partial_.emplace(random_name_beside(path_));
  file_ =
      open(partial_->path().c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0666);
  if (file_ >= 0) return;
  const int error = errno;
  partial_.reset();
  refuse_with(path_, error);
}

OutputFile::OutputFile(OutputFile&& other) noexcept
    : path_(std::move(other.path_)), file_(std::exchange(other.file_, -1)) {
  if (!other.partial_) return;
  partial_.emplace(other.partial_->path());
  other.partial_.reset();
}

OutputFile::~OutputFile() { drop(); }

void OutputFile::drop() {
  if (file_ >= 0) ::close(std::exchange(file_, -1));
  if (partial_) unlink(partial_->path().c_str());
  partial_.reset();
}

void OutputFile::refuse(int error) {
  drop();
  refuse_with(path_, error);
}

void OutputFile::write(std::string_view text) {
  SIM_CHECK(file_ >= 0, "a file is written after its end");
  while (!text.empty()) {
    const ssize_t written = ::write(file_, text.data(), text.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) refuse(errno);
    text.remove_prefix(static_cast<std::size_t>(written));
  }
}

void OutputFile::close() {
  if (file_ < 0) return;
  if (::close(std::exchange(file_, -1)) != 0) refuse(errno);
}

void OutputFile::commit() {
  close();
  if (!partial_) return;
  const SignalsHeld held;
  if (std::rename(partial_->path().c_str(), path_.c_str()) != 0) refuse(errno);
  partial_.reset();
}

void OutputFiles::add(const std::string& path, std::string_view text) {
  OutputFile file(path);
  file.write(text);
  add(std::move(file));
}

void OutputFiles::add(OutputFile file) {
  file.close();
  files_.push_back(std::move(file));
}

void OutputFiles::commit() {
  const SignalsHeld held;
  for (OutputFile& each : files_) each.commit();
  files_.clear();
}

void write_file(const std::string& path, std::string_view text) {
  OutputFile file(path);
  file.write(text);
  file.commit();
}

}  // namespace rehearse
