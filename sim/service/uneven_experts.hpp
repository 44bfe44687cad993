// Experts that are not loaded evenly, in steps of an engine: who of an expert group is which rank,
// and how long tokens are on their way there and back.
#pragma once

#include <functional>
#include <map>
#include <span>
#include <utility>
#include <vector>

#include "network/transfer.hpp"
#include "routing/expected_loads.hpp"
#include "service/compiled_pass.hpp"
#include "serving/step.hpp"

namespace rehearse {

class UnevenExperts {
 public:
  // REQUIRES and throws as ExpectedLoads.
  UnevenExperts(const Model& model, const Plan& plan, const std::vector<int>& node_of_rank);

  const ExpectedLoads& loads() const { return loads_; }
  // Tensor ranks that hold different experts, each of which dispatches its part of the tokens.
  int sharing() const { return static_cast<int>(members_.front().size()); }
  // Of this expert coordinate, by tensor rank.
  const std::vector<int>& members(int expert) const { return members_[expert]; }
  // That each member dispatches in a step of these ranks.
  std::vector<double> tokens_of(std::span<const serving::StepShape> ranks) const;

  // How long the transfer takes, whose largest buffer is that.
  using Alone = std::function<Seconds(const Instruction&, Transfer&, Bytes largest)>;
  struct Stage {
    int number = 0;
    int first_layer = 0;
  };
  // The times of the pass's dispatches and returns, in the group where each member has so many
  // tokens. Times are kept: `alone` has to be the same whenever it is asked for a stage.
  void set_exchanges(const Stage& stage, const std::vector<double>& tokens, const Alone& alone,
                     CompiledPass& pass);
  // If so many are kept.
  void forget(std::size_t most);

 private:
  Seconds exchange(int layer, const Instruction& all_to_all, Bytes of_copy,
                   const std::vector<double>& tokens, const Alone& alone) const;

  const ExpectedLoads loads_;
  std::vector<std::vector<int>> members_;  // by expert coordinate
  // By stage and tokens, then by layer and direction.
  using Times = std::map<std::pair<int, bool>, Seconds>;
  std::map<std::pair<int, std::vector<double>>, Times> known_;
};

}  // namespace rehearse
