// Whole command lines, changed at random, each run as a process: whatever is typed and whatever
// stands in a file, the answer is yes (0), no (1) or a message (2), soon and with nothing
// half-written.
//   cli_mutations REHEARSE ROOT SEED RUNS [FIRST]     FIRST: the first run, to repeat one
// The lines are those of ROOT/tests/cli/cases/*/args. They run in a copy of the inputs, so that a
// changed word cannot write into the checkout; a changed file is changed there and put back. A run
// depends on SEED and its number alone. A finding is printed as shell commands that repeat it.
#include <fcntl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <random>
#include <sstream>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "inputs.hpp"

namespace {

namespace fs = std::filesystem;
using Clock = std::chrono::steady_clock;

constexpr auto kWallTime = std::chrono::seconds(10);
constexpr rlim_t kCpuSeconds = 10;
// Far more than the cases need, far less than what would hurt the machine.
constexpr rlim_t kAddresses = rlim_t{8} << 30U;
constexpr long kMostLines = 5;  // of a refusal, and of its tables
constexpr long kMostRows = 12;

// Inputs that the cases name, below ROOT.
constexpr const char* kInputs[] = {"README.md",
                                   "platforms",
                                   "traces",
                                   "workloads",
                                   "tests/cli",
                                   "tests/input/bad",
                                   "tests/cluster_xml/bad"};
// Commands that take --max-time.
constexpr std::string_view kTimed[] = {"run",     "check",      "compare", "show",
                                       "balance", "collective", "size",    "search"};

struct Outcome {
  int status = 0;  // of waitpid
  bool timed_out = false;
  std::string errors;
};

// Lines of text, and rows of tables, which are indented.
std::pair<long, long> lines_and_rows(const std::string& text) {
  long lines = 0;
  long rows = 0;
  std::istringstream all(text);
  for (std::string line; std::getline(all, line);) ++(line.starts_with("  ") ? rows : lines);
  return {lines, rows};
}

class Run {
 public:
  Run(std::string rehearse, fs::path root, fs::path scratch)
      : rehearse_(std::move(rehearse)), root_(std::move(root)), scratch_(std::move(scratch)) {
    for (const char* input : kInputs) {
      fs::create_directories((copy() / input).parent_path());
      fs::copy(root_ / input, copy() / input, fs::copy_options::recursive);
    }
    before_ = contents_of(copy());
  }

  fs::path out() const { return scratch_ / "out"; }

  // How many findings: 0 or 1.
  int mutate_and_run(const std::vector<Case>& cases, std::uint64_t seed, std::uint64_t number) {
    std::seed_seq both{seed, number};
    random_.seed(both);
    const Case& one = cases[below(cases.size())];
    Words words = one.words;
    how_ = "cd COPY_OF_THE_INPUTS; mkdir -p " + out().string() + "; ";
    do {
      if (below(4) == 0 && change_a_file(one)) break;
      change(words);
      if (below(3) == 0) change(words);
    } while (words == one.words);
    const bool timed = !words.empty() && std::ranges::count(kTimed, words[0]) > 0;
    if (timed && std::ranges::count(words, "--max-time") == 0) {
      words.insert(words.begin() + 1, {"--max-time", "2s"});
    }
    fs::remove_all(out());
    fs::create_directory(out());
    const Outcome outcome = start(words);
    std::string wrong = judge(outcome) + judge_files(outcome, words);
    if (wrong.empty()) return 0;
    how_ += "rehearse";
    for (const std::string& word : words) how_ += " " + quoted(word);
    std::printf("run %llu, %s:%s\n  %s\n  stderr: %s\n", static_cast<unsigned long long>(number),
                one.folder.c_str(), wrong.c_str(), how_.c_str(),
                outcome.errors.substr(0, 1000).c_str());
    return 1;
  }

 private:
  fs::path copy() const { return scratch_ / "root"; }
  std::size_t below(std::size_t end) { return static_cast<std::size_t>(random_() % end); }

  std::string extreme() {
    const Words extremes = {"0",
                            "-1",
                            "2147483647",
                            "99999999999999999999",
                            "1e308",
                            "nan",
                            "inf",
                            "",
                            "\xff\xfe",
                            "workloads",
                            "/dev/null",
                            "no/such/file",
                            std::string(kLongWord, 'a')};
    return extremes[below(extremes.size())];
  }

