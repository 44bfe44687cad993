#include "replay/recorded_run.hpp"

#include <fmt/format.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <stdexcept>

#include "platform/cluster.hpp"
#include "platform/xml_text.hpp"
#include "replay/replay.hpp"

namespace rehearse {
namespace {

// 'v' and the values, or 'e' and the text of an exception.
std::string outcome_of(const std::function<std::vector<double>()>& code) {
  try {
    const std::vector<double> values = code();
    std::string text = "v";
    text.append(reinterpret_cast<const char*>(values.data()), values.size() * sizeof(double));
    return text;
  } catch (const std::exception& error) {
    return std::string("e") + error.what();
  }
}

std::string read_all(int file) {
  std::string text;
  char part[65536];
  ssize_t size = 0;
  while ((size = read(file, part, sizeof part)) > 0) text.append(part, static_cast<size_t>(size));
  return text;
}

}  // namespace

const Span& RecordedRun::of(Rank rank, int instruction, int step) const {
  const Span* found = nullptr;
  for (const Span& span : spans) {
    if (span.rank != rank || span.instruction != instruction || span.step != step) continue;
    if (found != nullptr) throw std::logic_error("an instruction was executed twice");
    found = &span;
  }
  if (found == nullptr) {
    throw std::logic_error(fmt::format("rank {} did not execute {}", rank, instruction));
  }
  return *found;
}

RecordedRun run(const Programs& programs, const std::string& zone, NetworkLevelName level) {
  const TemporaryXml file(zone);
  Cluster cluster = load_cluster(file.path());
  RecordedRun recorded;
  replay(programs, cluster, level, recorded);
  return recorded;
}

std::vector<double> in_child(const std::function<std::vector<double>()>& code) {
  int ends[2];
  if (pipe(ends) != 0) throw std::runtime_error(std::strerror(errno));
  std::fflush(nullptr);
  const pid_t child = fork();
  if (child < 0) throw std::runtime_error(std::strerror(errno));
  if (child == 0) {
    close(ends[0]);
    const std::string outcome = outcome_of(code);
    std::size_t sent = 0;
    while (sent < outcome.size()) {
      const ssize_t size = write(ends[1], outcome.data() + sent, outcome.size() - sent);
      if (size <= 0) _exit(1);
      sent += static_cast<std::size_t>(size);
    }
    _exit(0);
  }
  close(ends[1]);
  const std::string outcome = read_all(ends[0]);
  close(ends[0]);
  int status = 0;
  waitpid(child, &status, 0);
  if (status != 0 || outcome.empty()) throw std::runtime_error("the child process died");
  if (outcome[0] == 'e') throw std::runtime_error(outcome.substr(1));
  std::vector<double> values((outcome.size() - 1) / sizeof(double));
  std::memcpy(values.data(), outcome.data() + 1, outcome.size() - 1);
  return values;
}

double makespan_in_child(const Programs& programs, const std::string& zone,
                         NetworkLevelName level) {
  return in_child([&] { return std::vector<double>{run(programs, zone, level).makespan.value}; })
      .front();
}

}  // namespace rehearse
