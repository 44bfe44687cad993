#include <fmt/format.h>

#include <array>
#include <charconv>

#include "input/csv_table.hpp"
#include "input/traces/trace_format.hpp"

namespace rehearse {
namespace {

constexpr std::array<CsvColumn, 5> kColumns = {{{"arrival_s"},
                                                {"prompt_tokens"},
                                                {"output_tokens"},
                                                {"priority", false},
                                                {"hash_ids", false}}};
enum Column { kArrival, kPrompt, kOutput, kPriority, kHashes };

// As Mooncake's traces have them.
constexpr int kBlockTokens = 512;

std::vector<std::int64_t> blocks_of(const CsvCell& cell) {
  std::vector<std::int64_t> blocks;
  const char* at = cell.text.data();
  const char* const end = at + cell.text.size();
  while (at != end) {
    if (*at == ' ') {
      ++at;
      continue;
    }
    std::int64_t block = 0;
    const auto [rest, failure] = std::from_chars(at, end, block);
    if (failure != std::errc{} || (rest != end && *rest != ' ')) {
      throw InputError(cell.where, fmt::format("hash_ids = \"{}\": expected integers with blanks "
                                               "between them, one for each block of {} tokens",
                                               cell.text, kBlockTokens));
    }
    blocks.push_back(block);
    at = rest;
  }
  return blocks;
}

void read(const SourceText& source, RequestTrace& trace) {
  for (CsvTable table(source, kColumns); table.next();) {
    Request request;
    request.prompt_tokens =
        tokens_at(table.integer(kPrompt), table.cell(kPrompt).where, "prompt_tokens");
    request.output_tokens =
        tokens_at(table.integer(kOutput), table.cell(kOutput).where, "output_tokens");
    if (table.has(kPriority) && !table.cell(kPriority).text.empty()) {
      request.priority = table.integer(kPriority);
    }
    if (table.has(kHashes)) request.blocks = blocks_of(table.cell(kHashes));
    if (!request.blocks.empty()) trace.block_tokens = kBlockTokens;
    add_request(table.number(kArrival), table.cell(kArrival).where, "arrival_s", std::move(request),
                trace);
  }
}

}  // namespace

const TraceFormat kPlainTrace = {"plain", "arrival_s,prompt_tokens,output_tokens",
                                 [](std::string_view) { return true; }, read};

}  // namespace rehearse
