#include "commands/collective_terms.hpp"

#include <fmt/format.h>

namespace rehearse {

std::string terms_of(const TransferPath& path, Bytes buffer) {
  Seconds latency;
  for (const FlowPhase& phase : path.phases) latency += phase.latency;
  latency -= path.launch;
  double inside_rounds = 0;
  double across_rounds = 0;
  double inside = 0;
  double across = 0;
  for (const StepPace& pace : path.paces) {
    across_rounds += pace.rounds_across;
    inside_rounds += pace.rounds - pace.rounds_across;
    inside += pace.inside_wire;
    across += pace.across_wire;
  }
  latency -= path.costs.step_inside * inside_rounds + path.costs.step_across * across_rounds;
  return fmt::format("{},{},{},{},{:.9g},{},{},{:.9g},{:.9g},{:.9g}", path.algorithm->name,
                     path.protocol, path.channels, path.row, latency.value, inside_rounds,
                     across_rounds, inside * buffer.value, across * buffer.value,
                     path.copy * path.costs.copy * buffer.value);
}

}  // namespace rehearse
