// The traces of Azure's LLM services of 2023 and 2024 (Azure/AzurePublicDataset): dates with up to
// seven digits behind the second, 2024's with the time zone +00:00.
#include <fmt/format.h>

#include <array>
#include <charconv>
#include <chrono>

#include "base/utf8.hpp"
#include "input/csv_table.hpp"
#include "input/traces/trace_format.hpp"

namespace rehearse {
namespace {

constexpr std::array<CsvColumn, 3> kColumns = {
    {{"TIMESTAMP"}, {"ContextTokens"}, {"GeneratedTokens"}}};
enum Column { kDate, kPrompt, kOutput };

// The number of so many digits at `at`; -1: there are others.
int digits(std::string_view text, std::size_t at, std::size_t count) {
  int value = 0;
  const char* const begin = text.data() + at;
  if (text.size() < at + count) return -1;
  const auto [rest, failure] = std::from_chars(begin, begin + count, value);
  return failure == std::errc{} && rest == begin + count && value >= 0 ? value : -1;
}

// Days since 1970; nothing where there is no such day.
std::optional<double> days_of(int year, int month, int day) {
  const std::chrono::year_month_day date{std::chrono::year(year),
                                         std::chrono::month(static_cast<unsigned>(month)),
                                         std::chrono::day(static_cast<unsigned>(day))};
  if (year < 1970 || month < 1 || day < 1 || !date.ok()) return std::nullopt;
  return static_cast<double>(std::chrono::sys_days(date).time_since_epoch().count());
}

// What stands behind the second: ".9799600", ".0099+00:00", nothing.
std::optional<double> fraction_of(std::string_view text) {
  for (const std::string_view zone : {"+00:00", "Z"}) {
    if (text.ends_with(zone)) text.remove_suffix(zone.size());
  }
  if (text.empty()) return 0;
  double fraction = 0;
  const std::string number = "0" + std::string(text);
  const char* const end = number.data() + number.size();
  const auto [rest, failure] =
      std::from_chars(number.data(), end, fraction, std::chars_format::fixed);
  if (text.front() != '.' || failure != std::errc{} || rest != end) return std::nullopt;
  return fraction;
}

// "2023-11-16 18:17:03.9799600" as seconds since 1970.
double seconds_of(const CsvCell& cell) {
  const std::string_view text = cell.text;
  const auto is = [&](std::size_t at, char what) { return text.size() > at && text[at] == what; };
  const int hour = digits(text, 11, 2);
  const int minute = digits(text, 14, 2);
  const int second = digits(text, 17, 2);
  const bool shaped = is(4, '-') && is(7, '-') && (is(10, ' ') || is(10, 'T')) && is(13, ':') &&
                      is(16, ':') && hour >= 0 && hour < 24 && minute >= 0 && minute < 60 &&
                      second >= 0 && second < 61;
  const auto days = days_of(digits(text, 0, 4), digits(text, 5, 2), digits(text, 8, 2));
  const auto fraction = shaped ? fraction_of(text.substr(19)) : std::nullopt;
  if (!days || !fraction) {
    throw InputError(cell.where, fmt::format("TIMESTAMP = \"{}\": expected a date as 2023-11-16 "
                                             "18:17:03.9799600",
                                             shortened(cell.text)));
  }
  return *days * 86400 + hour * 3600 + minute * 60 + second + *fraction;
}

void read(const SourceText& source, RequestTrace& trace) {
  for (CsvTable table(source, kColumns, OtherColumns::kPassedOver); table.next();) {
    Request request;
    request.prompt_tokens =
        tokens_at(table.integer(kPrompt), table.cell(kPrompt).where, "ContextTokens");
    const int output = table.integer(kOutput);
    if (output == 0) {
      ++trace.failed;
      continue;
    }
    request.output_tokens = tokens_at(output, table.cell(kOutput).where, "GeneratedTokens");
    add_request(seconds_of(table.cell(kDate)), table.cell(kDate).where, "TIMESTAMP",
                std::move(request), trace);
  }
}

}  // namespace

const TraceFormat kAzureTrace = {
    "azure", "TIMESTAMP,ContextTokens,GeneratedTokens",
    [](std::string_view line) { return line.find("ContextTokens") != std::string_view::npos; },
    read};

}  // namespace rehearse
