// LLMServingSim's traces (casys-kaist/LLMServingSim): nanoseconds.
#include "input/traces/json_lines.hpp"
#include "input/traces/trace_format.hpp"

namespace rehearse {
namespace {

constexpr double kPerSecond = 1e9;  // nanoseconds

void read(const SourceText& source, RequestTrace& trace) {
  for (CsvLines lines(source); lines.next();) {
    const JsonLine line(lines);
    if (line.object().contains("sub_requests")) {
      throw InputError(line.where(), "sub_requests: sessions of several requests are not modelled");
    }
    Request request;
    request.prompt_tokens = tokens_at(line.number("input_toks"), line.where(), "input_toks");
    request.output_tokens = tokens_at(line.number("output_toks"), line.where(), "output_toks");
    add_request(line.number("arrival_time_ns") / kPerSecond, line.where(), "arrival_time_ns",
                std::move(request), trace);
  }
}

}  // namespace

const TraceFormat kServingSimTrace = {
    "llmservingsim", R"({"input_toks", "output_toks", "arrival_time_ns"})",
    [](std::string_view line) {
      return line.find("\"input_toks\"") != std::string_view::npos ||
             line.find("\"sub_requests\"") != std::string_view::npos;
    },
    read};

}  // namespace rehearse
