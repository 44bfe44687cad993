// What a rank does on its compute stream, and the memory that its passes hold.
#pragma once

#include "replay/rank_costs.hpp"
#include "replay/rank_state.hpp"
#include "replay/routed_ranks.hpp"
#include "replay/shared_units.hpp"
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
  OperatorExecution(RankCosts& costs, RoutedRanks& routed, SharedUnits& shared, TimelineSink& sink)
      : costs_(costs), routed_(routed), shared_(shared), sink_(sink) {}

  // Executes the compute instruction at the cursor and those behind it that nothing can come
  // between, leaves the cursor behind them, and returns how many they were. 0: it has to wait
  // (state.blocked_on), and nothing has changed but that an operator may have begun (kBeside).
  int execute(Rank rank, RankState& state);

  // Of a rank in kBeside: SharedUnits::follow. True: the operator is over, the cursor behind it,
  // and the rank goes on.
  bool follow(Rank rank, RankState& state, Seconds now);

  // Of an action that is a pass.
  void begin_pass(Rank rank, RankState& state);
  void end_pass(Rank rank, const RankState& state);

 private:
  // At the cursor, its end not known yet.
  struct Begun {
    Span span;
    KernelTime time;
  };
  Begun begin_one(Rank rank, RankState& state, const OperatorStart& at);
  void add_routed(RankState& state, Begun& begun);
  void end_one(RankState& state, const Span& span);

  RankCosts& costs_;
  RoutedRanks& routed_;
  SharedUnits& shared_;
  TimelineSink& sink_;
};

}  // namespace rehearse
