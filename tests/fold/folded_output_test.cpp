// Trace, page and result of a folded run say what those of the unfolded one do: copies of ranks
// under their own numbers, in their own groups, with their own requests.
#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <cmath>
#include <map>
#include <tuple>
#include <utility>
#include <vector>

#include "base/output_file.hpp"
#include "cluster_xml/xml_text.hpp"
#include "fold/equal_replicas.hpp"
#include "html/run_page.hpp"
#include "html/run_recorder.hpp"
#include "metrics/result_json.hpp"
#include "replay/recorded_run.hpp"
#include "simulation/simulation.hpp"
#include "timeline/several_sinks.hpp"
#include "trace/chrome_trace.hpp"
#include "trace/imported_trace.hpp"
#include "trace/scratch_file.hpp"

namespace rehearse {
namespace {

using Json = nlohmann::json;

struct Output {
  double folded_replicas = 0;
  ImportedTrace trace;
  Json page;
  Json result;
  std::string facts;
};

Json data_of_page(const std::string& page) {
  const std::string mark = "id=\"data\">";
  const std::size_t begin = page.find(mark) + mark.size();
  return Json::parse(page.substr(begin, page.find("</script>", begin) - begin));
}

Output output_of(const RandomPlan& drawn, const std::string& zone, bool fold,
                 const std::vector<RankRange>& shown) {
  const ScratchDirectory scratch;
  const std::vector<double> returned = in_child([&] {
    const TemporaryXml platform(zone);
    Plan plan = drawn.plan;
    plan.platform_path = platform.path();
    TraceOptions trace_options;
    trace_options.path = scratch.file("trace");
    trace_options.ranks = shown;
    ChromeTrace trace(trace_options);
    RunRecorder recorder;
    SeveralSinks sinks;
    sinks.add(&trace);
    sinks.add(&recorder);
    SimulationOptions options;
    options.memory_limit = Bytes{1e10};
    options.fold = fold;
    options.facts = true;
    options.timeline = &sinks;
    const Simulation simulation = simulate(plan, drawn.model, options);
    const std::string result = result_json({}, simulation.metrics);
    write_file(scratch.file("page"), run_page("page", result, recorder));
    write_file(scratch.file("result"), result);
    write_file(scratch.file("facts"), simulation.facts);
    return std::vector<double>{static_cast<double>(simulation.metrics.folded_replicas)};
  });
  return {returned[0], import_trace(read_gzip(scratch.file("trace")), /*keep_args=*/true),
          data_of_page(bytes_of(scratch.file("page"))),
          Json::parse(bytes_of(scratch.file("result"))), bytes_of(scratch.file("facts"))};
}

// Where numbers differ by more than rounding, and anything else at all; empty: nowhere.
std::string difference(const Json& a, const Json& b, const std::string& where) {
  if (a.is_number() && b.is_number()) {
    const double x = a.get<double>();
    const double y = b.get<double>();
    // Times have three decimals in a trace: dates that differ by rounding may print 1 ns apart.
    const bool near = std::abs(x - y) <= 1e-9 * std::max(std::abs(x), std::abs(y)) + 1e-15 ||
                      (where.ends_with("_us") && std::abs(x - y) < 1.5e-3);
    return near ? "" : where + ": " + a.dump() + " and " + b.dump();
  }
  if (a.type() != b.type() || a.size() != b.size() || !a.is_structured()) {
    return a == b ? "" : where + ": " + a.dump().substr(0, 200) + " and " + b.dump().substr(0, 200);
  }
  for (auto at = a.begin(), other = b.begin(); at != a.end(); ++at, ++other) {
    std::string path = where;
    if (a.is_object()) {
      if (at.key() != other.key()) return where + ": " + at.key() + " and " + other.key();
      path += "/" + at.key();
    }
    std::string found = difference(*at, *other, path);
    if (!found.empty()) return found;
  }
  return "";
}

// Those of a thread in their order, which between threads is nobody's business; flows by where they
// begin and end, as their numbers are any that differ.
struct Events {
  std::map<std::pair<std::uint32_t, std::uint32_t>, std::vector<ImportedEvent>> threads;
  std::vector<std::vector<std::tuple<std::uint32_t, std::uint32_t, std::size_t, bool>>> flows;
  std::map<std::tuple<char, std::string, std::uint32_t, std::string>, std::vector<ImportedEvent>>
      others;
};

Events sorted(const ImportedTrace& trace) {
  Events events;
  std::map<std::string, std::vector<std::tuple<std::uint32_t, std::uint32_t, std::size_t, bool>>>
      flows;
  for (const ImportedEvent& event : trace.events) {
    if (event.phase != 'X') {
      events.others[{event.phase, event.name, event.pid, event.id}].push_back(event);
      continue;
    }
    std::vector<ImportedEvent>& thread = events.threads[{event.pid, event.tid}];
    if (!event.bind_id.empty()) {
      flows[event.bind_id].emplace_back(event.pid, event.tid, thread.size(), event.flow_out);
    }
    thread.push_back(event);
  }
  for (auto& [id, ends] : flows) {
    std::sort(ends.begin(), ends.end());
    events.flows.push_back(ends);
  }
  std::sort(events.flows.begin(), events.flows.end());
  return events;
}

template <class Key>
std::string difference(const std::map<Key, std::vector<ImportedEvent>>& a,
                       const std::map<Key, std::vector<ImportedEvent>>& b) {
  if (a.size() != b.size()) return "other threads or counters";
  for (auto [at, other] = std::pair(a.begin(), b.begin()); at != a.end(); ++at, ++other) {
    if (at->first != other->first) return "other names of threads or counters";
    if (at->second.size() != other->second.size()) return "another number of events";
    for (std::size_t i = 0; i < at->second.size(); ++i) {
      const ImportedEvent& x = at->second[i];
      const ImportedEvent& y = other->second[i];
      const bool same = x.name == y.name && x.cat == y.cat && x.tid == y.tid && x.id == y.id &&
                        std::abs(x.ts - y.ts) <= 1 && std::abs(x.dur - y.dur) <= 2;
      if (!same) return "event " + x.name + " of " + std::to_string(x.pid);
      std::string found = difference(x.args, y.args, x.name);
      if (!found.empty()) return found;
    }
  }
  return "";
}

std::string difference(const ImportedTrace& a, const ImportedTrace& b) {
  if (a.head != b.head) return "the head";
  const Events x = sorted(a);
  const Events y = sorted(b);
  std::string found = difference(x.threads, y.threads);
  if (found.empty()) found = difference(x.others, y.others);
  if (found.empty() && x.flows != y.flows) found = "the flows";
  return found;
}

// What may come in any order where it is equal up to rounding, by its name.
Json by_name(const Json& list, const char* name) {
  Json sorted = Json::object();
  for (const Json& each : list) sorted[each[name].get<std::string>()] = each;
  return sorted;
}

// The page with each row's series in its place, and what says which run was folded left out.
Json comparable_page(Json page) {
  for (const auto& [group, rows] : {std::pair("slices", "tracks"), std::pair("memory", "ranks")}) {
    Json& each = page[group];
    for (Json& row : each[rows])
      row = each["series"][row.get<std::size_t>()].get<std::string>().size();
    each.erase("series");
  }
  page.erase("alike_replicas");
  // Which of several that are equally busy have a line over time is open.
  for (Json& link : page["links"]["busiest"]) link.erase("over_time");
  page["links"]["busiest"] = by_name(page["links"]["busiest"], "name");
  page["result"]["operators"] = by_name(page["result"]["operators"], "operator");
  return page;
}

TEST(FoldProperty, OutputsOfFoldedAndUnfoldedRunsAgree) {
  int folded = 0;
  int tried = 0;
  EXPECT_TRUE(rc::check("trace, page, result and facts show every rank", [&] {
    const RandomPlan drawn = draw_plan_of_equal_replicas();
    RC_PRE(drawn.plan.layout.data > 1);
    const std::string& zone = draw_zone();
    const int last = drawn.plan.layout.gpus() - 1;
    const int from = *rc::gen::inRange(0, last + 1);
    const std::vector<RankRange> shown = {{0, 0, {}}, {from, last, {}}};
    const Output with = output_of(drawn, zone, true, shown);
    const Output without = output_of(drawn, zone, false, shown);
    ++tried;
    folded += with.folded_replicas > 1 ? 1 : 0;
    const auto check = [&](const std::string& what, const std::string& found) {
      if (!found.empty()) RC_FAIL(what + ": " + found + ", " + drawn.text());
    };
    check("trace", difference(with.trace, without.trace));
    check("page", difference(comparable_page(with.page), comparable_page(without.page), ""));
    if (with.facts != without.facts) RC_FAIL("facts, " + drawn.text());
  }));
  // The law is about nothing when no run is folded.
  EXPECT_GT(folded, tried / 10);
}

}  // namespace
}  // namespace rehearse
