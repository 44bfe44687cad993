#include "cluster/crash_guard.hpp"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <exception>
#include <string_view>

#include "base/error.hpp"
#include "base/processes.hpp"
#include "base/system_error.hpp"

namespace rehearse {
namespace {

constexpr std::size_t kPrefixSize = 4096;

// A signal handler may not allocate or lock, so all that it touches is static. The two descriptors
// are opened once and kept: the guard stands around every route lookup.
char prefix[kPrefixSize];
int captured = -1;
int real_stderr = -1;
bool active = false;
struct sigaction former_abort;
struct sigaction former_segv;

void write_all(int file, std::string_view text) {
  while (!text.empty()) {
    const ssize_t written = write(file, text.data(), text.size());
    if (written <= 0) return;
    text.remove_prefix(static_cast<std::size_t>(written));
  }
}

// SimGrid prints "[0.000000] ./src/x.cpp:69: [root/CRITICAL] what is wrong", then a backtrace.
std::string_view telling_line(std::string_view text) {
  std::string_view last;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    const std::string_view line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    if (line.starts_with("Backtrace")) break;
    if (!line.empty() && !line.starts_with("  ->")) last = line;
  }
  constexpr std::string_view kLevel = "/CRITICAL] ";
  const std::size_t level = last.find(kLevel);
  return level == std::string_view::npos ? last : last.substr(level + kLevel.size());
}

extern "C" void on_crash(int signal) {
  static char text[8192];
  const ssize_t size = pread(captured, text, sizeof text, 0);
  std::string_view line =
      telling_line({text, static_cast<std::size_t>(std::max<ssize_t>(size, 0))});
  if (line.empty()) line = signal == SIGSEGV ? "it crashed (SIGSEGV)" : "it aborted (SIGABRT)";
  static char message[kPrefixSize + sizeof text];
  const std::string_view place = prefix;
  std::copy(line.begin(), line.end(), std::copy(place.begin(), place.end(), message));
  end_refused(real_stderr, {message, place.size() + line.size()});
}

void clear_captured() {
  check_system(ftruncate(captured, 0) == 0 && lseek(captured, 0, SEEK_SET) == 0,
               "cannot capture stderr");
}

}  // namespace

CrashGuard::CrashGuard(const std::string& file) : exceptions_at_start_(std::uncaught_exceptions()) {
  SIM_CHECK(!active, "one CrashGuard at a time");
  if (captured < 0) {
    captured = memfd_create("stderr", MFD_CLOEXEC);
    real_stderr = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 3);
    check_system(captured >= 0 && real_stderr >= 0, "cannot capture stderr");
  } else {
    check_system(dup3(STDERR_FILENO, real_stderr, O_CLOEXEC) >= 0, "cannot capture stderr");
  }
  std::snprintf(prefix, kPrefixSize,
                "%s:1:1: error: SimGrid cannot load this platform: ", file.c_str());
  check_system(dup2(captured, STDERR_FILENO) == STDERR_FILENO, "cannot capture stderr");
  struct sigaction action = {};
  action.sa_handler = on_crash;
  sigemptyset(&action.sa_mask);
  sigaction(SIGABRT, &action, &former_abort);
  sigaction(SIGSEGV, &action, &former_segv);
  active = true;
}

CrashGuard::~CrashGuard() {
  sigaction(SIGABRT, &former_abort, nullptr);
  sigaction(SIGSEGV, &former_segv, nullptr);
  dup2(real_stderr, STDERR_FILENO);
  active = false;
  // stderr is unbuffered and shares the file's offset, so the offset is the amount captured.
  const off_t size = lseek(captured, 0, SEEK_CUR);
  if (size <= 0) return;
  if (std::uncaught_exceptions() == exceptions_at_start_) {
    std::string text(static_cast<std::size_t>(size), '\0');
    if (pread(captured, text.data(), text.size(), 0) == size) write_all(STDERR_FILENO, text);
  }
  clear_captured();
}

}  // namespace rehearse