  void change(Words& words) {
    if (words.empty()) {
      words.push_back(extreme());
      return;
    }
    const std::size_t at = below(words.size());
    const auto there = words.begin() + static_cast<std::ptrdiff_t>(at);
    switch (below(5)) {
      case 0:
        words.erase(there);
        break;
      case 1:
        words.insert(there, std::string(*there));
        break;
      case 2:
        std::swap(words[at], words[below(words.size())]);
        break;
      default: {  // the value of FIELD=VALUE, or the word
        const auto equals = there->find('=');
        *there = equals == std::string::npos ? extreme() : there->substr(0, equals + 1) + extreme();
      }
    }
  }

  // Cuts one of the case's inputs or flips bits of one byte. False: it has none.
  bool change_a_file(const Case& one) {
    std::vector<fs::path> files;
    for (const auto& entry : fs::directory_iterator(copy() / one.folder)) {
      const std::string name = entry.path().filename();
      const bool of_the_case =
          name == "args" || name == "exit" || name == "why" || name.starts_with("std");
      if (entry.is_regular_file() && !of_the_case) files.push_back(entry.path());
    }
    std::ranges::sort(files);
    for (const std::string& word : one.words) {
      const fs::path path = copy() / word.substr(word.find('=') + 1);
      if (fs::is_regular_file(path) &&
          path.lexically_normal().string().starts_with(copy().string() + "/"))
        files.push_back(path);
    }
    if (files.empty()) return false;
    const fs::path& file = files[below(files.size())];
    std::string text = read_file(file);
    if (text.empty()) return false;
    const std::size_t at = below(text.size());
    const std::string name = quoted(file.lexically_normal().lexically_relative(copy()).string());
    if (below(2) == 0) {
      text.resize(at);
      how_ += "truncate -s " + std::to_string(at) + " " + name + "; ";
    } else {
      text[at] = static_cast<char>(static_cast<unsigned char>(text[at]) ^ (1 + below(255)));
      how_ += "printf %s " + quoted({text[at]}) + " | dd of=" + name +
              " bs=1 conv=notrunc seek=" + std::to_string(at) + "; ";
    }
    write_file(file, text);
    before_[file.lexically_normal().lexically_relative(copy()).string()] = state_of(file);
    changed_ = file;
    return true;
  }

  [[noreturn]] void become(const std::vector<char*>& arguments, const std::string& folder,
                           const std::string& errors) const {
    setpgid(0, 0);
    const rlimit cpu{kCpuSeconds, kCpuSeconds + 1};
    setrlimit(RLIMIT_CPU, &cpu);
#ifndef __SANITIZE_ADDRESS__  // which reserves terabytes of addresses
    const rlimit addresses{kAddresses, kAddresses};
    setrlimit(RLIMIT_AS, &addresses);
#endif
    const bool ready = chdir(folder.c_str()) == 0 && dup2(open("/dev/null", O_RDONLY), 0) == 0 &&
                       dup2(open("/dev/null", O_WRONLY), 1) == 1 &&
                       dup2(open(errors.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600), 2) == 2;
    if (ready) execv(rehearse_.c_str(), arguments.data());
    _exit(99);
  }

  Outcome start(Words words) const {
    std::string name = rehearse_;
    std::vector<char*> arguments = {name.data()};
    for (std::string& word : words) arguments.push_back(word.data());
    arguments.push_back(nullptr);
    const std::string folder = copy();
    const std::string errors = scratch_ / "stderr";
    const pid_t child = fork();
    if (child < 0) throw std::runtime_error("cannot fork");
    if (child == 0) become(arguments, folder, errors);
    Outcome outcome;
    const auto end = Clock::now() + kWallTime;
    while (waitpid(child, &outcome.status, WNOHANG) == 0) {
      if (Clock::now() > end) {
        outcome.timed_out = true;
        kill(-child, SIGKILL);
        waitpid(child, &outcome.status, 0);
        break;
      }
      std::this_thread::sleep_for(std::chrono::milliseconds(2));
    }
    outcome.errors = read_file(errors);
    return outcome;
  }

