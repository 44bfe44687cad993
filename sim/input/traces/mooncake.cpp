// Mooncake's traces (kvcache-ai/Mooncake): milliseconds, and a number for each block of 512 prompt
// tokens that stands for the whole prompt up to its end.
#include <fmt/format.h>

#include "input/traces/json_lines.hpp"
#include "input/traces/trace_format.hpp"

namespace rehearse {
namespace {

constexpr int kBlockTokens = 512;
constexpr double kPerSecond = 1000;  // milliseconds

void check_blocks(const Request& request, const SourceLocation& where) {
  const std::size_t blocks = (request.prompt_tokens + kBlockTokens - 1) / kBlockTokens;
  if (request.blocks.empty() || request.blocks.size() == blocks) return;
  throw InputError(where,
                   fmt::format("hash_ids has {} blocks: {} prompt tokens are {} of {} tokens",
                               request.blocks.size(), request.prompt_tokens, blocks, kBlockTokens));
}

void read(const SourceText& source, RequestTrace& trace) {
  for (CsvLines lines(source); lines.next();) {
    const JsonLine line(lines);
    Request request;
    request.prompt_tokens = tokens_at(line.number("input_length"), line.where(), "input_length");
    request.blocks = line.integers("hash_ids");
    check_blocks(request, line.where());
    if (!request.blocks.empty()) trace.block_tokens = kBlockTokens;
    const double output = line.number("output_length");
    if (output == 0) {
      ++trace.failed;
      continue;
    }
    request.output_tokens = tokens_at(output, line.where(), "output_length");
    add_request(line.number("timestamp") / kPerSecond, line.where(), "timestamp",
                std::move(request), trace);
  }
}

}  // namespace

const TraceFormat kMooncakeTrace = {
    "mooncake", R"({"timestamp": ms, "input_length", "output_length", "hash_ids"})",
    [](std::string_view line) { return line.find("\"input_length\"") != std::string_view::npos; },
    read};

}  // namespace rehearse
