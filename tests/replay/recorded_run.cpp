#include "replay/recorded_run.hpp"

#include <fmt/format.h>

#include <cstring>
#include <stdexcept>

#include "base/processes.hpp"
#include "cluster/cluster.hpp"
#include "cluster_xml/xml_text.hpp"
#include "replay/replay.hpp"

namespace rehearse {
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
  const JobResult result = JobProcess([&] {
                             const std::vector<double> values = code();
                             return std::string(reinterpret_cast<const char*>(values.data()),
                                                values.size() * sizeof(double));
                           }).wait();
  if (result.end != JobEnd::kDone) throw std::runtime_error(result.text);
  std::vector<double> values(result.text.size() / sizeof(double));
  if (!values.empty()) std::memcpy(values.data(), result.text.data(), result.text.size());
  return values;
}

double makespan_in_child(const Programs& programs, const std::string& zone,
                         NetworkLevelName level) {
  return in_child([&] { return std::vector<double>{run(programs, zone, level).makespan.value}; })
      .front();
}

}  // namespace rehearse
