#include "input/traffic_fields.hpp"

#include <fmt/format.h>

#include <charconv>
#include <stdexcept>
#include <string>
#include <utility>

#include "base/utf8.hpp"
#include "input/field_checks.hpp"
#include "input/textproto.hpp"

namespace rehearse {
namespace {

constexpr const char* kTraffic = "serve.traffic";

std::string of_traffic(const char* field) { return fmt::format("{}.{}", kTraffic, field); }

LengthLaw lengths_of(const proto::RequestLengths& written, const std::string& field,
                     const FieldLocations& where) {
  constexpr double kLargestVariation = 1000;
  const int laws = static_cast<int>(written.has_range()) + static_cast<int>(written.has_least()) +
                   static_cast<int>(written.has_variation()) + static_cast<int>(written.has_file());
  if (laws > 1) refuse_field(where, field, ": one of range, least, variation and file at most");
  LengthLaw law;
  law.file = written.file();
  if (written.has_file() && written.has_tokens()) {
    refuse_field(where, field + ".tokens", ": the file has the lengths");
  }
  if (!written.has_file()) require_field(written, field, "tokens", where);
  if (written.has_tokens()) law.tokens = written.tokens();
  if (written.has_range()) {
    law.range = written.range();
    check_between(0, *law.range, 1, false, field + ".range", where);
  }
  if (written.has_least()) {
    law.least = written.least();
    check_between(0, *law.least, 1, true, field + ".least", where);
  }
  if (written.has_variation()) {
    law.variation = written.variation();
    check_between(0, *law.variation, kLargestVariation, true, field + ".variation", where);
  }
  return law;
}

void take_gaps(const proto::Traffic& written, const FieldLocations& where, TrafficLaw& law) {
  constexpr double kLargestVariation = 100;
  const std::string field = of_traffic("variation");
  law.process = static_cast<ArrivalProcess>(written.process());
  const bool gamma = law.process == ArrivalProcess::kGamma;
  if (gamma != written.has_variation()) {
    refuse_field(where, field,
                 gamma ? " is missing: gaps of a gamma process need it"
                       : ": only gaps of a gamma process vary by it");
  }
  if (!gamma) return;
  law.variation = written.variation();
  check_between(0, law.variation, kLargestVariation, true, field, where);
}

// How many requests a rate brings, or a closed loop.
void take_amount(const proto::Traffic& written, const FieldLocations& where, TrafficLaw& law) {
  const bool closed = written.has_concurrency();
  if (closed && written.has_duration()) {
    refuse_field(where, of_traffic("duration"),
                 ": with a concurrency requests come as others end: say how many, requests");
  }
  if (closed) require_field(written, kTraffic, "requests", where);
  if (written.has_requests() == written.has_duration()) {
    refuse_field(where, of_traffic("requests"),
                 written.has_requests()
                     ? ": there is a duration, too: one of both"
                     : " is missing, and so is duration: how much traffic is there?");
  }
  law.requests = written.requests();
  if (written.has_duration()) {
    law.duration = time_of(written.duration(), of_traffic("duration"), where);
  }
}

void take_arrivals(const proto::Traffic& written, const FieldLocations& where, TrafficLaw& law) {
  if (written.has_rate()) {
    try {
      law.rate = parse_request_rate(written.rate());
    } catch (const std::invalid_argument& error) {
      refuse_field(where, of_traffic("rate"), fmt::format(" = {}", error.what()));
    }
    take_gaps(written, where, law);
    return;
  }
  for (const auto& [field, given] :
       {std::pair{"process", written.has_process()}, {"variation", written.has_variation()}}) {
    if (given) {
      refuse_field(where, of_traffic(field),
                   ": with a concurrency requests come as others end, not by gaps");
    }
  }
}

void take_turns(const proto::Traffic& written, const FieldLocations& where, TrafficLaw& law) {
  if (written.has_turns()) law.turns = written.turns();
  if (!written.has_think()) return;
  if (law.turns == 1) {
    refuse_field(where, of_traffic("think"), ": is between the turns of a session, and turns = 1");
  }
  law.think = seconds_of(written.think(), of_traffic("think"), where);
  if (law.think * (law.turns - 1) <= kLongestServed) return;
  refuse_field(where, of_traffic("think"),
               fmt::format(" = \"{}\": {} turns would be further apart than {}s",
                           shortened(written.think()), law.turns, kLongestServed.value));
}

TrafficLaw law_of(const proto::Traffic& written, const FieldLocations& where) {
  TrafficLaw law;
  take_arrivals(written, where, law);
  take_amount(written, where, law);
  for (const char* lengths : {"prompt", "output"}) {
    require_field(written, kTraffic, lengths, where);
  }
  law.prompt = lengths_of(written.prompt(), of_traffic("prompt"), where);
  law.output = lengths_of(written.output(), of_traffic("output"), where);
  if (written.has_prefix()) {
    require_field(written.prefix(), of_traffic("prefix"), "tokens", where);
    law.prefix = SharedPrefix{written.prefix().tokens(), 1};
    if (written.prefix().has_groups()) law.prefix->groups = written.prefix().groups();
  }
  take_turns(written, where, law);
  return law;
}

// Exactly one of the three.
void check_source(const proto::Traffic& written, const FieldLocations& where) {
  const char* first = nullptr;
  for (const auto& [field, given] : {std::pair{"trace", written.has_trace()},
                                     {"rate", written.has_rate()},
                                     {"concurrency", written.has_concurrency()}}) {
    if (!given) continue;
    if (first != nullptr) {
      refuse_field(where, of_traffic(first),
                   fmt::format(": there is a {}, too: requests come by one of trace, rate and "
                               "concurrency",
                               field));
    }
    first = field;
  }
  if (first != nullptr) return;
  refuse_field(where, of_traffic("trace"),
               " is missing, and so are rate and concurrency: requests come by one of the three");
}

}  // namespace

double parse_request_rate(const std::string& text) {
  constexpr std::pair<std::string_view, double> kUnits[] = {{"/s", 1}, {"/min", 60}, {"/h", 3600}};
  constexpr double kFastest = 1e9;
  double number = 0;
  const char* const end = text.data() + text.size();
  const auto [rest, failure] = std::from_chars(text.data(), end, number);
  const std::string_view unit(rest, static_cast<std::size_t>(end - rest));
  for (const auto& [name, seconds] : kUnits) {
    if (failure != std::errc{} || unit != name) continue;
    const double rate = number / seconds;
    if (rate > 0 && rate <= kFastest) return rate;
    throw std::invalid_argument(
        fmt::format("\"{}\": must be above 0, at most {} per second", shortened(text), kFastest));
  }
  throw std::invalid_argument(
      fmt::format("\"{}\": a rate is a number and a unit (/s /min /h)", shortened(text)));
}

void take_traffic(const proto::Traffic& written, const FieldLocations& where, Serve& serve) {
  check_source(written, where);
  if (written.has_warm_up()) {
    serve.warm_up = seconds_of(written.warm_up(), of_traffic("warm_up"), where);
  }
  if (!written.has_trace()) {
    serve.law = law_of(written, where);
    serve.concurrency = written.concurrency();
    return;
  }
  serve.trace_path = written.trace();
  const std::pair<const char*, bool> of_law[] = {
      {"process", written.has_process()},   {"variation", written.has_variation()},
      {"requests", written.has_requests()}, {"duration", written.has_duration()},
      {"prompt", written.has_prompt()},     {"output", written.has_output()},
      {"prefix", written.has_prefix()},     {"turns", written.has_turns()},
      {"think", written.has_think()}};
  for (const auto& [field, given] : of_law) {
    if (given) refuse_field(where, of_traffic(field), ": the trace says it itself");
  }
}

}  // namespace rehearse
