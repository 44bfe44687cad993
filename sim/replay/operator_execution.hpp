// What a rank does on its compute stream, and the memory that its passes hold.
#pragma once

#include "replay/rank_costs.hpp"
#include "replay/rank_state.hpp"
#include "replay/routed_ranks.hpp"
#include "timeline/timeline.hpp"

namespace rehearse {

class OperatorExecution {
 public:
  OperatorExecution(RankCosts& costs, RoutedRanks& routed, TimelineSink& sink)
      : costs_(costs), routed_(routed), sink_(sink) {}

  // Executes the compute instruction at state.at and those behind it that nothing can come between,
  // leaves state.at at the last of them, and returns how many they were. 0: it has to wait
  // (state.blocked_on), and nothing has changed.
  int execute(Rank rank, RankState& state, const Instruction& instruction);

  void begin_pass(Rank rank, RankState& state, int pass);
  void end_pass(Rank rank, const RankState& state);

 private:
  void execute_routed(RankState& state, const Instruction& instruction, const OperatorRun& at);

  RankCosts& costs_;
  RoutedRanks& routed_;
  TimelineSink& sink_;
};

}  // namespace rehearse
