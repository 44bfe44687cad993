// What a trace must obey to arrive whole in Perfetto, after its JSON importer
// (json_trace_parser.cc, json_trace_tokenizer.cc, flow_tracker.cc). The importer does not refuse a
// trace that breaks a rule: it drops the event or moves it aside, so only a check like this one
// notices.
//   X       those of one (pid, tid) nest, never overlap in part
//   s t f   flow identity is (id, cat, name); every one stands in an open slice of its thread; an
//           identity starts once, before its t and f, and has at least one of them; f has "bp":"e"
//   bind_id (flows on X): a direction; flow_out once per id and before its flow_in, of which there
//           is at least one
//   C       args are numbers, at least one
//   b n e   have an id; b and e of one (cat, id, name) balance
//   M       of a known name, with what it names
//   all     pid and tid are unsigned 32-bit; ts and dur are there and not negative
#pragma once

#include <string>
#include <vector>

#include "trace/imported_trace.hpp"

namespace rehearse {

// All violations of `trace`, those found on reading it included; empty for a good trace.
std::vector<std::string> check_importer_rules(const ImportedTrace& trace);

}  // namespace rehearse
