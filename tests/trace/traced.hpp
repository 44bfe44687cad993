// What a reader gets of a trace.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <iterator>
#include <string>
#include <vector>

#include "trace/importer_rules.hpp"
#include "trace/scratch_file.hpp"
#include "trace/small_runs.hpp"

namespace rehearse {

using Events = std::vector<ImportedEvent>;

// What a reader gets of the run, after the importer's rules have been checked.
inline ImportedTrace traced(const Programs& programs, const Facts& facts,
                            TraceOptions options = {}) {
  const ScratchDirectory scratch;
  options.path = scratch.file("trace.json.gz");
  write_trace(programs, facts, options);
  ImportedTrace trace = import_trace(read_gzip(options.path), /*keep_args=*/true);
  for (const std::string& violation : check_importer_rules(trace)) ADD_FAILURE() << violation;
  return trace;
}

inline Events of_phase(const ImportedTrace& trace, char phase) {
  Events events;
  std::copy_if(trace.events.begin(), trace.events.end(), std::back_inserter(events),
               [phase](const ImportedEvent& event) { return event.phase == phase; });
  return events;
}

// Its args, as text; "none": there is no such event.
inline std::string metadata(const ImportedTrace& trace, const std::string& name, std::uint32_t pid,
                            std::uint32_t tid) {
  for (const ImportedEvent& event : of_phase(trace, 'M')) {
    if (event.name == name && event.pid == pid && event.tid == tid) return event.args.dump();
  }
  return "none";
}

// "1s" is 1e9 ns; the tests below read better in whole us.
constexpr double kUs = 1e-6;

}  // namespace rehearse
