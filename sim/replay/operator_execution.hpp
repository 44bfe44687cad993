// What a rank does on its compute stream, and the memory that its passes hold.
#pragma once

#include "replay/rank_costs.hpp"
#include "replay/rank_state.hpp"
#include "replay/routed_ranks.hpp"
#include "timeline/timeline.hpp"

namespace rehearse {

// When an operator starts, and what its rank waited for before; see Span.
struct OperatorStart {
  Seconds start;
  Seconds stall;
  Seconds start_of_transfer;
  Axis stalled_on = Axis::kCount;
};

class OperatorExecution {
 public:
  OperatorExecution(RankCosts& costs, RoutedRanks& routed, TimelineSink& sink)
      : costs_(costs), routed_(routed), sink_(sink) {}

  // Executes the compute instruction at the cursor and those behind it that nothing can come
  // between, leaves the cursor behind them, and returns how many they were. 0: it has to wait
  // (state.blocked_on), and nothing has changed.
  int execute(Rank rank, RankState& state);

  // Of an action that is a pass.
  void begin_pass(Rank rank, RankState& state);
  void end_pass(Rank rank, const RankState& state);

 private:
  void execute_routed(Rank rank, RankState& state, const OperatorStart& at);

  RankCosts& costs_;
  RoutedRanks& routed_;
  TimelineSink& sink_;
};

}  // namespace rehearse
