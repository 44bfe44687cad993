#include "collectives/operation.hpp"

namespace rehearse {
namespace {

// "AllReduce", "all-reduce" and "all_reduce_perf" are one name.
std::string plain(std::string_view name) {
  constexpr std::string_view kProgram = "_perf";  // of nccl-tests
  if (name.ends_with(kProgram)) name.remove_suffix(kProgram.size());
  std::string letters;
  for (const char letter : name) {
    if (letter == '_' || letter == '-') continue;
    const bool is_upper = letter >= 'A' && letter <= 'Z';
    letters += is_upper ? static_cast<char>(letter - 'A' + 'a') : letter;
  }
  return letters;
}

}  // namespace

const char* to_text(CollectiveOp op) {
  constexpr const char* kNames[] = {"all_reduce", "all_gather", "reduce_scatter", "all_to_all",
                                    "broadcast",  "reduce",     "gather",         "scatter",
                                    "barrier",    "send_recv"};
  return kNames[static_cast<int>(op)];
}

std::string names_of_collective_ops() {
  std::string names;
  for (int op = 0; op < kCollectiveOps; ++op) {
    if (op > 0) names += ' ';
    names += to_text(static_cast<CollectiveOp>(op));
  }
  return names;
}

std::optional<CollectiveOp> collective_op_named(std::string_view name) {
  const std::string wanted = plain(name);
  for (int at = 0; at < kCollectiveOps; ++at) {
    const auto op = static_cast<CollectiveOp>(at);
    if (plain(to_text(op)) == wanted) return op;
  }
  return std::nullopt;
}

}  // namespace rehearse