  static std::string judge(const Outcome& outcome) {
    if (outcome.timed_out) return " no answer after 10 s;";
    if (WIFSIGNALED(outcome.status))
      return " signal " + std::to_string(WTERMSIG(outcome.status)) + ";";
    const int code = WEXITSTATUS(outcome.status);
    if (code > 2) return " exit code " + std::to_string(code) + ";";
    for (const char* crash :
         {"backtrace", "Backtrace", "Aborted", "Segmentation", "terminate called"}) {
      if (outcome.errors.find(crash) != std::string::npos) return " stderr shows a crash;";
    }
    if (code < 2) return {};
    if (outcome.errors.find("error:") == std::string::npos)
      return " exit code 2 without \"error:\";";
    const auto [lines, rows] = lines_and_rows(outcome.errors);
    return lines <= kMostLines && rows <= kMostRows
               ? ""
               : " a refusal of " + std::to_string(lines) + " lines and " + std::to_string(rows) +
                     " rows;";
  }

  // Does a word, or its part after "=", name PATH or a folder above it?
  static bool named(const std::string& path, const Words& words) {
    return std::ranges::any_of(words, [&](const std::string& word) {
      const std::string name =
          fs::path(word.substr(word.find('=') + 1)).lexically_normal().string();
      // A folder that was made for NAME counts, too.
      return !name.empty() &&
             ((path + "/").starts_with(name + "/") || name.starts_with(path + "/"));
    });
  }

  std::string judge_files(const Outcome& outcome, const Words& words) {
    const bool refused =
        !outcome.timed_out && WIFEXITED(outcome.status) && WEXITSTATUS(outcome.status) >= 2;
    std::string wrong;
    for (const auto& entry : fs::recursive_directory_iterator(out())) {
      const bool partial = entry.path().filename().string().find(".partial") != std::string::npos;
      if (entry.is_regular_file() && (refused || partial))
        wrong += " left " + entry.path().string() + ";";
    }
    const Contents after = contents_of(copy());
    for (const auto& [path, state] : after) {
      const auto was = before_.find(path);
      if (was != before_.end() && was->second == state) continue;
      const bool is_file = fs::is_regular_file(copy() / path);
      if (!named(path, words) || (refused && is_file)) wrong += " wrote " + path + ";";
    }
    for (const auto& [path, state] : before_) {
      if (!after.contains(path)) wrong += " removed " + path + ";";
    }
    if (after != before_ || !changed_.empty()) restore(after);
    return wrong;
  }

  // Puts back what differs from the checkout.
  void restore(const Contents& after) {
    for (const auto& [path, state] : after) {
      if (!before_.contains(path)) fs::remove_all(copy() / path);
    }
    for (auto& [path, state] : before_) {
      const auto is = after.find(path);
      const bool same = is != after.end() && is->second == state && copy() / path != changed_;
      if (same) continue;
      fs::copy(root_ / path, copy() / path, fs::copy_options::overwrite_existing);
      state = state_of(copy() / path);
    }
    changed_.clear();
  }

  std::string rehearse_;
  fs::path root_;
  fs::path scratch_;
  Contents before_;
  fs::path changed_;
  std::string how_;
  std::mt19937_64 random_;
};

int mutations(const Words& arguments) {
  if (arguments.size() < 5)
    throw std::runtime_error("usage: cli_mutations REHEARSE ROOT SEED RUNS [FIRST]");
  const fs::path root = fs::canonical(arguments[2]);
  const std::uint64_t seed = std::stoull(arguments[3]);
  const std::uint64_t runs = std::stoull(arguments[4]);
  const std::uint64_t first = arguments.size() > 5 ? std::stoull(arguments[5]) : 0;
  std::string scratch = fs::temp_directory_path() / "cli_mutations.XXXXXX";
  if (mkdtemp(scratch.data()) == nullptr) throw std::runtime_error("cannot make " + scratch);

  Run run(fs::canonical(arguments[1]), root, scratch);
  std::size_t left_out = 0;
  const std::vector<Case> cases = read_cases(root, run.out(), left_out);
  if (cases.empty() || runs == 0) throw std::runtime_error("nothing to mutate");
  int findings = 0;
  for (std::uint64_t i = first; i < first + runs; ++i)
    findings += run.mutate_and_run(cases, seed, i);
  fs::remove_all(scratch);
  std::printf("%llu mutations of %zu command lines (%zu left out: long), seed %llu: %d findings\n",
              static_cast<unsigned long long>(runs), cases.size(), left_out,
              static_cast<unsigned long long>(seed), findings);
  return findings == 0 ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
  try {
    return mutations({argv, argv + argc});
  } catch (const std::exception& error) {
    std::fprintf(stderr, "cli_mutations: error: %s\n", error.what());
    return 2;
  }
}
