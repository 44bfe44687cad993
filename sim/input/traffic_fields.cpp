#include "input/traffic_fields.hpp"

#include <fmt/format.h>

#include <charconv>
#include <cmath>
#include <stdexcept>

#include "base/utf8.hpp"
#include "input/textproto.hpp"

namespace rehearse {
namespace {

constexpr const char* kTraffic = "serve.traffic";

[[noreturn]] void refuse(const FieldLocations& where, const std::string& field,
                         const std::string& rule) {
  throw InputError(where.at(field), fmt::format("{}{}", field, rule));
}

template <class Number>
void check_between(double least, Number value, double most, bool without_least,
                   const std::string& field, const FieldLocations& where) {
  const double number = value;
  if (number <= most && (without_least ? number > least : number >= least)) return;
  refuse(where, field,
         fmt::format(" = {}: must be {} {}, at most {}", value,
                     without_least ? "above" : "at least", least, most));
}

LengthLaw lengths_of(const proto::RequestLengths& written, const std::string& field,
                     const FieldLocations& where) {
  constexpr double kLargestVariation = 1000;
  const int laws = static_cast<int>(written.has_range()) + static_cast<int>(written.has_least()) +
                   static_cast<int>(written.has_variation()) + static_cast<int>(written.has_file());
  if (laws > 1) refuse(where, field, ": one of range, least, variation and file at most");
  LengthLaw law;
  law.file = written.file();
  if (written.has_file() && written.has_tokens()) {
    refuse(where, field + ".tokens", ": the file has the lengths");
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
  const std::string field = fmt::format("{}.variation", kTraffic);
  law.process = static_cast<ArrivalProcess>(written.process());
  const bool gamma = law.process == ArrivalProcess::kGamma;
  if (gamma != written.has_variation()) {
    refuse(where, field,
           gamma ? " is missing: gaps of a gamma process need it"
                 : ": only gaps of a gamma process vary by it");
  }
  if (!gamma) return;
  law.variation = written.variation();
  check_between(0, law.variation, kLargestVariation, true, field, where);
}

TrafficLaw law_of(const proto::Traffic& written, const FieldLocations& where) {
  TrafficLaw law;
  try {
    law.rate = parse_request_rate(written.rate());
    if (written.has_duration()) law.duration = parse_seconds(written.duration());
  } catch (const std::invalid_argument& error) {
    const bool rate = law.rate == 0;
    refuse(where, fmt::format("{}.{}", kTraffic, rate ? "rate" : "duration"),
           fmt::format(" = {}", error.what()));
  }
  if (written.has_requests() == written.has_duration()) {
    refuse(where, fmt::format("{}.requests", kTraffic),
           written.has_requests() ? ": there is a duration, too: one of both"
                                  : " is missing, and so is duration: how much traffic is there?");
  }
  law.requests = written.requests();
  take_gaps(written, where, law);
  for (const char* lengths : {"prompt", "output"}) {
    require_field(written, kTraffic, lengths, where);
  }
  law.prompt = lengths_of(written.prompt(), fmt::format("{}.prompt", kTraffic), where);
  law.output = lengths_of(written.output(), fmt::format("{}.output", kTraffic), where);
  return law;
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
  if (written.has_trace() == written.has_rate()) {
    refuse(where, fmt::format("{}.trace", kTraffic),
           written.has_trace() ? ": there is a rate, too: requests come by one of both"
                               : " is missing, and so is rate: requests come by one of both");
  }
  if (written.has_rate()) {
    serve.law = law_of(written, where);
    return;
  }
  serve.trace_path = written.trace();
  const std::pair<const char*, bool> of_rate[] = {
      {"process", written.has_process()},   {"variation", written.has_variation()},
      {"requests", written.has_requests()}, {"duration", written.has_duration()},
      {"prompt", written.has_prompt()},     {"output", written.has_output()}};
  for (const auto& [field, given] : of_rate) {
    if (given) refuse(where, fmt::format("{}.{}", kTraffic, field), ": the trace says it itself");
  }
}

}  // namespace rehearse
