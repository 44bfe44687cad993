// What a signal must do is done in its handler, because a simulation returns to nobody for minutes:
// remove the names in a list, write one line, _exit. The list is changed only while signals are
// held, so a handler finds it whole.
#include "base/interrupts.hpp"

#include <sys/prctl.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <string_view>

namespace rehearse {
namespace {

constexpr std::array kEnds = {SIGINT, SIGTERM, SIGHUP};
constexpr std::array kCrashes = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT};
constexpr std::array kAllHandled = {SIGINT, SIGTERM, SIGHUP, SIGPIPE, SIGSEGV,
                                    SIGBUS, SIGFPE,  SIGILL, SIGABRT};
constexpr int kOurBug = 3;

std::list<std::string>& temporary_names() {
  static std::list<std::string> names;
  return names;
}

pid_t owner = 0;  // of the names: not a child of it
volatile std::sig_atomic_t waits_for_request = 0;
volatile std::sig_atomic_t requested = 0;

void say(std::string_view text) {
  // Nobody is left to tell when stderr is gone.
  [[maybe_unused]] const ssize_t ignored = write(STDERR_FILENO, text.data(), text.size());
}

void remove_temporary_files() {
  if (getpid() != owner) return;
  for (const std::string& each : temporary_names()) unlink(each.c_str());
}

// Over whatever progress line stands on a terminal.
void begin_line() {
  if (isatty(STDERR_FILENO) == 1) say("\r\033[K");
}

extern "C" void on_end(int) {
  if (waits_for_request != 0 && requested == 0) {
    requested = 1;
    return;
  }
  remove_temporary_files();
  begin_line();
  say("rehearse: interrupted: the result is lost, and no file of it is left\n");
  _exit(kInterrupted);
}

extern "C" void on_broken_pipe(int signal) {
  remove_temporary_files();
  std::signal(signal, SIG_DFL);
  raise(signal);
}

extern "C" void on_crash_of_ours(int signal) {
  remove_temporary_files();
  begin_line();
  say("rehearse: internal error, please report it: ");
  say(signal == SIGABRT   ? "it aborted (SIGABRT)\n"
      : signal == SIGFPE  ? "it divided by zero (SIGFPE)\n"
      : signal == SIGSEGV ? "it crashed (SIGSEGV)\n"
                          : "it crashed (SIGBUS or SIGILL)\n");
  _exit(kOurBug);
}

sigset_t held_signals() {
  sigset_t set;
  sigemptyset(&set);
  for (const int signal : kEnds) sigaddset(&set, signal);
  sigaddset(&set, SIGPIPE);
  return set;
}

void handle(int signal, void (*handler)(int), int flags) {
  struct sigaction action = {};
  action.sa_handler = handler;
  action.sa_flags = flags;
  action.sa_mask = held_signals();
  sigaction(signal, &action, nullptr);
}

#if defined(__SANITIZE_ADDRESS__)
constexpr bool kSanitizerTellsCrashes = true;
#else
constexpr bool kSanitizerTellsCrashes = false;
#endif

}  // namespace

void catch_signals() {
  owner = getpid();
  temporary_names();  // made before any handler looks
  for (const int signal : kEnds) {
    struct sigaction now = {};
    sigaction(signal, nullptr, &now);
    // SIGINT and SIGTERM are caught even where a shell ignores them for commands in the background.
    if (signal == SIGHUP && now.sa_handler == SIG_IGN) continue;
    handle(signal, on_end, 0);
  }
  handle(SIGPIPE, on_broken_pipe, 0);
  std::signal(SIGXFSZ, SIG_IGN);
  if (kSanitizerTellsCrashes) return;
  // A stack that overflows has no room for a handler.
  static std::array<char, 64 << 10> stack;
  stack_t alternate = {};
  alternate.ss_sp = stack.data();
  alternate.ss_size = stack.size();
  sigaltstack(&alternate, nullptr);
  for (const int signal : kCrashes) handle(signal, on_crash_of_ours, SA_ONSTACK | SA_RESETHAND);
}

SignalsHeld::SignalsHeld() {
  const sigset_t set = held_signals();
  sigprocmask(SIG_BLOCK, &set, &before_);
}

SignalsHeld::~SignalsHeld() { sigprocmask(SIG_SETMASK, &before_, nullptr); }

HandlersKept::HandlersKept() {
  for (const int signal : kAllHandled) sigaction(signal, nullptr, &before_.emplace_back());
}

HandlersKept::~HandlersKept() {
  std::size_t at = 0;
  for (const int signal : kAllHandled) sigaction(signal, &before_[at++], nullptr);
}

TemporaryName::TemporaryName(const std::string& path) {
  const SignalsHeld held;
  place_ = temporary_names().insert(temporary_names().end(), path);
}

TemporaryName::~TemporaryName() {
  const SignalsHeld held;
  temporary_names().erase(place_);
}

StopRequest::StopRequest() {
  requested = 0;
  waits_for_request = 1;
}

StopRequest::~StopRequest() { waits_for_request = 0; }

bool StopRequest::made() const { return requested != 0; }

void become_child_of(pid_t parent) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (getppid() != parent) _exit(kInterrupted);  // it ended before the line above
  for (const int signal : kEnds) std::signal(signal, SIG_IGN);
  std::signal(SIGPIPE, SIG_DFL);
  for (const int signal : kCrashes) std::signal(signal, SIG_DFL);
}

}  // namespace rehearse
