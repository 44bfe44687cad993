// Where copies of tokens go by the law of the shares alone: what each member of an expert group
// computes of any number of tokens, on average over what routers draw. The shares, and so who is
// popular, are those that a run of batches has at its beginning.
#pragma once

#include <algorithm>
#include <string>
#include <vector>

#include "layout/layout.hpp"
#include "model/model.hpp"
#include "plan/plan.hpp"

namespace rehearse {

class ExpectedLoads {
 public:
  // Why the plan's routing has no such law, and the field; empty: it has.
  struct Refusal {
    std::string field;
    std::string rule;
  };
  static Refusal refusal(const Plan& plan, const Model& model);

  // `node_of_rank`: as of ExpertRouting. REQUIRES: check_routing passed, refusal() is empty. Throws
  // as ExpertRouting does.
  ExpectedLoads(const Model& model, const Plan& plan, const std::vector<int>& node_of_rank);

  int members() const { return members_; }  // of an expert group
  int top_k() const { return top_k_; }      // copies of a token
  // In one of the model's layers with experts. Layers that predict further tokens are as the last
  // of them.
  // How many of a token's copies the member computes.
  double share(int layer, int member) const { return at(layer).shares[member]; }
  // Of its experts, how many get one of so many tokens of the group.
  double touched(int layer, int member, double tokens) const;
  // The largest share of a member in these layers.
  double largest(int first, int count) const;

 private:
  struct Layer {
    std::vector<double> shares;  // by member
    // By member, the probabilities that a token visits its experts: equal ones once.
    struct Visited {
      double probability = 0;
      int experts = 0;
    };
    std::vector<std::vector<Visited>> held;
  };
  const Layer& at(int layer) const { return layers_[std::min(layer, last_)]; }

  const int members_;
  const int top_k_;
  int last_ = 0;               // layer with experts
  std::vector<Layer> layers_;  // of the model; those without experts are empty
};

}  // namespace rehearse
