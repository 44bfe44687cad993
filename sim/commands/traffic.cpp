// A trace in a few lines: how many requests come how fast and how evenly, how long they are, and
// how much of their prompts a prefix cache could save at most.
#include "commands/traffic.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <nlohmann/json.hpp>
#include <unordered_set>

#include "base/files.hpp"
#include "base/units.hpp"
#include "input/input.hpp"

namespace rehearse {
namespace {

constexpr int kSpans = 10;

double variation_of(const std::vector<double>& values) {
  if (values.empty()) return 0;
  double sum = 0;
  double squares = 0;
  for (const double value : values) sum += value;
  const double mean = sum / static_cast<double>(values.size());
  for (const double value : values) squares += (value - mean) * (value - mean);
  return mean > 0 ? std::sqrt(squares / static_cast<double>(values.size())) / mean : 0;
}

std::vector<TrafficSpan> spans_of(const std::vector<Request>& requests, Seconds duration) {
  std::vector<TrafficSpan> spans;
  if (duration.value <= 0) return spans;
  for (int at = 0; at < kSpans; ++at) {
    spans.push_back({duration * (at / static_cast<double>(kSpans)),
                     duration * ((at + 1) / static_cast<double>(kSpans)), 0});
  }
  for (const Request& request : requests) {
    if (request.after >= 0) continue;
    const double place = request.arrival.value / duration.value * kSpans;
    ++spans[std::min(kSpans - 1, static_cast<int>(place))].requests;
  }
  return spans;
}

// A block counts where all before it do.
std::optional<double> reusable_share_of(const RequestTrace& trace) {
  if (trace.block_tokens == 0) return std::nullopt;
  std::unordered_set<std::int64_t> known;
  double reusable = 0;
  double all = 0;
  for (const Request& request : trace.requests) {
    const double prompt = request.prompt_tokens;
    double found = 0;
    bool follows = true;
    for (const std::int64_t block : request.blocks) {
      follows = follows && known.contains(block);
      if (follows) found += trace.block_tokens;
    }
    known.insert(request.blocks.begin(), request.blocks.end());
    reusable += std::min(found, prompt);
    all += prompt;
  }
  return reusable / all;
}

std::string lengths_text(const char* name, const Distribution& lengths) {
  return fmt::format("{:<14} mean {:.0f}, p50 {:.0f}, p90 {:.0f}, p99 {:.0f}, max {:.0f} tokens\n",
                     name, lengths.mean, lengths.p50, lengths.p90, lengths.p99, lengths.max);
}

nlohmann::ordered_json lengths_json(const Distribution& lengths) {
  return {{"mean", lengths.mean},
          {"p50", lengths.p50},
          {"p90", lengths.p90},
          {"p99", lengths.p99},
          {"max", lengths.max}};
}

void add_lengths(const std::string& name, const Distribution& lengths, NamedCells& row) {
  for (const auto& [part, value] :
       {std::pair{".mean", lengths.mean}, std::pair{".p50", lengths.p50},
        std::pair{".p90", lengths.p90}, std::pair{".p99", lengths.p99},
        std::pair{".max", lengths.max}}) {
    row.emplace_back(column_of_path(name + part), value);
  }
}

double rate_of(const TrafficSpan& span) {
  return static_cast<double>(span.requests) / (span.end - span.begin).value;
}

// "2000 in 3.1 s: 650 per second", "2000 in a closed loop, 64 at a time"
std::string amount_text(const TrafficSummary& traffic) {
  const bool turns = traffic.sessions < traffic.requests;
  std::string text = fmt::format("requests       {}", traffic.requests);
  if (turns) text += fmt::format(" of {} sessions", traffic.sessions);
  if (traffic.concurrency > 0) {
    return text + fmt::format(" in a closed loop, {} {}at a time\n", traffic.concurrency,
                              turns ? "sessions " : "");
  }
  text += fmt::format("{} in {}", turns ? ", which begin" : "", to_text(traffic.duration));
  if (traffic.rate > 0) text += fmt::format(": {:.3g} per second", traffic.rate);
  return text + "\n";
}

// By its name; of a pipe, whose name says nothing, by how it begins: "name: ..." or "serve {",
// where a trace has columns or JSON.
bool is_plan(const std::string& path) {
  if (!is_descriptor(path)) return path.ends_with(".textproto");
  std::ifstream text(path);
  std::string line;
  while (std::getline(text, line)) {
    const std::size_t word = line.find_first_not_of(" \t\r");
    if (word == std::string::npos || line[word] == '#') continue;
    const std::size_t end = line.find_first_not_of("abcdefghijklmnopqrstuvwxyz_", word);
    const std::size_t mark = line.find_first_not_of(" \t", end);
    return end > word && mark != std::string::npos && (line[mark] == ':' || line[mark] == '{');
  }
  return false;
}

}  // namespace

TrafficSummary summarize(const RequestTrace& trace, int concurrency) {
  const std::vector<Request>& requests = trace.requests;
  TrafficSummary traffic;
  traffic.format = trace.format;
  traffic.requests = static_cast<long>(requests.size());
  traffic.concurrency = concurrency;
  traffic.failed = trace.failed;
  traffic.duration = requests.back().arrival;
  traffic.dates = 1;
  std::vector<double> gaps;
  std::vector<double> prompts;
  std::vector<double> outputs;
  Seconds before;
  for (const Request& request : requests) {
    prompts.push_back(request.prompt_tokens);
    outputs.push_back(request.output_tokens);
    if (request.after >= 0) continue;
    if (++traffic.sessions > 1) gaps.push_back((request.arrival - before).value);
    if (traffic.sessions > 1 && gaps.back() > 0) ++traffic.dates;
    before = request.arrival;
  }
  if (traffic.duration.value > 0) {
    traffic.rate = static_cast<double>(gaps.size()) / traffic.duration.value;
  }
  traffic.gap_variation = variation_of(gaps);
  traffic.spans = spans_of(requests, traffic.duration);
  traffic.prompt_tokens = distribution_of(std::move(prompts));
  traffic.output_tokens = distribution_of(std::move(outputs));
  traffic.reusable_share = reusable_share_of(trace);
  return traffic;
}

TrafficSummary traffic_of(const std::string& path) {
  if (!is_plan(path)) return summarize(read_request_trace(path));
  PlanRequest request;
  request.path = path;
  const Plan read = read_plan(request);
  if (!read.serve) {
    throw InputError({path, 1, 1},
                     "the plan has no serve { traffic { } }: its requests are "
                     "all there at time 0");
  }
  if (!read.serve->law) return summarize(read_request_trace(read.serve->trace_path));
  RequestTrace drawn;
  drawn.format = "drawn by the plan's law";
  drawn.requests = read.serve->requests;
  const bool has_blocks = std::any_of(drawn.requests.begin(), drawn.requests.end(),
                                      [](const Request& each) { return !each.blocks.empty(); });
  if (has_blocks) drawn.block_tokens = read.serve->block_tokens;
  return summarize(drawn, read.serve->concurrency);
}

std::string traffic_text(const std::string& path, const TrafficSummary& traffic) {
  std::string text = fmt::format("trace          {} ({})\n", path, traffic.format);
  text += amount_text(traffic);
  if (traffic.failed > 0) {
    text += fmt::format("left out       {} without an output token: they failed\n", traffic.failed);
  }
  if (!traffic.spans.empty()) {
    const auto [least, most] =
        std::minmax_element(traffic.spans.begin(), traffic.spans.end(),
                            [](const auto& a, const auto& b) { return a.requests < b.requests; });
    text +=
        fmt::format("arrivals       {:.3g} to {:.3g} per second in {} spans of {}\n",
                    rate_of(*least), rate_of(*most), kSpans, to_text(traffic.spans.front().end));
    text += fmt::format(
        "               {} different dates; gaps vary by {:.3g} of their mean (1: a Poisson "
        "process)\n",
        traffic.dates, traffic.gap_variation);
  }
  text += lengths_text("prompt", traffic.prompt_tokens);
  text += lengths_text("output", traffic.output_tokens);
  text += traffic.reusable_share
              ? fmt::format(
                    "prefixes       {:.1f} % of the prompt tokens stand in leading blocks "
                    "that an earlier request had, too\n",
                    100 * *traffic.reusable_share)
              : "prefixes       the trace says nothing of shared ones\n";
  return text;
}

Table traffic_rows(const TrafficSummary& traffic) {
  NamedCells all = {
      {"row", std::string("all")},
      {"begin_s", 0.0},
      {"end_s", traffic.duration.value},
      {"requests", std::int64_t{traffic.requests}},
      {"request_rate_per_s", cell_if(traffic.rate > 0, traffic.rate)},
      {"sessions", std::int64_t{traffic.sessions}},
      {"concurrency", cell_if(traffic.concurrency > 0, std::int64_t{traffic.concurrency})},
      {"failed", std::int64_t{traffic.failed}},
      {"dates", std::int64_t{traffic.dates}},
      {"gap_variation", cell_if(traffic.rate > 0, traffic.gap_variation)}};
  add_lengths("prompt_tokens", traffic.prompt_tokens, all);
  add_lengths("output_tokens", traffic.output_tokens, all);
  all.emplace_back("prefix_reusable_fraction", cell_of(traffic.reusable_share));
  Table table;
  table.add(all);
  for (const TrafficSpan& each : traffic.spans) {
    table.add({{"row", std::string("span")},
               {"begin_s", each.begin.value},
               {"end_s", each.end.value},
               {"requests", std::int64_t{each.requests}},
               {"request_rate_per_s", rate_of(each)}});
  }
  return table;
}

std::string traffic_json(const TrafficSummary& traffic) {
  nlohmann::ordered_json json = {{"format", traffic.format},
                                 {"requests", traffic.requests},
                                 {"failed", traffic.failed},
                                 {"duration_s", traffic.duration.value}};
  if (traffic.sessions < traffic.requests) json["sessions"] = traffic.sessions;
  if (traffic.concurrency > 0) json["concurrency"] = traffic.concurrency;
  if (traffic.rate > 0) {
    json["request_rate"] = traffic.rate;
    json["gap_variation"] = traffic.gap_variation;
  }
  json["dates"] = traffic.dates;
  json["spans"] = nlohmann::ordered_json::array();
  for (const TrafficSpan& each : traffic.spans) {
    json["spans"].push_back({{"begin_s", each.begin.value},
                             {"end_s", each.end.value},
                             {"requests", each.requests},
                             {"request_rate", rate_of(each)}});
  }
  json["prompt_tokens"] = lengths_json(traffic.prompt_tokens);
  json["output_tokens"] = lengths_json(traffic.output_tokens);
  if (traffic.reusable_share) json["prefix_reusable_fraction"] = *traffic.reusable_share;
  return json.dump(2) + "\n";
}

}  // namespace rehearse
