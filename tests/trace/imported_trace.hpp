// A Chrome trace as Perfetto's JSON importer reads it: the events with their fields brought to the
// importer's types, and what it would have refused or dropped on the way.
#pragma once

#include <cstdint>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

namespace rehearse {

struct ImportedEvent {
  char phase = 0;
  std::uint32_t pid = 0;
  std::uint32_t tid = 0;
  std::int64_t ts = 0;   // ns: llround(1000 x the number in the file)
  std::int64_t dur = 0;  // ns
  std::string name;
  std::string cat;
  std::string id;       // of async events and version-1 flows; empty: none
  std::string bind_id;  // of version-2 flows; empty: none
  bool flow_out = false;
  bool flow_in = false;
  bool binds_enclosing = false;  // "bp":"e"
  nlohmann::json args;
};

struct ImportedTrace {
  std::vector<ImportedEvent> events;  // in the order of the file
  nlohmann::json head;                // the container without traceEvents
  std::map<char, std::int64_t> events_by_phase;
  std::vector<std::string> violations;
};

// The text of a gzip file of exactly one member. Throws std::runtime_error for any other file.
// Decompressed by zlib, another implementation than the one that writes traces.
std::string read_gzip(const std::string& path);

// Throws std::runtime_error where `text` is not JSON at all. args are kept only of events for which
// `keep_args` is set or whose rules look at them (counters, metadata): a large trace is then
// checked in little memory.
ImportedTrace import_trace(const std::string& text, bool keep_args);

}  // namespace rehearse
