// BurstGPT (HPMLL/BurstGPT): seconds; a request with no response tokens has failed.
#include <array>

#include "input/csv_table.hpp"
#include "input/traces/trace_format.hpp"

namespace rehearse {
namespace {

constexpr std::array<CsvColumn, 3> kColumns = {
    {{"Timestamp"}, {"Request tokens"}, {"Response tokens"}}};
enum Column { kDate, kPrompt, kOutput };

void read(const SourceText& source, RequestTrace& trace) {
  for (CsvTable table(source, kColumns, OtherColumns::kPassedOver); table.next();) {
    const int output = table.integer(kOutput);
    if (output == 0) {
      ++trace.failed;
      continue;
    }
    Request request;
    request.prompt_tokens =
        tokens_at(table.integer(kPrompt), table.cell(kPrompt).where, "Request tokens");
    request.output_tokens = tokens_at(output, table.cell(kOutput).where, "Response tokens");
    add_request(table.number(kDate), table.cell(kDate).where, "Timestamp", std::move(request),
                trace);
  }
}

}  // namespace

const TraceFormat kBurstGptTrace = {
    "burstgpt", "Timestamp,...,Request tokens,Response tokens,...",
    [](std::string_view line) { return line.find("Response tokens") != std::string_view::npos; },
    read};

}  // namespace rehearse
